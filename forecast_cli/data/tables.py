"""Tables read into Arrow columns, and forecasts written out."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ..core.windows import Floats
from ..errors import DataError, UsageError, listed, nearest
from .sources import Source

Readable = str | os.PathLike[str] | pd.DataFrame

# What stands for a missing value, as in pandas; --na adds to it.
MISSING_MARKERS = (
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)


@dataclass(frozen=True)
class Table:
    """Columns of equal length, and how to say where one of their cells stands.

    Args:
        name: What messages call the table.
        columns: Arrow columns by name, in the order of the table.
        place: Says where a row (counted from 0) stands, e.g. "sales.csv line 412".
        markers: What stands for a missing value in text.
    """

    name: str
    columns: pa.Table
    place: Callable[[int], str] = field(compare=False)
    markers: Sequence[str] = MISSING_MARKERS

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [str(name) for name in self.columns.column_names]

    def numbers(self, column: str) -> Floats:
        """A column as float64, NaN where a value is missing.

        Raises:
            DataError: A cell is not a number; the message says where and what it holds.
        """
        cells = self.columns[column]
        if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
            cells = self._parsed(column, cells)
        try:
            floats = pc.cast(cells, pa.float64(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DataError(
                f'{self.name}: column "{column}" holds {cells.type} values.',
                "A column of numbers was expected.",
            ) from None
        values = np.asarray(floats.to_numpy(zero_copy_only=False), dtype=np.float64)
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise self._no_number(column, row, values[row])
        return values

    def _parsed(self, column: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Text as numbers, where all of it is."""
        cells = pc.utf8_trim_whitespace(cells)
        empty = pc.is_in(cells, pa.array(self.markers, pa.string()))
        cells = pc.if_else(empty, pa.scalar(None, pa.string()), cells)
        try:
            return pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            texts = cells.to_pylist()
        row = next(row for row, text in enumerate(texts) if not _is_number(text))
        raise self._no_number(column, row, texts[row])

    def _no_number(self, column: str, row: int, cell: object) -> DataError:
        if re.fullmatch(r"[-+]?\d[\d.,' ]*", str(cell)):
            return DataError(
                f'{self.place(row)}: column "{column}" holds "{cell}". A number was expected.',
                "Write numbers with a point and without separators between thousands.",
            )
        marker = f"--na {cell}" if re.fullmatch(r"\S+", str(cell)) else "--na"
        return DataError(
            f'{self.place(row)}: column "{column}" holds "{cell}". A number was expected.',
            f"Mend the cell, or, if it stands for a missing value, pass {marker} --missing "
            "interpolate.",
        )


