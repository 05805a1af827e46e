"""Measures of error, added up piece by piece so that memory does not grow with the origins."""

from dataclasses import dataclass, field

import numpy as np

from .windows import Floats, Ints


@dataclass
class ErrorSums:
    """The sums from which the measures of error are means, for each target.

    Steps whose actual value is missing (NaN) do not count.
    """

    targets: int
    count: Floats = field(init=False)
    absolute: Floats = field(init=False)
    squared: Floats = field(init=False)
    symmetric: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.count, self.absolute, self.squared, self.symmetric = np.zeros((4, self.targets))

    def add(self, actual: Floats, forecast: Floats) -> None:
        """Add forecasts, both arrays of shape `(samples, horizon, targets)`, original units."""
        known = np.isfinite(actual)
        error = np.where(known, np.abs(actual - forecast), 0.0)
        size = np.abs(actual) + np.abs(forecast)
        ratio = np.divide(200.0 * error, size, out=np.zeros_like(error), where=error != 0.0)
        self.count += np.sum(known, axis=(0, 1))
        self.absolute += np.sum(error, axis=(0, 1))
        self.squared += np.sum(error**2, axis=(0, 1))
        self.symmetric += np.sum(ratio, axis=(0, 1))

    def scores(self, mase_scale: Floats) -> dict[str, Floats]:
        """The measures, each of shape `(targets,)`; NaN where there is nothing to divide by.

        MAE and RMSE are in original units, sMAPE in percent (0 to 200), MASE in units of
        `mase_scale`, the in-sample error of the seasonal naive forecast.

        Source: Hyndman and Koehler (2006) for MASE; Makridakis et al. (2020), M4, for sMAPE.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            mae = self.absolute / self.count
            return {
                "mae": mae,
                "rmse": np.sqrt(self.squared / self.count),
                "smape": self.symmetric / self.count,
                "mase": np.where(mase_scale > 0, mae / mase_scale, np.nan),
            }


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
        Shape `(targets,)`, pooled over the series; NaN where nothing could be compared.
    """
    total = np.zeros(values.shape[1])
    count = np.zeros(values.shape[1])
    for first, last in zip(indptr[:-1], end, strict=True):
        lag = season_length if last - first > season_length else 1
        difference = np.abs(values[first + lag : last] - values[first : last - lag])
        total += np.nansum(difference, axis=0)
        count += np.sum(np.isfinite(difference), axis=0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
