"""The phase of a time in its hour, day, week, month and year, as columns for a network.

A cyclic feature is a point on a circle, two columns, so that 23:59 is close to 00:00.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ...core.errors import UsageError, nearest
from ...core.windows import Floats, Ints
from .business_days import Days as Times
from .business_days import weekdays

# A phase of the year is learned from at least two years.
TWO_YEARS = 730
# Exchanges are open on about 252 days of a year.
BUSINESS_DAY = 365 / 252


def cycle_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns that `cycles` returns.

    Raises:
        UsageError: A feature is unknown.

    >>> cycle_columns(["hour", "weekend"])
    ('hour_sin', 'hour_cos', 'weekend')
    """
    for name in names:
        if name not in NAMES:
            raise UsageError(f'Unknown calendar feature "{name}".', nearest(name, NAMES))
    parts = [[name] if name == WEEKEND else [f"{name}_sin", f"{name}_cos"] for name in names]
    return tuple(column for pair in parts for column in pair)


def cycles(times: Times, names: Sequence[str]) -> Floats:
    """Return the calendar features of times.

    Args:
        times: Shape `(n,)`, local time.
        names: Which features, of `NAMES`.

    Returns:
        Shape `(n, columns)`, float64, the columns as `cycle_columns` names them: sine and cosine
        of a feature, or 1 on Saturdays and Sundays and 0 otherwise.

    Raises:
        UsageError: A feature is unknown.
    """
    cycle_columns(names)
    columns: list[Floats] = [np.empty((len(times), 0))]
    for name in names:
        if name == WEEKEND:
            columns.append((weekdays(times)[:, None] >= 5).astype(float))
        else:
            angle = 2 * np.pi * _PHASES[name](times)[:, None]
            columns += [np.sin(angle), np.cos(angle)]
    return np.hstack(columns)


def default_cycles(step_days: float | None, months: int, rows: int) -> tuple[str, ...]:
    """Return the features that suit a step.

    Args:
        step_days: The length of a fixed step in days; None for steps of months and business days.
        months: Months in a step; 0 for other steps.
        rows: Rows of the longest series; the year is a feature of at least two years.

    >>> default_cycles(1 / 24, 0, rows=24 * 365)
    ('hour', 'dayofweek')
    >>> default_cycles(1.0, 0, rows=1000)
    ('dayofweek', 'dayofyear')
    """
    if months:
        return () if months % 12 == 0 else ("quarter",) if months == 3 else ("month",)
    step = step_days or BUSINESS_DAY
    names = []
    if step < 1:
        names.append("hour")
    if step < 7:
        names.append("dayofweek")
    # A step of half a year or more is too long to resolve the year.
    if rows * step >= TWO_YEARS and step < 183:
        names.append("dayofyear")
    return tuple(names)


def _phase(times: Times, period: str, unit: str) -> Floats:
    """Return the elapsed share of the period of each time, shape `(n,)`, 0 to below 1.

    `period` is NumPy's code of h, D, M or Y; `unit` that of the resolution, e.g. D for whole days.
    """
    periods = times.astype(f"datetime64[{period}]")
    begins, ends = (each.astype(f"datetime64[{unit}]") for each in (periods, periods + 1))
    share: Floats = (times.astype(f"datetime64[{unit}]") - begins) / (ends - begins)
    return share


def _week(times: Times) -> Floats:
    """Return the elapsed share of the ISO year of 52 or 53 weeks, shape `(n,)`, 0 to below 1."""
    days = times.astype("datetime64[D]")
    # A week belongs to the year of its Thursday.
    year = (days + (3 - weekdays(times)).astype("timedelta64[D]")).astype("datetime64[Y]")
    # The first week is that of the 4th of January.
    fourths = [each.astype("datetime64[D]") + 3 for each in (year, year + 1)]
    begins, ends = (day - weekdays(day).astype("timedelta64[D]") for day in fourths)
    share: Floats = (days - begins) / (ends - begins)
    return share


def _month(times: Times) -> Ints:
    """Return the month of each time, shape `(n,)`: January is 0."""
    return times.astype("datetime64[M]").astype(np.int64) % 12


WEEKEND = "weekend"
_PHASES: dict[str, Callable[[Times], Floats]] = {
    "minute": lambda times: _phase(times, "h", "us"),
    "hour": lambda times: _phase(times, "D", "us"),
    "dayofweek": lambda times: weekdays(times) / 7,
    "day": lambda times: _phase(times, "M", "D"),
    "dayofyear": lambda times: _phase(times, "Y", "D"),
    "week": _week,
    "month": lambda times: _month(times) / 12,
    "quarter": lambda times: _month(times) // 3 / 4,
}
NAMES = (*_PHASES, WEEKEND)
