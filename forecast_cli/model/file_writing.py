"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from ..core.errors import UsageError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, sync it, and rename it.

    Raises:
        UsageError: It cannot be written there.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        # A pipe or a device is written to as it is; the links of a shell's >(...) lead nowhere.
        path.write_bytes(data)
        return
    path = Path(os.path.realpath(path))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UsageError(*_unwritable(path, error)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise UsageError(*_unwritable(path, error)) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> tuple[str, str]:
    return (
        f"{path} cannot be written: {error.strerror or error}.",
        "Name a file in a directory that exists and that you may write to.",
    )
