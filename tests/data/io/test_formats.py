"""The same table in every form that is read."""

import gzip
import io
import json

import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io.opening import open_table
from forecast_cli.data.reading import read_panel

FRAME = pd.DataFrame(
    {
        "date": pd.date_range("2024-01-01", periods=6, freq="D"),
        "value": [1.5, 2.0, 3.25, 4.0, 5.0, 6.0],
        "name": ["a", "b", "c", "d", "e", "f"],
    }
)
PLAIN = FRAME.assign(date=FRAME["date"].dt.strftime("%Y-%m-%d"))


def as_parquet(path):
    FRAME.to_parquet(path, index=False)


def as_feather(path):
    FRAME.to_feather(path)


def as_lines(path):
    PLAIN.to_json(path, orient="records", lines=True)


def as_records(path):
    PLAIN.to_json(path, orient="records")


def as_excel(path):
    FRAME.to_excel(path, index=False)


def as_folder(path):
    FRAME.assign(part=[1, 1, 1, 2, 2, 2]).to_parquet(path, partition_cols=["part"], index=False)


WRITERS = {
    "table.parquet": as_parquet,
    "parquet under another name.dat": as_parquet,
    "table.feather": as_feather,
    "table.jsonl": as_lines,
    "lines.txt": as_lines,
    "table.json": as_records,
    "table.xlsx": as_excel,
    "folder": as_folder,
}


@pytest.fixture(params=WRITERS)
def written(request, tmp_path):
    path = tmp_path / request.param
    WRITERS[request.param](path)
    return path


def test_every_form_gives_the_same_panel(written):
    panel = read_panel(written, Data(column=("value",)))
    assert panel.values[:, 0].tolist() == FRAME["value"].tolist()
    assert panel.timeline.times.tolist() == FRAME["date"].tolist()
    assert panel.timeline.frequency.alias == "D"


def test_a_column_that_is_not_there_is_named_with_the_nearest(written):
    with pytest.raises(DataError, match=r'no column "valu".*Did you mean "value"'):
        read_panel(written, Data(column=("valu",)))


def test_an_object_with_a_list_of_records_is_that_list(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"about": "x", "rows": PLAIN.to_dict("records")}, indent=1))
    assert open_table(path).names == ["date", "value", "name"]


def test_standard_input_may_be_parquet(monkeypatch):
    written = io.BytesIO()
    FRAME.to_parquet(written, index=False)

    class Piped:
        buffer = io.BytesIO(written.getvalue())

    monkeypatch.setattr("sys.stdin", Piped)
    assert len(read_panel("-", Data(column=("value",))).values) == 6


@pytest.mark.parametrize("name", ["table.parquet", "table.feather", "table.json", "table.xlsx"])
def test_a_file_cut_short_says_so_by_its_name(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises((DataError, UsageError), match=name):
        open_table(path)


def test_a_folder_without_parquet_is_named(tmp_path):
    with pytest.raises(DataError, match="a directory without Parquet files"):
        open_table(tmp_path)


def test_several_tables_are_read_as_one(tmp_path):
    first, second = FRAME[:4], FRAME[4:]
    first.to_csv(tmp_path / "part-1.csv", index=False)
    second.to_csv(tmp_path / "part-2.csv", index=False)
    second.to_parquet(tmp_path / "part-2.parquet", index=False)
    for source in (
        tmp_path / "part-*.csv",
        [tmp_path / "part-1.csv", tmp_path / "part-2.csv"],
        (first, second),
    ):
        panel = read_panel(source, Data(column=("value",)))
        assert panel.values[:, 0].tolist() == FRAME["value"].tolist()


def test_a_cell_of_several_tables_is_named_with_its_file(tmp_path):
    (tmp_path / "a.csv").write_text("date,y\n2024-01-01,1\n2024-01-02,2\n")
    (tmp_path / "b.csv").write_text("date,y\n2024-01-03,3\n2024-01-04,four\n")
    with pytest.raises(DataError, match=r'b\.csv line 3: column "y" holds "four"'):
        read_panel(tmp_path / "*.csv", Data(column=("y",)))


def test_tables_with_other_columns_are_not_read_as_one(tmp_path):
    (tmp_path / "a.csv").write_text("date,y\n2024-01-01,1\n")
    (tmp_path / "b.csv").write_text("date,z\n2024-01-02,2\n")
    with pytest.raises(DataError, match=r"a\.csv have different columns: y, z are in one"):
        read_panel(tmp_path / "*.csv", Data(column=("y",)))


def test_a_pattern_that_matches_nothing_says_so(tmp_path):
    with pytest.raises(DataError, match="No file matches"):
        open_table(tmp_path / "*.csv")


def test_a_compressed_table_is_opened_whatever_it_is_called(tmp_path):
    for name in ("table.csv.gz", "table.gz", "table.csv"):
        (tmp_path / name).write_bytes(gzip.compress(PLAIN.to_csv(index=False).encode()))
        panel = read_panel(tmp_path / name, Data(column=("value",)))
        assert panel.values[:, 0].tolist() == FRAME["value"].tolist()


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    (tmp_path / "table.parquet").write_text("date,value\n2024-01-01,1\n")
    with pytest.raises(DataError, match="is not a Parquet file, as its name promises"):
        open_table(tmp_path / "table.parquet")
    (tmp_path / "number.json").write_text("5")
    with pytest.raises(DataError, match="objects were expected"):
        open_table(tmp_path / "number.json")


def test_a_decimal_comma_that_is_found_holds_for_every_column(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("d;a;b\n2024-01-01;1,5;1.204\n2024-01-02;2,5;2.000\n2024-01-03;3,5;3.001\n")
    panel = read_panel(path, Data(column=("a", "b")))
    assert panel.values.tolist() == [[1.5, 1204], [2.5, 2000], [3.5, 3001]]
    plain = path.with_name("plain.csv")
    plain.write_text("d;b\n2024-01-01;1.204\n2024-01-02;2.000\n2024-01-03;3.001\n")
    assert read_panel(plain, Data(column=("b",), thousands=".")).values[0, 0] == 1204


def test_several_tables_keep_the_values_that_each_of_them_writes(tmp_path):
    (tmp_path / "a.csv").write_text("d;y\n2024-01-01;1.234,5\n2024-01-02;2,5\n")
    (tmp_path / "b.csv").write_text("d;y\n2024-01-03;0,121\n2024-01-04;0,122\n")
    panel = read_panel(tmp_path / "*.csv", Data(column=("y",), decimal=","))
    assert panel.values[:, 0].tolist() == [1234.5, 2.5, 0.121, 0.122]
