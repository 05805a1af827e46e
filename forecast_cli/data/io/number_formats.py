"""Numbers as people write them: with a decimal point or comma, and thousands separators."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...core.windows import Floats

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
        if "," in self.thousands:
            # Lakhs and crores: 12,34,567.
            whole = rf"({whole}|\d{{1,2}}(,\d{{2}})+,\d{{3}})"
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


# From here on not every integer is a float64.
EXACT = 2.0**53
# The most cells that are compared with their numbers.
MOST_COMPARED = 10_000


def rounded_integer(cells: pa.ChunkedArray, values: Floats) -> tuple[int, int] | None:
    """Return the row of the first integer that its number is not equal to, and that integer.

    None where there is none among the first 10,000 large numbers.

    Args:
        cells: Shape `(rows,)`: integers of any width, or text.
        values: Shape `(rows,)`: the same as float64, NaN where missing.

    >>> rounded_integer(pa.chunked_array([["1", "9007199254740993"]]), np.array([1.0, 2.0**53]))
    (1, 9007199254740993)
    """
    rows = np.flatnonzero(np.abs(values) >= EXACT)[:MOST_COMPARED]
    if not len(rows) or pa.types.is_floating(cells.type):
        return None
    for row, cell in zip(rows.tolist(), cells.take(pa.array(rows)).to_pylist(), strict=True):
        text = re.sub(r"\.0*$", "", str(cell).strip())
        if re.fullmatch(r"[-+]?\d{16,150}", text) and int(text) != int(values[row]):
            return row, int(text)
    return None


# Marks within Arabic numbers, and what sets the direction of writing.
MARKS = str.maketrans({"\u066b": ".", "\u066c": "'"} | dict.fromkeys("\u200e\u200f\u061c"))

# Hyphens and dashes of word processors between the numbers of a date.
DASHES = re.compile(r"(?<=\d)[\u2010-\u2015\u2212](?=\d)")


def plain_digits(cells: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return text with the digits 0 to 9 for those of other scripts, and hyphens for dashes.

    None where it has no others.

    >>> plain_digits(pa.chunked_array([["\u0663\u066b\u0665", "\uff11\uff12"]])).to_pylist()
    ['3.5', '12']
    """
    if pc.all(pc.string_is_ascii(cells), min_count=0).as_py():
        return None
    coded = cells.combine_chunks().dictionary_encode()
    written = coded.dictionary.to_pylist()
    plain = [_plain(cell) for cell in written]
    if plain == written:
        return None
    return pa.chunked_array([pa.array(plain, pa.string()).take(coded.indices)])


def _plain(cell: str) -> str:
    """Return a cell with plain digits, and plain signs beside them."""
    if not any(letter.isdecimal() and not letter.isascii() for letter in cell):
        return DASHES.sub("-", cell)
    folded = DASHES.sub("-", unicodedata.normalize("NFKC", cell).translate(MARKS))
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in folded
    )


def _class(letters: str) -> str:
    return "[" + "".join("\\" + each if each in r"\]^-." else each for each in letters) + "]"
