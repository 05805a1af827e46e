"""What a terminal can show, lines on stderr that fit it, and faults of the standard streams."""

import errno
import io
import os
import select
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from ..core.brief import visible
from ..core.errors import UsageError

# Columns where nothing says how many there are.
USUAL = 80
# What a help and a page are wrapped at, at most.
WIDEST = 100
# SGR codes of the styles of messages.
STYLES = {"bold": "1", "red": "1;31", "yellow": "33", "dim": "2"}
COLORS = {"error": "red", "warning": "yellow"}
# What stdout says where it takes no more; any other error of the system is a bug of ours.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


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


class Unfailing(io.FileIO):
    """A stream for words, which are lost where it takes no more: the work goes on without them."""

    def write(self, data: object) -> int:
        """Write bytes; return how many."""
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError:
            return memoryview(data).nbytes  # type: ignore[arg-type]


def protect() -> None:
    """Make up missing streams, and let no fault of stderr end a command."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        return
    raw = io.BufferedWriter(Unfailing(sys.stderr.fileno(), "w", closefd=False))
    sys.stderr = io.TextIOWrapper(
        raw, sys.stderr.encoding, sys.stderr.errors, line_buffering=True, write_through=True
    )


@contextmanager
def quiet_output() -> Iterator[None]:
    """End where the reader of stdout has enough, and name the error of a full disk.

    Raises:
        UsageError: Stdout takes no more.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        gone = isinstance(error, BrokenPipeError) and _reader_has_gone()
        if not gone and (error.errno not in NO_ROOM or error.filename is not None):
            raise
        # Nothing may be written at exit either. It is caught here since typer would make it exit
        # code 1.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not gone:
            raise UsageError(
                f"The output cannot be written: {error.strerror or error}.", "Free some space."
            ) from None


def _reader_has_gone() -> bool:
    """Whether the other end of stdout is closed; a broken pipe may be that of a database too."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in watched.poll(0))


def flush() -> None:
    """Write out what is pending at the end of a command, whose exit code is decided."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
