"""The first sheet of a workbook as a table, without its titles, units, totals and notes."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

import pandas as pd

from ...config.sections import Dialect
from ...core.errors import UsageError
from ...core.libraries import how_to_install
from .body import Line
from .compression import PIECE, too_large
from .footer import MOST_LINES as LAST_LINES
from .footer import Rows, count_footer, describe_footer
from .header import MOST_LINES, find_header

# Those of the format.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
# Bytes of memory of a cell, blank ones between others too.
CELL = 100
# The same of an element, by what its part holds: a sheet, texts, others.
ELEMENT = {"worksheet": 40, "sst": 100}
OTHER = 4000
# Elements of a sheet of which the reader keeps nothing but their text.
LIGHT = {"worksheet", "sheetData", "row", "c", "v", "is", "t", "r", "f"}
COORDINATE = re.compile(r"([A-Za-z]{1,3})[0-9]+")


def check_workbook(data: bytes, name: str, most: int) -> None:
    """Refuse a workbook that takes more than so many bytes, or holds what none may.

    Its file need not show them: a cell far from the others makes all rows up to it, each as wide
    as the widest; elements that repeat pack a thousandfold. Both are counted before they are made.

    Args:
        data: The workbook.
        name: What messages call it.
        most: How many bytes it may unpack to, and each part of it may take in memory.

    Raises:
        DataError: It takes more.
        ValueError: It has rows or columns beyond those of the format, or entities.
    """
    left = most
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            count = _Count()
            with archive.open(entry) as file:
                while piece := file.read(PIECE):
                    left -= len(piece)
                    count.read(piece)
                    if max(count.size, most - left) > most:
                        raise too_large(name, most)


class _Count:
    """Counts the elements and cells of a part of a workbook, as far as it is XML."""

    def __init__(self) -> None:
        self.elements = self.rows = self.columns = self.row = self.column = 0
        self.is_xml, self.element = True, 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = self._refuse

    def read(self, piece: bytes) -> None:
        """Count a piece."""
        try:
            if self.is_xml:
                self.parser.Parse(piece)
        except expat.ExpatError:
            # An image, or what the reader refuses at the same place.
            self.is_xml = False

    @property
    def size(self) -> int:
        """Return the bytes of memory that what was read takes."""
        return max(self.elements, self.rows * self.columns * CELL)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        self.element = self.element or ELEMENT.get(tag, OTHER)
        light = self.element != ELEMENT["worksheet"] or tag in LIGHT
        self.elements += self.element if light else OTHER
        if tag == "c":
            self._cell(attributes.get("r"))
        elif tag == "row":
            given = attributes.get("r")
            # As the reader takes it: whole numbers, also with a decimal point.
            self.row = int(float(given)) if given else self.row + 1
            self.column = 0
            self.rows = max(self.rows, self.row)
            if self.row > MOST_ROWS:
                raise ValueError(f"it has a row {self.row}; a sheet has at most {MOST_ROWS}")

    def _cell(self, place: str | None) -> None:
        found = COORDINATE.match(place) if place else None
        self.column = _number(found[1]) if found else self.column + 1
        self.columns = max(self.columns, self.column)
        if self.column > MOST_COLUMNS:
            raise ValueError(f"it has a column {self.column}; a sheet has at most {MOST_COLUMNS}")

    def _refuse(self, *_: Any) -> None:
        raise ValueError("it defines entities, which no workbook does")


def _number(letters: str) -> int:
    """Return the number of a column.

    >>> [_number(letters) for letters in ("A", "z", "AA", "XFD")]
    [1, 26, 27, 16384]
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _opened(data: bytes, name: str) -> pd.ExcelFile:
    """Return a workbook; `name` is what messages call it."""
    try:
        return pd.ExcelFile(io.BytesIO(data))
    except ImportError:
        raise UsageError(
            f"{name} is a workbook, and the library that reads workbooks is not installed.",
            how_to_install("excel"),
        ) from None


def read_workbook(data: bytes, name: str, dialect: Dialect) -> tuple[pd.DataFrame, list[str]]:
    """Read the first sheet of a workbook.

    Args:
        data: The workbook.
        name: What messages call it.
        dialect: What is known of its lines.

    Returns:
        The rows, and notes on what was left out.

    Raises:
        DataError: There is no line of names.
        UsageError: The library that reads workbooks is not installed.
    """
    book = _opened(data, name)
    how: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
    top = _lines(pd.read_excel(book, header=None, nrows=MOST_LINES, dtype=object, **how))
    if not any(line.filled for line in top):
        return pd.DataFrame(), []
    header = find_header(top, dialect, name)
    # The library itself takes the first row for the names, blank or not.
    plain = header.plain and header.skipped == 1
    if not plain:
        how |= {"header": None, "skiprows": header.skipped}
    frame = _named(pd.read_excel(book, **how), None if plain else header.names)
    count, notes = dialect.skip_footer, list(header.notes)
    tail = _lines(frame.tail(LAST_LINES))
    if count is None:
        rows = [line for line in top if line.before >= header.skipped and line.filled]
        count = count_footer(Rows(header.names, rows), tail, len(frame))
    if count:
        notes.append(describe_footer(tail[-count:]))
        frame = _named(pd.read_excel(book, skipfooter=count, **how), list(frame.columns))
    return frame, notes


def _named(frame: pd.DataFrame, names: list[str] | None) -> pd.DataFrame:
    """Return the rows with the names, without columns that have neither name nor values."""
    if names is not None:
        frame = frame.set_axis([*names, *[""] * (frame.shape[1] - len(names))], axis=1)
    held: Callable[[int], bool] = lambda at: bool(frame.iloc[:, at].notna().any())  # noqa: E731
    kept = [at for at, each in enumerate(frame.columns) if str(each) or held(at)]
    return frame.iloc[:, kept]


def _lines(frame: pd.DataFrame) -> list[Line]:
    """Return rows as lines of text."""
    cells = frame.astype(object).where(frame.notna(), "").to_numpy().tolist()
    return [Line(row, row + 1, [_text(cell) for cell in each]) for row, each in enumerate(cells)]


def _text(cell: Any) -> str:
    """Return a cell as text; whole numbers without a decimal point, days without a clock time."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).removesuffix(" 00:00:00")
