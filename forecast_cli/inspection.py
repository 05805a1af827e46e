"""What a table holds, said before anything is trained on it."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .config import Data
from .data.dates import TIME_WORDS, Dates, find_time, parse_dates
from .data.frequency import Frequency
from .data.opening import open_table
from .data.tables import Table
from .data.timeindex import (
    infer_frequency,
    irregular_place,
    likely_frequency,
    missing_weekdays,
    when,
)
from .errors import DataError
from .events import Event, Note


@dataclass(frozen=True)
class ColumnReport:
    """A column: its kind, how many values are missing, and the range of numbers."""

    column: str
    kind: str
    missing: int
    least: float | None = None
    mean: float | None = None
    greatest: float | None = None


@dataclass(frozen=True)
class TableReport:
    """A table as it was understood.

    Args:
        source: What messages call it.
        rows: How many there are.
        time: The time column; None where rows are steps.
        first: The earliest time.
        last: The latest time.
        frequency: The step between rows in words; None where it is irregular.
        columns: The columns other than the time column.
        notes: What is worth knowing before training.
        train: The command to start from.
    """

    source: str
    rows: int
    time: str | None
    first: str | None
    last: str | None
    frequency: str | None
    columns: tuple[ColumnReport, ...]
    notes: tuple[str, ...]
    train: str

    def document(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self)


Paths = str | os.PathLike[str] | Sequence[str]


def inspect_table(path: Paths, data: Data | None = None) -> TableReport:
    """Read a whole table and say what was understood.

    Args:
        path: A path, a pattern, `-` for standard input, or several of them.
        data: How to read it; its columns are not needed.

    Raises:
        DataError: The table cannot be read.
    """
    data = data or Data()
    source = open_table(path, data.dialect)
    notes = list(source.notes)
    time = find_time(source.head(), data, lambda event: _keep(event, notes))
    table = source.read(text=[time] if time else ())
    dates = _dates(table, time, data, notes)
    times = dates.times.sort_values() if dates else None
    frequency, flags = _steps(times, notes)
    columns = tuple(_column(table, name, notes) for name in table.names if name != time)
    return TableReport(
        source=source.name,
        rows=table.columns.num_rows,
        time=time if dates else None,
        first=None if times is None else when(times[0]),
        last=None if times is None else when(times[-1]),
        frequency=frequency.name if frequency else None,
        columns=columns,
        notes=tuple(notes),
        train=_command(path, columns, flags) if _can_train(time, times) else "",
    )


def _can_train(time: str | None, times: pd.DatetimeIndex | None) -> bool:
    """Whether training could begin: not with dates that are broken or stand there twice."""
    return time is None or (times is not None and not times.has_duplicates)


def _keep(event: Event, notes: list[str]) -> None:
    if isinstance(event, Note):
        notes.append(event.text)


def _dates(table: Table, time: str | None, data: Data, notes: list[str]) -> Dates | None:
    if time is None:
        return None
    try:
        return parse_dates(table, time, **data.date_reading)
    except DataError as error:
        notes.append(str(error))
        return None


def _steps(times: pd.DatetimeIndex | None, notes: list[str]) -> tuple[Frequency | None, list[str]]:
    """The frequency, what is to be said of it, and the flags that its trouble calls for."""
    if times is None:
        return None, []
    repeated = int(times.duplicated().sum())
    if repeated:
        notes.append(
            f"{repeated:,} rows have a time that stands there already: where there are several "
            "series, each needs a table of its own"
        )
        return None, []
    frequency = infer_frequency(times)
    if frequency is None and len(times) > 2:
        notes.append(f"the steps are not regular: {irregular_place(times)[1]}")
        usual = likely_frequency(times)
        missing = _steps_between(times, usual) + 1 - len(times)
        notes.append(f"as {usual.name} there are {max(missing, 0)} steps without a row")
        return None, [f"--freq {usual.alias}", "--missing interpolate"]
    if frequency and frequency.alias == "B" and (closed := missing_weekdays(times)):
        notes.append(f"{closed} weekdays have no row, as on an exchange: rows are the steps")
    return frequency, []


def _steps_between(times: pd.DatetimeIndex, frequency: Frequency) -> int:
    if frequency.months:
        months = (times[-1].year - times[0].year) * 12 + times[-1].month - times[0].month
        return int(months // frequency.months)
    if frequency.step is None:
        return len(times) - 1
    return int((times[-1] - times[0]) / frequency.step)


def _column(table: Table, name: str, notes: list[str]) -> ColumnReport:
    cells = table.columns[name]
    if pa.types.is_string(cells.type) or pa.types.is_boolean(cells.type):
        return ColumnReport(name, "text", cells.null_count)
    if pa.types.is_null(cells.type):
        return ColumnReport(name, "empty", cells.null_count)
    if pa.types.is_temporal(cells.type):
        return ColumnReport(name, "time", cells.null_count)
    try:
        values = table.numbers(name)
    except DataError as error:
        notes.append(str(error))
        return ColumnReport(name, "not all numbers", cells.null_count)
    known = values[~np.isnan(values)]
    low, mean, high = (float(f(known)) for f in (np.min, np.mean, np.max))
    kind = "whole numbers" if pa.types.is_integer(cells.type) else "numbers"
    return ColumnReport(name, kind, cells.null_count, low, mean, high)


def _likely(columns: list[ColumnReport]) -> str | None:
    """The column that people most often forecast: one of the usual names, or the first."""
    usual = ("close", "y", "value", "target", "sales", "demand", "load")
    others = [each.column for each in columns if not TIME_WORDS.search(each.column)]
    words = {name: re.split(r"[^a-z]+", name.casefold()) for name in others}
    found = [name for word in usual for name in others if words[name][-1] == word]
    return next(iter([*found, *others]), None)


def _command(path: Paths, columns: tuple[ColumnReport, ...], flags: list[str]) -> str:
    """The training to start from; empty where there is no column of numbers."""
    numeric = [each for each in columns if each.least is not None]
    target = _likely(numeric)
    if target is None:
        return ""
    if any(each.missing for each in numeric if each.column == target):
        flags = [*flags, "--missing interpolate"]
    paths = [os.fspath(path)] if isinstance(path, str | os.PathLike) else list(path)
    words = shlex.join(["forecast", "train", *paths, "--column", target])
    return " ".join(dict.fromkeys([words, *flags]))
