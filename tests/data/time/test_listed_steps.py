"""Half-months, months by business day and retail months, against the calendars of pandas."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.holiday import USFederalHolidayCalendar
from pandas.tseries.offsets import FY5253, CustomBusinessMonthEnd

from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.time.frequency import Frequency
from forecast_cli.data.time.grid import grid_positions
from forecast_cli.data.time.time_index import closest_frequency, infer_frequency, steps_broken

ALIASES = ["BME", "BMS", "BQE-DEC", "BQE-FEB", "BQS-JAN", "BYE-DEC", "SMS", "SME", "SMS-16"]
SEASONS = {"BM": 12, "BQ": 4, "BY": 1, "SM": 24}


def retail_months(weeks, variation, month, *, years=9, ends=False):
    """Retail months whose years end as pandas says, by their first or their last days."""
    rule = FY5253(weekday=5, startingMonth=month, variation=variation)
    first = pd.date_range("2010-01-01", periods=years, freq=rule) + pd.Timedelta(days=1)
    lengths = np.tile(weeks, 4)
    before = np.r_[0, lengths.cumsum()[:-1]]
    days = (first.to_numpy()[:, None] + before * np.timedelta64(7, "D")).ravel()
    return pd.DatetimeIndex(days) - pd.Timedelta(days=int(ends))


def restored(frequency):
    """The frequency as a model file keeps it."""
    parsed = Frequency.parse(frequency.alias)
    return Frequency(parsed.alias, parsed.step, parsed.months, frequency.day)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("alias", ALIASES)
def test_listed_steps_are_found_and_go_on_as_those_of_pandas(alias, zone):
    times = pd.date_range("2012-01-01", periods=46, freq=alias, tz=zone).as_unit("us")
    frequency = infer_frequency(times[:40])
    assert frequency.season_length == SEASONS[alias[:2]]
    assert frequency.after(times[39], 6).equals(times[40:])
    assert grid_positions(times, frequency).tolist() == list(range(46))
    back = restored(frequency).moved(times[-1:].repeat(46), np.arange(-45, 1))
    assert back.equals(times)
    assert Frequency.parse(alias, times).after(times[39], 6).equals(times[40:])


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("month", [1, 6, 12])
@pytest.mark.parametrize("variation", ["nearest", "last"])
@pytest.mark.parametrize("weeks", [(4, 4, 5), (4, 5, 4), (5, 4, 4)])
def test_retail_months_go_on_with_years_of_53_weeks(weeks, variation, month, ends):
    times = retail_months(weeks, variation, month, ends=ends)
    frequency = infer_frequency(times[:80])
    assert frequency.season_length == 12
    assert (frequency.after(times[79], 28) == times[80:]).all()
    assert grid_positions(times, frequency).tolist() == list(range(108))
    back = restored(frequency).moved(times[79:80].repeat(80), np.arange(-79, 1))
    assert (back == times[:80]).all()
    given = Frequency.parse(frequency.alias, times)
    assert (given.after(times[79], 28) == times[80:]).all()


def test_retail_months_without_a_year_of_53_weeks_repeat_their_weeks():
    times = retail_months((4, 5, 4), "nearest", 1, years=3)
    for frequency in (infer_frequency(times), Frequency.parse("4-5-4", times)):
        weeks = np.diff(frequency.after(times[-1], 7)) // np.timedelta64(7, "D")
        assert weeks.tolist() == [4, 5, 4, 4, 5, 4]


@pytest.mark.parametrize("start", range(3))
def test_tables_may_begin_within_a_quarter(start):
    times = retail_months((4, 4, 5), "last", 12)
    frequency = infer_frequency(times[start:70])
    assert (frequency.after(times[69], 20) == times[70:90]).all()


def test_other_whole_weeks_are_no_retail_months():
    mondays = pd.date_range("2015-01-01", periods=60, freq="WOM-1MON")
    assert infer_frequency(mondays) is None
    with pytest.raises(DataError, match="not those of months of 4, 4 and 5 weeks"):
        Frequency.parse("445", mondays)
    with pytest.raises(UsageError, match="end on a Friday"):
        Frequency.parse("445-L-JAN-FRI", retail_months((4, 4, 5), "last", 1))


def test_holidays_move_the_last_business_day():
    calendar = USFederalHolidayCalendar()
    times = pd.date_range("2008-01-01", periods=120, freq=CustomBusinessMonthEnd(calendar=calendar))
    frequency = infer_frequency(times)
    assert frequency.alias == "BME"
    assert not steps_broken(times, frequency).any()
    assert grid_positions(times, frequency).tolist() == list(range(120))
    assert str(frequency.after(times[-1], 2)[-1].date()) == "2018-02-28"


def test_months_without_a_row_are_months_by_business_day_too():
    times = pd.date_range("2012-01-01", periods=60, freq="BME").delete([7, 30])
    assert infer_frequency(times) is None
    frequency = closest_frequency(times)
    assert frequency.alias == "BME"
    assert grid_positions(times, frequency)[-1] == 59


@pytest.mark.parametrize("years", [3, 9])
def test_retail_months_may_have_no_row(years):
    times = retail_months((4, 5, 4), "nearest", 1, years=years)
    kept = times.delete([7, 20, 21])
    assert infer_frequency(kept) is None
    frequency = closest_frequency(kept)
    assert frequency.alias == ("454-20100131" if years == 3 else "454-N-JAN-SAT")
    assert grid_positions(kept, frequency)[-1] == len(times) - 1


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2012-01-01", periods=40, freq="MS"),
        pd.date_range("2012-01-01", periods=40, freq="ME"),
        pd.date_range("2012-01-01", periods=40, freq="QS"),
        pd.date_range("2012-01-02", periods=40, freq="14D"),
    ],
)
def test_other_steps_stay_what_they_are(times):
    assert not infer_frequency(times).listed
