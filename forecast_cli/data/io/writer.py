"""Tables as bytes, in formats that other programs read, whole or some rows at a time."""

import io
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from ...core.errors import UsageError
from ...core.libraries import how_to_install

if TYPE_CHECKING:
    import pandas as pd

# The module is loaded with the command line: libraries are imported where they are used.
Format = Literal["csv", "tsv", "json", "jsonl", "parquet", "feather", "xlsx", "sqlite"]
TEXT: tuple[Format, ...] = ("csv", "tsv", "json", "jsonl")
SUFFIXES: dict[str, Format] = {
    **{f".{name}": name for name in get_args(Format)},
    ".txt": "csv",
    ".ndjson": "jsonl",
    ".arrow": "feather",
    ".db": "sqlite",
}
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
# The table of a SQLite file, and the sheet of a workbook.
TABLE = "forecast"
# What files begin with.
PARQUET_FILE, SQLITE_FILE = b"PAR1", b"SQLite format 3\0"
# What a cell begins with that spreadsheets take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Excel counts days from here on as other programs do; and how many rows a sheet has.
EXCEL_BEGINS, EXCEL_ROWS = "1900-03-01", 1_048_576


def plain(value: object) -> str:
    """Return a number with the fewest digits that identify it, and no exponent.

    >>> plain(620763307.0), plain(0.1)
    ('620763307', '0.1')
    """
    import numpy as np

    return np.format_float_positional(np.float64(str(value)), trim="-")


def render(frame: "pd.DataFrame", format: Format, *, excel_safe: bool = False) -> bytes:
    """Return a table as bytes: numbers in full, without exponents in CSV.

    Args:
        frame: The table.
        format: Of the bytes.
        excel_safe: Whether text of CSV and TSV is written so that no spreadsheet takes it for a
            formula.

    Raises:
        UsageError: The format cannot hold the table, or its library is not installed.
    """
    frame = frame.reset_index(drop=True)
    if excel_safe and format in ("csv", "tsv"):
        frame = frame.rename(columns=_not_a_formula)
        for name in frame.select_dtypes(["object", "string", "category"]):
            frame[name] = [_not_a_formula(each) for each in frame[name]]
    return WRITERS[format](frame)


def _not_a_formula(cell: Any) -> Any:
    """Return text with an apostrophe before what makes it a formula in a spreadsheet.

    >>> _not_a_formula("=1+1"), _not_a_formula("north"), _not_a_formula(-1.5)
    ("'=1+1", 'north', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def holds_times(frame: "pd.DataFrame", format: Format | None) -> bool:
    """Whether a format has times of its own, and those of the table are among them."""
    import pandas as pd

    if format != "xlsx":
        return format in ("parquet", "feather")
    times = [frame[name] for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])]
    return all(each.dt.tz is None and not (each < EXCEL_BEGINS).any() for each in times)


def guess_format(path: str) -> Format | None:
    """Return the format that a file's name indicates, compressed or not; None where it is unknown.

    >>> guess_format("a.csv.gz"), guess_format("a.parquet"), guess_format("a.pkl")
    ('csv', 'parquet', None)
    """
    name = Path(path)
    packed = name.suffix.lower() in COMPRESSED
    format = SUFFIXES.get((name.with_suffix("") if packed else name).suffix.lower())
    return None if packed and format not in TEXT else format


def is_parquet_table(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a Parquet file, or of a folder of some."""
    folder = Path(path)
    if folder.is_dir():
        return next(folder.rglob("*.parquet"), None) is not None
    return begins_with(path, PARQUET_FILE)


def begins_with(path: str | os.PathLike[str], start: bytes) -> bool:
    """Whether a path is that of a file with these first bytes."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(start)) == start


def is_unknown(path: str) -> bool:
    """Whether the name of a file has an ending that stands for no format."""
    name = Path(path)
    bare = name.with_suffix("") if name.suffix.lower() in COMPRESSED else name
    return bool(bare.suffix) and guess_format(path) is None


def compress(data: bytes, path: str) -> bytes:
    """Return bytes as the name of their file says, compressed or not."""
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        import gzip

        # Without the time, equal tables are equal files.
        return gzip.compress(data, mtime=0)
    if suffix == ".bz2":
        import bz2

        return bz2.compress(data)
    if suffix == ".xz":
        import lzma

        return lzma.compress(data)
    if suffix == ".zst":
        import pyarrow as pa

        packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
        return packed
    return data


def spare_database(path: Path) -> None:
    """Refuse to replace a database that holds more than a table of ours.

    Raises:
        UsageError: It does.
    """
    if not begins_with(path, SQLITE_FILE):
        return
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        others = [name for (name,) in rows if name != TABLE]
    if others:
        raise UsageError(
            f'{path} is a database that holds "{others[0]}"; it is not overwritten.',
            "Name another file with -o.",
        )


def _csv(frame: "pd.DataFrame", separator: str = ",") -> bytes:
    text = frame.to_csv(index=False, float_format=plain, lineterminator="\n", sep=separator)
    return text.encode()


def _lines(frame: "pd.DataFrame") -> list[str]:
    """Return each row as a JSON object; a missing value is null."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [json.dumps(row, ensure_ascii=False, default=str) for row in rows]


