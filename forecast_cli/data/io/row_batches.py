"""A Parquet file, or a folder of them, read from its beginning to its end, a few rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from ...core.errors import DataError
from ...core.windows import Ints
from .formats import broken
from .in_memory import plain_columns
from .remote import is_address, masked, open_address
from .storage import still_there

# Rows that are decoded at a time.
BATCH_ROWS = 1 << 17
# How the names of the files of a folder end.
ENDING = ".parquet"


class RowBatches:
    """Parquet files whose rows are read in order; in another process they are opened again.

    Args:
        path: Of a file, or its address, or of a folder of files with the same columns, read by
            their names.

    Raises:
        DataError: One cannot be read, or has other columns than the first.
    """

    def __init__(self, path: str) -> None:
        self.path, self.name = path, masked(path)
        self.paths = parquet_files(path)
        self.contents: list[parquet.FileMetaData] = []
        self.open: dict[str, parquet.ParquetFile] = {}
        for each in self.paths:
            with _readable(masked(each)):
                file = self._opened(each)
                if not self.contents:
                    self.schema: pa.Schema = file.schema_arrow.remove_metadata()
                self._require_same(each, file.schema_arrow)
                self.contents.append(file.metadata)

    def _opened(self, path: str) -> parquet.ParquetFile:
        """Return a file, open; one is kept open, since its rows are read one after the other."""
        if path not in self.open:
            file = parquet.ParquetFile(open_address(path) if is_address(path) else path)
            self.open = {path: file}
        return self.open[path]

    def _require_same(self, path: str, schema: pa.Schema) -> None:
        """Refuse a file whose columns are not those of the first one."""
        for field in self.schema:
            at = schema.get_field_index(field.name)
            if at < 0 or schema.field(at).type != field.type:
                found = "is missing" if at < 0 else f"is {schema.field(at).type}"
                raise DataError(
                    f'{path}: column "{field.name}" {found}, and {field.type} in {self.paths[0]}.',
                    "The files of a folder must have the same columns: write them alike, or move "
                    "the others away.",
                )

    def __reduce__(self) -> tuple[type["RowBatches"], tuple[str]]:
        return RowBatches, (self.path,)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(int(each.num_rows) for each in self.contents)

    @property
    def size(self) -> int:
        """How many bytes the files have."""
        return sum(Path(each).stat().st_size for each in self.paths)

    def read(self, columns: Sequence[str], first: int = 0) -> Iterator[pa.Table]:
        """Yield the rows in order, some at a time, from the row `first` on.

        Args:
            columns: Their names.
            first: The number of the first row.

        Raises:
            DataError: They cannot be read.
        """
        names = list(columns)
        for path, groups, begin in self._groups(first):
            with _readable(masked(path)):
                skipped, file = max(first - begin, 0), self._opened(path)
                for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=names):
                    left = batch.slice(min(skipped, batch.num_rows))
                    skipped -= batch.num_rows - left.num_rows
                    if left.num_rows:
                        yield plain_columns(pa.Table.from_batches([left]).select(names))

    def _groups(self, first: int) -> Iterator[tuple[str, list[int], int]]:
        """Yield the row groups that reach behind a row, and the first row of each yield.

        They are few at a time: Arrow keeps what it read of all of them.
        """
        end = 0
        for path, about in zip(self.paths, self.contents, strict=True):
            held, rows = list[int](), 0
            for at in range(about.num_row_groups):
                count = about.row_group(at).num_rows
                end += count
                if end <= first:
                    continue
                held.append(at)
                rows += count
                if rows >= BATCH_ROWS:
                    yield path, held, end - rows
                    held, rows = [], 0
            if held:
                yield path, held, end - rows

    def read_ranges(self, columns: Sequence[str], ends: Ints, first: int = 0) -> Iterator[pa.Table]:
        """Yield the rows up to each of the given ends, shape `(ranges,)`, ascending.

        Args:
            columns: That are read.
            ends: The row after the last one of each range.
            first: The first row of the first range.

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
        chunks = [
            about.row_group(at).column(place)
            for about in self.contents
            for at in range(about.num_row_groups)
            for place in range(about.num_columns)
            if about.schema.column(place).path == column
        ]
        if all(each.is_stats_set and each.statistics.has_min_max for each in chunks):
            stated = [float(each.statistics.min) for each in chunks]
            if not any(map(isnan, stated)):
                return min(stated, default=None)
        found = (pc.min(batch.column(0)).as_py() for batch in self.read([column]))
        return min((float(each) for each in found if each is not None), default=None)


def parquet_files(path: str) -> list[str]:
    """Return the Parquet file at a path, or those of a folder and its folders, by their names.

    Raises:
        DataError: There is none.
    """
    if not Path(path).is_dir():
        return [path]
    found = sorted(str(each) for each in Path(path).rglob(f"*{ENDING}") if each.is_file())
    if not found:
        raise DataError(f"The folder {path} has no file *{ENDING}.", "Name a table.")
    return found


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Raise what Arrow says of a broken file as an error for the user."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise broken(name, error) from None
