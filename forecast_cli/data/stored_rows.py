"""The rows of a table that is larger than memory: scaled, on disk, in blocks of whole series."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..core.scaling import Scaling
from ..core.windows import Floats, Ints
from .splits import Part, WindowPlaces


@dataclass(frozen=True)
class StoredBlock:
    """Some series whose rows are in a file of their own.

    Args:
        path: A NumPy file, shape `(rows, features)`, float32: the rows, scaled, with padding.
        places: Where their windows begin.
    """

    path: Path
    places: WindowPlaces

    @property
    def lengths(self) -> Ints:
        """Rows of each series with their padding, shape `(n_series,)`."""
        return np.diff(self.places.splits.indptr) + self.places.padding.added

    @cached_property
    def rows(self) -> int:
        """How many rows there are, with their padding."""
        return int(self.lengths.sum())

    def read(self) -> Floats:
        """Return the rows, memory-mapped, shape `(rows, features)`."""
        values: Floats = np.load(self.path, mmap_mode="r")
        return values

    def starts(self, part: Part, *, timesteps: int, horizon: int) -> Ints:
        """Return the first rows of the windows of a split, shape `(samples,)`, ascending."""
        return self.places.starts(part, timesteps=timesteps, horizon=horizon)


@dataclass(frozen=True, repr=False)
class StoredRows:
    """All rows of a table, of which a dataset holds a sample of the series.

    Args:
        blocks: In the order of the series.
        scaling: Of all series.
        naive_error: Shape `(n_series, targets)`: as in `Dataset`.
        gaps: Whether a scaled value is missing.
        memory: Gigabytes that the process may hold in all; None: half of what is free.
    """

    blocks: Sequence[StoredBlock]
    scaling: Scaling
    naive_error: Floats
    gaps: bool
    memory: float | None = None

    @property
    def firsts(self) -> Ints:
        """The number of the first series of each block, shape `(blocks,)`."""
        counts = [0, *(len(each.lengths) for each in self.blocks[:-1])]
        return np.cumsum(counts)

    @property
    def rows(self) -> int:
        """How many rows there are, with their padding."""
        return sum(each.rows for each in self.blocks)

    def count(self, part: Part, *, timesteps: int, horizon: int) -> Ints:
        """Return how many windows of a split each block has, shape `(blocks,)`."""
        how = {"timesteps": timesteps, "horizon": horizon}
        return np.array([len(each.starts(part, **how)) for each in self.blocks])
