"""Filling of missing values without leakage from later splits."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import DataError
from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from .panel import Panel
from .splits import PARTS, Part, Splits
from .time.grid import MANY_FILLED, percent
from .time.time_index import when

if TYPE_CHECKING:
    from .sequences import Sequences


def fill_missing(
    values: Floats,
    splits: Splits,
    policy: str,
    *,
    source: str,
    season_length: int = 1,
    place: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> Floats:
    """Fill the gaps of every series, split by split.

    `interpolate` draws a line between the values around a gap; where the gap reaches the end
    of a split the last value is repeated, so that no row depends on a later split. `ffill` repeats
    the last value in every gap; `season` the value of the same phase in the last season that has
    one, and where none has, the value before.

    Args:
        values: Shape `(n_rows, features)`, NaN where missing; not changed.
        splits: The parts within which a gap is filled.
        policy: The `missing` setting.
        source: What messages call the table.
        season_length: Steps in a season.
        place: Returns where a row, counted from 0, is, for messages.

    Returns:
        Shape `(n_rows, features)`.

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
        where = place(int(np.argmax(np.isnan(filled).any(axis=1))))
        raise _begins_with_gap(source, where, policy)
    return filled


def _begins_with_gap(source: str, where: str, policy: str) -> DataError:
    others = [f"`missing={other}`" for other in ("interpolate", "drop") if other != policy]
    return DataError(
        f"{source} begins with missing values: {where} has no value before it to repeat.",
        f"Pass {' or '.join(others)}, or drop the first rows.",
    )


def fill_panel(panel: Panel, splits: Splits, *, season_length: int) -> Floats:
    """Fill the gaps of a panel by its setting, shape `(n_rows, features)`; see `fill_missing`."""
    return fill_missing(
        panel.values,
        splits,
        panel.data.missing,
        source=panel.source,
        season_length=season_length,
        place=lambda row: place_of_row(panel, row),
    )


def place_of_row(panel: Panel, row: int) -> str:
    """Return where a row of a panel is, for messages."""
    series = int(owner_series(panel.indptr, np.array([row]))[0])
    place = f"row {row - int(panel.indptr[series]) + 1}"
    if panel.timeline:
        place = when(panel.timeline.times[row])
    return f"{place} of series {panel.name(series)}" if len(panel.ids.columns) else place


def fill_targets(panel: Panel, ends: Ints, *, season_length: int) -> Floats:
    """Fill the gaps of the targets, those before given rows without a look at later ones.

    Args:
        panel: As read.
        ends: Shape `(n_series,)`: the row after the last one that is filled so.
        season_length: Steps in a season.

    Returns:
        Shape `(n_rows, targets)`; NaN in series without a value.
    """
    filled = fill_panel(panel, Splits(panel.indptr, ends, ends), season_length=season_length)
    return last_known(filled[:, list(panel.columns.target_places)], panel.indptr)


def note_filled(panel: Panel, on_event: Listener) -> None:
    """Note how many values are filled and where the longest gap is; a warning where many are."""
    columns = panel.values[:, : len(panel.columns.columns)]
    missing = np.isnan(columns)
    if not missing.any() or panel.data.missing in ("mask", "drop"):
        return
    text = f"{percent(int(missing.sum()), missing.size)} of all, filled by {panel.data.missing}"
    many = bool(missing.mean() > MANY_FILLED)
    text += f", {_longest_gap(panel, np.flatnonzero(missing.any(axis=1)))}"
    on_event(Note(f"{int(missing.sum()):,} missing values, {text}", warning=many))
    ends = int(missing[panel.indptr[1:] - 1].any(axis=1).sum())
    if ends:
        what = f"{ends} of {panel.count} series end" if panel.count > 1 else "the table ends"
        text = f"{what} with missing values: forecasts start after the filled rows"
        on_event(Note(text, warning=True))


def _longest_gap(panel: Panel, rows: Ints) -> str:
    """Say how long the longest gap is, and where; `rows`, `(missing,)`, have missing values."""
    apart = (np.diff(rows) > 1) | (np.diff(panel.owners[rows]) > 0)
    begins = np.concatenate([[0], np.flatnonzero(apart) + 1])
    lengths = np.diff(np.append(begins, len(rows)))
    longest = int(np.argmax(lengths))
    where = place_of_row(panel, int(rows[begins[longest]]))
    return f"at most {int(lengths[longest])} in a row, from {where}"


