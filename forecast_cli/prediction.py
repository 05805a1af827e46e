"""Prediction from a saved model, without TensorFlow."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .core.windows import Floats, Ints
from .data.dateforms import write_dates
from .data.panel import STEP, Panel
from .data.tables import Readable
from .data.timeindex import when
from .errors import DataError, UsageError
from .events import Listener, Note, ignore
from .model.bundle import Bundle
from .model.manifest import TimeAxis
from .model.runtime import chunks, forecast_origins, roll_out
from .model.state import State, make_state
from .model.walk import Walk, joined, parted
from .starts import (
    READ_AS_TRAINED,
    Start,
    end_of_table,
    history_of,
    read_as_trained,
    too_few,
)

FORECAST_SUFFIX = "_forecast"


def predict(
    bundle: Bundle,
    source: Readable | None = None,
    *,
    horizon: int | None = None,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    listen: Listener = ignore,
) -> pd.DataFrame:
    """Forecast the next steps.

    Args:
        bundle: The model.
        source: The table to go on from, as in `train`; None for the end of the table that the
            model was trained on.
        horizon: Steps ahead, any number; the model's own where None.
        reading: How this table differs from the one that was trained on: `missing`, `na`,
            `date_format`, `timezone`.
        listen: Told what is worth knowing.

    Returns:
        The time column (`step`, from 1, where there is none), then each target, original units.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The model cannot go that far.
    """
    if bundle.manifest.labels is not None:
        from .labels.prediction import predict_labels

        if horizon is not None:
            raise UsageError("A label has no steps ahead.", "Leave --horizon out.")
        return predict_labels(bundle, source, reading=reading, listen=listen)
    steps = _steps(bundle, horizon, listen)
    if source is not None:
        start = end_of_table(bundle, source, reading, listen)
    else:
        start = history_of(bundle)
    scaled = bundle.manifest.scaler.transform(start.rows).astype(np.float32)
    if bundle.manifest.config.network.stateful:
        state = None if source is not None or bundle.state is None else bundle.state
        walk = _walk(bundle, scaled, state)
        return _frame(bundle, start, walk.forecast(np.array([len(scaled)]), horizon=steps)[0])
    return _frame(bundle, start, roll_out(bundle.runtime, scaled[None], horizon=steps)[0])


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
    steps = _steps(bundle, horizon, listen)
    start = end_of_table(bundle, source, reading, listen)
    _check_follows(start, state)
    scaled = bundle.manifest.scaler.transform(start.rows).astype(np.float32)
    walk = _walk(bundle, scaled, None if state is None else state.array)
    forecast = walk.forecast(np.array([len(scaled)]), horizon=steps)[0]
    last = None if start.timeline is None else start.timeline.times[-1].isoformat()
    rows = len(scaled) + (0 if state is None else state.rows)
    # The walk went no further than to the last row: its own forecasts leave no trace.
    return _frame(bundle, start, forecast), make_state(
        bundle, joined(walk.states), last=last, rows=rows
    )


def _steps(bundle: Bundle, horizon: int | None, listen: Listener) -> int:
    """The steps ahead that are wanted."""
    steps = bundle.manifest.horizon if horizon is None else horizon
    if steps < 1:
        raise UsageError(f"A horizon of {steps} cannot be.", "Give at least 1.")
    _check_horizon(bundle, steps, listen)
    return steps


def _walk(bundle: Bundle, scaled: Floats, state: Floats | None) -> Walk:
    return Walk(bundle.runtime, scaled, None if state is None else parted(bundle.runtime, state))


def _frame(bundle: Bundle, start: Start, scaled: Floats) -> pd.DataFrame:
    """Scaled forecasts, shape `(steps, targets)`, in original units with their times."""
    manifest, values = bundle.manifest, _in_units(bundle, scaled)
    times = start.times_after(len(values))
    name = manifest.time.column if manifest.time and times is not None else STEP
    ahead = np.arange(1, len(values) + 1) if times is None else times
    return pd.DataFrame({name: ahead} | dict(zip(manifest.targets, values.T, strict=True)))


def _check_follows(start: Start, state: State | None) -> None:
    """Refuse rows that do not begin where the state ends."""
    if state is None or state.last is None or start.timeline is None:
        return
    timeline = start.timeline
    last = pd.Timestamp(state.last)
    if last.tzinfo is not None and timeline.times.tz is not None:
        last = last.tz_convert(timeline.times.tz)
    expected = timeline.frequency.after(last, 1)[0]
    if timeline.times[0] != expected:
        raise DataError(
            f"{start.source} begins at {when(timeline.times[0])}; the state has read up to "
            f"{when(last)}, and goes on with {when(expected)}.",
            "Give it the rows that are new since then, or remove the state's file to begin anew.",
        )


def predict_in_sample(
    bundle: Bundle,
    source: Readable,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    listen: Listener = ignore,
) -> pd.DataFrame:
    """One-step forecasts over a table, each from the actual rows before it.

    Args:
        bundle: The model.
        source: The table.
        reading: As in `predict`.
        listen: Told what is worth knowing.

    Returns:
        From the first row that has `timesteps` rows before it on: the time column (`step`, the
        number of the row, where there is none), the actual values of each target, and their
        forecasts as `NAME_forecast`.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    manifest = bundle.manifest
    if manifest.labels is not None:
        raise UsageError("A label has no steps to forecast.", "Leave --in-sample out.")
    panel, filled = read_as_trained(bundle, source, reading, listen)
    scaled = manifest.scaler.transform(filled).astype(np.float32)
    origins = np.arange(manifest.timesteps, len(filled))
    if not len(origins):
        raise too_few(bundle, len(filled), manifest.timesteps + 1, panel.source)
    parts = chunks(origins, timesteps=manifest.timesteps, features=len(manifest.features))
    if manifest.config.network.stateful:
        forecast = _walk(bundle, scaled, None).forecast
    else:
        forecast = partial(forecast_origins, bundle.runtime, scaled, timesteps=manifest.timesteps)
    first = np.concatenate([forecast(part, horizon=1)[:, 0] for part in parts])
    values = _in_units(bundle, first)
    if not np.isnan(filled).any():
        # A gap that reaches up to a row was filled with a look at what comes after it.
        values[panel.missing_rows[origins - 1]] = np.nan
    return _beside_actual(bundle, panel, origins, values)


