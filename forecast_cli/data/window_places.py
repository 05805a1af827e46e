"""Where the windows of a panel begin whose targets lie within a split."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.padding import LeftPadding, owner_series
from ..core.windows import Ints, window_starts
from .splits import Part, Splits

# The fewest rows of a short series that a window contains.
LEAST_KNOWN = 2


@dataclass(frozen=True)
class WindowPlaces:
    """What the places of windows go by.

    Args:
        splits: Training, validation and test.
        padding: In front of short series; places are those of the rows with it.
        missing: Shape `(n_rows,)`: whether a value of the row was missing and is filled; None where
            windows may end with such rows.
        every_row: Whether each row of a window has targets of its own.
    """

    splits: Splits
    padding: LeftPadding
    missing: npt.NDArray[np.bool_] | None = None
    every_row: bool = False

    def starts(self, part: Part, *, timesteps: int, horizon: int) -> Ints:
        """Return the first rows of the windows of a split, shape `(samples,)`, ascending.

        Args:
            part: The split.
            timesteps: Steps of the lookback.
            horizon: Steps ahead.
        """
        begin, end = (each + self.padding.shift for each in self.splits.bounds(part))
        first = self.padding.first_starts(timesteps=timesteps, least=LEAST_KNOWN)
        # A series without a training row has no scores.
        trained = self.splits.train_end > self.splits.indptr[:-1]
        end = np.where(trained, end, begin)
        starts = window_starts(first, begin, end, timesteps=timesteps, horizon=horizon)
        if self.missing is None or not self.missing.any():
            return starts
        # A gap that reaches up to the targets was filled with values of the targets.
        ends = self.padding.original(starts + timesteps - 1)
        if self.every_row:
            count = np.concatenate([[0], np.cumsum(self.missing)])
            first = self.splits.indptr[owner_series(self.splits.indptr, ends)]
            begins = np.maximum(ends + 1 - timesteps, first)
            whole: Ints = starts[count[ends + 1] == count[begins]]
            return whole
        return starts[~self.missing[ends]]
