"""Decompression and the encoding of text, by the first bytes of a file, not by its name."""

import bz2
import codecs
import gzip
import io
import lzma
import re
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


# Byte order marks, and the encodings that they indicate.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
KOREAN, JAPANESE, WESTERN = "cp949", "cp932", "cp1252"
LEAST_IN_USE = 0xA1
HANGUL = "[가-힣]"
# Text in Western letters may be that of a few Chinese characters, but hardly of these.
KANA = "[年月日時ぁ-んァ-ヶ]"
CHARACTERS = "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60\uffe0-\uffef]*"
CONTROL = "[\x00-\x08\x0e-\x1f]"


def find_encoding(start: bytes) -> str | None:
    """Infer the encoding of a text; None where it is no text, or unknown.

    A byte order mark decides; then UTF-8, which other text is hardly ever by coincidence; then
    UTF-16 by its zeros; then Korean where the letters beyond ASCII are mostly Hangul in use; then
    Japanese where all of them are Japanese; then Western European. General detectors take the few
    letters of a header for those of any language.

    >>> find_encoding("Größe".encode("latin-1")), find_encoding("종가".encode("cp949"))
    ('cp1252', 'cp949')
    """
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if decoded(start, "utf-8") is not None:
        return "utf-8"
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) > 0.9 * len(zeros) and decoded(start, name) is not None:
            return name
    korean = decoded(start, KOREAN)
    if korean is not None:
        foreign = "".join(letter for letter in korean if letter > "\x7f")
        # The thousands of syllables that EUC-KR has no code for are hardly ever written.
        in_use = "".join(each for each in foreign if min(each.encode(KOREAN)) >= LEAST_IN_USE)
        if 2 * len(re.findall(HANGUL, in_use)) >= len(foreign):
            return KOREAN
    japanese = decoded(start, JAPANESE)
    if japanese is not None:
        foreign = "".join(letter for letter in japanese if letter > "\x7f")
        if re.fullmatch(CHARACTERS, foreign) and re.search(KANA, foreign):
            return JAPANESE
    western = decoded(start, WESTERN)
    return None if western is None or re.search(CONTROL, western) else WESTERN


def decoded(start: bytes, encoding: str) -> str | None:
    """Decode the beginning of a text, which may end within a letter; None where that fails.

    Raises:
        LookupError: There is no such encoding.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeError:
        # UTF-16 without its mark is no UnicodeDecodeError.
        return None
    return None if "\0" in text else text
