"""The positions of times on the regular grid of their series."""

import numpy as np
import pandas as pd

from ...core.errors import DataError
from ...core.ragged import row_numbers
from ...core.windows import Ints
from . import listed_steps
from .frequency import DAY, Frequency, local_days
from .opening_hours import positions
from .time_index import likely_frequency, when

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
    """Refuse a frequency in whose steps a series would consist mostly of gaps.

    Args:
        times: Shape `(n,)`.
        positions: Shape `(n,)`, steps.
        indptr: Shape `(n_series + 1,)`.
        frequency: The step.
    """
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

    Args:
        times: Shape `(n,)`.
        rows: Shape `(n,)`: the number of each in its series.
        closed: Whether weekends are closed.
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
