"""New rows for a trained model: its stored history and its state are extended to their end."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BDay

from ..core.errors import DataError, UsageError, listed
from ..core.events import Listener, Note, ignore
from ..core.ragged import cumulate
from ..core.windows import Floats, Ints
from ..data.dataset import History
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.time.business_days import note_closed
from ..data.time.frequency import local_days
from ..data.time.time_index import BUSINESS_GAP, when
from ..model.bundle import Bundle
from ..model.stateful import State, joined, make_state
from .history import (
    READ_AS_TRAINED,
    make_history,
    match_series,
    read_as_trained,
    require_rows,
    restore_history,
    stored_panel,
)
from .level_check import check_levels
from .prediction import walk_over
from .saved_model_data import refuse_labels

LABELS = "A model of labels has no history and no state to continue from."


def update(
    bundle: Bundle,
    source: Readable,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> Bundle:
    """Append new rows to the stored history of a model, of some or all of its series.

    Nothing is trained: weights, scaler and scores stay. Forecasts begin after the new end;
    the state of a stateful network and the recent errors of adaptive intervals are carried over.

    Raises:
        DataError: The rows do not follow the stored ones, or are of a series that the model was not
            trained on.
        UsageError: The model predicts labels.
    """
    refuse_labels(bundle, LABELS, "Omit `state`.")
    return _append(bundle, read_as_trained(bundle, source, reading, on_event), on_event)


def update_from_state(
    bundle: Bundle,
    source: Readable,
    state: State | None,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> Bundle:
    """Run a stateful network over new rows, from a saved state that they follow.

    Without a state it continues the stored history where the rows follow that, or else begins
    without one.

    Raises:
        UsageError: The network is not stateful.
        DataError: The table does not begin where the state ends.
    """
    require_stateful(bundle)
    panel = read_as_trained(bundle, source, reading, on_event)
    require_rows(bundle, panel)
    if state is None:
        lasts = stored_panel(bundle).lasts
        dated = lasts is not None and panel.timeline is not None
        if dated and _first_gap(panel, lasts, np.zeros(1, np.int64)) is None:
            on_event(Note("continues from the state at the end of the training table"))
            return _append(bundle, panel, on_event)
        on_event(Note(f"begins without a state: {panel.source} does not follow the training table"))
    elif state.last is not None and panel.timeline is not None:
        last = pd.DatetimeIndex([pd.Timestamp(state.last)])
        _check_follows(panel, last, np.zeros(1, np.int64), "the state")
    history = make_history(bundle, panel, on_event)
    rows = len(history.filled) + (0 if state is None else state.rows)
    return _store(bundle, history, None if state is None else state.array, rows)


def end_state(bundle: Bundle) -> State:
    """Return the state of a stateful network after the stored history.

    Raises:
        UsageError: The network is not stateful.
    """
    require_stateful(bundle)
    scaled, manifest = restore_history(bundle).scale(), bundle.manifest
    walk = walk_over(bundle, scaled, bundle.state)
    walk.read(len(scaled))
    last = manifest.time.last if manifest.time else None
    return make_state(bundle, joined(walk.states), last=last, rows=manifest.rows)


def require_stateful(bundle: Bundle) -> None:
    """Refuse, by a UsageError, a model without a state: one that predicts labels, or has none."""
    refuse_labels(bundle, LABELS, "Omit `state`.")
    if not bundle.manifest.config.network.stateful:
        raise UsageError(
            "The network is not stateful: there is no state to continue from.",
            "Omit `state`, or train with `stateful=true`.",
        )


def _append(bundle: Bundle, new: Panel, on_event: Listener) -> Bundle:
    """Return the model with the rows of a panel behind its stored ones."""
    check_levels(bundle, new, on_event, begins=new.indptr[:-1])
    stored, places = stored_panel(bundle), match_series(bundle, new)
    if (places < 0).any():
        names = listed(np.flatnonzero(places < 0).tolist(), say=new.name)
        raise DataError(
            f"{new.source} has series that the model was not trained on: {names}.",
            "Remove their rows, or forecast them without an update.",
        )
    if stored.lasts is not None:
        _check_follows(new, stored.lasts, places, "the stored history")
    whole = _join(stored, new, places)
    if whole.timeline and new.timeline and whole.timeline.frequency.hours:
        known = new.timeline.frequency.open_days
        note_closed(known, whole.timeline.frequency.open_days, on_event)
    history = make_history(bundle, whole, on_event)
    rows = bundle.manifest.rows + len(new.values)
    updated, calibration = _store(bundle, history, bundle.state, rows), bundle.calibration
    if calibration is None or bundle.manifest.config.network.stateful:
        return updated
    # Imported here because models without intervals do not need it.
    from .intervals.prediction_intervals import find_recent_errors

    # The latest errors, where the new rows show some.
    recent = find_recent_errors(bundle, history, calibration, calibration.units)
    return replace(updated, calibration=replace(calibration, ended=recent))


def _join(stored: Panel, new: Panel, places: Ints) -> Panel:
    """Return the rows of both panels; `places`, shape `(new series,)`, are those in the first."""
    series = np.concatenate([stored.owners, places[new.owners]])
    order = np.argsort(series, kind="stable")
    timeline = stored.timeline
    if timeline is not None and new.timeline is not None:
        times, later = timeline.times, new.timeline.times
        later = later.tz_convert(times.tz) if times.tz and later.tz else later
        ends = times[stored.indptr[1:] - 1][places]
        since = pd.DatetimeIndex(ends.append(later))
        # On which days there was no row, the times of earlier rows depend.
        frequency = timeline.frequency.closed_like(local_days(since))
        times = pd.DatetimeIndex(times.append(later)[order])
        timeline = replace(timeline, times=times, frequency=frequency)
    return replace(
        stored,
        values=np.concatenate([stored.values, new.values])[order],
        indptr=cumulate(np.bincount(series, minlength=stored.count)),
        timeline=timeline,
        source=new.source,
        ahead=_join_ahead(stored, new, places),
    )


def _join_ahead(stored: Panel, new: Panel, places: Ints) -> Floats:
    """Return what is known after the new rows, shape `(n_series, steps, features)`."""
    steps = max(stored.ahead.shape[1], new.ahead.shape[1])
    ahead = np.full((stored.count, steps, stored.values.shape[1]), np.nan)
    grown = np.zeros(stored.count, np.int64)
    grown[places] = new.lengths
    for series, rows in enumerate(grown.tolist()):
        rest = stored.ahead[series, rows:]
        ahead[series, : len(rest)] = rest
    own = ahead[places, : new.ahead.shape[1]]
    ahead[places, : new.ahead.shape[1]] = np.where(np.isnan(new.ahead), own, new.ahead)
    return ahead


def _store(bundle: Bundle, history: History, front: Floats | None, rows: int) -> Bundle:
    """Return the model with the last rows of a history, whose series are in the model's order.

    `front`, shape `(units,)`, is the state of a stateful network before the history, None where it
    has read nothing; `rows` were read so far.
    """
    panel, manifest, state = history.panel, bundle.manifest, None
    counts = np.minimum(panel.lengths, manifest.context)
    begins = panel.indptr[1:] - counts
    if manifest.config.network.stateful:
        walk = walk_over(bundle, history.scale(), front)
        walk.read(int(begins[0]))
        state = joined(walk.states)
    time, series, lasts = manifest.time, bundle.series, panel.lasts
    if time is not None and lasts is not None:
        end: dict[str, Any] = {"last": lasts.max().isoformat()}
        if panel.timeline:
            end |= {"open_days": panel.timeline.frequency.open_days}
        time = time.model_copy(update=end)
    if series is not None:
        ends = () if lasts is None else tuple(each.isoformat() for each in lasts)
        pairs = zip(series.known, ends, series.lasts, strict=True) if series.known else ()
        known = tuple(old if end == last else end for old, end, last in pairs)
        own = {"rows": tuple(counts.tolist()), "lasts": ends, "known": known}
        series = series.model_copy(update=own)
    return replace(
        bundle,
        manifest=manifest.model_copy(update={"time": time, "rows": rows}),
        history=history.filled[panel.between(begins, panel.indptr[1:])],
        state=state,
        series=series,
        ahead=panel.ahead if panel.ahead.shape[1] else None,
    )


def _check_follows(panel: Panel, lasts: pd.DatetimeIndex, places: Ints, what: str) -> None:
    """Refuse, by a DataError, rows that do not begin at the step after the last of `what`.

    `places`, shape `(n_series,)`, are the series of the panel in `lasts`.
    """
    gap = _first_gap(panel, lasts, places)
    if gap is None or panel.timeline is None:
        return
    series, expected = gap
    name = f" of {panel.name(series)}" if len(panel.ids.columns) else ""
    begins, last = panel.timeline.times[panel.indptr[series]], lasts[places[series]]
    raise DataError(
        f"{panel.source} begins{name} at {when(begins)}; {what} ends at {when(last)} and continues "
        f"with {when(expected)}.",
        "Give the rows that are new since then.",
    )


def _first_gap(
    panel: Panel, lasts: pd.DatetimeIndex | None, places: Ints
) -> tuple[int, pd.Timestamp] | None:
    """Return the first series that does not continue where another table ended, and when it should.

    `places`, shape `(n_series,)`, are the series of that table, which ended at `lasts`.
    """
    if panel.timeline is None or lasts is None:
        return None
    frequency, begins = panel.timeline.frequency, panel.timeline.times[panel.indptr[:-1]]
    ends = lasts[places]
    if ends.tz is not None and begins.tz is not None:
        ends = ends.tz_convert(begins.tz)
    if frequency.hours and np.all(frequency.open_days_between(ends, begins) <= BUSINESS_GAP):
        # Whole days without a row are closed.
        seen = pd.DatetimeIndex(ends.append(panel.timeline.times))
        frequency = frequency.closed_like(local_days(seen))
    expected = frequency.moved(ends, np.ones(len(ends), np.int64))
    wrong = np.asarray(frequency.snapped(begins) != expected)
    if frequency.alias == "B":
        # Rows of business days are the steps: holidays have none.
        wrong &= ~np.asarray((ends < begins) & (begins <= ends + BUSINESS_GAP * BDay()))
    found = np.flatnonzero(wrong)
    return (int(found[0]), expected[found[0]]) if len(found) else None
