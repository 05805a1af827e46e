"""The bytes of a file, an address or standard input, opened as often as needed."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...config.sections import Dialect
from ...core.errors import DataError
from ...core.events import Listener, TableRead, ignore
from .compression import BROKEN, GB, PIECE, Limited, decompressed, is_compressed
from .remote import fetch, is_address, masked

STDIN = "-"
HEAD_BYTES = 1 << 16
# How much of the end shows whether there is a footer.
TAIL_BYTES = 1 << 14
# What a pipe holds at most; a file of fewer bytes is read before anyone asks how far it has come.
PIPE_BYTES, LARGE = 1 << 16, 1 << 20
# Nothing is known of how a table is written.
PLAIN = Dialect()


@dataclass(frozen=True)
class Stored:
    """A file, or an address or standard input, which are read only once.

    Args:
        path: A path, an address such as `https://...`, or `-` for standard input.
        dialect: How it is written, as far as that is known.
        stdin: What stands for standard input.
        on_event: Notified where much is read.
        title: What messages call standard input.
    """

    path: str
    dialect: Dialect = PLAIN
    stdin: Any = field(default=None, compare=False)
    on_event: Listener = field(default=ignore, compare=False)
    title: str = "standard input"

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.title if self.path == STDIN else masked(self.path)

    @cached_property
    def _bytes(self) -> bytes:
        """All bytes as stored, of all sources but a plain file."""
        if self.is_remote:
            return fetch(self.path)
        if self.path == STDIN:
            return self._piped(self.stdin or sys.stdin.buffer)
        if self._is_special:
            with Path(self.path).open("rb") as stream:
                return self._piped(stream)
        return Path(self.path).read_bytes()

    @property
    def _is_special(self) -> bool:
        """Whether it is neither a file nor a directory, but a pipe of the shell."""
        path = Path(self.path)
        return path.exists() and not path.is_file()

    def _piped(self, stream: Any) -> bytes:
        """Return all bytes of a stream whose size is unknown."""
        pieces = Pieces([stream.read1(PIPE_BYTES)])
        if len(pieces.held[0]) == PIPE_BYTES:
            self.on_event(TableRead(self.name, pieces.so_far, unit=pieces.unit))
        while piece := stream.read1(PIPE_BYTES):
            pieces.held.append(piece)
        return pieces.joined()

    def open(self) -> Any:
        """A binary stream from the beginning, decompressed.

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        path = Path(self.path)
        if self.is_folder:
            raise DataError(f"{path} is a directory.", "Name a file in it.")
        if self.is_remote or self.path == STDIN or self._is_special:
            return decompressed(self._bytes, self.name, self.most)
        try:
            if is_compressed(path):
                return decompressed(self._bytes, self.name, self.most)
            return path.open("rb")
        except FileNotFoundError:
            raise DataError(f"There is no file {path}.", neighbours(path)) from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None

    @property
    def most(self) -> int:
        """How many bytes it may unpack to."""
        return int(self.dialect.max_size * GB)

    @property
    def is_remote(self) -> bool:
        """Whether it is an address."""
        return is_address(self.path)

    def watched(self, stream: Any) -> Any:
        """Return a stream that is about to be read, and say so where that may take long."""
        if isinstance(stream, Limited):
            measured, size = stream.packed, stream.size
        elif isinstance(stream, pa.NativeFile):
            measured, size = stream, stream.size()
        else:
            measured, size = stream, stream.seek(0, io.SEEK_END)
            stream.seek(0)

        def so_far() -> int:
            try:
                return size if stream.closed else int(measured.tell())
            except (ValueError, OSError):
                # It was closed in between.
                return size

        if size >= LARGE:
            self.on_event(TableRead(self.name, so_far, size))
        return stream

    def native(self) -> Any:
        """As `open`, but a plain file as Arrow's own stream, whose threads need no Python.

        Raises:
            DataError: As `open`.
        """
        stream = self.open()
        if not isinstance(stream, io.BufferedReader) or not Path(self.path).is_file():
            return stream
        stream.close()
        return pa.OSFile(self.path)

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return self.path != STDIN and not self.is_remote and Path(self.path).is_dir()

    @cached_property
    def start(self) -> bytes:
        """The first bytes, decompressed.

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        return self._read(HEAD_BYTES)

    @cached_property
    def end(self) -> bytes:
        """The last bytes, decompressed.

        What is compressed is unpacked to its end without being kept, so that nothing is made of
        what is larger than it may be.

        Raises:
            DataError: It cannot be read to its end, or is larger.
        """
        try:
            with self.open() as stream:
                if not stream.seekable():
                    end, unpacked = b"", self.watched(stream)
                    while piece := unpacked.read(PIECE):
                        end = (end + piece)[-TAIL_BYTES:]
                    return end
                size = stream.seek(0, io.SEEK_END)
                stream.seek(max(size - TAIL_BYTES, 0))
                return bytes(stream.read())
        except BROKEN as error:
            raise self.broken(error) from None

    @property
    def data(self) -> bytes:
        """All bytes, decompressed.

        Raises:
            DataError: As `end`.
        """
        return self._read() if self.end else b""

    def _read(self, *size: int) -> bytes:
        # Arrow's streams take no -1 for all that is left.
        try:
            with self.open() as stream:
                return bytes((stream if size else self.watched(stream)).read(*size))
        except BROKEN as error:
            raise self.broken(error) from None

    def broken(self, error: Exception) -> DataError:
        """Return the error for a stream that cannot be read to its end."""
        return DataError(
            f"{self.name} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "A compressed file may be truncated; create it again.",
        )


class Pieces:
    """The bytes of a pipe as they come, of which rows are counted only on demand.

    Args:
        held: The first piece.
    """

    def __init__(self, held: list[bytes]) -> None:
        self.held, self.counted, self.count = held, 0, 0
        # A compressed or binary table has no lines to count.
        self.unit = "bytes" if b"\0" in held[0] else "rows"

    def so_far(self) -> int:
        """Return how many bytes or lines have come."""
        for piece in self.held[self.counted :]:
            self.count += len(piece) if self.unit == "bytes" else piece.count(b"\n")
            self.counted += 1
        return self.count

    def joined(self) -> bytes:
        """Return all bytes, and let go of the pieces: together they are twice as many."""
        self.so_far()
        whole = b"".join(self.held)
        self.held = []
        return whole


@contextmanager
def still_there(name: str) -> Iterator[None]:
    """Read what was found before, and raise a DataError where it is gone by now."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{name} cannot be read any more: {error.strerror or error}.",
            "It was removed or replaced meanwhile; run the command again.",
        ) from None


def neighbours(path: Path) -> str:
    """Return the hint for a file that does not exist: the nearest name in its directory."""
    from difflib import get_close_matches

    folder = path.parent
    if not folder.is_dir():
        return f"There is no directory {folder} either."
    names = sorted(each.name for each in folder.iterdir() if each.is_file())
    close = get_close_matches(path.name, names, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."
