"""The scale of recent errors: a moving average along the rows of each series."""

from dataclasses import dataclass

import numpy as np

from .padding import owner_series
from .ragged import row_numbers
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
        size: Floats = (PRIOR + self.total) / (PRIOR + self.weight)
        return size

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
        self.numbers = row_numbers(indptr)
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
        numbers = np.minimum(self.numbers[first:end], np.arange(end - first))
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
