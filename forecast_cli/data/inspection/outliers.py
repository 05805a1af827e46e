"""Empty and constant series, outliers, and shifts of level near the end of a series.

The thresholds are high: warnings that are mostly wrong would be ignored. Rows are those of the
whole panel, all series end to end; infinite values count as missing.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...core.errors import counted
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

# An outlier is so many MADs further from the median than its neighbours, and so many times as far
# as any value that is none: with heavy tails 12 MADs alone are not extreme.
MADS, APART = 12.0, 4.0
# At most one value in so many is an outlier; more of them are typical of the series.
RARE = 50

# Numbers that stand for a missing value in tables of measurements, and how many times the range of
# all others they are away from them.
MARKERS, FAR = (
    99.0, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0, 9999.9, 99999.0,
    31999.0, 32767.0, 32768.0, 65535.0,
), 3.0  # fmt: skip


# So many equal values at the end are unusual where the longest run before, and the table, are so
# many times shorter and longer.
FEWEST_ZEROS, FEWEST_EQUAL, RUN_SHARE = 3, 10, 3
# Columns of fewer values are flags and grades.
FEWEST_KINDS = 5


def missing_markers(values: Floats) -> list[tuple[int, float, int]]:
    """Return the numbers that probably stand for missing values: column, number and count of each.

    `values` has the shape `(n_rows, columns)`.

    >>> missing_markers(np.array([[7.5, 0.0], [-999.0, 999.0], [8.0, 700.0], [7.0, 200.0]]))
    [(0, -999.0, 1)]
    """
    found = []
    for column, cells in enumerate(finite(values).T):
        for marker in np.unique(cells[np.isin(np.abs(cells), MARKERS)]).tolist():
            others = cells[~np.isnan(cells) & (np.abs(cells) != abs(marker))]
            if len(others) and np.abs(others - marker).min() > FAR * np.ptp(others):
                found.append((column, marker, int(np.sum(cells == marker))))
    return found


def ending_runs(values: Floats, indptr: Ints) -> list[tuple[int, float, int]]:
    """Return columns that end with one repeated value unlike all before: column, value and count.

    Such as steps to come that hold 0, or a meter that stopped. Of several series it is usual.
    Arguments as of `outliers`.
    """
    found = []
    for column, cells in enumerate(finite(values).T if len(indptr) == 2 else ()):
        if not len(cells) or np.isnan(cells[-1]) or len(np.unique(cells)) < FEWEST_KINDS:
            continue
        breaks = np.flatnonzero(cells[1:] != cells[:-1]) + 1
        runs = np.diff(breaks, prepend=0, append=len(cells))
        count, longest = int(runs[-1]), int(runs[:-1].max(initial=0))
        zeros = cells[-1] == 0 and count >= FEWEST_ZEROS and not (cells[:-count] == 0).any()
        if RUN_SHARE * count < len(cells) and (
            zeros or (count >= FEWEST_EQUAL and RUN_SHARE * longest <= count)
        ):
            found.append((column, float(cells[-1]), count))
    return found


def describe_stand_ins(names: Sequence[str], values: Floats, indptr: Ints) -> Iterator[str]:
    """Yield warnings of numbers that stand for missing values, and of repeated ones at the end.

    `names` are those of the columns; other arguments as of `outliers`.
    """
    for column, marker, count in missing_markers(values):
        yield (
            f'"{names[column]}" is {marker:g} in {counted(count, "row")}, far from all other '
            f"values: if it stands for a missing value, pass `na={marker:g}` and "
            "`missing=interpolate`"
        )
    for column, value, count in ending_runs(values, indptr):
        yield (
            f'the last {count:,} values of "{names[column]}" are {value:g}, as no others before: '
            "remove those rows where they are still to come, or were not measured"
        )


def empty_series(values: Floats, indptr: Ints) -> Flags:
    """Return which series have no value, `(n_series, columns)`; arguments as of `outliers`."""
    return np.isnan(reduced(np.fmin, finite(values), indptr))


def constant_series(values: Floats, indptr: Ints) -> Flags:
    """Return which series have one distinct value, except missing ones; not the empty series.

    Arguments as of `outliers`; shape `(n_series, columns)`.

    >>> constant_series(np.array([[1.0], [np.nan], [1.0], [1.0], [2.0]]), np.array([0, 3, 5]))
    array([[ True],
           [False]])
    """
    known = finite(values)
    same: Flags = reduced(np.fmin, known, indptr) == reduced(np.fmax, known, indptr)
    return same


def outliers(values: Floats, indptr: Ints, *, season_length: int) -> Ints:
    """Find single values far outside the range of their series.

    The score is how much further a value is from the rolling median, on the same side, than its
    neighbours and the same phase of the neighbouring seasons.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        season_length: Steps in a season, 1 where there is none.

    Returns:
        Shape `(k, 2)`, rows and columns, in the order of the table.
    """
    rows = [_outlying(column, indptr, season_length) for column in finite(values).T]
    columns = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    found = np.column_stack([np.concatenate([np.empty(0, np.intp), *rows]), columns])
    return np.asarray(found[np.lexsort(found.T[::-1])])


def _outlying(column: Floats, indptr: Ints, season_length: int) -> Ints:
    """Return the rows of the outliers of one column, shape `(n_rows,)`."""
    deviation, swing = _deviation(column, indptr, season_length)
    beside = _beside(deviation, indptr, season_length)
    series = owners(indptr)
    score = (np.abs(deviation) - beside) / _scale(deviation, column, indptr)[series]
    # A phase with large deviations, such as the hour of the peak, may have larger ones.
    alone = np.abs(deviation) >= np.maximum(APART * beside, swing / 2)
    suspects = np.unique(series[alone & (score >= MADS)])
    found = [indptr[i] + _apart(score[indptr[i] : indptr[i + 1]]) for i in suspects]
    rows: Ints = np.concatenate([np.empty(0, np.intp), *found])
    return np.asarray(rows[alone[rows]])


def _deviation(column: Floats, indptr: Ints, season_length: int) -> tuple[Floats, Floats]:
    """Return the deviation from median and season, and the size of the season, `(n_rows,)`."""
    lengths = np.diff(indptr)
    half = min(max(2, season_length // 2), int(lengths.max(initial=2)))
    deviation = column - _level(column, indptr, np.arange(-half, half + 1))
    if season_length == 1:
        return deviation, np.zeros_like(deviation)
    # The same phase of the nearest seasons; a median of fewer than three values is not robust.
    seasons = season_length * np.arange(-3, 4)
    typical = medians_around(deviation, indptr, np.arange(len(column)), seasons, fewest=3)
    typical = np.where((lengths >= 3 * season_length)[owners(indptr)], typical, 0.0)
    return deviation - typical, np.abs(typical)


def _level(column: Floats, indptr: Ints, offsets: Ints) -> Floats:
    """Return the rolling median of the known values at the offsets from each row, `(n_rows,)`."""
    rows = np.arange(len(column))
    starts, stops = bounds(indptr)
    # A level hardly changes within an eighth of the window: medians there, lines between.
    grid = rows[((rows - starts) % max(1, len(offsets) // 8) == 0) | (rows == stops - 1)]
    medians = medians_around(column, indptr, grid, offsets)
    return np.interp(rows, grid, medians) if len(grid) else column


def _scale(deviation: Floats, column: Floats, indptr: Ints) -> Floats:
    """Return the MAD of the deviations, shape `(n_series,)`; NaN of too few."""
    mad = take_medians(np.abs(deviation), indptr)
    # Where most rows do not deviate, as in sales that are mostly zero, the median of the values
    # other than zero is used.
    size = take_medians(np.where(column == 0, np.nan, np.abs(column)), indptr)
    known = count_known(deviation, indptr)
    return np.where(known < FEWEST, np.nan, np.where(mad > ROUNDING * size, mad, size))


def _beside(deviation: Floats, indptr: Ints, season_length: int) -> Floats:
    """Return the largest deviation of a row's neighbours to the same side, shape `(n_rows,)`."""
    side, beside = np.sign(deviation), np.zeros_like(deviation)
    season = range(season_length - 1, season_length + 2) if season_length > 1 else ()
    for lag in {1, *season}:
        for offset in (-lag, lag):
            np.fmax(beside, side * shifted(deviation, indptr, offset), out=beside)
    return beside


def _apart(score: Floats) -> Ints:
    """Return the rows of a series whose scores, shape `(rows,)`, are far above all others."""
    most = max(1, int(np.count_nonzero(~np.isnan(score))) // RARE)
    order: Ints = np.argsort(-np.nan_to_num(score))[: most + 1]
    ranked = np.nan_to_num(score[order])
    gaps = np.flatnonzero((ranked[:-1] >= MADS) & (ranked[:-1] >= APART * ranked[1:]))
    return order[: gaps[-1] + 1] if len(gaps) else order[:0]


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
    return part * whole >= SHARE * whole**2


def _late(indptr: Ints) -> Flags:
    """Return which rows are in the last quarter of their series, shape `(n_rows,)`."""
    starts, stops = bounds(indptr)
    return np.arange(len(starts)) >= stops - (stops - starts) // 4


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
