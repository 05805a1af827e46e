"""Delimited text as Arrow columns."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.csv as pa_csv

from ..errors import DataError
from .sources import Source
from .tables import MISSING_MARKERS, Table, no_rows, require_columns


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
        raise no_rows(source.name)
    return Table(source.name, table, source.line, markers)


def read_head(source: Source, *, na: Sequence[str] = ()) -> Table:
    """The first rows of a file as text, enough to tell what the columns are."""
    rows = [row for row in source.rows(source.head) if row]
    if len(rows) < 2:
        raise no_rows(source.name)
    width = len(source.header)
    cells = [[*row, *[""] * width][:width] for row in rows[1:]]
    missing = {*MISSING_MARKERS, *na}
    arrays = [
        pa.array([None if cell in missing else cell for cell in column], pa.string())
        for column in zip(*cells, strict=True)
    ]
    return Table(source.name, pa.table(arrays, names=source.header), source.line)


def _unreadable(source: Source, said: str) -> tuple[str, str]:
    """Arrow's complaint in our words, with the line where it is one row's length."""
    if "UTF8" in said:
        return (f"{source.name} is not text in UTF-8.", "Convert it first: iconv -t UTF-8 FILE.")
    if "Empty CSV" in said:
        return str(no_rows(source.name)), ""
    if "Expected" in said and (found := source.ragged()):
        place, cells = found
        return f"{place} has {cells} cells; the header has {len(source.header)}.", "Mend that line."
    return f"{source.name} cannot be read as CSV: {said.splitlines()[0]}.", "Mend the file."
