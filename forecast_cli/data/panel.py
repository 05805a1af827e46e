"""A table as arrays: series end to end in one float array, their times beside it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ..config import Data
from ..core.windows import Floats, Ints
from ..errors import DataError, UsageError, listed
from ..events import Listener, Note, ignore
from .dates import Dates, find_time, parse_dates, time_columns
from .frequency import Frequency
from .opening import open_table
from .tables import Readable, Table, name_rows, require_columns
from .timeindex import (
    grid_positions,
    infer_frequency,
    irregular_place,
    likely_frequency,
    missing_weekdays,
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
class Timeline:
    """When the rows were.

    Args:
        times: One a row, ascending.
        frequency: The step between them.
        style: The form in which the table writes them.
    """

    times: pd.DatetimeIndex
    frequency: Frequency
    style: str


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
    if time is None:
        timeline = None
        rows: Ints = np.arange(len(values))
    else:
        dates = parse_dates(table, time, **data.date_reading)
        timeline, rows = _timeline(table, dates, data, frequency, listen)
        values = _placed(values, rows, len(timeline.times))
    panel = Panel(columns, values, np.array([0, len(values)]), timeline, table.name)
    if data.missing == "error":
        _check_missing(table, panel, rows)
    # Arrow keeps the table's memory for its next table; the training needs it now.
    del table
    pa.default_memory_pool().release_unused()
    return _without_missing(panel) if data.missing == "drop" else panel


def _open(source: Readable, data: Data, listen: Listener) -> tuple[Table, str | None]:
    """The table with the columns that are needed, and the name of the time column."""
    if not data.column:
        raise UsageError("No column was named.", "Say which to forecast: --column NAME.")
    for name in data.column:
        if data.column.count(name) > 1 or name == data.time:
            raise UsageError(f'Column "{name}" is named twice.', "Name each column once.")
    opened = open_table(source, data.dialect)
    require_columns(opened.name, opened.names, data.column)
    for text in opened.notes:
        listen(Note(text))
    time = find_time(opened.head(), data, listen)
    parts = time_columns(time, opened.names)
    wanted = list(dict.fromkeys([*parts, *data.column]))
    return opened.read(wanted, text=parts if len(parts) == 1 else ()), time


def _timeline(
    table: Table, dates: Dates, data: Data, frequency: Frequency | None, listen: Listener
) -> tuple[Timeline, Ints]:
    """The times in order, and the place of each row of the table among them."""
    order = np.argsort(dates.times.asi8, kind="stable")
    times = dates.times[order]
    if len(times) > 1 and (order[0], order[-1]) == (len(times) - 1, 0):
        listen(Note("the newest rows came first: sorted by time"))
    elif (np.diff(order) != 1).any():
        listen(Note("the rows were not in order of time: sorted"))
    _check_duplicates(table, times, order)
    if frequency is None and data.freq:
        frequency = Frequency.parse(data.freq, times)
    frequency = frequency or infer_frequency(times) or _irregular(table, times, order)
    positions = grid_positions(times, frequency)
    rows = np.empty(len(times), np.int64)
    rows[order] = positions
    if len(times) and positions[-1] + 1 > len(times):
        added = int(positions[-1]) + 1 - len(times)
        listen(Note(f"{added} steps without a row between {when(times[0])} and {when(times[-1])}"))
        times = frequency.span(times[0], int(positions[-1]) + 1)
    if frequency.alias == "B" and (closed := missing_weekdays(times)):
        listen(
            Note(
                f"business days with {closed} weekdays missing, as on an exchange: rows are the "
                "steps, and the dates to come are the next weekdays"
            )
        )
    return Timeline(times, frequency, dates.style), rows


def _irregular(table: Table, times: pd.DatetimeIndex, order: Ints) -> Frequency:
    if len(times) < 3:
        raise DataError(
            f"{table.name} has {len(times)} rows: too few to see their frequency.",
            "Name it: --freq D.",
        )
    row, what = irregular_place(times)
    usual = likely_frequency(times).alias
    raise DataError(
        f"{table.place(int(order[row]))}: the steps are not regular: {what}.",
        f"Name the frequency and how to fill the gaps: --freq {usual} --missing interpolate; or, "
        "where rows are the steps whatever their dates, pass --time none."
        + _clock_hint(times, row),
    )


def _clock_hint(times: pd.DatetimeIndex, row: int) -> str:
    """What to add where the clocks may have been changed: on a Sunday, in the small hours."""
    time = times[row]
    if times.tz is not None or time.day_name() != "Sunday" or not 1 <= time.hour <= 4:
        return ""
    return " If the clocks were changed here, name the zone: --timezone Europe/Berlin."


def _check_duplicates(table: Table, times: pd.DatetimeIndex, order: Ints) -> None:
    again = np.flatnonzero(np.diff(times.asi8) == 0) + 1
    if len(again):
        places = listed(
            again.tolist(), say=lambda row: f"{table.place(int(order[row]))} ({when(times[row])})"
        )
        raise DataError(
            f"Times that stand there already, {len(again)} in all: {places}.",
            "Keep one row for each time; rows of several series need one table each."
            + _clock_hint(times, int(again[0])),
        )


def _placed(values: Floats, rows: Ints, length: int) -> Floats:
    """The rows at their places in time, NaN where there is none."""
    placed = np.full((length, values.shape[1]), np.nan)
    placed[rows] = values
    return placed


def _check_missing(table: Table, panel: Panel, rows: Ints) -> None:
    """Refuse missing values; `rows` says where each row of the table stands in the panel."""
    holes = np.isnan(panel.values)
    if not holes.any():
        return
    hint = "Pass --missing interpolate, ffill or drop."
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
