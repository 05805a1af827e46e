"""Text for people: results in a few lines, times in words, and what would control a terminal."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

# The most lines of a result, and how wide one may be.
MOST_LINES, WIDEST = 10, 100
# A sentence, and the rows of a table.
Shown = tuple[str, Sequence[Mapping[str, Any]]]


class Brief:
    """A result whose `repr` has at most ten lines; the class says which in `_brief`."""

    def _brief(self) -> Shown:
        """Return a sentence, and the rows of a table."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the sentence and the first rows."""
        text, rows = self._brief()
        lines = [type(self).__name__, *([f"  {text}"] if text else []), *_table(rows)]
        return "\n".join(cut_lines(lines))

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"


def cut_lines(lines: Sequence[str]) -> list[str]:
    """Return the first ten lines, long ones cut."""
    if len(lines) > MOST_LINES:
        more = len(lines) - MOST_LINES + 1
        lines = [*lines[: MOST_LINES - 1], f"  ... and {more:,} more rows"]
    return [line if len(line) <= WIDEST else line[: WIDEST - 3] + "..." for line in lines]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return rows as lines, columns below each other."""
    if not rows:
        return []
    cells = [[str(name) for name in rows[0]], *[[_cell(v) for v in row.values()] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]


def _cell(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else "-" if value is None else str(value)


# Control characters but for the end of a line and tabs; marks that turn text around or end lines.
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return a text with its control characters spelled as in Python.

    >>> print(visible("a\x1b[2Jb \u202e"))
    a\x1b[2Jb \u202e
    """
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def visible_json(document: str) -> str:
    r"""Return a JSON document that means the same, with these characters as JSON spells them.

    >>> print(visible_json('["\x9b"]'))
    ["\u009b"]
    """
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def describe_seconds(seconds: float) -> str:
    """Return a time about as long, for people.

    >>> describe_seconds(0.2), describe_seconds(89), describe_seconds(400), describe_seconds(9000)
    ('1 s', '89 s', '7 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
