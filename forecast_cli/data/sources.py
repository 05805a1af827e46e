"""Where a table comes from: a file or standard input, opened as often as needed."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..errors import DataError

STDIN = "-"
DELIMITERS = ",;\t|"
HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Source:
    """A delimited text file, or standard input, which is read once and kept.

    Args:
        path: A path, or `-` for standard input.
    """

    path: str
    stdin: Any = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path == STDIN else self.path

    @cached_property
    def _piped(self) -> bytes:
        """What can be read only once: standard input, or a named pipe."""
        if self.path != STDIN:
            return Path(self.path).read_bytes()
        return bytes((self.stdin or sys.stdin.buffer).read())

    def open(self) -> pa.NativeFile:
        """A binary stream from the beginning, decompressed where the name says so (`.csv.gz`).

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        path = Path(self.path)
        if path.is_dir():
            raise DataError(f"{path} is a directory.", "Name a file in it.")
        if self.path == STDIN or (path.exists() and not path.is_file()):
            return pa.input_stream(io.BytesIO(self._piped))
        try:
            return pa.input_stream(str(path), compression="detect")
        except FileNotFoundError:
            raise DataError(f"There is no file {path}.", _neighbours(path)) from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return self.path != STDIN and Path(self.path).is_dir()

    @cached_property
    def start(self) -> bytes:
        """The first bytes, decompressed.

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        try:
            with self.open() as stream:
                return bytes(stream.read(HEAD_BYTES))
        except OSError as error:
            raise DataError(*self.broken(error)) from None

    @property
    def data(self) -> bytes:
        """All bytes, decompressed."""
        with self.open() as stream:
            return bytes(stream.read())

    @cached_property
    def head(self) -> str:
        """The first lines, whole ones only where the file is longer.

        Raises:
            DataError: The file is empty, or is not text in UTF-8.
        """
        data = self.start
        try:
            whole = data if len(data) < HEAD_BYTES else data[: data.rfind(b"\n") + 1 or None]
            text = whole.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.name} is not text in UTF-8 (byte {error.start}).",
                "Convert it first: iconv -f LATIN1 -t UTF-8 FILE.",
            ) from None
        if "\0" in text:
            raise DataError(f"{self.name} is not a text table.", "A CSV file was expected.")
        if not text.strip():
            raise DataError(
                f"{self.name} is empty.", "A header line and a row for each step are needed."
            )
        return text

    def broken(self, error: OSError) -> tuple[str, str]:
        """What to say where reading stops half-way."""
        return (
            f"{self.name} cannot be read: {error.strerror or error}.",
            "A compressed file may be cut short, or its name may say that it is one; make it anew.",
        )

    @cached_property
    def delimiter(self) -> str:
        """The delimiter that is most frequent in the header line; a comma where there is none."""
        header = re.sub(r'"[^"]*"', "", self.head.lstrip("\r\n")).splitlines()[0]
        return max(DELIMITERS, key=header.count)

    @cached_property
    def header(self) -> list[str]:
        """The names of the columns.

        Raises:
            DataError: A name stands there twice.
        """
        names = next(row for row in self.rows(self.head) if row)
        for name in names:
            if names.count(name) > 1:
                raise DataError(
                    f'{self.name} has {names.count(name)} columns named "{name}".',
                    "Give each column a name of its own.",
                )
        return names

    def rows(self, text: str) -> Iterator[list[str]]:
        """The rows of a piece of text, each a list of cells; blank lines are empty lists."""
        return csv.reader(io.StringIO(text, newline=None), delimiter=self.delimiter)

    def line(self, row: int) -> str:
        """Where a row (counted from 0, header not counted) stands, for a message."""
        number = next((line for at, line, _ in self._located() if at == row), None)
        return f"{self.name} row {row + 1}" if number is None else f"{self.name} line {number}"

    def ragged(self) -> tuple[str, int] | None:
        """Where the first row stands that is not as long as the header, and its length."""
        width = len(self.header)
        for _, line, cells in self._located():
            if len(cells) != width:
                return f"{self.name} line {line}", len(cells)
        return None

    def _located(self) -> Iterator[tuple[int, int, list[str]]]:
        """Each row with its number, counted from 0 (the header is -1), and its line, from 1."""
        with self.open() as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=None)
            reader = csv.reader(text, delimiter=self.delimiter)
            before, row = 0, -2
            for cells in reader:
                if cells:
                    row += 1
                    yield row, before + 1, cells
                before = reader.line_num


def _neighbours(path: Path) -> str:
    """What else could have been meant: the tables beside a file that is not there."""
    from difflib import get_close_matches

    folder = path.parent
    if not folder.is_dir():
        return f"There is no directory {folder} either."
    names = sorted(each.name for each in folder.iterdir() if each.is_file())
    close = get_close_matches(path.name, names, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."
