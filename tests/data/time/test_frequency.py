"""Frequencies and the dates to come, against the calendars of pandas."""

import tracemalloc

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.errors import UsageError
from forecast_cli.data.time.frequency import Frequency


def regular(frequency, first, rows):
    """So many times of a frequency, from the first on."""
    return frequency.after(first, rows - 1).insert(0, first)


BERLIN = "Europe/Berlin"
starts = st.datetimes(pd.Timestamp("1800-01-01"), pd.Timestamp("2200-01-01")).map(
    lambda time: pd.Timestamp(time).floor("min").as_unit("us")
)
ALIASES = ["s", "15min", "h", "D", "W-SUN", "W-WED", "B", "MS", "ME", "2MS", "QS", "QE-NOV"]


@given(st.sampled_from([*ALIASES, "YS", "YE", "3D", "36h"]), starts)
def test_dates_to_come_are_those_of_pandas(alias, start):
    times = pd.date_range(start, periods=30, freq=alias)
    assert Frequency.parse(alias, times).after(times[0], 29).equals(times[1:].as_unit("us"))


@pytest.mark.parametrize(
    ("alias", "day", "last", "expected"),
    [
        ("ME", 31, "2023-01-31", ["2023-02-28", "2023-03-31", "2023-04-30"]),
        ("ME", 31, "2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30"]),
        ("ME", 31, "2100-01-31", ["2100-02-28", "2100-03-31"]),
        ("ME", 31, "2023-02-28", ["2023-03-31"]),
        ("MS", 30, "2023-02-28", ["2023-03-30", "2023-04-30", "2023-05-30"]),
        ("MS", 15, "2023-12-15", ["2024-01-15", "2024-02-15"]),
        ("QE", 31, "2023-11-30", ["2024-02-29", "2024-05-31"]),
        ("YS", 29, "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("B", 1, "2024-05-31", ["2024-06-03", "2024-06-04"]),
        ("B", 1, "2024-06-01", ["2024-06-03", "2024-06-04"]),
        ("B", 1, "2024-06-02 09:30", ["2024-06-03 09:30", "2024-06-04 09:30"]),
        ("D", 1, "2024-02-28", ["2024-02-29", "2024-03-01"]),
        ("W", 1, "2024-02-28", ["2024-03-06"]),
    ],
)
def test_dates_to_come_know_the_calendar(alias, day, last, expected):
    parsed = Frequency.parse(alias)
    frequency = Frequency(alias, parsed.step, parsed.months, day)
    assert frequency.after(pd.Timestamp(last), len(expected)).equals(
        pd.DatetimeIndex(expected).as_unit("us")
    )


@pytest.mark.parametrize(
    ("alias", "last", "expected"),
    [
        ("h", "2024-03-31T01:00+01:00", ["2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"]),
        ("h", "2024-10-27T02:00+02:00", ["2024-10-27T02:00+01:00", "2024-10-27T03:00+01:00"]),
        ("4h", "2024-03-31T00:00+01:00", ["2024-03-31T05:00+02:00", "2024-03-31T09:00+02:00"]),
        ("D", "2024-03-30T12:00+01:00", ["2024-03-31T12:00+02:00", "2024-04-01T12:00+02:00"]),
        ("D", "2024-10-26T00:00+02:00", ["2024-10-27T00:00+02:00", "2024-10-28T00:00+01:00"]),
        ("D", "2024-03-30T02:30+01:00", ["2024-03-31T03:00+02:00", "2024-04-01T02:30+02:00"]),
        ("B", "2024-03-29T00:00+01:00", ["2024-04-01T00:00+02:00", "2024-04-02T00:00+02:00"]),
        ("MS", "2024-03-01T00:00+01:00", ["2024-04-01T00:00+02:00", "2024-05-01T00:00+02:00"]),
    ],
)
def test_hours_count_on_and_days_keep_the_wall_clock(alias, last, expected):
    future = Frequency.parse(alias).after(pd.Timestamp(last).tz_convert(BERLIN), 2)
    assert [time.isoformat(timespec="minutes") for time in future] == expected


@pytest.mark.parametrize("zone", [None, BERLIN])
@pytest.mark.parametrize("alias", ["h", "D", "W", "MS", "B"])
def test_a_span_of_one_row_is_its_first_time(alias, zone):
    first = pd.Timestamp("2024-01-31", tz=zone)
    times = regular(Frequency.parse(alias), first, 1)
    assert list(times) == [first]
    assert times.tz == first.tz
    assert len(Frequency.parse(alias).after(first, 0)) == 0


@pytest.mark.parametrize("alias", ["min", "D", "B", "MS"])
def test_a_long_span_takes_few_bytes_a_row(alias):
    rows = 20_000
    tracemalloc.start()
    times = regular(Frequency.parse(alias), pd.Timestamp("1700-01-01"), rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(times) == rows
    assert peak < 80 * rows


@pytest.mark.parametrize(
    ("alias", "season"),
    [
        ("s", 60),
        ("15s", 240),
        ("min", 60),
        ("5min", 288),
        ("15min", 96),
        ("30min", 48),
        ("h", 24),
        ("2h", 12),
        ("4h", 6),
        ("12h", 2),
        ("7h", 1),
        ("D", 7),
        ("2D", 1),
        ("B", 5),
        ("W", 52),
        ("W-FRI", 52),
        ("7D", 52),
        ("14D", 1),
        ("MS", 12),
        ("ME", 12),
        ("2MS", 6),
        ("5MS", 1),
        ("QS", 4),
        ("QE-NOV", 4),
        ("2QS", 2),
        ("YS", 1),
        ("YE", 1),
    ],
)
def test_the_season_is_the_usual_one(alias, season):
    assert Frequency.parse(alias).season_length == season


def test_an_alias_takes_the_day_of_the_month_from_the_times():
    times = pd.DatetimeIndex(["2020-01-30", "2020-02-29", "2020-04-30"])
    assert Frequency.parse("MS", times).day == 30


@pytest.mark.parametrize(("alias", "days"), [("2W", 14), ("2W-FRI", 14), ("7D", 7), ("24h", 1)])
def test_weeks_and_days_have_a_length(alias, days):
    assert Frequency.parse(alias).step == pd.Timedelta(days=days)


@pytest.mark.parametrize("alias", ["", "fortnight", "0D", "-1D", "0h", "-1h", "0MS", "0B", "W-FOO"])
def test_an_impossible_frequency_is_a_usage_error(alias):
    with pytest.raises(UsageError, match=f'"{alias}"'):
        Frequency.parse(alias)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("B", "business days (B)"),
        ("15min", "15 minutes (15min)"),
        ("W-FRI", "weeks (W-FRI)"),
        ("ME", "month ends (ME)"),
    ],
)
def test_a_frequency_has_a_name(alias, name):
    assert Frequency.parse(alias).name == name


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        ("h", "hourly"),
        ("15min", "in steps of 15 minutes"),
        ("B", "in business days"),
        ("W-FRI", "weekly"),
        ("ME", "monthly"),
        ("QS", "quarterly"),
        ("min", "in minutes"),
    ],
)
def test_a_frequency_says_what_a_table_is(alias, words):
    """Messages compare tables: "the model is daily, this table is monthly"."""
    assert Frequency.parse(alias).adjective == words
