"""Faults of the standard streams: a reader that has gone, a disk that is full."""

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..core.errors import UsageError

# What stdout says where it takes no more; any other error of the system is a bug of ours.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


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
