"""Text as it may be sent to a terminal: what would control it or turn it around is spelled."""

import re

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
