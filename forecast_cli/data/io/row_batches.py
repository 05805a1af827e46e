"""A Parquet file read from its beginning to its end, a few rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isnan

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from ...core.windows import Ints
from .formats import broken
from .in_memory import plain_columns
from .remote import is_address, masked, open_address
from .storage import still_there

# Rows that are decoded at a time.
BATCH_ROWS = 1 << 17


class RowBatches:
    """A Parquet file whose rows are read in order; in another process it is opened again.

    Args:
        path: Of the file, or its address.

    Raises:
        DataError: It cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path, self.name = path, masked(path)
        with _readable(self.name):
            self.file = parquet.ParquetFile(open_address(path) if is_address(path) else path)
            self.schema: pa.Schema = self.file.schema_arrow

    def __reduce__(self) -> tuple[type["RowBatches"], tuple[str]]:
        return RowBatches, (self.path,)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.file.metadata.num_rows)

    def read(self, columns: Sequence[str], first: int = 0) -> Iterator[pa.Table]:
        """Yield the rows in order, some at a time.

        Args:
            columns: Their names.
            first: The number of the first row.

        Raises:
            DataError: They cannot be read.
        """
        names = list(columns)
        with _readable(self.name):
            before, groups = self._groups_from(first)
            skipped = first - before
            for few in self._few(groups):
                for batch in self.file.iter_batches(BATCH_ROWS, row_groups=few, columns=names):
                    own = batch.slice(min(skipped, batch.num_rows))
                    skipped -= batch.num_rows - own.num_rows
                    if own.num_rows:
                        yield plain_columns(pa.Table.from_batches([own]).select(names))

    def _groups_from(self, first: int) -> tuple[int, list[int]]:
        """Return the row groups from the one with a row on, and how many rows precede them."""
        about, rows = self.file.metadata, 0
        for at in range(about.num_row_groups):
            if rows + about.row_group(at).num_rows > first:
                return rows, list(range(at, about.num_row_groups))
            rows += about.row_group(at).num_rows
        return first, []

    def _few(self, groups: Sequence[int]) -> Iterator[list[int]]:
        """Yield row groups, few at a time: Arrow keeps what it read of all of them."""
        about, held, rows = self.file.metadata, list[int](), 0
        for at in groups:
            held.append(at)
            rows += about.row_group(at).num_rows
            if rows >= BATCH_ROWS:
                yield held
                held, rows = [], 0
        if held:
            yield held

    def read_ranges(self, columns: Sequence[str], ends: Ints, first: int = 0) -> Iterator[pa.Table]:
        """Yield the rows up to each of the given ends, shape `(ranges,)`, ascending.

        Args:
            columns: Their names.
            ends: The numbers of the rows after the last of each range.
            first: The number of the first row.

        Raises:
            DataError: They cannot be read, or are fewer.
        """
        batches, left, done = self.read(columns, first), self.schema.empty_table(), first
        left = left.select(list(columns))
        for end in ends.tolist():
            held, rows = ([left], left.num_rows) if left.num_rows else ([], 0)
            while rows < end - done:
                batch = next(batches, None)
                if batch is None:
                    with still_there(self.name):
                        raise OSError("it has fewer rows than before")
                held.append(batch)
                rows += batch.num_rows
            whole = pa.concat_tables(held)
            yield whole.slice(0, end - done)
            left, done = whole.slice(end - done), end

    def least(self, column: str) -> float | None:
        """Return the lowest number of a column; None where there is none.

        The statistics of the file say it, or else its rows.
        """
        about = self.file.metadata
        places = [at for at in range(about.num_columns) if about.schema.column(at).path == column]
        chunks = [
            about.row_group(at).column(place)
            for at in range(about.num_row_groups)
            for place in places
        ]
        if all(each.is_stats_set and each.statistics.has_min_max for each in chunks):
            stated = [float(each.statistics.min) for each in chunks]
            if not any(map(isnan, stated)):
                return min(stated, default=None)
        found = (pc.min(batch.column(0)).as_py() for batch in self.read([column]))
        return min((float(each) for each in found if each is not None), default=None)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Raise what Arrow says of a broken file as an error for the user."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise broken(name, error) from None
