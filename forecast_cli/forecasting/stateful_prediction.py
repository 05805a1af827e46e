"""Prediction from the carried-over state of a stateful network."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BDay

from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, ignore
from ..data.dataset import History
from ..data.io.tables import Readable
from ..data.time.time_index import BUSINESS_GAP, when
from ..model.bundle import Bundle
from ..model.state import State, make_state
from ..model.stateful import joined
from .frames import build_frame
from .history import (
    READ_AS_TRAINED,
    make_history,
    read_as_trained,
    require_rows,
    restore_history,
)
from .prediction import walk_over
from .prediction_request import steps_wanted


def predict_on(
    bundle: Bundle,
    source: Readable | None,
    state: State | None,
    *,
    horizon: int | None = None,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> tuple[pd.DataFrame, State]:
    """Forecast with a stateful network from its carried-over state.

    Args:
        bundle: The model.
        source: The rows that are new since then; None for the end of the training table.
        state: Where the network was; None to go on from the end of the training table where the
            rows follow it, or else to start again.
        horizon: As in `predict`.
        reading: As in `predict`.
        on_event: Notified of what is worth knowing.

    Returns:
        The forecast as in `predict`, and where the network is now.

    Raises:
        UsageError: The network is not stateful.
        DataError: The table does not begin where the state ends.
    """
    if bundle.manifest.labels is not None:
        raise UsageError("A network of labels has no state to go on from.", "Omit `state`.")
    if not bundle.manifest.config.network.stateful:
        raise UsageError(
            "The network is not stateful: there is no state to go on from.",
            "Omit `state`, or train with `stateful=true`.",
        )
    steps = steps_wanted(bundle, horizon, on_event)
    if source is None:
        return _walked(bundle, restore_history(bundle), _in_front(bundle), steps)
    panel = read_as_trained(bundle, source, reading, on_event)
    require_rows(bundle, panel)
    history = make_history(bundle, panel, on_event)
    if state is None:
        state = _first_state(bundle, history, on_event)
    else:
        _check_follows(history, state)
    return _walked(bundle, history, state, steps)


def _walked(
    bundle: Bundle, history: History, state: State | None, steps: int
) -> tuple[pd.DataFrame, State]:
    """The forecast after the rows, and the state there."""
    scaled, timeline = history.scale(), history.panel.timeline
    walk = walk_over(bundle, scaled, None if state is None else state.array)
    forecast = walk.forecast(np.array([len(scaled)]), horizon=steps)
    last = None if timeline is None else timeline.times[-1].isoformat()
    rows = len(scaled) + (0 if state is None else state.rows)
    # The walk went no further than to the last row: its own forecasts leave no trace.
    ended = make_state(bundle, joined(walk.states), last=last, rows=rows)
    return build_frame(bundle, history, forecast), ended


def _in_front(bundle: Bundle) -> State | None:
    """The state in front of the last rows of the training table."""
    if bundle.state is None:
        return None
    rows = bundle.manifest.rows - len(bundle.history)
    return make_state(bundle, bundle.state, last=None, rows=rows)


def _first_state(bundle: Bundle, history: History, on_event: Listener) -> State | None:
    """Where a first table goes on: at the end of the training table, or from nothing."""
    trained = _walked(bundle, restore_history(bundle), _in_front(bundle), 1)[1]
    if trained.last is not None and history.panel.timeline is not None:
        with suppress(DataError):
            _check_follows(history, trained)
            on_event(Note("continues from the state at the end of the training table"))
            return trained
    on_event(
        Note(f"begins without a state: {history.panel.source} does not follow the training table")
    )
    return None


def _check_follows(history: History, state: State) -> None:
    """Refuse rows that do not begin where the state ends."""
    timeline = history.panel.timeline
    if state.last is None or timeline is None:
        return
    last = pd.Timestamp(state.last)
    if last.tzinfo is not None and timeline.times.tz is not None:
        last = last.tz_convert(timeline.times.tz)
    expected = timeline.frequency.after(last, 1)[0]
    begins = timeline.times[0]
    # Rows of business days are the steps: holidays have none.
    holiday = timeline.frequency.alias == "B" and last < begins <= last + BUSINESS_GAP * BDay()
    if begins != expected and not holiday:
        raise DataError(
            f"{history.panel.source} begins at {when(timeline.times[0])}; the state ends at "
            f"{when(last)} and continues with {when(expected)}.",
            "Give the rows that are new since then, or remove the state file to start again.",
        )
