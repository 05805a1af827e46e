"""The report on a table before training: how it is read, its columns and its problems."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError
from ...core.events import Event, Note
from ..groups import Groups, group_rows, likely_series, settle_names
from ..io.opening import open_with_notes
from ..io.remote import masked
from ..io.tables import Readable, Table, is_text, require_columns
from ..layouts import as_long
from ..time.business_days import LEARNED
from ..time.calendars import resolve_calendar
from ..time.dates import Dates, parse_dates
from ..time.duplicates import IrregularSteps, RepeatedTimes
from ..time.steps import Steps, find_steps, in_order
from ..time.time_column import TIME_WORDS, find_time, time_columns
from ..time.time_index import likely_frequency, when
from .table_warnings import NumericColumns, find_warnings

FILL = "--missing interpolate"
# The settings of reading that the suggested command repeats.
GIVEN = (
    "time", "freq", "calendar", "season_length", "duplicates", "date_format", "dayfirst",
    "timezone", "similar_names", "encoding", "delimiter", "decimal", "thousands", "na", "query",
)  # fmt: skip
# The most columns whose values are checked.
MOST_COLUMNS = 100
SAMPLE = 60
COUNTER = "counts the rows"


@dataclass(frozen=True)
class ColumnReport:
    """A column: its kind, how many values are missing, and the range of its numbers."""

    column: str
    kind: str
    missing: int
    least: float | None = None
    mean: float | None = None
    greatest: float | None = None


@dataclass(frozen=True)
class TableReport:
    """How a table was read, and what was found in it.

    Args:
        source: What messages call it.
        rows: How many there are.
        series: The columns that name the series; empty where there is one.
        count: How many series there are.
        shortest: Rows of the shortest series.
        longest: Rows of the longest.
        time: The time column; None where rows are steps.
        first: The earliest time.
        last: The latest time.
        frequency: The step between rows in words; None where it is irregular.
        season_length: Steps in a season; 1 where there is none.
        columns: The columns that are neither time nor name.
        notes: How the table was read, and errors that a training would meet.
        warnings: Possible problems of the values.
        train: The suggested command.
    """

    source: str
    rows: int
    series: tuple[str, ...]
    count: int
    shortest: int
    longest: int
    time: str | None
    first: str | None
    last: str | None
    frequency: str | None
    season_length: int
    columns: tuple[ColumnReport, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    train: str

    def document(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def inspect_table(source: Readable, data: Data | None = None) -> TableReport:
    """Read a whole table and report how it was read and what it contains.

    Args:
        source: A path, a pattern, `-` for standard input, a table in memory, or several of them.
        data: How to read it; its columns are not needed.

    Raises:
        DataError: The table cannot be read.
    """
    asked, notes = data or Data(), _Notes()
    opened = open_with_notes(source, asked.dialect, notes.keep)
    opened, data = as_long(opened, asked, notes.keep)
    time = find_time(opened.head(), data, notes.keep)
    parts = time_columns(time, opened.names)
    require_columns(opened.name, opened.names, [*data.series, *data.column])
    table = opened.read(text=[*(parts if len(parts) == 1 else ()), *data.series])
    series = data.series or (likely_series(table, parts) if time else ())
    groups, merged = _groups(table, series, data, notes)
    dates = _dates(table, time, groups, data, notes)
    steps, flags = _steps(table, dates, groups, data, notes)
    flags = [*merged, *flags]
    others = [name for name in table.names if name not in (*parts, *series)]
    columns = tuple(_report_column(table, name, notes.texts) for name in others)
    target = _likely_target(columns, data)
    timeline, lengths = steps.timeline if steps else None, np.bincount(groups.codes)
    season = data.season_length or (timeline.frequency.season_length if timeline else 1)
    broken = time is not None and dates is None
    return TableReport(
        source=table.name,
        rows=table.columns.num_rows,
        series=series,
        count=len(lengths),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        time=time if dates else None,
        first=when(dates.times.min()) if dates else None,
        last=when(dates.times.max()) if dates else None,
        frequency=timeline.frequency.name if timeline and not notes.irregular else None,
        season_length=season,
        columns=columns,
        notes=tuple(notes.texts),
        warnings=tuple(_warnings(table, groups, columns, target, steps, season)),
        train=""
        if broken or steps is None
        else _command(source, asked, columns, target, series, flags),
    )


class _Notes:
    """The notes of reading, and whether the steps are irregular."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.irregular = False

    def keep(self, event: Event) -> None:
        if isinstance(event, Note):
            self.texts.append(event.text)


def _groups(
    table: Table, series: Sequence[str], data: Data, notes: _Notes
) -> tuple[Groups, list[str]]:
    """Return the series of the rows, and the flags that merge names that are too much alike."""
    groups = group_rows(table, series)
    try:
        return settle_names(table, groups, data.similar_names, notes.keep), []
    except DataError as error:
        notes.texts.append(error.message)
        return settle_names(table, groups, "merge", notes.keep), ["--similar-names merge"]


def _dates(
    table: Table, time: str | None, groups: Groups, data: Data, notes: _Notes
) -> Dates | None:
    if time is None:
        return None
    try:
        return parse_dates(table, time, **data.date_reading, groups=groups.codes)
    except DataError as error:
        notes.texts.append(str(error))
        return None


