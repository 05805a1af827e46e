"""Permutation importance: how much worse forecasts are without the information of a covariate."""

import numpy as np

from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.windows import Floats, Ints, gather
from ..data.dataset import Dataset
from ..model.runtime import chunks, forecast_origins
from .intervals.calibration import evenly
from .network_forecaster import NetworkForecaster

# At most so many origins, and so many windows in all; fewer than so many origins say nothing.
ORIGINS, WINDOWS, FEWEST = 200, 1500, 10
# With fewer origins a series on average, covariates are exchanged between series.
FEWEST_OF_SERIES = 5
# By covariate and target, percent; None where the error is 0.
Importance = dict[str, dict[str, float | None]]


def permutation_importance(
    network: NetworkForecaster, origins: Ints, *, seed: int = 0
) -> tuple[Importance, int]:
    """Return by how many percent the error rises where a covariate is that of another origin.

    The error is the mean absolute error, of each series relative to that of the seasonal naive.

    Args:
        network: Its dataset has the rows.
        origins: Shape `(samples,)`: rows with actual values in their horizon.
        seed: Of the permutation.

    Returns:
        Empty for a network without covariates or with too few origins; and how many origins.

    Source: Breiman (2001), Random Forests; on rows that were not learned from.
    """
    dataset = network.dataset
    columns = dataset.panel.columns
    names = (*columns.covariates.future, *columns.covariates.past)
    if not names or dataset.config.network.stateful or len(origins) < FEWEST:
        return {}, 0
    origins = evenly(origins, len(names) + 1, max(WINDOWS, FEWEST * (len(names) + 1)))
    origins = evenly(origins, 1, ORIGINS)
    rows = gather(
        dataset.scaled,
        dataset.padding.moved(origins) - dataset.timesteps,
        timesteps=dataset.timesteps + dataset.horizon,
    )
    other = _permuted(dataset, origins, seed)
    before = _errors(network, origins, rows)
    found: Importance = {}
    for name, place in zip(names, columns.places(names), strict=True):
        changed = rows.copy()
        changed[..., place] = rows[other][..., place]
        pairs = zip(_errors(network, origins, changed), before, strict=True)
        rises = [float(100.0 * (now / error - 1.0)) if error > 0 else None for now, error in pairs]
        found[name] = dict(zip(columns.targets, rises, strict=True))
    return found, len(origins)


def _permuted(dataset: Dataset, origins: Ints, seed: int) -> Ints:
    """Return for each origin the place of another one, of the same series where it has several."""
    draw, series = np.random.default_rng(seed), owner_series(dataset.panel.indptr, origins)
    if len(origins) < FEWEST_OF_SERIES * len(np.unique(series)):
        series = np.zeros_like(series)
    order = np.lexsort((draw.random(len(series)), series))
    other = np.empty_like(order)
    for each in np.unique(series):
        members = order[series[order] == each]
        # A cycle: none keeps its own.
        other[members] = np.roll(members, 1)
    return other


def _errors(network: NetworkForecaster, origins: Ints, rows: Floats) -> Floats:
    """Return the error of each target, shape `(targets,)`.

    Args:
        network: The network.
        origins: Shape `(samples,)`.
        rows: Shape `(samples, timesteps + horizon, features)`, scaled: those around each origin.
    """
    dataset, length = network.dataset, rows.shape[1]
    flat = rows.reshape(-1, rows.shape[2])
    parts = [
        forecast_origins(
            network.network_from(origins[part]),
            flat,
            part * length + dataset.timesteps,
            inputs=dataset.panel.columns.inputs,
            timesteps=dataset.timesteps,
            horizon=dataset.horizon,
        ).point
        for part in chunks(np.arange(len(rows)), timesteps=length, features=rows.shape[2])
    ]
    made = network.in_units(
        network.with_member(Forecast(np.concatenate(parts)), origins).point, origins
    )
    steps = origins[:, None] + np.arange(dataset.horizon)
    actual = dataset.panel.values[steps][..., dataset.targets]
    series = owner_series(dataset.panel.indptr, origins)
    naive = np.where(dataset.naive_error > 0, dataset.naive_error, 1.0)[series][:, None]
    errors: Floats = np.nanmean(np.abs(actual - made) / naive, axis=(0, 1))
    return errors
