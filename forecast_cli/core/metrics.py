"""Measures of error, added up piece by piece so that memory does not grow with the origins."""

from dataclasses import dataclass, field

import numpy as np

from .windows import Floats, Ints


@dataclass
class ErrorSums:
    """The sums from which the measures of error are means, for each series and target.

    Steps whose actual value is missing (NaN) do not count.
    """

    series: int
    targets: int
    count: Floats = field(init=False)
    absolute: Floats = field(init=False)
    squared: Floats = field(init=False)
    symmetric: Floats = field(init=False)

    def __post_init__(self) -> None:
        shape = (4, self.series, self.targets)
        self.count, self.absolute, self.squared, self.symmetric = np.zeros(shape)

    def add(self, actual: Floats, forecast: Floats, series: Ints) -> None:
        """Add forecasts.

        Args:
            actual: Shape `(samples, horizon, targets)`, original units.
            forecast: Likewise.
            series: Shape `(samples,)`: the series of each.
        """
        known = np.isfinite(actual)
        error = np.where(known, np.abs(actual - forecast), 0.0)
        size = np.abs(actual) + np.abs(forecast)
        ratio = np.divide(200.0 * error, size, out=np.zeros_like(error), where=error != 0.0)
        np.add.at(self.count, series, np.sum(known, axis=1))
        np.add.at(self.absolute, series, np.sum(error, axis=1))
        np.add.at(self.squared, series, np.sum(error**2, axis=1))
        np.add.at(self.symmetric, series, np.sum(ratio, axis=1))

    def scores(self, mase_scale: Floats) -> dict[str, Floats]:
        """The measures of each series; NaN where there is nothing to divide by.

        MAE and RMSE are in original units, sMAPE in percent (0 to 200), MASE in units of
        `mase_scale`, the in-sample error of the seasonal naive forecast.

        Args:
            mase_scale: Shape `(series, targets)`, like the measures.

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

    def overall(self, mase_scale: Floats) -> dict[str, Floats]:
        """The measures over all series, each of shape `(targets,)`.

        All forecasts count alike in MAE, RMSE and sMAPE, all series in MASE, as in M4.
        """
        whole = ErrorSums(1, self.targets)
        for name in ("count", "absolute", "squared", "symmetric"):
            setattr(whole, name, getattr(self, name).sum(axis=0, keepdims=True))
        pooled = {name: each[0] for name, each in whole.scores(np.ones((1, 1))).items()}
        mase = self.scores(mase_scale)["mase"]
        known = np.isfinite(mase)
        total = np.where(known, mase, 0.0).sum(axis=0)
        return pooled | {
            "mase": np.divide(
                total, known.sum(axis=0), out=np.full_like(total, np.nan), where=known.any(axis=0)
            )
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
        Shape `(n_series, targets)`; NaN where nothing could be compared.
    """
    total, count = np.zeros((2, len(end), values.shape[1]))
    for series, (first, last) in enumerate(zip(indptr[:-1], end, strict=True)):
        lag = season_length if last - first > season_length else 1
        difference = np.abs(values[first + lag : last] - values[first : last - lag])
        total[series] = np.nansum(difference, axis=0)
        count[series] = np.sum(np.isfinite(difference), axis=0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
