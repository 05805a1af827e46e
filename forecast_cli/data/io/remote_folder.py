"""Folders at addresses, such as prefixes of a bucket: files are written whole, and not renamed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...core.errors import UsageError
from .remote import masked, reached

# Where names are keys, and there are no folders that have to be made.
WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}
# Other storage of files.
WITH_FOLDERS = {"file", "local", "sftp", "ssh", "ftp", "smb", "hdfs", "webhdfs", "dbfs", "hf"}
# Where nothing can be written, or what is written is another thing than its name says.
READ_ONLY = ("http", "https", "data", "zip", "tar", "git", "github")
# Where Linux shows the files that a process has opened.
OPEN_FILES = Path("/proc/self/fd")


def is_storage(address: str) -> bool:
    """Whether an address is of storage of files, rather than of a database or a page.

    >>> is_storage("s3://bucket/forecasts/"), is_storage("postgresql://host/sales")
    (True, False)
    """
    return address.partition("://")[0] in WITHOUT_FOLDERS | WITH_FOLDERS


@dataclass(frozen=True)
class RemoteFolder:
    """A folder at an address.

    Args:
        address: Of the folder; names in messages are without its secrets.
    """

    address: str

    def __str__(self) -> str:
        return masked(self.address)

    def require_writable(self) -> None:
        """Refuse addresses of a kind that is only read.

        Raises:
            UsageError: It is one, or the library for it is not installed.
        """
        protocol = self.address.partition("://")[0]
        if "::" in protocol or protocol in READ_ONLY:
            raise UsageError(
                f"{self}: files are not written to addresses of {protocol}.",
                "Name a folder of an object store, such as s3://bucket/forecasts/.",
            )
        with reached(self.address, writing=True):
            pass

    def names(self) -> set[str]:
        """Return the names of all files, relative to the folder; empty where there is none.

        Raises:
            UsageError: They cannot be listed.
        """
        with reached(self.address, writing=True) as (files, path):
            files.invalidate_cache()
            own = path.rstrip("/") + "/"
            found = [str(each) for each in files.find(path)]
        # Some programs mark a folder by an empty file of its name.
        names = {each.removeprefix(own) for each in found if each.startswith(own)}
        return {each for each in names if each and not each.endswith("/")}

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file; None where there is none.

        Raises:
            UsageError: It cannot be read.
        """
        with reached(self.address, writing=True) as (files, path):
            try:
                return bytes(files.cat_file(_join(path, name)))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            UsageError: It cannot be written.
        """
        with self.writing(name) as file:
            file.write(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file of this machine, which is sent to the folder at the end.

        Where the block fails nothing is sent, and where sending fails what has come there is
        removed.

        Raises:
            UsageError: It cannot be written.
        """
        with tempfile.TemporaryFile() as file:
            yield file
            file.flush()
            with reached(self.address, writing=True) as (files, path), _named(file) as local:
                whole = _join(path, name)
                if not WITHOUT_FOLDERS & {*_protocols(files)}:
                    files.makedirs(whole.rpartition("/")[0], exist_ok=True)
                try:
                    files.put_file(local, whole)
                except BaseException:
                    with suppress(Exception):
                        files.rm_file(whole)
                    raise

    def remove(self, name: str) -> None:
        """Remove a file, where there is one.

        Raises:
            UsageError: It cannot be removed.
        """
        with reached(self.address, writing=True) as (files, path), suppress(FileNotFoundError):
            files.rm_file(_join(path, name))

    def remove_empty(self, *names: str) -> None:
        """Remove folders that have become empty, where folders are more than parts of names."""
        with reached(self.address, writing=True) as (files, path):
            if not WITHOUT_FOLDERS & {*_protocols(files)}:
                for name in names:
                    with suppress(Exception):
                        files.rmdir(_join(path, name.rstrip("/")))


@contextmanager
def _named(file: IO[bytes]) -> Iterator[str]:
    """Return a path by which an open file without a name is read: a kill leaves nothing of it."""
    own = OPEN_FILES / str(file.fileno())
    if own.exists():
        yield str(own)
        return
    with tempfile.TemporaryDirectory(prefix="forecast-") as folder:
        copy = Path(folder) / "file"
        file.seek(0)
        with copy.open("wb") as target:
            shutil.copyfileobj(file, target)
        yield str(copy)


def _join(path: str, name: str) -> str:
    return f"{path.rstrip('/')}/{name}"


def _protocols(files: object) -> tuple[str, ...]:
    """Return the names of the protocols of a file system."""
    own = getattr(files, "protocol", ())
    return (own,) if isinstance(own, str) else tuple(own)
