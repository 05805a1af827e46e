"""A fold of a backtest: what may be known where something is learned, and what is forecast."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..bands import make_bands
from ..checks import require_positive
from ..config import BY_QUANTILES, Config
from ..core.ragged import indptr_of
from ..core.room import series_of
from ..core.scaling import Scaling, rounded
from ..core.windows import Floats, Ints
from ..data.categories import kept_numbers
from ..data.missing import fill_panel
from ..data.panel import Panel
from ..data.roles import Columns
from ..data.splits import Splits
from ..datasets import Dataset, make_dataset, on_all_rows, with_scaling
from ..events import Listener, ignore
from ..fitting import keep
from ..forecaster import NetworkForecaster
from ..judged import forecaster_for, units_for
from ..model.bundle import Bundle
from ..model.calibration import Calibration
from ..packing import rescaled
from ..residuals import calibrate, parted, recent_at
from ..rules import season_of
from ..starts import start_of
from .said import Said


@dataclass(frozen=True)
class Fold:
    """What may be known, and what is to be forecast.

    Args:
        panel: The whole table: what forecasts from a row reads nothing from it on, but for what is
            known ahead.
        known: Shape `(n_rows, targets)`: the targets without gaps, original units.
        begins: Shape `(n_series,)`: the first row of each series that may be learned from.
        ends: Shape `(n_series,)`: the row after the last one that may be learned from.
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
        """The series that have rows to learn from."""
        return np.flatnonzero(self.ends > self.begins)

    def rows_to_learn_from(self) -> Panel:
        """The panel of what may be learned from, and nothing else."""
        panel, kept = self.panel, self.kept
        rows = np.flatnonzero(panel.between(self.begins, self.ends))
        return replace(
            panel.rows_kept(rows, (self.ends - self.begins)[kept]),
            ids=panel.ids.iloc[kept].reset_index(drop=True),
            ahead=panel.ahead[kept, :0],
        )


def learning_dataset(fold: Fold, config: Config, listen: Listener) -> Dataset:
    """What a network learns from in a fold: its rows, with a validation split and no test.

    Raises:
        DataError: There are too few rows.
    """
    split = config.split.model_copy(update={"test": 0})
    return make_dataset(
        fold.rows_to_learn_from(), config.model_copy(update={"split": split}), listen=listen
    )


def forecast_by_network(
    fold: Fold,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
    *,
    config: Config,
) -> Said:
    """Train a network on the rows of a fold, and forecast with it.

    Args:
        fold: What may be known.
        listen: Told of each epoch.
        stop: Asked after each epoch whether to stop.
        config: Of the network.
    """
    from ..training import forecaster_of, train_network

    learned = learning_dataset(fold, config, ignore)
    scored = train_network(learned, listen=listen, stop=stop)
    calibration = calibrate(forecaster_of(scored))
    trained = keep(scored, on_all_rows, train_network, listen=listen, stop=stop)
    whole = _whole(fold, trained.dataset, trained.dataset.scaling)
    if calibration is not None:
        units = rescaled(calibration, learned, trained.dataset).units
        calibration = replace(calibration, units=_units_of_all(units, fold))
    network = replace(forecaster_of(trained), dataset=whole)
    return _said(network, fold.origins, calibration, learned.config)


def forecast_by_bundle(
    fold: Fold,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
    *,
    bundle: Bundle,
    level: tuple[float, ...],
) -> Said:
    """Forecast with a trained model; series that it does not know are scaled by the fold's rows.

    Args:
        fold: What may be known.
        listen: Told of nothing.
        stop: Asked nothing.
        bundle: The model.
        level: Of its intervals, in percent.
    """
    manifest = bundle.manifest
    window = manifest.config.window.model_copy(update={"horizon": fold.horizon})
    config = manifest.config.model_copy(update={"window": window, "data": fold.panel.data})
    known = start_of(bundle, fold.rows_to_learn_from(), ignore)
    ends = indptr_of(known.panel.lengths)
    learned = with_scaling(
        known.panel,
        config,
        Splits(ends, ends[1:], ends[1:]),
        season_of(known.panel, config),
        known.filled,
        known.scaling,
    )
    calibration = bundle.calibration
    if calibration is not None:
        units = units_for(bundle, known, calibration)
        calibration = replace(calibration, units=_units_of_all(units, fold))
    network = forecaster_for(bundle, _whole(fold, learned, known.scaling))
    asked = manifest.config
    if asked.intervals in BY_QUANTILES and not {*level} <= {*asked.level}:
        # The network has no quantiles of these levels.
        asked = asked.model_copy(update={"intervals": "conformal"})
    return _said(network, fold.origins, calibration, asked.model_copy(update={"level": level}))