def _feather(frame: "pd.DataFrame") -> bytes:
    buffer = io.BytesIO()
    frame.to_feather(buffer)
    return buffer.getvalue()


def _sqlite(frame: "pd.DataFrame") -> bytes:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(":memory:")) as database:
        frame.to_sql(TABLE, database, index=False)
        return database.serialize()


def _xlsx(frame: "pd.DataFrame") -> bytes:
    """Return a workbook of one sheet; times at midnight are dates, and text is no formula."""
    try:
        from openpyxl import Workbook
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError:
        raise UsageError(
            "The library that writes workbooks is not installed.",
            how_to_install("excel"),
        ) from None
    if len(frame) >= EXCEL_ROWS:
        raise UsageError(
            f"A sheet has {EXCEL_ROWS:,} rows, too few for {len(frame):,} and their names.",
            "Write a .csv or .parquet file.",
        )
    book, buffer = Workbook(), io.BytesIO()
    sheet = book.active
    sheet.title = TABLE
    try:
        sheet.append([_as_text(sheet, str(name)) for name in frame.columns])
        columns = [_excel_cells(sheet, frame[name]) for name in frame]
        for row in zip(*columns, strict=True):
            sheet.append(row)
    except IllegalCharacterError as error:
        raise UsageError(
            f"A workbook cannot hold the control characters in {str(error)!r}.",
            "Write a .csv or .parquet file.",
        ) from None
    book.save(buffer)
    return buffer.getvalue()


def _excel_cells(sheet: Any, column: "pd.Series") -> list[Any]:
    """Return what stands in the cells of a column; nothing for a missing value."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        days = (column.dt.normalize() == column).where(column.notna(), True).all()
        kind = "date" if days else "to_pydatetime"
        return [None if pd.isna(each) else getattr(each, kind)() for each in column]
    values = column.astype(object).where(column.notna(), None)
    return [_as_text(sheet, each) if isinstance(each, str) else each for each in values]


def _as_text(sheet: Any, text: str) -> Any:
    """Return a cell that holds text, also where that looks like a formula."""
    from openpyxl.cell import Cell

    cell = Cell(sheet, value=text)
    cell.data_type = "s"
    return cell


WRITERS: dict[Format, Callable[["pd.DataFrame"], bytes]] = {
    "csv": _csv,
    "tsv": partial(_csv, separator="\t"),
    "json": lambda frame: "[{}]\n".format(",\n ".join(_lines(frame))).encode(),
    "jsonl": lambda frame: "".join(f"{line}\n" for line in _lines(frame)).encode(),
    "parquet": lambda frame: frame.to_parquet(index=False),
    "feather": _feather,
    "xlsx": _xlsx,
    "sqlite": _sqlite,
}


# The formats to whose end rows can be added; a list of JSON has an end of its own.
ADDED: tuple[Format, ...] = ("csv", "tsv", "jsonl", "parquet")


class PartWriter:
    """Writes the rows of a table to a file as they come.

    Args:
        file: What they are written to, as bytes.
        format: One of `ADDED`.
        excel_safe: As in `render`.
    """

    def __init__(self, file: IO[bytes], format: Format, *, excel_safe: bool = False) -> None:
        self.file = file
        self.format = format
        self.excel_safe = excel_safe
        self.parquet: Any = None
        self.begun = False

    def write(self, frame: "pd.DataFrame") -> None:
        """Write some rows, with the same columns each time."""
        if self.format not in TEXT:
            self._write_group(frame)
            return
        data = render(frame, self.format, excel_safe=self.excel_safe)
        # The header is that of the first rows.
        head = render(frame.iloc[:0], self.format, excel_safe=self.excel_safe)
        self.file.write(data.removeprefix(head) if self.begun else data)
        self.begun = True

    def _write_group(self, frame: "pd.DataFrame") -> None:
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pandas(frame, preserve_index=False)
        if self.parquet is None:
            self.parquet = parquet.ParquetWriter(self.file, table.schema)
        self.parquet.write_table(table.cast(self.parquet.schema))

    def close(self) -> None:
        """Write what ends the table; the file stays open."""
        if self.parquet is not None:
            self.parquet.close()
