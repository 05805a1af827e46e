"""Tables written out, and read back."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.data.io.writer import guess_format, render

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
}


@pytest.mark.parametrize("format", READERS)
def test_a_table_that_was_written_reads_back(format):
    back = READERS[format](io.BytesIO(render(FORECAST, format)))
    pd.testing.assert_frame_equal(back.astype(FORECAST.dtypes), FORECAST, rtol=1e-8)


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
        ("a.txt", None),
        ("csv", None),
        ("-", None),
    ],
)
def test_the_format_follows_the_name(path, format):
    assert guess_format(path) == format
