"""The in-sample errors of the seasonal naive forecast, which scale others."""

from collections.abc import Callable

import numpy as np

from .ragged import sums_between
from .windows import Floats, Ints


def seasonal_error(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Return the mean absolute difference between values a season apart in the training rows.

    Args:
        values: Shape `(n_rows, targets)`, original units; missing values do not count.
        indptr: Shape `(n_series + 1,)`.
        end: Shape `(n_series,)`: the row after the last training row of each series.
        season_length: Steps in a season, at least 1; 1 where a series is shorter.

    Returns:
        Shape `(n_series, targets)`; NaN without such a pair.
    """
    return _mean_apart(
        values, indptr, end, season_length, lambda later, earlier: np.abs(later - earlier)
    )


def seasonal_squared(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Return the mean squared difference of the same, shape `(n_series, targets)`."""
    return _mean_apart(
        values, indptr, end, season_length, lambda later, earlier: np.square(later - earlier)
    )


def seasonal_smape(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Return their symmetric percentage error, 0 to 200, a mean over the series, `(targets,)`.

    1 without such a pair, or where it is 0.
    """
    own = _mean_apart(values, indptr, end, season_length, _symmetric)
    known = np.isfinite(own)
    total, count = np.where(known, own, 0.0).sum(axis=0), known.sum(axis=0)
    positive = (count > 0) & (total > 0)
    mean: Floats = np.divide(total, count, out=np.ones_like(total), where=positive)
    return mean


def seasonal_pair(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Return both errors, shape `(2, n_series, targets)`: the scales of MASE and RMSSE."""
    own = seasonal_error(values, indptr, end, season_length=season_length)
    return np.stack([own, seasonal_squared(values, indptr, end, season_length=season_length)])


def _symmetric(later: Floats, earlier: Floats) -> Floats:
    size = np.abs(later) + np.abs(earlier)
    apart = np.abs(later - earlier)
    share: Floats = np.divide(apart, size, out=np.zeros_like(apart), where=size != 0)
    return 200.0 * share


def _mean_apart(
    values: Floats,
    indptr: Ints,
    end: Ints,
    season_length: int,
    measure: Callable[[Floats, Floats], Floats],
) -> Floats:
    """Return the mean measure of pairs a season apart, shape `(n_series, targets)`."""
    first = indptr[:-1]
    lengths = np.asarray(end) - first
    lags = np.where(lengths > season_length, season_length, 1)
    means = np.full((len(lengths), values.shape[1]), np.nan)
    for lag in {season_length, 1}:
        of = np.flatnonzero((lags == lag) & (lengths > lag))
        if len(of):
            # Across the ends of series too; no sum contains those differences.
            apart = measure(values[lag:], values[:-lag])
            known = np.isfinite(apart)
            total, count = (
                sums_between(each, first[of], first[of] + lengths[of] - lag)
                for each in (np.where(known, apart, 0.0), known.astype(np.float64))
            )
            means[of] = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means
