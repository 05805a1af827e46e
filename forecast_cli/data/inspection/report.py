"""The report on a table before training: how it is read, its columns and its problems."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...config.schema import Config
from ...config.sections import Data
from ...core.brief import Brief, Shown
from ...core.errors import DataError, counted
from ...core.events import Listener, ignore
from ..dates.parsing import parse_dates
from ..groups import group_rows
from ..io.opening import open_with_notes
from ..io.tables import Readable, require_columns
from ..panel import Panel
from ..season import find_season, learn_season
from ..time.time_index import when
from .columns import ColumnReport
from .suggestion import Heard, Suggestion, command, remembering, suggest
from .table_warnings import NumericColumns, find_warnings

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
