"""Where a table comes from: a file, an address or standard input, opened as often as needed."""

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...config.sections import Dialect
from ...core.errors import DataError, UsageError
from .compression import BROKEN, decompressed, is_compressed
from .encodings import decoded, find_encoding
from .remote import fetch, is_address, masked

STDIN = "-"
DELIMITERS = ",;\t|"
HEAD_BYTES = 1 << 16
# Dates and numbers, which are not names.
DATA_LIKE = re.compile(r"[-+]?\d[\d.,:/ TZ+-]*")
# Of lines so long that the head has fewer than this, so much more is read.
LEAST_LINES = 3
WIDE_BYTES = 1 << 24
# A number that can only have a decimal comma: one digit, two, or more than three after it.
DECIMAL_COMMA = re.compile(r"[-+]?\d+,(\d{1,2}|\d{4,})")
# Nothing is known of how a table is written.
PLAIN = Dialect()


@dataclass(frozen=True)
class Source:
    """A delimited text file, or an address or standard input, which are read only once.

    Args:
        path: A path, an address such as `https://...`, or `-` for standard input.
        dialect: How it is written, as far as that is known.
    """

    path: str
    dialect: Dialect = PLAIN
    stdin: Any = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path == STDIN else masked(self.path)

    @cached_property
    def _bytes(self) -> bytes:
        """All bytes as stored, of all sources but a plain file."""
        if self.is_remote:
            return fetch(self.path)
        if self.path != STDIN:
            return Path(self.path).read_bytes()
        return bytes((self.stdin or sys.stdin.buffer).read())

    def open(self) -> Any:
        """A binary stream from the beginning, decompressed.

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        path = Path(self.path)
        if self.is_folder:
            raise DataError(f"{path} is a directory.", "Name a file in it.")
        special = path.exists() and not path.is_file()
        if self.is_remote or self.path == STDIN or special:
            return decompressed(self._bytes, self.name)
        try:
            if is_compressed(path):
                return decompressed(self._bytes, self.name)
            return path.open("rb")
        except FileNotFoundError:
            raise DataError(f"There is no file {path}.", neighbours(path)) from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None

    @property
    def is_remote(self) -> bool:
        """Whether it is an address."""
        return is_address(self.path)

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

    @property
    def data(self) -> bytes:
        """All bytes, decompressed."""
        return self._read()

    def _read(self, size: int = -1) -> bytes:
        try:
            with self.open() as stream:
                return bytes(stream.read(size))
        except BROKEN as error:
            raise self.broken(error) from None

    @cached_property
    def encoding(self) -> str:
        """The encoding of the text: the one that was given, or the one that is found.

        Raises:
            DataError: It is no text.
        """
        start = self.start
        try:
            found = self.dialect.encoding or find_encoding(start)
            if found is None or decoded(start, found) is None:
                raise DataError(
                    f"{self.name} is not a text table"
                    + (f" in {self.dialect.encoding}." if self.dialect.encoding else "."),
                    "A CSV, Parquet, Feather, JSON or Excel file was expected; specify the "
                    "encoding of a text with `encoding`.",
                )
        except LookupError:
            raise UsageError(
                f'Unknown encoding "{self.dialect.encoding}".', "Try utf-8, cp949 or latin-1."
            ) from None
        return found

    @cached_property
    def head(self) -> str:
        """The first lines, whole ones only where the file is longer.

        Raises:
            DataError: The file is empty, or is no text.
        """
        start, encoding = self.start, self.encoding
        text = decoded(start, encoding) or ""
        if len(start) >= HEAD_BYTES and text.count("\n") < LEAST_LINES:
            # A header of thousands of columns.
            start = self._read(WIDE_BYTES)
            text = decoded(start, encoding) or ""
        if len(start) >= HEAD_BYTES:
            text = text[: text.rfind("\n") + 1] or text
        text = text.removeprefix("\ufeff")
        if not text.strip():
            raise DataError(
                f"{self.name} is empty.", "A header line and a row for each step are needed."
            )
        return text

    @property
    def notes(self) -> list[str]:
        """What was found out and may be wrong."""
        notes = []
        if self.dialect.encoding is None and not self.encoding.startswith("utf-8"):
            notes.append(f"text read as {self.encoding} (`encoding` specifies another)")
        if self.dialect.decimal is None and self.decimal == ",":
            notes.append("commas read as decimal marks (`decimal=.` if they are not)")
        return notes

    @cached_property
    def decimal(self) -> str:
        """The decimal mark: the one that was given, or a comma where the first lines show one."""
        if self.dialect.thousands == ".":
            return ","
        if self.dialect.decimal or self.delimiter == ",":
            return self.dialect.decimal or "."
        cells = [cell.strip() for row in self.rows(self.head) for cell in row]
        return "," if any(DECIMAL_COMMA.fullmatch(cell) for cell in cells) else "."

    def broken(self, error: Exception) -> DataError:
        """Return the error for a stream that cannot be read to its end."""
        return DataError(
            f"{self.name} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "A compressed file may be truncated; create it again.",
        )

    @cached_property
    def delimiter(self) -> str:
        """The delimiter that was given, or else the most frequent one in the header line."""
        if self.dialect.delimiter:
            return self.dialect.delimiter
        header = re.sub(r'"[^"]*"', "", self.head.lstrip("\r\n")).splitlines()[0]
        return max(DELIMITERS, key=header.count)

    @cached_property
    def header(self) -> list[str]:
        """The names of the columns.

        Raises:
            DataError: Two columns have the same name, or there is no header.
        """
        names = next(row for row in self.rows(self.head) if row)
        for name in names:
            if names.count(name) > 1:
                raise DataError(
                    f'{self.name} has {names.count(name)} columns named "{name}".',
                    "Give each column its own name.",
                )
        if all(DATA_LIKE.fullmatch(name) for name in names) and not _counted(names):
            raise DataError(
                f"{self.name} begins with {', '.join(names[:3])}: a line of data, not of names.",
                "Put a line with the names of the columns above it.",
            )
        return names

    def rows(self, text: str) -> Iterator[list[str]]:
        """The rows of a piece of text, each a list of cells; blank lines are empty lists."""
        return csv.reader(io.StringIO(text, newline=None), delimiter=self.delimiter)

    def line(self, row: int) -> str:
        """Return where a row (counted from 0, header not counted) is, for a message."""
        number = next((line for at, line, _ in self._located() if at == row), None)
        return f"{self.name} row {row + 1}" if number is None else f"{self.name} line {number}"

    def ragged(self) -> tuple[str, int] | None:
        """Return where the first row is that has not as many cells as the header, and how many."""
        width = len(self.header)
        for _, line, cells in self._located():
            if len(cells) != width:
                return f"{self.name} line {line}", len(cells)
        return None

    def _located(self) -> Iterator[tuple[int, int, list[str]]]:
        """Yield the number of each row from 0 (the header is -1), its line from 1, its cells."""
        with self.open() as stream:
            encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
            text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
            reader = csv.reader(text, delimiter=self.delimiter)
            before, row = 0, -2
            for cells in reader:
                if cells:
                    row += 1
                    yield row, before + 1, cells
                before = reader.line_num


def _counted(names: Sequence[str]) -> bool:
    """Whether names are consecutive numbers, as those of columns without names are."""
    return all(name.isdigit() for name in names) and [int(each) for each in names] == list(
        range(int(names[0]), int(names[0]) + len(names))
    )


def neighbours(path: Path) -> str:
    """Return the hint for a file that does not exist: the nearest name in its directory."""
    from difflib import get_close_matches

    folder = path.parent
    if not folder.is_dir():
        return f"There is no directory {folder} either."
    names = sorted(each.name for each in folder.iterdir() if each.is_file())
    close = get_close_matches(path.name, names, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."
