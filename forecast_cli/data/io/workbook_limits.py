"""The size of a workbook as it is when read, which its file need not show.

A cell far from the others makes all rows up to it, each as wide as the widest; elements that
repeat pack a thousandfold. Both are counted here, and not believed, before they are made.
"""

import io
import re
import zipfile
from typing import Any
from xml.parsers import expat

from .compression import PIECE, too_large

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
