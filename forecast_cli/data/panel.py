"""A table as arrays: series end to end in one float array, their times beside it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..config import Data
from ..core.windows import Floats, Ints
from ..errors import DataError, UsageError, listed
from ..events import Listener, ignore
from .dates import find_time, parse_dates, time_columns
from .frequency import Frequency
from .opening import open_and_say
from .steps import Timeline, find_steps
from .tables import Readable, Table, name_rows, require_columns
from .timeindex import (
    when,
)

STEP = "step"


@dataclass(frozen=True)
class Columns:
    """The names that belong to the arrays; below `data/` there are only numbers.

    Args:
        time: The time column; None where rows are steps.
        features: The columns that are read.
        targets: The columns that are forecast, some or all of the features.
    """

    time: str | None
    features: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def target_places(self) -> tuple[int, ...]:
        """Where the targets stand among the features."""
        return tuple(self.features.index(name) for name in self.targets)


@dataclass(frozen=True)
class Panel:
    """Many series as one array; one series is a panel of one.

    Args:
        columns: The names.
        values: Shape `(n_rows, features)`, float64, original units, NaN where missing.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        timeline: The times of the rows; None where rows are steps.
        source: What messages call the table.
    """

    columns: Columns
    values: Floats
    indptr: Ints
    timeline: Timeline | None
    source: str

    @cached_property
    def missing_rows(self) -> npt.NDArray[np.bool_]:
        """Shape `(n_rows,)`: whether a value of the row is missing."""
        return np.asarray(np.isnan(self.values).any(axis=1))


def read_panel(
    source: Readable, data: Data, *, listen: Listener = ignore, frequency: Frequency | None = None
) -> Panel:
    """Read the columns that the configuration names, sort them by time and check their steps.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        data: The columns and how to read them.
        listen: Told what was understood.
        frequency: What the steps must be, e.g. those that a model was trained on.

    Raises:
        DataError: The table does not hold what is needed.
    """
    table, time = _open(source, data, listen)
    columns = Columns(time, data.column, data.targets)
    for name in columns.targets:
        if name not in columns.features:
            raise UsageError(
                f'--target "{name}" is not among the columns.', f"Add --column {name}."
            )
    values = np.column_stack([table.numbers(name) for name in columns.features])
    timeline = None
    if time is None:
        rows: Ints = np.arange(len(values))
    else:
        dates = parse_dates(table, time, **data.date_reading)
        steps = find_steps(table, dates, data, frequency, listen)
        timeline, rows, values = steps.timeline, steps.rows, steps.place(values)
    panel = Panel(columns, values, np.array([0, len(values)]), timeline, table.name)
    if data.missing == "error":
        _check_missing(table, panel, rows)
    # Arrow keeps the table's memory for its next table; the training needs it now.
    del table
    pa.default_memory_pool().release_unused()
    return _without_missing(panel) if data.missing == "drop" else panel


def _open(source: Readable, data: Data, listen: Listener) -> tuple[Table, str | None]:
    """The table with the columns that are needed, and the name of the time column."""
    for name in data.column:
        if data.column.count(name) > 1 or name == data.time:
            raise UsageError(f'Column "{name}" is named twice.', "Name each column once.")
    opened = open_and_say(source, data.dialect, listen)
    if not data.column:
        raise UsageError(
            f"No column was named; {opened.name} has {', '.join(opened.names[:20])}.",
            "Say which to forecast: --column NAME.",
        )
    require_columns(opened.name, opened.names, data.column)
    time = find_time(opened.head(), data, listen)
    parts = time_columns(time, opened.names)
    wanted = list(dict.fromkeys([*parts, *data.column]))
    return opened.read(wanted, text=parts if len(parts) == 1 else ()), time


def _check_missing(table: Table, panel: Panel, rows: Ints) -> None:
    """Refuse missing values; `rows` says where each row of the table stands in the panel."""
    holes = np.isnan(panel.values)
    if not holes.any():
        return
    hint = "Pass --missing interpolate, ffill, season, mask or drop."
    for name, column in zip(panel.columns.features, holes.T, strict=True):
        empty = np.flatnonzero(column[rows])
        if len(empty):
            where = name_rows(table, empty.tolist())
            raise DataError(f'{len(empty)} missing values in column "{name}": {where}.', hint)
    times = list(panel.timeline.times[holes[:, 0]]) if panel.timeline else []
    raise DataError(f"{table.name} has no row for {listed(times, say=when)}.", hint)


def _without_missing(panel: Panel) -> Panel:
    """Only the rows in which every column has a value; they are the steps then."""
    whole = np.flatnonzero(~panel.missing_rows)
    timeline = panel.timeline
    if timeline:
        timeline = replace(timeline, times=timeline.times[whole])
    values = panel.values[whole]
    return replace(panel, values=values, indptr=np.array([0, len(values)]), timeline=timeline)
