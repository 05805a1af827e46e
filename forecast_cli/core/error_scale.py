"""How large the latest errors are: a moving average along the rows of each series."""

from dataclasses import dataclass

import numpy as np

from .ragged import row_numbers
from .windows import Floats, Ints

# How much an error counts for the next row's idea of recent errors: half after 23 rows.
DECAY = 0.97
# What is usual counts like so many recent errors.
PRIOR = 5.0
# Rows back that are looked at: what is older counts for nothing.
DOUBLINGS = 9


@dataclass(frozen=True)
class Recent:
    """The latest errors, the usual ones being 1.

    Args:
        total: Shape `(places, targets)`: the errors, each times its weight.
        weight: Of the same shape: of all of them.
    """

    total: Floats
    weight: Floats

    @property
    def size(self) -> Floats:
        """How large they are, 1 where nothing is known, shape `(places, targets)`."""
        size: Floats = (PRIOR + self.total) / (PRIOR + self.weight)
        return size

    def at(self, places: Ints) -> "Recent":
        """Those at some of the places."""
        return Recent(self.total[places], self.weight[places])


def unknown(places: int, targets: int) -> Recent:
    """Nothing is known."""
    return Recent(np.zeros((places, targets)), np.zeros((places, targets)))


def recent_by_row(
    errors: Floats, origins: Ints, indptr: Ints, before: Recent | None = None
) -> Recent:
    """What the errors of forecasts are up to each row, those of that row included.

    Args:
        errors: Shape `(samples, targets)`: of each origin, the usual ones 1; NaN where unknown.
        origins: Shape `(samples,)`: rows, ascending.
        indptr: Shape `(n_series + 1,)`.
        before: What was known of each series before the first of these.

    Returns:
        Of all rows.

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
        # What is known of 2^n rows, together with what was known of the 2^n before them.
        step = 2**doubling
        later = np.flatnonzero(numbers >= step)
        for each in (rows.total, rows.weight):
            each[later] += DECAY**step * each[later - step]
    return rows


def _add_before(rows: Recent, before: Recent, origins: Ints, indptr: Ints) -> None:
    """Put what was known before to the first origin of each series, in place."""
    series = np.searchsorted(indptr, origins, side="right") - 1
    own, first = np.unique(series, return_index=True)
    rows.total[origins[first]] += DECAY * before.total[own]
    rows.weight[origins[first]] += DECAY * before.weight[own]


def known_at(rows: Recent, origins: Ints, indptr: Ints, *, horizon: int) -> Recent:
    """What was known at origins: a forecast has been wrong once its whole horizon is past.

    Args:
        rows: As `recent_by_row` gives them.
        origins: Shape `(samples,)`.
        indptr: Shape `(n_series + 1,)`.
        horizon: Steps until a forecast is past.
    """
    series = np.searchsorted(indptr, origins, side="right") - 1
    past = origins - horizon
    there = (past >= indptr[series])[:, None]
    known = rows.at(np.maximum(past, 0))
    return Recent(np.where(there, known.total, 0.0), np.where(there, known.weight, 0.0))
