"""Where a table comes from: a file or standard input, opened as often as needed."""

import csv
import io
import sys
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
        return bytes((self.stdin or sys.stdin.buffer).read())

    def open(self) -> pa.NativeFile:
        """A binary stream from the beginning, decompressed where the name says so (`.csv.gz`).

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        if self.path == STDIN:
            return pa.input_stream(io.BytesIO(self._piped))
        path = Path(self.path)
        if path.is_dir():
            raise DataError(f"{path} is a directory.", "Name a file in it.")
        try:
            return pa.input_stream(str(path), compression="detect")
        except FileNotFoundError:
            raise DataError(f"There is no file {path}.", _neighbours(path)) from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None

    @cached_property
    def head(self) -> str:
        """The first lines, whole ones only where the file is longer.

        Raises:
            DataError: The file is empty, or is not text in UTF-8.
        """
        with self.open() as stream:
            data: bytes = stream.read(HEAD_BYTES)
        try:
            text = data[: data.rfind(b"\n") + 1 or None].decode("utf-8-sig")
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

    @cached_property
    def delimiter(self) -> str:
        """The delimiter that is most frequent in the header line; a comma where there is none."""
        header = self.head.lstrip().splitlines()[0]
        return max(DELIMITERS, key=header.count)

    @cached_property
    def header(self) -> list[str]:
        """The names of the columns.

        Raises:
            DataError: A name stands there twice.
        """
        names = next(
            row for row in csv.reader(io.StringIO(self.head), delimiter=self.delimiter) if row
        )
        for name in names:
            if names.count(name) > 1:
                raise DataError(
                    f'{self.name} has {names.count(name)} columns named "{name}".',
                    "Give each column a name of its own.",
                )
        return names

    def line(self, row: int) -> str:
        """Where a row (counted from 0, header not counted) stands, for a message."""
        with self.open() as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
            reader = csv.reader(text, delimiter=self.delimiter)
            before, seen = 0, -2
            for cells in reader:
                seen += bool(cells)
                if seen == row:
                    return f"{self.name} line {before + 1}"
                before = reader.line_num
        return f"{self.name} row {row + 1}"


def _neighbours(path: Path) -> str:
    """What else could have been meant: the tables beside a file that is not there."""
    from difflib import get_close_matches

    folder = path.parent
    if not folder.is_dir():
        return f"There is no directory {folder} either."
    names = sorted(each.name for each in folder.iterdir() if each.is_file())
    close = get_close_matches(path.name, names, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."
