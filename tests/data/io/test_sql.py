"""Tables of databases: real SQLite files, and addresses that lead nowhere."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from forecast_cli.config.sections import Data, Dialect
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io import sql
from forecast_cli.data.io.opening import open_table
from forecast_cli.data.reading import read_panel

TABLES = """
create table daily (day text, value real, name text, "a.b" integer);
insert into daily values ('2024-01-01', 1.5, 'a', 1), ('2024-01-02', 2, 'b', null),
  ('2024-01-03', 3.25, null, 3), ('2024-01-04', null, 'd', 4);
create table mixed (n, t);
insert into mixed values (1, 'x'), (2.5, 3), ('n/a', x'616263');
create table "odd.name ?" (y); insert into "odd.name ?" values (7);
create table bare (y);
create view large as select day, value from daily where value > 2;
"""


@pytest.fixture
def database(tmp_path, monkeypatch):
    """A file with some tables, beside which the test runs."""
    monkeypatch.chdir(tmp_path)
    connection = sqlite3.connect("sales.db")
    connection.executescript(TABLES)
    connection.close()
    return tmp_path / "sales.db"


def read(address, query=None):
    return open_table(address, Dialect(query=query)).read()


def test_a_file_needs_no_address_and_its_only_table_no_name(database):
    assert read("sales.db", "select * from daily").columns.num_rows == 4
    connection = sqlite3.connect("a b?c%20.sqlite")
    connection.execute("create table none as select 1 as y, 2 as x")
    connection.commit()
    connection.close()
    table = read("a b?c%20.sqlite")
    assert table.names == ["y", "x"]
    assert table.place(0) == "a b?c%20.sqlite row 1"


def failure(kind, address, query=None):
    with pytest.raises(kind) as error:
        read(address, query)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_table_keeps_its_kinds_and_names_its_rows(database):
    table = read("sqlite:///sales.db?table=daily")
    assert table.names == ["day", "value", "name", "a.b"]
    kinds = [pa.string(), pa.float64(), pa.string(), pa.int64()]
    assert table.columns.schema.types == kinds
    assert table.columns["value"].to_pylist() == [1.5, 2, 3.25, None]
    assert table.columns["a.b"].to_pylist() == [1, None, 3, 4]
    assert table.place(2) == "sqlite:///sales.db?table=daily row 3"


def test_a_query_makes_a_table(database):
    query = (
        "select day, sum(value) as total, '5 % :x' as \"%\" from daily group by 1 having day < ?"
    )
    table = read("sqlite:///sales.db", query.replace("?", "'2024-01-04'"))
    assert table.names == ["day", "total", "%"]
    assert table.numbers("total").tolist() == [1.5, 2, 3.25]
    assert table.columns["%"][0].as_py() == "5 % :x"


def test_a_table_becomes_a_panel(database):
    for address, query in (
        ("sqlite:///sales.db?table=daily&timeout=3", None),
        (f"sqlite:///{database}", "select * from daily order by day"),
    ):
        panel = read_panel(address, Data(column=("value",), query=query, missing="interpolate"))
        assert len(panel.values) == 4
        assert panel.timeline.times[0] == pd.Timestamp("2024-01-01")


@pytest.mark.parametrize("name", ["daily", "DAILY", "main.daily", "large", "odd.name ?"])
def test_a_table_is_named_with_or_without_its_schema(database, name):
    address = f"sqlite:///sales.db?table={name.replace(' ', '+').replace('?', '%3F')}"
    assert read(address).columns.num_rows > 0


def test_a_file_under_any_name_is_opened(database):
    database.rename(database.with_name("a b#.db"))
    assert read("sqlite:///a b#.db?table=daily").columns.num_rows == 4


def test_cells_of_several_kinds_are_text(database):
    table = read("sqlite:///sales.db?table=mixed")
    assert table.columns["n"].to_pylist() == ["1", "2.5", "n/a"]
    assert table.columns["t"].to_pylist() == ["x", "3", "abc"]
    assert table.numbers("n")[:2].tolist() == [1, 2.5]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_kinds_do_not_depend_on_the_batches(database, monkeypatch, batch):
    whole = {name: read(f"sqlite:///sales.db?table={name}") for name in ("daily", "mixed")}
    monkeypatch.setattr(sql, "BATCH", batch)
    for name, table in whole.items():
        again = read(f"sqlite:///sales.db?table={name}").columns
        assert again.combine_chunks().equals(table.columns.combine_chunks())


@pytest.mark.parametrize(
    ("cells", "kind", "kept"),
    [
        ("1, null", pa.int64(), [1, None]),
        ("1.5, 2, null", pa.float64(), [1.5, 2, None]),
        ("null, null", pa.null(), [None, None]),
        ("'ab', null", pa.string(), ["ab", None]),
        ("x'6162', null", pa.string(), ["ab", None]),
        ("'2024-01-02', 3", pa.string(), ["2024-01-02", "3"]),
        ("9223372036854775807, 0.5", pa.float64(), [2.0**63, 0.5]),
    ],
)
def test_cells_become_the_kind_that_they_are(database, cells, kind, kept):
    column = read(
        "sqlite:///sales.db", f"select {' union all select '.join(cells.split(', '))} "
    ).columns
    assert (column.column(0).type, column.column(0).to_pylist()) == (kind, kept)


def test_without_a_table_those_that_are_there_are_listed(database):
    said = failure(UsageError, "sqlite:///sales.db")
    assert "no table in it is named. Add ?table=NAME" in said
    assert said.endswith("There are: bare, daily, large, mixed, odd.name ?.")


def test_an_unknown_table_names_the_nearest(database):
    said = failure(DataError, "sqlite:///sales.db?table=dayly")
    assert 'has no table "dayly". Did you mean "daily"? There are: bare, daily' in said
    assert 'has no table "no.daily"' in failure(DataError, "sqlite:///sales.db?table=no.daily")


@pytest.mark.parametrize(
    ("address", "query", "said"),
    [
        ("sqlite:///sales.db?table=daily", "select 1", 'names the table "daily", and `query`'),
        ("sqlite:///sales.db?table=a&table=b", None, "names 2 tables"),
        ("sqlite:///sales.db", "", "`query` returns no table"),
        ("sqlite://sales.db?table=daily", None, "names no file. Write sqlite:///file.db"),
        ("sqlite:///:memory:?table=daily", None, "names no file"),
        ("sales.csv", "select 1", "sales.csv is no database, so that `query` cannot be used"),
        (
            "sales.db",
            None,
            "no table in it is named. Add ?table=NAME to sqlite:///sales.db, or pass",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(database, address, query, said):
    assert said in failure(UsageError, address, query)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select nope from daily", "cannot be read: no such column: nope. Check `query`."),
        ("selec 1", 'near "selec": syntax error'),
        ("select 1 as a; select 2", "one statement at a time"),
        ("select day, day from daily", 'has 2 columns named "day"'),
        ("select * from bare", "no rows"),
    ],
)
def test_what_the_database_says_is_told_and_nothing_is_changed(database, query, said):
    before = database.read_bytes()
    assert said in failure(DataError, "sqlite:///sales.db", query)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["sales.db"]


def test_a_missing_file_is_not_made(database):
    said = failure(DataError, "sqlite:///seles.db?table=daily")
    assert said == "There is no file seles.db. Did you mean sales.db?"
    assert "There is no file" in failure(DataError, "sqlite:///file:no.db?uri=true&table=t")
    assert [path.name for path in database.parent.iterdir()] == ["sales.db"]


def test_a_file_that_is_no_database_is_told(database):
    Path("table.db").write_text("date,value\n2024-01-01,1\n" * 50)
    assert "file is not a database" in failure(DataError, "sqlite:///table.db?table=daily")


def test_a_text_form_has_no_place_in_a_database(database):
    with pytest.raises(UsageError, match="neither an encoding nor a delimiter"):
        open_table("sqlite:///sales.db?table=daily", Dialect(delimiter=";"))
    with pytest.raises(UsageError, match="A DataFrame is no database"):
        open_table(pd.DataFrame({"y": [1]}), Dialect(query="select 1"))


def test_markers_and_numerals_hold_for_text(database):
    dialect = Dialect(query="select '1.234' as y union all select '-'", na=("-",), thousands=".")
    assert open_table("sqlite:///sales.db", dialect).read().numbers("y")[0] == 1234


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql+nope://ann:secret@host/d?table=t", "no dialect postgresql+nope. Check what"),
        ("teradatasql://ann:secret@host/d?table=t", "teradatasql. pip install teradatasqlalchemy"),
        ("postgresql+psycopg2://ann:secret@host/d?table=t", "pip install psycopg2-binary"),
        ("postgres+psycopg2://ann:secret@host/d?table=t", "pip install psycopg2-binary"),
        ("mysql+pymysql://ann:secret@host/d?table=t", "not installed: import of pymysql halted"),
        ("postgresql+asyncpg://ann:secret@host/d?table=t", "for asynchronous programs"),
        ("postgresql://ann:secret@host:port/d?table=t", "is not a valid address"),
        ("postgresql://ann:se/cr@et@host/d?table=t", "needs a driver that is not installed"),
    ],
)
def test_what_is_missing_is_named_without_the_password(address, said, monkeypatch):
    for module in ("psycopg", "psycopg2", "pymysql"):
        monkeypatch.setitem(sys.modules, module, None)
    found = failure(UsageError, address)
    assert said in found
    assert "://ann:***@" in found
    assert "secret" not in found.replace("pip", "")
    assert "se/cr" not in found


def test_a_password_in_a_refusal_is_hidden(monkeypatch):
    import sqlalchemy

    def refuse(url, **_):
        raise ConnectionError(f"cannot log in with PWD=hush at {url}\nmore")

    monkeypatch.setattr(sqlalchemy, "create_engine", refuse)
    found = failure(DataError, "mssql+pyodbc://ann:hush@host/d?table=t")
    assert "cannot log in with PWD=*** at mssql" in found
    assert "hush" not in found


def test_without_sqlalchemy_it_is_said_what_to_install(database, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(UsageError, match=r"pip install 'forecast-cli\[sql\]'"):
        read("sqlite:///sales.db?table=daily")


def test_a_file_loads_neither_sqlalchemy_nor_fsspec(database):
    Path("t.csv").write_text("date,value\n2024-01-01,1\n")
    code = (
        "import sys\nfrom forecast_cli.data.io.opening import open_table\n"
        "open_table('t.csv').read()\n"
        "assert not {'sqlalchemy', 'fsspec', 'aiohttp'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_line_reads_a_database(database, run):
    code, out, _ = run("inspect", "sqlite:///sales.db?table=daily")
    assert code == 0
    assert "4 rows" in out
    # The last row has no value.
    assert "day, 2024-01-01 to 2024-01-03" in out
    assert "--missing drop" in out
    code, out, err = run("inspect", "sqlite:///sales.db")
    assert (code, out) == (2, "")
    assert "daily, large, mixed" in err


@pytest.mark.parametrize("query", [
    "attach 'new.db' as other", "vacuum into 'new.db'", "create temp table more (y)",
    "pragma journal_mode = wal", "drop table daily", "insert into bare values (1) returning y",
    "select load_extension('x')",
])  # fmt: skip
def test_a_query_of_sqlite_can_only_read(database, query):
    before = database.read_bytes()
    said = failure(UsageError, "sqlite:///sales.db", query)
    assert said.startswith("`query` does more than read sqlite:///sales.db.")
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["sales.db"]


def test_a_query_of_sqlite_may_compute(database):
    query = "with recursive n(y) as (select 1 union all select y + 1 from n where y < 5) "
    table = read("sqlite:///sales.db", query + "select y, upper('a') as x from n")
    assert table.columns.num_rows == 5


def test_a_model_keeps_no_literals_of_a_query(database):
    from forecast_cli.config.resolution import configure
    from forecast_cli.training.model_assembly import stored_config

    query = "select * from dblink('password=secret') where shop = 'it''s' or a = $x$b$x$"
    kept = stored_config(configure(query=query)).data.query
    assert kept == "select * from dblink('***') where shop = '***' or a = '***'"
