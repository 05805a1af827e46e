"""Filling missing values without looking past the split that a row belongs to."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ..core.room import series_of
from ..core.windows import Floats, Ints
from ..errors import DataError
from .panel import Panel
from .splits import PARTS, Splits
from .timeindex import when


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
    for part in PARTS:
        for first, begin, end in zip(splits.indptr[:-1], *splits.bounds(part), strict=True):
            for column in range(values.shape[1]):
                # From before the part on, so that a gap at its start has a left side.
                before = max(first, begin - season_length)
                known = FILLERS[policy](filled[before:end, column], season_length)
                filled[begin:end, column] = known[begin - before :]
    if np.isnan(filled).any():
        row = int(np.argmax(np.isnan(filled).any(axis=1)))
        others = " or ".join(other for other in ("interpolate", "drop") if other != policy)
        raise DataError(
            f"{source} begins with missing values: {say(row)} has none before it to hold on.",
            f"Pass --missing {others}, or leave the first rows out.",
        )
    return filled


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
    series = int(series_of(panel.indptr, np.array([row]))[0])
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
    for first, end in pairwise(indptr):
        for column in range(values.shape[1]):
            held = _forward(filled[first:end, column])
            known = held[~np.isnan(held)]
            filled[first:end, column] = np.where(np.isnan(held), known[:1], held)
    return filled


def _interpolate(values: Floats, season: int) -> Floats:
    known = ~np.isnan(values)
    if not known.any():
        return values
    rows = np.arange(len(values))
    return np.interp(rows, rows[known], values[known])


def _forward(values: Floats, season: int = 1) -> Floats:
    known = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return values[last]


def _seasonal(values: Floats, season: int) -> Floats:
    filled = values.copy()
    for phase in range(season):
        filled[phase::season] = _forward(values[phase::season])
    return _forward(filled)


FILLERS = {"interpolate": _interpolate, "ffill": _forward, "season": _seasonal}
