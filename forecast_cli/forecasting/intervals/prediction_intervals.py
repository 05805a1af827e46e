"""How sure a prediction is: intervals around it, or paths that it may take."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...core.error_scale import recent_by_row
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.padding import owner_series
from ...core.windows import Floats
from ...model.bundle import Bundle
from ...model.calibration import Calibration
from ...model.runtime import chunks, roll_out
from ..frames import build_frame, sample_frame
from ..history import Start
from ..outputs import Guess
from ..prediction_request import PredictionRequest
from ..saved_model_data import (
    forecaster_for,
    judged,
    monte_carlo,
    places,
    restore_recent_errors,
    rows_of_training,
    units_for,
)
from .calibration import MOST_WORKED, errors_from, usual_errors
from .conformal import sample_paths, step_sizes
from .interval_methods import Bands, few_errors, few_paths, make_bands

if TYPE_CHECKING:
    from ..outputs import Ahead

# So many of the latest forecasts of each series show how large errors are at present; at least so
# many where there are very many series.
LATEST, LEAST = 100, 10
# Networks under dropout that a spread is of.
DRAWS = 100


@dataclass(frozen=True)
class Doubt:
    """What intervals of a prediction are made of.

    Args:
        bands: The levels and the method.
        units: Shape `(n_series, targets)`: the usual error of each series, scaled.
        recent: Shape `(n_series, targets)`: how large its recent errors are, 1 the usual ones.
    """

    bands: Bands
    units: Floats
    recent: Floats

    def ends(self, guess: Guess) -> dict[float, tuple[Floats, Floats]]:
        """The lower and upper ends by level, scaled, each `(n_series, steps, targets)`."""
        lower, upper = self.bands.around(guess, self.units, self.recent)
        return {
            level: (lower[..., place], upper[..., place])
            for place, level in enumerate(self.bands.level)
        }


def frame_in_doubt(
    bundle: Bundle,
    start: Start,
    ahead: "Ahead",
    wanted: PredictionRequest,
    on_event: Listener,
    *,
    kept: bool,
) -> pd.DataFrame:
    """The forecasts with their intervals, or sample paths, as a frame in original units.

    Args:
        bundle: The model.
        start: Where the forecasts begin.
        ahead: The forecasts.
        wanted: Levels of intervals, or a number of paths.
        on_event: Told what to think of them.
        kept: Whether they begin at the end of the table that was trained on.

    Raises:
        UsageError: The model cannot make them.
    """
    doubt = prepare_intervals(bundle, start, wanted, on_event, kept=kept)
    if wanted.samples:
        return sample_frame(bundle, start, paths(doubt, ahead.point, wanted))
    return build_frame(bundle, start, ahead.point, doubt.ends(_guess(bundle, doubt, ahead)))


def _guess(bundle: Bundle, doubt: Doubt, ahead: "Ahead") -> Guess:
    """The forecasts, and what the network says of its own doubt."""
    method = doubt.bands.method
    if ahead.windows is None or not method.needs_training:
        return Guess(ahead.point)
    says = _spread if method.by_dropout else _quantiles
    windows, horizon, known = ahead.windows, bundle.manifest.horizon, ahead.known
    if known is not None and known.shape[1] < horizon:
        last = np.repeat(known[:, -1:], horizon - known.shape[1], axis=1)
        known = np.concatenate([known, last], axis=1)
    parts = chunks(np.arange(len(windows)), timesteps=windows.shape[1], features=windows.shape[2])
    said = np.concatenate(
        [says(bundle, windows[part], None if known is None else known[part]) for part in parts]
    )
    if method.by_dropout:
        return Guess(ahead.point, spread=said)
    return Guess(ahead.point, quantiles=said.astype(np.float64))


def _spread(bundle: Bundle, windows: Floats, known: Floats | None) -> Floats:
    """The spread of forecasts under dropout, shape `(n_series, horizon, targets)`."""
    manifest, dropout = bundle.manifest, monte_carlo(bundle)
    if dropout is None:
        raise ValueError("the network has no dropout")
    inputs, horizon = manifest.columns.inputs, manifest.horizon
    forecast = partial(roll_out, windows=windows, ahead=known, inputs=inputs, horizon=horizon)
    return dropout.deviation(forecast, DRAWS)


def _quantiles(bundle: Bundle, windows: Floats, known: Floats | None) -> Floats:
    """The quantiles of the network, shape `(n_series, horizon, targets, quantiles)`."""
    manifest = bundle.manifest
    if known is None:
        return bundle.runtime.quantiles(windows)
    read = known[:, : manifest.horizon, list(manifest.columns.inputs.ahead)]
    return bundle.runtime.quantiles(windows, read)


def prepare_intervals(
    bundle: Bundle, start: Start, wanted: PredictionRequest, on_event: Listener, *, kept: bool
) -> Doubt:
    """What the intervals that are asked for are made of.

    Args:
        bundle: The model.
        start: Where the forecasts begin.
        wanted: Its levels, and how they are made.
        on_event: Told what to think of them.
        kept: Whether the forecasts begin at the end of the table that was trained on.

    Raises:
        UsageError: The model cannot make them.
    """
    config = bundle.manifest.config
    level = wanted.level or None
    bands = make_bands(bundle.calibration, config, level=level, method=wanted.intervals)
    few = few_paths(bands) if wanted.samples else few_errors(bands)
    if few:
        on_event(Note(few, warning=True))
    count, targets = start.panel.count, len(bundle.manifest.targets)
    usual: Floats = np.ones((count, targets))
    calibration = bands.calibration
    if calibration is None:
        return Doubt(bands, usual, usual)
    units = units_for(bundle, start, calibration)
    if not bands.method.by_recent:
        return Doubt(bands, units, usual)
    if kept:
        return Doubt(bands, units, calibration.ended.at(places(bundle, start)).size)
    return Doubt(bands, units, _recent(bundle, start, calibration, units))


def _recent(bundle: Bundle, start: Start, calibration: Calibration, units: Floats) -> Floats:
    """How large the latest errors are: of the forecasts whose whole horizon is in the table.

    Only rows count that the network has not learned from; what was before is in the model file.
    """
    panel, manifest = start.panel, bundle.manifest
    before = restore_recent_errors(bundle, start, calibration)
    most = MOST_WORKED // (panel.count * manifest.horizon * units.shape[1])
    latest = panel.indptr[1:] - min(LATEST, max(most, LEAST)) - manifest.horizon
    # At least a row before: of what begins with a series nothing would be judged.
    old = np.maximum(rows_of_training(bundle, start), 1)
    begins = np.maximum(latest, panel.indptr[:-1] + old)
    network = forecaster_for(bundle, judged(bundle, start, begins))
    origins = network.dataset.origins("test")
    if not len(origins):
        return before.size
    sizes = step_sizes(calibration.of_forecasts)
    usual = usual_errors(errors_from(network, origins, units), sizes)
    rows, last = recent_by_row(usual, origins, panel.indptr, before), panel.indptr[1:] - 1
    known = np.isin(np.arange(panel.count), owner_series(panel.indptr, origins))[:, None]
    return np.where(known, rows.at(last).size, before.size)


def paths(doubt: Doubt, point: Floats, wanted: PredictionRequest) -> Floats:
    """Paths that the values may take, scaled, shape `(n_series, samples, steps, targets)`.

    Args:
        doubt: What intervals would be made of.
        point: Shape `(n_series, steps, targets)`: the forecasts, scaled.
        wanted: How many paths, and the seed that they are drawn from.

    Raises:
        UsageError: There are no errors to make paths of.
    """
    seen, adaptive = doubt.bands.calibration, doubt.bands.method.by_recent
    if seen is None or not np.isfinite(seen.of_forecasts).all(axis=(1, 2)).any():
        raise UsageError(
            "Sample paths are made of the errors of forecasts of the validation split, and the "
            "model has none without a missing value.",
            "Train it again, with more of --validation.",
        )
    errors = seen.of_forecasts / seen.recent[:, None] if adaptive else seen.of_forecasts
    drawn = sample_paths(
        errors,
        len(point),
        samples=wanted.samples or 1,
        steps=point.shape[1],
        draw=np.random.default_rng(wanted.seed),
    )
    units = doubt.units * doubt.recent if adaptive else doubt.units
    return point[:, None] + drawn * units[:, None, None]
