"""Lines of CSV with a header, or of JSON objects, as records."""

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import DataError, counted, listed

DELIMITERS = (",", ";", "\t", "|")
# Longer lines are read as far as this, and are no records.
LONGEST = 1_000_000

Record = Mapping[str, Any]


class LineParser:
    """Turns one line after the other into records; the first one shows which form they have.

    Args:
        needed: The columns that a header must have.
        delimiter: Between the cells of CSV; None to find it in the header.
    """

    def __init__(self, needed: Sequence[str], delimiter: str | None = None) -> None:
        self.needed = tuple(needed)
        self.delimiter = delimiter
        self.header: list[str] = []
        self.is_json: bool | None = None
        # Of the line that was read last, from 1.
        self.number = 0

    def parse(self, line: str) -> Record | None:
        """Return the record of a line; None of a header or a blank line.

        Raises:
            ValueError: It holds none.
            DataError: The first line is no header of the needed columns.
        """
        self.number += 1
        text = line.strip("\ufeff\r\n")
        if not text.strip():
            return None
        if self.is_json is None:
            self.is_json = text.lstrip().startswith("{")
            if not self.is_json:
                self._begin(text)
                return None
        if len(text) >= LONGEST:
            raise ValueError(f"longer than {LONGEST:,} characters")
        return self._object(text) if self.is_json else self._cells(text)

    def _object(self, text: str) -> Record:
        """Return the record of a JSON object."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("no JSON") from None
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
        return found

    def _cells(self, text: str) -> Record | None:
        """Return the record of a line of CSV; None where the header comes again."""
        cells = self._split(text, self.delimiter or ",")
        if len(cells) != len(self.header):
            raise ValueError(
                f"{counted(len(cells), 'cell')}, and the header has {len(self.header)}"
            )
        if set(self.needed) <= set(cells):
            self.header = cells
            return None
        return dict(zip(self.header, cells, strict=True))

    def _begin(self, text: str) -> None:
        """Read the header."""
        tried = {each: self._split(text, each) for each in (self.delimiter, *DELIMITERS) if each}
        for delimiter, names in tried.items():
            if set(self.needed) <= set(names):
                self.delimiter, self.header = delimiter, names
                return
        most = max(tried.values(), key=len)
        lacking = [name for name in self.needed if name not in most]
        raise DataError(
            f"The first line is no header: it lacks the column{'s' * (len(lacking) > 1)} "
            f"{listed(lacking)}.",
            f"Begin with a line of the names {', '.join(self.needed)}, or give a JSON object a "
            "line.",
        )

    @staticmethod
    def _split(text: str, delimiter: str) -> list[str]:
        """Return the cells of a line."""
        try:
            return [
                cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, strict=True))
            ]
        except (csv.Error, StopIteration):
            raise ValueError("no CSV") from None
