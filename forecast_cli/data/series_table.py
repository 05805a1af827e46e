"""A table of many series, one after the other, that is read some series at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..config.sections import Data
from ..core.windows import Ints
from .columns import NO_TIME, Columns
from .dates.time_column import time_columns
from .groups import count_names, has_alike
from .io.opening import Opened, open_in_memory
from .io.row_batches import RowBatches
from .io.tables import by_row, is_text, no_rows

# Rows that show which columns hold what.
HEAD_ROWS = 10_000


@dataclass(frozen=True)
class SeriesTable:
    """Parquet files in which the rows of each series follow each other.

    Args:
        batches: The file.
        data: How it is read.
        columns: The names of the columns that are read.
        ids: A row for each series, in their order, a column for each part of its name.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]` of the file.
        least: Shape `(targets,)`: the lowest value of each target, NaN where there is none.
        among: How many series there are in all, where these are some of them.
    """

    batches: RowBatches
    data: Data
    columns: Sequence[str]
    ids: pd.DataFrame
    indptr: Ints
    least: Sequence[float]
    among: int | None = None

    @property
    def count(self) -> int:
        """How many series there are."""
        return len(self.indptr) - 1

    def parts(self, rows: int, together: int) -> Ints:
        """Return how to divide the series: the first one of each part, and the end of the last.

        Args:
            rows: The most rows of a part, unless one series has more.
            together: Series are divided at multiples of this number, where that keeps to `rows`.

        Returns:
            Shape `(parts + 1,)`, ascending.
        """
        units = np.unique([*range(0, self.count, together), self.count])
        if np.diff(self.indptr[units]).max() > rows:
            units = np.arange(self.count + 1)
        ends, first = [0], 0
        while first < len(units) - 1:
            most = int(self.indptr[units[first]]) + rows
            # A part has a unit at least, and two series: one alone may be read another way.
            first = max(int(np.searchsorted(self.indptr[units], most, "right")) - 1, first + 1)
            ends.append(int(units[first]))
        if len(ends) > 2 and ends[-1] - ends[-2] == 1:
            del ends[-2]
        return np.array(ends)

    def read(self, parts: Ints) -> Iterator[Opened]:
        """Yield the rows of each part as a table; messages name their places in the file.

        Args:
            parts: Shape `(parts + 1,)`: the first series of each part, and the end of the last.

        Raises:
            DataError: The file cannot be read any more.
        """
        begin = int(self.indptr[parts[0]])
        ranges = self.batches.read_ranges(self.columns, self.indptr[parts[1:]], begin)
        for first, columns in zip(self.indptr[parts[:-1]].tolist(), ranges, strict=True):
            yield self._opened(columns, np.arange(first, first + columns.num_rows))

    def read_some(self, series: Ints) -> Opened:
        """Return the rows of some series, shape `(chosen,)`, ascending, as one table.

        Raises:
            DataError: The file cannot be read any more.
        """
        firsts = series[np.diff(series, prepend=-2) > 1]
        ends = series[np.diff(series, append=self.count + 1) > 1] + 1
        begins, ends = self.indptr[firsts], self.indptr[ends]
        tables = [
            next(self.batches.read_ranges(self.columns, np.array([end]), begin))
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        ]
        rows = np.concatenate(list(map(np.arange, begins, ends)))
        return self._opened(pa.concat_tables(tables), rows)

    def _opened(self, columns: pa.Table, rows: Ints) -> Opened:
        """Return a table of some rows, shape `(rows,)`, of the file."""
        name = self.batches.name
        table = by_row(name, columns, self.data.dialect)
        return open_in_memory(replace(table, place=lambda row: f"{name} row {rows[row] + 1}"))

    def cut(self, rows: int, together: int) -> list["SeriesTable"]:
        """Return tables of some series each, divided as in `parts`."""
        return [
            replace(
                self,
                ids=self.ids.iloc[first:last],
                indptr=self.indptr[first : last + 1],
                among=self.count,
            )
            for first, last in pairwise(self.parts(rows, together).tolist())
        ]


def open_head(batches: RowBatches, data: Data) -> Opened:
    """Return the first rows of a file, with all columns, as a table.

    Raises:
        DataError: There are none, or they cannot be read.
    """
    first = next(batches.read(batches.schema.names), None)
    if first is None:
        raise no_rows(batches.name)
    return open_in_memory(by_row(batches.name, first.slice(0, HEAD_ROWS), data.dialect))


def divide(
    batches: RowBatches,
    data: Data,
    columns: Columns,
    known: pd.DataFrame | None,
    found: tuple[pd.DataFrame, Ints] | None = None,
) -> SeriesTable | None:
    """Find the series of a file.

    Args:
        batches: The file.
        data: How it is read, with the names of all columns.
        columns: Their roles in a model.
        known: The names of the series of the model; None for none.
        found: The names of the series and their `indptr`, where they are known already.

    Returns:
        None where the rows of a series do not follow each other, or names differ only in case or
        blanks, so that they have to be read together.
    """
    found = found or _find_runs(batches, data.series)
    if found is None:
        return None
    ids, indptr = found
    if data.similar_names != "keep" and has_alike(ids, known):
        return None
    time = [] if data.time == NO_TIME else time_columns(data.time, batches.schema.names)
    needed = list(dict.fromkeys([*time, *data.column, *data.covariates, *data.series]))
    lowest = (batches.least(name) for name in columns.targets)
    least = [np.nan if each is None else each for each in lowest]
    alone = data.changed(similar_names="keep")
    return SeriesTable(batches, alone, needed, ids, indptr, least)


def _find_runs(batches: RowBatches, series: Sequence[str]) -> tuple[pd.DataFrame, Ints] | None:
    """Return the names of the runs of rows, and their `indptr`; None where one comes twice."""
    names, starts, done = [], [], 0
    last: list[object] = []
    for batch in batches.read(series):
        if any(column.null_count for column in batch.columns):
            return None
        begins = np.zeros(batch.num_rows, bool)
        begins[0] = [column[0].as_py() for column in batch.columns] != last
        for column in batch.columns:
            differ = pc.not_equal(column.slice(1), column.slice(0, batch.num_rows - 1))
            begins[1:] |= differ.to_numpy()
        first = np.flatnonzero(begins)
        names.append(batch.take(pa.array(first)))
        starts.append(first + done)
        last = [column[-1].as_py() for column in batch.columns]
        done += batch.num_rows
    if not names:
        return None
    ids = pa.concat_tables(names).to_pandas()
    if count_names(ids) < len(ids):
        return None
    return ids, np.append(np.concatenate(starts), done)


def is_divisible(batches: RowBatches, data: Data, columns: Columns) -> bool:
    """Whether a table can be read some series at a time to the same values as together.

    Args:
        batches: The file.
        data: How it is read.
        columns: Their roles in a model.
    """
    kinds = {each.name: each.type for each in batches.schema}
    time = [] if data.time == NO_TIME else time_columns(data.time, list(kinds))
    if not data.series or not {*time, *data.column, *data.covariates, *data.series} <= {*kinds}:
        return False
    numbers = {*data.column, *data.covariates} - {*columns.covariates.categories}
    plain = all(is_number(kinds[name]) for name in numbers)
    named = all(is_text(kinds[name]) or pa.types.is_integer(kinds[name]) for name in data.series)
    # What is left out, aggregated or marked as missing depends on all rows.
    whole = data.missing == "drop" or data.resample or data.duplicates != "error" or data.na
    return plain and named and not whole and data.layout in (None, "long")


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
