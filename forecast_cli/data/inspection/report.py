"""The report on a table before training: how it is read, its columns and its problems."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...config.schema import Config
from ...config.sections import Data
from ...core.brief import Brief, Shown
from ...core.errors import DataError, counted, listed
from ...core.events import Listener, ignore
from ...core.windows import Floats, Ints
from ..dates.parsing import parse_dates
from ..groups import group_rows
from ..io.opening import open_with_notes
from ..io.tables import Readable, require_columns
from ..last_values import FarEnd, describe_far_ends, find_far_ends
from ..panel import Panel
from ..season import find_season, learn_season
from ..time.time_index import when
from .columns import ColumnReport, copies_of_target
from .outliers import constant_series, describe_stand_ins, empty_series, level_shift, outliers
from .suggestion import Heard, Suggestion, command, remembering, suggest

# The most columns whose values are checked.
MOST_COLUMNS = 100


@dataclass(frozen=True, repr=False)
class TableReport(Brief):
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

    def _brief(self) -> Shown:
        facts = [self.source, counted(self.rows, "row"), self.frequency or "no frequency"]
        return ", ".join(facts), [{"column": each.column} for each in self.columns]

    def document(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def inspect_table(
    source: Readable, data: Data | None = None, *, on_event: Listener = ignore
) -> TableReport:
    """Read a whole table and report how it was read and what it contains.

    Args:
        source: A path, a pattern, `-` for standard input, a table in memory, or several of them.
        data: How to read it; its columns are not needed.
        on_event: Notified where much is read; what was found out is in the report.

    Raises:
        DataError: The table cannot be read.
    """
    asked, heard = data or Data(), Heard(on_event)
    opened = open_with_notes(source, asked.dialect, heard.keep)
    require_columns(opened.name, opened.names, asked.series)
    found = suggest(remembering(opened), asked, heard)
    table, times = found.table, _times(found)
    groups = found.rows.groups if found.rows else group_rows(table, found.series)
    timeline, lengths = found.rows.steps.timeline if found.rows else None, np.bincount(groups.codes)
    season = _season(found.panel) if found.panel else asked.season_length
    season = season or (timeline.frequency.season_length if timeline else 1)
    return TableReport(
        source=table.name,
        rows=table.columns.num_rows,
        series=found.series,
        count=len(lengths),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        time=found.time if times is not None else None,
        first=when(times.min()) if times is not None else None,
        last=when(times.max()) if times is not None else None,
        frequency=timeline.frequency.name if timeline and not found.irregular else None,
        season_length=season,
        columns=found.columns,
        notes=found.notes,
        warnings=tuple(_warnings(found, season)),
        train=command(source, found.data) if found.panel else "",
    )


def _season(panel: Panel) -> int:
    """Return the season that a training on a panel finds."""
    config = Config(data=panel.data)
    return learn_season(panel, config) or find_season(panel, config)


def _times(found: Suggestion) -> pd.DatetimeIndex | None:
    """Return the times of the rows, also where these are no regular steps; None without times."""
    if found.rows:
        timeline = found.rows.steps.timeline
        return timeline.times if timeline else None
    if found.time is None:
        return None
    try:
        return parse_dates(found.table, found.time, **found.data.date_reading).times
    except DataError:
        return None


def _warnings(found: Suggestion, season: int) -> list[str]:
    """Return the possible problems of the values."""
    if found.rows is None or all(each.least is None for each in found.columns):
        return []
    table, steps = found.rows.table, found.rows.steps
    names = [*found.rows.data.column, *(each.column for each in found.columns)]
    numeric = {each.column for each in found.columns if each.least is not None}
    names = [name for name in dict.fromkeys(names) if name in numeric][:MOST_COLUMNS]
    values = steps.place(np.column_stack([table.numbers(name) for name in names]))
    rows = np.full(len(values), -1)
    rows[steps.places] = steps.order
    columns = NumericColumns(names, values, steps.indptr, rows, season)
    return find_warnings(columns, place=table.place, name=found.rows.groups.name)


# The most that a warning lists one by one.
MOST_NAMED = 3
LEAST_LEAD = 6


@dataclass(frozen=True)
class NumericColumns:
    """Numeric columns at their steps, the first of them the target.

    Args:
        names: Of the columns.
        values: Shape `(n_rows, columns)`, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        rows: Shape `(n_rows,)`: the row of the table, -1 where a step has none.
        season_length: Steps in a season.
    """

    names: Sequence[str]
    values: Floats
    indptr: Ints
    rows: Ints
    season_length: int


def find_warnings(
    columns: NumericColumns, *, place: Callable[[int], str], name: Callable[[int], str]
) -> list[str]:
    """Return warnings of constant series, outliers, level shifts, the last values, and leakage.

    Args:
        columns: The columns.
        place: Returns where a row of the table is.
        name: Returns the name of a series; empty where there is one.
    """
    ends = find_far_ends(columns.values[:, :1], columns.indptr)
    return [
        *_constant(columns, name),
        *describe_stand_ins(columns.names, columns.values, columns.indptr),
        *_outliers(columns, place, {each.row for each in ends}),
        *_ends(columns, place, ends),
        *_shifts(columns, place),
        *_leaks(columns),
    ]


def _constant(columns: NumericColumns, name: Callable[[int], str]) -> Iterator[str]:
    """Constant or empty series of the target, and constant columns."""
    constant = constant_series(columns.values, columns.indptr)
    empty = empty_series(columns.values, columns.indptr)
    for what, flags in (("is constant", constant), ("is empty", empty)):
        series = np.flatnonzero(flags[:, 0])
        if len(columns.indptr) > 2 and len(series):
            names = listed(series.tolist(), most=MOST_NAMED, say=name)
            yield f"{columns.names[0]} {what} in {len(series)} of {len(flags)} series: {names}"
    for each, column, flags in zip(columns.names, columns.values.T, constant.T, strict=True):
        known = column[np.isfinite(column)]
        if flags.all() and len(known) and (known == known[0]).all():
            yield f"{each} is {known[0]:g} in every row and carries no information"


def _outliers(
    columns: NumericColumns, place: Callable[[int], str], ends: Container[int]
) -> Iterator[str]:
    """Outliers, but for the rows of the target that end a series."""
    found = outliers(columns.values, columns.indptr, season_length=columns.season_length)
    found = found[[column > 0 or row not in ends for row, column in found.tolist()]]
    affected = np.unique(found[:, 1]).tolist()
    for column in affected[:MOST_NAMED]:
        rows = found[found[:, 1] == column, 0].tolist()

        def say(row: int, column: int = column) -> str:
            return f"{columns.values[row, column]:g} in {place(int(columns.rows[row]))}"

        names = listed(rows, most=MOST_NAMED, say=say)
        count = "an outlier" if len(rows) == 1 else f"{len(rows)} outliers"
        yield f"{count} in {columns.names[column]}: {names}"
    if len(affected) > MOST_NAMED:
        yield f"outliers in {len(affected) - MOST_NAMED} more columns"


def _ends(
    columns: NumericColumns, place: Callable[[int], str], ends: Sequence[FarEnd]
) -> Iterator[str]:
    """Last values of the target that are far from all before them."""
    if ends:
        count = len(columns.indptr) - 1
        yield describe_far_ends(
            ends, columns.names, count, lambda row: place(int(columns.rows[row]))
        )


def _shifts(columns: NumericColumns, place: Callable[[int], str]) -> Iterator[str]:
    target, season = columns.values[:, :1], columns.season_length
    for shift in level_shift(target, columns.indptr, season_length=season)[:MOST_NAMED]:
        where = place(int(columns.rows[shift.row]))
        yield (
            f"the level of {columns.names[0]} shifts by {shift.size:+.4g} at {where} and remains: "
            "earlier rows may not be representative"
        )


def _leaks(columns: NumericColumns) -> Iterator[str]:
    lead = max(LEAST_LEAD, min(2 * columns.season_length, 60))
    for column, ahead in copies_of_target(columns.values, columns.indptr, most_lead=lead):
        target = columns.names[0]
        what = f"the value of {target} {ahead} steps ahead" if ahead else f"the same as {target}"
        yield f"{columns.names[column]} is {what}: as a covariate it would leak the target"
