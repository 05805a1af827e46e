"""Tables in the forms in which well-known ones are published, some of them messy."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.dates.date_writing import write_dates
from forecast_cli.data.reading import read_panel


@pytest.fixture
def read(samples):
    def call(file, column, notes=None, **data):
        notes = [] if notes is None else notes
        settings = Data(column=(column,), **data)
        return read_panel(samples / file, settings, on_event=notes.append)

    return call


@pytest.mark.parametrize(
    ("file", "column", "data", "rows", "first", "last", "alias"),
    [
        ("airline.csv", "Passengers", {}, 84, "1949-01", "1955-12", "MS"),
        ("sunspots.csv", "Sunspots", {}, 120, "1749-01", "1758-12", "MS"),
        ("apple.csv", "AAPL.Close", {}, 116, "2016-09-01", "2017-02-16", "B"),
        ("temperatures.csv", "Temp", {"freq": "D", "missing": "ffill"},
         182, "1984-10-01", "1985-03-31", "D"),
        ("gasoline.csv", "Gasoline", {}, 80, "10/25/2019", "04/30/2021", "W-FRI"),
        ("co2.csv", "co2", {"missing": "interpolate"}, 80, "19580329", "19591003", "W-SAT"),
        ("milk.csv", "Pounds per cow", {"freq": "MS", "missing": "ffill"},
         72, "1962-01", "1967-12", "MS"),
        ("transformer.csv", "OT", {}, 300, "2018-06-14 08:00:00", "2018-06-26 19:00:00", "h"),
    ],
)  # fmt: skip
def test_a_published_form_is_understood(read, file, column, data, rows, first, last, alias):
    panel = read(file, column, **data)
    assert len(panel.values) == rows
    assert panel.timeline.frequency.alias == alias
    assert write_dates(panel.timeline.times[[0, -1]], panel.timeline.style) == [first, last]


@pytest.mark.parametrize(
    ("file", "column", "data"),
    [
        ("airline.csv", "Passengers", {}),
        ("co2.csv", "co2", {"missing": "ffill"}),
        ("pollution.csv", "pm2.5", {"time": "none", "missing": "ffill"}),
        ("transformer.csv", "OT", {}),
    ],
)
def test_a_column_is_what_pandas_reads(samples, read, file, column, data):
    expected = pd.read_csv(samples / file)[column].to_numpy(float)
    np.testing.assert_array_equal(read(file, column, **data).values[:, 0], expected)


def test_weeks_that_begin_with_the_newest_are_turned_round(samples, read):
    notes = []
    panel = read("gasoline.csv", "Gasoline", notes)
    values = pd.read_csv(samples / "gasoline.csv")["Gasoline"].tolist()
    assert panel.values[:, 0].tolist() == values[::-1]
    assert "newest" in notes[0].text


def test_dates_that_may_be_read_in_two_ways_are_asked_about(read):
    with pytest.raises(DataError, match='"1-01", which may be a date') as caught:
        read("shampoo.csv", "Sales", [])
    assert caught.value.hint.startswith("Set `date_format=%y-%m` (2001-01-01 to 2003-12-01), or ")
    assert "`time=none` and `season_length=12`" in caught.value.hint
    assert "By %y-%m the rows are monthly, without a gap" in caught.value.message
    panel = read("shampoo.csv", "Sales", [], date_format="%y-%m")
    assert panel.timeline.times.equals(pd.date_range("2001-01-01", periods=36, freq="MS"))
    # Written like the table: 1-01, not 01-01.
    assert panel.timeline.style == "%-y-%m"


def test_a_date_split_over_columns_is_found(read):
    notes = []
    panel = read("pollution.csv", "TEMP", notes)
    assert panel.timeline.times.equals(pd.date_range("2010-01-01", periods=240, freq="h"))
    assert "time in parts: year, month, day, hour" in notes[0].text


@pytest.mark.parametrize(
    ("file", "column", "data", "rows"),
    [
        ("shampoo.csv", "Sales", {}, 36),
        ("tesla.csv", "close", {}, 96),
        ("tesla.csv", "volume", {}, 96),
        ("pollution.csv", "pm2.5", {"missing": "drop"}, 240 - 24),
    ],
)
def test_time_none_reads_what_has_no_good_dates(read, file, column, data, rows):
    notes = []
    panel = read(file, column, notes, time="none", **data)
    assert (len(panel.values), panel.timeline) == (rows, None)
    numbers = ['column "volume" read as numbers: "4,787,699" as 4787699']
    assert [note.text for note in notes] == (numbers if column == "volume" else [])


@pytest.mark.parametrize(
    ("file", "column", "data", "said"),
    [
        ("shampoo.csv", "Sales", {"time": "Month"}, 'line 2: column "Month" holds "1-01"'),
        ("tesla.csv", "close", {}, 'line 2: column "date" holds "11:34"'),
        ("pollution.csv", "cbwd", {}, 'line 2: column "cbwd" holds "NW"'),
        ("pollution.csv", "pm2.5", {}, '24 missing values in column "pm2.5": .*line 2,'),
        ("pollution.csv", "pm2,5", {}, 'no column "pm2,5".*Did you mean "pm2.5"'),
        ("co2.csv", "co2", {"missing": "drop"},
         "line 9: .*no row between 1958-05-03 and 1958-05-17, and steps of weeks"),
        ("co2.csv", "co2", {}, '3 missing values in column "co2": .*line 8, .*line 11,'),
        ("milk.csv", "Pounds per cow", {}, "line 22: .*1963-10-01"),
        ("milk.csv", "Pounds per cow", {"freq": "MS"},
         "no row for 1963-09-01, 1964-11-01, 1965-04-01"),
        ("milk.csv", "Pounds per cow", {}, "MS"),
        ("temperatures.csv", "Temp", {}, "line 93: .*1985-01-01"),
        ("temperatures.csv", "Temp", {"freq": "D"}, "no row for 1984-12-31"),
        ("sales.csv", "y", {}, r"line 113 \(2016-03-01\)"),
        ("hourly.csv", "V1", {}, 'line 2: column "V1" holds "H1"'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_said(read, file, column, data, said):
    with pytest.raises(DataError, match=said):
        read(file, column, **data)