def _steps(
    table: Table, dates: Dates | None, groups: Groups, data: Data, notes: _Notes
) -> tuple[Steps | None, list[str]]:
    """Return the steps of the rows, and the flags that fix their problems.

    None where even these do not.
    """
    if dates is None:
        return in_order(groups), []
    if len(groups.ids.columns) and not data.series:
        names = ", ".join(groups.ids.columns)
        notes.texts.append(f"times repeat: {len(groups.ids):,} series, named by {names}")
    flags: list[str] = []
    while True:
        try:
            frequency = resolve_calendar(data, dates, table)
            return find_steps(table, dates, groups, data, frequency, notes.keep), flags
        except RepeatedTimes as error:
            notes.texts.append(error.message)
            flags.append("--duplicates first")
            data = data.model_copy(update={"duplicates": "first"})
        except DataError as error:
            notes.texts.append(error.message)
            if isinstance(error, IrregularSteps) and error.calendar:
                flags.append("--calendar data")
                data = data.model_copy(update={"calendar": LEARNED})
                continue
            longest = groups.codes == np.argmax(np.bincount(groups.codes))
            times = dates.times[longest].sort_values().unique()
            if data.freq or len(times) < 3:
                return None, flags
            notes.irregular = True
            alias = likely_frequency(times).alias
            flags += [f"--freq {alias}", FILL]
            data = data.model_copy(update={"freq": alias})


def _report_column(table: Table, name: str, notes: list[str]) -> ColumnReport:
    """Describe a column; an error in its cells is added to the notes."""
    cells = table.columns[name]
    missing = cells.null_count
    if pa.types.is_null(cells.type):
        return ColumnReport(name, "empty", missing)
    if pa.types.is_temporal(cells.type) or pa.types.is_boolean(cells.type):
        return ColumnReport(
            name, "time" if pa.types.is_temporal(cells.type) else "yes or no", missing
        )
    text = is_text(cells.type)
    try:
        values = table.numbers(name)
    except DataError as error:
        if text and not _looks_numeric(cells):
            return ColumnReport(name, "text", missing)
        notes.append(str(error))
        return ColumnReport(name, "not all numbers", missing)
    known = values[~np.isnan(values)]
    if not len(known):
        return ColumnReport(name, "empty", len(values))
    low, mean, high = (float(f(known)) for f in (np.min, np.mean, np.max))
    kind = "whole numbers" if pa.types.is_integer(cells.type) else "numbers"
    if len(values) > 2 and (np.diff(values) == 1).all():
        kind = COUNTER
    return ColumnReport(name, kind, len(values) - len(known), low, mean, high)


def _looks_numeric(cells: pa.ChunkedArray) -> bool:
    """Whether most of the first cells look like numbers."""
    sample = [str(cell) for cell in cells.slice(0, SAMPLE).drop_null().to_pylist()]
    return 2 * sum(bool(re.match(r"[-+]?[.,]?\d+[\d.,]*$", cell)) for cell in sample) > len(sample)


def _likely_target(columns: Sequence[ColumnReport], data: Data) -> str | None:
    """Return the given column, or the one that is most likely forecast; None without numbers."""
    common = ("close", "y", "value", "target", "sales", "demand", "load")
    numeric = [each.column for each in columns if each.least is not None]
    counters = [each.column for each in columns if each.kind == COUNTER]
    if data.column and data.column[0] in numeric:
        return data.column[0]
    others = [name for name in numeric if not (TIME_WORDS.search(name) or name in counters)]
    words = {name: re.split(r"[^a-z]+", name.casefold()) for name in others}
    found = [name for word in common for name in others if words[name][-1] == word]
    return next(iter([*found, *others]), None)


def _warnings(
    table: Table,
    groups: Groups,
    columns: Sequence[ColumnReport],
    target: str | None,
    steps: Steps | None,
    season: int,
) -> list[str]:
    """Return the possible problems of the values."""
    if target is None or steps is None:
        return []
    names = [each.column for each in columns if each.least is not None]
    names = [target, *(name for name in names if name != target)][:MOST_COLUMNS]
    values = steps.place(np.column_stack([table.numbers(name) for name in names]))
    rows = np.full(len(values), -1)
    rows[steps.rows] = np.arange(len(steps.order))
    columns_ = NumericColumns(names, values, steps.indptr, rows, season)
    return find_warnings(columns_, place=table.place, name=groups.name)


def _command(
    source: Readable,
    data: Data,
    columns: Sequence[ColumnReport],
    target: str | None,
    series: Sequence[str],
    flags: Sequence[str],
) -> str:
    """Return the suggested command; empty where there is no numeric column."""
    if target is None:
        return ""
    tables = source if isinstance(source, list | tuple) else [source]
    # A table in memory has no path.
    paths = [os.fspath(each) if isinstance(each, str | os.PathLike) else "DATA" for each in tables]
    words = ["forecast", "train", *paths]
    if data.layout in ("columns", "rows"):
        words += ["--layout", data.layout]
    else:
        words += ["--series", ",".join(series)] * bool(series) + ["--column", target]
    for name in GIVEN:
        words += _as_flag(name, getattr(data, name))
    holes = any(each.missing for each in columns if each.column == target)
    return " ".join(dict.fromkeys([masked(shlex.join(words)), *flags, *([FILL] if holes else [])]))


def _as_flag(name: str, value: Any) -> list[str]:
    """Return a setting as command-line arguments; nothing where it is the default."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, tuple):
        return [word for each in value for word in (flag, each)]
    return [] if value in (None, "error") else [flag, str(value)]
