"""Measures of intervals, quantiles and samples, added up piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .totals import Totals, blocks, ratio
from .windows import Floats, Ints


@dataclass
class IntervalSums:
    """The sums of which the measures of intervals are means: by series, and by step.

    Coverage is in percent: how many of the actual values lie within, ends included. Width and
    Winkler score are in original units; the Winkler score is the width and, for each value
    outside, `2 / alpha` times its distance from the interval, with `alpha = 1 - level / 100`.
    Steps whose actual value is missing (NaN) do not count; a bound that is NaN makes the measures
    of its series and step NaN.

    Args:
        series: How many series there are.
        horizon: Steps ahead.
        targets: How many columns are forecast.
        level: Of the intervals, percent.

    Source: Winkler (1972); Gneiting and Raftery (2007), Strictly Proper Scoring Rules, 6.2.
    """

    series: int
    horizon: int
    targets: int
    level: tuple[float, ...]
    totals: Totals = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.targets, len(self.level))
        self.totals = Totals(self.series, self.horizon, shape)
        bounds = np.empty((0, self.horizon, *shape))
        self.add(bounds[..., 0], bounds, bounds, np.empty(0, np.int64))

    def add(self, actual: Floats, lower: Floats, upper: Floats, series: Ints) -> None:
        """Add intervals.

        Args:
            actual: Shape `(samples, horizon, targets)`, original units; NaN does not count.
            lower: Shape `(samples, horizon, targets, levels)`, original units.
            upper: Likewise.
            series: Shape `(samples,)`: the series of each.
        """
        for part in blocks(lower):
            self._add(actual[part, ..., None], lower[part], upper[part], series[part])

    def _add(self, actual: Floats, lower: Floats, upper: Floats, series: Ints) -> None:
        known = np.broadcast_to(np.isfinite(actual), lower.shape)
        bounded = ~(np.isnan(lower) | np.isnan(upper))
        inside = np.where(bounded, (lower <= actual) & (actual <= upper), np.nan)
        with np.errstate(invalid="ignore"):
            outside = np.maximum(lower - actual, 0.0) + np.maximum(actual - upper, 0.0)
            width = upper - lower
            penalty = 2.0 / (1.0 - np.array(self.level) / 100.0)
            self.totals.add(
                series,
                count=known,
                inside=np.where(known, inside, 0.0),
                width=np.where(known, width, 0.0),
                winkler=np.where(known, width + penalty * outside, 0.0),
            )

    def by_series(self) -> dict[str, Floats]:
        """`coverage`, `width` and `winkler` of each series, `(n_series, targets, levels)`."""
        return _interval_measures(self.totals.by_series)

    def by_step(self) -> dict[str, Floats]:
        """The same of each step ahead, `(horizon, targets, levels)`."""
        return _interval_measures(self.totals.by_step)

    def overall(self) -> dict[str, Floats]:
        """The same over all values, `(targets, levels)`."""
        return _interval_measures(self.totals.overall)


@dataclass
class QuantileSums:
    """The sums of which the measures of quantiles are means: by series, and by step.

    The pinball loss is the mean over the quantiles; the CRPS is twice its integral over all
    levels by the trapezoid rule, with a loss of 0 at the levels 0 and 1. Both are in original
    units. Steps whose actual value is missing (NaN) do not count.

    Args:
        series: How many series there are.
        horizon: Steps ahead.
        targets: How many columns are forecast.
        quantile_levels: Ascending, between 0 and 1.

    Source: Gneiting and Ranjan (2011), Comparing Density Forecasts Using Threshold- and
    Quantile-Weighted Scoring Rules.
    """

    series: int
    horizon: int
    targets: int
    quantile_levels: tuple[float, ...]
    totals: Totals = field(init=False)

    def __post_init__(self) -> None:
        self.totals = Totals(self.series, self.horizon, (self.targets,))
        nothing = np.empty((0, self.horizon, self.targets))
        quantiles = np.empty((*nothing.shape, len(self.quantile_levels)))
        self.add(nothing, quantiles, np.empty(0, np.int64))

    def add(self, actual: Floats, quantiles: Floats, series: Ints) -> None:
        """Add quantiles.

        Args:
            actual: Shape `(samples, horizon, targets)`, original units; NaN does not count.
            quantiles: Shape `(samples, horizon, targets, quantiles)`, original units.
            series: Shape `(samples,)`: the series of each.
        """
        for part in blocks(quantiles):
            self._add(actual[part], quantiles[part], series[part])

    def _add(self, actual: Floats, quantiles: Floats, series: Ints) -> None:
        known, levels = np.isfinite(actual), np.array(self.quantile_levels)
        above = actual[..., None] - quantiles
        loss = np.maximum(levels * above, (levels - 1.0) * above)
        edges = np.concatenate([[0.0], levels, [1.0]])
        # Twice the trapezoid's weight of half the way from the level before to the one after.
        weights = edges[2:] - edges[:-2]
        self.totals.add(
            series,
            count=known,
            pinball=np.where(known, loss.mean(axis=-1), 0.0),
            crps=np.where(known, loss @ weights, 0.0),
        )

    def by_series(self) -> dict[str, Floats]:
        """`pinball` and `crps` of each series, `(n_series, targets)`."""
        return _quantile_measures(self.totals.by_series)

    def by_step(self) -> dict[str, Floats]:
        """The same of each step ahead, `(horizon, targets)`."""
        return _quantile_measures(self.totals.by_step)

    def overall(self) -> dict[str, Floats]:
        """The same over all values, `(targets,)`."""
        return _quantile_measures(self.totals.overall)


def sample_crps(actual: Floats, samples: Floats) -> Floats:
    """The exact CRPS of the distribution that gives each sample the same weight.

    It is `E|X - y| - E|X - X'| / 2`; for one sample, the absolute error.

    Args:
        actual: Shape `(...)`, original units.
        samples: Shape `(..., samples)`, original units, in any order.

    Returns:
        Shape `(...)`, original units; NaN where the actual value or a sample is.

    Source: Gneiting and Raftery (2007), Strictly Proper Scoring Rules, 4.2; the second term from
    sorted samples as in Laio and Tamea (2007).

    >>> sample_crps(np.array(3.0), np.array([1.0, 2.0]))
    array(1.25)
    """
    # From the actual value on, so that large values lose no digits.
    apart = np.sort(samples - np.asarray(actual)[..., None], axis=-1)
    count = apart.shape[-1]
    ranks = 2.0 * np.arange(1, count + 1) - count - 1.0
    score: Floats = np.abs(apart).mean(axis=-1) - apart @ ranks / count**2
    return np.asarray(score)


def _interval_measures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
    return {
        "coverage": 100.0 * ratio(sums["inside"], sums["count"]),
        "width": ratio(sums["width"], sums["count"]),
        "winkler": ratio(sums["winkler"], sums["count"]),
    }


def _quantile_measures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: ratio(sums[name], sums["count"]) for name in ("pinball", "crps")}
