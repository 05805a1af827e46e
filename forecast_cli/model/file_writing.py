"""Files that are written whole or not at all."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

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
        refuse_read_only(path)
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


def refuse_read_only(path: Path) -> None:
    """Refuse to replace a file whose owner has made it read-only.

    Raises:
        PermissionError: It is.
    """
    if path.is_file() and not path.stat().st_mode & 0o222:
        raise PermissionError(errno.EACCES, "The file is read-only", str(path))


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
