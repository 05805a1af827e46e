"""The settings that a training needs to read a table, found by reading it as the training does."""

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ...config.sections import Data
from ...config.settings import SETTINGS
from ...core.errors import DataError
from ...core.events import Event, Listener, Note, ignore
from ..dates.time_column import find_time, time_columns
from ..dates.time_names import names_time
from ..dates.time_parts import without_whole_years
from ..io.opening import Opened
from ..io.remote import masked
from ..io.tables import Readable, Table
from ..layouts import as_long, naming_columns, step_columns, times_of_columns
from ..panel import Panel
from ..reading import Rows, find_series, make_panel, read_rows
from ..totals import note_total_series
from ..year_rows import find_parts
from .columns import ColumnReport, likely_target, named_targets, report_column

# The settings of a hint that are tried: their effect is noted, and they guess nothing.
FOLLOWED = ("similar_names", "freq", "calendar", "duplicates", "missing")
# Tables with so many columns for steps have a row for each series.
LEAST_STEPS = 10
# Fewer are enough where their names are times.
LEAST_TIMES = 5
# A number at the end of the name of a step, such as V12.
NUMBERED = re.compile(r"[A-Za-z_ ]+?(\d+)")


@dataclass
class Suggestion:
    """How a table is read by a training.

    Args:
        data: The settings, with those that were found.
        opened: The table, with a row for each step of a series.
        table: All of its columns.
        time: The time column; None where rows are steps.
        series: The columns that name the series.
        columns: The columns that are neither time nor name.
        notes: How the table was read, and the errors that a training would meet.
        rows: Its rows; None where even the hints of the errors do not help.
        panel: The target; None where there is none, or it cannot be read.
        irregular: Whether the times are not regular without the hints.
    """

    data: Data
    opened: Opened
    table: Table
    time: str | None
    series: tuple[str, ...]
    columns: tuple[ColumnReport, ...]
    notes: tuple[str, ...] = ()
    rows: Rows | None = None
    panel: Panel | None = None
    irregular: bool = False


class Heard:
    """The notes while a table is read; `on_event` is notified of all else."""

    def __init__(self, on_event: Listener = ignore) -> None:
        self.texts: list[str] = []
        self.broken = False
        self.on_event = on_event

    def keep(self, event: Event) -> None:
        """Keep a note."""
        if isinstance(event, Note):
            self.texts.append(event.text)
        else:
            self.on_event(event)


def suggest(opened: Opened, asked: Data, heard: Heard) -> Suggestion:
    """Find the settings to train on a table with: what names the series, and the target.

    Each is tried as a training reads it, and the hints of errors are followed.

    Args:
        opened: The table.
        asked: The settings that are given; they are kept.
        heard: Receives the notes while it is read.

    Raises:
        DataError: The table has not the layout that is given.
    """
    asked = _with_layout(opened, asked, heard)
    opened, long = as_long(opened, asked, heard.keep)
    time, series = _find_keys(opened, long, heard)
    parts = time_columns(time, opened.names)
    table = without_whole_years(opened.read(text=[*parts, *series]), parts, ignore)
    others = [name for name in table.names if name not in (*parts, *series)]
    columns = tuple(report_column(table, name, heard.texts) for name in others)
    target = likely_target(columns, long)
    if series and not long.series:
        count = len(table.columns.select(list(series)).to_pandas().drop_duplicates())
        heard.texts.append(f"times repeat: {count:,} series, named by {', '.join(series)}")
    numeric = [each.column for each in columns if each.least is not None]
    data = asked
    if numeric and asked.layout in (None, "long"):
        column = asked.column or (target or numeric[0],)
        data = asked.changed(series=series, column=column)
    found = Suggestion(data, opened, table, time, series, columns)
    if numeric and not heard.broken:
        _follow(found, long, numeric, heard)
    if target is None:
        found.panel = None
    found.notes = tuple(dict.fromkeys(heard.texts))
    return found


def _with_layout(opened: Opened, asked: Data, heard: Heard) -> Data:
    """Return the settings with the layout of a table whose columns are steps, or parts of years."""
    if asked.layout or asked.column or asked.series or asked.time:
        return asked
    if text := _steps_as_columns(opened, asked):
        heard.texts.append(text)
        return asked.changed(layout="rows")
    return asked.changed(layout="years") if find_parts(opened.names) else asked


def _find_keys(opened: Opened, data: Data, heard: Heard) -> tuple[str | None, tuple[str, ...]]:
    """Return the time column, and the columns that name the series, as far as they are known."""
    try:
        return _keys_of(opened, data, heard)
    except DataError as error:
        heard.texts.append(str(error))
        heard.broken = True
        return None, data.series


def _keys_of(opened: Opened, data: Data, heard: Heard) -> tuple[str | None, tuple[str, ...]]:
    """Return the time column, and the columns that name the series."""
    said = Heard()
    time = find_time(opened.head(), data, said.keep)
    if time is None and data.time is None and not data.series:
        # The years of a table of several series are repeated, and no times for one series.
        several = data.changed(series=("\0",))
        time = find_time(opened.head(), several, ignore)
        if time is not None and not _series_of(opened, data, time):
            time = None
        said.texts = said.texts if time is None else []
    heard.texts += said.texts
    return time, data.series or (() if time is None else _series_of(opened, data, time))


