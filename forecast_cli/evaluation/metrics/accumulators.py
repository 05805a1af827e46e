"""Sums over many forecasts, by series and by step of the horizon, that do not grow with them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ...core.windows import Floats, Ints

# How many values are worked on at once.
CELLS = 100_000


@dataclass
class Totals:
    """Sums of named quantities: of each series over its steps, and of each step over the series.

    Args:
        series: How many series there are.
        horizon: Steps ahead.
        cell: The shape of a quantity at one step: `(targets,)`, or `(targets, levels)`.
    """

    series: int
    horizon: int
    cell: tuple[int, ...]
    by_series: dict[str, Floats] = field(default_factory=dict)
    by_step: dict[str, Floats] = field(default_factory=dict)

    def add(self, series: Ints, **quantities: Floats) -> None:
        """Add what was found of some forecasts.

        Args:
            series: Shape `(samples,)`: the series of each.
            quantities: Shape `(samples, horizon, *cell)` each, 0 where a step does not count.
        """
        starts = np.flatnonzero(np.diff(series, prepend=-1))
        # Samples of a series that follow each other are one row, where that makes fewer.
        together = 2 * len(starts) < len(series)
        starts = starts if together else np.arange(len(series))
        # Few of many series stand in one call: only their rows are touched.
        present, places = np.unique(series[starts], return_inverse=True)
        for name, values in quantities.items():
            if name not in self.by_series:
                self.by_series[name] = np.zeros((self.series, *self.cell))
                self.by_step[name] = np.zeros((self.horizon, *self.cell))
            rows = values.astype(np.float64, copy=False)
            rows = np.add.reduceat(rows, starts, axis=0) if together else rows
            self.by_step[name] += rows.sum(axis=0)
            self.by_series[name][present] += _grouped(rows.sum(axis=1), places, len(present))

    @property
    def overall(self) -> dict[str, Floats]:
        """The sums over all series and steps, of shape `cell` each."""
        return {name: values.sum(axis=0) for name, values in self.by_series.items()}


class Sums(ABC):
    """What adds up measures piece by piece, the same ones for series, steps and all values."""

    totals: Totals

    @staticmethod
    @abstractmethod
    def measures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the measures of sums of one shape, of that shape."""

    def by_series(self) -> dict[str, Floats]:
        """Return the measures of each series, `(n_series, targets, ...)`."""
        return self.measures(self.totals.by_series)

    def by_step(self) -> dict[str, Floats]:
        """Return the measures of each step ahead, `(horizon, targets, ...)`."""
        return self.measures(self.totals.by_step)

    def overall(self) -> dict[str, Floats]:
        """Return the measures over all values, `(targets, ...)`."""
        return self.measures(self.totals.overall)


def blocks(values: Floats) -> Iterator[slice]:
    """Slices of samples that fit into the caches of a processor, for what is made of them."""
    most = max(1, CELLS // max(1, math.prod(values.shape[1:])))
    return (slice(first, first + most) for first in range(0, max(1, len(values)), most))


def ratio(part: Floats, whole: Floats) -> Floats:
    """The quotient, NaN where there is nothing to divide by."""
    part = np.asarray(part, np.float64)
    quotient: Floats = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
    return quotient


def _grouped(values: Floats, places: Ints, count: int) -> Floats:
    """The sums of the rows of each group, shape `(count, *cell)`."""
    columns = values.reshape(len(values), math.prod(values.shape[1:]))
    sums: Floats = np.empty((count, columns.shape[1]))
    for place, column in enumerate(columns.T):
        sums[:, place] = np.bincount(places, weights=column, minlength=count)
    return sums.reshape(count, *values.shape[1:])
