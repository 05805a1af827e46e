"""Where a time stands in its hour, day, week, month and year, as columns that a network can use.

A cyclic feature is a point on a circle, two columns, so that 23:59 lies beside 00:00.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ...core.errors import UsageError, nearest
from ...core.windows import Floats, Ints

Times = npt.NDArray[np.datetime64]
# A position in the year is learned from at least two years.
TWO_YEARS = 730
# Exchanges are open on about 252 days of a year.
BUSINESS_DAY = 365 / 252


def cycle_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns that `cycles` gives.

    Raises:
        UsageError: There is no such feature.

    >>> cycle_columns(["hour", "weekend"])
    ('hour_sin', 'hour_cos', 'weekend')
    """
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f'There is no calendar feature "{name}".',
                f"{nearest(name, NAMES)} Name one of them.",
            )
    parts = [[name] if name == WEEKEND else [f"{name}_sin", f"{name}_cos"] for name in names]
    return tuple(column for pair in parts for column in pair)


def cycles(times: Times, names: Sequence[str]) -> Floats:
    """The calendar features of the times.

    Args:
        times: Shape `(n,)`, by the clock on the wall.
        names: Which features, of `NAMES`.

    Returns:
        Shape `(n, columns)`, float64, the columns as `cycle_columns` names them: sine and cosine
        of a feature, or 1 on Saturdays and Sundays and 0 else.

    Raises:
        UsageError: There is no such feature.
    """
    columns = cycle_columns(names)
    features = np.empty((len(times), len(columns)))
    place = 0
    for name in names:
        if name == WEEKEND:
            features[:, place] = _weekday(times) >= 5
            place += 1
            continue
        angle = 2 * np.pi * _PHASES[name](times)
        features[:, place], features[:, place + 1] = np.sin(angle), np.cos(angle)
        place += 2
    return features


def usual_cycles(step_days: float | None, months: int, rows: int) -> tuple[str, ...]:
    """The features that are usual for a step.

    Args:
        step_days: The length of a fixed step in days; None for steps of months and business days.
        months: Months in a step; 0 for other steps.
        rows: Rows of the longest series; the year is a feature from two years on.

    >>> usual_cycles(1 / 24, 0, rows=24 * 365)
    ('hour', 'dayofweek')
    >>> usual_cycles(1.0, 0, rows=1000)
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
    # Half a year or more is too long a step to see where in the year it is.
    if rows * step >= TWO_YEARS and step < 183:
        names.append("dayofyear")
    return tuple(names)


def _share(times: Times, whole: str) -> Floats:
    """The part of the hour or day that is over, 0 to below 1."""
    begins = times.astype(f"datetime64[{whole}]")
    over: Floats = (times.astype("datetime64[us]") - begins) / (begins + 1 - begins)
    return over


def _weekday(times: Times) -> Ints:
    """Monday is 0, Sunday 6."""
    # The first day of 1970 was a Thursday.
    weekday: Ints = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return weekday


def _inside(times: Times, unit: str) -> Floats:
    """The days that are over of the month or year, in shares of its length, 0 to below 1."""
    days = times.astype("datetime64[D]")
    period = times.astype(f"datetime64[{unit}]")
    begins, ends = period.astype("datetime64[D]"), (period + 1).astype("datetime64[D]")
    share: Floats = (days - begins) / (ends - begins)
    return share


def _week(times: Times) -> Floats:
    """The days that are over of the ISO year, in shares of its 52 or 53 weeks."""
    days = times.astype("datetime64[D]")
    # A week belongs to the year that its Thursday lies in.
    thursday = days + (3 - _weekday(times)).astype("timedelta64[D]")
    year = thursday.astype("datetime64[Y]")
    begins, ends = _iso_start(year), _iso_start(year + 1)
    share: Floats = (days - begins) / (ends - begins)
    return share


def _iso_start(years: Times) -> Times:
    """The Monday of the week with the 4th of January."""
    fourth: Times = years.astype("datetime64[D]") + 3
    monday: Times = fourth - _weekday(fourth).astype("timedelta64[D]")
    return monday


def _month(times: Times) -> Ints:
    """January is 0."""
    month: Ints = times.astype("datetime64[M]").astype(np.int64) % 12
    return month


WEEKEND = "weekend"
_PHASES: dict[str, Callable[[Times], Floats]] = {
    "minute": lambda times: _share(times, "h"),
    "hour": lambda times: _share(times, "D"),
    "dayofweek": lambda times: _weekday(times) / 7,
    "day": lambda times: _inside(times, "M"),
    "dayofyear": lambda times: _inside(times, "Y"),
    "week": _week,
    "month": lambda times: _month(times) / 12,
    "quarter": lambda times: _month(times) // 3 / 4,
}
NAMES = (*_PHASES, WEEKEND)
