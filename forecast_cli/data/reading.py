"""Reading of a table as a panel: columns, series, times and covariates."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from ..config.covariates import Covariates
from ..config.sections import Data
from ..core.events import Listener, ignore
from ..core.memory import require_memory
from ..core.windows import Floats
from .calendar_features import found_features, with_calendar
from .categories import category_numbers, find_categories, note_unknown
from .columns import Columns, with_columns
from .dates.parsing import find_day_zone, parse_dates
from .dates.time_column import find_time, time_columns
from .dates.time_names import role_of
from .dates.time_parts import without_whole_years
from .groups import (
    Groups,
    group_rows,
    has_several_series,
    likely_series,
    settle_names,
)
from .io.opening import Opened, open_with_notes
from .io.tables import Readable, Table, require_columns
from .known_future import require_years
from .layouts import as_long
from .panel import Panel, without_missing
from .placement import place_rows
from .time.business_days import Bools
from .time.calendars import resolve_calendar
from .time.dropped_rows import whole_rows
from .time.duplicates import RepeatedTimes
from .time.expected_frequency import require_frequency
from .time.frequency import Frequency
from .time.steps import find_steps, in_order
from .time.time_index import Steps, floored
from .totals import ends_with_total, note_total_series, total_error

# What a row takes at least until it is forecast, in bytes.
ROW = 50


@dataclass(frozen=True)
class Rows:
    """The rows of a table as they are understood, by a training and by an inspection.

    Args:
        table: The columns that were read.
        data: How; each row is a step of one series.
        columns: Their roles.
        cells: Shape `(rows, features)`: the values in the order of the table.
        groups: The series of each row.
        steps: The step of each row.
    """

    table: Table
    data: Data
    columns: Columns
    cells: Floats
    groups: Groups
    steps: Steps


def read_panel(
    source: Readable | Opened,
    data: Data,
    *,
    on_event: Listener = ignore,
    frequency: Frequency | None = None,
    categories: Mapping[str, Sequence[str]] | None = None,
    known: pd.DataFrame | None = None,
) -> Panel:
    """Read the columns that the configuration names, sort them by time and check their steps.

    Args:
        source: What `open_table` opens, or has opened.
        data: The columns and how to read them.
        on_event: Receives notes.
        frequency: The required step, e.g. that of a model; None to infer it.
        categories: The known categories of each covariate; None: those of the table.
        known: The names of the series of a model, a column for each part; None for none.

    Raises:
        DataError: The table lacks columns or rows, or they cannot be read.
    """
    opened = open_with_notes(source, data.dialect, on_event)
    rows = read_rows(
        opened, data, frequency=frequency, categories=categories, known=known, on_event=on_event
    )
    panel = make_panel(rows, data)
    if known is None:
        note_total_series(panel, on_event)
    # Arrow keeps the table's memory for its next table; the training needs it now.
    del rows
    pa.default_memory_pool().release_unused()
    return panel


def read_rows(
    opened: Opened,
    data: Data,
    *,
    more: Sequence[str] = (),
    frequency: Frequency | None = None,
    categories: Mapping[str, Sequence[str]] | None = None,
    known: pd.DataFrame | None = None,
    on_event: Listener,
) -> Rows:
    """Read the rows of a table, find their series and times, and sort them into steps.

    Args:
        opened: The table.
        data: The columns and how to read them.
        more: Columns to read besides.
        frequency: As in `read_panel`.
        categories: As in `read_panel`.
        known: As in `read_panel`.
        on_event: Receives notes.

    Raises:
        DataError: The table lacks columns, or its times are not those of regular steps.
    """
    lined = opened.lined and data.skip_footer is None
    opened, long = as_long(opened, data, on_event)
    table, time, long = _find_columns(opened, long, more, on_event)
    groups = group_rows(table, long.series)
    groups = settle_names(table, groups, long.similar_names, on_event, known=known)
    columns = _columns(table, time, long, categories, on_event)
    cells = _numbers(table, columns)
    if lined and len(groups.ids) == 1 and ends_with_total(cells[:, : len(columns.columns)].T):
        raise total_error(table)
    try:
        whole = whole_rows(table, columns, cells, groups) if long.missing == "drop" else None
        steps, long = _place(table, time, groups, long, frequency, on_event, whole)
    except RepeatedTimes as error:
        raise _with_series(error, opened, time, long) from None
    return Rows(table, long, columns, cells, groups, steps)


def _find_columns(
    opened: Opened, data: Data, more: Sequence[str], on_event: Listener
) -> tuple[Table, str | None, Data]:
    """Return the columns that are needed, the time column, and the settings with all names."""
    plain = [name for name in data.column if not glob.has_magic(name)]
    require_columns(opened.name, opened.names, plain)
    time = find_time(opened.head(), data, on_event)
    parts = time_columns(time, opened.names)
    data = with_columns(data, opened.names, opened.name, parts)
    needed = [*data.column, *data.covariates, *data.series]
    require_columns(opened.name, opened.names, needed)
    # The names of series are text, so that 007 stays 007.
    text = [*parts, *data.series]
    table = opened.read(list(dict.fromkeys([*parts, *needed, *more])), text=text)
    return without_whole_years(table, parts, on_event), time, data


def make_panel(rows: Rows, data: Data) -> Panel:
    """Return the rows of a table as a panel; `data` is how it is read.

    Raises:
        DataError: A cell is not a number, values are missing, or no step can follow.
        UsageError: There is no memory for the rows.
    """
    table, long = rows.table, rows.data
    count = table.columns.num_rows
    require_memory(
        count * ROW, f"{table.name}, {count:,} rows,", "Take fewer rows, or longer steps."
    )
    if long.layout in (None, "long") and data.layout in (None, "long"):
        data = long
    data = data.changed(timezone=long.timezone, day_zone=long.day_zone)
    columns = rows.columns
    trim = data.layout == "columns"
    panel = place_rows(table, columns, rows.cells, rows.steps, rows.groups, long, trim=trim)
    require_years(panel, 1)
    features = found_features(panel, long)
    found = {"calendar_features": features, "categorical": tuple(columns.covariates.categories)}
    panel = replace(with_calendar(panel, features), data=data.changed(**found))
    return without_missing(panel) if long.missing == "drop" else panel


def find_series(opened: Opened, time: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that seem to name the series; empty where none do, or none are needed.

    Args:
        opened: The table.
        time: The time column, or its parts.
        taken: Columns that have another role.
    """
    table = opened.read(text=time)
    if not has_several_series(table, time):
        return ()
    whole = [each.name for each in table.columns.schema if pa.types.is_integer(each.type)]
    # 0012 and 12 are two names.
    return likely_series(opened.read(text=[*time, *whole]), time, taken=taken, whole=whole)


