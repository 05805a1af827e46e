"""Dates that stand out of order in a table, as where a year or a month is mistyped."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ...core.errors import DataError, counted
from ...core.ragged import cumulate
from ...core.windows import Ints
from ..io.tables import Table
from .frequency import Frequency
from .grid import steps_between
from .time_index import likely_frequency, steps_broken, when

# A series in which time goes back more often, or in a larger share of its steps, is not sorted.
MOST, MOST_SHARE = 20, 0.05
# The rows with a mistyped date are at most this share of a series, and at most the other where they
# begin with its first date.
MOST_MISTYPED, FEW_MISTYPED = 0.5, 0.1
# After a mistyped year the next date may be some steps later than expected.
NEAR = 4


def check_mistyped(table: Table, times: pd.DatetimeIndex, codes: Ints) -> None:
    """Refuse dates that break the order of the table, and that fit it in another year or month.

    They do where the series has fewer gaps and repeated times with the date that was expected.
    `times` and the series of each, `codes`, have the shape `(rows,)`, in the order of the table.

    Raises:
        DataError: There are such dates; the message names the first rows.
    """
    order = np.argsort(codes, kind="stable")
    indptr = cumulate(np.bincount(codes))
    back, on = (
        np.bincount(codes[order][1:], (np.diff(codes[order]) == 0) & steps, len(indptr) - 1)
        for steps in (np.diff(times.asi8[order]) < 0, np.diff(times.asi8[order]) > 0)
    )
    against = np.minimum(back, on)
    most = np.clip(MOST_SHARE * (back + on), 1, MOST)
    for series in np.flatnonzero((against > 0) & (against <= most)):
        rows = order[indptr[series] : indptr[series + 1]]
        _check_series(table, times, rows[::-1] if back[series] > on[series] else rows)


def _check_series(table: Table, times: pd.DatetimeIndex, rows: Ints) -> None:
    """Check a series: the given rows, `(n,)`, the oldest first, of the times, `(rows,)`."""
    own = times[rows]
    distinct = own.unique().sort_values()
    if len(distinct) < 4:
        return
    frequency = likely_frequency(distinct)
    for first, last, expected in _out_of_order(own, frequency):
        mended = pd.DatetimeIndex(own[:first].append(expected).append(own[last:]))
        if _defects(mended, frequency) >= _defects(own, frequency):
            continue
        place = table.place(int(min(rows[first:last])))
        if last - first > 1:
            place += f" and {counted(last - first - 1, 'row')} after it"
        raise DataError(
            f"{place}: {when(own[first])} stands after {when(own[first - 1])} in the table, where "
            f"{when(expected[0])} was expected; the date may be mistyped.",
            "Correct it; if it is right, sort the rows of the table by time.",
        )


def _out_of_order(
    own: pd.DatetimeIndex, frequency: Frequency
) -> Iterator[tuple[int, int, pd.DatetimeIndex]]:
    """Yield the first row of each run of dates that break the order, the row after it, and dates.

    Those are the dates that would fit, shape `(last - first,)`: of the steps between the rows
    around them, or the same days in another year. `own`, `(n,)`, is in the order of the table.
    """
    breaks = np.flatnonzero(steps_broken(own, frequency)) + 1
    for first, last in zip(breaks.tolist(), [*breaks[1:].tolist(), len(own)], strict=True):
        count = last - first
        goes_back = own[first] < own[first - 1] or (last < len(own) and own[last] < own[last - 1])
        # Where the rows of another series follow, time begins anew.
        anew = own[first] == own[0] and count > FEW_MISTYPED * len(own)
        if not goes_back or anew or count > MOST_MISTYPED * len(own):
            continue
        before = own[first - 1]
        steps = frequency.after(before, count + 1)
        if last < len(own) and own[last] == steps[-1]:
            yield first, last, steps[:-1]
            continue
        shift = pd.DateOffset(years=steps[0].year - own[first].year)
        moved = pd.DatetimeIndex([time + shift for time in own[first:last]])
        latest = frequency.after(before, NEAR)[-1]
        ends = last == len(own) or moved[-1] < own[last]
        if before < moved[0] <= latest and ends:
            yield first, last, moved


def _defects(own: pd.DatetimeIndex, frequency: Frequency) -> int:
    """Return how many steps have no row, and how many rows share one; `own` has shape `(n,)`."""
    distinct = own.unique().sort_values()
    span = int(steps_between(distinct[:1], distinct[-1:], frequency)[0]) + 1
    return span - len(distinct) + len(own) - len(distinct)
