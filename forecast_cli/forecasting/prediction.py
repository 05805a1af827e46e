"""Prediction from a saved model, without TensorFlow."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import ModelFileError, UsageError
from ..core.events import Done, Listener, Note, Stage, ignore, once
from ..core.forecast import Forecast, concatenate
from ..core.padding import owner_series, pad_short_series
from ..core.ragged import row_numbers
from ..core.windows import Floats, Ints
from ..data.dataset import History
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.splits import LEAST_KNOWN
from ..model.bundle import Bundle
from ..model.runtime import Forecasting, chunks, forecast_origins, roll_out
from ..model.series_networks import network_of
from ..model.stateful import Walk, parted
from .frames import beside_actual, build_frame, in_units, stack_scenarios
from .history import (
    READ_AS_TRAINED,
    make_history,
    network_places,
    read_as_trained,
    too_few,
)
from .level_check import check_levels
from .network_forecaster import with_member
from .prediction_request import ALL, PredictionRequest, check_request, find_history, steps_wanted
from .saved_model_data import monte_carlo

# A plain prediction need not load what predicts labels, compares scenarios or makes intervals: that
# is imported where it is needed.

# Forecasts that are so far below their lower bound, as a share of the largest value's distance from
# it, are warned about.
FAR_BELOW = 0.05


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
        source: The table to forecast from, as in `train`; None for the end of the training table.
        wanted: Which forecasts are requested.
        reading: How this table is read, where it differs from the one that was trained on.
        on_event: Notified of what is worth knowing.

    Returns:
        The names of the series, the time column (`step`, from 1, where there is none), then each
        target in original units with its intervals, as `Close_lo80` and `Close_hi80`; of a table
        whose columns are series, a column for each. Of sample paths a row for each step of each,
        with its number as `sample`. Of several scenarios the forecasts of each, one below the
        other, after a column `scenario`.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The model cannot go that far.
    """
    if bundle.manifest.labels is not None:
        from .label_prediction import predict_labels

        return predict_labels(bundle, source, wanted, reading=reading, on_event=on_event)
    check_request(wanted)
    steps = steps_wanted(bundle, wanted.horizon, on_event)
    on_event(Stage("reading"))
    history = find_history(bundle, source, wanted, reading, on_event)
    how: Any = {"steps": steps, "stored": source is None, "on_event": on_event}
    if not (wanted.what_if or wanted.several_futures):
        return predict_from(bundle, history, wanted, **how)
    return _compare(bundle, history, wanted, reading, **how)


def _compare(
    bundle: Bundle,
    history: History,
    wanted: PredictionRequest,
    reading: Mapping[str, Any],
    *,
    on_event: Listener,
    **how: Any,
) -> pd.DataFrame:
    """Forecast several scenarios; see `predict`."""
    from .scenarios import make_scenarios

    steps, hear = how["steps"], once(on_event)
    made = make_scenarios(bundle, history, wanted, steps=steps, reading=reading, on_event=on_event)
    return stack_scenarios(
        {
            name: predict_from(bundle, each, wanted, on_event=hear, **how)
            for name, each in made.items()
        }
    )


def predict_from(
    bundle: Bundle,
    history: History,
    wanted: PredictionRequest,
    *,
    steps: int,
    stored: bool,
    on_event: Listener,
    among: int | None = None,
) -> pd.DataFrame:
    """Forecast from rows and what is known after them; see `predict`.

    Args:
        bundle: The model.
        history: As `find_history` gives it.
        wanted: Which forecasts are requested.
        steps: As `steps_wanted` gives them.
        stored: Whether the rows are those that the model file keeps.
        on_event: Notified of what is worth knowing.
        among: How many series are forecast, where these are some of them.
    """
    on_event(Stage("forecasting"))
    how: Any = {"stored": stored, "on_event": on_event}
    forecast = forecast_history(bundle, history, steps, wanted, **how)
    if not np.isfinite(forecast.point).all():
        raise ModelFileError(
            "The network of the model makes forecasts of these rows that are not finite numbers.",
            "Check the values of the last rows, or train again.",
        )
    _warn_of_bounds(bundle, history, forecast.point, on_event)
    if not wanted.uncertain:
        return build_frame(bundle, history, forecast.point)
    from .intervals.prediction_intervals import frame_with_intervals

    how |= {"among": among}
    return frame_with_intervals(bundle, history, forecast, wanted, **how)


def forecast_history(
    bundle: Bundle,
    history: History,
    steps: int,
    wanted: PredictionRequest,
    *,
    stored: bool,
    on_event: Listener = ignore,
) -> Forecast:
    """Forecast all series, scaled, `point` of shape `(n_series, steps, targets)`.

    A stateful network continues from its own state where the rows are the `stored` ones. Each part
    of many series is a `Done`.
    """
    if bundle.manifest.config.network.stateful:
        walk = walk_over(bundle, history.scale(), bundle.state if stored else None)
        return Forecast(walk.forecast(np.array([len(history.filled)]), horizon=steps))
    manifest, inputs = bundle.manifest, bundle.manifest.columns.inputs
    ahead = history.ahead(steps) if inputs.known else None
    first = manifest.config.network.padding == "first"
    windows = history.windows(manifest.timesteps, first=first)
    # Intervals made another way than the model was trained for do not need the spread.
    own = wanted.intervals in (None, manifest.config.intervals)
    dropout = monte_carlo(bundle) if wanted.level and own else None
    made, places = [], network_places(bundle, history.panel)
    parts = chunks(np.arange(len(windows)), timesteps=windows.shape[1], features=inputs.features)
    for part in parts:
        known = None if ahead is None else ahead[part]
        forecast = partial(roll_out, windows=windows[part], ahead=known, inputs=inputs)
        made.append(forecast(network_of(bundle.network, places[part]), horizon=steps))
        if dropout is not None:
            spread = dropout.deviation(partial(_points, forecast, min(steps, manifest.horizon)))
            made[-1] = replace(made[-1], spread=spread)
        on_event(Done("series", int(part[-1]) + 1, len(windows)))
    return with_member(bundle.member, history, concatenate(made), history.panel.indptr[1:])


