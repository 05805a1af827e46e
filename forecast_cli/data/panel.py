"""A table as arrays: series end to end in one float array, with their times."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..config.sections import Data
from ..core.errors import listed
from ..core.padding import owner_series
from ..core.ragged import cumulate, owners, rows_between
from ..core.windows import Floats, Ints, take_columns
from .columns import JOINED, Columns
from .groups import name_series
from .time.grid import steps_between
from .time.time_index import Timeline

# The names of steps, series and values where the table has none.
STEP = "step"
SERIES = "series"
VALUE = "value"


@dataclass(frozen=True)
class Panel:
    """Many series as one array; one series is a panel of one.

    Args:
        columns: The names.
        values: Shape `(n_rows, features)`, float64, original units, NaN where missing. Calendar
            features are included; they are never missing.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        timeline: The times of the rows; None where rows are steps.
        source: What messages call the table.
        data: How it was read, with what was found.
        ids: A row for each series, a column for each part of its name.
        ahead: Shape `(n_series, steps, features)`: the known values of the steps after the end of
            each series, NaN where unknown.
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
        """The name of the column of times, or of that of steps where there are none."""
        time = self.columns.time
        if self.timeline is None or time is None:
            return STEP
        return JOINED if "," in time or not time else time

    @property
    def target_values(self) -> Floats:
        """The values of the targets, shape `(n_rows, targets)`; not a copy where they are all."""
        return take_columns(self.values, self.columns.target_places)

    @property
    def owners(self) -> Ints:
        """The series of each row, shape `(n_rows,)`."""
        return owners(self.indptr)

    @property
    def lasts(self) -> pd.DatetimeIndex | None:
        """The last time of each series, shape `(n_series,)`; None where rows are steps."""
        return self.timeline.times[self.indptr[1:] - 1] if self.timeline else None

    def name(self, series: int) -> str:
        """Return the name of a series for messages; empty where it has none."""
        return name_series(self.ids, series)

    def between(self, begins: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
        """Return which rows, `(n_rows,)`, are from `begins` to `ends`, `(n_series,)` each."""
        return rows_between(self.indptr, begins, ends)

    def since(self, begins: Ints) -> "Panel":
        """Return the panel from the given rows on, shape `(n_series,)`."""
        if (begins == self.indptr[:-1]).all():
            return self
        keep = self.between(begins, self.indptr[1:])
        return self.rows_kept(np.flatnonzero(keep), self.indptr[1:] - begins)

    def only(self, kept: Ints) -> "Panel":
        """Return some of the series, shape `(kept,)`, in the given order."""
        rows = [np.arange(*self.indptr[each : each + 2]) for each in kept.tolist()]
        places: Ints = np.concatenate([*rows, np.array([], np.int64)])
        return replace(
            self.rows_kept(places, self.lengths[kept]),
            ids=self.ids.iloc[kept].reset_index(drop=True),
            ahead=self.ahead[kept],
        )

    def rows_kept(self, rows: Ints, lengths: Ints) -> "Panel":
        """Return some of the rows, `(kept,)`; `lengths` of each series, shape `(n_series,)`."""
        timeline = self.timeline
        return replace(
            self,
            values=self.values[rows],
            indptr=cumulate(lengths),
            timeline=timeline and replace(timeline, times=timeline.times[rows]),
        )


def cut(panel: Panel, ends: Ints) -> Panel:
    """Return the panel up to the given rows, with the known values of later rows as `ahead`.

    Args:
        panel: The panel.
        ends: Shape `(n_series,)`: the row after the last one to keep of each series.
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
    """Return the known values after new ends: those of the rows cut off, and those after them.

    Where there are times, they determine the step: rows may be missing, or days closed. `ends` has
    the shape `(n_series,)`; `rows` and their series, `owners`, `(cut,)`; what is returned
    `(n_series, steps, features)`.
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
    """Return how many steps it is from rows to later ones of their series, shape of `rows`."""
    if panel.timeline is None:
        return rows - first
    times = panel.timeline.times
    return steps_between(times[first], times[rows], panel.timeline.frequency)


def without_missing(panel: Panel) -> Panel:
    """Return only the rows in which every column has a value; they are consecutive steps.

    Raises:
        DataError: No row of a series is left.
    """
    rows = np.where(panel.missing_rows, -1, np.arange(len(panel.values)))
    last = np.maximum.reduceat(rows, panel.indptr[:-1])
    empty = np.flatnonzero(last < panel.indptr[:-1])
    if len(empty):
        from .time.dropped_rows import no_whole_row

        names = listed(empty.tolist(), say=panel.name) if len(panel.ids.columns) else ""
        raise no_whole_row(panel.source, names)
    panel = cut(panel, last + 1)
    whole = np.flatnonzero(~panel.missing_rows)
    counts = np.bincount(owner_series(panel.indptr, whole), minlength=panel.count)
    return panel.rows_kept(whole, counts)


def add_panel(add: Callable[[bytes], None], panel: Panel) -> None:
    """Add everything in a panel that forecasts depend on to a digest.

    Args:
        add: The `update` of a hash.
        panel: The table.
    """
    for array in (panel.values, panel.ahead, panel.indptr):
        add(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    if panel.timeline is not None:
        add(f"{panel.timeline.frequency} {panel.timeline.times.dtype}".encode())
        add(np.ascontiguousarray(panel.timeline.times.asi8).tobytes())
    columns = asdict(panel.columns) | {"covariates": panel.columns.covariates.model_dump()}
    add(json.dumps(columns, sort_keys=True, default=str).encode())
    add(panel.data.model_dump_json().encode())
    add(panel.ids.to_csv().encode())
