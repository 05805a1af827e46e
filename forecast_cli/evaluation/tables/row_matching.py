"""What each row of a table of forecasts forecasts: series, cutoff, time, sample path."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError, listed
from ...core.windows import Ints
from ...data.dates.date_formats import read_like
from ...data.dates.parsing import parse_dates
from ...data.groups import Groups, find_places
from ...data.io.tables import Table, name_rows
from ...data.panel import STEP
from ...data.time.time_index import when
from .actuals import Actual, in_nanoseconds
from .column_roles import COLUMN, CUTOFF, SAMPLE, Roles


@dataclass(frozen=True)
class ForecastRows:
    """What each row of the table forecasts; all arrays have shape `(rows,)`.

    Args:
        series: Its place among those of the actual values, -1 for none of them.
        sample: The forecast that it belongs to, one for each series and cutoff.
        moment: Its time, as `Actual.moments` counts.
        cutoff: The time of the last known row; where it is unknown, before the first forecast.
        step: From 0, in the order of time; where steps are counted, as they are.
        path: The sample path; 0 for others.
        target: The target, in a long table; 0 in others.
    """

    series: Ints
    sample: Ints
    moment: Ints
    cutoff: Ints
    step: Ints
    path: Ints
    target: Ints


def find_rows(
    table: Table, groups: Groups, roles: Roles, actual: Actual, data: Data, begin: int
) -> ForecastRows:
    """Find out what each row of a table of forecasts forecasts.

    Where steps are counted and there is no cutoff, `begin` is the row, from 1, of the first.

    Raises:
        DataError: A forecast is repeated, or a cell is invalid.
    """
    count = table.columns.num_rows
    nothing = np.zeros(count, np.int64)
    path = pd.factorize(_integers(table, SAMPLE, 0))[0] if SAMPLE in roles.marks else nothing
    target = _match_targets(table, roles) if COLUMN in roles.marks else nothing
    moment, cutoff = _moments(table, groups, roles, actual, data, begin)
    known = nothing if cutoff is None else cutoff
    keys = pd.DataFrame({"s": groups.codes, "c": known, "m": moment, "p": path, "t": target})
    _refuse_repeated(table, keys)
    if roles.in_sample:
        sample, step, cutoff = np.arange(count), nothing, moment - 1
    else:
        sample = keys.groupby(["s", "c"]).ngroup().to_numpy()
        first = pd.Series(moment).groupby(sample).transform("min").to_numpy()
        step = pd.Series(moment).groupby(sample).rank("dense").to_numpy().astype(np.int64) - 1
        if roles.time is None:
            step = moment - (first if cutoff is None else cutoff + 1)
        cutoff = first - 1 if cutoff is None else cutoff
    series = find_places(groups.ids, actual.ids)[groups.codes]
    return ForecastRows(series, sample, moment, cutoff, step, path, target)


def _refuse_repeated(table: Table, keys: pd.DataFrame) -> None:
    """Refuse rows that forecast the same."""
    again = np.flatnonzero(keys.duplicated().to_numpy())
    if len(again):
        raise DataError(
            f"{len(again):,} duplicate forecasts: {name_rows(table, again.tolist())}.",
            "Keep one of each, or name the columns that distinguish series: `series=NAME`. "
            f"Cutoffs and sample paths are columns {CUTOFF} and {SAMPLE}.",
        )


def rows_of_targets(table: Table, roles: Roles) -> Table:
    """Return the rows of a long table that forecast a target; all rows of another table."""
    if COLUMN not in roles.marks:
        return table
    rows = np.flatnonzero(_match_targets(table, roles) >= 0)
    if not len(rows):
        raise DataError(
            f'{table.name}: column "{COLUMN}" names none of {", ".join(roles.targets)}.',
            "Name a column that was forecast: `column=NAME`.",
        )
    columns = table.columns.take(pa.array(rows))
    return replace(table, columns=columns, place=lambda row: table.place(int(rows[row])))


def _match_targets(table: Table, roles: Roles) -> Ints:
    """Return the target that each row of a long table names, shape `(rows,)`; -1 for none."""
    names = table.columns[COLUMN].to_pandas().astype(str)
    return pd.Index(roles.targets).get_indexer(names)


def _moments(
    table: Table, groups: Groups, roles: Roles, actual: Actual, data: Data, begin: int
) -> tuple[Ints, Ints | None]:
    """Return the time of each row, and of the last known row before it, None if unknown.

    Both have the shape `(rows,)`.
    """
    if roles.time is None:
        return _counted(table, roles, begin)
    series = groups.codes
    times = in_nanoseconds(_times(table, roles.time, actual, data, series))
    if CUTOFF not in roles.marks:
        return times, None
    cutoffs = in_nanoseconds(_times(table, CUTOFF, actual, data, series))
    late = np.flatnonzero(times <= cutoffs)
    if len(late):
        row = int(late[0])
        raise DataError(
            f"{table.place(row)}: the forecast of {table.columns[roles.time][row].as_py()} has the "
            f"{CUTOFF} {table.columns[CUTOFF][row].as_py()}.",
            f"The {CUTOFF} is the time of the last known row, before those that are forecast.",
        )
    return times, cutoffs


def _counted(table: Table, roles: Roles, begin: int) -> tuple[Ints, Ints | None]:
    """Return both from counted steps, shape `(rows,)`: row numbers in a series, from 0."""
    steps = _integers(table, STEP, 1)
    if CUTOFF not in roles.marks:
        return steps + begin - 2, None
    cutoffs = _integers(table, CUTOFF, 0)
    # Steps are counted from the beginning of the series, or from the cutoff.
    counted = steps if (steps > cutoffs).all() else steps + cutoffs
    return counted - 1, cutoffs - 1


def _integers(table: Table, column: str, least: int) -> Ints:
    """Return a column of integers, shape `(rows,)`; refuse other numbers, and those below least."""
    numbers = table.numbers(column)
    bad = np.flatnonzero(~((numbers >= least) & (numbers == np.rint(numbers))))
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f'{table.place(row)}: column "{column}" holds "{table.columns[column][row].as_py()}".',
            f"An integer of at least {least} was expected.",
        )
    return numbers.astype(np.int64)


def _times(table: Table, column: str, actual: Actual, data: Data, series: Ints) -> pd.DatetimeIndex:
    """Return a column of times, whose form may differ from that of the actual values.

    `series`, shape `(rows,)`, is the series of each row.
    """

    def read(data: Data) -> pd.DatetimeIndex:
        return parse_dates(table, column, **data.date_reading, groups=series).times

    like = read_like(data, actual.style)
    try:
        times = read(like)
    except DataError:
        if not like.date_format:
            raise
        times = read(read_like(data.changed(date_format=None), ""))
    known = actual.times
    if known is not None and (times.tz is None) != (known.tz is None):
        names = [actual.source, table.name]
        zoned, naive = names if times.tz is None else reversed(names)
        raise DataError(
            f"The times of {zoned} have a time zone, those of {naive} have none.",
            "Name the zone: `timezone=Europe/Berlin`.",
        )
    return times


def nothing_common(
    table: Table, groups: Groups, roles: Roles, actual: Actual, rows: ForecastRows
) -> DataError:
    """Return the error for a table in which no forecast has an actual value."""
    if (rows.series < 0).all():
        own = listed(range(len(groups.ids)), say=groups.name)
        names = listed(range(len(actual.ids)), say=Groups(actual.ids, rows.series).name)
        return DataError(
            f"{table.name} ({own}) and {actual.source} ({names}) have no series in common.",
            "Name the columns of both that distinguish the series: `series=NAME`.",
        )
    low, high = int(rows.moment.min()), int(rows.moment.max())
    if roles.time is None:
        return DataError(
            f"{table.name} forecasts rows {low + 1:,} to {high + 1:,}; {actual.source} has "
            f"{actual.range}.",
            "Give the row of its first step: `start=N`.",
        )
    stamps = [pd.Timestamp(each, unit="ns") for each in (low, high)]
    return DataError(
        f"{table.name} and {actual.source} have no time in common: forecasts of "
        f"{when(stamps[0])} to {when(stamps[1])}, actual values of {actual.range}.",
        "Give a table that covers those times. If its dates are read wrongly, pass `dayfirst` or "
        "`date_format`.",
    )
