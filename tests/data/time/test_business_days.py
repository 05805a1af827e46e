"""Calendars in use: dates to come on open days, and covariates that are made of the times."""

import warnings
from functools import cache

import holidays
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.calendar_features import calendar_values, found_features, with_calendar
from forecast_cli.data.known_future import rows_ahead, times_ahead
from forecast_cli.data.reading import read_panel
from forecast_cli.data.time.calendars import named_calendar
from forecast_cli.data.time.frequency import Frequency

FIRST, LAST = "2018-01-01", "2024-12-31"
ZONES = [None, "UTC", "Europe/Berlin", "Asia/Seoul"]


def read(times, notes=None, **data):
    frame = times if isinstance(times, pd.DataFrame) else pd.DataFrame({"t": times, "y": 1.0})
    notes = [] if notes is None else notes
    return read_panel(
        frame, Data(column=("y",), **data), on_event=lambda event: notes.append(event.text)
    )


@cache
def open_days(code):
    """The open days of a calendar, as the library itself says, without our code."""
    if len(code) == 4:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import exchange_calendars

            found = exchange_calendars.get_calendar(code, start=FIRST, end=LAST).sessions
        return pd.DatetimeIndex(found).tz_localize(None)
    country, _, part = code.partition("-")
    known = holidays.country_holidays(country, subdiv=part or None, years=range(2017, 2026))
    days = pd.bdate_range(FIRST, LAST)
    return days[[day.date() not in known for day in days]]


@cache
def restore_frequency(code):
    calendar = named_calendar(code, pd.Timestamp(FIRST).date(), pd.Timestamp(LAST).date())
    return Frequency("B").on(calendar)


CODES = ["XNYS", "XKRX", "XLON", "KR", "US", "DE-BY"]


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
@given(st.integers(0, 6 * 365), st.integers(1, 40), st.sampled_from(ZONES), st.integers(0, 23))
def test_dates_to_come_are_those_of_the_library(code, day, steps, zone, hour):
    clock = pd.Timedelta(hours=hour)
    # Any day, open or not: what comes next is the first open day after it.
    last = pd.Timestamp(FIRST) + pd.Timedelta(days=day)
    later = open_days(code)[open_days(code) > last][:steps]
    expected = (later + clock).tz_localize(zone)
    found = restore_frequency(code).after((last + clock).tz_localize(zone), steps)
    if hour in (2, 3) and zone == "Europe/Berlin":
        found, expected = found.normalize(), expected.normalize()
    assert (found == expected).all()
    assert found.tz == expected.tz


@pytest.mark.parametrize("code", ["XNYS", "KR"])
@given(st.integers(60, 1000), st.integers(-50, 50))
def test_open_days_are_moved_back_as_they_are_moved_on(code, place, count):
    days = open_days(code)
    found = restore_frequency(code).moved(days[[place]], np.array([count]))
    assert found[0] == days[place + count]


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
def test_a_table_goes_on_with_the_open_days_of_its_calendar(code):
    days = open_days(code)
    # Over Christmas, over the lunar new year, and over Easter.
    for end in ("2023-12-21", "2024-02-07", "2024-03-27"):
        past, later = days[(days > "2022-06-01") & (days <= end)], days[days > end]
        notes = []
        panel = read(past, notes, calendar=code)
        assert (times_ahead(panel, 60) == later[:60]).all()
        assert panel.timeline.frequency.rule.startswith(f"{code}: Monday to Friday but ")
        assert panel.timeline.frequency.season_length == 5
        assert notes == []


def test_a_calendar_is_learned_of_the_days_of_all_series():
    days = open_days("XNYS")
    past, later = days[days <= "2023-12-20"], days[(days > "2023-12-20") & (days < "2024-05-30")]
    frame = pd.DataFrame({"t": past, "y": 1.0, "id": np.where(past < "2020-06-01", "a", "b")})
    panel = read(frame, calendar="data", series=("id",))
    both = times_ahead(panel, len(later))
    assert (both[len(later) :] == later).all()
    assert (both[:2] == ["2020-06-01", "2020-06-02"]).all()


def test_each_series_goes_on_from_its_own_end():
    days = open_days("XTKS")
    frames = [pd.DataFrame({"t": days[:rows], "y": 1.0, "id": rows}) for rows in (500, 437, 461)]
    panel = read(pd.concat(frames).sample(frac=1, random_state=1), calendar="XTKS", series=("id",))
    ahead = times_ahead(panel, 9).to_numpy().reshape(3, 9)
    for series, rows in enumerate(panel.ids["id"]):
        assert (ahead[series] == days[rows : rows + 9]).all()


def test_rows_on_closed_days_stay_and_closed_days_do_not_come_again():
    days = pd.bdate_range("2024-03-18", "2024-04-01")  # over Good Friday and a weekend
    panel = read(days, calendar="XNYS")
    assert (panel.timeline.times == days).all()
    assert (times_ahead(panel, 4) == ["2024-04-02", "2024-04-03", "2024-04-04", "2024-04-05"]).all()


