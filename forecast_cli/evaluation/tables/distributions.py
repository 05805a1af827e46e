"""How far forecasts spread: measures of their intervals, quantiles and sample paths."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...core.events import Listener, Note
from ...core.windows import Floats, Ints
from ..metrics.accumulators import Totals, ratio
from ..metrics.interval import (
    PINBALL_LEVELS,
    IntervalSums,
    QuantileSums,
    quantile_levels,
    sample_crps,
)
from ..reports import LevelSums, Sums
from .forecast_tables import Forecasts


@dataclass
class PathSums:
    """Pinball loss of the quantiles of sample paths, and the exact CRPS of the samples.

    Args:
        series: How many series there are.
        horizon: Steps ahead.
        targets: How many columns are forecast.
    """

    series: int
    horizon: int
    targets: int
    quantiles: QuantileSums = field(init=False)
    exact: Totals = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.series, self.horizon, self.targets)
        self.quantiles = QuantileSums(*shape, PINBALL_LEVELS)
        self.exact = Totals(self.series, self.horizon, (self.targets,))

    def add(self, actual: Floats, paths: Floats, series: Ints) -> None:
        """Add sample paths.

        Args:
            actual: Shape `(samples, horizon, targets)`, original units; NaN does not count.
            paths: Shape `(samples, horizon, targets, paths)`, original units.
            series: Shape `(samples,)`: the series of each.
        """
        self.quantiles.add(actual, take_quantiles(paths, PINBALL_LEVELS), series)
        known = np.isfinite(actual)
        scores = np.where(known, sample_crps(actual, paths), 0.0)
        self.exact.add(series, count=known, crps=scores)

    def by_series(self) -> dict[str, Floats]:
        """`pinball` and `crps` of each series, `(n_series, targets)`."""
        return self.quantiles.by_series() | _crps(self.exact.by_series)

    def by_step(self) -> dict[str, Floats]:
        """The same of each step ahead, `(horizon, targets)`."""
        return self.quantiles.by_step() | _crps(self.exact.by_step)

    def overall(self) -> dict[str, Floats]:
        """The same over all values, `(targets,)`."""
        return self.quantiles.overall() | _crps(self.exact.overall)


def take_quantiles(paths: Floats, levels: tuple[float, ...]) -> Floats:
    """The quantiles of sample paths, shape `(samples, horizon, targets, quantiles)`."""
    return np.moveaxis(np.quantile(paths, levels, axis=-1), 0, -1)


def _crps(sums: dict[str, Floats]) -> dict[str, Floats]:
    return {"crps": ratio(sums["crps"], sums["count"])}


def score_distributions(
    given: Forecasts,
    points: Mapping[str, Floats],
    levels: Mapping[str, tuple[float, ...]],
    series: int,
    on_event: Listener,
) -> tuple[dict[str, LevelSums], dict[str, Sums]]:
    """The sums of intervals and of quantiles, for each forecaster that has some.

    Args:
        given: The forecasts.
        points: Those themselves, or the medians of their paths.
        levels: Of the intervals of each forecaster, percent, ascending.
        series: How many series the truth has.
        on_event: Told what is odd about intervals.
    """
    shape = (series, given.actual.shape[1], given.actual.shape[2])
    intervals: dict[str, LevelSums] = {}
    quantiles: dict[str, Sums] = {}
    for name, values in given.values.items():
        if not given.paths and name not in given.lower:
            continue
        level = levels[name]
        truth, asked = given.actual, quantile_levels(level)
        if given.paths:
            at = take_quantiles(values, asked)
            bounds = at[..., len(level) - 1 :: -1], at[..., len(level) + 1 :]
            quantiles[name] = paths = PathSums(*shape)
            paths.add(truth, values, given.series)
        else:
            bounds = given.lower[name], given.upper[name]
            truth = _bounded(truth, bounds, name, on_event)
            several = [bounds[0][..., ::-1], points[name][..., None], bounds[1]]
            quantiles[name] = sums = QuantileSums(*shape, asked)
            sums.add(truth, np.concatenate(several, axis=-1), given.series)
        intervals[name] = held = IntervalSums(*shape, level)
        held.add(truth, *bounds, given.series)
    return intervals, quantiles


def _bounded(
    actual: Floats, bounds: tuple[Floats, Floats], name: str, on_event: Listener
) -> Floats:
    """The actual values for which there is an interval of each level, NaN for others."""
    lower, upper = bounds
    whole = (np.isfinite(lower) & np.isfinite(upper)).all(axis=-1)
    known = np.isfinite(actual)
    crossed = int((known[..., None] & (lower > upper)).any(axis=-1).sum())
    if crossed:
        text = f"{crossed:,} intervals of {name} end below where they begin"
        on_event(Note(text, warning=True))
    lost = int((known & ~whole).sum())
    if lost:
        text = f"{lost:,} of {known.sum():,} forecasts of {name} have no interval"
        on_event(Note(f"{text}: coverage and width leave them out", warning=True))
    return np.where(whole, actual, np.nan)
