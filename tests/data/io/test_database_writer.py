"""Rows written into a table of a SQLite database."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io.database_writer import (
    DatabaseTable,
    parse_target,
    write_rows,
)

KEYS = ["shop", "cutoff", "day"]
ROWS = st.dictionaries(st.tuples(*[st.sampled_from("abc")] * 3), st.floats(-9, 9), max_size=9)


def frame(rows) -> pd.DataFrame:
    made = pd.DataFrame([(*key, each) for key, each in rows.items()], columns=[*KEYS, "sales"])
    return made.astype({"sales": float})


def read(path, table="forecasts"):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f'SELECT * FROM "{table}"').fetchall()


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_it_holds_the_latest_row_of_every_key(tmp_path_factory, parts):
    target = DatabaseTable(tmp_path_factory.mktemp("db") / "f.db", "forecasts")
    known = {}
    for rows in parts:
        replaced = write_rows(frame(rows), target, KEYS)
        assert replaced == len({*rows} & {*known})
        known |= rows
    assert sorted(read(target.path)) == sorted((*key, each) for key, each in known.items())


def test_without_keys_rows_are_appended(tmp_path):
    target, rows = DatabaseTable(tmp_path / "f.db", 'the "table"'), frame({("a", "b", "c"): 1.5})
    assert write_rows(rows, target, []) == write_rows(rows, target, []) == 0
    assert read(target.path, 'the ""table""') == [("a", "b", "c", 1.5)] * 2


def test_a_missing_value_is_null_and_other_columns_and_tables_stay(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE forecasts (note, sales, day, cutoff, shop)")
        database.execute("CREATE TABLE other AS SELECT 1 AS one")
        database.commit()
    write_rows(frame({("a", "b", "c"): float("nan")}), DatabaseTable(path, "forecasts"), KEYS)
    assert read(path) == [(None, None, "c", "b", "a")] and read(path, "other") == [(1,)]


def test_nothing_is_written_where_a_column_is_missing(tmp_path):
    target, rows = DatabaseTable(tmp_path / "f.db", "forecasts"), frame({("a", "b", "c"): 1.0})
    write_rows(rows, target, KEYS)
    with pytest.raises(DataError, match=r"has no column sales_lo80.*There are: shop, cutoff, day"):
        write_rows(rows.assign(sales_lo80=0.0), target, KEYS)
    assert len(read(target.path)) == 1


def test_what_is_no_database_or_has_no_folder_is_refused(tmp_path):
    file = tmp_path / "model.forecast"
    file.write_bytes(b"PK" + bytes(2000))
    rows = frame({("a", "b", "c"): 1.0})
    with pytest.raises(UsageError, match="not a database"):
        write_rows(rows, DatabaseTable(file, "forecasts"), KEYS)
    assert file.read_bytes() == b"PK" + bytes(2000)
    with pytest.raises(UsageError, match="no directory"):
        write_rows(rows, DatabaseTable(tmp_path / "none" / "f.db", "forecasts"), KEYS)


def test_addresses():
    assert parse_target("forecast.csv") is None and parse_target("-") is None
    target = DatabaseTable(Path("/a b/f.db"), "daily sales", "append")
    assert parse_target("sqlite:////a%20b/f.db?table=daily+sales&mode=append") == target
    assert parse_target("sqlite:///f.db?table=t") == DatabaseTable(Path("f.db"), "t")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:///f.db", "names no table"),
        ("sqlite:///?table=t", "names no file"),
        ("sqlite:///f.db?table=t&mode=latst", 'Did you mean "latest"'),
        ("sqlite:///f.db?tabel=t", 'Did you mean "table"'),
        ("postgresql://ann:secret@host/db?table=t", "files and SQLite databases"),
        ("https://ann:secret@host/f.csv?token=secret", "files and SQLite databases"),
    ],
)
def test_other_addresses_are_refused_without_their_secrets(address, said):
    with pytest.raises(UsageError, match=said) as caught:
        parse_target(address)
    assert "secret" not in str(caught.value)
