"""Decompression by the first bytes; the name of the file does not matter."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...core.errors import DataError

# Bytes that are unpacked at a time, and those of the unit of limits.
PIECE, GB, MB = 1 << 20, 10**9, 10**6
# What unpacks to more than so many times its size is little more than repetitions; and the bytes
# that a number of a table takes while it is read and inspected, about.
REPEATED, WORKED = 100, 64
# What reading raises where a stream is truncated or not of the format that it seems.
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def is_compressed(path: Path) -> bool:
    """Whether the first bytes of a file are those of a compressed one."""
    with path.open("rb") as file:
        start = file.read(max(map(len, OPENERS)))
    return any(start.startswith(magic) for magic in OPENERS)


def decompressed(data: bytes, name: str, most: int) -> Any:
    """Return a stream of the bytes before compression.

    Args:
        data: All bytes.
        name: What messages call them.
        most: How many they may unpack to; reading more is refused.

    Raises:
        DataError: It is an archive of several files, is encrypted, or states a larger size.
    """
    packed = io.BytesIO(data)
    opener = next((opener for magic, opener in OPENERS.items() if data.startswith(magic)), None)
    stream = None if opener is None else opener(packed, name, most)
    return packed if stream is None else Limited(stream, name, most, packed, len(data))


def too_large(name: str, most: int) -> DataError:
    """Return the error for a table that unpacks to more than so many bytes."""
    return DataError(
        f"{name} unpacks to more than {most / GB:,.3g} GB.",
        f"If that is right and there is memory for it, pass `max_size={2 * most / GB:.3g}` or more "
        "(GB).",
    )


def check_rows(name: str, rows: int, size: int, packed: int, most: int, columns: int = 2) -> None:
    """Refuse a table of very many rows that are packed in next to nothing.

    Reading takes several times as much memory as the table itself. Of a file that is large by
    itself that is expected; a small one that holds the same row over and over is hardly meant.
    The rows so far have `size` bytes, their file `packed`; reading may take `most` bytes.

    Raises:
        DataError: It takes more.
    """
    if size <= REPEATED * packed or (needed := rows * columns * WORKED) <= most:
        return
    raise DataError(
        f"{name} has {packed / MB:,.2g} MB and unpacks to {rows:,} rows or more, which take about "
        f"{needed / GB:,.3g} GB to read; {most / GB:,.3g} GB are allowed.",
        f"If that is right and there is memory for it, pass `max_size={2 * needed / GB:.3g}` or "
        "more (GB).",
    )


class Limited(io.RawIOBase):
    """A stream that counts what is read from it.

    Args:
        stream: What unpacks.
        name: What messages call it.
        most: How many bytes may be read.
        packed: What is unpacked.
        size: How many bytes that has.
    """

    def __init__(self, stream: Any, name: str, most: int, packed: io.BytesIO, size: int) -> None:
        self.stream, self.name, self.most, self.count, self.lines = stream, name, most, 0, 0
        self.packed, self.size = packed, size

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, all that are left where no size is given.

        Raises:
            DataError: There are more than there may be.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        piece = bytes(self.stream.read(size))
        self.count += len(piece)
        if self.count > self.most:
            raise too_large(self.name, self.most)
        self.lines += piece.count(b"\n")
        check_rows(self.name, self.lines, self.count, self.size, self.most)
        return piece

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes; return how many."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close what unpacks too."""
        self.stream.close()
        super().close()


def _zip(packed: io.BytesIO, name: str, most: int) -> Any:
    """Open the one file in an archive; None for a workbook, an archive too, which stays packed."""
    archive = zipfile.ZipFile(packed)
    names = [each for each in archive.namelist() if not each.endswith("/")]
    if "[Content_Types].xml" in names:
        packed.seek(0)
        return None
    if len(names) != 1:
        raise DataError(
            f"{name} is an archive of {len(names)} files.", "Unpack it and name one of them."
        )
    if archive.getinfo(names[0]).file_size > most:
        raise too_large(name, most)
    try:
        return archive.open(names[0])
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"{name} cannot be unpacked: {str(error)[:200]}.", "Unpack it and name the file in it."
        ) from None


OPENERS: dict[bytes, Callable[[io.BytesIO, str, int], Any]] = {
    b"\x1f\x8b": lambda packed, *_: gzip.GzipFile(fileobj=packed),
    b"BZh": lambda packed, *_: bz2.BZ2File(packed),
    b"\xfd7zXZ\x00": lambda packed, *_: lzma.LZMAFile(packed),  # noqa: SIM115
    b"\x28\xb5\x2f\xfd": lambda packed, *_: pa.CompressedInputStream(packed, "zstd"),
    b"PK\x03\x04": _zip,
}
