"""Prediction that goes on from where a stateful network was."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BDay

from .data.tables import Readable
from .data.timeindex import BUSINESS_GAP, when
from .errors import DataError, UsageError
from .events import Listener, ignore
from .model.bundle import Bundle
from .model.state import State, make_state
from .model.walk import joined
from .prediction import frame_of, steps_wanted, walk_over
from .starts import READ_AS_TRAINED, Start, end_of_table


def predict_on(
    bundle: Bundle,
    source: Readable,
    state: State | None,
    *,
    horizon: int | None = None,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    listen: Listener = ignore,
) -> tuple[pd.DataFrame, State]:
    """Forecast with a stateful network that goes on from where it was.

    Args:
        bundle: The model.
        source: The rows that are new since then.
        state: Where the network was; None to begin anew.
        horizon: As in `predict`.
        reading: As in `predict`.
        listen: Told what is worth knowing.

    Returns:
        The forecast as in `predict`, and where the network is now.

    Raises:
        UsageError: The network is not stateful.
        DataError: The table does not begin where the state ends.
    """
    if not bundle.manifest.config.network.stateful:
        raise UsageError(
            "The network forgets its state after each window: there is none to go on from.",
            "Leave --state out, or train with --stateful.",
        )
    steps = steps_wanted(bundle, horizon, listen)
    start = end_of_table(bundle, source, reading, listen)
    _check_follows(start, state)
    scaled = bundle.manifest.scaler.transform(start.rows).astype(np.float32)
    walk = walk_over(bundle, scaled, None if state is None else state.array)
    forecast = walk.forecast(np.array([len(scaled)]), horizon=steps)[0]
    last = None if start.timeline is None else start.timeline.times[-1].isoformat()
    rows = len(scaled) + (0 if state is None else state.rows)
    # The walk went no further than to the last row: its own forecasts leave no trace.
    return frame_of(bundle, start, forecast), make_state(
        bundle, joined(walk.states), last=last, rows=rows
    )


def _check_follows(start: Start, state: State | None) -> None:
    """Refuse rows that do not begin where the state ends."""
    if state is None or state.last is None or start.timeline is None:
        return
    timeline = start.timeline
    last = pd.Timestamp(state.last)
    if last.tzinfo is not None and timeline.times.tz is not None:
        last = last.tz_convert(timeline.times.tz)
    expected = timeline.frequency.after(last, 1)[0]
    begins = timeline.times[0]
    # Rows of business days are the steps: holidays have none.
    holiday = timeline.frequency.alias == "B" and last < begins <= last + BUSINESS_GAP * BDay()
    if begins != expected and not holiday:
        raise DataError(
            f"{start.source} begins at {when(timeline.times[0])}; the state has read up to "
            f"{when(last)}, and goes on with {when(expected)}.",
            "Give it the rows that are new since then, or remove the state's file to begin anew.",
        )
