"""Tables in memory: frames, series, Arrow tables and arrays are read alike."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io.in_memory import from_memory
from forecast_cli.data.reading import read_panel

DATES = pd.date_range("2024-01-01", periods=5, freq="D")
VALUES = np.array([1.5, 2.0, np.nan, 4.0, 5.5])


def columns(source):
    table = from_memory(source)
    return {name: table.columns[name].to_pylist() for name in table.names}


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame({"date": DATES, "y": VALUES}),
        pd.DataFrame({"y": VALUES}, index=DATES),
        pd.DataFrame({"y": VALUES}, index=DATES.to_period()),
        pd.Series(VALUES, DATES, name="y"),
        pd.Series(VALUES, [each.date() for each in DATES], name="y"),
        pl.DataFrame({"date": list(DATES.date), "y": VALUES}),
        pl.DataFrame({"date": DATES.date.astype(str), "y": VALUES}),
        pa.table({"date": pa.array(DATES), "y": VALUES}),
        [pl.DataFrame({"date": DATES[at], "y": VALUES[at]}) for at in (slice(2), slice(2, 5))],
    ],
    ids=lambda source: f"{type(source).__module__}.{type(source).__name__}",
)  # fmt: skip
def test_the_same_values_in_any_form_are_the_same_panel(source):
    panel = read_panel(source, Data(column=("y",), missing="interpolate"))
    np.testing.assert_array_equal(panel.values[:, 0], VALUES)
    assert list(panel.timeline.times) == list(DATES)


def test_columns_of_arrays_have_names_of_their_own():
    assert columns(np.array([1.0, 2.0])) == {"value": [1, 2]}
    assert columns(np.array([[1, 2], [3, 4]])) == {"x0": [1, 3], "x1": [2, 4]}
    assert columns(np.array([(1, "a")], dtype=[("n", int), ("s", "U1")])) == {"n": [1], "s": ["a"]}


def test_a_column_without_a_name_is_value():
    assert columns(pd.Series([1, 2])) == {"value": [1, 2]}
    assert columns(pl.Series([1, 2])) == {"value": [1, 2]}
    assert columns(pl.Series("y", [1, 2])) == {"y": [1, 2]}


def test_the_time_index_of_a_series_is_its_first_column():
    assert list(columns(pd.Series([1, 2], DATES[:2]))) == ["time", "value"]
    assert list(columns(pd.Series([1, 2], DATES[:2].rename("day"), name="y"))) == ["day", "y"]
    assert list(columns(pd.DataFrame({"time": [1, 2]}, index=DATES[:2]))) == ["date", "time"]


def test_names_in_a_polars_frame_are_text():
    frame = pl.DataFrame(
        {"shop": pl.Series(["a", "b"], dtype=pl.Categorical), "day": [dt.date(2024, 1, 1)] * 2}
    )
    table = from_memory(frame)
    assert table.columns["shop"].type == pa.string()
    assert columns(frame)["shop"] == ["a", "b"]


@pytest.mark.parametrize(
    "source",
    [pd.DataFrame(), pd.Series([], dtype=float), np.empty((0, 2)), pl.DataFrame({"y": []})],
)
def test_a_table_without_rows_is_refused(source):
    with pytest.raises(DataError, match="has no rows"):
        from_memory(source)


def test_an_array_of_three_dimensions_is_refused():
    with pytest.raises(UsageError, match=r"shape \(2, 3, 4\)"):
        from_memory(np.zeros((2, 3, 4)))


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match='2 columns named "y"'):
        from_memory(pa.table([[1], [2]], names=["y", "y"]))


@pytest.mark.parametrize("source", ["prices.csv", 5, None, [1, 2], b"x"])
def test_anything_else_is_not_in_memory(source):
    assert from_memory(source) is None
