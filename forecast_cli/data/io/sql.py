"""Tables of databases, read by pandas through SQLAlchemy and never written."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa

from ...config.sections import Dialect
from ...core.errors import DataError, ForecastError, UsageError, listed, nearest
from ...core.libraries import how_to_install
from .remote import ESCAPES, first_line, masked
from .storage import neighbours
from .tables import Table, by_row, no_rows

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Select

# The databases that are recognized by the scheme of their address, with the package to install
# where SQLAlchemy does not include their dialect.
DATABASES = {
    "awsathena": "'PyAthena[SQLAlchemy]'", "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy", "clickhousedb": "clickhouse-connect",
    "cockroachdb": "sqlalchemy-cockroachdb", "databricks": "databricks-sqlalchemy",
    "db2": "ibm_db_sa", "duckdb": "duckdb-engine", "exa": "sqlalchemy-exasol",
    "hana": "sqlalchemy-hana", "hive": "'PyHive[hive]'", "impala": "impyla", "mariadb": "",
    "mssql": "", "mysql": "", "oracle": "", "postgres": "", "postgresql": "",
    "presto": "'PyHive[presto]'", "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy", "sqlite": "", "teradatasql": "teradatasqlalchemy",
    "trino": "'trino[sqlalchemy]'", "vertica": "sqlalchemy-vertica-python",
}  # fmt: skip
DATABASE = re.compile(rf"({'|'.join(DATABASES)})(\+\w+)?://")
# Drivers whose package has another name than their module.
DRIVERS = {
    "MySQLdb": "mysqlclient", "psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary",
}  # fmt: skip
# What describes the tables of a database of SQLite.
TABLE_PRAGMAS = frozenset((
    "database_list", "foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info",
    "table_list", "table_xinfo",
))  # fmt: skip
# Rows that are fetched at once, so that memory does not grow with Python objects.
BATCH = 50_000


def is_database(path: str) -> bool:
    """Whether a path is the address of a database.

    >>> is_database("sqlite:///sales.db?table=daily"), is_database("https://example.org/sales.db")
    (True, False)
    """
    return DATABASE.match(path) is not None


def load(address: str, dialect: Dialect) -> Table:
    """Read a table of a database, or the result of a query.

    Args:
        address: As SQLAlchemy writes them, with `?table=NAME` (or `schema.NAME`) where there are
            several tables and no query; or the path of a file of SQLite.
        dialect: Its query, and how numbers are written in text.

    Raises:
        DataError: The database or the table does not exist, or cannot be read.
        UsageError: Not exactly one of table and query is given, or a library is not installed.
    """
    name, query = masked(address), dialect.query
    url, table = _parse_address(address, name)
    if table is not None and query is not None:
        raise UsageError(
            f'{name} names the table "{table}", and `query` was given too.',
            "Leave one of them out.",
        )
    with _connection(url, name, query) as connection:
        chunks = pd.read_sql_query(
            _select_table(connection, name, table) if query is None else query,
            # A colon or a percent sign in a query stands for itself.
            connection.execution_options(no_parameters=query is not None),
            chunksize=BATCH,
            dtype_backend="pyarrow",
        )
        return by_row(name, _stack_chunks(chunks, name), dialect)


def _parse_address(address: str, name: str) -> tuple["URL", str | None]:
    """Return the address as SQLAlchemy expects it, and the table that it names."""
    try:
        from sqlalchemy import URL, make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError:
        raise UsageError(
            f"{name} is a database, and the library that reads databases is not installed.",
            how_to_install("sql"),
        ) from None
    if not is_database(address):
        return _open_file_read_only(URL.create("sqlite", database=address), name), None
    try:
        url = make_url(re.sub(r"^postgres(?=[+:])", "postgresql", address))
    except (ArgumentError, ValueError):
        raise UsageError(f"{name} is not a valid address.", ESCAPES) from None
    tables = url.normalized_query.get("table", ())
    if len(tables) > 1:
        raise UsageError(f"{name} names {len(tables)} tables.", "Name one, or pass `query`.")
    url = url.difference_update_query(["table"])
    if url.get_backend_name() in ("sqlite", "duckdb"):
        url = _open_file_read_only(url, name)
    return url, tables[0] if tables else None


def _open_file_read_only(url: "URL", name: str) -> "URL":
    """Return the address for reading a file, which must exist: drivers create a missing one."""
    kind = url.get_backend_name()
    if url.host or not url.database or url.database == ":memory:":
        raise UsageError(
            f"{name} names no file.",
            f"Write {kind}:///file.db, or {kind}:////folder/file.db from the root.",
        )
    if url.database.startswith("md:"):
        return url
    file = Path(unquote(url.database.removeprefix("file:")))
    file = file if url.database.startswith("file:") else Path(url.database)
    if not file.is_file():
        raise DataError(f"There is no file {file}.", neighbours(file))
    if kind == "duckdb":
        return url.update_query_dict({"access_mode": "read_only"})
    url = url.set(database=file.absolute().as_uri())
    return url.update_query_dict({"mode": "ro", "uri": "true"})


@contextmanager
def _connection(url: "URL", name: str, query: str | None) -> Iterator["Connection"]:
    """Open a connection that is rolled back at its end, and translate the database's errors."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    try:
        if url.get_dialect().is_async:
            raise UsageError(
                f"{name}: {url.get_driver_name()} is a driver for asynchronous programs.",
                f"Begin with {url.get_backend_name()}:// or name another driver.",
            )
        engine = create_engine(url, poolclass=NullPool)
        if url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _permit_reading)
        with engine.connect() as connection:
            yield connection.execution_options(postgresql_readonly=True, sqlite_raw_colnames=True)
    except ForecastError:
        raise
    except ImportError as error:
        package = DRIVERS.get(error.name or "", error.name)
        raise UsageError(
            f"{name} needs a driver that is not installed: {first_line(error)}.",
            f"pip install {package}" if package else "Install what is named.",
        ) from None
    # Some drivers raise exceptions that SQLAlchemy does not know.
    except Exception as error:
        raise _translate(url, name, query, error) from error