def last_known(values: Floats, indptr: Ints) -> Floats:
    """Fill every missing value with the last one before it, or else the first one after it.

    For baselines of a table whose gaps are left to the network.

    Args:
        values: Shape `(n_rows, features)`, NaN where missing; not changed.
        indptr: Shape `(n_series + 1,)`.

    Returns:
        Shape `(n_rows, features)`.
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


# Takes a column, shape `(n_rows,)`, the rows to fill, the first row and the row after the last one
# that each may read, `(missing,)` each, and the steps in a season; returns values, `(missing,)`.
Filler = Callable[[Floats, Ints, Ints, Ints, int], Floats]


def _fill_part(column: Floats, splits: Splits, part: Part, filler: Filler, season: int) -> None:
    """Fill the gaps of one part in one column, shape `(n_rows,)`, in place."""
    begin, end = splits.bounds(part)
    missing = np.flatnonzero(np.isnan(column))
    series = owner_series(splits.indptr, missing)
    inside = (missing >= begin[series]) & (missing < end[series])
    rows, series = missing[inside], series[inside]
    # Rows before the part too, so that a gap at its start has a value before it.
    least = np.maximum(splits.indptr[:-1], begin - season)[series]
    column[rows] = filler(column, rows, least, end[series], season)


def _neighbours(column: Floats, rows: Ints, least: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Return the last known row before each row and the first after it, `(missing,)` each.

    It is the row itself where there is none from `least` to before `end`, `(missing,)` each.
    """
    known = np.flatnonzero(~np.isnan(column))
    if not len(known):
        return rows, rows
    place = np.searchsorted(known, rows)
    before, after = known[np.maximum(place - 1, 0)], known[np.minimum(place, len(known) - 1)]
    return (
        np.where((before < rows) & (before >= least), before, rows),
        np.where((after > rows) & (after < end), after, rows),
    )


def _interpolate(column: Floats, rows: Ints, least: Ints, end: Ints, season: int) -> Floats:
    """Fill with a line between the known values around, shape `(missing,)`; see `Filler`."""
    before, after = _neighbours(column, rows, least, end)
    # Without a value on one side the other one is repeated; without any, NaN.
    left, right = np.where(before == rows, after, before), np.where(after == rows, before, after)
    low, high = column[left], column[right]
    slope = (high - low) / np.maximum(right - left, 1)
    line: Floats = slope * (rows - left) + low
    return line


def _forward(column: Floats, rows: Ints, least: Ints, end: Ints, season: int) -> Floats:
    """Fill with the last known value, shape `(missing,)`; see `Filler`."""
    return column[_neighbours(column, rows, least, end)[0]]


def _seasonal(column: Floats, rows: Ints, least: Ints, end: Ints, season: int) -> Floats:
    """Fill with the last known value of the same phase, shape `(missing,)`; see `Filler`."""
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
    return np.where(source == rows, _forward(filled, rows, least, end, season), filled[rows])


FILLERS: dict[str, Filler] = {"interpolate": _interpolate, "ffill": _forward, "season": _seasonal}


def filled_steps(sequences: "Sequences", policy: str) -> Floats:
    """Return the steps, `(n_rows, features)`, each sequence filled separately; unless masked."""
    first = np.isnan(sequences.values[sequences.indptr[:-1]]).any(axis=1)
    if policy in ("ffill", "season") and first.any():
        raise DataError(
            f"{sequences.source}: sequence {sequences.name(int(np.argmax(first)))} begins with a "
            "missing step, which has no value before it to repeat.",
            "Pass `missing=interpolate` or `missing=mask`.",
        )
    known = np.add.reduceat(~np.isnan(sequences.values), sequences.indptr[:-1], axis=0) > 0
    if policy == "interpolate" and not known.all():
        place = int(np.argmin(known.all(axis=1)))
        raise DataError(
            f"{sequences.source}: sequence {sequences.name(place)} has a column without any value.",
            "Pass `missing=mask`, or drop the sequence.",
        )
    ends = sequences.indptr[1:]
    whole = Splits(sequences.indptr, ends, ends)
    return fill_missing(sequences.values, whole, policy, source=sequences.source)
