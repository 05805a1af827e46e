"""Decompression by the first bytes; the name of the file does not matter."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from ...core.errors import DataError

# What reading raises where a stream is truncated or not of the format that it seems.
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def is_compressed(path: Path) -> bool:
    """Whether the first bytes of a file are those of a compressed one."""
    with path.open("rb") as file:
        start = file.read(max(map(len, OPENERS)))
    return any(start.startswith(magic) for magic in OPENERS)


def decompressed(data: bytes, name: str) -> IO[bytes]:
    """Return a stream of the bytes before compression.

    Args:
        data: All bytes.
        name: What messages call them.

    Raises:
        DataError: It is an archive of several files.
    """
    opener = next((opener for magic, opener in OPENERS.items() if data.startswith(magic)), None)
    return opener(data, name) if opener else io.BytesIO(data)


def _zip(data: bytes, name: str) -> Any:
    """Open the one file in an archive; a workbook, which is an archive too, stays packed."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = [each for each in archive.namelist() if not each.endswith("/")]
    if "[Content_Types].xml" in names:
        return io.BytesIO(data)
    if len(names) != 1:
        raise DataError(
            f"{name} is an archive of {len(names)} files.", "Unpack it and name one of them."
        )
    return archive.open(names[0])


OPENERS: dict[bytes, Callable[[bytes, str], Any]] = {
    b"\x1f\x8b": lambda data, name: gzip.GzipFile(fileobj=io.BytesIO(data)),
    b"BZh": lambda data, name: bz2.BZ2File(io.BytesIO(data)),
    b"\xfd7zXZ\x00": lambda data, name: io.BytesIO(lzma.decompress(data)),
    b"\x28\xb5\x2f\xfd": lambda data, name: pa.CompressedInputStream(io.BytesIO(data), "zstd"),
    b"PK\x03\x04": _zip,
}
