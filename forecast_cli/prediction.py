"""Prediction from a saved model, without TensorFlow."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .core.room import series_of
from .core.scaling import rounded
from .core.windows import Floats, Ints
from .data.ahead import before, times_ahead
from .data.dateforms import write_dates
from .data.panel import SERIES, STEP, VALUE, Panel
from .data.splits import date_of
from .data.tables import Readable
from .errors import UsageError, listed
from .events import Listener, Note, ignore
from .model.bundle import Bundle
from .model.manifest import TimeAxis
from .model.runtime import chunks, forecast_origins, roll_out
from .model.walk import Walk, parted
from .starts import (
    READ_AS_TRAINED,
    Start,
    data_as_trained,
    history_of,
    read_as_trained,
    require_rows,
    start_of,
    too_few,
)

FORECAST_SUFFIX = "_forecast"


@dataclass(frozen=True)
class Wanted:
    """Which forecasts are wanted.

    Args:
        horizon: Steps ahead, any number; the model's own where None.
        only: Names of the series to forecast, of several parts with blanks between them; all
            where empty.
        begin: The time of the first forecast, ISO 8601: later rows of the table are not read, but
            for what is known ahead; None for the step after the last row.
        future: A table of future covariates.
    """

    horizon: int | None = None
    only: tuple[str, ...] = ()
    begin: str | None = None
    future: Readable | None = None

    @property
    def anything(self) -> bool:
        """Whether anything was said."""
        return bool(self.horizon is not None or self.beside_horizon)

    @property
    def beside_horizon(self) -> bool:
        """Whether anything but the horizon was said."""
        return bool(self.only or self.begin is not None or self.future is not None)


ALL = Wanted()


def predict(
    bundle: Bundle,
    source: Readable | None = None,
    wanted: Wanted = ALL,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    listen: Listener = ignore,
) -> pd.DataFrame:
    """Forecast the next steps.

    Args:
        bundle: The model.
        source: The table to go on from, as in `train`; None for the end of the table that the
            model was trained on.
        wanted: Which forecasts.
        reading: How this table differs from the one that was trained on: `missing`, `na`,
            `date_format`, `timezone`.
        listen: Told what is worth knowing.

    Returns:
        What names the series, the time column (`step`, from 1, where there is none), then each
        target, original units; of a table whose columns are series, a column for each.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The model cannot go that far.
    """
    if bundle.manifest.labels is not None:
        from .labels.prediction import predict_labels

        if wanted.anything:
            raise UsageError(
                "A label has no steps ahead, and no series of its own.",
                "Leave --horizon, --only, --from and --future out.",
            )
        return predict_labels(bundle, source, reading=reading, listen=listen)
    steps = steps_wanted(bundle, wanted.horizon, listen)
    start = start_wanted(bundle, source, wanted, reading, listen)
    if bundle.manifest.config.network.stateful:
        state = bundle.state if source is None else None
        walk = walk_over(bundle, start.scaled, state)
        forecast = walk.forecast(np.array([len(start.filled)]), horizon=steps)
        return frame_of(bundle, start, forecast)
    inputs = bundle.manifest.columns.inputs
    ahead = start.ahead(steps) if inputs.known else None
    windows = start.windows(bundle.manifest.timesteps)
    parts = chunks(np.arange(len(windows)), timesteps=windows.shape[1], features=windows.shape[2])
    forecasts = [
        roll_out(
            bundle.runtime,
            windows[part],
            None if ahead is None else ahead[part],
            inputs=inputs,
            horizon=steps,
        )
        for part in parts
    ]
    return frame_of(bundle, start, np.concatenate(forecasts))


def start_wanted(
    bundle: Bundle,
    source: Readable | None,
    wanted: Wanted,
    reading: Mapping[str, Any],
    listen: Listener,
) -> Start:
    """Where the forecasts begin that are wanted.

    Raises:
        UsageError: A series is not there, or there is no row to begin from.
        DataError: The table does not hold what the model needs.
    """
    if source is None:
        start = history_of(bundle)
    else:
        start = read_as_trained(bundle, source, reading, listen)
    panel = start.panel
    if wanted.only:
        panel = panel.only(_named(panel, wanted.only))
    if wanted.begin is not None:
        panel = _from(panel, wanted.begin, source)
    if wanted.future is not None:
        if not panel.columns.covariates.future:
            raise UsageError("The model reads no future covariates.", "Leave --future out.")
        # A prediction without a table need not load what reads one.
        from .data.future import with_future

        data = data_as_trained(bundle, reading)
        panel = with_future(panel, wanted.future, data, listen=listen)
    if panel is not start.panel:
        # Cut or chosen anew, so filled and scaled anew, by nothing that was left out.
        start = start_of(bundle, panel, ignore)
    require_rows(bundle, start.panel)
    return start


def _named(panel: Panel, only: tuple[str, ...]) -> Ints:
    """The places of series by their names."""
    if not len(panel.ids.columns):
        raise UsageError("There is one series, without a name.", "Leave --only out.")
    names: dict[str, int] = {}
    for series in range(panel.count):
        # Of two that read alike neither is meant.
        names[panel.name(series)] = -1 if panel.name(series) in names else series
    asked = [each for text in only for each in _parted(text, names)]
    for name in asked:
        if names.get(name) == -1:
            raise UsageError(f'Two series read "{name}".', "Leave --only out.")
        if name not in names:
            raise UsageError(f'There is no series "{name}".', _nearest(name, names))
    return np.array([names[name] for name in dict.fromkeys(asked)])


def _nearest(name: str, names: Collection[str]) -> str:
    """The nearest names, and some of all."""
    close = get_close_matches(name, names, n=3)
    guess = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{guess}There are {len(names):,}: {listed(list(names))}."


def _parted(text: str, names: Collection[str]) -> list[str]:
    """A name, or several with commas between them."""
    return [text] if text in names else [part.strip() for part in text.split(",")]


def _from(panel: Panel, begin: str, source: Readable | None) -> Panel:
    """The panel up to the first forecast."""
    if panel.timeline is None:
        raise UsageError(f"--from {begin} is a date, and there is no time column.", "Leave it out.")
    date = date_of("--from", begin, panel.timeline.times)
    if source is None:
        raise UsageError(
            "--from needs the rows before that date, and the model keeps the last ones alone.",
            "Name DATA, which holds them.",
        )
    return before(panel, date)


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
    """Scaled forecasts, shape `(n_series, steps, targets)`, in original units with their times."""
    manifest, panel = bundle.manifest, start.panel
    values = _in_units(bundle, start, np.arange(panel.count), scaled)
    steps = values.shape[1]
    frame = panel.ids.loc[panel.ids.index.repeat(steps)].reset_index(drop=True)
    times = times_ahead(panel, steps)
    name = manifest.time.name if manifest.time and times is not None else STEP
    frame[name] = np.tile(np.arange(1, steps + 1), panel.count) if times is None else times
    flat = values.reshape(-1, values.shape[2])
    frame = frame.assign(**dict(zip(manifest.targets, flat.T, strict=True)))
    return _in_layout(frame, name, manifest.config.data.layout)


def _in_layout(frame: pd.DataFrame, time: str, layout: str | None) -> pd.DataFrame:
    """Forecasts in the layout of the table: where its columns are series, so are theirs."""
    if layout != "columns":
        return frame
    order = list(dict.fromkeys(frame[SERIES]))
    wide = frame.pivot(index=time, columns=SERIES, values=VALUE)[order]
    return wide.rename_axis(columns=None).reset_index()


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
        From the first row on that has `timesteps` rows of its series before it: what names the
        series, the time column (`step`, the number of the row, where there is none), the actual
        values of each target, and their forecasts as `NAME_forecast`.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    manifest = bundle.manifest
    if manifest.labels is not None:
        raise UsageError("A label has no steps to forecast.", "Leave --in-sample out.")
    start = read_as_trained(bundle, source, reading, listen, scaled_by=manifest.timesteps)
    panel, scaled = start.panel, start.scaled
    origins = np.arange(len(scaled))
    origins = origins[_row_numbers(panel) >= manifest.timesteps]
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
    values = _in_units(bundle, start, series_of(panel.indptr, origins), first)[:, 0]
    if not np.isnan(start.filled).any():
        # A gap that reaches up to a row was filled with a look at what comes after it.
        values[panel.missing_rows[origins - 1]] = np.nan
    return _beside_actual(bundle, panel, origins, values)


def _row_numbers(panel: Panel) -> Ints:
    """The number of each row in its series, from 0."""
    return np.arange(len(panel.values)) - np.repeat(panel.indptr[:-1], panel.lengths)


def _beside_actual(bundle: Bundle, panel: Panel, origins: Ints, values: Floats) -> pd.DataFrame:
    """Forecasts of rows with their times and actual values."""
    manifest, timeline = bundle.manifest, panel.timeline
    name = manifest.time.name if manifest.time and timeline else STEP
    frame = panel.ids.iloc[series_of(panel.indptr, origins)].reset_index(drop=True)
    frame[name] = timeline.times[origins] if timeline else _row_numbers(panel)[origins] + 1
    actual = panel.values[origins][:, manifest.target_places]
    forecasts = [f"{target}{FORECAST_SUFFIX}" for target in manifest.targets]
    columns = zip((*manifest.targets, *forecasts), (*actual.T, *values.T), strict=True)
    return frame.assign(**dict(columns))


def _in_units(bundle: Bundle, start: Start, series: Ints, scaled: Floats) -> Floats:
    """Scaled forecasts in original units; `series` says which one each sample is of."""
    scaling = start.scaling.only(bundle.manifest.target_places).each(series, steps=True)
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
    columns = manifest.columns
    unknown = [name for name in columns.columns if name not in columns.targets]
    unknown += columns.covariates.past
    if unknown:
        raise UsageError(
            f"The model forecasts {manifest.horizon} steps of {', '.join(manifest.targets)}; to go "
            f"on to {steps} it would need the coming {', '.join(unknown)}.",
            f"Ask for at most {manifest.horizon} steps, or train with --horizon {steps}.",
        )
    listen(
        Note(
            f"the model was trained for {manifest.horizon} steps: beyond them it goes on from its "
            "own forecasts",
            warning=True,
        )
    )
