"""Rows of padding in front of short series, so that every series has a whole window."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .windows import Floats, Ints


def owner_series(indptr: Ints, rows: Ints) -> Ints:
    """Return the series of each row, shape of `rows`.

    >>> owner_series(np.array([0, 3, 5]), np.array([0, 2, 3]))
    array([0, 0, 1])
    """
    return np.searchsorted(indptr, rows, side="right") - 1


@dataclass(frozen=True)
class LeftPadding:
    """The positions of the rows of a panel with padding in front of its short series.

    Args:
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]` of the panel.
        added: Shape `(n_series,)`: rows of padding in front of each series.
    """

    indptr: Ints
    added: Ints

    @cached_property
    def shift(self) -> Ints:
        """By how many rows each series is moved, shape `(n_series,)`."""
        return np.cumsum(self.added)

    def moved(self, rows: Ints) -> Ints:
        """Return the padded positions of rows of the panel, shape of `rows`."""
        return rows + self.shift[owner_series(self.indptr, rows)] if self.added.any() else rows

    def original(self, rows: Ints) -> Ints:
        """Return the rows of the panel at padded positions, shape of `rows`, none of padding."""
        if not self.added.any():
            return rows
        return rows - self.shift[owner_series(self.indptr[:-1] + self.shift - self.added, rows)]

    def spread(self, values: Floats, *, first: bool = False) -> Floats:
        """Return the rows of a panel with padding, shape `(n_rows + added rows, features)`.

        Args:
            values: Shape `(n_rows, features)`.
            first: Whether the padding is the first value of its series; else it is NaN.
        """
        if not self.added.any():
            return values
        rows = np.full((len(values) + int(self.shift[-1]), values.shape[1]), np.nan, values.dtype)
        rows[self.moved(np.arange(len(values)))] = values
        if first:
            lengths = np.diff(self.indptr)
            series = np.repeat(np.arange(len(lengths)), lengths + self.added)
            places = np.arange(len(series)) - self.shift[series]
            before = (places < self.indptr[series]) & (lengths > 0)[series]
            rows[before] = values[self.indptr[series[before]]]
        return rows

    def first_starts(self, *, timesteps: int, least: int) -> Ints:
        """Return the first row at which a window of each series may begin, `(n_series,)`.

        Args:
            timesteps: Steps of the lookback.
            least: The fewest rows of its series that a window with padding contains.
        """
        begins = self.indptr[:-1] + self.shift
        return np.where(self.added > 0, begins + np.minimum(least, timesteps) - timesteps, begins)


def pad_short_series(indptr: Ints, short: npt.NDArray[np.bool_], *, timesteps: int) -> LeftPadding:
    """Return padding of the length of a window in front of each short series.

    Args:
        indptr: Shape `(n_series + 1,)`.
        short: Shape `(n_series,)`: whether a series is short.
        timesteps: Steps of the lookback.
    """
    return LeftPadding(indptr, np.where(short, timesteps, 0))
