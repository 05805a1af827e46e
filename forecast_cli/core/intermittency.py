"""Intermittent demand: series of counts and the like, most of whose values are 0.

Their median is 0, so what minimises absolute errors forecasts 0; means, squared errors
and the size of a demand (a value other than 0) are what counts.
"""

import numpy as np

from .ragged import Flags, sums_between
from .windows import Floats, Ints

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
    sizes: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return sizes


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
    seasonal: Flags = agree - chance > SEASONAL * (1.0 - chance)
    return seasonal


def _sums(values: Floats | Flags, first: Ints, end: Ints) -> Floats:
    """The sums of the rows of each series from `first` to before `end`, `(n_series, targets)`."""
    sums = np.zeros((len(first), values.shape[1]))
    full = end > first
    sums[full] = sums_between(values.astype(np.float64), first[full], end[full])
    return sums
