"""A lock on the path of a model, so that one run at a time writes it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..core.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"


@contextmanager
def locked(folder: Path, model: Path) -> Iterator[None]:
    """Hold the lock on a model for a block; the system frees it where the process is killed.

    Args:
        folder: Where the file of the lock is; it is made, and removed where it ends up empty.
        model: For the message.

    Raises:
        UsageError: Another run holds it, or the folder cannot be written.
    """
    try:
        file = _acquire(folder / LOCK, model)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}.",
            "Give a path in a directory that you may write to.",
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink()
            folder.rmdir()
        file.close()


def _acquire(path: Path, model: Path) -> Any:
    """Return the open file of a lock; that of a run that has just ended is made again."""
    while True:
        path.parent.mkdir(exist_ok=True)
        # The number of a process that holds the lock stays in the file until it is held. A link
        # is not followed: the file that it names would be emptied.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        file = os.fdopen(os.open(path, flags, 0o666), "a+")
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(file, model) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                return file
        file.close()


def _held(file: Any, model: Path) -> UsageError:
    """Return the error of a lock that another process holds, and close its file."""
    with file:
        file.seek(0)
        number = file.read(20).strip()
    who = f" (process {number})" if number.isdigit() else ""
    return UsageError(
        f"Another run{who} is writing {model}.", "Wait until it has ended, or name another model."
    )
