"""Forecasts from many origins compared with actual values, added up piece by piece."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from ..baselines.naive import BaselineInput
from ..baselines.registry import forecast_baseline, usable
from ..config.model_name import name_row
from ..config.registries import NAIVE2, SEASONAL_NAIVE
from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.windows import Floats, Ints, take_columns
from ..data.dataset import Dataset
from ..data.missing import last_known
from ..forecasting.intervals.calibration import RecentErrors, mean_losses, parted
from ..forecasting.intervals.interval_methods import Bands
from ..forecasting.network_forecaster import NetworkForecaster
from .metrics.interval import IntervalSums, QuantileSums, quantile_levels
from .metrics.point import ErrorSums

# From origins, shape (samples,), to forecasts, shape (samples, horizon, targets), original units.
Forecaster = Callable[[Ints], Floats]
Values = TypeVar("Values", Ints, Floats)
# The quantiles by which a whole distribution is scored: those of the levels 10, 20 ... 90.
GRID = tuple(float(level) for level in range(10, 100, 10))
# So many origins show what a network does.
SOME = 2000


def baselines(dataset: Dataset, origins: Ints, *, owa: bool = False) -> dict[str, Forecaster]:
    """Return the baselines for which there are enough rows before the origins.

    Where the training rows show a stronger season than that of the dataset, the seasonal naive
    forecast of both is among them: a baseline of the wrong season is easily beaten.

    Args:
        dataset: With the rows.
        origins: Shape `(samples,)`.
        owa: Whether Naive2 is among them, for OWA.
    """
    values, indptr = take_columns(dataset.filled, dataset.targets), dataset.panel.indptr
    values, season = last_known(values, indptr), dataset.season_length

    def forecast(rows: Ints, name: str, season: int) -> Floats:
        first = indptr[owner_series(indptr, rows)]
        given = BaselineInput(values, rows, first, dataset.horizon, season)
        return forecast_baseline(name, given).point

    history = origins - indptr[owner_series(indptr, origins)]
    names = (*usable(history, season, intermittent=dataset.intermittent), *[NAIVE2] * owa)
    found: dict[str, Forecaster] = {
        name: partial(forecast, name=name, season=season) for name in names
    }
    stronger = dataset.stronger_season
    if stronger and usable(history, stronger, names=[SEASONAL_NAIVE]):
        own = partial(forecast, name=SEASONAL_NAIVE, season=stronger)
        found[f"{SEASONAL_NAIVE} (season {stronger})"] = own
    return found


@dataclass(frozen=True)
class ScoreSums:
    """The errors of forecasts, summed up.

    Args:
        origins: Shape `(samples,)`: from where.
        name: The name of the model.
        model: What it is called among the forecasters, of which one may have its name.
        errors: By the name of the forecaster, the model first.
        losses: Shape `(samples,)`: the mean error of each forecast in the units of its series, by
            forecaster; NaN where there is no actual value.
        sample: Shape `(some,)`: some of the origins, each with a horizon of rows before it.
        sampled: Shape `(some, horizon, targets)`: the network's forecasts from these, original
            units.
        intervals: Those of the network, where it has some.
        quantiles: Those of the network, where it has some.
        ends: Shape `(some, horizon, targets, levels)` each: the lower and the upper ends of the
            intervals of `sampled`, where the network has some.
    """

    origins: Ints
    name: str
    model: str
    errors: dict[str, ErrorSums]
    losses: dict[str, Floats]
    sample: Ints
    sampled: Floats
    intervals: IntervalSums | None = None
    quantiles: QuantileSums | None = None
    ends: tuple[Floats, Floats] | None = None


@dataclass(frozen=True)
class IntervalSpec:
    """The intervals of a network, to be compared with actual values.

    Args:
        bands: Of the requested levels.
        grid: Of more levels, by which the whole distribution is scored; None for not at all.
        recent: The network's errors so far, to which those of each forecast are added as the
            scoring goes on; None where nothing depends on them.
    """

    bands: Bands
    grid: Bands | None = None
    recent: RecentErrors | None = None


@dataclass
class _Counter:
    """Adds up the intervals of a network from origin to origin."""

    network: NetworkForecaster
    claims: IntervalSpec
    sample: Ints
    intervals: IntervalSums = field(init=False)
    quantiles: QuantileSums | None = field(init=False)
    ends: list[tuple[Floats, Floats]] = field(default_factory=list)

    def __post_init__(self) -> None:
        dataset, grid = self.network.dataset, self.claims.grid
        shape = (dataset.panel.count, dataset.horizon, len(dataset.targets))
        self.intervals = IntervalSums(*shape, self.claims.bands.level)
        self.quantiles = QuantileSums(*shape, quantile_levels(grid.level)) if grid else None

    def add(self, part: Ints, made: Forecast, point: Floats, truth: Floats) -> None:
        """Add forecasts.

        Args:
            part: Shape `(samples,)`: their origins.
            made: The forecasts, scaled.
            point: Shape `(samples, horizon, targets)`: the same in original units.
            truth: Of the same shape: the actual values.
        """
        network, claims = self.network, self.claims
        series = owner_series(network.dataset.panel.indptr, part)
        units = claims.bands.units_at(series, truth.shape[2])
        recent: Floats = np.ones((len(part), truth.shape[2]))
        if claims.recent is not None:
            # Of these errors only those count whose horizon is past at an origin.
            claims.recent.add_forecasts(part, made.point)
            recent = claims.recent.sizes_at(part)
        for bands in (claims.bands, claims.grid):
            if bands is None:
                continue
            ends = bands.around(made, units, recent)
            lower, upper = (network.ends_in_units(side, part) for side in ends)
            if bands is claims.bands:
                self.intervals.add(truth, lower, upper, series)
                kept = np.isin(part, self.sample)
                self.ends.append((lower[kept], upper[kept]))
            elif self.quantiles is not None:
                ordered = np.concatenate([lower[..., ::-1], point[..., None], upper], axis=-1)
                self.quantiles.add(truth, ordered, series)

    def kept(self) -> tuple[Floats, Floats]:
        """Return the lower and the upper ends at the sample, `(some, horizon, targets, levels)`."""
        lower, upper = (np.concatenate(side) for side in zip(*self.ends, strict=True))
        return lower, upper


def score(
    network: NetworkForecaster,
    simple: Mapping[str, Forecaster],
    origins: Ints,
    claims: IntervalSpec | None = None,
) -> ScoreSums:
    """Compare forecasts from every origin with actual values; the network is called once for each.

    Args:
        network: Reads actual rows up to each origin and nothing after it.
        simple: The baselines.
        origins: Shape `(samples,)`, ascending, each with the whole horizon in the panel.
        claims: Its intervals; None for none.
    """
    dataset, actual = network.dataset, network.dataset.panel.target_values
    model = name_row(network.name, simple)
    names = (model, *simple)
    errors = {name: ErrorSums(dataset.naive, dataset.horizon) for name in names}
    losses: dict[str, list[Floats]] = {name: [] for name in names}
    # With a whole horizon of rows before them.
    begun = dataset.panel.indptr[owner_series(dataset.panel.indptr, origins)]
    sample = some(origins[origins - begun >= dataset.horizon])
    sampled = list[Floats]()
    counter = None if claims is None else _Counter(network, claims, sample)
    for part in parted(dataset, origins):
        truth = actual[part[:, None] + np.arange(dataset.horizon)]
        series = owner_series(dataset.panel.indptr, part)
        made = network.forecast(part)
        own = network.in_units(made.point, part)
        sampled.append(own[np.isin(part, sample)])
        if counter is not None:
            counter.add(part, made, own, truth)
        for name in names:
            forecast = own if name == model else simple[name](part)
            errors[name].add(truth, forecast, series)
            losses[name].append(mean_losses(dataset, truth - forecast, series))
    joined = {name: np.concatenate(parts) for name, parts in losses.items()}
    own_sums = (counter.intervals, counter.quantiles, counter.kept()) if counter else ()
    called = network.name, model
    return ScoreSums(origins, *called, errors, joined, sample, np.concatenate(sampled), *own_sums)


def some(values: Values) -> Values:
    """At most 2,000 of the values, shape `(samples,)`, evenly."""
    return values[:: -(-len(values) // SOME) or 1]
