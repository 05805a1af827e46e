"""Measures of labels, and the error that others are measured by."""

from collections.abc import Callable

import numpy as np

from .ragged import sums_between
from .windows import Floats, Ints


def r_squared(actual: Floats, forecast: Floats) -> Floats:
    """The share of the variance that is explained, of arrays `(samples, targets)`.

    Returns:
        Shape `(targets,)`; NaN where the actual values do not vary.
    """
    left = np.sum((actual - forecast) ** 2, axis=0)
    whole = np.sum((actual - np.mean(actual, axis=0)) ** 2, axis=0)
    shares: Floats = np.divide(left, whole, out=np.full_like(left, np.nan), where=whole > 0)
    return 1.0 - shares


def confusion(actual: Ints, given: Ints, classes: int) -> Ints:
    """How often each class was taken for which, shape `(classes, classes)`, rows actual."""
    counts = np.bincount(actual * classes + given, minlength=classes * classes)
    return counts.reshape(classes, classes)


def class_scores(counts: Ints) -> dict[str, float]:
    """Accuracy, and F1 as the plain mean over the classes that stand in either, from a confusion.

    Source: Opitz and Burst (2019), macro F1 as the mean of the classes' F1.
    """
    right, actual, given = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    present = actual + given > 0
    f1 = 2.0 * right[present] / (actual + given)[present]
    return {"accuracy": float(right.sum() / counts.sum()), "macro_f1": float(f1.mean())}


def seasonal_error(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Mean absolute difference between values a season apart in the training rows.

    Args:
        values: Shape `(n_rows, targets)`, original units; missing values do not count.
        indptr: Shape `(n_series + 1,)`.
        end: Shape `(n_series,)`: the row after the last training row of each series.
        season_length: Steps in a season, at least 1; 1 where a series is shorter.

    Returns:
        Shape `(n_series, targets)`; NaN where nothing could be compared.
    """
    return _mean_apart(values, indptr, end, season_length=season_length, measure=_absolute)


def seasonal_squared(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Mean squared difference between values a season apart, see `seasonal_error`."""
    return _mean_apart(values, indptr, end, season_length=season_length, measure=_squared)


def seasonal_smape(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """The symmetric percentage error of the same, 0 to 200, a mean over the series, `(targets,)`.

    1 where nothing could be compared, or where it is 0.
    """
    own = _mean_apart(values, indptr, end, season_length=season_length, measure=_symmetric)
    known = np.isfinite(own)
    total, count = np.where(known, own, 0.0).sum(axis=0), known.sum(axis=0)
    usual: Floats = np.divide(
        total, count, out=np.ones_like(total), where=(count > 0) & (total > 0)
    )
    return usual


def seasonal_pair(values: Floats, indptr: Ints, end: Ints, *, season_length: int) -> Floats:
    """Both of them, shape `(2, n_series, targets)`: what MASE and RMSSE are taken in."""
    own = seasonal_error(values, indptr, end, season_length=season_length)
    return np.stack([own, seasonal_squared(values, indptr, end, season_length=season_length)])


def _absolute(later: Floats, earlier: Floats) -> Floats:
    apart: Floats = np.abs(later - earlier)
    return apart


def _squared(later: Floats, earlier: Floats) -> Floats:
    return np.square(later - earlier)


def _symmetric(later: Floats, earlier: Floats) -> Floats:
    size = np.abs(later) + np.abs(earlier)
    apart = np.abs(later - earlier)
    share: Floats = np.divide(apart, size, out=np.zeros_like(apart), where=size != 0)
    return 200.0 * share


def _mean_apart(
    values: Floats,
    indptr: Ints,
    end: Ints,
    *,
    season_length: int,
    measure: Callable[[Floats, Floats], Floats],
) -> Floats:
    first = indptr[:-1]
    lengths = np.asarray(end) - first
    lags = np.where(lengths > season_length, season_length, 1)
    means = np.full((len(lengths), values.shape[1]), np.nan)
    for lag in {season_length, 1}:
        of = np.flatnonzero((lags == lag) & (lengths > lag))
        if len(of):
            # Across the ends of series too; those differences are in no sum.
            apart = measure(values[lag:], values[:-lag])
            known = np.isfinite(apart)
            total, count = (
                sums_between(each, first[of], first[of] + lengths[of] - lag)
                for each in (np.where(known, apart, 0.0), known.astype(np.float64))
            )
            means[of] = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means
