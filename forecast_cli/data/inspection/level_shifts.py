"""Sudden shifts of level near the end of a series, after which earlier rows are misleading."""

from typing import NamedTuple

import numpy as np

from ...core.ragged import (
    FEWEST,
    ROUNDING,
    SIGMA,
    Flags,
    bounds,
    count_known,
    finite,
    medians_across,
    medians_around,
    owners,
    reduced,
    shifted,
    take_medians,
)
from ...core.windows import Floats, Ints

# A level shift is so many spreads, its step so many times as steep as any before the last quarter,
# and at least this share of it comes at once and lasts.
SPREADS, STEEPER, SHARE = 7.0, 2.0, 0.5
# The fewest rows that make a level, and how many on either side make a step.
LEVEL_ROWS, STEP_ROWS = 8, 3


class Shift(NamedTuple):
    """A sudden change of level: the first row of the new level, and by how much in its units."""

    series: int
    column: int
    row: int
    size: float


def level_shift(values: Floats, indptr: Ints, *, season_length: int) -> list[Shift]:
    """Find sudden changes of level in the last quarter of a series that last until its end.

    Each value is compared with the one whole seasons earlier (at least eight rows), which removes
    season and trend. The unit is the robust spread of these differences, which for a random walk
    includes its variation in that time.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        season_length: Steps in a season, 1 where there is none.

    Returns:
        At most one, the steepest, for each series and column.
    """
    span = season_length * -(-LEVEL_ROWS // season_length)
    columns = enumerate(finite(values).T)
    return sorted(
        each for place, column in columns for each in _shifts(column, indptr, place, span)
    )


def _shifts(column: Floats, indptr: Ints, place: int, span: int) -> list[Shift]:
    """Find the level shifts of one column, shape `(n_rows,)`, by differences of `span` rows."""
    series = owners(indptr)
    change = column - shifted(column, indptr, -span)
    before = np.where(_late(indptr), np.nan, change)
    typical = take_medians(before, indptr)
    spread = SIGMA * take_medians(np.abs(before - typical[series]), indptr)
    spread = np.maximum(spread, ROUNDING * take_medians(np.abs(column), indptr))
    spread[count_known(before, indptr) < FEWEST] = np.nan
    rows, step, single = _steepest(column, indptr, spread, span)
    own = series[rows]
    size = medians_around(change, indptr, rows, np.arange(span)) - typical[own]
    later = medians_around(change, indptr, rows, np.arange(span // 2, span)) - typical[own]
    lasting = _lasting(column, indptr, rows, typical[own], span)
    # A new trend continues after its first step, and a bump returns to the old level.
    clear = _covers(step, size) & _covers(step, later) & _covers(lasting, size)
    clear &= np.isnan(single) | _covers(single, size)
    clear &= np.abs(size) > SPREADS * spread[own]
    found = zip(own[clear].tolist(), rows[clear].tolist(), size[clear].tolist(), strict=True)
    return [Shift(i, place, row, much) for i, row, much in found]


def _covers(part: Floats, whole: Floats) -> Flags:
    """Return whether each part is large enough a share of its whole, of any shape."""
    enough: Flags = part * whole >= SHARE * whole**2
    return enough


def _late(indptr: Ints) -> Flags:
    """Return which rows are in the last quarter of their series, shape `(n_rows,)`."""
    starts, stops = bounds(indptr)
    late: Flags = np.arange(len(starts)) >= stops - (stops - starts) // 4
    return late


def _steepest(
    column: Floats, indptr: Ints, spread: Floats, span: int
) -> tuple[Ints, Floats, Floats]:
    """Return the row of the steepest step of each last quarter with one steeper than any before.

    `spread` has the shape `(n_series,)`. Of shape `(k,)` each: rows, and the steps into them as in
    `_steps`.
    """
    series, (_, stops), late = owners(indptr), bounds(indptr), _late(indptr)
    step, single = _steps(column, indptr, span)
    earlier = reduced(np.fmax, np.where(late, np.nan, np.abs(step))[:, None], indptr)[:, 0]
    least = np.maximum(STEEPER * earlier, SHARE * SPREADS * spread)[series]
    soon = np.arange(len(column)) <= stops - span
    rows = np.flatnonzero(late & soon & (np.abs(step) > least))
    # Medians differ as much a row early or late: the single step shows which row it is.
    rows = rows[np.lexsort((np.abs(step + np.nan_to_num(single))[rows], series[rows]))]
    last = np.diff(series[rows], append=-1) != 0
    rows = rows[last]
    return rows, step[rows], single[rows]


def _steps(column: Floats, indptr: Ints, span: int) -> tuple[Floats, Floats]:
    """Return the step into each row, `(n_rows,)`, by medians of few rows and by the row before."""
    rows = np.arange(len(column))
    smooth, single = [], []
    for lag in (span, 2 * span):
        change = column - shifted(column, indptr, -lag)
        middle = medians_around(change, indptr, rows, np.arange(STEP_ROWS))
        smooth.append(middle - shifted(middle, indptr, -STEP_ROWS))
        single.append(change - shifted(change, indptr, -1))
    # A step up looks like a step down one lag later, but not with both lags.
    return _agreed(*smooth), _agreed(*single)


def _agreed(one: Floats, other: Floats) -> Floats:
    """Return the smaller of two steps, `(n_rows,)`, of one sign, or the known one; 0 otherwise."""
    smaller = np.where(np.isnan(one) | (np.abs(other) < np.abs(one)), other, one)
    return np.where(one * other < 0, 0.0, smaller)


def _lasting(column: Floats, indptr: Ints, rows: Ints, typical: Floats, span: int) -> Floats:
    """Return how much higher the last `span` rows are than those before each row, detrended.

    `typical` is the median change of `span` rows in the series of each of the `rows`; both have
    the shape `(k,)`, and so has what is returned.
    """
    starts, stops = (bound[rows] for bound in bounds(indptr))
    # Whole spans back, so that the same phases of the season are compared.
    spans = -(-(stops - rows) // span)
    last = stops[:, None] - span + np.arange(span)
    back = last - (spans * span)[:, None]
    higher = np.where(back >= starts[:, None], column[last] - column[back], np.nan)
    return medians_across(higher) - spans * typical
