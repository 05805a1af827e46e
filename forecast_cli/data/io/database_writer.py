"""Forecasts written into a table of a SQLite database, beside those that it has."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import parse_qsl, unquote

from ...core.errors import DataError, UsageError, listed, nearest
from .remote import is_address, masked

if TYPE_CHECKING:
    import sqlite3

    import pandas as pd

# What becomes of rows that are there: those of the same forecast are replaced, or those of the
# same time by whatever forecast, or none.
Mode = Literal["update", "latest", "append"]
SCHEME = "sqlite:///"
EXAMPLE = "sqlite:///FILE.db?table=NAME"
# Seconds to wait for another program that writes.
PATIENCE = 30.0


@dataclass(frozen=True)
class DatabaseTable:
    """A table to write to.

    Args:
        path: Of the database.
        table: Its name.
        mode: What becomes of rows that are there.
    """

    path: Path
    table: str
    mode: Mode = "update"


def parse_target(address: str) -> DatabaseTable | None:
    """Return the table that an address names; None for the path of a file.

    >>> parse_target("sqlite:///f.db?table=forecasts&mode=latest").mode, parse_target("f.csv")
    ('latest', None)

    Raises:
        UsageError: It is an address of something else, or names no table.
    """
    if not is_address(address):
        return None
    name = masked(address)
    if not address.startswith(SCHEME):
        raise UsageError(
            f"{name} cannot be written: forecasts are written to files and SQLite databases.",
            f"Name a file, or {EXAMPLE}, or for forecast predict a folder such as "
            "s3://bucket/forecasts/; or send standard output to a client of the database.",
        )
    path, _, query = address.removeprefix(SCHEME).partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := [each for each in given if each not in ("table", "mode")]:
        raise UsageError(f'{name}: unknown part "{unknown[0]}".', nearest(unknown[0], KNOWN))
    table, mode = given.get("table", ""), given.get("mode", "update")
    if not path or not table:
        raise UsageError(f"{name} names no {'table' if path else 'file'}.", f"Write {EXAMPLE}.")
    if mode not in get_args(Mode):
        raise UsageError(f'{name}: invalid mode "{mode}".', nearest(mode, get_args(Mode)))
    return DatabaseTable(Path(unquote(path)), table, mode)  # type: ignore[arg-type]


KNOWN = ("table", "mode")


def write_rows(frame: "pd.DataFrame", target: DatabaseTable, keys: Sequence[str]) -> int:
    """Write rows into a table, which is created where there is none; all of them or none.

    Args:
        frame: The rows.
        target: Where to.
        keys: The columns by which a row of the table is one of these; none to replace no row.

    Returns:
        How many rows of the table were replaced.

    Raises:
        DataError: The file is no database, or the table lacks a column.
        UsageError: It cannot be written.
    """
    import sqlite3

    if not target.path.absolute().parent.is_dir():
        raise UsageError(f"There is no directory {target.path.parent}.", "Create it first.")
    try:
        with closing(sqlite3.connect(target.path, timeout=PATIENCE)) as database:
            database.isolation_level = None
            database.execute("BEGIN IMMEDIATE")
            replaced = _merge(database, frame, target, keys)
            database.execute("COMMIT")
            return replaced
    except sqlite3.Error as error:
        text = f"{target.path} cannot be written: {error}."
        if "not a database" in str(error):
            raise UsageError(text, "Name another file.") from None
        raise UsageError(text, "Try again, or name another file or table.") from None


def _merge(
    database: "sqlite3.Connection",
    frame: "pd.DataFrame",
    target: DatabaseTable,
    keys: Sequence[str],
) -> int:
    """Put rows into the table in place of those with the same keys; return how many these were."""
    name, columns = _quoted(target.table), [_quoted(each) for each in frame]
    _require_columns(database, frame, target)
    database.execute(f"CREATE TABLE IF NOT EXISTS {name} ({_declared(frame)})")
    database.execute(f"CREATE TEMP TABLE new ({_declared(frame)})")
    marks = ", ".join("?" * len(columns))
    rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
    database.executemany(f"INSERT INTO temp.new VALUES ({marks})", rows)
    replaced = 0
    if keys:
        chosen = [_quoted(each) for each in keys]
        database.execute(f"CREATE INDEX temp.by_key ON new ({', '.join(chosen)})")
        same = " AND ".join(f"new.{each} = there.{each}" for each in chosen)
        gone = database.execute(
            f"DELETE FROM main.{name} AS there WHERE EXISTS "
            f"(SELECT 1 FROM temp.new AS new WHERE {same})"
        )
        replaced = gone.rowcount
    database.execute(
        f"INSERT INTO main.{name} ({', '.join(columns)}) SELECT * FROM temp.new ORDER BY rowid"
    )
    return replaced


def _require_columns(
    database: "sqlite3.Connection", frame: "pd.DataFrame", target: DatabaseTable
) -> None:
    """Refuse a table that is there and lacks a column of the rows."""
    about = database.execute(f"PRAGMA main.table_info({_quoted(target.table)})")
    there = [name for _, name, *_ in about]
    folded = {each.casefold() for each in there}
    if missing := [str(each) for each in frame if str(each).casefold() not in folded and there]:
        raise DataError(
            f'The table "{target.table}" of {target.path} has no column {listed(missing)}.',
            f"Name another table, or add the column. There are: {listed(there, most=20)}.",
        )


def _declared(frame: "pd.DataFrame") -> str:
    """Return the columns of a table for such rows, with their types."""
    kinds = {"f": "REAL", "i": "INTEGER", "u": "INTEGER", "b": "INTEGER"}
    return ", ".join(
        f"{_quoted(name)} {kinds.get(getattr(frame[name].dtype, 'kind', 'O'), 'TEXT')}"
        for name in frame
    )


def _quoted(name: object) -> str:
    """Return a name as SQL writes it.

    >>> _quoted("sales of 2024")
    '"sales of 2024"'
    """
    return '"' + str(name).replace('"', '""') + '"'
