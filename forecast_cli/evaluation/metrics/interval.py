"""Measures of intervals, quantiles and samples, added up piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from ...core.windows import Floats, Ints
from .accumulators import Sums, Totals, blocks, ratio

# The levels over which the pinball loss is the mean, for any quantiles: 0.05 to 0.95.
PINBALL_LEVELS = tuple(place / 20 for place in range(1, 20))
# Those of which the CRPS is twice the mean pinball loss: the middles of 40 equal parts. The CRPS of
# a normal distribution is 0.05 % too large by it.
CRPS_LEVELS = tuple((place + 0.5) / 40 for place in range(40))


def quantile_levels(level: Sequence[float]) -> tuple[float, ...]:
    """The quantiles that the ends of intervals are, ascending, with the median between them.

    Args:
        level: Of the intervals, percent, ascending.

    >>> quantile_levels((50.0, 80.0))
    (0.1, 0.25, 0.5, 0.75, 0.9)
    """
    lower = [round((100.0 - each) / 200.0, 12) for each in level]
    return (*lower[::-1], 0.5, *[round(1.0 - each, 12) for each in lower])


@dataclass
class IntervalSums(Sums):
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
            upper: As `lower`.
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

    @staticmethod
    def measures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return `coverage`, `width` and `winkler`, shape `(..., targets, levels)`."""
        return {
            "coverage": 100.0 * ratio(sums["inside"], sums["count"]),
            "width": ratio(sums["width"], sums["count"]),
            "winkler": ratio(sums["winkler"], sums["count"]),
        }


@dataclass
class QuantileSums(Sums):
    """The sums of which the measures of quantiles are means: by series, and by step.

    The pinball loss is the mean over the levels 0.05, 0.10 ... 0.95; the CRPS is twice its
    integral over all levels. Both are in original units and of a whole distribution, so that
    forecasts of few quantiles compare with those of many: the quantiles are drawn on, straight in
    the standard normal score of the level and beyond the outermost ones at their slope, which is
    exact for normal distributions. A single quantile is a distribution that is sure of it: its
    CRPS is the absolute error. Steps whose actual value is missing (NaN) do not count.

    Args:
        series: How many series there are.
        horizon: Steps ahead.
        targets: How many columns are forecast.
        quantile_levels: Of the quantiles at hand, ascending, between 0 and 1.

    Source: Gneiting and Ranjan (2011), Comparing Density Forecasts Using Threshold- and
    Quantile-Weighted Scoring Rules.
    """

    series: int
    horizon: int
    targets: int
    quantile_levels: tuple[float, ...]
    totals: Totals = field(init=False)
    # What makes quantiles of all levels of those at hand, shape `(quantiles, all levels)`.
    drawn: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.totals = Totals(self.series, self.horizon, (self.targets,))
        self.drawn = _drawn_on(self.quantile_levels, (*PINBALL_LEVELS, *CRPS_LEVELS))
        nothing = np.empty((0, self.horizon, self.targets))
        quantiles = np.empty((*nothing.shape, len(self.quantile_levels)))
        self.add(nothing, quantiles, np.empty(0, np.int64))

    def add(
        self, actual: Floats, quantiles: Floats, series: Ints, *, crps: Floats | None = None
    ) -> None:
        """Add quantiles.

        Args:
            actual: Shape `(samples, horizon, targets)`, original units; NaN does not count.
            quantiles: Shape `(samples, horizon, targets, quantiles)`, original units.
            series: Shape `(samples,)`: the series of each.
            crps: Shape `(samples, horizon, targets)`: the CRPS, where it is known exactly.
        """
        # So many values are worked on as there are levels, not as there are quantiles.
        wide = np.broadcast_to(actual[..., None], (*actual.shape, self.drawn.shape[1]))
        for part in blocks(wide):
            exact = None if crps is None else crps[part]
            self._add(actual[part], quantiles[part], series[part], exact)

    def _add(
        self, actual: Floats, quantiles: Floats, series: Ints, crps: Floats | None = None
    ) -> None:
        known, levels = np.isfinite(actual), np.array((*PINBALL_LEVELS, *CRPS_LEVELS))
        # Quantiles without end have an infinite loss, those that are missing none.
        size = np.abs(quantiles).sum(axis=-1)
        whole = np.isfinite(size)
        above = actual[..., None] - np.where(whole[..., None], quantiles, 0.0) @ self.drawn
        loss = np.maximum(levels * above, (levels - 1.0) * above)
        first = len(PINBALL_LEVELS)
        scores = {
            "pinball": loss[..., :first].mean(axis=-1),
            "crps": 2.0 * loss[..., first:].mean(axis=-1) if crps is None else crps,
        }
        self.totals.add(
            series,
            count=known,
            **{
                name: np.where(known, np.where(whole, score, size), 0.0)
                for name, score in scores.items()
            },
        )

    @staticmethod
    def measures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return `pinball` and `crps`, shape `(..., targets)`."""
        return {name: ratio(sums[name], sums["count"]) for name in ("pinball", "crps")}


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


def _drawn_on(known: Sequence[float], levels: Sequence[float]) -> Floats:
    """Return weights, shape `(known, levels)`, from quantiles of known levels to other ones."""
    normal = NormalDist()
    at, scores = (np.array([normal.inv_cdf(each) for each in of]) for of in (levels, known))
    weights = np.zeros((len(known), len(levels)))
    if len(known) == 1:
        return np.ones_like(weights)
    left = np.clip(np.searchsorted(scores, at) - 1, 0, len(known) - 2)
    share = (at - scores[left]) / (scores[left + 1] - scores[left])
    places = np.arange(len(levels))
    weights[left, places], weights[left + 1, places] = 1.0 - share, share
    return weights
