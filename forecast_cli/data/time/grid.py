"""The positions of times on the regular grid of their series, and the steps without a row."""

import numpy as np
import pandas as pd

from ...core.errors import DataError
from ...core.ragged import row_numbers
from ...core.windows import Ints
from . import listed_steps
from .business_days import positions
from .frequency import DAY, Frequency, local_days
from .time_index import likely_frequency, when

# So many steps are always filled where `missing` says how; with a larger share than the other,
# filling is not proposed first.
FEW_FILLED, MANY_FILLED = 3, 0.05
# The values of `missing` that fill a step.
FILLING = ("interpolate", "ffill", "season")


def percent(part: int, whole: int) -> str:
    """Return a share for messages: "56 %", "2.6 %".

    >>> percent(205, 365), percent(59, 2284)
    ('56 %', '2.6 %')
    """
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"


def at_least(part: int, whole: int) -> str:
    """Return the smallest share of two digits that is not below another one.

    >>> at_least(205, 365)
    '0.57'
    """
    return f"{-(-100 * part // whole) / 100:g}"


def many_gaps(gaps: int, steps: int, most: float = MANY_FILLED) -> bool:
    """Whether so many of the steps have no value that filling them would invent a table."""
    return gaps > max(FEW_FILLED, most * steps)


def share_of(gaps: int, steps: int) -> str:
    """Return how many of the steps have no row, for messages.

    >>> share_of(205, 365)
    '205 of 365 steps (56 %)'
    """
    return f"{gaps:,} of {steps:,} steps ({percent(gaps, steps)})"


def ways_to_fill(gaps: int, steps: int, named: str = "") -> str:
    """Return what to do about steps without a row; `named` are other settings that are needed."""
    if not many_gaps(gaps, steps):
        return f"Pass {named}`missing=interpolate`, or ffill, season or mask"
    return (
        f"Check the dates of the rows. Pass {named}`missing=mask` to leave such steps out, or "
        f"{named}`missing=interpolate` and `max_filled={at_least(gaps, steps)}` to invent their "
        "values"
    )


def require_few_gaps(source: str, gaps: int, steps: int, missing: str, most: float) -> None:
    """Refuse to fill more steps without a row than `max_filled`, the share `most`, allows.

    Raises:
        DataError: They are more, and `missing` would fill them.
    """
    if missing in FILLING and many_gaps(gaps, steps, most):
        raise DataError(
            f"{source}: {share_of(gaps, steps)} have no row, and `missing={missing}` would invent "
            "their values.",
            "Check the dates of the rows. Pass `missing=mask` to leave such steps out, or "
            f"`max_filled={at_least(gaps, steps)}` to fill them all the same.",
        )


# With more steps than this for a row, the frequency is wrong.
MOST_STEPS = 10


def grid_positions(
    times: pd.DatetimeIndex, frequency: Frequency, indptr: Ints | None = None
) -> Ints:
    """Return the position of each time on the grid that begins with the first one of its series.

    For business days rows are the steps: holidays are not on the grid.

    Args:
        times: Shape `(n,)`, ascending in each series.
        frequency: The step.
        indptr: Shape `(n_series + 1,)`: series `i` is `times[indptr[i]:indptr[i + 1]]`; None: one.

    Returns:
        Shape `(n,)`, steps after the first time of the series.

    Raises:
        DataError: A time is not on the grid; its row is in the message.
    """
    indptr = np.array([0, len(times)]) if indptr is None else indptr
    rows = row_numbers(indptr)
    if frequency.alias == "B":
        _require_weekdays(times, rows, closed=frequency.open_days is None)
        return rows
    firsts = times[np.arange(len(times)) - rows]
    positions = steps_between(firsts, times, frequency)
    _require_dense(times, positions, indptr, frequency)
    off = np.asarray(frequency.moved(firsts, positions) != frequency.snapped(times))
    off |= (np.diff(positions, prepend=-1) < 1) & (rows > 0)
    if off.any():
        row = int(np.argmax(off))
        raise DataError(
            f"{when(times[row])} does not fit the frequency {frequency.name} from "
            f"{when(firsts[row])} on.",
            "Specify the frequency of the table with `freq`, or pass `time=none` to use rows as "
            "steps.",
        )
    return positions


def _require_dense(
    times: pd.DatetimeIndex, positions: Ints, indptr: Ints, frequency: Frequency
) -> None:
    """Refuse a frequency in whose steps, `positions`, a series would consist mostly of gaps."""
    lengths = np.diff(indptr)
    last = positions[indptr[1:] - 1]
    for series in np.flatnonzero(last >= MOST_STEPS * lengths)[:1]:
        own = times[indptr[series] : indptr[series + 1]]
        fits = f", e.g. `freq={likely_frequency(own).alias}`" if len(own) > 2 else ""
        raise DataError(
            f"With frequency {frequency.name} the {len(own)} rows from {when(own[0])} on would be "
            f"{last[series] + 1:,}.",
            f"Specify a frequency that fits the table{fits}.",
        )


def steps_between(firsts: pd.DatetimeIndex, times: pd.DatetimeIndex, frequency: Frequency) -> Ints:
    """Return the number of steps from each first time to its time, shape `(n,)`, rounded."""
    wall, begin = times.tz_localize(None), firsts.tz_localize(None)
    if frequency.listed:
        return listed_steps.between(frequency.alias, frequency.day, begin, wall)
    if frequency.months:
        months = (wall.year - begin.year) * 12 + wall.month - begin.month
        return np.asarray(months // frequency.months, dtype=np.int64)
    if frequency.open_days and frequency.hours:
        places, _ = positions(frequency.open_days, pd.DatetimeIndex(begin.append(wall)))
        return places[len(begin) :] - places[: len(begin)]
    if frequency.alias == "B":
        return np.asarray(frequency.open_days_between(begin, wall))
    step = frequency.step or DAY
    gaps = times - firsts if step < DAY else wall - begin
    return np.asarray(np.rint(gaps / step), dtype=np.int64)


def _require_weekdays(times: pd.DatetimeIndex, rows: Ints, *, closed: bool) -> None:
    """Refuse a second row on a day, and rows on weekends where those are closed.

    `rows`, shape `(n,)`, are the numbers of the times in their series.
    """
    wall = times.tz_localize(None)
    weekend = np.asarray(wall.day_of_week >= 5) & closed
    again = np.diff(local_days(times), prepend=np.datetime64("NaT", "D")) == np.timedelta64(0, "D")
    again &= rows > 0
    for wrong, what in ((weekend, "is a {day}"), (again, "is a second row for that day")):
        if wrong.any():
            first = times[int(np.argmax(wrong))]
            raise DataError(
                f"{when(first)} {what.format(day=first.day_name())}; business days were expected.",
                "Drop such rows, or pass `freq=D`.",
            )