def _with_series(
    error: RepeatedTimes, opened: Opened, time: str | None, data: Data
) -> RepeatedTimes:
    """Return the same error, with the columns that seem to name the series."""
    if data.series:
        return error
    parts = time_columns(time, opened.names)
    clock = next((name for name in opened.names if role_of(name) in ("hour", "clock")), None)
    if clock and len(parts) == 1 and clock not in parts:
        return RepeatedTimes(
            error.message, f"Pass `time={time},{clock}` where both columns make the time."
        )
    found = find_series(opened, parts, data.column)
    if not found:
        return error
    return RepeatedTimes(
        error.message,
        f"There seem to be several series: pass `series={','.join(found)}`. Or set `duplicates` to "
        "first, last, mean or sum.",
    )


def _place(
    table: Table,
    time: str | None,
    groups: Groups,
    data: Data,
    frequency: Frequency | None,
    on_event: Listener,
    whole: Bools | None,
) -> tuple[Steps, Data]:
    """Return the steps of the rows, and the settings with the zone of the days that was found.

    `whole`, shape `(rows,)`, has those that are left where rows are dropped.
    """
    if time is None:
        return in_order(groups), data
    dates = parse_dates(table, time, **data.date_reading, groups=groups.codes, on_event=on_event)
    dates, data = find_day_zone(dates, data, on_event)
    if frequency is None:
        left = dates.times if whole is None else dates.times[whole]
        frequency = resolve_calendar(data, left, table)
    else:
        times = dates.times
        if data.resample:
            times = floored(times, Frequency.parse(data.resample))
        require_frequency(table, times, groups.codes, frequency, given=data.freq)
    return find_steps(table, dates, groups, data, frequency, on_event, whole), data


def _columns(
    table: Table,
    time: str | None,
    data: Data,
    categories: Mapping[str, Sequence[str]] | None,
    on_event: Listener,
) -> Columns:
    """Return the columns that are read, with the categories of covariates."""
    known = find_categories(table, data) if categories is None else categories
    if categories is not None:
        note_unknown(table, categories, on_event)
    covariates = Covariates(
        past=data.past_covariates,
        future=data.future_covariates,
        static=data.static_covariates,
        categories={name: tuple(values) for name, values in known.items()},
    )
    return Columns(time, data.column, data.targets, covariates, data.series)


def _numbers(table: Table, columns: Columns) -> Floats:
    """Return the rows of the table, shape `(rows, features)`, categories as numbers."""
    known = columns.covariates.categories
    return np.column_stack(
        [
            category_numbers(table, name, known[name]) if name in known else table.numbers(name)
            for name in columns.features
        ]
    )