def _units_of_all(units: Floats, fold: Fold) -> Floats:
    """The usual errors of all series of the table, of those that were learned from."""
    whole: Floats = np.ones((fold.panel.count, units.shape[1]))
    whole[fold.kept] = units
    return whole


def _said(
    network: NetworkForecaster, origins: Ints, calibration: Calibration | None, config: Config
) -> Said:
    """Forecasts from many rows, with the intervals that the configuration asks for."""
    dataset = network.dataset
    parts = parted(dataset, origins)
    if calibration is None:
        return Said(rounded(np.concatenate([network(part) for part in parts])))
    bands = make_bands(calibration, config)
    recent: Floats = np.ones((len(origins), len(dataset.targets)))
    if bands.method == "adaptive":
        order = np.argsort(origins)
        recent[order] = recent_at(network, calibration, origins[order])
    recents = np.split(recent, np.cumsum([len(part) for part in parts])[:-1])
    points, ends = [], []
    for part, sizes in zip(parts, recents, strict=True):
        guess = network.guess(part)
        units = calibration.units[series_of(dataset.panel.indptr, part)]
        sides = bands.around(guess, units, sizes)
        points.append(network.in_units(guess.point, part))
        ends.append(np.stack([network.ends_in_units(side, part) for side in sides]))
    return Said(rounded(np.concatenate(points)), rounded(np.concatenate(ends, axis=1)))


def _whole(fold: Fold, learned: Dataset, scaling: Scaling) -> Dataset:
    """The whole table as a network sees it that has learned from a part of it.

    What is behind the part is filled for itself, as a test split is.
    """
    panel = with_categories(fold.panel, learned.panel.columns)
    splits = _splits(fold, learned.splits)
    filled = fill_panel(panel, splits, season_length=learned.season_length)
    config = learned.config
    require_positive(filled, panel.columns.columns, config.transform, panel.source)
    scaling = _of_all(scaling, fold.kept, panel.count)
    return with_scaling(panel, config, splits, learned.season_length, filled, scaling)


def with_categories(panel: Panel, columns: Columns) -> Panel:
    """The panel with the categories that were known to training; others are none of them."""
    names = panel.columns.covariates.categories
    if names == columns.covariates.categories:
        return panel
    values, ahead = panel.values.copy(), panel.ahead.copy()
    for name, kept in columns.covariates.categories.items():
        place = panel.columns.features.index(name)
        for array in (values, ahead):
            array[..., place] = kept_numbers(array[..., place], names[name], kept)
    return replace(panel, columns=columns, values=values, ahead=ahead)


def _splits(fold: Fold, learned: Splits) -> Splits:
    """The splits of the whole table: those that were learned with, and a test behind them."""
    indptr, kept = fold.panel.indptr, fold.kept
    train_end, validation_end = indptr[:-1].copy(), indptr[:-1].copy()
    moved = fold.begins[kept] - learned.indptr[:-1]
    train_end[kept] = learned.train_end + moved
    validation_end[kept] = learned.validation_end + moved
    return Splits(indptr, train_end, validation_end)


def _of_all(scaling: Scaling, kept: Ints, count: int) -> Scaling:
    """The scaling of all series of a table, of those that were learned from."""
    if not scaling.by_series:
        return scaling
    shape = (count, scaling.center.shape[1])
    center, scale = np.zeros(shape), np.ones(shape)
    center[kept], scale[kept] = scaling.center, scaling.scale
    return replace(scaling, center=center, scale=scale)
