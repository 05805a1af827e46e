"""A table as arrays: series end to end in one float array, their times beside it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..config.sections import Data
from ..core.errors import DataError, listed
from ..core.padding import owner_series
from ..core.ragged import cumulate, owners
from ..core.windows import Floats, Ints
from .columns import Columns
from .groups import name_series
from .time.dates import JOINED
from .time.grid import steps_between
from .time.steps import Timeline

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
    def step_name(self) -> str:
        """What the column of times is called, or that of steps where there are none."""
        time = self.columns.time
        if self.timeline is None or time is None:
            return STEP
        return JOINED if "," in time else time

    @property
    def owners(self) -> Ints:
        """The series of each row, shape `(n_rows,)`."""
        return owners(self.indptr)

    @property
    def lasts(self) -> pd.DatetimeIndex | None:
        """The last time of each series; None where rows are steps."""
        return self.timeline.times[self.indptr[1:] - 1] if self.timeline else None

    def name(self, series: int) -> str:
        """What messages call a series; empty where it has no name."""
        return name_series(self.ids, series)

    def between(self, begins: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
        """Which rows lie between a first one and the one after a last of their series."""
        rows, lengths = np.arange(len(self.values)), self.lengths
        return np.asarray((rows >= np.repeat(begins, lengths)) & (rows < np.repeat(ends, lengths)))

    def since(self, begins: Ints) -> "Panel":
        """The panel from the given rows on, shape `(n_series,)`."""
        if (begins == self.indptr[:-1]).all():
            return self
        keep = self.between(begins, self.indptr[1:])
        return self.rows_kept(np.flatnonzero(keep), self.indptr[1:] - begins)

    def only(self, kept: Ints) -> "Panel":
        """Some of the series, in the order asked for."""
        rows = [np.arange(*self.indptr[each : each + 2]) for each in kept.tolist()]
        places: Ints = np.concatenate([*rows, np.array([], np.int64)])
        return replace(
            self.rows_kept(places, self.lengths[kept]),
            ids=self.ids.iloc[kept].reset_index(drop=True),
            ahead=self.ahead[kept],
        )

    def rows_kept(self, rows: Ints, lengths: Ints) -> "Panel":
        """Some of the rows, `lengths` of them in each series."""
        timeline = self.timeline
        return replace(
            self,
            values=self.values[rows],
            indptr=cumulate(lengths),
            timeline=timeline and replace(timeline, times=timeline.times[rows]),
        )


def cut(panel: Panel, ends: Ints) -> Panel:
    """The panel up to the given rows; what is known of the rows behind them is kept as ahead.

    Args:
        panel: What is cut.
        ends: Shape `(n_series,)`: the row after the last one of each series that is left.
    """
    if (ends == panel.indptr[1:]).all():
        return panel
    keep = panel.between(panel.indptr[:-1], ends)
    behind = np.flatnonzero(~keep)
    return replace(
        panel.rows_kept(np.flatnonzero(keep), ends - panel.indptr[:-1]),
        ahead=_cut_ahead(panel, ends, behind, panel.owners[behind]),
    )


def _cut_ahead(panel: Panel, ends: Ints, rows: Ints, owners: Ints) -> Floats:
    """What is known of the steps after new ends: of the rows behind them, and of what follows.

    Where there are times, they say which step it is: rows may be missing, or closed days.
    """
    series = np.arange(panel.count)
    steps = _steps_from(panel, ends[owners] - 1, rows)
    if panel.timeline and panel.timeline.frequency.alias == "B":
        steps = np.where(panel.timeline.frequency.closed(panel.timeline.times[rows]), 0, steps)
    shift = _steps_from(panel, ends - 1, panel.indptr[1:] - 1)
    width = max([0, *steps, int(shift.max()) + panel.ahead.shape[1]])
    ahead = np.full((panel.count, width, panel.values.shape[1]), np.nan)
    for step in range(panel.ahead.shape[1]):
        ahead[series, shift + step] = panel.ahead[:, step]
    known = np.flatnonzero(steps > 0)
    for place in panel.columns.places(panel.columns.covariates.future):
        ahead[owners[known], steps[known] - 1, place] = panel.values[rows[known], place]
    return ahead


def _steps_from(panel: Panel, first: Ints, rows: Ints) -> Ints:
    """How many steps it is from rows to later ones of their series."""
    if panel.timeline is None:
        return rows - first
    times = panel.timeline.times
    return steps_between(times[first], times[rows], panel.timeline.frequency)


def without_missing(panel: Panel) -> Panel:
    """Only the rows in which every column has a value; they are the steps then.

    Raises:
        DataError: Nothing is left of a series.
    """
    rows = np.where(panel.missing_rows, -1, np.arange(len(panel.values)))
    last = np.maximum.reduceat(rows, panel.indptr[:-1])
    empty = np.flatnonzero(last < panel.indptr[:-1])
    if len(empty):
        names = listed(empty.tolist(), say=panel.name) if len(panel.ids.columns) else ""
        raise DataError(
            f"{panel.source}{f': series {names}' * bool(names)} has no row in which every column "
            "has a value.",
            "Leave it out, or pass --missing interpolate, ffill or mask.",
        )
    panel = cut(panel, last + 1)
    whole = np.flatnonzero(~panel.missing_rows)
    counts = np.bincount(owner_series(panel.indptr, whole), minlength=panel.count)
    return panel.rows_kept(whole, counts)
