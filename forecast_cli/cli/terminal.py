"""What a terminal can show, and lines on stderr that fit it."""

import os
import shutil
import sys
import textwrap
from typing import TextIO

from ..core.brief import visible

# Columns where nothing says how many there are.
USUAL = 80
# What a help and a page are wrapped at, at most.
WIDEST = 100
# SGR codes of the styles of messages.
STYLES = {"bold": "1", "red": "1;31", "yellow": "33", "dim": "2"}
COLORS = {"error": "red", "warning": "yellow"}


def is_dumb() -> bool:
    """Whether the terminal cannot move its cursor or show colours."""
    return os.environ.get("TERM", "") in ("dumb", "unknown")


def takes_unicode(stream: TextIO | None = None) -> bool:
    """Whether a stream, stdout where none is given, takes characters beyond ASCII."""
    encoding = (stream or sys.stdout).encoding or ""
    return encoding.lower().replace("-", "") in ("utf8", "utf16")


def has_styles(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows bold text and colours."""
    return stream.isatty() and "NO_COLOR" not in os.environ and not is_dumb()


def columns() -> int:
    """The width of the terminal in characters."""
    return shutil.get_terminal_size((USUAL, 24)).columns


def styled(text: str, style: str, stream: TextIO) -> str:
    """Return a text in a style, where the stream shows styles."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if has_styles(stream) else text


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of a text, broken between words alone: names and paths stay whole.

    >>> wrap("There is no file sales-2024.csv.", 20)
    ['There is no file', 'sales-2024.csv.']
    >>> wrap("Coverage on test: 83.3 %.", 23)
    ['Coverage on test:', '83.3 %.']
    """
    lines = textwrap.wrap(
        # A percentage stays whole too.
        text.replace(" %", "\u00a0%"),
        max(width, 20),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0%", " %") for line in lines]


def print_message(kind: str, text: str) -> None:
    """Print an error or a warning on stderr: wrapped on a terminal, one line in a pipe.

    Args:
        kind: "error" or "warning"; the message begins with it.
        text: The message.
    """
    stream, text = sys.stderr, visible(f"{kind}: {text}")
    if stream.isatty():
        text = "\n".join(wrap(text, columns()))
    # Only the first word: yellow text cannot be read on a light terminal.
    first = styled(f"{kind}:", COLORS[kind], stream)
    print(first + text.removeprefix(f"{kind}:"), file=stream, flush=True)
