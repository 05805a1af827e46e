"""What looks wrong in a panel: empty and constant series, outliers, level shifts, leaks.

All of it errs on the quiet side: a warning that is wrong most of the time is soon read by nobody.
Rows are those of the whole panel, all series end to end; infinite values count as missing.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .windows import Floats, Ints

Flags = npt.NDArray[np.bool_]

# The fewest known values of a series, or pairs of values, that anything is concluded from.
FEWEST = 20
# An outlier is so many MADs further out than its neighbours, and so many times as far as whatever
# is none: 12 MADs alone are nothing out of the ordinary where tails are heavy.
MADS, APART = 12.0, 4.0
# At most one value in so many is an outlier; more of them are how the series is.
RARE = 50
# The standard deviation of normal noise in MADs, and the share of a value below which it is only
# rounding.
SIGMA, ROUNDING = 1.4826, 1e-9
# A level shift is so many spreads, its step so many times as steep as any before the last quarter,
# and at least this share of it comes at once and lasts.
SPREADS, STEEPER, SHARE = 7.0, 2.0, 0.5
# The fewest rows that make a level, and how many on either side make a step.
LEVEL_ROWS, STEP_ROWS = 8, 3
# A copy: the least correlation of its values and of their differences, or the least share of
# equal values; and the least share of the target's rows where it is known.
ALIKE, ALIKE_STEPS, EQUAL, KNOWN = 0.9999, 0.999, 0.99, 0.9
# What is less like the target than this in a sample is not looked at in full; the sample's values.
PROMISING, SAMPLE = 0.98, 250_000
# How many values are sorted at once, so that memory does not grow with the windows.
CELLS = 4_000_000


class Shift(NamedTuple):
    """A sudden change of level: the first row of the new level, and by how much in its units."""

    series: int
    column: int
    row: int
    size: float


def empty_series(values: Floats, indptr: Ints) -> Flags:
    """Which series have no value at all.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.

    Returns:
        Shape `(n_series, columns)`.
    """
    return np.isnan(_reduced(np.fmin, _finite(values), indptr))


def constant_series(values: Floats, indptr: Ints) -> Flags:
    """Which series have one value only, missing ones aside; an empty series is not constant.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.

    Returns:
        Shape `(n_series, columns)`.

    >>> constant_series(np.array([[1.0], [np.nan], [1.0], [1.0], [2.0]]), np.array([0, 3, 5]))
    array([[ True],
           [False]])
    """
    finite = _finite(values)
    same: Flags = _reduced(np.fmin, finite, indptr) == _reduced(np.fmax, finite, indptr)
    return same


def outliers(values: Floats, indptr: Ints, *, season_length: int) -> Ints:
    """Single values that stick out of their series.

    What counts is how much further a value lies from the rolling median, on the same side, than
    the rows beside it and the same phase of the seasons beside it.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        season_length: Steps in a season, 1 where there is none.

    Returns:
        Shape `(k, 2)`, rows and columns, in the order of the table.
    """
    rows = [_outlying(column, indptr, season_length) for column in _finite(values).T]
    columns = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    found = np.column_stack([np.concatenate([np.empty(0, np.intp), *rows]), columns])
    return np.asarray(found[np.lexsort(found.T[::-1])])


def _outlying(column: Floats, indptr: Ints, season_length: int) -> Ints:
    """The rows of the outliers of one column."""
    deviation, swing = _deviation(column, indptr, season_length)
    beside = _beside(deviation, indptr, season_length)
    series = _series(indptr)
    score = (np.abs(deviation) - beside) / _scale(deviation, column, indptr)[series]
    # A phase that always swings far, such as the hour of the peak, may swing further.
    alone = np.abs(deviation) >= np.maximum(APART * beside, swing / 2)
    suspects = np.unique(series[alone & (score >= MADS)])
    found = [indptr[i] + _apart(score[indptr[i] : indptr[i + 1]]) for i in suspects]
    rows: Ints = np.concatenate([np.empty(0, np.intp), *found])
    return np.asarray(rows[alone[rows]])


def _deviation(column: Floats, indptr: Ints, season_length: int) -> tuple[Floats, Floats]:
    """How far each value is from the rolling median and its season, and how far that swings."""
    lengths = np.diff(indptr)
    half = min(max(2, season_length // 2), int(lengths.max(initial=2)))
    deviation = column - _level(column, indptr, np.arange(-half, half + 1))
    if season_length == 1:
        return deviation, np.zeros_like(deviation)
    # The same phase of the seasons around; of fewer than three values, a median is not robust.
    seasons = season_length * np.arange(-3, 4)
    usual = _medians_around(deviation, indptr, np.arange(len(column)), seasons, fewest=3)
    usual = np.where((lengths >= 3 * season_length)[_series(indptr)], usual, 0.0)
    return deviation - usual, np.abs(usual)


def _level(column: Floats, indptr: Ints, offsets: Ints) -> Floats:
    """The rolling median of the known values at the offsets from each row."""
    rows = np.arange(len(column))
    starts, stops = _bounds(indptr)
    # A level hardly moves within an eighth of the window: medians there, and lines between.
    grid = rows[((rows - starts) % max(1, len(offsets) // 8) == 0) | (rows == stops - 1)]
    medians = _medians_around(column, indptr, grid, offsets)
    return np.interp(rows, grid, medians) if len(grid) else column


def _scale(deviation: Floats, column: Floats, indptr: Ints) -> Floats:
    """The MAD of the deviations, by series; NaN where nothing can be said."""
    mad = _medians(np.abs(deviation), indptr)
    # Where most rows do not deviate, as in sales that are mostly zero, the usual size of what
    # is not zero stands in.
    size = _medians(np.where(column == 0, np.nan, np.abs(column)), indptr)
    known = _counts(deviation, indptr)
    return np.where(known < FEWEST, np.nan, np.where(mad > ROUNDING * size, mad, size))


def _beside(deviation: Floats, indptr: Ints, season_length: int) -> Floats:
    """The furthest that the rows beside each row and a season away deviate to the same side."""
    side, beside = np.sign(deviation), np.zeros_like(deviation)
    season = range(season_length - 1, season_length + 2) if season_length > 1 else ()
    for lag in {1, *season}:
        for offset in (-lag, lag):
            np.fmax(beside, side * _shifted(deviation, indptr, offset), out=beside)
    return beside


def _apart(score: Floats) -> Ints:
    """The rows of a series whose scores lie far above all the others."""
    most = max(1, int(np.count_nonzero(~np.isnan(score))) // RARE)
    order: Ints = np.argsort(-np.nan_to_num(score))[: most + 1]
    ranked = np.nan_to_num(score[order])
    gaps = np.flatnonzero((ranked[:-1] >= MADS) & (ranked[:-1] >= APART * ranked[1:]))
    return order[: gaps[-1] + 1] if len(gaps) else order[:0]


def level_shift(values: Floats, indptr: Ints, *, season_length: int) -> list[Shift]:
    """Sudden changes of level in the last quarter of a series that last until its end.

    Each value is compared with the one whole seasons earlier (at least eight rows), so that season
    and trend drop out. The unit is the robust spread of these differences, which for a random walk
    holds all that it wanders in that time.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        season_length: Steps in a season, 1 where there is none.

    Returns:
        At most one, the steepest, for each series and column.
    """
    span = season_length * -(-LEVEL_ROWS // season_length)
    columns = enumerate(_finite(values).T)
    return sorted(
        each for place, column in columns for each in _shifts(column, indptr, place, span)
    )


def _shifts(column: Floats, indptr: Ints, place: int, span: int) -> list[Shift]:
    """The level shifts of one column, the one at `place`, by the differences of `span` rows."""
    series = _series(indptr)
    change = column - _shifted(column, indptr, -span)
    before = np.where(_late(indptr), np.nan, change)
    usual = _medians(before, indptr)
    spread = SIGMA * _medians(np.abs(before - usual[series]), indptr)
    spread = np.maximum(spread, ROUNDING * _medians(np.abs(column), indptr))
    spread[_counts(before, indptr) < FEWEST] = np.nan
    rows, step, single = _steepest(column, indptr, spread, span)
    own = series[rows]
    size = _medians_around(change, indptr, rows, np.arange(span)) - usual[own]
    later = _medians_around(change, indptr, rows, np.arange(span // 2, span)) - usual[own]
    lasting = _lasting(column, indptr, rows, usual[own], span)
    # A trend that sets in goes on after its first step, and what was a bump goes back.
    clear = _covers(step, size) & _covers(step, later) & _covers(lasting, size)
    clear &= np.isnan(single) | _covers(single, size)
    clear &= np.abs(size) > SPREADS * spread[own]
    found = zip(own[clear].tolist(), rows[clear].tolist(), size[clear].tolist(), strict=True)
    return [Shift(i, place, row, much) for i, row, much in found]


def _covers(part: Floats, whole: Floats) -> Flags:
    """Whether a part is large enough a share of the whole, and of the same sign."""
    enough: Flags = part * whole >= SHARE * whole**2
    return enough


def _late(indptr: Ints) -> Flags:
    """Which rows are in the last quarter of their series, shape `(n_rows,)`."""
    starts, stops = _bounds(indptr)
    late: Flags = np.arange(len(starts)) >= stops - (stops - starts) // 4
    return late


def _steepest(
    column: Floats, indptr: Ints, spread: Floats, span: int
) -> tuple[Ints, Floats, Floats]:
    """The row of the steepest step of each late part that has one steeper than any before.

    Returns:
        Shape `(k,)` each: rows, and the steps into them as `_steps` has them.
    """
    series, (_, stops), late = _series(indptr), _bounds(indptr), _late(indptr)
    step, single = _steps(column, indptr, span)
    earlier = _reduced(np.fmax, np.where(late, np.nan, np.abs(step))[:, None], indptr)[:, 0]
    least = np.maximum(STEEPER * earlier, SHARE * SPREADS * spread)[series]
    soon = np.arange(len(column)) <= stops - span
    rows = np.flatnonzero(late & soon & (np.abs(step) > least))
    # Medians are as far apart a row early or late: the single step says which it is.
    rows = rows[np.lexsort((np.abs(step + np.nan_to_num(single))[rows], series[rows]))]
    last = np.diff(series[rows], append=-1) != 0
    rows = rows[last]
    return rows, step[rows], single[rows]


def _steps(column: Floats, indptr: Ints, span: int) -> tuple[Floats, Floats]:
    """The step into each row, from medians of a few rows and from the row before, `(n_rows,)`."""
    rows = np.arange(len(column))
    smooth, single = [], []
    for lag in (span, 2 * span):
        change = column - _shifted(column, indptr, -lag)
        middle = _medians_around(change, indptr, rows, np.arange(STEP_ROWS))
        smooth.append(middle - _shifted(middle, indptr, -STEP_ROWS))
        single.append(change - _shifted(change, indptr, -1))
    # A step up looks like a step down one lag later, but not with both lags.
    return _agreed(*smooth), _agreed(*single)


def _agreed(one: Floats, other: Floats) -> Floats:
    """The smaller of two steps that go the same way, or the one that is known; 0 of others."""
    smaller = np.where(np.isnan(one) | (np.abs(other) < np.abs(one)), other, one)
    return np.where(one * other < 0, 0.0, smaller)


def _lasting(column: Floats, indptr: Ints, rows: Ints, usual: Floats, span: int) -> Floats:
    """How much higher the last `span` rows are than those before each row, but for the trend."""
    starts, stops = (bound[rows] for bound in _bounds(indptr))
    # Whole spans back, so that the same phases of the season are compared.
    spans = -(-(stops - rows) // span)
    last = stops[:, None] - span + np.arange(span)
    back = last - (spans * span)[:, None]
    higher = np.where(back >= starts[:, None], column[last] - column[back], np.nan)
    return _medians_across(higher) - spans * usual


def copies_of_target(
    values: Floats, indptr: Ints, target: int, *, most_lead: int
) -> list[tuple[int, int]]:
    """Columns that hold the target or its future, as it is or but for scale and offset.

    The differences between rows must agree too: the values of a slow series are always close to
    its own future. A column that is closest to the target's past is no leak.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        target: The column that is forecast.
        most_lead: The furthest future that is looked for, in steps.

    Returns:
        Columns and leads: what the column holds is the target so many steps later.
    """
    finite = _finite(values)
    wanted = finite[:, target]
    rows = _moving(wanted, indptr, SAMPLE // (most_lead + 3))
    copies = []
    for place in range(values.shape[1]):
        column = finite[:, place]
        lead = -1 if place == target else _likeliest(column, wanted, indptr, rows, most_lead)
        if lead >= 0 and _is_copy(column, wanted, indptr, lead):
            copies.append((place, lead))
    return copies


def _moving(target: Floats, indptr: Ints, most: int) -> Ints:
    """Rows where the target is not what it was before, some of them where there are many."""
    step = target - _shifted(target, indptr, -1)
    rows = np.flatnonzero(~np.isnan(step) & (step != 0))
    drawn = np.random.default_rng(0).choice(rows, max(most, FEWEST)) if len(rows) > most else rows
    return np.sort(drawn)


def _likeliest(column: Floats, target: Floats, indptr: Ints, rows: Ints, most_lead: int) -> int:
    """The lead at which a column is most like the target in some rows; -1 where it is not."""
    leads = np.arange(-1, most_lead + 2)
    starts, stops = (bound[rows, None] for bound in _bounds(indptr))
    places = rows[:, None] - leads
    inside = (places >= starts) & (places < stops)
    held = np.where(inside, column[np.clip(places, 0, len(column) - 1)], np.nan)
    steps = np.abs(_correlations(held[:, :-1] - held[:, 1:], target[rows] - target[rows - 1]))
    likeness = np.fmax(steps, _equal_share(held[:, :-1], target[rows]))
    best = int(np.argmax(likeness))
    return int(leads[best]) if likeness[best] >= PROMISING else -1


def _is_copy(column: Floats, target: Floats, indptr: Ints, lead: int) -> bool:
    """Whether a column is the target `lead` steps later over nearly all rows."""
    starts, _ = _bounds(indptr)
    held = _shifted(column, indptr, -lead)
    wanted = ~np.isnan(target) & (np.arange(len(target)) - starts >= lead)
    if np.count_nonzero(wanted & ~np.isnan(held)) < KNOWN * np.count_nonzero(wanted):
        return False
    held_step, step = (each - _shifted(each, indptr, -1) for each in (held, target))
    moving = step != 0
    if (
        min(_equal_share(held[:, None], target), _equal_share(held[moving, None], target[moving]))
        >= EQUAL
    ):
        return True
    alike = np.abs(_correlations(held[:, None], target)) >= ALIKE
    return bool(alike & (np.abs(_correlations(held_step[:, None], step)) >= ALIKE_STEPS))


def _equal_share(columns: Floats, target: Floats) -> Floats:
    """The share of the pairs of known values that are equal, shape `(columns,)`; 0 of too few."""
    known = ~np.isnan(columns) & ~np.isnan(target)[:, None]
    pairs = np.count_nonzero(known, axis=0)
    equal = np.count_nonzero(columns == target[:, None], axis=0)
    return np.where(pairs >= FEWEST, equal / np.maximum(pairs, 1), 0.0)


def _correlations(columns: Floats, target: Floats) -> Floats:
    """Of each column with the target over their known pairs, shape `(columns,)`; 0 of too few."""
    known = ~np.isnan(columns) & ~np.isnan(target)[:, None]
    pairs = np.count_nonzero(known, axis=0)
    x, y = (np.where(known, each, 0.0) for each in (columns, target[:, None]))
    x, y = (np.where(known, each - each.sum(axis=0) / np.maximum(pairs, 1), 0.0) for each in (x, y))
    scale = np.sqrt(np.sum(x**2, axis=0) * np.sum(y**2, axis=0))
    usable = (pairs >= FEWEST) & (scale > 0)
    products = np.sum(x * y, axis=0)
    return np.asarray(np.divide(products, scale, out=np.zeros_like(scale), where=usable))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _series(indptr: Ints) -> Ints:
    """The series of each row, shape `(n_rows,)`."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _bounds(indptr: Ints) -> tuple[Ints, Ints]:
    """The first row of the series of each row, and the row after its last, `(n_rows,)` each."""
    lengths = np.diff(indptr)
    return np.repeat(indptr[:-1], lengths), np.repeat(indptr[1:], lengths)