def _beside_actual(bundle: Bundle, panel: Panel, origins: Ints, values: Floats) -> pd.DataFrame:
    """Forecasts of rows with their times and actual values."""
    manifest, timeline = bundle.manifest, panel.timeline
    name = manifest.time.column if manifest.time and timeline else STEP
    times = timeline.times[origins] if timeline else origins + 1
    actual = panel.values[origins][:, manifest.target_places]
    return pd.DataFrame(
        {name: times}
        | dict(zip(manifest.targets, actual.T, strict=True))
        | {
            f"{target}{FORECAST_SUFFIX}": column
            for target, column in zip(manifest.targets, values.T, strict=True)
        }
    )


def _in_units(bundle: Bundle, scaled: Floats) -> Floats:
    """Scaled forecasts in original units, to the 8 digits that 32-bit arithmetic can vouch for."""
    manifest = bundle.manifest
    values = manifest.scaler.only(manifest.target_places).inverse(scaled.astype(np.float64))
    rounded = [float(f"{value:.8g}") for value in values.ravel()]
    return np.array(rounded).reshape(values.shape)


def in_table_style(frame: pd.DataFrame, time: TimeAxis | None) -> pd.DataFrame:
    """The same forecasts with their times as text, in the form that the table has."""
    if time is None or time.column not in frame:
        return frame
    texts = write_dates(pd.DatetimeIndex(frame[time.column]), time.style)
    return frame.assign(**{time.column: texts})


def _check_horizon(bundle: Bundle, steps: int, listen: Listener) -> None:
    manifest = bundle.manifest
    if steps <= manifest.horizon:
        return
    if manifest.targets != manifest.features:
        raise UsageError(
            f"The model forecasts {manifest.horizon} steps of {', '.join(manifest.targets)}; to go "
            f"on to {steps} it would need the coming {', '.join(manifest.features)}.",
            f"Ask for at most {manifest.horizon} steps, or train with --horizon {steps}.",
        )
    listen(
        Note(
            f"the model was trained for {manifest.horizon} steps: beyond them it goes on from its "
            "own forecasts",
            warning=True,
        )
    )
