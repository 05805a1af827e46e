"""How sure a prediction is: intervals around it, or paths that it may take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...core.error_scale import Recent
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.forecast import Forecast
from ...core.padding import owner_series
from ...core.windows import Floats
from ...data.dataset import History
from ...model.bundle import Bundle
from ...model.pretrained import MOST_FORECASTS
from ...model.records import Calibration
from ..frames import build_frame, sample_frame
from ..history import match_series
from ..prediction_request import PredictionRequest
from ..saved_model_data import (
    forecaster_for,
    restore_recent_errors,
    rows_of_training,
    scoring_dataset,
    units_for,
)
from .calibration import MOST_WORKED, RecentErrors, parted
from .conformal import sample_paths
from .interval_methods import Bands, few_errors, few_paths, make_bands

# So many of the latest forecasts of each series show how large errors are at present; at least so
# many where there are very many series.
LATEST, LEAST = 100, 10
# The same where each forecast takes milliseconds.
SLOW_LATEST = 20


@dataclass(frozen=True)
class IntervalInputs:
    """What the intervals of a prediction are made of.

    Args:
        bands: The levels and the method.
        units: Shape `(n_series, targets)`: the mean error of each series, scaled.
        recent: Shape `(n_series, targets)`: how large its recent errors are, 1 the usual ones.
        mirrored: Whether sample paths are drawn from mirror images of errors too.
    """

    bands: Bands
    units: Floats
    recent: Floats
    mirrored: bool = True


def frame_with_intervals(
    bundle: Bundle,
    history: History,
    forecast: Forecast,
    wanted: PredictionRequest,
    on_event: Listener,
    *,
    stored: bool,
    among: int | None = None,
) -> pd.DataFrame:
    """The forecasts with their intervals, or sample paths, as a frame in original units.

    Args:
        bundle: The model.
        history: What the forecasts go on from.
        forecast: Scaled, a sample for each series.
        wanted: Levels of intervals, or a number of paths.
        on_event: Notified of too few errors.
        stored: Whether they begin at the end of the table that was trained on.
        among: How many series are forecast, where these are some of them.

    Raises:
        UsageError: The model cannot make them.
    """
    how: Any = {"stored": stored, "among": among}
    inputs = prepare_intervals(bundle, history, wanted, on_event, **how)
    if wanted.samples:
        return sample_frame(bundle, history, paths(inputs, forecast.point, wanted))
    sides = inputs.bands.around(forecast, inputs.units, inputs.recent)
    ends = {
        level: (sides[0][..., place], sides[1][..., place])
        for place, level in enumerate(inputs.bands.level)
    }
    return build_frame(bundle, history, forecast.point, ends)


def prepare_intervals(
    bundle: Bundle,
    history: History,
    wanted: PredictionRequest,
    on_event: Listener,
    *,
    stored: bool,
    among: int | None = None,
) -> IntervalInputs:
    """What the requested intervals are made of; the arguments are those of `frame_with_intervals`.

    Raises:
        UsageError: The model cannot make them.
    """
    config, panel = bundle.manifest.config, history.panel
    level = wanted.level or None
    bands = make_bands(bundle.calibration, config, level=level, method=wanted.intervals)
    mirrored = not bundle.manifest.intermittent
    few = few_paths(bands, mirrored=mirrored) if wanted.samples else few_errors(bands)
    if few:
        on_event(Note(few, warning=True))
    usual: Floats = np.ones((panel.count, len(bundle.manifest.targets)))
    calibration = bands.calibration
    if calibration is None:
        return IntervalInputs(bands, usual, usual, mirrored)
    units = units_for(bundle, history, calibration)
    if not bands.method.by_recent:
        return IntervalInputs(bands, units, usual, mirrored)
    if stored:
        recent = calibration.ended.at(match_series(bundle, panel)).size
    else:
        recent = find_recent_errors(bundle, history, calibration, units, among).size
    return IntervalInputs(bands, units, recent, mirrored)


def find_recent_errors(
    bundle: Bundle,
    history: History,
    calibration: Calibration,
    units: Floats,
    among: int | None = None,
) -> Recent:
    """Return the latest errors of each series: of forecasts with their horizon in the table.

    Only rows count that the network has not learned from; what was before is in the model file.

    Args:
        bundle: The model.
        history: The table.
        calibration: The errors of the validation split.
        units: Shape `(n_series, targets)`: the mean error of each series, scaled.
        among: How many series are forecast, where these are some of them: of each fewer are judged.
    """
    panel, manifest = history.panel, bundle.manifest
    before = restore_recent_errors(bundle, panel, calibration)
    most = MOST_WORKED // ((among or panel.count) * manifest.horizon * units.shape[1])
    most = min(LATEST, max(most, LEAST))
    if bundle.member is not None:
        most = max(1, min(SLOW_LATEST, MOST_FORECASTS // (among or panel.count)))
    latest = panel.indptr[1:] - most - manifest.horizon
    # At least a row before: of what begins with a series nothing would be judged.
    old = np.maximum(rows_of_training(bundle, panel), 1)
    begins = np.maximum(latest, panel.indptr[:-1] + old)
    network = forecaster_for(bundle, scoring_dataset(bundle, history, begins))
    origins = network.dataset.origins("test")
    if not len(origins):
        return before
    errors = RecentErrors(network.dataset, units, calibration.of_forecasts, before)
    for part in parted(network.dataset, origins):
        errors.add_forecasts(part, network.forecast(part).point)
    known = np.isin(np.arange(panel.count), owner_series(panel.indptr, origins))[:, None]
    ended = errors.ended()
    return Recent(
        np.where(known, ended.total, before.total), np.where(known, ended.weight, before.weight)
    )


def paths(inputs: IntervalInputs, point: Floats, wanted: PredictionRequest) -> Floats:
    """Paths that the values may take, scaled, shape `(n_series, samples, steps, targets)`.

    Args:
        inputs: What intervals would be made of.
        point: Shape `(n_series, steps, targets)`: the forecasts, scaled.
        wanted: How many paths, and the seed that they are drawn from.

    Raises:
        UsageError: There are no errors to make paths of.
    """
    seen, adaptive = inputs.bands.calibration, inputs.bands.method.by_recent
    if seen is None or not np.isfinite(seen.of_forecasts).all(axis=(1, 2)).any():
        raise UsageError(
            "Sample paths are drawn from the forecast errors of the validation split, and the "
            "model has none without a missing value.",
            "Train it again with a larger `validation`.",
        )
    errors = seen.of_forecasts / seen.recent[:, None] if adaptive else seen.of_forecasts
    drawn = sample_paths(
        errors,
        len(point),
        samples=wanted.samples or 1,
        steps=point.shape[1],
        draw=np.random.default_rng(wanted.seed),
        mirrored=inputs.mirrored,
    )
    units = inputs.units * inputs.recent if adaptive else inputs.units
    return point[:, None] + drawn * units[:, None, None]