@pytest.mark.parametrize("weekend", [[], ["2024-03-30"], ["2024-03-31"]])
def test_a_series_may_end_on_a_closed_day(weekend):
    days = pd.bdate_range("2024-03-01", "2024-03-29").append(pd.DatetimeIndex(weekend))
    panel = read(days, calendar="XNYS")
    assert panel.lasts[0] == days[-1]
    assert (times_ahead(panel, 2) == ["2024-04-01", "2024-04-02"]).all()


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (pd.date_range("2024-01-01", periods=60), "of its days are closed there"),
        (pd.date_range("2020-01-31", periods=40, freq="BME"), "it has rows on 40 days, where"),
    ],
)
def test_a_calendar_that_is_none_of_the_table_is_refused(times, why):
    with pytest.raises(DataError, match=why) as caught:
        read(times, calendar="XNYS")
    assert "leave `calendar` out" in caught.value.hint


def test_without_a_calendar_weekends_are_refused_and_holidays_may_be_missing():
    with pytest.raises(DataError, match="2024-03-23 is a Saturday"):
        read(pd.date_range("2024-03-18", "2024-03-30"), freq="B")
    assert read(open_days("XNYS")[:300]).timeline.frequency.open_days is None


def test_open_days_without_a_row_are_counted_and_rows_are_the_steps():
    days = open_days("XNYS")
    days = days[(days > "2024-01-01") & (days < "2024-03-01")].delete([5, 6, 20])
    notes = []
    panel = read(days, notes, calendar="XNYS")
    assert len(panel.values) == len(days)
    assert notes == [
        "3 business days of XNYS are missing (market holidays?); rows are treated as consecutive "
        "business days"
    ]


def test_two_rows_of_a_day_are_refused():
    days = pd.bdate_range("2024-01-02", periods=30)
    hours = days.append(days + pd.Timedelta(hours=12)).sort_values()
    with pytest.raises(DataError, match="2024-01-02 12:00:00 is a second row for that day"):
        read(hours, calendar="XNYS")


def test_days_are_those_of_the_clock_on_the_wall():
    days = open_days("XTKS")[:300].tz_localize("Asia/Tokyo")  # the day before, in UTC
    panel = read(days, calendar="data")
    expected = open_days("XTKS")[300:303].tz_localize("Asia/Tokyo")
    assert panel.timeline.frequency.open_days.weekmask == "1111100"
    assert str(times_ahead(panel, 3).tz) == "Asia/Tokyo"
    assert (times_ahead(read(days, calendar="XTKS"), 3) == expected).all()


def test_the_calendar_of_a_model_holds_for_later_tables():
    frequency = restore_frequency("XNYS")
    later = open_days("XNYS")[-300:-200]
    frame = pd.DataFrame({"t": later, "y": 1.0})
    data = Data(column=("y",), calendar="data")
    panel = read_panel(frame, data, frequency=frequency)
    assert panel.timeline.frequency == frequency


def test_an_unknown_calendar_is_a_usage_error():
    with pytest.raises(UsageError, match='no exchange or country "XNYC"'):
        read(pd.bdate_range("2024-01-01", periods=30), calendar="XNYC")


@pytest.mark.parametrize("end", ["2024-03-31", "2024-04-01"])
def test_rows_on_closed_days_are_no_open_days_that_are_missing(end):
    notes = []
    read(pd.bdate_range("2024-03-18", end), notes, calendar="XNYS")
    assert not [text for text in notes if "missing" in text]


@pytest.mark.parametrize("other", [{"freq": "D"}, {"freq": "h"}, {"freq": "MS"}, {"resample": "W"}])
def test_steps_that_a_calendar_would_overrule_are_refused(other):
    with pytest.raises(UsageError, match="`calendar` makes steps of open days"):
        configure({"column": ("y",), "calendar": "XNYS", **other})
    assert configure({"column": ("y",), "calendar": "XNYS", "freq": "B"}).data.calendar == "XNYS"


# Covariates made of the times.


@given(
    st.sampled_from(["15min", "h", "D", "MS"]),
    st.sampled_from(["2024-03-30", "2024-10-26", "2023-12-28"]),
    st.sampled_from(ZONES),
)
def test_features_are_told_by_the_clock_on_the_wall(freq, start, zone):
    times = pd.date_range(start, periods=60, freq=freq, tz=zone)
    names = ["hour", "dayofweek", "month", "day", "quarter"]
    found = calendar_values(times, names)
    shares = [
        (times.hour + times.minute / 60) / 24,
        times.day_of_week / 7,
        (times.month - 1) / 12,
        (times.day - 1) / times.days_in_month,
        (times.quarter - 1) / 4,
    ]
    for place, share in enumerate(shares):
        angle = 2 * np.pi * np.asarray(share)
        expected = np.column_stack([np.sin(angle), np.cos(angle)])
        np.testing.assert_allclose(found[:, 2 * place : 2 * place + 2], expected, atol=1e-9)
    weekend = calendar_values(times, ["weekend"])[:, 0]
    assert weekend.tolist() == (times.day_of_week >= 5).astype(float).tolist()


