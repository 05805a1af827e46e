"""Forecasts from many origins beside what came, added up piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..core.error_scale import Recent
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..forecasting.intervals.calibration import parted, recent_at
from ..forecasting.intervals.interval_methods import Bands
from ..forecasting.network_forecaster import NetworkForecaster
from .baseline_forecasts import Forecaster
from .metrics.interval import IntervalSums, QuantileSums, quantile_levels
from .metrics.point import ErrorSums

NETWORK = "network"
# The quantiles by which a whole distribution is scored: those of the levels 10, 20 ... 90.
GRID = tuple(float(level) for level in range(10, 100, 10))


@dataclass(frozen=True)
class ScoreSums:
    """What forecasts were like.

    Args:
        origins: Shape `(samples,)`: from where.
        errors: By the name of the forecaster, the network first.
        losses: Shape `(samples,)`: the mean error of each forecast in the units of its series, by
            forecaster; NaN where there is no actual value.
        intervals: Those of the network, where it has some.
        quantiles: Likewise.
    """

    origins: Ints
    errors: dict[str, ErrorSums]
    losses: dict[str, Floats]
    intervals: IntervalSums | None = None
    quantiles: QuantileSums | None = None


@dataclass(frozen=True)
class IntervalSpec:
    """The intervals of a network, to be compared with what came.

    Args:
        bands: Of the levels that are asked for.
        grid: Of more levels, by which the whole distribution is scored; None for not at all.
        before: The latest errors before the rows that the network is judged on.
    """

    bands: Bands
    grid: Bands | None = None
    before: Recent | None = None


@dataclass
class _Counter:
    """Adds up the intervals of a network from origin to origin."""

    network: NetworkForecaster
    claims: IntervalSpec
    origins: Ints
    intervals: IntervalSums = field(init=False)
    quantiles: QuantileSums | None = field(init=False)

    def __post_init__(self) -> None:
        dataset, bands = self.network.dataset, self.claims.bands
        shape = (dataset.panel.count, dataset.horizon, len(dataset.targets))
        self.intervals = IntervalSums(*shape, bands.level)
        grid = self.claims.grid
        self.quantiles = QuantileSums(*shape, quantile_levels(grid.level)) if grid else None
        self.recent: Floats = np.ones((len(self.origins), shape[2]))
        calibration = bands.calibration
        if bands.method.by_recent and calibration is not None:
            # A network whose state lives on goes along the rows once.
            self.recent = recent_at(
                replace(self.network), calibration, self.origins, self.claims.before
            )

    def add(self, part: Ints, truth: Floats) -> Floats:
        """Add the forecasts from some origins; they are given back in original units."""
        network, claims = self.network, self.claims
        series = owner_series(network.dataset.panel.indptr, part)
        guess = network.guess(part)
        point = network.in_units(guess.point, part)
        units = claims.bands.units_at(series, truth.shape[2])
        recent = self.recent[np.searchsorted(self.origins, part)]
        for bands in (claims.bands, claims.grid):
            if bands is None:
                continue
            ends = bands.around(guess, units, recent)
            lower, upper = (network.ends_in_units(side, part) for side in ends)
            if bands is claims.bands:
                self.intervals.add(truth, lower, upper, series)
            elif self.quantiles is not None:
                ordered = np.concatenate([lower[..., ::-1], point[..., None], upper], axis=-1)
                self.quantiles.add(truth, ordered, series)
        return point


def score(
    network: NetworkForecaster,
    simple: Mapping[str, Forecaster],
    origins: Ints,
    claims: IntervalSpec | None = None,
) -> ScoreSums:
    """Compare forecasts from every origin with what came.

    Args:
        network: Reads actual rows up to each origin and nothing after it.
        simple: The forecasts that stand beside it.
        origins: Shape `(samples,)`, ascending, each with the whole horizon in the panel.
        claims: Its intervals; None for none.
    """
    dataset = network.dataset
    actual = dataset.panel.values[:, dataset.targets]
    names = (NETWORK, *simple)
    errors = {
        name: ErrorSums(dataset.naive[0], dataset.naive[1], dataset.horizon) for name in names
    }
    losses: dict[str, list[Floats]] = {name: [] for name in names}
    counter = None if claims is None else _Counter(network, claims, origins)
    for part in parted(dataset, origins):
        truth = actual[part[:, None] + np.arange(dataset.horizon)]
        series = owner_series(dataset.panel.indptr, part)
        own = network(part) if counter is None else counter.add(part, truth)
        for name in names:
            forecast = own if name == NETWORK else simple[name](part)
            errors[name].add(truth, forecast, series)
            losses[name].append(_losses(dataset, truth - forecast, series))
    return ScoreSums(
        origins,
        errors,
        {name: np.concatenate(parts) for name, parts in losses.items()},
        None if counter is None else counter.intervals,
        None if counter is None else counter.quantiles,
    )


def _losses(dataset: Dataset, error: Floats, series: Ints) -> Floats:
    """The mean absolute error of each sample, in units of its series, shape `(samples,)`."""
    usual = dataset.naive_error
    unit = np.where(np.isfinite(usual) & (usual > 0), usual, 1.0)[series][:, None]
    shares, known = np.abs(error) / unit, np.isfinite(error)
    total, count = np.where(known, shares, 0.0).sum(axis=(1, 2)), known.sum(axis=(1, 2))
    means: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means
