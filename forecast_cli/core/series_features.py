"""Features of series: the strength of seasons and trend, random walks, intermittent demand.

Of intermittent demand most values are 0 and so is the median, so what minimises absolute errors
forecasts 0; means, squared errors and the size of a demand (a value other than 0) are what counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .distributions import upper_chi_squared
from .ragged import Flags, sums_between
from .seasonality import SHARE, find_seasons, phase_means, some_series
from .windows import Floats, Ints

# The test of steps for a random walk: its lags, its level where steps are many and where they are
# few, the fewest steps and what is many, and how many standard errors the mean may be from 0.
LAGS, LEVEL, FEW_LEVEL, FEWEST, MANY, DRIFT = 10, 0.01, 0.1, 30, 200, 3.0


@dataclass(frozen=True)
class SeriesFeatures:
    """Features of training rows.

    Args:
        seasons: Steps of the seasons that were found, ascending.
        season_strength: Share of the strongest season in the detrended variance, 0 to 1.
        random_walk: Whether the rows resemble a random walk.
        count: Number of series.
    """

    seasons: tuple[int, ...]
    season_strength: float
    random_walk: bool
    count: int


def extract_features(
    values: Floats, indptr: Ints | None = None, *, usual: Sequence[int] = ()
) -> SeriesFeatures:
    """Return the features of training rows.

    Args:
        values: Shape `(n_rows,)`, all series end to end, training rows alone; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.
        usual: Steps of the seasons of the frequency.
    """
    seasons = find_seasons(values, indptr, usual=usual)
    strengths = [season_strength(each, seasons) for each in some_series(values, indptr)]
    return SeriesFeatures(
        seasons=seasons,
        season_strength=float(np.median(strengths)) if strengths else 0.0,
        random_walk=not seasons and is_random_walk(values, indptr),
        count=1 if indptr is None else len(indptr) - 1,
    )


def season_strength(series: Floats, seasons: Sequence[int]) -> float:
    """Return the strength of the strongest season of a series, 0 to 1; 0 for none.

    The series, shape `(n,)`, has no gaps; `seasons` are the steps of its seasons.

    Source: Wang, Smith and Hyndman (2006), Characteristic-based clustering for time series data,
    with the classical decomposition.
    """
    width = max(seasons, default=0)
    if not seasons or len(series) < 2 * width or np.ptp(series) == 0:
        return 0.0
    trend = _moving_mean(series, width)
    inner = series[width // 2 : width // 2 + len(trend)]
    left, found = inner - trend, []
    for season in sorted(seasons):
        means = phase_means(left, season)
        found.append((float(np.var(left)), means))
        left = left - means
    rest = float(np.var(left))
    strong = [1.0 - rest / var for var in (float(np.var(left + each)) for _, each in found) if var]
    return max([0.0, *strong])


def is_random_walk(values: Floats, indptr: Ints | None = None) -> bool:
    """Whether most series resemble a random walk: their steps are not autocorrelated.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.

    Returns:
        False also where there are too few steps to test.

    Source: Lo and MacKinlay (1988) for autocorrelations whose variance may change in time; their
    squares are added up as by Box and Pierce.
    """
    found = [_has_random_steps(series) for series in some_series(values, indptr)]
    return bool(found) and float(np.mean(found)) >= SHARE


def _has_random_steps(series: Floats) -> bool:
    steps = np.diff(series)
    if len(steps) < FEWEST or np.count_nonzero(steps) < 0.5 * len(steps):
        return False
    if abs(steps.mean()) > DRIFT * steps.std() / math.sqrt(len(steps)):
        return False
    steps = np.diff(np.log(series)) if series.min() > 0 else steps
    steps = steps - steps.mean()
    total = 0.0
    for lag in range(1, LAGS + 1):
        both = steps[lag:] * steps[:-lag]
        total += float(both.sum()) ** 2 / max(float(both @ both), 1e-300)
    # A test of few steps has little power: the p-value must be the larger.
    return upper_chi_squared(total, LAGS) > (LEVEL if len(steps) >= MANY else FEW_LEVEL)


def _moving_mean(series: Floats, width: int) -> Floats:
    """Return the centred mean over `width` values, an even one with half weights at both ends.

    Shape `(n,)` to `(n - 2 * (width // 2),)`.
    """
    weights = np.ones(2 * (width // 2) + 1)
    weights[[0, -1]] = 1.0 if width % 2 else 0.5
    sums = np.concatenate([[0.0], np.cumsum(series - series.mean())])
    whole = sums[len(weights) :] - sums[: -len(weights)]
    first = series[: len(series) - len(weights) + 1] - series.mean()
    last = series[len(weights) - 1 :] - series.mean()
    inner = whole - (1.0 - weights[0]) * (first + last)
    mean: Floats = inner / weights.sum() + series.mean()
    return mean


# A series is intermittent where more than this share of its values are 0, and so are several where
# more than this share of them are.
MOSTLY = 0.5
# Zeros that agree with those of the season before by this much more than random ones belong to the
# season, as those of a night do.
SEASONAL = 0.5


def is_intermittent(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> bool:
    """Whether most of the series have mostly zeros, none below, and not because of their season.

    Args:
        values: Shape `(n_rows, targets)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        end: Shape `(n_series,)`: the row after the last training row of each series.
        season_length: Steps in a season; 1 for none.
    """
    known, zero = np.isfinite(values), values == 0.0
    if not zero.any():
        return False
    count, zeros, negative = (_sums(each, indptr[:-1], end) for each in (known, zero, values < 0.0))
    mostly = (zeros > MOSTLY * count) & (negative == 0.0)
    mostly &= ~_seasonal(zero, known, indptr[:-1], end, season_length)
    return bool(np.sum(mostly) > MOSTLY * np.sum(count > 0))


def demand_sizes(values: Floats, zero: Floats, indptr: Ints, end: Ints) -> Floats:
    """The mean distance from 0 of the values that are not 0, shape `(n_series, targets)`.

    NaN of a series without any. The arguments are those of `is_intermittent`, in any unit, and
    `zero`, of shape `(n_rows, targets)` or one that broadcasts: what 0 is in this unit.
    """
    apart = np.abs(values - zero)
    demand = np.isfinite(apart) & (apart > 0.0)
    total = _sums(np.where(demand, apart, 0.0), indptr[:-1], end)
    count = _sums(demand, indptr[:-1], end)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _seasonal(zero: Flags, known: Flags, first: Ints, end: Ints, season_length: int) -> Flags:
    """Which series have their zeros at the same phases, shape `(n_series, targets)`.

    Source: Cohen (1960) for kappa, the agreement beyond chance.
    """
    lag = season_length
    if lag < 2 or len(zero) <= lag:
        return np.zeros((len(first), zero.shape[1]), bool)
    pairs = known[lag:] & known[:-lag]
    last = np.maximum(end - lag, first)
    count = np.maximum(_sums(pairs, first, last), 1.0)
    agree, later, before = (
        _sums(each, first, last) / count
        for each in (pairs & (zero[lag:] == zero[:-lag]), pairs & zero[lag:], pairs & zero[:-lag])
    )
    chance = later * before + (1.0 - later) * (1.0 - before)
    return agree - chance > SEASONAL * (1.0 - chance)


def _sums(values: Floats | Flags, first: Ints, end: Ints) -> Floats:
    """The sums of the rows of each series from `first` to before `end`, `(n_series, targets)`."""
    sums = np.zeros((len(first), values.shape[1]))
    full = end > first
    sums[full] = sums_between(values.astype(np.float64), first[full], end[full])
    return sums
