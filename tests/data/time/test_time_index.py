"""Frequencies seen, gaps found, and the place of each time on the grid."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.errors import DataError
from forecast_cli.data.time.frequency import Frequency
from forecast_cli.data.time.grid import grid_positions
from forecast_cli.data.time.time_index import (
    infer_frequency,
    irregular_place,
    likely_frequency,
    missing_weekdays,
    span,
    when,
)


def run(frequency, first, rows):
    """So many times of a frequency, from the first on."""
    return frequency.after(first, rows - 1).insert(0, first)


BERLIN = "Europe/Berlin"
# Weekdays on which the New York Stock Exchange was closed.
HOLIDAYS = pd.DatetimeIndex(
    ["2023-01-02", "2023-01-16", "2023-02-20", "2023-04-07", "2023-05-29", "2023-06-19"]
)
TRADING = pd.bdate_range("2022-12-05", "2023-06-30").difference(HOLIDAYS)


def dates(*texts, tz=None):
    return pd.DatetimeIndex(texts, tz=tz)


@pytest.mark.parametrize(
    ("times", "alias", "day"),
    [
        (pd.date_range("2020-01-31 23:50", periods=40, freq="s"), "s", 1),
        (pd.date_range("2020-01-31 23:50", periods=40, freq="min"), "min", 1),
        (pd.date_range("2020-01-31 20:00", periods=40, freq="15min"), "15min", 1),
        (pd.date_range("2020-01-31 20:00", periods=40, freq="h"), "h", 1),
        (pd.date_range("2020-01-31 20:00", periods=40, freq="4h"), "4h", 1),
        (pd.date_range("2020-02-20", periods=40, freq="D"), "D", 1),
        (pd.date_range("2020-02-20", periods=40, freq="2D"), "2D", 1),
        (pd.date_range("2020-01-03", periods=40, freq="7D"), "W-FRI", 1),
        (pd.date_range("2020-01-06", periods=40, freq="7D"), "W-MON", 1),
        (pd.date_range("2020-01-01", periods=40, freq="MS"), "MS", 1),
        (pd.date_range("2020-01-31", periods=40, freq="ME"), "ME", 31),
        (pd.date_range("2020-01-01", periods=40, freq="MS") + pd.Timedelta(days=14), "MS", 15),
        (pd.date_range("2020-01-01", periods=40, freq="2MS"), "2MS", 1),
        (pd.date_range("2020-01-01", periods=40, freq="QS"), "QS", 1),
        (pd.date_range("2020-03-31", periods=40, freq="QE"), "QE", 31),
        (pd.date_range("2020-02-01", periods=40, freq="QS-FEB"), "QS", 1),
        (pd.date_range("2020-01-01", periods=40, freq="YS"), "YS", 1),
        (pd.date_range("2020-12-31", periods=40, freq="YE"), "YE", 31),
        (pd.bdate_range("2020-01-01", periods=40), "B", 1),
        (TRADING, "B", 1),
        (TRADING + pd.Timedelta(hours=16), "B", 1),
        (TRADING.tz_localize("America/New_York"), "B", 1),
        (pd.date_range("2024-03-20", periods=40, freq="D", tz=BERLIN), "D", 1),
        (pd.date_range("2024-03-30", periods=40, freq="h", tz=BERLIN), "h", 1),
        (pd.date_range("2024-03-03", periods=40, freq="7D", tz=BERLIN), "W-SUN", 1),
        (pd.date_range("2024-01-01", periods=40, freq="MS", tz=BERLIN), "MS", 1),
    ],
    ids=lambda value: str(getattr(value, "freqstr", value)),
)
def test_the_frequency_is_seen(times, alias, day):
    frequency = infer_frequency(times)
    assert frequency is not None
    assert (frequency.alias, frequency.day) == (alias, day)


@pytest.mark.parametrize(
    "times",
    [
        dates("2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"),
        dates("2020-01-30", "2020-02-29", "2020-03-30", "2020-04-30"),
        dates("2021-11-30", "2021-12-30", "2022-01-30", "2022-02-28", "2022-03-30"),
        dates("2019-10-31", "2020-01-31", "2020-04-30", "2020-07-31"),
    ],
)
def test_months_remember_their_day_through_short_ones(times):
    frequency = infer_frequency(times)
    assert run(frequency, times[0], len(times)).equals(times)


@pytest.mark.parametrize(
    ("start", "rows", "freq"),
    [
        ("2001-07-01", 3, "MS"),
        ("2001-07-31", 3, "ME"),
        ("2001-07-01", 3, "QS"),
        ("2001-01-01", 4, "YS"),
    ],
)
def test_a_few_months_of_equal_length_are_months(start, rows, freq):
    times = pd.date_range(start, periods=rows + 9, freq=freq)
    assert infer_frequency(times[:rows]).after(times[rows - 1], 9).equals(times[rows:])


@pytest.mark.parametrize(
    "times",
    [
        dates("2020-01-01", "2020-01-02"),
        dates("2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"),
        dates("2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:01"),
        dates("2020-01-01", "2020-02-01", "2020-03-02", "2020-04-01"),
        dates("2020-01-01", "2020-02-01", "2020-04-01", "2020-05-01"),
        dates("2020-01-31", "2020-02-28", "2020-03-31"),
        pd.bdate_range("2020-01-01", periods=60).delete(range(20, 35)),
        pd.bdate_range("2020-01-01", periods=60)[::2],
        pd.bdate_range("2020-01-01", periods=60).union(dates("2020-01-04")),
        TRADING[:-1].union(TRADING[-1:] + pd.Timedelta(hours=1)),
    ],
    ids=[
        "two rows",
        "a day missing",
        "a minute late",
        "a day late",
        "a month missing",
        "no month end",
        "closed for weeks",
        "every other weekday",
        "a Saturday",
        "an hour late",
    ],
)
def test_irregular_times_have_no_frequency(times):
    assert infer_frequency(times) is None


starts = st.datetimes(pd.Timestamp("1800-01-01"), pd.Timestamp("2200-01-01")).map(
    lambda time: pd.Timestamp(time).floor("min").as_unit("us")
)
fixed = st.sampled_from(["s", "min", "5min", "90min", "h", "4h", "D", "2D", "10D", "W"])


@st.composite
def months(draw):
    """A frequency of months with a first time that is on it."""
    count = draw(st.sampled_from([1, 2, 3, 4, 6, 12, 24]))
    day = draw(st.sampled_from([1, 2, 15, 27, 29, 30, 31]))
    start = draw(starts)
    frequency = Frequency("MS", None, count, day)
    return frequency, start.replace(day=min(day, start.days_in_month))


regular = st.tuples(fixed.map(Frequency.parse), starts) | months()


@given(regular, st.integers(3, 40))
def test_what_is_seen_goes_on_as_the_times_did(known, rows):
    frequency, start = known
    times = run(frequency, start, rows + 15)
    seen = infer_frequency(times[:rows])
    assert seen is not None
    assert seen.after(times[rows - 1], 15).equals(times[rows:])


@given(starts, st.integers(8, 60))
def test_business_days_go_on_as_they_did(start, rows):
    times = pd.date_range(start, periods=rows + 15, freq="B")
    seen = infer_frequency(times[:rows])
    assert (seen.alias, seen.season_length) == ("B", 5)
    assert (seen.after(times[rows - 1], 15) == times[rows:]).all()


@given(
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "UTC"]),
    st.sampled_from(["15min", "h", "D", "7D"]),
    st.dates(pd.Timestamp("2000-01-01").date(), pd.Timestamp("2030-01-01").date()),
    st.integers(3, 300),
)
def test_zoned_times_go_on_as_the_calendar_says(zone, freq, day, rows):
    first = pd.Timestamp(day).tz_localize(zone)
    times = pd.date_range(first, periods=rows + 15, freq=freq)
    seen = infer_frequency(times[:rows])
    future = seen.after(times[rows - 1], 15)
    assert (future == times[rows:]).all()
    assert future.tz == times.tz


@pytest.mark.parametrize("times", [TRADING, pd.date_range("2020-01-31", periods=9, freq="ME")])
def test_an_alias_that_was_seen_can_be_given_back(times):
    seen = infer_frequency(times)
    assert Frequency.parse(seen.alias, times) == seen


@pytest.mark.parametrize(
    ("alias", "times", "positions"),
    [
        ("D", dates("2020-01-01", "2020-01-02", "2020-01-05"), [0, 1, 4]),
        ("h", dates("2020-01-01 22:00", "2020-01-02 01:00"), [0, 3]),
        ("W", dates("2020-01-03", "2020-01-17"), [0, 2]),
        ("MS", dates("2020-01-31", "2020-02-29", "2020-04-30"), [0, 1, 3]),
        ("QS", dates("2020-02-01", "2020-08-01", "2020-11-01"), [0, 2, 3]),
        ("YS", dates("2020-01-01", "2024-01-01"), [0, 4]),
        ("B", dates("2020-01-02", "2020-01-03", "2020-01-07"), [0, 1, 2]),
        ("h", dates("2024-03-31 01:00", "2024-03-31 04:00", tz=BERLIN), [0, 2]),
        ("D", dates("2024-03-30", "2024-04-01", "2024-04-02", tz=BERLIN), [0, 2, 3]),
        ("D", dates("2020-01-01"), [0]),
        ("h", dates("2020-01-01", tz=BERLIN), [0]),
    ],
)
def test_each_time_has_its_place_on_the_grid(alias, times, positions):
    assert grid_positions(times, Frequency.parse(alias, times)).tolist() == positions


@given(regular, st.lists(st.booleans(), min_size=1, max_size=40))
def test_gaps_of_any_kind_keep_the_other_times_in_place(known, kept):
    frequency, start = known
    places = [0, *(np.flatnonzero(kept) + 1).tolist()]
    times = run(frequency, start, len(kept) + 1)[places]
    assert grid_positions(times, frequency).tolist() == places


@pytest.mark.parametrize(
    ("alias", "times", "named"),
    [
        ("D", dates("2020-01-01", "2020-01-02 01:00", "2020-01-03"), "2020-01-02 01:00"),
        ("D", dates("2020-01-01", "2020-01-02", "2020-01-03 11:00"), "2020-01-03 11:00"),
        ("h", dates("2020-01-01 00:00", "2020-01-01 00:20", "2020-01-01 01:00"), "00:20"),
        ("W", dates("2020-01-03", "2020-01-10", "2020-01-16"), "2020-01-16"),
        ("MS", dates("2020-01-01", "2020-02-02", "2020-03-01"), "2020-0[12]-0[12]"),
        ("QS", dates("2020-01-01", "2020-04-01", "2020-06-01"), "2020-06-01"),
        ("YS", dates("2020-01-01", "2021-01-01", "2021-02-01"), "2021-02-01"),
        ("B", dates("2020-01-02", "2020-01-03", "2020-01-04"), "2020-01-04 is a Saturday"),
        ("B", dates("2020-01-02 09:00", "2020-01-02 17:00", "2020-01-03 09:00"), "2020-01-02"),
    ],
)
def test_a_time_beside_the_grid_is_named(alias, times, named):
    with pytest.raises(DataError, match=named):
        grid_positions(times, Frequency.parse(alias, times))


@pytest.mark.parametrize(
    ("times", "row"),
    [
        (pd.date_range("2020-02-20", periods=30, freq="D").delete([20, 22]), 20),
        (pd.date_range("2020-02-20", periods=30, freq="D").delete(1), 1),
        (pd.date_range("2020-01-01", periods=30, freq="h").delete(7), 7),
        (pd.date_range("2020-01-01", periods=30, freq="W").delete(7), 7),
        (pd.date_range("2020-01-01", periods=30, freq="MS").delete(9), 9),
        (pd.date_range("2020-01-31", periods=30, freq="ME").delete(9), 9),
        (dates("2020-01-01", "2020-02-01", "2020-03-02", "2020-04-01", "2020-05-01"), 2),
        (pd.date_range("2020-01-01", periods=30, freq="QS").delete(9), 9),
        (pd.date_range("2020-01-01", periods=30, freq="YS").delete(9), 9),
        (pd.bdate_range("2020-01-01", periods=60).delete(range(30, 45)), 30),
        (pd.date_range("2024-03-20", periods=40, freq="D", tz=BERLIN).delete(30), 30),
        (pd.date_range("2024-10-20", periods=40, freq="D", tz=BERLIN).delete(30), 30),
    ],
    ids=[
        "days",
        "at once",
        "hours",
        "weeks",
        "months",
        "month ends",
        "a day late",
        "quarters",
        "years",
        "closed for weeks",
        "spring",
        "autumn",
    ],
)
def test_the_first_irregular_row_is_named(times, row):
    assert infer_frequency(times) is None
    found, said = irregular_place(times, likely_frequency(times))
    assert found == row
    assert when(times[row]) in said
    assert when(times[row - 1]) in said


def test_missing_weekdays_are_counted():
    assert missing_weekdays(TRADING) == len(HOLIDAYS)
    assert missing_weekdays(pd.bdate_range("2020-01-01", periods=30)) == 0


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (pd.Timestamp("2020-01-01"), "2020-01-01"),
        (pd.Timestamp("2020-01-01 10:00"), "2020-01-01 10:00:00"),
        (pd.Timestamp("2020-01-01", tz="UTC"), "2020-01-01 00:00:00+00:00"),
    ],
)
def test_midnight_is_not_said(time, text):
    assert when(time) == text


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (pd.Timedelta(days=1), "1 day"),
        (pd.Timedelta(days=3), "3 days"),
        (pd.Timedelta(minutes=15), "00:15:00"),
        (pd.Timedelta(days=1, hours=2), "1 days 02:00:00"),
    ],
)
def test_a_gap_is_said_in_words(gap, text):
    assert span(gap) == text
