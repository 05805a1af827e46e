"""Tables in other formats than delimited text, loaded as Arrow columns.

The reader of a format is imported where it is needed: most tables are text, and each takes time.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...config.sections import Dialect
from ...core.errors import DataError, UsageError
from .compression import check_rows, too_large
from .in_memory import from_frame, plain_columns
from .remote import first_line
from .remote import suffix as suffix_of
from .sources import Source
from .tables import Table, by_row, no_rows
from .writer import SQLITE_FILE

Loader = Callable[[bytes, str], pa.Table]
# The bytes of a number in memory, and the rows of text that are unpacked at a time.
NUMBER, TEXT_ROWS = 8, 8192


def load(source: Source) -> Table | None:
    """Load a whole table, whose format its first bytes show, or its name where they do not.

    Args:
        source: A file, an address, a folder of Parquet files, or standard input.

    Returns:
        None where it is delimited text.

    Raises:
        DataError: It is not of the format that it seems to be.
        UsageError: The library that reads it is not installed.
    """
    notes: list[str] = []
    if source.is_folder:
        columns = _folder(source.path)
    else:
        loader = _loader(source, notes)
        if loader is None:
            return None
        try:
            columns = loader(source.data, source.name)
            # Text that is no Unicode, or that ends beyond its file.
            columns.validate(full=True)
        except (
            pa.ArrowException, zipfile.BadZipFile, ValueError, KeyError, OverflowError, OSError,
            RecursionError, EOFError, IndexError, TypeError, AttributeError, zlib.error,
            SyntaxError,
        ) as error:  # fmt: skip
            raise broken(source.name, error) from None
    if not columns.num_rows:
        raise no_rows(source.name)
    table = by_row(source.name, plain_columns(columns), source.dialect)
    return replace(table, noted={text: text for text in notes})


def broken(name: str, error: Exception) -> DataError:
    """Return the error for a file that Arrow cannot read."""
    return DataError(f"{name} cannot be read: {first_line(error)}.", "Fix the file.")


def _loader(source: Source, notes: list[str]) -> Loader | None:
    """Return what loads a table; notes on a workbook are added to the list."""
    start = source.start
    for magic, loader in BY_MAGIC.items():
        if start.startswith(magic):
            return partial(loader, most=source.most)
    suffix = suffix_of(source.path)
    if is_workbook(source):
        return partial(_excel, dialect=source.dialect, notes=notes, most=source.most)
    if start.startswith(SQLITE_FILE):
        raise UsageError(
            f"{source.name} is a SQLite database.",
            "Save it as a file, unpacked, and name that file or a table of it: "
            "sqlite:///FILE?table=NAME.",
        )
    if suffix in PROMISED:
        raise DataError(
            f"{source.name} is not {PROMISED[suffix]}, as its name promises.",
            "Create it again, or correct the suffix of its name.",
        )
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if suffix in (".json", ".jsonl", ".ndjson") or first in (b"[", b"{"):
        return _records if first == b"[" else _json_lines
    return None


def is_workbook(source: Source) -> bool:
    """Whether a file is a workbook by its first bytes; its address may have no suffix."""
    # Of archives, only a possible workbook is still packed here.
    packed = not source.is_folder and source.start.startswith(b"PK\x03\x04")
    return packed and PROMISED.get(suffix_of(source.path), WORKBOOK) == WORKBOOK


def _parquet(data: bytes, name: str, most: int) -> pa.Table:
    """Read a Parquet file, unless it unpacks to more than so many bytes."""
    from pyarrow import parquet

    file = parquet.ParquetFile(pa.BufferReader(data))
    about = file.metadata
    stated = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    # Runs of equal values take next to nothing in the file, and eight bytes each in memory.
    size = max(stated, about.num_rows * about.num_columns * NUMBER)
    if size > most:
        raise too_large(name, most)
    check_rows(name, about.num_rows, size, len(data), most, about.num_columns)
    schema = file.schema_arrow
    # Text may have any length, so that its rows are counted as they are unpacked.
    fixed = all(pa.types.is_primitive(each.type) for each in schema)
    if about.num_rows * max(stated, len(data)) <= most or fixed:
        return file.read()
    return _counted(file.iter_batches(TEXT_ROWS), schema, name, len(data), most)


def _feather(data: bytes, name: str, most: int) -> pa.Table:
    """Read a Feather or Arrow file, unless it unpacks to more than so many bytes."""
    from pyarrow import feather, ipc

    if not data.startswith(b"ARROW1"):
        return feather.read_table(pa.BufferReader(data))
    file = ipc.open_file(pa.BufferReader(data))
    batches = (file.get_batch(at) for at in range(file.num_record_batches))
    return _counted(batches, file.schema, name, len(data), most)


def _counted(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, name: str, packed: int, most: int
) -> pa.Table:
    """Return the rows of all batches, unless they are more than so many bytes, `packed` in all."""
    read, size, rows = [], 0, 0
    for batch in batches:
        size += batch.nbytes
        if size > most:
            raise too_large(name, most)
        rows += batch.num_rows
        check_rows(name, rows, size, packed, most, batch.num_columns)
        read.append(batch)
    return pa.Table.from_batches(read, schema)


def _json_lines(data: bytes, name: str) -> pa.Table:
    """Read an object a line; or one object, whose first list of objects is the table."""
    try:
        whole = json.loads(data)
    except ValueError:
        return _lines(data)
    if not isinstance(whole, dict):
        raise ValueError("objects were expected, one for each row")
    lists = [each for each in whole.values() if isinstance(each, list)]
    return _of_objects(lists[0] if lists else [whole])


def _lines(data: bytes) -> pa.Table:
    """Read JSON lines by Arrow, with times as text, since Arrow would drop their offset."""
    from pyarrow import json as arrow_json

    table = arrow_json.read_json(io.BytesIO(data))
    times = [(each.name, pa.string()) for each in table.schema if pa.types.is_timestamp(each.type)]
    if not times:
        return table
    options = arrow_json.ParseOptions(explicit_schema=pa.schema(times))
    again = arrow_json.read_json(io.BytesIO(data), parse_options=options)
    return again.select(table.column_names)


def _records(data: bytes, name: str) -> pa.Table:
    """Read a list of objects."""
    return _of_objects(json.loads(data))


def _of_objects(rows: list[Any]) -> pa.Table:
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a list of objects, one for each row, was expected")
    names = dict.fromkeys(key for row in rows for key in row)
    return pa.table({key: [row.get(key) for row in rows] for key in names})


def _excel(data: bytes, name: str, dialect: Dialect, notes: list[str], most: int) -> pa.Table:
    """Read the first sheet of a workbook."""
    from .workbooks import check_workbook, read_workbook

    check_workbook(data, name, most)
    frame, found = read_workbook(data, name, dialect)
    notes += found
    return from_frame(frame, name).columns


def _folder(path: str) -> pa.Table:
    """Read partitioned Parquet files, the directories' `name=value` as columns."""
    from pyarrow import dataset

    try:
        if not any(Path(path).rglob("*.parquet")):
            raise DataError(f"{path} is a directory without Parquet files.", "Name a file in it.")
        return dataset.dataset(path, format="parquet", partitioning="hive").to_table()
    except (pa.ArrowException, OSError) as error:
        raise broken(path, error) from None


WORKBOOK = "an Excel workbook"
PROMISED = {
    ".parquet": "a Parquet file",
    ".feather": "a Feather file",
    ".arrow": "an Arrow file",
    ".xlsx": WORKBOOK,
    ".xlsm": WORKBOOK,
}
BY_MAGIC: dict[bytes, Callable[..., pa.Table]] = {
    b"PAR1": _parquet,
    b"ARROW1": _feather,
    b"FEA1": _feather,
}
