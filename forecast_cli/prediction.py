"""Prediction from a saved model, without TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from .core.windows import Floats, Ints
from .data.dateforms import write_dates
from .data.dates import NO_TIME
from .data.frequency import Frequency
from .data.missing import fill_missing
from .data.panel import STEP, Panel, Timeline, read_panel
from .data.splits import everything
from .data.tables import Readable
from .datasets import require_positive
from .errors import DataError, UsageError
from .events import Listener, Note, ignore
from .model.bundle import Bundle
from .model.manifest import TimeAxis
from .model.runtime import chunks, forecast_origins, roll_out

FORECAST_SUFFIX = "_forecast"
# Nothing about how a table is read differs from the table that was trained on.
READ_AS_TRAINED: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Start:
    """Where a forecast begins.

    Args:
        rows: Shape `(timesteps, features)`: the last rows, original units.
        timeline: Their times, or only the last one; None where rows are steps.
    """

    rows: Floats
    timeline: Timeline | None


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
    manifest = bundle.manifest
    steps = manifest.horizon if horizon is None else horizon
    if steps < 1:
        raise UsageError(f"A horizon of {steps} cannot be.", "Give at least 1.")
    _check_horizon(bundle, steps, listen)
    start = _history(bundle) if source is None else _from_table(bundle, source, reading, listen)
    windows = manifest.scaler.transform(start.rows)[None]
    scaled = roll_out(bundle.runtime, windows.astype(np.float32), horizon=steps)[0]
    values = _in_units(bundle, scaled)
    times = _times_after(start, steps)
    name = manifest.time.column if manifest.time and times is not None else STEP
    ahead = np.arange(1, steps + 1) if times is None else times
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
    panel, filled = _read(bundle, source, reading, listen)
    scaled = manifest.scaler.transform(filled).astype(np.float32)
    origins = np.arange(manifest.timesteps, len(filled))
    if not len(origins):
        raise _too_few(bundle, len(filled), manifest.timesteps + 1, panel.source)
    parts = chunks(origins, timesteps=manifest.timesteps, features=len(manifest.features))
    forecast = partial(forecast_origins, bundle.runtime, scaled, timesteps=manifest.timesteps)
    first = np.concatenate([forecast(part, horizon=1)[:, 0] for part in parts])
    values = _in_units(bundle, first)
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


def _history(bundle: Bundle) -> Start:
    """The end of the table that the model was trained on."""
    time = bundle.manifest.time
    if time is None:
        return Start(bundle.history, None)
    last = pd.Timestamp(time.last)
    times = pd.DatetimeIndex([last if time.timezone is None else last.tz_convert(time.timezone)])
    return Start(bundle.history, Timeline(times, _frequency(time), time.style))


def _from_table(
    bundle: Bundle, source: Readable, reading: Mapping[str, Any], listen: Listener
) -> Start:
    panel, filled = _read(bundle, source, reading, listen)
    timesteps = bundle.manifest.timesteps
    if len(filled) < timesteps:
        raise _too_few(bundle, len(filled), timesteps, panel.source)
    return Start(filled[-timesteps:], panel.timeline)


def _read(
    bundle: Bundle, source: Readable, reading: Mapping[str, Any], listen: Listener
) -> tuple[Panel, Floats]:
    """A table read in the way of the model's own, and its values without gaps."""
    manifest = bundle.manifest
    time = manifest.time
    own = {"time": time.column if time else NO_TIME}
    data = manifest.config.data.model_copy(update=own | dict(reading))
    panel = read_panel(source, data, listen=listen, frequency=_frequency(time) if time else None)
    filled = fill_missing(panel.values, everything(panel), data.missing, source=panel.source)
    require_positive(panel, filled, manifest.config)
    return panel, filled


def _frequency(time: TimeAxis) -> Frequency:
    parsed = Frequency.parse(time.freq)
    return Frequency(parsed.alias, parsed.step, parsed.months, time.day)


def _times_after(start: Start, steps: int) -> pd.DatetimeIndex | None:
    if start.timeline is None:
        return None
    return start.timeline.frequency.after(start.timeline.times[-1], steps)


def _too_few(bundle: Bundle, rows: int, needed: int, source: str) -> DataError:
    return DataError(
        f"{source} has {rows} rows; the model looks {bundle.manifest.timesteps} steps back and "
        f"needs at least {needed}.",
        "Give it more of the latest rows.",
    )
