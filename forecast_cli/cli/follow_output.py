"""Where `forecast predict --follow` writes: lines that are added to stdout or to a file."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ..core.brief import visible
from ..core.errors import UsageError
from ..data.io.remote import is_address
from ..data.io.writer import COMPRESSED, guess_format, is_unknown, plain
from ..model.file_writing import unwritable
from .predict_options import PredictOptions

WRITTEN = ("csv", "tsv", "jsonl")
DIALECTS = {"csv": "excel", "tsv": "excel-tab"}


class LineWriter:
    """Writes entries, and flushes them at once."""

    def __init__(self, file: TextIO, form: str, columns: Sequence[str], tail: bytes = b"") -> None:
        """Write to an open file; `tail` is the last byte of what it holds already."""
        self.file, self.columns, self.tail = file, columns, tail
        self.table: Any = None
        if form in DIALECTS:
            self.table = csv.writer(file, DIALECTS[form], lineterminator="\n")

    def begin(self) -> None:
        """Write the header, unless it is there; end a line that was cut off, as by a full disk."""
        if self.tail:
            self.file.write("" if self.tail == b"\n" else "\n")
        elif self.table is not None:
            self.table.writerow(self.columns)
        self.file.flush()

    def write(self, entries: list[dict[str, Any]]) -> None:
        """Write entries in lines."""
        if self.table is None:
            text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in entries)
            self.file.write(text)
        else:
            self.table.writerows([_cell(value) for value in each.values()] for each in entries)
        self.file.flush()


@contextmanager
def open_writer(output: str, form: str, columns: Sequence[str]) -> Iterator[LineWriter]:
    """Open stdout, or a file to append to.

    Raises:
        UsageError: The file cannot be written, or holds a table of other columns.
    """
    if output == "-":
        yield LineWriter(sys.stdout, form, columns)
        return
    path = Path(output)
    try:
        tail = _last_byte(path)
        if tail and form in DIALECTS:
            _check_header(path, form, columns)
        file = open(path, "a", encoding="utf-8", newline="")  # noqa: SIM115
    except OSError as error:
        raise UsageError(*unwritable(path, error)) from None
    with file:
        yield LineWriter(file, form, columns, tail)


def _last_byte(path: Path) -> bytes:
    """Return the last byte of a file; none of a pipe, a device, or what does not exist."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 1, 0))
        return file.read(1)


def _check_header(path: Path, form: str, columns: Sequence[str]) -> None:
    """Refuse to add lines to a table of other columns."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        found = next(csv.reader([file.readline(1_000_000)], DIALECTS[form]), [])
    if found != list(columns):
        raise UsageError(
            f"{path} has the columns {visible(', '.join(found))}; the lines to append have "
            f"{visible(', '.join(columns))}.",
            "Name another file with -o.",
        )


def _cell(value: Any) -> Any:
    """Return a value as a cell of CSV, numbers without exponents."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return value
    text = repr(value)
    return plain(value) if "e" in text else text.removesuffix(".0")


def choose_form(options: PredictOptions) -> str:
    """Return the format of the output.

    Raises:
        UsageError: It cannot be written line by line.
    """
    output = options.output
    if is_address(output):
        raise UsageError("--follow writes to files and standard output.", "Name a file with -o.")
    if options.format is None and output != "-" and is_unknown(output):
        raise UsageError(
            f"{output}: unsupported output format {''.join(Path(output).suffixes[-2:])}.",
            f"Name a file that ends with .{', .'.join(WRITTEN)}; or pass --format.",
        )
    form = options.format or guess_format(output) or "csv"
    packed = output.lower().endswith(COMPRESSED)
    if form not in WRITTEN or packed:
        raise UsageError(
            f"--follow writes line by line, and {'compressed' if packed else form} output is not.",
            f"Choose a --format of {', '.join(WRITTEN)}.",
        )
    return form
