"""The times of rows, and the step in time of each row of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core.windows import Floats, Ints
from .frequency import Frequency

# Aggregations with values that no row may have had.
COMPUTED = ("mean", "sum", "min", "max")
# Ways in which one of several rows is used.
WHOLE_ROWS = ("first row", "last row")


@dataclass(frozen=True)
class Timeline:
    """The times of rows.

    Args:
        times: Shape `(n_rows,)`, ascending in each series.
        frequency: The step between them.
        style: The format in which the table writes them.
    """

    times: pd.DatetimeIndex
    frequency: Frequency
    style: str


@dataclass(frozen=True)
class Steps:
    """The step in time of each row of a table.

    Args:
        timeline: The times of the steps of all series, end to end; None where rows are steps.
        indptr: Shape `(n_series + 1,)`: series `i` is steps `indptr[i]:indptr[i + 1]`.
        order: Shape `(rows,)`: the rows of the table, series by series, the oldest first.
        places: Shape `(rows,)`: the step of each of them, ascending; several rows may share one.
        combine: How rows that share a step become one.
    """

    timeline: Timeline | None
    indptr: Ints
    order: Ints
    places: Ints
    combine: str

    def place(self, values: Floats, names: Sequence[int] = ()) -> Floats:
        """Return the values of rows at their steps, shape `(n_steps, features)`; NaN without a row.

        Args:
            values: Shape `(rows, features)`.
            names: Features that are numbers of categories, which have no mean or sum: of rows that
                share a step, the last counts.
        """
        placed = np.full((int(self.indptr[-1]), values.shape[1]), np.nan)
        if (np.diff(self.places) > 0).all():
            placed[self.places] = values[self.order]
            return placed
        if self.combine in WHOLE_ROWS:
            # The whole row counts, with its missing values.
            last = np.diff(self.places, append=self.places[-1] + 1) > 0
            first = np.diff(self.places, prepend=self.places[0] - 1) > 0
            kept = last if self.combine == "last row" else first
            placed[self.places[kept]] = values[self.order[kept]]
            return placed
        groups = pd.DataFrame(values[self.order]).groupby(self.places)
        # The sum of missing values is missing, not 0.
        one = groups.sum(min_count=1) if self.combine == "sum" else groups.agg(self.combine)
        placed[one.index.to_numpy()] = one.to_numpy()
        if names and self.combine in COMPUTED:
            placed[one.index.to_numpy()[:, None], list(names)] = groups[list(names)].last()
        return placed
