"""Any table that can be read, opened: its columns are known, its rows come when they are wanted."""

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...config.sections import Dialect
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from .csv_reader import read_head, read_source
from .formats import load
from .in_memory import from_memory
from .remote import is_address, masked, matching
from .sources import PLAIN, Source
from .sql import is_database
from .sql import load as load_from_database
from .tables import Readable, Table, require_columns, stacked


class Opened(Protocol):
    """A table whose columns are known."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def notes(self) -> Sequence[str]:
        """What was understood and is worth saying."""

    @property
    def names(self) -> list[str]:
        """The names of its columns."""

    def head(self) -> Table:
        """Its first rows, enough to tell what the columns are."""

    def read(self, columns: Sequence[str] | None = None, text: Iterable[str] = ()) -> Table:
        """Its rows.

        Args:
            columns: The names wanted; None for all.
            text: Columns to leave as text, e.g. dates whose form matters.

        Raises:
            DataError: It cannot be read, or a column is not in it.
        """


@dataclass(frozen=True)
class OpenedText:
    """Delimited text, of which only the head was read."""

    source: Source

    @property
    def notes(self) -> list[str]:
        """What was understood and is worth saying."""
        return self.source.notes

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.source.name

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return self.source.header

    def head(self) -> Table:
        """Its first rows as text."""
        return read_head(self.source)

    def read(self, columns: Sequence[str] | None = None, text: Iterable[str] = ()) -> Table:
        """The wanted columns of all rows."""
        return read_source(self.source, columns=columns, text=text)


@dataclass(frozen=True)
class OpenedColumns:
    """A table that has types of its own, and is in memory."""

    table: Table
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.table.name

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return self.table.names

    def head(self) -> Table:
        """All of it."""
        return self.table

    def read(self, columns: Sequence[str] | None = None, text: Iterable[str] = ()) -> Table:
        """The wanted columns."""
        require_columns(self.name, self.names, columns or ())
        return self.table.only(columns) if columns else self.table


@dataclass(frozen=True)
class OpenedSeveral:
    """Tables with the same columns, one after the other."""

    parts: Sequence[Opened]

    @property
    def name(self) -> str:
        """What messages call them together."""
        return f"{self.parts[0].name} and {len(self.parts) - 1} more"

    @property
    def notes(self) -> Sequence[str]:
        """What was understood of any of them."""
        return list(dict.fromkeys(note for part in self.parts for note in part.notes))

    @property
    def names(self) -> list[str]:
        """The names of their columns.

        Raises:
            DataError: They are not the same in all of them.
        """
        first = self.parts[0]
        for part in self.parts[1:]:
            if set(part.names) != set(first.names):
                other = sorted(set(part.names) ^ set(first.names))
                raise DataError(
                    f"{part.name} has not the columns of {first.name}: {', '.join(other)} "
                    "stands in one of them alone.",
                    "Tables that are read as one have the same columns.",
                )
        return first.names

    def head(self) -> Table:
        """The first rows of the first one."""
        return self.parts[0].head()

    def read(self, columns: Sequence[str] | None = None, text: Iterable[str] = ()) -> Table:
        """The wanted columns of all."""
        text = list(text)
        tables = [part.read(columns or self.names, text) for part in self.parts]
        return stacked(self.name, tables)


def open_and_say(source: Readable, dialect: Dialect, on_event: Listener) -> Opened:
    """Open a table, and say what was understood of how it is written; see `open_table`."""
    opened = open_table(source, dialect)
    for text in opened.notes:
        on_event(Note(text))
    return opened


def open_table(source: Readable, dialect: Dialect = PLAIN) -> Opened:
    """Open a table.

    Args:
        source: A path, a pattern such as `sales-*.csv`, an address such as `https://...` or that of
            a database, `-` for standard input, a table in memory (see `from_memory`), or a list of
            them with the same columns.
        dialect: How it is written, as far as that is known.

    Raises:
        DataError: There is none, or it cannot be read.
        UsageError: It is nothing that a table can be read from.
    """
    if (table := from_memory(source)) is not None:
        _refuse_query(dialect, f"A {type(source).__name__}")
        return OpenedColumns(table)
    if isinstance(source, list | tuple) and source:
        return OpenedSeveral([open_table(each, dialect) for each in source])
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"A table cannot be read from a {type(source).__name__}.",
            "Give a path, a pandas or polars frame, a series, an Arrow table or an array.",
        )
    path = os.fspath(source)
    if is_database(path):
        _refuse_text(dialect, masked(path))
        return OpenedColumns(load_from_database(path, dialect))
    _refuse_query(dialect, masked(path))
    if (found := _matching(path)) is not None:
        return open_table(found[0] if len(found) == 1 else found, dialect)
    opened = Source(path, dialect)
    loaded = load(opened)
    if loaded is None:
        return OpenedText(opened)
    _refuse_text(dialect, opened.name)
    return OpenedColumns(loaded)


def _refuse_text(dialect: Dialect, name: str) -> None:
    """Refuse what is said of a text where there is none."""
    if dialect.encoding or dialect.delimiter:
        raise UsageError(
            f"{name} is no text: it has neither an encoding nor a delimiter.",
            "Leave --encoding and --delimiter out.",
        )


def _refuse_query(dialect: Dialect, name: str) -> None:
    """Refuse a query where there is no database."""
    if dialect.query is not None:
        raise UsageError(
            f"{name} is no database: --query asks it nothing.",
            "Leave --query out, or name a database, such as sqlite:///sales.db.",
        )


def _matching(path: str) -> list[str] | None:
    """The files that a pattern matches, in order; None where it is no pattern.

    Raises:
        DataError: There is none.
    """
    if is_address(path):
        return matching(path)
    if not glob.has_magic(path) or os.path.exists(path):
        return None
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise DataError(f"No file matches {path}.", "Check the pattern.")
    return found


def read_table(
    source: Readable,
    *,
    columns: Sequence[str] | None = None,
    text: Iterable[str] = (),
    dialect: Dialect = PLAIN,
) -> Table:
    """Open a table and read it, or only some of its columns; see `Opened.read`."""
    return open_table(source, dialect).read(columns, text)
