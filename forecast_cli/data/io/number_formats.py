"""Numbers as people write them: with a decimal point or comma, and thousands separators."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

# What may separate thousands, besides the mark that is not the decimal one: blanks, quotes.
BLANKS = " \u00a0\u202f'\u2019_"
MINUS = "\u2212"


@dataclass(frozen=True)
class Numerals:
    """A way to write numbers.

    Args:
        decimal: The decimal mark.
        thousands: The characters that may separate thousands.
    """

    decimal: str
    thousands: str

    @property
    def pattern(self) -> str:
        """A regular expression for a whole cell."""
        mark, apart = _class(self.decimal), _class(self.thousands)
        whole = rf"(\d{{1,3}}({apart}\d{{3}})+|\d+)" if self.thousands else r"\d+"
        return rf"^[-+{MINUS}]?({whole}({mark}\d*)?|{mark}\d+)([eE][-+]?\d+)?$"

    def read(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Convert text of this form to float64."""
        if self.thousands:
            cells = pc.replace_substring_regex(cells, _class(self.thousands), "")
        cells = pc.replace_substring(cells, MINUS, "-")
        if self.decimal != ".":
            cells = pc.replace_substring(cells, self.decimal, ".")
        return pc.cast(cells, pa.float64())

    def fits(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Whether each cell is a number of this form, or missing."""
        return pc.fill_null(pc.match_substring_regex(cells, self.pattern), True)


POINT = Numerals(".", "," + BLANKS)
COMMA = Numerals(",", "." + BLANKS)


def numerals(decimal: str | None, thousands: str | None) -> list[Numerals]:
    """Return the ways in which numbers may be written, given what is known.

    >>> [each.decimal for each in numerals(None, None)], numerals(",", ".")[0].thousands
    (['.', ','], '.')
    """
    if decimal is None and thousands is not None:
        decimal = "," if thousands == "." else "."
    known = [POINT, COMMA] if decimal is None else [POINT if decimal == "." else COMMA]
    if thousands is None:
        return known
    return [Numerals(each.decimal, thousands) for each in known]


def _class(letters: str) -> str:
    return "[" + "".join("\\" + each if each in r"\]^-." else each for each in letters) + "]"
