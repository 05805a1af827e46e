"""Filling missing values without looking past the split that a row belongs to."""

from collections.abc import Callable

import numpy as np

from ..core.errors import DataError
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from .panel import Panel
from .sequences import Sequences
from .splits import PARTS, Part, Splits
from .time.time_index import when


def fill_missing(
    values: Floats,
    splits: Splits,
    policy: str,
    *,
    source: str,
    season_length: int = 1,
    say: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> Floats:
    """Fill the gaps of every series, split by split.

    `interpolate` draws a line between the values around a gap; where the gap reaches the end
    of a split the last value holds on, so that no row learns of a later split. `ffill` lets
    the last value hold on in every gap; `season` the value of the same phase in the last season
    that has one, and where none has, the value before.

    Args:
        values: Shape `(n_rows, features)`, NaN where missing; not changed.
        splits: The stretches that a gap is filled within.
        policy: The `missing` setting.
        source: What messages call the table.
        season_length: Steps in a season.
        say: Where a row, counted from 0, stands.

    Raises:
        DataError: A series begins with a gap that the policy does not fill.
    """
    if not np.isnan(values).any() or policy not in FILLERS:
        return values
    filled = values.copy()
    for column in np.flatnonzero(np.isnan(values).any(axis=0)):
        for part in PARTS:
            _fill_part(filled[:, column], splits, part, FILLERS[policy], season_length)
    if np.isnan(filled).any():
        raise _begins_with_gap(filled, policy, source, say)
    return filled


def _begins_with_gap(
    filled: Floats, policy: str, source: str, say: Callable[[int], str]
) -> DataError:
    row = int(np.argmax(np.isnan(filled).any(axis=1)))
    others = " or ".join(other for other in ("interpolate", "drop") if other != policy)
    return DataError(
        f"{source} begins with missing values: {say(row)} has none before it to hold on.",
        f"Pass --missing {others}, or leave the first rows out.",
    )


def fill_panel(panel: Panel, splits: Splits, *, season_length: int) -> Floats:
    """Fill the gaps of a panel as it was asked for, split by split; see `fill_missing`."""
    return fill_missing(
        panel.values,
        splits,
        panel.data.missing,
        source=panel.source,
        season_length=season_length,
        say=lambda row: _place(panel, row),
    )


def _place(panel: Panel, row: int) -> str:
    """Where a row of a panel stands, for a message."""
    series = int(owner_series(panel.indptr, np.array([row]))[0])
    place = f"row {row - int(panel.indptr[series]) + 1}"
    if panel.timeline:
        place = when(panel.timeline.times[row])
    return f"{place} of series {panel.name(series)}" if len(panel.ids.columns) else place


def last_known(values: Floats, indptr: Ints) -> Floats:
    """Every missing value as the last one before it; before the first one, as that.

    For simple forecasts of a table whose gaps are left to the network.
    """
    if not np.isnan(values).any():
        return values
    filled = values.copy()
    for column in filled.T:
        rows = np.flatnonzero(np.isnan(column))
        series = owner_series(indptr, rows)
        before, after = _neighbours(column, rows, indptr[series], indptr[series + 1])
        column[rows] = column[np.where(before == rows, after, before)]
    return filled


# From a column, the rows to fill, the first row and the row after the last one that each may read,
# and the steps in a season, to the values of those rows.
Filler = Callable[[Floats, Ints, Ints, Ints, int], Floats]


def _fill_part(column: Floats, splits: Splits, part: Part, filler: Filler, season: int) -> None:
    """Fill the gaps of one part in one column, in place."""
    begin, end = splits.bounds(part)
    missing = np.flatnonzero(np.isnan(column))
    series = owner_series(splits.indptr, missing)
    inside = (missing >= begin[series]) & (missing < end[series])
    rows, series = missing[inside], series[inside]
    # From before the part on, so that a gap at its start has a left side.
    least = np.maximum(splits.indptr[:-1], begin - season)[series]
    column[rows] = filler(column, rows, least, end[series], season)


def _neighbours(column: Floats, rows: Ints, least: Ints, should_stop: Ints) -> tuple[Ints, Ints]:
    """The last known row before each row and the first after it.

    Args:
        column: Shape `(n_rows,)`.
        rows: Shape `(missing,)`: of missing values.
        least: Shape `(missing,)`: the first row that each may read.
        should_stop: Shape `(missing,)`: the row after the last one that each may read.

    Returns:
        Shape `(missing,)` each; the row itself where there is none.
    """
    known = np.flatnonzero(~np.isnan(column))
    if not len(known):
        return rows, rows
    place = np.searchsorted(known, rows)
    before, after = known[np.maximum(place - 1, 0)], known[np.minimum(place, len(known) - 1)]
    return (
        np.where((before < rows) & (before >= least), before, rows),
        np.where((after > rows) & (after < should_stop), after, rows),
    )


def _interpolate(column: Floats, rows: Ints, least: Ints, should_stop: Ints, season: int) -> Floats:
    before, after = _neighbours(column, rows, least, should_stop)
    # Beyond the last value on one side the other one holds on; where there is none, NaN.
    left, right = np.where(before == rows, after, before), np.where(after == rows, before, after)
    low, high = column[left], column[right]
    slope = (high - low) / np.maximum(right - left, 1)
    line: Floats = slope * (rows - left) + low
    return line


def _forward(column: Floats, rows: Ints, least: Ints, should_stop: Ints, season: int) -> Floats:
    return column[_neighbours(column, rows, least, should_stop)[0]]


def _seasonal(column: Floats, rows: Ints, least: Ints, should_stop: Ints, season: int) -> Floats:
    known, source = ~np.isnan(column), rows.copy()
    # Season by season back, until each has a value or its series begins.
    left = np.arange(len(rows))
    back = season
    while len(left := left[rows[left] - back >= least[left]]):
        found = known[rows[left] - back]
        source[left[found]] = rows[left[found]] - back
        left, back = left[~found], back + season
    filled = column.copy()
    filled[rows] = column[source]
    return np.where(
        source == rows, _forward(filled, rows, least, should_stop, season), filled[rows]
    )


FILLERS: dict[str, Filler] = {
    "interpolate": _interpolate,
    "ffill": _forward,
    "season": _seasonal,
}


def filled_steps(sequences: Sequences, policy: str) -> Floats:
    """The steps without gaps, each sequence filled for itself; as they are for `mask`."""
    _check_fillable(sequences, policy)
    ends = sequences.indptr[1:]
    whole = Splits(sequences.indptr, ends, ends)
    return fill_missing(sequences.values, whole, policy, source=sequences.source)


def _check_fillable(sequences: Sequences, policy: str) -> None:
    """Refuse gaps that have nothing in their sequence to be filled with."""
    first = np.isnan(sequences.values[sequences.indptr[:-1]]).any(axis=1)
    if policy in ("ffill", "season") and first.any():
        raise DataError(
            f"{sequences.source}: sequence {sequences.name(int(np.argmax(first)))} begins with a "
            "missing step, which has none before it to hold on.",
            "Pass --missing interpolate or mask.",
        )
    known = np.add.reduceat(~np.isnan(sequences.values), sequences.indptr[:-1], axis=0) > 0
    if policy == "interpolate" and not known.all():
        place = int(np.argmin(known.all(axis=1)))
        raise DataError(
            f"{sequences.source}: sequence {sequences.name(place)} has a column without any value.",
            "Pass --missing mask, or leave the sequence out.",
        )
