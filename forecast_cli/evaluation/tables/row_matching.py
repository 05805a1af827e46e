"""What each row of a table of forecasts is of: a series, a cutoff, a time, a path."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError, listed
from ...core.windows import Ints
from ...data.groups import Groups
from ...data.io.tables import Table, name_rows
from ...data.panel import STEP
from ...data.time.dates import parse_dates, read_like
from ...data.time.time_index import when
from .actuals import Actual, in_nanoseconds
from .column_roles import COLUMN, CUTOFF, SAMPLE, Roles


@dataclass(frozen=True)
class ForecastRows:
    """What each row of the table is of.

    Args:
        series: Its place in the truth, -1 for none of it.
        sample: Which forecast it belongs to: those of a series and cutoff are one.
        moment: When it is, as `Actual.moments` counts.
        cutoff: When the last known row was; the earliest moment of the forecast where not told.
        step: From 0, in the order of the rows; where steps are counted, as they are.
        path: Of sample paths; 0 for others.
        target: In a long table; 0 in others.
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
    """Tell what each row of a table is of.

    Args:
        table: The forecasts.
        groups: The series of each row.
        roles: Which columns are what.
        actual: The truth.
        data: How dates are read.
        begin: Where steps are counted and there is no cutoff: the row, from 1, of the first.

    Raises:
        DataError: A forecast stands there twice, or a cell is not what it should be.
    """
    count = table.columns.num_rows
    nothing = np.zeros(count, np.int64)
    path = nothing
    if SAMPLE in roles.marks:
        path = pd.factorize(_whole(table, SAMPLE, least=0))[0]
    target = _match_targets(table, roles) if COLUMN in roles.marks else nothing
    moment, cutoff = _moments(table, groups, roles, actual, data, begin)
    told = nothing if cutoff is None else cutoff
    keys = pd.DataFrame({"s": groups.codes, "c": told, "m": moment, "p": path, "t": target})
    _refuse_repeated(table, keys)
    if roles.in_sample:
        sample, step = np.arange(count), nothing
        cutoff = moment - 1
    else:
        sample = keys.groupby(["s", "c"]).ngroup().to_numpy()
        first = pd.Series(moment).groupby(sample).transform("min").to_numpy()
        step = pd.Series(moment).groupby(sample).rank("dense").to_numpy().astype(np.int64) - 1
        if roles.time is None:
            step = moment - (first if cutoff is None else cutoff + 1)
        cutoff = first - 1 if cutoff is None else cutoff
    series = actual.series_named(groups.ids)[groups.codes]
    return ForecastRows(series, sample, moment, cutoff, step, path, target)


def _refuse_repeated(table: Table, keys: pd.DataFrame) -> None:
    """Refuse a forecast that stands there twice."""
    again = np.flatnonzero(keys.duplicated().to_numpy())
    if len(again):
        raise DataError(
            f"Forecasts that stand there already, {len(again)} in all: "
            f"{name_rows(table, again.tolist())}.",
            "Keep one of them, or say what tells them apart: the series with --series NAME, or a "
            f"column {CUTOFF} or {SAMPLE}.",
        )


def rows_of_targets(table: Table, roles: Roles) -> Table:
    """The rows of a long table that are of targets; all of another."""
    if COLUMN not in roles.marks:
        return table
    rows = np.flatnonzero(_match_targets(table, roles) >= 0)
    if not len(rows):
        raise DataError(
            f'{table.name}: column "{COLUMN}" names none of {", ".join(roles.targets)}.',
            "Name a column that was forecast: --column NAME.",
        )
    columns = table.columns.take(pa.array(rows))
    return replace(table, columns=columns, place=lambda row: table.place(int(rows[row])))


def _match_targets(table: Table, roles: Roles) -> Ints:
    """The place of the target that each row of a long table names, -1 for none of them."""
    names = table.columns[COLUMN].to_pandas().astype(str)
    return pd.Index(roles.targets).get_indexer(names)


def _moments(
    table: Table, groups: Groups, roles: Roles, actual: Actual, data: Data, begin: int
) -> tuple[Ints, Ints | None]:
    """When each row is, and when its last known row was, where that is told."""
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
            f"{table.place(row)}: a forecast of {table.columns[roles.time][row].as_py()} was not "
            f"made at {table.columns[CUTOFF][row].as_py()}.",
            f"The {CUTOFF} is the time of the last known row, before those that are forecast.",
        )
    return times, cutoffs


def _counted(table: Table, roles: Roles, begin: int) -> tuple[Ints, Ints | None]:
    """The same where rows are steps: the number of the row in its series, from 0."""
    steps = _whole(table, STEP, least=1)
    if CUTOFF not in roles.marks:
        return steps + begin - 2, None
    cutoffs = _whole(table, CUTOFF, least=0)
    # Steps are counted from the beginning of the series, or from the cutoff.
    counted = steps if (steps > cutoffs).all() else steps + cutoffs
    return counted - 1, cutoffs - 1


def _whole(table: Table, column: str, *, least: int) -> Ints:
    """A column of whole numbers."""
    numbers = table.numbers(column)
    bad = np.flatnonzero(~((numbers >= least) & (numbers == np.rint(numbers))))
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f'{table.place(row)}: column "{column}" holds "{table.columns[column][row].as_py()}".',
            f"A whole number from {least} on was expected.",
        )
    return numbers.astype(np.int64)


def _times(table: Table, column: str, actual: Actual, data: Data, series: Ints) -> pd.DatetimeIndex:
    """A column of times, which may be written in another form than in the truth."""
    reading = read_like(data, actual.style).date_reading
    try:
        times = parse_dates(table, column, **reading, groups=series).times
    except DataError:
        if not data.date_format:
            raise
        other = read_like(data.model_copy(update={"date_format": None}), actual.style)
        times = parse_dates(table, column, **other.date_reading, groups=series).times
    known = actual.times
    if known is not None and (times.tz is None) != (known.tz is None):
        one, other_one = (table.name, actual.source) if known.tz is None else (
            actual.source, table.name)  # fmt: skip
        raise DataError(
            f"The times of {one} have a zone, those of {other_one} have none.",
            "Name the zone: --timezone Europe/Berlin.",
        )
    return times


def nothing_common(
    table: Table, groups: Groups, roles: Roles, actual: Actual, rows: ForecastRows
) -> DataError:
    """The error where no forecast has an actual value."""
    if (rows.series < 0).all():
        own = listed(range(len(groups.ids)), say=groups.name)
        names = listed(range(len(actual.ids)), say=Groups(actual.ids, rows.series).name)
        return DataError(
            f"No series of {table.name} ({own}) is one of {actual.source} ({names}).",
            "Name what tells the series apart, as it is called in both: --series NAME.",
        )
    low, high = int(rows.moment.min()), int(rows.moment.max())
    if roles.time is None:
        return DataError(
            f"{table.name} forecasts rows {low + 1:,} to {high + 1:,}; {actual.source} has "
            f"{actual.range}.",
            "Say of which row of the truth the first step is: --start N.",
        )
    stamps = [pd.Timestamp(each, unit="ns") for each in (low, high)]
    return DataError(
        f"{table.name} and {actual.source} have no time in common: forecasts of "
        f"{when(stamps[0])} to {when(stamps[1])}, actual values of {actual.range}.",
        "Give a table that goes on through those times; where dates are written differently, say "
        "how: --dayfirst, --no-dayfirst or --date-format.",
    )
