"""Warnings of new rows whose values are far from those that a model was trained on."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ..core.errors import listed
from ..core.events import Listener, Note
from ..core.levels import (
    FACTOR,
    Blocks,
    Levels,
    block_length,
    find_far,
    find_jumps,
    is_rescaled,
    make_blocks,
    measure_levels,
)
from ..core.padding import owner_series
from ..core.ragged import Flags, cumulate, reduced, row_numbers, take_medians
from ..core.windows import Floats, Ints
from ..data.panel import Panel
from ..data.time.grid import steps_between
from ..model.bundle import Bundle
from .history import match_series, stored_panel
from .saved_model_data import times_like

# Rows that both tables have must be so many to be compared.
FEWEST_SHARED = 4
# A series is far out where its last block is, or this share of all.
SHARE = 0.25
MOST_NAMED = 3
# How many deviations from the center of a scaler the training rows of older models may have been.
DEVIATIONS = 3.0


def check_levels(
    bundle: Bundle, panel: Panel, on_event: Listener, *, begins: Ints | None = None
) -> None:
    """Warn of columns whose values are far from those that the model was trained on.

    Args:
        bundle: The model.
        panel: The new rows.
        on_event: Receives a warning for each column, with both ranges.
        begins: Shape `(n_series,)`: the first row of each series that counts; None for those that
            forecasts go on from.
    """
    places = match_series(bundle, panel)
    names = _compared(bundle)
    if not names or not (places >= 0).any():
        return
    columns = panel.columns.places(names)
    length = block_length(bundle.manifest.timesteps)
    if begins is None:
        begins = np.maximum(panel.indptr[:-1], panel.indptr[1:] - length)
    known = Levels(*(each[places] for each in trained_levels(bundle)))
    counted = panel.since(np.minimum(begins, panel.indptr[1:] - 1))
    blocks = make_blocks(counted.values, counted.indptr, length)
    far = _by_series(find_far(blocks, known), blocks.indptr)
    far |= _beside_stored(bundle, panel, places, known)
    far[places < 0] = False
    now, ahead = _describe(panel, columns, far, blocks, known), _ahead(panel, known, places)
    for text in (*now, *ahead):
        on_event(Note(text, warning=True))


def _compared(bundle: Bundle) -> list[str]:
    """The features that have a unit: no categories, and nothing computed from times."""
    covariates = bundle.manifest.columns.covariates
    without = {*covariates.categories, *covariates.calendar}
    return [name for name in bundle.manifest.features if name not in without]


def trained_levels(bundle: Bundle) -> Levels:
    """What the training table was like; of older models, as far as rows and scaler tell.

    Arrays have shape `(n_series, features)`.
    """
    if bundle.levels is not None:
        return Levels(*bundle.levels)
    stored = stored_panel(bundle)
    own = measure_levels(stored.values, stored.indptr, block_length(bundle.manifest.timesteps))
    scaler = bundle.manifest.config.scaler
    if scaler == "none":
        return own._replace(least=own.least / FACTOR, most=own.most * FACTOR)
    ends = (0.0, 1.0) if scaler == "minmax" else (-DEVIATIONS, DEVIATIONS)
    low, high = (_in_units(bundle, end) for end in ends)
    return Levels(
        np.fmin(own.low, low),
        np.fmax(own.high, high),
        own.least / FACTOR,
        np.fmax(own.most, np.fmax(np.abs(low), np.abs(high))),
        np.fmax(own.change, (high - low) / 2),
    )


def _in_units(bundle: Bundle, scaled: float) -> Floats:
    """A scaled value in the units of each feature, shape `(n_series or 1, features)`."""
    scaling, count = bundle.scaling, len(bundle.manifest.columns.columns)
    values = np.atleast_2d(scaled * scaling.scale + scaling.center)
    # Only the columns, not the covariates, are transformed.
    values[:, :count] = scaling.only(range(count)).inverse(np.full(count, scaled))
    return values


def _by_series(far: Flags, indptr: Ints) -> Flags:
    """Which series are far out, `(n_series, features)`, by their blocks, `(n_blocks, features)`."""
    shares = reduced(np.add, far.astype(np.float64), indptr) / np.diff(indptr)[:, None]
    return np.asarray((shares >= SHARE) | far[indptr[1:] - 1])


def _beside_stored(bundle: Bundle, panel: Panel, places: Ints, known: Levels) -> Flags:
    """Which series do not fit to the rows that the model keeps, `(n_series, features)`.

    Rows at the same times are compared with each other, or the first new ones with the last kept.
    """
    found = np.zeros(known.low.shape, bool)
    stored, timeline = stored_panel(bundle), panel.timeline
    if timeline is None or stored.lasts is None:
        return found
    times, begins = timeline.times, panel.indptr[:-1]
    lasts = times_like(stored.lasts, times)[places]
    shared = np.flatnonzero(np.asarray(times == lasts[panel.owners]))
    series = owner_series(panel.indptr, shared)
    counts = np.minimum(shared + 1 - begins[series], stored.lengths[places[series]])
    enough = (counts >= FEWEST_SHARED) & (places[series] >= 0)
    series, counts, shared = series[enough], counts[enough], shared[enough]
    if len(series):
        ends = stored.indptr[1:][places[series]]
        old, new = (
            _last_rows(*each, counts)
            for each in ((stored.values, ends), (panel.values, shared + 1))
        )
        own = Levels(*(each[series] for each in known))
        indptr = cumulate(counts)
        found[series] = is_rescaled(old, new, indptr) | find_jumps(
            _medians(old, indptr), _medians(new, indptr), own
        )
    length = block_length(bundle.manifest.timesteps)
    return found | _joined(stored, panel, places, lasts, known, length)


def _joined(
    stored: Panel, panel: Panel, places: Ints, lasts: pd.DatetimeIndex, known: Levels, length: int
) -> Flags:
    """Which series go on after the kept rows at another level, `(n_series, features)`.

    `lasts`, shape `(n_series,)`, are the times of the last kept rows, `length` the rows compared.
    """
    found, timeline = np.zeros(known.low.shape, bool), panel.timeline
    if timeline is None:
        return found
    times = timeline.times
    old_rows = np.asarray(times <= lasts[panel.owners]).astype(np.int64)
    begins = panel.indptr[:-1] + np.add.reduceat(old_rows, panel.indptr[:-1])
    counts = np.minimum(panel.indptr[1:] - begins, length)
    later = np.flatnonzero((counts >= FEWEST_SHARED) & (places >= 0))
    if not len(later):
        return found
    steps = steps_between(lasts[later], times[begins[later]], timeline.frequency)
    own = Levels(*(each[later] for each in known))
    own = own._replace(change=own.change * (1 + steps / length)[:, None])
    ends, counts = begins[later] + counts[later], counts[later]
    new = _medians(_last_rows(panel.values, ends, counts), cumulate(counts))
    ends = stored.indptr[1:][places[later]]
    counts = np.minimum(stored.lengths[places[later]], length)
    old = _medians(_last_rows(stored.values, ends, counts), cumulate(counts))
    found[later] = find_jumps(old, new, own)
    return found


def _last_rows(values: Floats, ends: Ints, counts: Ints) -> Floats:
    """So many rows before each end, shapes `(ranges,)`, end to end, shape `(rows, features)`."""
    return values[np.repeat(ends - counts, counts) + row_numbers(cumulate(counts))]


def _medians(values: Floats, indptr: Ints) -> Floats:
    """The medians of ranges of rows, shape `(ranges, features)`."""
    return np.column_stack([take_medians(column, indptr) for column in values.T])


def _describe(
    panel: Panel, columns: Sequence[int], far: Flags, blocks: Blocks, known: Levels
) -> Iterator[str]:
    """A sentence for each column with series that are far out, with both ranges of the first."""
    for column in columns:
        series = np.flatnonzero(far[:, column])
        if not len(series):
            continue
        own = slice(*blocks.indptr[series[0] : series[0] + 2])
        here = float(np.nanmin(blocks.low[own, column])), float(np.nanmax(blocks.high[own, column]))
        yield _far_out(panel, column, series, here, known)


def _ahead(panel: Panel, known: Levels, places: Ints) -> Iterator[str]:
    """A sentence for each future covariate whose future values are far out."""
    steps = panel.ahead.shape[1]
    if not steps:
        return
    rows = panel.ahead.reshape(panel.count * steps, -1)
    blocks = make_blocks(rows, np.arange(panel.count + 1) * steps, steps)
    far = find_far(blocks, known) & (places >= 0)[:, None]
    for column in panel.columns.places(panel.columns.covariates.future):
        series = np.flatnonzero(far[:, column])
        name = panel.columns.features[column]
        if len(series) and name not in panel.columns.covariates.categories:
            here = float(blocks.low[series[0], column]), float(blocks.high[series[0], column])
            yield _far_out(panel, column, series, here, known, of="future values")


def _far_out(
    panel: Panel,
    column: int,
    series: Ints,
    here: tuple[float, float],
    known: Levels,
    of: str = "values",
) -> str:
    """The sentence for one column of some series."""
    many = ""
    if len(panel.ids.columns):
        names = listed(series.tolist(), most=MOST_NAMED, say=panel.name)
        many = f" of {len(series)} of {panel.count} series ({names})"
    trained = known.low[series[0], column], known.high[series[0], column]
    return (
        f'the {of} of "{panel.columns.features[column]}"{many} in {panel.source} are far outside '
        f"those that the model was trained on: {here[0]:.6g} to {here[1]:.6g}, and "
        f"{trained[0]:.6g} to {trained[1]:.6g} in training; are they in the same unit?"
    )