def read_table(
    source: Readable,
    *,
    columns: Sequence[str] | None = None,
    text: Iterable[str] = (),
    na: Sequence[str] = (),
) -> Table:
    """Read a table, or only some of its columns.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        columns: The names wanted; None for all.
        text: Columns to leave as text, e.g. dates whose form matters.
        na: More markers of missing values.

    Raises:
        DataError: The table cannot be read, or a column is not in it.
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, columns)
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"A table cannot be read from a {type(source).__name__}.",
            "Give a pandas DataFrame or a path; series.to_frame() makes a frame of a series.",
        )
    return read_source(Source(os.fspath(source)), columns=columns, text=text, na=na)


def read_source(
    source: Source,
    *,
    columns: Sequence[str] | None = None,
    text: Iterable[str] = (),
    na: Sequence[str] = (),
) -> Table:
    """Read a CSV file or standard input; see `read_table`."""
    require_columns(source.name, source.header, columns or ())
    markers = [*MISSING_MARKERS, *na]
    convert = pa_csv.ConvertOptions(
        include_columns=list(columns or source.header),
        column_types=dict.fromkeys(text, pa.string()),
        null_values=markers,
        strings_can_be_null=True,
        timestamp_parsers=[],
    )
    parse = pa_csv.ParseOptions(delimiter=source.delimiter, newlines_in_values='"' in source.head)
    try:
        with source.open() as stream:
            table = pa_csv.read_csv(stream, parse_options=parse, convert_options=convert)
    except OSError as error:
        raise DataError(*source.broken(error)) from None
    except pa.ArrowInvalid as error:
        raise DataError(*_unreadable(source, str(error))) from None
    if not table.num_rows:
        raise _no_rows(source)
    return Table(source.name, table, source.line, markers)


def read_head(source: Source, *, na: Sequence[str] = ()) -> Table:
    """The first rows of a file as text, enough to tell what the columns are."""
    rows = [row for row in source.rows(source.head) if row]
    if len(rows) < 2:
        raise _no_rows(source)
    width = len(source.header)
    cells = [[*row, *[""] * width][:width] for row in rows[1:]]
    missing = {*MISSING_MARKERS, *na}
    arrays = [
        pa.array([None if cell in missing else cell for cell in column], pa.string())
        for column in zip(*cells, strict=True)
    ]
    return Table(source.name, pa.table(arrays, names=source.header), source.line)


def _no_rows(source: Source) -> DataError:
    return DataError(f"{source.name} has a header and no rows.", "A row for each step is needed.")


def _from_frame(frame: pd.DataFrame, columns: Sequence[str] | None) -> Table:
    """A pandas frame; a time index becomes the first column."""
    if isinstance(frame.index, pd.MultiIndex):
        frame = frame.reset_index()
    if isinstance(frame.index, pd.PeriodIndex):
        frame = frame.set_axis(frame.index.to_timestamp(), axis=0)
    if isinstance(frame.index, pd.DatetimeIndex):
        names = [str(frame.index.name or "time"), "time", "date", "timestamp", "index"]
        free = next((name for name in names if name not in frame.columns), "")
        frame = frame.reset_index(names=free) if free else frame
    elif frame.index.name is not None and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f'the table has {names.count(name)} columns named "{name}".')
    require_columns("the table", names, columns or ())
    if frame.empty:
        raise DataError("the table has no rows.", "A row for each step is needed.")
    frame = frame.set_axis(names, axis=1)
    arrays = {name: _arrow(frame[name]) for name in columns or names}
    return Table("the table", pa.table(arrays), lambda row: f"the table, row {row + 1}")


def _arrow(column: pd.Series) -> pa.Array:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        # Objects of several kinds; if it is asked for, its cells are named as they are.
        return pa.array(column.astype("string"), from_pandas=True)


def require_columns(where: str, names: Sequence[str], wanted: Iterable[str]) -> None:
    """Check that columns exist.

    Raises:
        DataError: One does not; the message lists those that do, and the nearest.
    """
    for name in wanted:
        if name not in names:
            hint = nearest(name, names)
            if any(re.fullmatch(r"[-+]?[\d.]+", each) for each in names):
                hint += " The first line looks like data; a line of names is needed above it."
            raise DataError(f'{where} has no column "{name}".', hint)


def _unreadable(source: Source, said: str) -> tuple[str, str]:
    """Arrow's complaint in our words, with the line where it is one row's length."""
    if "UTF8" in said:
        return (f"{source.name} is not text in UTF-8.", "Convert it first: iconv -t UTF-8 FILE.")
    if "Empty CSV" in said:
        return str(_no_rows(source)), ""
    if "Expected" in said and (found := source.ragged()):
        place, cells = found
        return f"{place} has {cells} cells; the header has {len(source.header)}.", "Mend that line."
    return f"{source.name} cannot be read as CSV: {said.splitlines()[0]}.", "Mend the file."


def _is_number(text: str | None) -> bool:
    """Whether Arrow reads a cell as a number or as missing."""
    try:
        pc.cast(pa.scalar(text, pa.string()), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def name_rows(table: Table, rows: Sequence[int]) -> str:
    """Names rows, e.g. "prices.csv line 12, prices.csv line 13 and 5 more"."""
    return listed(rows, say=table.place)
