"""Folds of a backtest: the rows to train on, and the rows to forecast from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..config.registries import DEFAULT_INTERVALS
from ..config.schema import Config
from ..core.events import Listener, ignore
from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.ragged import cumulate
from ..core.scaling import Scaling, rounded
from ..core.windows import Floats, Ints
from ..data.categories import with_categories
from ..data.dataset import Dataset, History, split_history
from ..data.missing import fill_panel
from ..data.panel import Panel
from ..data.splits import Splits
from ..forecasting.history import make_history, match_series
from ..forecasting.intervals.calibration import (
    RecentErrors,
    calibrate,
    parted,
    validation_errors,
)
from ..forecasting.intervals.interval_methods import Bands, few_errors, make_bands
from ..forecasting.network_forecaster import NetworkForecaster
from ..forecasting.saved_model_data import forecaster_for, units_for
from ..model.bundle import Bundle
from ..model.records import Calibration
from ..training.fitting import keep, name_trained
from ..training.model_assembly import rescaled
from ..training.preparation import make_dataset, on_all_rows

NO_ERRORS = "no intervals: there are no validation errors to make them from"


@dataclass(frozen=True)
class Fold:
    """The rows that may be known, and the origins to forecast from.

    Args:
        panel: The whole table: a forecast from a row reads nothing from that row on, except future
            covariates.
        known: Shape `(n_rows, targets)`: the targets without gaps, original units.
        begins: Shape `(n_series,)`: the first training row of each series.
        ends: Shape `(n_series,)`: the row after the last training row.
        origins: Shape `(samples,)`: the rows from which to forecast, ascending in each series.
        firsts: Shape `(samples,)`: the first row that a forecast without a network may read.
        horizon: Steps ahead.
    """

    panel: Panel
    known: Floats
    begins: Ints
    ends: Ints
    origins: Ints
    firsts: Ints
    horizon: int

    @property
    def kept(self) -> Ints:
        """The series that have training rows, shape `(kept series,)`."""
        return np.flatnonzero(self.ends > self.begins)

    def rows_to_learn_from(self) -> Panel:
        """Return the panel of the training rows, and nothing else."""
        return rows_between(self.panel, self.begins, self.ends)


def rows_between(panel: Panel, begins: Ints, ends: Ints) -> Panel:
    """Return some rows of each series, and nothing else; series without any are left out.

    Args:
        panel: The whole table.
        begins: Shape `(n_series,)`: the first row of each series.
        ends: Shape `(n_series,)`: the row after the last.
    """
    kept = np.flatnonzero(ends > begins)
    rows = np.flatnonzero(panel.between(begins, ends))
    return replace(
        panel.rows_kept(rows, (ends - begins)[kept]),
        ids=panel.ids.iloc[kept].reset_index(drop=True),
        ahead=panel.ahead[kept, :0],
    )


def learning_dataset(fold: Fold, config: Config, on_event: Listener) -> Dataset:
    """Return the training data of a network in a fold: a validation split and no test split.

    Raises:
        DataError: There are too few rows.
    """
    config = config.changed(split={"test": 0})
    return make_dataset(fold.rows_to_learn_from(), config, on_event=on_event)


def forecast_by_network(
    fold: Fold,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    *,
    config: Config,
) -> Forecast:
    """Train a network on the rows of a fold, and forecast with it; each epoch may be the last."""
    from ..training.network_training import make_forecaster, train_network

    learned = learning_dataset(fold, config, ignore)
    scored = train_network(learned, on_event=on_event, should_stop=should_stop)
    calibration = calibrate(learned, validation_errors(make_forecaster(scored)))
    trained = keep(scored, on_all_rows, train_network, on_event=on_event, should_stop=should_stop)
    whole = _whole(fold, trained.dataset, _of_all(trained.dataset.scaling, fold))
    if calibration is not None:
        units = np.ones((fold.panel.count, len(learned.targets)))
        units[fold.kept] = rescaled(calibration, learned, trained.dataset).units
        calibration = replace(calibration, units=units)
    network = make_forecaster(replace(trained, dataset=whole))
    level = learned.config.level
    made = _forecast_all(network, fold.origins, calibration, learned.config, level)
    return replace(made, makers=(name_trained(trained),))


def forecast_by_bundle(fold: Fold, *_: Any, bundle: Bundle, level: tuple[float, ...]) -> Forecast:
    """Forecast with a trained model; series that it does not know are scaled by the fold's rows.

    The level of its intervals is in percent.
    """
    window = {"horizon": fold.horizon}
    config = bundle.manifest.config.changed(window=window, data=fold.panel.data)
    known = make_history(bundle, fold.rows_to_learn_from(), ignore)
    ends = cumulate(known.panel.lengths)
    learned = split_history(known, config, Splits(ends, ends[1:], ends[1:]))
    scaling, calibration = _numbers_of_all(bundle, fold, known)
    network = forecaster_for(bundle, _whole(fold, learned, scaling))
    made = _forecast_all(network, fold.origins, calibration, config_for(bundle, level), level)
    manifest = bundle.manifest
    return replace(made, makers=((manifest.name, manifest.description),))


def _numbers_of_all(
    bundle: Bundle, fold: Fold, known: History
) -> tuple[Scaling, Calibration | None]:
    """Return the scaling and calibration of all series; those known from training need no rows."""
    trained = match_series(bundle, fold.panel)
    seen, calibration = np.maximum(trained, 0), bundle.calibration
    scaling = _of_all(known.scaling, fold, bundle.scaling.each(seen))
    if calibration is None:
        return scaling, None
    units = np.where(trained[:, None] >= 0, calibration.units[seen], calibration.usual_unit)
    units[fold.kept] = units_for(bundle, known, calibration)
    return scaling, replace(calibration, units=units)


def config_for(bundle: Bundle, level: tuple[float, ...]) -> Config:
    """Return the configuration of the intervals; conformal where the model lacks the quantiles."""
    config = bundle.manifest.config
    if config.interval_method.by_quantiles and not {*level} <= {*config.level}:
        return config.changed(intervals=DEFAULT_INTERVALS)
    return config


def _forecast_all(
    network: NetworkForecaster,
    origins: Ints,
    calibration: Calibration | None,
    config: Config,
    level: tuple[float, ...],
) -> Forecast:
    """Return forecasts, made once from each of the origins, shape `(samples,)`, with intervals."""
    dataset = network.dataset
    possible = calibration is not None or not config.interval_method.uses_errors
    bands = make_bands(calibration, config, level=level) if possible else None
    recent, rows = None, [origins]
    if bands is not None and bands.method.by_recent and calibration is not None:
        # The errors of all forecasts count whose horizon is past at an origin.
        recent = RecentErrors(dataset, calibration.units, calibration.of_forecasts)
        rows += [network.origins("validation"), network.origins("test")]
    points, ends = [], []
    for part in parted(dataset, np.unique(np.concatenate(rows))):
        made, wanted = network.forecast(part), np.isin(part, origins)
        if recent is not None:
            recent.add_forecasts(part, made.point)
        points.append(network.in_units(made.point, part)[wanted])
        if bands is None:
            continue
        units = bands.units_at(owner_series(dataset.panel.indptr, part), made.point.shape[2])
        sizes = np.ones_like(units) if recent is None else recent.sizes_at(part)
        sides = bands.around(made, units, sizes)
        ends.append(np.stack([network.ends_in_units(side, part)[wanted] for side in sides]))
    # The parts are in ascending order of their origins.
    return _joined(points, ends, np.searchsorted(np.sort(origins), origins), bands)


def _joined(
    points: list[Floats], ends: list[Floats], places: Ints, bands: Bands | None
) -> Forecast:
    """Return the forecasts of all parts as one, original units, in the order of `places`.

    Shapes `(part, horizon, targets)` and `(2, part, horizon, targets, levels)` each; `(samples,)`.
    """
    point = rounded(np.concatenate(points))[places]
    if bands is None:
        return Forecast(point, notes=(NO_ERRORS,))
    few = few_errors(bands)
    both = rounded(np.concatenate(ends, axis=1))[:, places]
    return Forecast(point, ends=both, notes=(few,) if few else ())


def _whole(fold: Fold, learned: Dataset, scaling: Scaling) -> Dataset:
    """Return the whole table as the input of a network that was trained on a part of it.

    Rows after that part are filled separately, as a test split is. The scaling is of all series.
    """
    panel = with_categories(fold.panel, learned.panel.columns.covariates.categories)
    splits = _splits(fold, learned.splits)
    filled = fill_panel(panel, splits, season_length=learned.season_length)
    config = learned.config
    history = History(panel, filled, scaling, learned.season_length)
    return split_history(history, config, splits)


def _splits(fold: Fold, learned: Splits) -> Splits:
    """Return the splits of the whole table: those of the training, and a test split after them."""
    indptr, kept = fold.panel.indptr, fold.kept
    train_end, validation_end = indptr[:-1].copy(), indptr[:-1].copy()
    moved = fold.begins[kept] - learned.indptr[:-1]
    train_end[kept] = learned.train_end + moved
    validation_end[kept] = learned.validation_end + moved
    return Splits(indptr, train_end, validation_end)


def _of_all(scaling: Scaling, fold: Fold, others: Scaling | None = None) -> Scaling:
    """Return the scaling of all series: those with training rows, and the others."""
    if not scaling.by_series:
        return scaling
    shape = (fold.panel.count, scaling.center.shape[1])
    center: Floats = np.zeros(shape) if others is None else others.center.copy()
    scale: Floats = np.ones(shape) if others is None else others.scale.copy()
    center[fold.kept], scale[fold.kept] = scaling.center, scaling.scale
    return replace(scaling, center=center, scale=scale)