def _warn_of_bounds(bundle: Bundle, history: History, scaled: Floats, on_event: Listener) -> None:
    """Warn where forecasts, `(n_series, steps, targets)`, would be far below their lower bound."""
    places = bundle.manifest.target_places
    scaling = history.scaling.only(places).each(np.arange(len(scaled)), steps=True)
    if scaling.lower is None:
        return
    free = replace(scaling, lower=None).inverse(scaled.astype(np.float64))
    rows = history.filled[:, places]
    with np.errstate(invalid="ignore"):
        below = scaling.lower - free > FAR_BELOW * (np.nanmax(rows, axis=0) - scaling.lower)
    if below.any():
        least = scaling.lower[below.any(axis=(0, 1))][0]
        text = f"{int(below.sum())} of {below.size} forecasts would be far below {least:g} and are"
        way = "(train with `lower_bound=none` if values may be below it)"
        on_event(Note(f"{text} set to it: no value was below it in training {way}", warning=True))


def _points(forecast: Callable[..., Forecast], horizon: int, network: Forecasting) -> Floats:
    """The point forecasts of a network, shape `(samples, horizon, targets)`."""
    return forecast(network, horizon=horizon).point


def walk_over(bundle: Bundle, scaled: Floats, state: Floats | None) -> Walk:
    """Return a stateful network before scaled rows, shape `(n_rows, features)`.

    `state`, shape `(units,)`, is its initial state; None before the first row.
    """
    return Walk(bundle.runtime, scaled, None if state is None else parted(bundle.runtime, state))


def predict_in_sample(
    bundle: Bundle,
    source: Readable,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> pd.DataFrame:
    """One-step forecasts over a table, each from the actual rows before it; see `predict`.

    Returns:
        From the first row on that has enough rows of its series before it, `timesteps` for a
        trained network: what names the series, the time column (`step`, the number of the row,
        where there is none), the actual values of each target, and their forecasts as
        `NAME_forecast`.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    manifest = bundle.manifest
    if manifest.labels is not None:
        raise UsageError("A label has no steps to forecast.", "Omit `in_sample`.")
    panel = read_as_trained(bundle, source, reading, on_event)
    check_levels(bundle, panel, on_event, begins=panel.indptr[:-1])
    return forecast_in_sample(bundle, panel, on_event)


def forecast_in_sample(bundle: Bundle, panel: Panel, on_event: Listener = ignore) -> pd.DataFrame:
    """As `predict_in_sample`, of a table that was read."""
    manifest = bundle.manifest
    history = make_history(bundle, panel, on_event, scaled_by=manifest.timesteps)
    # The pretrained network reads what rows there are.
    short = manifest.config.network.pretrained
    least = LEAST_KNOWN if short else manifest.timesteps
    origins = np.flatnonzero(row_numbers(panel.indptr) >= least)
    if not len(origins):
        raise too_few(bundle, panel, least + 1)
    padding = pad_short_series(
        panel.indptr, np.full(panel.count, short), timesteps=manifest.timesteps
    )
    places = network_places(bundle, panel)[owner_series(panel.indptr, origins)]
    made = _first_steps(bundle, padding.spread(history.scale()), padding.moved(origins), places)
    first = with_member(bundle.member, history, made, origins).point
    values = in_units(bundle, history, owner_series(panel.indptr, origins), first)[:, 0]
    if not np.isnan(history.filled).any():
        # A gap that reaches up to a row was filled with a look at what comes after it.
        values[panel.missing_rows[origins - 1]] = np.nan
    return beside_actual(bundle, panel, origins, values)


def _first_steps(bundle: Bundle, scaled: Floats, origins: Ints, places: Ints) -> Forecast:
    """Return forecasts of one step by the networks, scaled, `point` `(samples, 1, targets)`.

    `scaled` are all rows, shape `(n_rows, features)`, `origins` some, shape `(samples,)`, and
    `places` the networks of their series.
    """
    manifest = bundle.manifest
    parts = chunks(origins, timesteps=manifest.timesteps, features=len(manifest.features))
    if manifest.config.network.stateful:
        walk = walk_over(bundle, scaled, None)
        return Forecast(np.concatenate([walk.forecast(part, horizon=1) for part in parts]))
    how: Any = {"inputs": manifest.columns.inputs, "timesteps": manifest.timesteps, "horizon": 1}
    ends = np.cumsum([len(part) for part in parts])[:-1]
    made = [
        forecast_origins(network_of(bundle.network, own), scaled, part, **how)
        for part, own in zip(parts, np.split(places, ends), strict=True)
    ]
    return concatenate(made)
