"""What is wrong with the times of a table, and how to mend it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core.errors import DataError, listed
from ...core.windows import Ints
from ..groups import Groups
from ..io.tables import Table
from .frequency import Frequency
from .time_index import irregular_place, likely_frequency, when


class RepeatedTimes(DataError):
    """Rows of one series at the same time."""


@dataclass(frozen=True)
class StepRows:
    """The distinct times of a table, series by series."""

    table: Table
    groups: Groups
    times: pd.DatetimeIndex
    indptr: Ints
    order: Ints

    def of(self, series: int) -> slice:
        """The rows of a series."""
        return slice(int(self.indptr[series]), int(self.indptr[series + 1]))


def irregular(rows: StepRows, series: int, frequency: Frequency | None) -> DataError:
    """The error for a series that keeps to no step, or not to that of the others."""
    own = rows.of(series)
    times, order, table = rows.times[own], rows.order[own], rows.table
    name = rows.groups.name(series)
    if frequency is None and len(times) < 3:
        return DataError(
            f"{table.name} has {len(times)} rows{' in its longest series' if name else ''}: too "
            "few to see their frequency.",
            "Name it: --freq D.",
        )
    row, what = irregular_place(times, frequency)
    usual = (frequency or likely_frequency(times)).alias
    return DataError(
        f"{table.place(int(order[row]))}{f', series {name}' if name else ''}: the steps are not "
        f"regular: {what}.",
        f"Name the frequency and how to fill the gaps: --freq {usual} --missing interpolate; or, "
        "where rows are the steps whatever their dates, pass --time none."
        + _clock_hint(times, row),
    )


def check_duplicates(table: Table, times: pd.DatetimeIndex, codes: Ints, order: Ints) -> None:
    """Refuse two rows of a series at one time.

    Args:
        table: What messages are about.
        times: Sorted, series by series.
        codes: The series of each.
        order: The row of the table that each is of.

    Raises:
        RepeatedTimes: There are some.
    """
    again = np.flatnonzero((np.diff(times.asi8) == 0) & (np.diff(codes) == 0)) + 1
    if len(again):
        places = listed(
            again.tolist(), say=lambda row: f"{table.place(int(order[row]))} ({when(times[row])})"
        )
        raise RepeatedTimes(
            f"Times that stand there already, {len(again)} in all: {places}.",
            "Say which row counts: --duplicates first, last, mean or sum; or, where there are "
            "several series, what names them: --series NAME." + _clock_hint(times, int(again[0])),
        )


def _clock_hint(times: pd.DatetimeIndex, row: int) -> str:
    """What to add where the clocks may have been changed: on a Sunday, in the small hours."""
    time = times[row]
    if times.tz is not None or time.day_name() != "Sunday" or not 1 <= time.hour <= 4:
        return ""
    return " If the clocks were changed here, name the zone: --timezone Europe/Berlin."
