"""Delimited text as Arrow columns."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ...core.errors import DataError
from .compression import BROKEN
from .number_formats import numerals
from .sources import Source, numbered
from .tables import MISSING_MARKERS, Table, no_rows, require_columns

Reader = Callable[..., pa.Table]
UTF8 = ("utf-8", "utf-8-sig")
# Bytes that Arrow parses at a time: a row lies in at most two such blocks.
BLOCK = 2**20


def read_source(
    source: Source, columns: Sequence[str] | None = None, text: Iterable[str] = ()
) -> Table:
    """Read delimited text, or only some of its columns; see `opening.Opened.read`."""
    text = list(text)
    source.refuse_open_quote()
    require_columns(source.name, source.header, columns or ())
    markers = [*MISSING_MARKERS, *source.dialect.na]
    convert = pa_csv.ConvertOptions(
        include_columns=list(columns or source.header),
        column_types=dict.fromkeys([*text, *source.ambiguous], pa.string()),
        null_values=markers,
        strings_can_be_null=True,
        timestamp_parsers=[],
        decimal_point=source.decimal,
    )
    read = pa_csv.ReadOptions(encoding="utf8" if source.encoding in UTF8 else source.encoding)
    if not source.top.plain:
        read.skip_rows, read.column_names = source.top.skipped, source.header
    parse = pa_csv.ParseOptions(delimiter=source.delimiter, newlines_in_values='"' in source.head)
    reader = partial(pa_csv.read_csv, read_options=read, parse_options=parse)
    table = _parsed(source, reader, convert)
    # A series may be called NA: what is read as text is missing only where the cell is empty.
    affected = [name for name in text if table[name].null_count]
    if affected:
        table = _unconverted(source, table, affected, reader)
    # A decimal comma that was found applies to the columns that Arrow leaves as text too.
    decimal = source.dialect.decimal or ("," if source.decimal == "," else None)
    written = numerals(decimal, source.dialect.thousands)
    return Table(source.name, table, source.line, markers, written, ambiguous=source.ambiguous)


def _parsed(source: Source, reader: Reader, convert: pa_csv.ConvertOptions) -> pa.Table:
    """Return the rows as Arrow reads them, or raise what is wrong with them."""
    try:
        with source.watched(source.content) as stream:
            table = reader(stream, convert_options=convert)
    except BROKEN as error:
        raise source.broken(error) from None
    except UnicodeDecodeError as error:
        raise _wrong_encoding(source, source.encoding, f": {error.reason}") from None
    except pa.ArrowInvalid as error:
        raise _unreadable(source, str(error)) from None
    if not table.num_rows:
        raise no_rows(source.name)
    if any(pa.types.is_binary(each.type) for each in table.schema):
        # Arrow takes text that is none for bytes.
        raise _wrong_encoding(source, "UTF-8")
    return table


def _unconverted(source: Source, table: pa.Table, names: Sequence[str], reader: Reader) -> pa.Table:
    """Return the table with some text columns as written: only empty cells are missing."""
    convert = pa_csv.ConvertOptions(
        include_columns=list(names), column_types=dict.fromkeys(names, pa.string())
    )
    with source.content as stream:
        plain = reader(stream, convert_options=convert)
    for name in names:
        missing = pc.is_in(plain[name], pa.array(["", *source.dialect.na]))
        cells = pc.if_else(missing, pa.scalar(None, pa.string()), plain[name])
        table = table.set_column(table.column_names.index(name), name, cells)
    return table


def read_head(source: Source) -> Table:
    """Return the first rows of a file as text, enough to see what the columns are."""
    lines = list(numbered(source.rows(source.head)))
    rows = [line.cells for line in lines if line.cells and line.before >= source.top.skipped]
    if source.is_short and source.footer:
        rows = rows[: -len([line for line in source.footer if line.cells])]
    if not rows and not source.is_short:
        raise _too_long(source, len(source.start))
    if not rows:
        raise no_rows(source.name)
    width = len(source.header)
    cells = [[*row, *[""] * width][:width] for row in rows]
    missing = {*MISSING_MARKERS, *source.dialect.na}
    arrays = [
        pa.array([None if cell in missing else cell for cell in column], pa.string())
        for column in zip(*cells, strict=True)
    ]
    return Table(source.name, pa.table(arrays, names=source.header), source.line)


def _wrong_encoding(source: Source, encoding: str, reason: str = "") -> DataError:
    return DataError(
        f"{source.name} is not text in {encoding} to its end{reason}.",
        "Specify its encoding, e.g. `encoding=latin-1`.",
    )


def _too_long(source: Source, most: int) -> DataError:
    return DataError(
        f"{source.name} has a row that does not end within {most:,} bytes.",
        "A quote may not be closed, or lines may end in another way than with a newline.",
    )


def _unreadable(source: Source, reason: str) -> DataError:
    """Return our error for one of Arrow, with the line where a row has the wrong length."""
    if "UTF8" in reason:
        return _wrong_encoding(source, "UTF-8")
    if "Empty CSV" in reason:
        return no_rows(source.name)
    if "straddling" in reason:
        return _too_long(source, BLOCK)
    if "Expected" in reason and (found := source.ragged()):
        place, cells = found
        text = f"{place} has {cells} cells; the header has {len(source.header)}."
        if source.cut_off(cells):
            text += " No newline ends the last line: the table may have been cut off."
        return DataError(text, "Fix that line.")
    return DataError(
        f"{source.name} cannot be read as CSV: {reason.splitlines()[0]}.", "Fix the file."
    )
