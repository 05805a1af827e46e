"""Real tables, some of them messy, as they were found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.reading import read_panel
from forecast_cli.data.time.date_formats import write_dates

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real tables are not here")


def read(file, column, notes=None, **data):
    notes = [] if notes is None else notes
    return read_panel(FOLDER / file, Data(column=(column,), **data), on_event=notes.append)


@pytest.mark.parametrize(
    ("file", "column", "data", "rows", "first", "last", "alias"),
    [
        ("single/airline-passengers.csv", "Passengers", {}, 144, "1949-01", "1960-12", "MS"),
        ("single/monthly-sunspots.csv", "Sunspots", {}, 2820, "1749-01", "1983-12", "MS"),
        ("single/finance-charts-apple.csv", "AAPL.Close", {}, 506, "2015-02-17", "2017-02-16", "B"),
        ("single/daily-min-temperatures.csv", "Temp", {"freq": "D", "missing": "ffill"},
         3652, "1981-01-01", "1990-12-31", "D"),
        ("messy/us_gasoline.csv", "Gasoline", {}, 1578, "02/08/1991", "04/30/2021", "W-FRI"),
        ("messy/co2.csv", "co2", {"missing": "interpolate"}, 2284, "19580329", "20011229", "W-SAT"),
        ("messy/co2.csv", "co2", {"missing": "drop"}, 2225, "19580329", "20011229", "W-SAT"),
        ("messy/monthly-milk-incomplete.csv", "Pounds per cow", {"freq": "MS", "missing": "ffill"},
         168, "1962-01", "1975-12", "MS"),
        ("ett/ETTh1.csv", "OT", {}, 17420, "2016-07-01 00:00:00", "2018-06-26 19:00:00", "h"),
    ],
)  # fmt: skip
def test_a_real_table_is_understood(file, column, data, rows, first, last, alias):
    panel = read(file, column, **data)
    assert len(panel.values) == rows
    assert panel.timeline.frequency.alias == alias
    assert write_dates(panel.timeline.times[[0, -1]], panel.timeline.style) == [first, last]


@pytest.mark.parametrize(
    ("file", "column", "data"),
    [
        ("single/airline-passengers.csv", "Passengers", {}),
        ("messy/co2.csv", "co2", {"missing": "ffill"}),
        ("messy/pollution.csv", "pm2.5", {"time": "none", "missing": "ffill"}),
        ("ett/ETTh1.csv", "OT", {}),
    ],
)
def test_a_real_column_is_what_pandas_reads(file, column, data):
    expected = pd.read_csv(FOLDER / file)[column].to_numpy(float)
    np.testing.assert_array_equal(read(file, column, **data).values[:, 0], expected)


def test_weeks_that_begin_with_the_newest_are_turned_round():
    notes = []
    panel = read("messy/us_gasoline.csv", "Gasoline", notes)
    assert panel.values[[0, -1], 0].tolist() == [6621, 8864]
    assert "newest" in notes[0].text


def test_dates_that_are_none_are_a_warning_and_rows_are_steps():
    notes = []
    panel = read("messy/shampoo.csv", "Sales", notes)
    assert (len(panel.values), panel.timeline) == (36, None)
    assert [note.warning for note in notes] == [True]


def test_a_date_split_over_columns_is_found():
    notes = []
    panel = read("messy/pollution.csv", "TEMP", notes)
    assert panel.timeline.times.equals(pd.date_range("2010-01-01", periods=43824, freq="h"))
    assert "time in parts: year, month, day, hour" in notes[0].text


@pytest.mark.parametrize(
    ("file", "column", "data", "rows"),
    [
        ("messy/shampoo.csv", "Sales", {}, 36),
        ("messy/tesla-stock-price.csv", "close", {}, 757),
        ("messy/tesla-stock-price.csv", "volume", {}, 757),
        ("messy/pollution.csv", "pm2.5", {"missing": "drop"}, 43824 - 2067),
    ],
)
def test_time_none_reads_what_has_no_good_dates(file, column, data, rows):
    notes = []
    panel = read(file, column, notes, time="none", **data)
    assert (len(panel.values), panel.timeline, notes) == (rows, None, [])


@pytest.mark.parametrize(
    ("file", "column", "data", "said"),
    [
        ("messy/shampoo.csv", "Sales", {"time": "Month"}, 'line 2: column "Month" holds "1-01"'),
        ("messy/tesla-stock-price.csv", "close", {}, 'line 2: column "date" holds "11:34"'),
        ("messy/pollution.csv", "cbwd", {}, 'line 2: column "cbwd" holds "NW"'),
        ("messy/pollution.csv", "pm2.5", {}, '2067 missing values in column "pm2.5": .*line 2,'),
        ("messy/pollution.csv", "pm2,5", {}, 'no column "pm2,5".*Did you mean "pm2.5"'),
        ("messy/co2.csv", "co2", {}, '59 missing values in column "co2": .*line 8, .*line 11,'),
        ("messy/monthly-milk-incomplete.csv", "Pounds per cow", {}, "line 22: .*1963-10-01"),
        ("messy/monthly-milk-incomplete.csv", "Pounds per cow", {"freq": "MS"},
         "no row for 1963-09-01, 1964-11-01, 1965-04-01"),
        ("messy/monthly-milk-incomplete.csv", "Pounds per cow", {}, "--freq MS"),
        ("single/daily-min-temperatures.csv", "Temp", {}, "line 1462: .*1985-01-01"),
        ("single/daily-min-temperatures.csv", "Temp", {"freq": "D"},
         "no row for 1984-12-31, 1988-12-31"),
        ("panel/m5_sales_exog_small.csv", "y", {}, r"line 1971 \(2011-01-29\)"),
        ("m4/Hourly-train.csv", "V1", {}, 'line 2: column "V1" holds "H1"'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_real_table_is_said(file, column, data, said):
    with pytest.raises(DataError, match=said):
        read(file, column, **data)