def _series_of(opened: Opened, data: Data, time: str) -> tuple[str, ...]:
    taken = data.column or named_targets(opened.names)[:1]
    return find_series(opened, time_columns(time, opened.names), taken)


def _follow(found: Suggestion, long: Data, numeric: Sequence[str], heard: Heard) -> None:
    """Read the table as a training does, and follow the hints of what it cannot read.

    The settings of `found` are completed; `long` are those of the table with a row for each step,
    and `numeric` the columns to read besides the target.
    """
    data = found.data
    changes: dict[str, Any] = {}
    while True:
        said = Heard()
        try:
            wide = data.layout not in (None, "long")
            reading = long.changed(**changes) if wide else data
            found.rows = read_rows(found.opened, reading, more=numeric, on_event=said.keep)
            if found.rows.columns.time != found.time and not wide and data.time is None:
                data = data.changed(time=found.time or "none")
                continue
            found.panel = make_panel(found.rows, data)
            note_total_series(found.panel, said.keep)
            if "calendar" in changes and (timeline := found.rows.steps.timeline):
                said.texts.append(f"steps of open days: {timeline.frequency.rule}")
                found.irregular = False
            break
        except DataError as error:
            fixes = {
                name: value
                for name, value in error.proposed.items()
                if name in FOLLOWED and name not in changes
            }
            heard.texts.append(error.message if fixes else str(error))
            found.irregular |= found.rows is None and "duplicates" not in fixes
            if not fixes:
                break
            changes |= fixes
            data = data.changed(**fixes)
    heard.texts += said.texts
    found.data = data


def remembering(opened: Opened) -> Opened:
    """Return a table whose columns are read once, however often they are asked for."""
    held: dict[tuple[str, bool], pa.ChunkedArray] = {}

    def read(columns: Sequence[str] | None, text: Iterable[str]) -> Table:
        text, names = {*text}, list(columns or opened.names)
        keys = {name: (name, name in text) for name in names}
        missing = [name for name in names if keys[name] not in held]
        table = opened.read(missing or names[:1], [name for name in missing if name in text])
        held.update({keys[name]: table.columns[name] for name in missing})
        return replace(table, columns=pa.table({name: held[key] for name, key in keys.items()}))

    return replace(opened, reader=read)


def _steps_as_columns(opened: Opened, data: Data) -> str:
    """Say why each row seems to be a series, its columns the steps; empty where it does not."""
    head = opened.head()
    names = naming_columns(head)
    times = step_columns(head.names)
    steps = list(times) or [name for name in head.names if name not in names]
    if not names or not _are_steps(steps, data):
        return ""
    again = head.columns.select(list(names)).to_pandas().duplicated().any()
    # Statistical offices call the corner of their tables by both of its sides.
    if (
        again
        or (not times and any(map(names_time, names)))
        or find_time(head, data, ignore) is not None
    ):
        return ""
    return f"the columns {steps[0]} to {steps[-1]} seem to be steps: each row is read as a series"


def _are_steps(names: Sequence[str], data: Data) -> bool:
    """Whether names of columns are times, or counted, such as V2, V3 and so on."""
    numbered = [NUMBERED.fullmatch(name) for name in names]
    if len(names) >= LEAST_STEPS and all(numbered):
        return set(np.diff([int(each[1]) for each in numbered if each])) == {1}
    try:
        return len(names) >= LEAST_TIMES and times_of_columns("", names, data) is not None
    except DataError:
        # They are times: reading the rows asks how these are written.
        return True


def command(source: Readable, data: Data) -> str:
    """Return the command that trains on a table.

    Args:
        source: The table, or several.
        data: The settings with which it is read.
    """
    tables = source if isinstance(source, list | tuple) else [source]
    # A table in memory has no path.
    paths = [os.fspath(each) if isinstance(each, str | os.PathLike) else "DATA" for each in tables]
    words = ["forecast", "train", *paths]
    first = ("layout", "series", "column")
    names = [each.place[1] for each in SETTINGS.values() if each.place[0] == "data"]
    for name in (*first, *(each for each in names if each not in first)):
        value = getattr(data, name)
        if value != type(data).model_fields[name].default:
            words += _as_flags(name, value)
    return masked(shlex.join(words))


def _as_flags(name: str, value: Any) -> list[str]:
    """Return a setting as arguments of the command line."""
    setting = SETTINGS[name]
    if isinstance(value, bool):
        return [setting.spelled if value else setting.spelled.replace("--", "--no-", 1)]
    if isinstance(value, tuple) and not setting.split:
        return [word for each in value for word in (setting.spelled, str(each))]
    return [setting.spelled, ",".join(value) if isinstance(value, tuple) else str(value)]
