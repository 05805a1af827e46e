"""The actual values that forecasts are scored against, by series and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError
from ...core.events import Event, Listener
from ...core.ragged import owners, row_numbers
from ...core.windows import Floats, Ints
from ...data.dates.parsing import parse_dates
from ...data.dates.time_column import time_columns
from ...data.dates.time_parts import without_whole_years
from ...data.groups import Groups, group_rows, settle_names
from ...data.io.opening import Opened
from ...data.io.tables import Table
from ...data.time.calendars import resolve_calendar
from ...data.time.duplicates import RepeatedTimes, check_duplicates
from ...data.time.steps import find_steps, in_order, make_indptr
from ...data.time.time_index import Dates, Steps, likely_frequency, steps_broken, when

# A table in which a larger share of the steps differ from the most frequent one is irregular.
MOST_BROKEN = 0.2


@dataclass(frozen=True)
class Actual:
    """Actual values, series by series, the oldest first.

    Args:
        values: Shape `(n_rows, targets)`, original units, NaN where missing.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        times: One a row; None where rows are steps.
        ids: A row for each series, a column for each part of its name.
        season_length: Steps in a season.
        style: The form in which the table writes its times.
        source: What messages call the table.
        trouble: Why the rows have no regular steps; empty where they have.
    """

    values: Floats
    indptr: Ints
    times: pd.DatetimeIndex | None
    ids: pd.DataFrame
    season_length: int
    style: str
    source: str
    trouble: str = ""

    def rows_at(self, series: Ints, moments: Ints) -> Ints:
        """Return the row of each series at each moment, -1 where there is none.

        Args:
            series: Shape `(rows,)`.
            moments: Shape `(rows,)`: nanoseconds, or the number of the row in its series from 0.
        """
        known = pd.MultiIndex.from_arrays([owners(self.indptr), self.moments])
        return known.get_indexer(pd.MultiIndex.from_arrays([series, moments]))

    @property
    def moments(self) -> Ints:
        """When each row was, shape `(n_rows,)`, as a number that ascends in each series."""
        return row_numbers(self.indptr) if self.times is None else in_nanoseconds(self.times)

    @property
    def range(self) -> str:
        """The first and the last row, for messages."""
        if self.times is None:
            return f"rows 1 to {np.diff(self.indptr).max():,}"
        return f"{when(self.times.min())} to {when(self.times.max())}"


def in_nanoseconds(times: pd.DatetimeIndex) -> Ints:
    """Return times as nanoseconds since 1970, shape `(rows,)`, from any stored unit."""
    return np.asarray(times.as_unit("ns").asi8)


def read_actual(
    opened: Opened,
    data: Data,
    time: str | None,
    *,
    series: Sequence[str],
    targets: Sequence[str],
    on_event: Listener,
) -> Actual:
    """Read actual values: rows in any order, of any length, with gaps and other columns.

    Rows without regular steps are taken as the steps, in their order.

    Args:
        opened: The table, each row a step of one series.
        data: How it is read.
        time: Its time column, or the parts of one; None where rows are steps.
        series: The columns that name its series.
        targets: The columns of actual values.
        on_event: Notified of what was understood.

    Raises:
        DataError: A column is missing, a cell is not a number, or a row is repeated.
    """
    parts = time_columns(time, opened.names)
    needed = list(dict.fromkeys([*parts, *series, *targets]))
    table = without_whole_years(opened.read(needed, text=[*parts, *series]), parts, on_event)
    groups = settle_names(table, group_rows(table, series), data.similar_names, on_event)
    cells = np.column_stack([table.numbers(name) for name in targets])
    if time is None:
        return _at_steps(table, in_order(groups), cells, groups, data)
    dates = parse_dates(table, time, **data.date_reading, groups=groups.codes)
    steps, trouble = _regular_steps(table, dates, groups, data, on_event)
    if steps is not None:
        return _at_steps(table, steps, cells, groups, data)
    order = np.lexsort((dates.times.asi8, groups.codes))
    times, codes = dates.times[order], groups.codes[order]
    check_duplicates(table, times, codes, order)
    indptr, season = make_indptr(codes, len(groups.ids)), data.season_length or 1
    return Actual(cells[order], indptr, times, groups.ids, season, dates.style, table.name, trouble)


def _at_steps(table: Table, steps: Steps, cells: Floats, groups: Groups, data: Data) -> Actual:
    """Return the cells, shape `(rows, targets)`, at their regular steps."""
    line = steps.timeline
    times, style, season = None, "", 1
    if line is not None:
        times, style, season = line.times, line.style, line.frequency.season_length
    season = data.season_length or season
    return Actual(steps.place(cells), steps.indptr, times, groups.ids, season, style, table.name)


def _regular_steps(
    table: Table, dates: Dates, groups: Groups, data: Data, on_event: Listener
) -> tuple[Steps | None, str]:
    """Return the rows at their regular steps, gaps included; None and why where there are none."""
    trouble = ""
    for freq in (data.freq, _most_frequent_step(dates, groups)):
        events: list[Event] = []
        try:
            frequency = resolve_calendar(data, dates.times, table)
            asked = data.changed(freq=freq)
            steps = find_steps(table, dates, groups, asked, frequency, events.append)
        except RepeatedTimes:
            raise
        except DataError as error:
            trouble = trouble or error.message
            if data.freq or data.resample:
                break
        else:
            for event in events:
                on_event(event)
            return steps, ""
    return None, trouble


def _most_frequent_step(dates: Dates, groups: Groups) -> str | None:
    """Return the frequency of most steps of the longest series; None where too many differ."""
    longest = groups.codes == np.argmax(np.bincount(groups.codes))
    times = pd.DatetimeIndex(dates.times[longest].sort_values().unique())
    if len(times) < 3:
        return None
    likely = likely_frequency(times)
    return likely.alias if steps_broken(times, likely).mean() <= MOST_BROKEN else None
