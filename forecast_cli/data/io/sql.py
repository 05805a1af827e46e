"""Tables of a database, read through SQLAlchemy and never written."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from ...config.sections import Dialect
from ...core.errors import DataError, ForecastError, UsageError, listed, nearest
from .number_formats import numerals
from .remote import masked
from .sources import neighbours
from .tables import MISSING_MARKERS, Table, no_rows

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Inspector

# The databases that are known by the first word of their address, and what to install where
# SQLAlchemy does not bring them along.
DATABASES = {
    "awsathena": "'PyAthena[SQLAlchemy]'",
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "databricks": "databricks-sqlalchemy",
    "db2": "ibm_db_sa",
    "duckdb": "duckdb-engine",
    "exa": "sqlalchemy-exasol",
    "hana": "sqlalchemy-hana",
    "hive": "'PyHive[hive]'",
    "impala": "impyla",
    "mariadb": "",
    "mssql": "",
    "mysql": "",
    "oracle": "",
    "postgres": "",
    "postgresql": "",
    "presto": "'PyHive[presto]'",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "sqlite": "",
    "teradatasql": "teradatasqlalchemy",
    "trino": "'trino[sqlalchemy]'",
    "vertica": "sqlalchemy-vertica-python",
}
DATABASE = re.compile(rf"({'|'.join(DATABASES)})(\+\w+)?://")
# Drivers whose package is not called as they are.
DRIVERS = {
    "MySQLdb": "mysqlclient",
    "psycopg": "'psycopg[binary]'",
    "psycopg2": "psycopg2-binary",
}
BATCH = 50_000
ESCAPES = "In a user's name or password, @ is written %40, : %3A and / %2F."


def is_database(path: str) -> bool:
    """Whether it is the address of a database.

    >>> is_database("sqlite:///sales.db?table=daily"), is_database("https://example.org/sales.db")
    (True, False)
    """
    return DATABASE.match(path) is not None


def load(address: str, dialect: Dialect) -> Table:
    """A table of a database, or what a query makes of it.

    Args:
        address: As SQLAlchemy writes them, with `?table=NAME` (or `schema.NAME`) where there is no
            query.
        dialect: Its query, and how numbers are written in text.

    Raises:
        DataError: The database or the table is not there, or cannot be read.
        UsageError: Not one of table and query is named, or what reads it is not installed.
    """
    name = masked(address)
    url, table = _parsed(address, name)
    if table is not None and dialect.query is not None:
        raise UsageError(
            f'{name} names the table "{table}", and --query makes another.',
            "Leave one of them out.",
        )
    with _connection(url, name, dialect.query) as connection:
        columns = _columns(_result(connection, name, table, dialect.query), name)
    return Table(
        name,
        columns,
        lambda row: f"{name} row {row + 1}",
        (*MISSING_MARKERS, *dialect.na),
        numerals(dialect.decimal, dialect.thousands),
    )


def _parsed(address: str, name: str) -> tuple["URL", str | None]:
    """The address as SQLAlchemy wants it, and the table that it names."""
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError:
        raise UsageError(
            f"{name} is a database, and what reads those is not installed.",
            "pip install 'forecast-cli[sql]'",
        ) from None
    try:
        url = make_url(re.sub(r"^postgres(?=[+:])", "postgresql", address))
    except (ArgumentError, ValueError):
        raise UsageError(f"{name} is not written as an address is.", ESCAPES) from None
    tables = url.normalized_query.get("table", ())
    if len(tables) > 1:
        raise UsageError(f"{name} names {len(tables)} tables.", "Name one, or pass --query.")
    url = url.difference_update_query(["table"])
    if url.get_backend_name() in ("sqlite", "duckdb"):
        url = _of_file(url, name)
    return url, tables[0] if tables else None


def _of_file(url: "URL", name: str) -> "URL":
    """The address of a database in a file, which must be there: it is made where it is not."""
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
    """A connection whose end undoes everything, with the errors of the database in our words."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    try:
        if url.get_dialect().is_async:
            raise UsageError(
                f"{name}: {url.get_driver_name()} is a driver for asynchronous programs.",
                f"Begin with {url.get_backend_name()}:// or name another driver.",
            )
        with create_engine(url, poolclass=NullPool).connect() as connection:
            yield connection.execution_options(postgresql_readonly=True, sqlite_raw_colnames=True)
    except ForecastError:
        raise
    except ImportError as error:
        raise _no_driver(name, error) from None
    # Some drivers have exceptions that SQLAlchemy does not know.
    except Exception as error:
        raise _failed(url, name, query, error) from error


