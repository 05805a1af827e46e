"""A table as arrays: series end to end in one float array, their times beside it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..config import Data
from ..core.room import series_of
from ..core.windows import Floats, Ints
from .groups import name_of
from .roles import Columns
from .steps import Timeline

# What names the steps, the series and their values, where the table has no word for it.
STEP = "step"
SERIES = "series"
VALUE = "value"


@dataclass(frozen=True)
class Panel:
    """Many series as one array; one series is a panel of one.

    Args:
        columns: The names.
        values: Shape `(n_rows, features)`, float64, original units, NaN where missing. Calendar
            features stand in it too; they are never missing.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        timeline: The times of the rows; None where rows are steps.
        source: What messages call the table.
        data: How it was read, with what was found.
        ids: A row for each series, a column for each part of its name.
        ahead: Shape `(n_series, steps, features)`: what is known of the steps after the end of each
            series, NaN where nothing is.
    """

    columns: Columns
    values: Floats
    indptr: Ints
    timeline: Timeline | None
    source: str
    data: Data
    ids: pd.DataFrame
    ahead: Floats

    @cached_property
    def missing_rows(self) -> npt.NDArray[np.bool_]:
        """Shape `(n_rows,)`: whether a value of the row is missing."""
        return np.asarray(np.isnan(self.values).any(axis=1))

    @property
    def count(self) -> int:
        """How many series there are."""
        return len(self.indptr) - 1

    @property
    def lengths(self) -> Ints:
        """Rows of each series, shape `(n_series,)`."""
        return np.diff(self.indptr)

    @property
    def lasts(self) -> pd.DatetimeIndex | None:
        """The last time of each series; None where rows are steps."""
        return self.timeline.times[self.indptr[1:] - 1] if self.timeline else None

    def name(self, series: int) -> str:
        """What messages call a series; empty where it has no name."""
        return name_of(self.ids, series)

    def only(self, kept: Ints) -> "Panel":
        """Some of the series, in the order asked for."""
        rows = [np.arange(*self.indptr[each : each + 2]) for each in kept.tolist()]
        places: Ints = np.concatenate([*rows, np.array([], np.int64)])
        lengths = self.lengths[kept]
        return replace(
            self,
            values=self.values[places],
            indptr=np.concatenate([[0], np.cumsum(lengths)]),
            timeline=self.timeline and replace(self.timeline, times=self.timeline.times[places]),
            ids=self.ids.iloc[kept].reset_index(drop=True),
            ahead=self.ahead[kept],
        )


def cut(panel: Panel, ends: Ints) -> Panel:
    """The panel up to the given rows; what is known of the rows behind them is kept as ahead."""
    over = panel.indptr[1:] - ends
    if not over.any():
        return panel
    places = panel.columns.places(panel.columns.covariates.future)
    steps = max(int(over.max()), panel.ahead.shape[1])
    ahead = np.full((panel.count, steps, panel.values.shape[1]), np.nan)
    for series, (end, last) in enumerate(zip(ends, panel.indptr[1:], strict=True)):
        known = np.concatenate([panel.values[end:last], panel.ahead[series]])[: ahead.shape[1]]
        ahead[series, : len(known), places] = known[:, places].T
    keep = np.arange(len(panel.values)) < np.repeat(ends, panel.lengths)
    return replace(
        panel,
        values=panel.values[keep],
        indptr=np.concatenate([[0], np.cumsum(ends - panel.indptr[:-1])]),
        timeline=panel.timeline and replace(panel.timeline, times=panel.timeline.times[keep]),
        ahead=ahead,
    )


def without_missing(panel: Panel) -> Panel:
    """Only the rows in which every column has a value; they are the steps then."""
    whole = np.flatnonzero(~panel.missing_rows)
    counts = np.bincount(series_of(panel.indptr, whole), minlength=panel.count)
    timeline = panel.timeline
    if timeline:
        timeline = replace(timeline, times=timeline.times[whole])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return replace(panel, values=panel.values[whole], indptr=indptr, timeline=timeline)
