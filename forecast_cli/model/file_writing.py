"""Files that are written whole or not at all, and a lock so that one run at a time does it."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ..core.errors import UsageError

# Of the folder beside a model that holds what is unfinished of it.
PARTIAL = ".partial"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; see `whole_file`.

    Raises:
        UsageError: It cannot be written there.
    """
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file under a temporary name; sync and rename it at the end; an old one keeps its mode.

    The temporary name is beside the file, or in the folder of what is unfinished where there is
    one: what a kill leaves there is removed by the next run.

    Raises:
        UsageError: It cannot be written there.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        # A pipe or a device is written to as it is; the links of a shell's >(...) lead nowhere.
        with path.open("wb") as stream:
            yield stream
        return
    path = Path(os.path.realpath(path))
    folder = partial_folder(path)
    try:
        if path.is_file() and not path.stat().st_mode & 0o222:
            raise PermissionError(errno.EACCES, "The file is read-only", str(path))
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.",
            dir=folder if folder.is_dir() and not folder.is_symlink() else path.parent,
        )
    except OSError as error:
        raise UsageError(*unwritable(path, error)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except OSError as error:
        raise UsageError(*unwritable(path, error)) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def partial_folder(path: Path) -> Path:
    """Return the folder of what is unfinished of a file, beside it on the same disk."""
    path = Path(os.path.realpath(path))
    return path.with_name(f"{path.name}{PARTIAL}")


def remove_stale(path: Path) -> None:
    """Remove what killed runs have left of a file; only for who has the lock on it."""
    path = Path(os.path.realpath(path))
    for folder in (path.parent, partial_folder(path)):
        for stale in folder.glob(f".{path.name}.????????"):
            with suppress(OSError):
                stale.unlink()


def remove_special(path: Path) -> None:
    """Remove a link, a pipe or a device in a folder of our own: what is written lands nowhere else.

    Raises:
        OSError: It cannot be removed.
    """
    if path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir()):
        path.unlink()


def _mode(path: Path) -> int:
    """Return the mode of a file: that of the one it replaces, or that of a new one."""
    if path.is_file():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def unwritable(path: Path, error: OSError, kind: str = "file") -> tuple[str, str]:
    """Return the message and the hint of a file or folder that cannot be written."""
    hint = f"Name a {kind} in a directory that exists and that you may write to."
    if error.errno in NO_ROOM:
        hint = f"Free some space, or name a {kind} on another disk."
    return f"{path} cannot be written: {error.strerror or error}.", hint


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
