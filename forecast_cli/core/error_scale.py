"""The scale of errors: of the seasonal naive forecast in training, and of recent ones."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .padding import owner_series
from .ragged import rows_before, sums_between
from .windows import Floats, Ints

# The decay of the weight of an error in each row: half after 23 rows.
DECAY = 0.97
# The weight of the average error, in recent errors.
PRIOR = 5.0
# So many doublings of the rows that are looked back: older errors have no weight.
DOUBLINGS = 9


@dataclass(frozen=True)
class Recent:
    """Recent errors, relative to the average error of their series.

    Args:
        total: Shape `(places, targets)`: the weighted sum of the errors.
        weight: Of the same shape: the sum of their weights.
    """

    total: Floats
    weight: Floats

    @property
    def size(self) -> Floats:
        """Their mean, shape `(places, targets)`; 1 where none is known."""
        return (PRIOR + self.total) / (PRIOR + self.weight)

    def at(self, places: Ints) -> "Recent":
        """Return those at some of the places, shape `(chosen,)`."""
        return Recent(self.total[places], self.weight[places])


def unknown(places: int, targets: int) -> Recent:
    """Return recent errors of which none is known."""
    return Recent(np.zeros((places, targets)), np.zeros((places, targets)))


class ErrorTrail:
    """The latest errors of each series, kept up as forecasts are compared with actual values.

    Args:
        indptr: Shape `(n_series + 1,)`.
        targets: How many columns are forecast.
        before: What was known of each series before the first error that is added.

    Source: the exponentially weighted moving average of RiskMetrics (1996).
    """

    def __init__(self, indptr: Ints, targets: int, before: Recent | None = None) -> None:
        self.indptr = indptr
        self.own = unknown(int(indptr[-1]), targets)
        self.before = before
        self.begun = np.zeros(len(indptr) - 1, bool)

    def add(self, origins: Ints, errors: Floats) -> None:
        """Add the errors of forecasts.

        Args:
            origins: Shape `(samples,)`: rows, ascending; of each series behind those added before.
            errors: Shape `(samples, targets)`: of each origin, the usual ones 1; NaN where unknown.
        """
        known = np.isfinite(errors)
        self.own.total[origins] = np.where(known, errors, 0.0)
        self.own.weight[origins] = known
        if self.before is None:
            return
        series = owner_series(self.indptr, origins)
        own, first = np.unique(series, return_index=True)
        new, rows = own[~self.begun[own]], origins[first[~self.begun[own]]]
        self.own.total[rows] += DECAY * self.before.total[new]
        self.own.weight[rows] += DECAY * self.before.weight[new]
        self.begun[own] = True

    def at(self, rows: Ints) -> Recent:
        """The latest errors up to each of these rows, shape `(places,)`, that row included."""
        if not len(rows):
            return Recent(self.own.total[rows], self.own.weight[rows])
        first, end = max(0, int(rows.min()) - 2**DOUBLINGS + 1), int(rows.max()) + 1
        total, weight = self.own.total[first:end].copy(), self.own.weight[first:end].copy()
        numbers = np.minimum(rows_before(self.indptr, first, end), np.arange(end - first))
        for doubling in range(DOUBLINGS):
            # What is known of 2^n rows, together with what was known of the 2^n before them.
            step = 2**doubling
            later = np.flatnonzero(numbers >= step)
            for each in (total, weight):
                each[later] += DECAY**step * each[later - step]
        return Recent(total[rows - first], weight[rows - first])

    def known_at(self, origins: Ints, *, horizon: int) -> Recent:
        """What was known at origins: the error of a forecast is known once its horizon is past.

        Args:
            origins: Shape `(samples,)`.
            horizon: Steps until a forecast is past.
        """
        series = owner_series(self.indptr, origins)
        past = origins - horizon
        there = (past >= self.indptr[series])[:, None]
        known = self.at(np.maximum(past, self.indptr[series]))
        return Recent(np.where(there, known.total, 0.0), np.where(there, known.weight, 0.0))


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
