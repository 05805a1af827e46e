"""Any table that can be read, opened: its columns are known, its rows come when they are wanted."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from ..config import Dialect
from ..errors import UsageError
from .csvtables import read_head, read_source
from .formats import load
from .sources import PLAIN, Source
from .tables import Readable, Table, from_frame, require_columns


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


def open_table(source: Readable, dialect: Dialect = PLAIN) -> Opened:
    """Open a table.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        dialect: How it is written, as far as that is known.

    Raises:
        DataError: There is none, or it cannot be read.
        UsageError: It is nothing that a table can be read from.
    """
    if isinstance(source, pd.DataFrame):
        return OpenedColumns(from_frame(source))
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"A table cannot be read from a {type(source).__name__}.",
            "Give a pandas DataFrame or a path; series.to_frame() makes a frame of a series.",
        )
    opened = Source(os.fspath(source), dialect)
    loaded = load(opened)
    return OpenedText(opened) if loaded is None else OpenedColumns(loaded)


def read_table(
    source: Readable,
    *,
    columns: Sequence[str] | None = None,
    text: Iterable[str] = (),
    dialect: Dialect = PLAIN,
) -> Table:
    """Open a table and read it, or only some of its columns; see `Opened.read`."""
    return open_table(source, dialect).read(columns, text)