def _permit_reading(connection: Any, _: object) -> None:
    """Refuse what SQLite does beside reading: it could attach and create files."""
    import sqlite3 as lite

    allowed = {
        lite.SQLITE_READ, lite.SQLITE_SELECT, lite.SQLITE_FUNCTION, lite.SQLITE_RECURSIVE,
        lite.SQLITE_TRANSACTION,
    }  # fmt: skip

    def permit(action: int, first: str | None, *_: object) -> int:
        reads = action == lite.SQLITE_PRAGMA and first in TABLE_PRAGMAS
        return lite.SQLITE_OK if action in allowed or reads else lite.SQLITE_DENY

    connection.set_authorizer(permit)


def _translate(url: "URL", name: str, query: str | None, error: Exception) -> ForecastError:
    """Return our error for one of the database, without its password."""
    from sqlalchemy.exc import NoSuchModuleError, ResourceClosedError

    if isinstance(error, NoSuchModuleError):
        package = DATABASES[url.get_backend_name()]
        return UsageError(
            f"{name}: SQLAlchemy has no dialect {url.drivername}.",
            f"pip install {package}" if package else "Check what follows the +, or leave it out.",
        )
    if isinstance(error, ResourceClosedError):
        return UsageError("`query` returns no table.", "Pass one that begins with SELECT.")
    if isinstance(error, pd.errors.DatabaseError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    cause = getattr(error, "orig", None) or error
    text = str(cause.args[-1] if cause.args else cause).strip() or type(cause).__name__
    if url.password:
        text = text.replace(str(url.password), "***")
    if any(each in text for each in ("not authorized", "authorization denied")) and query:
        return UsageError(
            f"`query` does more than read {name}.", "Pass one that begins with SELECT."
        )
    asked = query is not None and getattr(error, "statement", None) is not None
    return DataError(
        f"{name} cannot be read: {masked(text.splitlines()[0]).rstrip(' .:!')}.",
        "Check `query`." if asked else "Check the address.",
    )


def _select_table(connection: "Connection", name: str, table: str | None) -> "Select[Any]":
    """Return the statement for all rows of a table or view; refuse one that is not there."""
    from sqlalchemy import inspect, select, text
    from sqlalchemy import table as table_clause
    from sqlalchemy.exc import SQLAlchemyError

    there = inspect(connection)
    names = sorted({*there.get_table_names(), *there.get_view_names()})
    if table is None and len(names) == 1:
        table = names[0]
    names = names or ["none"]
    if table is None:
        address = "to the address" if is_database(name) else f"to sqlite:///{name}"
        raise UsageError(
            f"{name} is a database, and no table in it is named.",
            f"Add ?table=NAME {address}, or pass `query`. There are: {listed(names, most=20)}.",
        )
    parted = table.rpartition(".")
    for schema, own in ((None, table), (parted[0] or None, parted[2])):
        # Some databases fail where there is no schema.
        with suppress(SQLAlchemyError):
            if there.has_table(own, schema=schema):
                return select(text("*")).select_from(table_clause(own, schema=schema))
    raise DataError(f'{name} has no table "{table}".', nearest(table, names))


def _stack_chunks(chunks: Iterable[pd.DataFrame], name: str) -> pa.Table:
    """Return the rows of all chunks; a column of several kinds is text."""
    parts: list[pa.Table] = []
    for chunk in chunks:
        if repeated := chunk.columns[chunk.columns.duplicated()].tolist():
            count = chunk.columns.tolist().count(repeated[0])
            raise DataError(
                f'{name} has {count} columns named "{repeated[0]}".',
                "Give each column its own name: SELECT a.x AS x, b.x AS y.",
            )
        if len(chunk):
            part = pa.Table.from_pandas(chunk, preserve_index=False).replace_schema_metadata()
            # pandas takes a column of missing values for text, even if it is none elsewhere.
            parts.append(pa.table({
                each: pa.nulls(len(cells)) if cells.null_count == len(cells) else cells
                for each, cells in zip(part.column_names, part.columns, strict=True)
            }))  # fmt: skip
    if not parts:
        raise no_rows(name)
    return pa.table(
        {each: _stack([part[each] for part in parts]) for each in parts[0].column_names}
    )


def _stack(parts: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Return the parts of a column as one."""
    try:
        tables = [pa.table({"": part}) for part in parts]
        return pa.concat_tables(tables, promote_options="permissive").column(0)
    except pa.ArrowException:
        return pa.chunked_array([c for part in parts for c in part.cast(pa.string()).chunks])
