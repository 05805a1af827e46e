"""Prediction that goes on from where a stateful network was."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BDay

from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, ignore
from ..data.io.tables import Readable
from ..data.time.time_index import BUSINESS_GAP, when
from ..model.bundle import Bundle
from ..model.state import State, make_state
from ..model.stateful import joined
from .frames import build_frame
from .history import READ_AS_TRAINED, Start, end_of_table, restore_history
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
    """Forecast with a stateful network that goes on from where it was.

    Args:
        bundle: The model.
        source: The rows that are new since then; None for the end of the training table.
        state: Where the network was; None to go on from the end of the training table where the
            rows follow it, or else to begin anew.
        horizon: As in `predict`.
        reading: As in `predict`.
        on_event: Told what is worth knowing.

    Returns:
        The forecast as in `predict`, and where the network is now.

    Raises:
        UsageError: The network is not stateful.
        DataError: The table does not begin where the state ends.
    """
    if bundle.manifest.labels is not None:
        raise UsageError("A network of labels has no state to go on from.", "Leave --state out.")
    if not bundle.manifest.config.network.stateful:
        raise UsageError(
            "The network forgets its state after each window: there is none to go on from.",
            "Leave --state out, or train with --stateful.",
        )
    steps = steps_wanted(bundle, horizon, on_event)
    if source is None:
        return _walked(bundle, restore_history(bundle), _in_front(bundle), steps)
    start = end_of_table(bundle, source, reading, on_event)
    if state is None:
        return _walked(bundle, start, _first_state(bundle, start, on_event), steps)
    _check_follows(start, state)
    return _walked(bundle, start, state, steps)


def _walked(
    bundle: Bundle, start: Start, state: State | None, steps: int
) -> tuple[pd.DataFrame, State]:
    """The forecast after the rows, and the state there."""
    scaled, timeline = start.scaled, start.panel.timeline
    walk = walk_over(bundle, scaled, None if state is None else state.array)
    forecast = walk.forecast(np.array([len(scaled)]), horizon=steps)
    last = None if timeline is None else timeline.times[-1].isoformat()
    rows = len(scaled) + (0 if state is None else state.rows)
    # The walk went no further than to the last row: its own forecasts leave no trace.
    ended = make_state(bundle, joined(walk.states), last=last, rows=rows)
    return build_frame(bundle, start, forecast), ended


def _in_front(bundle: Bundle) -> State | None:
    """The state in front of the last rows of the training table."""
    if bundle.state is None:
        return None
    rows = bundle.manifest.rows - len(bundle.history)
    return make_state(bundle, bundle.state, last=None, rows=rows)


def _first_state(bundle: Bundle, start: Start, on_event: Listener) -> State | None:
    """Where a first table goes on: at the end of the training table, or from nothing."""
    trained = _walked(bundle, restore_history(bundle), _in_front(bundle), 1)[1]
    if trained.last is not None and start.panel.timeline is not None:
        with suppress(DataError):
            _check_follows(start, trained)
            on_event(Note("goes on from the end of the table that was trained on"))
            return trained
    on_event(
        Note(f"begins anew: {start.panel.source} does not follow the table that was trained on")
    )
    return None


def _check_follows(start: Start, state: State) -> None:
    """Refuse rows that do not begin where the state ends."""
    timeline = start.panel.timeline
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
            f"{start.panel.source} begins at {when(timeline.times[0])}; the state has read up to "
            f"{when(last)}, and goes on with {when(expected)}.",
            "Give it the rows that are new since then, or remove the state's file to begin anew.",
        )
