"""Any table that can be read, opened: its columns are known, its rows are read when needed."""

import glob
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ...config.sections import Dialect
from ...core.arguments import shown
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note, ignore
from .csv_reader import read_head, read_source
from .formats import is_workbook, load
from .in_memory import from_memory
from .remote import is_address, masked, matching
from .sources import Source
from .sql import is_database
from .sql import load as load_from_database
from .storage import PLAIN, STDIN, still_there
from .tables import Readable, Table, require_columns, stacked
from .writer import SQLITE_FILE, begins_with

Columns = Sequence[str] | None
# The settings of lines that are no rows.
LINES = ("header", "no_header", "skip_rows", "skip_footer")
Reader = Callable[[Columns, Iterable[str]], Table]


@dataclass(frozen=True)
class Opened:
    """A table whose columns are known.

    Args:
        name: What messages call it.
        names: The names of its columns.
        head: Returns its first rows, enough to see what the columns are.
        reader: Returns some or all of its columns, see `read`.
        notes: What was found out about how it is written.
        on_event: Receives what is found out when rows are read.
        lined: Whether it is a file with lines, of which the last ones may be no rows.
    """

    name: str
    names: list[str]
    head: Callable[[], Table]
    reader: Reader
    notes: Sequence[str] = ()
    on_event: Listener = ignore
    lined: bool = False

    def read(self, columns: Columns = None, text: Iterable[str] = ()) -> Table:
        """Read all rows.

        Args:
            columns: The names of the columns to read; None for all.
            text: Columns to leave as text, e.g. dates whose form matters.

        Raises:
            DataError: It cannot be read, or a column is not in it.
        """
        with still_there(self.name):
            table = self.reader(columns, text)
        for note in table.noted.values():
            self.on_event(Note(note))
        return replace(table, on_event=self.on_event)


def open_in_memory(table: Table) -> Opened:
    """Return a table that is in memory as an opened one."""

    def read(columns: Columns, text: Iterable[str]) -> Table:
        require_columns(table.name, table.names, columns or ())
        return table.only(columns) if columns else table

    return Opened(table.name, table.names, lambda: table, read)


def _open_text(source: Source) -> Opened:
    """Open delimited text, of which only the head is read."""
    head, reader = partial(read_head, source), partial(read_source, source)
    return Opened(source.name, source.header, head, reader, source.notes, lined=True)


def _open_several(parts: Sequence[Opened]) -> Opened:
    """Open tables as one, one after the other; refuse them if their columns differ."""
    first = parts[0]
    for part in parts[1:]:
        if other := sorted(set(part.names) ^ set(first.names)):
            raise DataError(
                f"{part.name} and {first.name} have different columns: {', '.join(other)} "
                f"{'is' if len(other) == 1 else 'are'} in one of them alone.",
                "Tables that are read as one must have the same columns.",
            )
    name = f"{first.name} and {len(parts) - 1} more"

    def read(columns: Columns, text: Iterable[str]) -> Table:
        return stacked(name, [part.read(columns or first.names, list(text)) for part in parts])

    notes = dict.fromkeys(note for part in parts for note in part.notes)
    return Opened(name, first.names, first.head, read, list(notes))


def open_with_notes(source: Readable | Opened, dialect: Dialect, on_event: Listener) -> Opened:
    """Open a table, and report what was found out about how it is written; see `open_table`."""
    opened = source if isinstance(source, Opened) else open_table(source, dialect, on_event)
    for text in opened.notes:
        on_event(Note(text))
    return replace(opened, on_event=on_event)


def open_table(source: Readable, dialect: Dialect = PLAIN, on_event: Listener = ignore) -> Opened:
    """Open a table.

    Args:
        source: A path, a pattern such as `sales-*.csv`, an address such as `https://...` or that of
            a database, `-` for standard input, a table in memory (see `from_memory`), text as
            bytes, or a list of them with the same columns.
        dialect: How it is written, as far as that is known.
        on_event: Notified where much is read.

    Raises:
        DataError: There is none, or it cannot be read.
        UsageError: It is nothing that a table can be read from.
    """
    if (table := from_memory(source)) is not None:
        _refuse_query(dialect, f"A {type(source).__name__}")
        return open_in_memory(replace(table, markers=(*table.markers, *dialect.na)))
    if isinstance(source, bytes):
        # Unlike a file it is never of another format.
        _refuse_query(dialect, "A text")
        return _open_text(Source(STDIN, dialect, io.BytesIO(source), title="the table"))
    if isinstance(source, list | tuple) and source:
        return _open_several([open_table(each, dialect, on_event) for each in source])
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"A table cannot be read from {shown(source)}.",
            "Give a path, a pandas or polars frame, a series, an Arrow table or an array.",
        )
    path = os.fspath(source)
    with still_there(masked(path)):
        return _open_path(path, dialect, on_event)


def _open_path(path: str, dialect: Dialect, on_event: Listener) -> Opened:
    """Open the table at a path or an address; errors as in `open_table`."""
    if is_database(path) or begins_with(path, SQLITE_FILE):
        _refuse_text(dialect, masked(path))
        return open_in_memory(load_from_database(path, dialect))
    _refuse_query(dialect, masked(path))
    if (found := matching_files(path)) is not None:
        return open_table(found[0] if len(found) == 1 else found, dialect, on_event)
    opened = Source(path, dialect, on_event=on_event)
    loaded = load(opened)
    if loaded is None:
        return _open_text(opened)
    lined = is_workbook(opened)
    _refuse_text(dialect, opened.name, lines=lined)
    return replace(open_in_memory(loaded), lined=lined)


def _refuse_text(dialect: Dialect, name: str, *, lines: bool = False) -> None:
    """Refuse settings of text where there is none; a sheet has `lines` above and below its rows."""
    if dialect.encoding or dialect.delimiter:
        raise UsageError(
            f"{name} is no text: it has neither an encoding nor a delimiter.",
            "Leave `encoding` and `delimiter` out.",
        )
    given = [each for each in LINES if getattr(dialect, each) is not None]
    if given and not lines:
        raise UsageError(
            f"{name} is no text: it has no lines above or below its rows.",
            f"Leave `{given[0]}` out.",
        )


def _refuse_query(dialect: Dialect, name: str) -> None:
    """Refuse a query where there is no database."""
    if dialect.query is not None:
        raise UsageError(
            f"{name} is no database, so that `query` cannot be used.",
            "Leave `query` out, or name a database, such as sqlite:///sales.db.",
        )


def matching_files(path: str) -> list[str] | None:
    """Return the files that a pattern matches, in order; None where it is no pattern.

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
