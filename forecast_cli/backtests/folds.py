"""A fold of a backtest: what may be known where something is learned, and what is forecast."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..checks import require_positive
from ..config import Config
from ..core.ragged import indptr_of
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
from ..model.bundle import Bundle
from ..model.runtime import Runtime, chunks
from ..rules import season_of
from ..starts import start_of


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
) -> Floats:
    """Train a network on the rows of a fold, and forecast with it.

    Args:
        fold: What may be known.
        listen: Told of each epoch.
        stop: Asked after each epoch whether to stop.
        config: Of the network.

    Returns:
        Shape `(samples, horizon, targets)`, original units.
    """
    from ..training import train_network

    learned = learning_dataset(fold, config, ignore)
    scored = train_network(learned, listen=listen, stop=stop)
    trained = keep(scored, on_all_rows, train_network, listen=listen, stop=stop)
    whole = _whole(fold, trained.dataset, trained.dataset.scaling)
    return _forecast(whole, Runtime(trained.fitted.onnx), fold.origins)


def forecast_by_bundle(
    fold: Fold,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
    *,
    bundle: Bundle,
) -> Floats:
    """Forecast with a trained model; series that it does not know are scaled by the fold's rows.

    Args:
        fold: What may be known.
        listen: Told of nothing.
        stop: Asked nothing.
        bundle: The model.

    Returns:
        Shape `(samples, horizon, targets)`, original units.
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
    return _forecast(_whole(fold, learned, known.scaling), bundle.runtime, fold.origins)


def _forecast(dataset: Dataset, runtime: Runtime, origins: Ints) -> Floats:
    """Forecasts from many rows, in batches whose windows fit into little memory."""
    forecaster = NetworkForecaster(dataset, runtime)
    width, steps = dataset.panel.values.shape[1], max(dataset.timesteps, dataset.horizon)
    parts = chunks(origins, timesteps=steps, features=width)
    return rounded(np.concatenate([forecaster(part) for part in parts]))


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
