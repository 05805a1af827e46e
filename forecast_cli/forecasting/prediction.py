"""Prediction from a saved model, without TensorFlow."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import UsageError
from ..core.events import Listener, ignore
from ..core.padding import owner_series
from ..core.ragged import row_numbers
from ..core.windows import Floats
from ..data.io.tables import Readable
from ..model.bundle import Bundle
from ..model.runtime import chunks, forecast_origins, roll_out
from ..model.stateful import Walk, parted
from .frames import beside_actual, build_frame, in_units
from .history import READ_AS_TRAINED, Start, read_as_trained, too_few
from .outputs import Ahead
from .prediction_request import ALL, PredictionRequest, require_sense, start_wanted, steps_wanted


def predict(
    bundle: Bundle,
    source: Readable | None = None,
    wanted: PredictionRequest = ALL,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> pd.DataFrame:
    """Forecast the next steps.

    Args:
        bundle: The model.
        source: The table to go on from, as in `train`; None for the end of the table that the
            model was trained on.
        wanted: Which forecasts.
        reading: How this table differs from the one that was trained on: `missing`, `na`,
            `date_format`, `timezone`.
        on_event: Told what is worth knowing.

    Returns:
        What names the series, the time column (`step`, from 1, where there is none), then each
        target, original units, each with its intervals behind it, as `Close_lo80` and `Close_hi80`;
        of a table whose columns are series, a column for each. Of sample paths a row for each step
        of each, with its number as `sample`.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The model cannot go that far.
    """
    if bundle.manifest.labels is not None:
        from .label_prediction import predict_labels

        if wanted.anything:
            raise UsageError(
                "A label has no steps ahead, and no series of its own.",
                "Leave --horizon, --only, --start, --future, --level and --samples out.",
            )
        return predict_labels(bundle, source, reading=reading, on_event=on_event)
    require_sense(wanted)
    steps = steps_wanted(bundle, wanted.horizon, on_event)
    start = start_wanted(bundle, source, wanted, reading, on_event)
    if bundle.manifest.config.network.stateful:
        walk = walk_over(bundle, start.scaled, bundle.state if source is None else None)
        ahead = Ahead(walk.forecast(np.array([len(start.filled)]), horizon=steps))
    else:
        ahead = _ahead_of_all(bundle, start, steps)
    if not wanted.doubtful:
        return build_frame(bundle, start, ahead.point)
    # A plain prediction need not load what makes intervals.
    from .intervals.prediction_intervals import frame_in_doubt

    return frame_in_doubt(bundle, start, ahead, wanted, on_event, kept=source is None)


def _ahead_of_all(bundle: Bundle, start: Start, steps: int) -> Ahead:
    """The forecasts of all series."""
    inputs = bundle.manifest.columns.inputs
    known = start.ahead(steps) if inputs.known else None
    first = bundle.manifest.config.network.padding == "first"
    windows = start.windows(bundle.manifest.timesteps, first=first)
    parts = chunks(np.arange(len(windows)), timesteps=windows.shape[1], features=windows.shape[2])
    forecasts = [
        roll_out(
            bundle.runtime,
            windows[part],
            None if known is None else known[part],
            inputs=inputs,
            horizon=steps,
        )
        for part in parts
    ]
    return Ahead(np.concatenate(forecasts), windows, known)


def walk_over(bundle: Bundle, scaled: Floats, state: Floats | None) -> Walk:
    """A stateful network in front of scaled rows, in the given state; None: it has read nothing."""
    return Walk(bundle.runtime, scaled, None if state is None else parted(bundle.runtime, state))


def predict_in_sample(
    bundle: Bundle,
    source: Readable,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> pd.DataFrame:
    """One-step forecasts over a table, each from the actual rows before it.

    Args:
        bundle: The model.
        source: The table.
        reading: As in `predict`.
        on_event: Told what is worth knowing.

    Returns:
        From the first row on that has `timesteps` rows of its series before it: what names the
        series, the time column (`step`, the number of the row, where there is none), the actual
        values of each target, and their forecasts as `NAME_forecast`.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    manifest = bundle.manifest
    if manifest.labels is not None:
        raise UsageError("A label has no steps to forecast.", "Leave --in-sample out.")
    start = read_as_trained(bundle, source, reading, on_event, scaled_by=manifest.timesteps)
    panel, scaled = start.panel, start.scaled
    origins = np.arange(len(scaled))
    origins = origins[row_numbers(panel.indptr) >= manifest.timesteps]
    if not len(origins):
        raise too_few(bundle, panel, manifest.timesteps + 1)
    parts = chunks(origins, timesteps=manifest.timesteps, features=len(manifest.features))
    if manifest.config.network.stateful:
        forecast = walk_over(bundle, scaled, None).forecast
    else:
        forecast = partial(
            forecast_origins,
            bundle.runtime,
            scaled,
            inputs=manifest.columns.inputs,
            timesteps=manifest.timesteps,
        )
    first = np.concatenate([forecast(part, horizon=1) for part in parts])
    values = in_units(bundle, start, owner_series(panel.indptr, origins), first)[:, 0]
    if not np.isnan(start.filled).any():
        # A gap that reaches up to a row was filled with a look at what comes after it.
        values[panel.missing_rows[origins - 1]] = np.nan
    return beside_actual(bundle, panel, origins, values)