@pytest.mark.parametrize("zone", [None, "Asia/Seoul"])
def test_holidays_are_those_of_the_library(zone):
    known = {
        code: holidays.country_holidays(code, years=range(2022, 2027)) for code in ("KR", "US")
    }
    times = pd.date_range("2023-12-20", periods=24 * 400, freq="h", tz=zone)
    found = calendar_values(times, ["holiday:KR", "weekend", "holiday:US"])
    # Holidays come after the cycles, in the order asked for.
    for column, code in ((1, "KR"), (2, "US")):
        expected = [float(day in known[code]) for day in times.date]
        assert found[:, column].tolist() == expected
    assert found[:, 0].tolist() == (times.day_of_week >= 5).astype(float).tolist()


@pytest.mark.parametrize(
    ("freq", "rows", "expected"),
    [
        ("min", 600, ("hour", "dayofweek")),
        ("h", 600, ("hour", "dayofweek")),
        ("h", 24 * 731, ("hour", "dayofweek", "dayofyear")),
        ("D", 600, ("dayofweek",)),
        ("D", 800, ("dayofweek", "dayofyear")),
        ("B", 600, ("dayofweek", "dayofyear")),
        ("B", 300, ("dayofweek",)),
        ("W", 110, ("dayofyear",)),
        ("W", 50, ()),
        ("MS", 40, ("month",)),
        ("2MS", 40, ("month",)),
        ("QS", 40, ("quarter",)),
        ("YS", 40, ()),
    ],
)
def test_usual_features_follow_the_step_and_the_length(freq, rows, expected):
    times = pd.date_range("2010-01-01", periods=rows, freq=freq)
    panel = read(times, calendar_features=("auto", "holiday:KR", "dayofweek"))
    usual = dict.fromkeys([*expected, "holiday:KR", "dayofweek"])
    assert panel.data.calendar_features == tuple(usual)
    if not expected:
        with pytest.raises(UsageError, match="auto finds no calendar feature"):
            found_features(panel, Data(calendar_features=("auto",)))
        return
    assert found_features(panel, Data(calendar_features=("auto",))) == expected
    assert found_features(panel, Data(calendar_features=("week",))) == ("week",)


def test_features_of_the_longest_series_are_those_of_all():
    days = pd.date_range("2020-01-01", periods=800)
    frame = pd.DataFrame({"t": days, "y": 1.0, "id": np.where(np.arange(800) < 30, "a", "b")})
    panel = read(frame, calendar_features=("auto",), series=("id",))
    assert panel.data.calendar_features == ("dayofweek", "dayofyear")
    assert panel.columns.covariates.calendar == (
        "dayofweek_sin", "dayofweek_cos", "dayofyear_sin", "dayofyear_cos",
    )  # fmt: skip
    assert panel.values.shape == (800, 5)


@pytest.mark.parametrize("zone", ZONES)
def test_features_ahead_go_on_with_those_of_the_rows(zone):
    times = pd.date_range("2024-10-20", periods=24 * 30, freq="h", tz=zone)
    names = ("hour", "weekend", "holiday:DE-BY")
    panel = read(times[:200], calendar_features=names)
    places = list(panel.columns.places(panel.columns.covariates.calendar))
    both = np.concatenate([panel.values[:, places], rows_ahead(panel, 520)[0][:, places]])
    np.testing.assert_array_equal(both, calendar_values(times, names))
    assert not np.isnan(both).any()
    assert np.abs(both).max() <= 1


def test_features_stand_in_rows_that_the_table_lacks():
    times = pd.date_range("2024-01-01", periods=10).delete(4)
    panel = read(times, freq="D", missing="interpolate", calendar_features=("weekend",))
    assert np.isnan(panel.values[:, 0]).sum() == 1
    assert panel.values[:, 1].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0]


def test_features_need_times():
    frame = pd.DataFrame({"y": [1.0, 2, 3]})
    with pytest.raises(DataError, match="no times to compute calendar features from") as caught:
        read(frame, calendar_features=("hour",))
    assert "`time`" in caught.value.hint
    panel = read(frame)
    assert with_calendar(panel, ()) is panel


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("our", 'Unknown calendar feature "our".*Did you mean "hour"'),
        ("holiday:XX", 'holidays for "XX"'),
    ],
)
def test_a_feature_that_there_is_not_is_a_usage_error(name, said):
    with pytest.raises(UsageError, match=said):
        read(pd.date_range("2024-01-01", periods=9), calendar_features=(name,))
