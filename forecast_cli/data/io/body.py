"""What a cell of a text table seems to be, and its rows, as far as its first lines show them."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .decorations import affix, is_number
from .tables import MISSING_MARKERS

PLAIN_DATA = re.compile(r"[-+]?\d[\d.,:/ TZ+-]*")
# Without those of the CLDR, whose library takes longer to load than a forecast.
DATE_WORDS = (
    "january jan february feb march mar april apr may june jun july jul august aug september sept "
    "sep october oct november nov december dec januar februar märz mrz mai juni juli oktober okt "
    "dezember dez janvier janv février févr fév mars avril avr juin juillet juil août septembre "
    "octobre novembre décembre déc enero ene febrero marzo abril abr mayo junio julio agosto ago "
    "septiembre octubre noviembre diciembre dic gennaio gen febbraio maggio mag giugno giu luglio "
    "lug settembre set ottobre ott dicembre januari februari maart mrt mei augustus monday mon "
    "tuesday tue wednesday wed thursday thu friday fri saturday sat sunday sun am pm utc gmt z fy"
)
WORDS = re.compile(rf"(?<![^\W\d])({'|'.join(DATE_WORDS.split())})(?![^\W\d])\.?", re.IGNORECASE)
# Letters beside the digits of a date: the T of ISO 8601, quarters, months and weeks.
LETTERS = re.compile(r"(?<=\d)T(?=\d)|(?<![^\W\d])[QMWH](?=\d)", re.IGNORECASE)
DATE = re.compile(
    r"\d{1,4}[-/:]\d{1,2}\b.*|\d{1,4}\.\d{1,2}\.(\d{1,4}.*)?|[12]\d{3}|\d{6}|\d{8}|\d{10,19}"
)
UNIT = (
    r"[\[(].*[\])]|[^\W\d_]{1,5}/[^\W\d_]{1,5}[23²³]?|-|[-=+:]{3,}|units?|einheit|utc|gmt|cet|cest|"
    r"(?=.*[yjhd])[yjmdths]{1,4}([-/.: ]+[yjmdths]{1,4})+|\d+[snd]"
)


def is_date(cell: str) -> bool:
    """Whether a cell seems to be a date or time.

    >>> [is_date(cell) for cell in ("Feb 04, 2020", "2012M01", "1-01", "12.5", "Total 2020")]
    [True, True, True, False, False]
    """
    bare, words = WORDS.subn(" ", cell.strip())
    bare, letters = LETTERS.subn("", bare)
    bare = bare.strip(" ,")
    if re.search(r"[^\d\s.,:/+-]", bare) or not re.search(r"\d", bare):
        return False
    return bool(words or letters or DATE.fullmatch(bare))


def is_data(cell: str) -> bool:
    """Whether a cell seems to be a number or a date, which are no names."""
    cell = cell.strip()
    if not re.search(r"\d", cell):
        return False
    return bool(PLAIN_DATA.fullmatch(cell)) or is_number(cell) or is_date(cell)


def is_unit(cell: str) -> bool:
    """Whether a cell seems to be a unit, as in a second line of a header."""
    return bool(re.fullmatch(UNIT, cell.strip(), re.IGNORECASE)) or affix(cell.strip()) is not None


def is_wordy(cell: str) -> bool:
    """Whether a cell holds a word."""
    return bool(re.search(r"[^\W\d_]{2,}", cell))


def shape(cell: str) -> str:
    """Return a cell with its digits as 9 and its words as A.

    >>> shape("Jan 2014"), shape("2020-01-05")
    ('A 9', '9-9-9')
    """
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", cell.strip()))


SAMPLE_LINES, SAMPLE_COLUMNS = 20, 50
# A column is one of numbers or dates from this share of its cells on.
MOSTLY = 0.6
# The most lines that a note quotes, and cells of each.
MOST_QUOTED = 3


class Line(NamedTuple):
    """A row of cells, the lines of the file before it, and those up to its end."""

    before: int
    end: int
    cells: list[str]

    @property
    def filled(self) -> list[str]:
        """The cells that are not empty."""
        return [cell.strip() for cell in self.cells if cell.strip()]


def quoted(lines: Sequence[Line]) -> str:
    """Return the first of the lines, for a note."""
    texts = [f'"{", ".join(line.filled[:MOST_QUOTED])}"' for line in lines[:MOST_QUOTED]]
    return ", ".join(texts) + (" ..." if len(lines) > MOST_QUOTED else "")


@dataclass(frozen=True)
class Body:
    """The rows of a table, as far as its first lines show them.

    Args:
        lines: The lines that are not blank.
    """

    lines: Sequence[Line]

    @cached_property
    def width(self) -> int:
        """How many cells most rows have."""
        half = self.lines[len(self.lines) // 2 :]
        return Counter(len(line.cells) for line in half).most_common(1)[0][0]

    @cached_property
    def sample(self) -> list[Line]:
        """Some of the rows, of full width."""
        half = self.lines[len(self.lines) // 2 :]
        return [line for line in half if len(line.cells) == self.width][:SAMPLE_LINES]

    @cached_property
    def data(self) -> list[int]:
        """The columns of numbers or dates."""
        return self._holding(is_data)

    @cached_property
    def dates(self) -> int | None:
        """The first column of dates."""
        return next(iter(self._holding(is_date)), None)

    def _holding(self, test: Callable[[str], bool]) -> list[int]:
        found = []
        for column in range(min(self.width, SAMPLE_COLUMNS)):
            held = [cell for cell in self.column(column) if cell not in MISSING_MARKERS]
            if held and sum(map(test, held)) >= MOSTLY * len(held):
                found.append(column)
        return found

    def column(self, column: int) -> list[str]:
        """The cells of a column in the sample."""
        return [line.cells[column].strip() for line in self.sample]

    def data_cells(self, line: Line) -> tuple[int, int]:
        """How many cells of columns of data hold data in a line, and how many something else."""
        held = [line.cells[column].strip() for column in self.data if column < len(line.cells)]
        known = [is_data(cell) for cell in held if cell not in MISSING_MARKERS]
        return sum(known), len(known) - sum(known)

    def is_row(self, line: Line) -> bool:
        """Whether a line is one of data."""
        if len(line.cells) != self.width or (len(line.filled) < 2 <= self.width):
            return False
        hits, misses = self.data_cells(line)
        if self.dates is not None and hits:
            return is_data(line.cells[self.dates]) or hits > misses > 0
        return hits > misses or (not misses and line.filled[0] in MISSING_MARKERS)

    def may_be_names(self, line: Line) -> bool:
        """Whether a line may hold the names of the columns, or a level of them."""
        names, width = line.cells, self.width
        if len(names) == width - 1 and not any(self.column(width - 1)):
            names = [*names, ""]
        held = line.filled[:SAMPLE_COLUMNS]
        if len(names) != width or any(is_data(cell) or cell in MISSING_MARKERS for cell in held):
            return False
        return len(line.filled) >= max(min(width, 2), width // 2) or not names[0].strip()
