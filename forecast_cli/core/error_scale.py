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


def recent_by_row(
    errors: Floats, origins: Ints, indptr: Ints, before: Recent | None = None
) -> Recent:
    """Return the recent errors of forecasts up to and including each row.

    Args:
        errors: Shape `(samples, targets)`: of each origin, relative; NaN where unknown.
        origins: Shape `(samples,)`: rows, ascending.
        indptr: Shape `(n_series + 1,)`.
        before: The recent errors of each series before the first of these.

    Returns:
        Those of all rows.

    Source: the exponentially weighted moving average of RiskMetrics (1996).
    """
    count, targets = int(indptr[-1]), errors.shape[1]
    known = np.isfinite(errors)
    rows = unknown(count, targets)
    rows.total[origins] = np.where(known, errors, 0.0)
    rows.weight[origins] = known
    numbers = row_numbers(indptr)
    if before is not None and len(origins):
        _add_before(rows, before, origins, indptr)
    for doubling in range(DOUBLINGS):
        # The sums over 2^n rows, plus those over the 2^n rows before them.
        step = 2**doubling
        later = np.flatnonzero(numbers >= step)
        for each in (rows.total, rows.weight):
            each[later] += DECAY**step * each[later - step]
    return rows


def _add_before(rows: Recent, before: Recent, origins: Ints, indptr: Ints) -> None:
    """Add earlier errors at the first of the origins, `(samples,)`, of each series, in place."""
    series = owner_series(indptr, origins)
    own, first = np.unique(series, return_index=True)
    rows.total[origins[first]] += DECAY * before.total[own]
    rows.weight[origins[first]] += DECAY * before.weight[own]


def known_at(rows: Recent, origins: Ints, indptr: Ints, *, horizon: int) -> Recent:
    """Return the recent errors known at origins: those of forecasts whose whole horizon is past.

    Args:
        rows: As `recent_by_row` returns them.
        origins: Shape `(samples,)`.
        indptr: Shape `(n_series + 1,)`.
        horizon: Steps until a forecast is past.
    """
    series = owner_series(indptr, origins)
    past = origins - horizon
    there = (past >= indptr[series])[:, None]
    known = rows.at(np.maximum(past, 0))
    return Recent(np.where(there, known.total, 0.0), np.where(there, known.weight, 0.0))
