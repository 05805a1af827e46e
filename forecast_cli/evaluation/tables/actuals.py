"""The truth that forecasts are scored against: actual values by series and time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError
from ...core.events import Event, Listener
from ...core.ragged import owners, row_numbers
from ...core.seasonal_error import seasonal_pair
from ...core.windows import Floats, Ints
from ...data.groups import Groups, group_rows
from ...data.io.opening import Opened
from ...data.io.tables import Table
from ...data.known_future import find_places
from ...data.time.calendar_check import resolve_calendar
from ...data.time.dates import Dates, parse_dates
from ...data.time.duplicates import RepeatedTimes, check_duplicates
from ...data.time.steps import Steps, find_steps, in_order, make_indptr
from ...data.time.time_column import time_columns
from ...data.time.time_index import likely_frequency, steps_broken, when

# With a larger share of other steps than its usual one a table has none.
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
        trouble: What keeps the rows from regular steps; empty where nothing does.
    """

    values: Floats
    indptr: Ints
    times: pd.DatetimeIndex | None
    ids: pd.DataFrame
    season_length: int
    style: str
    source: str
    trouble: str = ""

    def series_named(self, ids: pd.DataFrame) -> Ints:
        """The places of series by their names, -1 for those that are not here."""
        return find_places(ids, self.ids)

    def rows_at(self, series: Ints, moments: Ints) -> Ints:
        """The row of each series at each moment, -1 where there is none.

        Args:
            series: Shape `(rows,)`.
            moments: Shape `(rows,)`: nanoseconds, or the number of the row in its series from 0.
        """
        known = pd.MultiIndex.from_arrays([owners(self.indptr), self.moments])
        return known.get_indexer(pd.MultiIndex.from_arrays([series, moments]))

    @property
    def moments(self) -> Ints:
        """When each row was, as a number that ascends in each series."""
        return row_numbers(self.indptr) if self.times is None else in_nanoseconds(self.times)

    def naive_errors(self, ends: Ints) -> tuple[Floats, Floats]:
        """The mean absolute and the mean squared error of the seasonal naive forecast in-sample.

        Args:
            ends: Shape `(n_series,)`: the row after the last one of each series that is known.

        Returns:
            Shape `(n_series, targets)` each; NaN where nothing could be compared.
        """
        own, squared = seasonal_pair(
            self.values, self.indptr, ends, season_length=self.season_length
        )
        return own, squared

    @property
    def range(self) -> str:
        """From when to when the rows are, for people."""
        if self.times is None:
            return f"rows 1 to {np.diff(self.indptr).max():,}"
        return f"{when(self.times.min())} to {when(self.times.max())}"


def in_nanoseconds(times: pd.DatetimeIndex) -> Ints:
    """Times as numbers, whatever the unit that they are kept in."""
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
    """Read the truth: rows in any order, of any length, gaps and other columns among them.

    Rows that keep to no regular step are taken as the steps, in their order.

    Args:
        opened: The table, each row a step of one series.
        data: How it is read.
        time: Its time column, or the parts of one; None where rows are steps.
        series: What names its series.
        targets: The columns of actual values.
        on_event: Told what was understood.

    Raises:
        DataError: A column is missing, a cell is no number, or a row stands there twice.
    """
    parts = time_columns(time, opened.names)
    needed = list(dict.fromkeys([*parts, *series, *targets]))
    table = opened.read(needed, text=[*(parts if len(parts) == 1 else ()), *series])
    groups = group_rows(table, series)
    cells = np.column_stack([table.numbers(name) for name in targets])
    if time is None:
        return _actual(table, in_order(groups), cells, groups, data)
    dates = parse_dates(table, time, **data.date_reading, groups=groups.codes)
    steps, trouble = _placed(table, dates, groups, data, on_event)
    if steps is None:
        actual = _as_they_stand(table, dates, groups, cells, trouble)
        return replace(actual, season_length=data.season_length or 1)
    return _actual(table, steps, cells, groups, data)


def _actual(table: Table, steps: Steps, cells: Floats, groups: Groups, data: Data) -> Actual:
    """The values at their steps."""
    line = steps.timeline
    return Actual(
        steps.place(cells),
        steps.indptr,
        line.times if line else None,
        groups.ids,
        data.season_length or (line.frequency.season_length if line else 1),
        line.style if line else "",
        table.name,
    )


def _placed(
    table: Table, dates: Dates, groups: Groups, data: Data, on_event: Listener
) -> tuple[Steps | None, str]:
    """The rows at their regular steps, with gaps; None where they have none, and why."""
    trouble = ""
    for each in (data.freq, _usual_frequency(dates, groups)):
        heard: list[Event] = []
        asked = data.model_copy(update={"freq": each})
        try:
            frequency = resolve_calendar(data, dates, table)
            steps = find_steps(table, dates, groups, asked, frequency, heard.append)
        except RepeatedTimes:
            raise
        except DataError as error:
            trouble = trouble or error.message
            if data.freq or data.resample:
                break
            continue
        for event in heard:
            on_event(event)
        return steps, ""
    return None, trouble


def _usual_frequency(dates: Dates, groups: Groups) -> str | None:
    """The frequency of most steps of the longest series; None where they have none in common."""
    longest = groups.codes == np.argmax(np.bincount(groups.codes))
    times = pd.DatetimeIndex(dates.times[longest].sort_values().unique())
    if len(times) < 3:
        return None
    usual = likely_frequency(times)
    return usual.alias if steps_broken(times, usual).mean() <= MOST_BROKEN else None


def _as_they_stand(
    table: Table, dates: Dates, groups: Groups, cells: Floats, trouble: str
) -> Actual:
    """The rows in order of time, each a step."""
    order = np.lexsort((dates.times.asi8, groups.codes))
    times, codes = dates.times[order], groups.codes[order]
    check_duplicates(table, times, codes, order)
    return Actual(
        cells[order], make_indptr(codes, len(groups.ids)), times, groups.ids, 1, dates.style,
        table.name, trouble,
    )  # fmt: skip
