"""Prediction from a saved model, without TensorFlow."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .core.scaling import rounded
from .core.windows import Floats, Ints
from .data.dateforms import write_dates
from .data.panel import STEP, Panel
from .data.tables import Readable
from .errors import UsageError
from .events import Listener, Note, ignore
from .model.bundle import Bundle
from .model.manifest import TimeAxis
from .model.runtime import chunks, forecast_origins, roll_out
from .model.walk import Walk, parted
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
    steps = steps_wanted(bundle, horizon, listen)
    if source is not None:
        start = end_of_table(bundle, source, reading, listen)
    else:
        start = history_of(bundle)
    scaled = bundle.manifest.scaler.transform(start.rows).astype(np.float32)
    if bundle.manifest.config.network.stateful:
        state = bundle.state if source is None else None
        walk = walk_over(bundle, scaled, state)
        return frame_of(bundle, start, walk.forecast(np.array([len(scaled)]), horizon=steps)[0])
    return frame_of(bundle, start, roll_out(bundle.runtime, scaled[None], horizon=steps)[0])


def steps_wanted(bundle: Bundle, horizon: int | None, listen: Listener) -> int:
    """The steps ahead that are asked for, or the model's own.

    Raises:
        UsageError: The model cannot go that far.
    """
    steps = bundle.manifest.horizon if horizon is None else horizon
    if steps < 1:
        raise UsageError(f"A horizon of {steps} cannot be.", "Give at least 1.")
    _check_horizon(bundle, steps, listen)
    return steps


def walk_over(bundle: Bundle, scaled: Floats, state: Floats | None) -> Walk:
    """A stateful network in front of scaled rows, in the given state; None: it has read nothing."""
    return Walk(bundle.runtime, scaled, None if state is None else parted(bundle.runtime, state))


def frame_of(bundle: Bundle, start: Start, scaled: Floats) -> pd.DataFrame:
    """Scaled forecasts, shape `(steps, targets)`, in original units with their times."""
    manifest, values = bundle.manifest, _in_units(bundle, scaled)
    times = start.times_after(len(values))
    name = manifest.time.name if manifest.time and times is not None else STEP
    ahead = np.arange(1, len(values) + 1) if times is None else times
    return pd.DataFrame({name: ahead} | dict(zip(manifest.targets, values.T, strict=True)))


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
        forecast = walk_over(bundle, scaled, None).forecast
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
    name = manifest.time.name if manifest.time and timeline else STEP
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
    """Scaled forecasts in original units."""
    scaling = bundle.manifest.scaler.only(bundle.manifest.target_places)
    return rounded(scaling.inverse(scaled.astype(np.float64)))


def in_table_style(frame: pd.DataFrame, time: TimeAxis | None) -> pd.DataFrame:
    """The same forecasts with their times as text, in the form that the table has."""
    if time is None or time.name not in frame:
        return frame
    texts = write_dates(pd.DatetimeIndex(frame[time.name]), time.style)
    return frame.assign(**{time.name: texts})


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
