"""A table as delimited text: its encoding, its names, and the lines that hold its rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...core.errors import DataError, UsageError
from .body import Line
from .compression import decoded, find_encoding, is_compressed
from .footer import MOST_LINES as LAST_LINES
from .footer import Rows, count_footer, describe_footer
from .header import MOST_LINES, Header, find_header
from .storage import HEAD_BYTES, STDIN, TAIL_BYTES, Stored

DELIMITERS = ",;\t|"
# Of lines so long that the head has fewer than this, so much more is read.
LEAST_LINES = 3
MOST_COLUMNS = 100_000
WIDE_BYTES = 1 << 24
UTF16 = "utf-16"
SEPARATOR = re.compile(r"\s*\"?sep=(.)\"?\s*(\r|\n|$)", re.IGNORECASE)
# A number that can only have a decimal comma: one digit, two, or more than three after it.
DECIMAL_COMMA = re.compile(r"[-+]?\d+,(\d{1,2}|\d{4,})")
# What may be thousands with a point, and what is less than a thousand.
GROUPED, SMALL = re.compile(r"-?[1-9]\d{0,2}\.\d{3}"), re.compile(r"-?\d{1,3}")
LEAST_GROUPED = 5
POINT_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}\b")


@dataclass(frozen=True)
class Source(Stored):
    """A table as delimited text: its encoding, its names, and the lines that hold its rows."""

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
        notes += [*self.top.notes, *([describe_footer(self.footer)] * bool(self.footer))]
        if self.path == STDIN and self.stdin is None and self.unended:
            notes.append(
                "standard input ends without a newline: where it was cut off, the last row is not "
                f'whole: "{self.unended[:80]}"'
            )
        return notes

    @cached_property
    def decimal(self) -> str:
        """The decimal mark: the one that was given, or a comma where the first lines show one."""
        if self.dialect.thousands == ".":
            return ","
        if self.dialect.decimal or self.delimiter == ",":
            return self.dialect.decimal or "."
        cells = [cell.strip() for row in numbered(self.rows(self.head)) for cell in row.cells]
        return "," if any(DECIMAL_COMMA.fullmatch(cell) for cell in cells) else "."

    @cached_property
    def ambiguous(self) -> frozenset[str]:
        """The columns whose points may separate thousands: 1.007 beside 950, or beside 31.12.2024.

        A point stands before three digits in all of them, where decimals have any number.
        """
        if self.decimal != "." or self.dialect.decimal or self.dialect.thousands:
            return frozenset()
        rows = [line.cells for line in numbered(self.rows(self.head))][self.top.skipped :]
        columns = dict(zip(self.header, zip_longest(*rows, fillvalue=""), strict=False))
        german = self.delimiter == ";" and any(
            POINT_DATE.match(cell.strip()) for cells in columns.values() for cell in cells[:1]
        )
        return frozenset(
            name for name, cells in columns.items() if _may_be_grouped(cells, german=german)
        )

    @cached_property
    def delimiter(self) -> str:
        """The delimiter that was given, or the one that divides most lines into as many cells."""
        if self.dialect.delimiter:
            return self.dialect.delimiter
        if found := SEPARATOR.match(self.head):
            return found[1]
        outside = re.sub(r'"[^"]*"', "", self.head.strip("\r\n"))
        lines = outside.splitlines()[:MOST_LINES] or [outside]
        first = max(DELIMITERS, key=lines[0].count)
        shares = {each: _share(each, lines) for each in DELIMITERS}
        # Commas in most lines may be decimal marks.
        best = max(DELIMITERS, key=lambda each: (shares[each], each != ","))
        return first if shares[first] == 1 or shares[first] > shares[best] else best

    @cached_property
    def lines(self) -> list[Line]:
        """The first lines, taken apart."""
        return list(islice(numbered(self.rows(self.head)), MOST_LINES))

    @cached_property
    def top(self) -> Header:
        """The names of the columns, and where the rows begin.

        Raises:
            DataError: There are none, or it is unclear which line holds them.
        """
        if SEPARATOR.match(self.head) and self.dialect.header is None:
            found = find_header(self.lines[1:], self.dialect, self.name)
            note = f'the first line, "{self.head.split()[0]}", gives the delimiter'
            return replace(found, notes=(note, *found.notes), plain=False)
        return find_header(self.lines, self.dialect, self.name)

    @cached_property
    def header(self) -> list[str]:
        """The names of the columns.

        Raises:
            DataError: Two columns have the same name, or there is no header.
        """
        names = self.top.names
        if len(names) > MOST_COLUMNS:
            raise DataError(
                f"{self.name} has {len(names):,} columns, more than {MOST_COLUMNS:,}.",
                "Check `delimiter`, or split the table.",
            )
        for name, count in Counter(names).items():
            if count > 1:
                raise DataError(
                    f'{self.name} has {count} columns named "{name[:200]}".',
                    "Give each column its own name.",
                )
        return names

    @property
    def is_short(self) -> bool:
        """Whether the head is the whole table."""
        return len(self.start) < HEAD_BYTES

    @cached_property
    def _last_lines(self) -> str:
        """The end of the text, as far as it is looked at; empty where it cannot be read as text."""
        if self.is_short:
            return self.head
        end = self.end
        if self.encoding.startswith(UTF16):
            return ""
        try:
            return end[end.find(b"\n") + 1 :].decode(self.encoding)
        except UnicodeDecodeError:
            return ""

    @property
    def unended(self) -> str:
        """The last line, where no newline ends it, as where a stream is cut off; else empty."""
        last = re.split(r"[\r\n]", self._last_lines)[-1]
        return last if last.strip() else ""

    @cached_property
    def _tail(self) -> list[tuple[str, Line]]:
        """The last lines as written and taken apart; none where that is not certain."""
        lines = list(io.StringIO(self._last_lines, newline=""))
        while lines and not lines[-1].strip():
            lines.pop()
        lines = lines[-LAST_LINES:]
        if any(line.count('"') % 2 for line in lines):
            return []
        cells = [next(csv.reader([line], delimiter=self.delimiter), []) for line in lines]
        return [(line, Line(0, 0, own)) for line, own in zip(lines, cells, strict=True)]

    @cached_property
    def footer(self) -> list[Line]:
        """The lines at the end that are no rows: totals, sources, notes."""
        tail = self._tail
        count = self.dialect.skip_footer
        if count is None:
            rows = [line for line in self.lines if line.before >= self.top.skipped and line.filled]
            total = len(rows) if self.is_short and len(self.lines) < MOST_LINES else None
            count = count_footer(Rows(self.top.names, rows), [line for _, line in tail], total)
        return [line for _, line in tail[len(tail) - count :]] if count else []

    @property
    def content(self) -> Any:
        """A stream of the table without its footer, as Arrow reads it fastest."""
        if not self.footer:
            return self.native()
        cut = "".join(text for text, _ in self._tail[-len(self.footer) :])
        if self.encoding.startswith(UTF16):
            text = self.data.decode(self.encoding)
            return pa.BufferReader(text[: text.rindex(cut)].encode(self.encoding))
        path = Path(self.path)
        plain = path.is_file() and not is_compressed(path)
        data = pa.memory_map(self.path).read_buffer() if plain else pa.py_buffer(self.data)
        end = max(len(data) - 2 * TAIL_BYTES - HEAD_BYTES, 0)
        encoding = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        size = end + data[end:].to_pybytes().rindex(cut.encode(encoding))
        return pa.BufferReader(data[:size])

    def rows(self, text: str) -> Any:
        """The rows of a piece of text, each a list of cells; blank lines are empty lists."""
        return csv.reader(io.StringIO(text, newline=None), delimiter=self.delimiter)

    def line(self, row: int) -> str:
        """Return where a row (counted from 0, header not counted) is, for a message."""
        number = next((line for at, line, _ in self._located() if at == row), None)
        return f"{self.name} row {row + 1}" if number is None else f"{self.name} line {number}"

    def refuse_open_quote(self) -> None:
        """Refuse a table that ends within a quoted cell, which is read as if it were whole.

        Raises:
            DataError: It does.
        """
        start = re.escape(self.delimiter)
        if re.search(rf'(^|{start})\s*"[^"]*(""[^"]*)*$', self.unended):
            raise DataError(
                f"{self.name} ends within a quoted cell: {self.unended[-80:]}.",
                "It may have been cut off: close the quote, or write the table again.",
            )

    def ragged(self) -> tuple[str, int] | None:
        """Return where the first row is that has not as many cells as the header, and how many."""
        width = len(self.header)
        for _, line, cells in self._located():
            if len(cells) != width:
                return f"{self.name} line {line}", len(cells)
        return None

    def cut_off(self, cells: int) -> bool:
        """Whether the last line, which no newline ends, has so many cells."""
        return bool(self.unended) and len(next(iter(self.rows(self.unended)), [])) == cells

    def _located(self) -> Iterator[tuple[int, int, list[str]]]:
        """Yield the number of each row from 0, its line from 1, its cells."""
        skipped = self.top.skipped
        with self.open() as stream:
            encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
            text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
            lines = numbered(csv.reader(text, delimiter=self.delimiter))
            rows = (line for line in lines if line.cells and line.before >= skipped)
            for row, line in enumerate(rows):
                yield row, line.before + 1, line.cells


def numbered(reader: Any) -> Iterator[Line]:
    """Yield the rows of a `csv.reader` with the lines before them and up to their end."""
    before = 0
    try:
        for cells in reader:
            yield Line(before, reader.line_num, cells)
            before = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"The table cannot be read from line {before + 1} on: {error}.",
            "A quote may not be closed, or the lines may be no rows: fix the file.",
        ) from None


def _share(delimiter: str, lines: Sequence[str]) -> float:
    """Return the share of the lines in which a delimiter occurs as often as in most."""
    counts = Counter(line.count(delimiter) for line in lines)
    counts.pop(0, None)
    return max(counts.values(), default=0) / len(lines)


def _may_be_grouped(cells: Sequence[str], *, german: bool) -> bool:
    """Whether points in the first cells of a column may separate thousands.

    A `german` table is written as where the comma is the decimal mark.
    """
    held = [cell.strip() for cell in cells if re.search(r"\d", cell)]
    grouped = sum(map(bool, map(GROUPED.fullmatch, held)))
    small = sum(map(bool, map(SMALL.fullmatch, held)))
    whole = grouped >= LEAST_GROUPED and grouped + small == len(held)
    return whole and (german or small > 0)