def _no_driver(name: str, error: ImportError) -> UsageError:
    said = str(error).splitlines()[0].rstrip(".")
    package = DRIVERS.get(error.name or "", error.name)
    return UsageError(
        f"{name} needs a driver that is not installed: {said}.",
        f"pip install {package}" if package else "Install what is named.",
    )


def _failed(url: "URL", name: str, query: str | None, error: Exception) -> ForecastError:
    """What to say where the database refuses."""
    from sqlalchemy.exc import NoSuchModuleError

    if isinstance(error, NoSuchModuleError):
        package = DATABASES[url.get_backend_name()]
        return UsageError(
            f"{name}: SQLAlchemy has nothing for {url.drivername}.",
            f"pip install {package}" if package else "Check what follows the +, or leave it out.",
        )
    cause = getattr(error, "orig", None) or error
    said = str(cause.args[-1] if cause.args else cause).strip() or type(cause).__name__
    if url.password:
        said = said.replace(str(url.password), "***")
    asked = query is not None and getattr(error, "statement", None) is not None
    return DataError(
        f"{name} cannot be read: {masked(said.splitlines()[0]).rstrip(' .:!')}.",
        "Check --query." if asked else "Check the address.",
    )


def _result(
    connection: "Connection", name: str, table: str | None, query: str | None
) -> "CursorResult[Any]":
    """The rows of the table or of the query.

    Raises:
        DataError: There is no such table.
        UsageError: Neither is named, or the query asks for nothing.
    """
    from sqlalchemy import inspect

    if query is None:
        return _read_rows(connection, inspect(connection), name, table)
    # A colon or a percent sign in it stands for itself.
    result = connection.exec_driver_sql(query, execution_options={"no_parameters": True})
    if not result.returns_rows:
        raise UsageError("--query gives no table.", "Pass one that begins with SELECT.")
    return result


def _read_rows(
    connection: "Connection", there: "Inspector", name: str, table: str | None
) -> "CursorResult[Any]":
    """All rows of a table or view."""
    from sqlalchemy import select, text
    from sqlalchemy import table as table_of

    if table is None:
        raise UsageError(
            f"{name} is a database, and no table in it is named.",
            "Add ?table=NAME to the address, or pass --query. There are: "
            f"{listed(_tables(there), most=20)}.",
        )
    parted = table.rpartition(".")
    schema, own = next((each for each in ((None, table), (parted[0] or None, parted[2]))
                        if _has(there, *each)), (None, ""))  # fmt: skip
    if not own:
        raise DataError(f'{name} has no table "{table}".', nearest(table, _tables(there)))
    return connection.execute(select(text("*")).select_from(table_of(own, schema=schema)))


def _has(there: "Inspector", schema: str | None, table: str) -> bool:
    """Whether there is such a table or view; some databases complain where there is no schema."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return there.has_table(table, schema=schema)
    except SQLAlchemyError:
        return False


def _tables(there: "Inspector") -> list[str]:
    """The names of the tables and views."""
    return sorted({*there.get_table_names(), *there.get_view_names()}) or ["none"]


def _columns(result: "CursorResult[Any]", name: str) -> pa.Table:
    """Rows as columns, some rows at a time.

    Raises:
        DataError: There is no row, or a column's name stands there twice.
    """
    names = [str(each) for each in tuple(result.keys())]
    for each in names:
        if names.count(each) > 1:
            raise DataError(
                f'{name} has {names.count(each)} columns named "{each}".',
                "Give each column a name of its own: SELECT a.x AS x, b.x AS y.",
            )
    parts = [[_array(cells) for cells in zip(*rows, strict=True)]
             for rows in result.partitions(BATCH)]  # fmt: skip
    if not parts:
        raise no_rows(name)
    return pa.table(
        {
            each: _joined(chunks)
            for each, chunks in zip(names, zip(*parts, strict=True), strict=True)
        }
    )


def _array(cells: Sequence[Any]) -> pa.Array:
    """Cells as the kind that they are; as text where they are of several, or of none of ours."""
    if any(isinstance(cell, Decimal) for cell in cells):
        cells = [float(cell) if isinstance(cell, Decimal) else cell for cell in cells]
    try:
        array = pa.array(cells, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([_text(cell) for cell in cells], pa.string())
    kind = array.type
    if pa.types.is_primitive(kind) or pa.types.is_string(kind) or pa.types.is_null(kind):
        return array
    return pa.array([_text(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str | None:
    if isinstance(cell, bytes):
        return cell.decode(errors="replace")
    return None if cell is None else str(cell)


def _joined(chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    """A column whose parts may be of several kinds."""
    try:
        tables = [pa.table({"": chunk}) for chunk in chunks]
        return pa.concat_tables(tables, promote_options="permissive").column(0)
    except pa.ArrowException:
        return pa.chunked_array([chunk.cast(pa.string()) for chunk in chunks])