def _shifted(column: Floats, indptr: Ints, offset: int) -> Floats:
    """The values `offset` rows on, shape `(n_rows,)`; NaN beyond the ends of the series."""
    starts, stops = _bounds(indptr)
    rows = np.arange(len(column)) + offset
    inside = (rows >= starts) & (rows < stops)
    return np.where(inside, np.roll(column, -offset), np.nan)


def _reduced(ufunc: np.ufunc, values: Floats, indptr: Ints) -> Floats:
    """The ufunc over the rows of each series, `(n_series, columns)`; NaN where there are none."""
    result = np.full((len(indptr) - 1, values.shape[1]), np.nan)
    full = np.diff(indptr) > 0
    if full.any():
        result[full] = ufunc.reduceat(values, indptr[:-1][full], axis=0)
    return result


def _counts(column: Floats, indptr: Ints) -> Ints:
    """How many values each series has, shape `(n_series,)`."""
    return np.bincount(_series(indptr)[~np.isnan(column)], minlength=len(indptr) - 1)


def _medians(column: Floats, indptr: Ints) -> Floats:
    """The median of the known values of each series, shape `(n_series,)`; NaN where none is."""
    # Missing values come last within their series.
    ordered = column[np.lexsort((column, _series(indptr)))]
    counts = _counts(column, indptr)
    medians, full = np.full(len(counts), np.nan), counts > 0
    lower = (indptr[:-1] + (counts - 1) // 2)[full]
    upper = (indptr[:-1] + counts // 2)[full]
    medians[full] = (ordered[lower] + ordered[upper]) / 2
    return medians


def _medians_around(
    column: Floats, indptr: Ints, rows: Ints, offsets: Ints, *, fewest: int = 1
) -> Floats:
    """The medians of the known values at `rows + offsets` within the series of each row.

    Returns:
        Shape of `rows`; NaN where fewer values than `fewest` are known.
    """
    starts, stops = _bounds(indptr)
    medians = np.empty(len(rows))
    most = max(1, CELLS // len(offsets))
    for first in range(0, len(rows), most):
        part = rows[first : first + most, None]
        places = part + offsets
        inside = (places >= starts[part]) & (places < stops[part])
        window = np.where(inside, column[np.clip(places, 0, len(column) - 1)], np.nan)
        medians[first : first + most] = _medians_across(window, fewest)
    return medians


def _medians_across(window: Floats, fewest: int = 1) -> Floats:
    """The median of the known values of each row, shape `(n_rows,)`; NaN where too few are."""
    ordered = np.sort(window, axis=1)
    counts = np.count_nonzero(~np.isnan(window), axis=1)
    rows = np.arange(len(window))
    middle = ordered[rows, np.maximum(counts - 1, 0) // 2] + ordered[rows, counts // 2]
    return np.where(counts >= fewest, middle / 2, np.nan)
