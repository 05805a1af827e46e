"""A table as Arrow columns, with conversion of its cells to numbers."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...config.sections import Dialect
from ...core.errors import DataError, listed, nearest
from ...core.events import Listener, Note, ignore
from ...core.windows import Floats, Ints
from .number_formats import COMMA, POINT, Numerals, numerals, plain_digits, rounded_integer

if TYPE_CHECKING:
    from .decorations import Plain


@runtime_checkable
class ArrowStream(Protocol):
    """What exports its rows as an Arrow stream: a polars frame, a pyarrow table, and others."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows as a PyCapsule of an Arrow stream."""


InMemory = pd.DataFrame | pd.Series | npt.NDArray[Any] | ArrowStream
One = str | bytes | os.PathLike[str] | InMemory
Readable = One | Sequence[One]

# The markers of a missing value, as in pandas, and those of statistical offices; the setting `na`
# adds to them.
MISSING_MARKERS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    "..", ":",
)  # fmt: skip
# Errors are squared, and many of them are added.
LARGEST = 1e150
# What needs no word on how it is read.
PLAIN_NUMBER = r"^[-+]?\d*\.?\d*([eE][-+]?\d+)?$"
# The most examples of how the numbers of a column are written.
MOST_EXAMPLES = 3


@dataclass(frozen=True)
class Table:
    """Columns of equal length, and where their rows are in the file.

    Args:
        name: What messages call the table.
        columns: Arrow columns by name, in the order of the table.
        place: Returns where a row (counted from 0) is, e.g. "sales.csv line 412".
        markers: The markers of a missing value in text.
        written: The ways in which numbers may be written in it.
        on_event: Receives a note for each column whose numbers are written in an unusual way.
        noted: The notes that were made, by column.
        ambiguous: The columns whose numbers may be written in two ways.
    """

    name: str
    columns: pa.Table
    place: Callable[[int], str] = field(compare=False)
    markers: Sequence[str] = MISSING_MARKERS
    written: Sequence[Numerals] = (POINT, COMMA)
    on_event: Listener = field(default=ignore, compare=False)
    noted: dict[str, str] = field(default_factory=dict, compare=False)
    ambiguous: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [str(name) for name in self.columns.column_names]

    def only(self, columns: Sequence[str]) -> "Table":
        """Return some of the columns, in the given order."""
        return replace(self, columns=self.columns.select(list(columns)))

    def rows_kept(self, rows: Ints) -> "Table":
        """Return some of the rows, shape `(kept,)`; messages name their places in the file."""
        kept = self.columns.take(pa.array(rows))
        return replace(self, columns=kept, place=lambda row: self.place(int(rows[row])))

    def numbers(self, column: str) -> Floats:
        """Return a column as float64, shape `(rows,)`, NaN where a value is missing.

        Integers that float64 cannot hold are noted.

        Raises:
            DataError: A cell is not a number; the message names its row and content.
        """
        values = self._floats(column)
        rounded = rounded_integer(self.columns[column], values)
        if rounded and (key := f"{column} rounded") not in self.noted:
            row, integer = rounded
            self.noted[key] = (
                f'column "{column}" holds integers beyond 2^53, of which about 16 digits are kept: '
                f"{self.place(row)} has {integer}, read as {values[row]:.0f}"
            )
            self.on_event(Note(self.noted[key], warning=True))
        return values

    def _floats(self, column: str) -> Floats:
        """Convert the cells of a column to float64."""
        cells = self.columns[column]
        if is_text(cells.type):
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
        self._require_squares(column, values)
        # Markers of a missing value that are numbers, such as -999.
        given = [float(each) for each in self.markers if re.fullmatch(r"[-+]?\d+\.?\d*", each)]
        marked = np.isin(values, given)
        return np.where(marked, np.nan, values) if marked.any() else values

    def _require_squares(self, column: str, values: Floats) -> None:
        """Refuse numbers that cannot be squared and added up."""
        large = np.abs(values) > LARGEST
        if large.any():
            row = int(np.argmax(large))
            raise DataError(
                f'{self.place(row)}: column "{column}" holds {values[row]:g}. Numbers of at most '
                f"{LARGEST:g} can be computed with.",
                "Fix the cell, or divide the column by a power of ten.",
            )

    def is_all_numbers(self, column: str) -> bool:
        """Whether every cell of a column can be read as a number."""
        try:
            self._floats(column)
        except DataError:
            return False
        return True

    def _parsed(self, column: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Convert text to numbers."""
        cells = pc.utf8_trim_whitespace(cells)
        empty = pc.is_in(cells, pa.array(self.markers, pa.string()))
        cells = pc.if_else(empty, pa.scalar(None, pa.string()), cells)
        if len(self.written) == 1 or column in self.ambiguous:
            return self._written(column, cells)
        try:
            return pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            return self._written(column, cells)

    def _written(self, column: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Convert text in one of the ways to write numbers, the same in the whole column."""
        from .decorations import Odd, Plain, undecorated

        written = cells
        cells = cells if (ascii_ := plain_digits(cells)) is None else ascii_
        whole = self._fitting(cells)
        plain = None if whole else undecorated(cells)
        if isinstance(plain, Odd):
            text = cells[plain.row].as_py()
            raise self._no_number(column, plain.row, text, plain.expected)
        bare = plain.cells if plain else cells
        whole = whole or self._fitting(bare)
        if not whole:
            fits = (each.fits(bare) for each in self.written)
            best = max(fits, key=lambda flags: pc.sum(flags).as_py() or 0)
            row = pc.index(best, False).as_py()
            raise self._no_number(column, row, cells[row].as_py())
        read = [each.read(bare) for each in whole]
        if len(read) > 1 and not read[0].equals(read[1]):
            row = pc.index(pc.equal(read[0], read[1]), False).as_py()
            raise DataError(
                f'{self.place(row)}: column "{column}" holds "{cells[row].as_py()}", which could '
                f"be {read[0][row].as_py():g} or {read[1][row].as_py():g}.",
                "Specify the decimal mark: `decimal=.` or `decimal=,`.",
            )
        if plain is None and len(self.written) > 1:
            unusual = pc.index(pc.match_substring_regex(written, PLAIN_NUMBER), False).as_py()
            plain = Plain(cells, (unusual,), percent=False) if unusual >= 0 else None
        if plain:
            self._note(column, written, read[0], plain)
        return read[0]

    def _fitting(self, cells: pa.ChunkedArray) -> list[Numerals]:
        """Return the ways of writing that all cells have."""
        return [each for each in self.written if pc.all(each.fits(cells), min_count=0).as_py()]

    def _note(
        self, column: str, written: pa.ChunkedArray, numbers: pa.ChunkedArray, plain: "Plain"
    ) -> None:
        """Report once how decorated numbers of a column were read."""
        if column in self.noted:
            return
        examples = [f'"{written[row].as_py()}" as {numbers[row].as_py():.15g}'
                    for row in plain.examples[:MOST_EXAMPLES]]  # fmt: skip
        text = f'column "{column}" read as numbers: {", ".join(examples)}'
        self.noted[column] = text + (" (percentages as they are written)" if plain.percent else "")
        self.on_event(Note(self.noted[column]))

    def _no_number(
        self, column: str, row: int, cell: object, expected: str = "A number"
    ) -> DataError:
        text = f'{self.place(row)}: column "{column}" holds "{cell}". {expected} was expected.'
        if str(cell).strip() == column:
            return DataError(text, "The row repeats the names of the columns: remove it.")
        if re.search(r"\d", str(cell)):
            return DataError(text, "Fix the cell.")
        marker = f"`na={cell}`" if re.fullmatch(r"[^\s`]+", str(cell)) else "`na`"
        return DataError(
            text,
            f"Fix the cell, or, if it marks a missing value, pass {marker} and "
            "`missing=interpolate`.",
        )


def by_row(name: str, columns: pa.Table, dialect: Dialect) -> Table:
    """Return a table that is no text file: messages count its rows, not its lines."""
    markers = (*MISSING_MARKERS, *dialect.na)
    written = numerals(dialect.decimal, dialect.thousands)
    return Table(name, columns, lambda row: f"{name} row {row + 1}", markers, written)


def stacked(name: str, tables: Sequence[Table]) -> Table:
    """Concatenate tables with the same columns.

    Numbers are read in the way in which their own table writes them; a column that is not numeric
    in one of them is text in all.

    Raises:
        DataError: A column holds different kinds of values in different tables.
    """
    ends = np.cumsum([len(table.columns) for table in tables])

    def place(row: int) -> str:
        which = int(np.searchsorted(ends, row, side="right"))
        return tables[which].place(row - int(ends[which - 1] if which else 0))

    columns = {each: _concatenate_column(each, tables) for each in tables[0].names}
    try:
        parts = [pa.table({each: cells[at] for each, cells in columns.items()})
                 for at in range(len(tables))]  # fmt: skip
        whole = pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{name} cannot be combined: {error}.", "Read them separately.") from None
    noted = {each: text for table in tables for each, text in table.noted.items()}
    ambiguous = frozenset().union(*(table.ambiguous for table in tables))
    first = tables[0]
    return Table(name, whole, place, first.markers, first.written, noted=noted, ambiguous=ambiguous)


def _concatenate_column(name: str, tables: Sequence[Table]) -> list[Any]:
    """Return a column of each table, of one kind where some are text and some are not."""
    cells = [table.columns[name] for table in tables]
    text = [is_text(each.type) for each in cells]
    if all(text) or not any(text):
        return cells
    try:
        return [pa.array(table.numbers(name), from_pandas=True) for table in tables]
    except DataError:
        return [pc.cast(each, pa.string()) for each in cells]


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of a type are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def no_rows(name: str) -> DataError:
    """Return the error for a table without rows."""
    return DataError(f"{name} has a header and no rows.", "A row for each step is needed.")


def require_columns(where: str, names: Sequence[str], required: Iterable[str]) -> None:
    """Check that columns exist.

    Raises:
        DataError: One does not; the message lists those that do, and the nearest.
    """
    for name in required:
        if name not in names:
            hint = nearest(name, names)
            numbered = list(names) == [str(at) for at in range(1, len(names) + 1)]
            if not numbered and any(re.fullmatch(r"[-+]?[\d.]+", each) for each in names):
                hint += " Where the first line is data, pass `no_header=true`."
            raise DataError(f'{where} has no column "{name}".', hint)


def name_rows(table: Table, rows: Sequence[int]) -> str:
    """Return where rows are, e.g. "prices.csv line 12, prices.csv line 13 and 5 more"."""
    return listed(rows, say=table.place)
