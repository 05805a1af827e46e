"""The rows of a text table, as far as its first lines show them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .cells import is_data, is_date
from .tables import MISSING_MARKERS

SAMPLE_LINES, SAMPLE_COLUMNS = 20, 50
# A column is one of numbers or dates from this share of its cells on.
MOSTLY = 0.6


class Line(NamedTuple):
    """A row of cells, the lines of the file before it, and those up to its end."""

    before: int
    end: int
    cells: list[str]

    @property
    def filled(self) -> list[str]:
        """The cells that are not empty."""
        return [cell.strip() for cell in self.cells if cell.strip()]


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
