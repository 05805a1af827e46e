"""Tables written out, and read back."""

import io
import json
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.cli.outputs import spare, write
from forecast_cli.core.errors import UsageError
from forecast_cli.data.dates.date_writing import write_dates
from forecast_cli.data.io.opening import open_table
from forecast_cli.data.io.writer import (
    COMPRESSED,
    SUFFIXES,
    TEXT,
    compress,
    guess_format,
    holds_times,
    render,
)

FORECAST = pd.DataFrame(
    {
        "date": ["2020-01-01", "2020-01-02", "2020-01-03"],
        "Close, EUR": [1234.5678, -1e-7, np.nan],
        'the "best"': ["a,b", "Größe", "x\ny"],
    }
)
READERS = {
    "csv": pd.read_csv,
    "json": lambda data: pd.DataFrame(json.load(data)),
    "jsonl": lambda data: pd.DataFrame(json.loads(line) for line in data),
    "parquet": pd.read_parquet,
    "feather": pd.read_feather,
    "xlsx": pd.read_excel,
    "tsv": lambda data: pd.read_csv(data, sep="\t"),
}


@pytest.mark.parametrize("format", READERS)
def test_a_table_that_was_written_reads_back(format):
    back = READERS[format](io.BytesIO(render(FORECAST, format)))
    pd.testing.assert_frame_equal(back.astype(FORECAST.dtypes), FORECAST, rtol=1e-8)


NUMBERS = st.floats(-1e12, 1e12).map(lambda each: float(f"{each:.10g}"))
STORES = st.sampled_from(["S01", "=1+1", "Größe, rot", 'the "best"'])


@pytest.mark.parametrize("ending", [each for each in SUFFIXES if each != ".ndjson"])
@given(
    rows=st.lists(st.tuples(STORES, NUMBERS, st.sampled_from([1.5, -0.25, np.nan])), min_size=1),
    freq=st.sampled_from(["D", "h", "15min"]),
    zone=st.sampled_from([None, "UTC", "Europe/Berlin"]),
    first=st.sampled_from(["2024-03-30", "1899-06-01"]),
)
def test_a_table_of_any_format_is_read_back(tmp_path_factory, ending, rows, freq, zone, first):
    times = pd.date_range(first, periods=len(rows) + 1, freq=freq, tz=zone)
    frame = pd.DataFrame([*rows, ("S02", 0.1, 0.5)], columns=["store", "y", "y_lo80"])
    frame = frame.assign(time=times, step=range(1, len(times) + 1))
    format = guess_format(f"a{ending}")
    if not holds_times(frame, format):
        style = "%Y-%m-%d %H:%M:%S" + "%z" * (zone is not None)
        frame["time"] = write_dates(pd.DatetimeIndex(times), style)
    path = tmp_path_factory.getbasetemp() / f"written{ending}"
    path.write_bytes(render(frame, format))
    back = open_table(path).read(text=["time"]).columns.to_pandas()
    assert list(back) == list(frame)
    assert list(pd.to_datetime(back["time"], utc=True)) == list(pd.to_datetime(times, utc=True))
    assert list(back["store"]) == list(frame["store"])
    for name in ("y", "y_lo80", "step"):
        np.testing.assert_array_equal(back[name].astype(float), frame[name].astype(float))


@pytest.mark.parametrize("format", TEXT)
@pytest.mark.parametrize("packed", COMPRESSED)
def test_compressed_text_is_read_back(tmp_path, format, packed):
    path = tmp_path / f"a.{format}{packed}"
    write(render(FORECAST.head(2), format), str(path))
    assert list(tmp_path.iterdir()) == [path]
    back = open_table(path).read().columns.to_pandas()
    assert list(back["Close, EUR"]) == [1234.5678, -1e-7]


def test_equal_tables_are_equal_files():
    assert compress(b"a", "a.csv.gz") == compress(b"a", "b.csv.gz")


def test_a_database_with_other_tables_is_not_replaced(tmp_path):
    path = tmp_path / "sales.db"
    path.write_bytes(render(FORECAST, "sqlite"))
    spare(str(path), [])
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sales (y)")
    with pytest.raises(UsageError, match='holds "sales"'):
        spare(str(path), [])


def test_a_sheet_is_not_written_where_it_is_too_short():
    with pytest.raises(UsageError, match="1,048,576 rows"):
        render(pd.DataFrame({"y": np.zeros(1_048_576)}), "xlsx")
    with pytest.raises(UsageError, match="control characters"):
        render(pd.DataFrame({"y": ["a\x01"]}), "xlsx")


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
@given(value=st.floats(1e-15, 1e15) | st.floats(-1e15, -1e-15))
def test_numbers_keep_eight_digits_in_text(format, value):
    back = READERS[format](io.BytesIO(render(pd.DataFrame({"y": [value]}), format)))
    assert back["y"][0] == pytest.approx(value, rel=1e-7, abs=0)


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_text_ends_with_one_line_end(format):
    text = render(FORECAST, format)
    assert text.endswith(b"\n")
    assert not text.endswith(b"\n\n")
    assert b"\r" not in text


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("a.csv", "csv"),
        ("a.JSON", "json"),
        ("b/a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.txt", "csv"),
        ("a.csv.GZ", "csv"),
        ("a.jsonl.zst", "jsonl"),
        ("a.parquet.gz", None),
        ("a.2024-01", None),
        ("csv", None),
        ("-", None),
    ],
)
def test_the_format_follows_the_name(path, format):
    assert guess_format(path) == format


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_text_is_no_formula_where_that_is_asked_for(form):
    frame = pd.DataFrame({"=shop": ["=1+1", "@b", "a=b"], "y": [-1.0, 2.0, 3.0]})
    separator = "," if form == "csv" else "\t"
    lines = render(frame, form, excel_safe=True).decode().splitlines()
    assert lines == [each.replace(",", separator)
                     for each in ("'=shop,y", "'=1+1,-1", "'@b,2", "a=b,3")]  # fmt: skip
    assert render(frame, "json", excel_safe=True) == render(frame, "json")
