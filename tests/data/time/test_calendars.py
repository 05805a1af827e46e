"""Open days against the sessions of real exchanges, and holidays against a loop."""

import pickle
import sys
import warnings
from datetime import date, datetime, timedelta
from functools import cache

import holidays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.errors import UsageError
from forecast_cli.data.time.business_days import OpenDays
from forecast_cli.data.time.calendars import find_calendar, named_calendar
from forecast_cli.data.time.holidays import holiday_columns, holidays_on
from forecast_cli.data.time.learned_calendar import learned_calendar

DAY = np.timedelta64(1, "D")
weekmasks = st.lists(st.sampled_from("01"), min_size=7, max_size=7).map("".join)


def span(first, last):
    return np.arange(np.datetime64(first), np.datetime64(last) + DAY)


@cache
def all_sessions(code):
    """The exchange's own sessions, from 2010 or where they begin."""
    first = "2021-01-01" if code == "XSAU" else "2010-01-01"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        found = exchange_calendars.get_calendar(code, start=first, end="2026-12-31").sessions
    return found.to_numpy().astype("datetime64[D]")


def sessions(code, first, last):
    days = all_sessions(code)
    return days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]


def compare(learned, code, first, last):
    """Days a year that are wrongly closed, and that are wrongly open, after the table."""
    days = span(first, last)
    open_ = np.isin(days, sessions(code, first, last))
    given_ = learned.is_open(days)
    years = len(days) / 365.25
    return (open_ & ~given_).sum() / years, (~open_ & given_).sum() / years


@st.composite
def open_days(draw):
    """A calendar of 2024, some weekday open, with closed days."""
    weekmask = draw(weekmasks.filter(lambda mask: "1" in mask))
    year = span("2024-01-01", "2024-12-31")
    weekdays = year[np.is_busday(year, weekmask=weekmask)]
    closed = draw(st.lists(st.sampled_from(weekdays.tolist()), max_size=20, unique=True))
    return OpenDays("data", weekmask, tuple(map(str, sorted(closed))), "2024-12-31")


def later_by_loop(calendar, day, count):
    """The open day so many open days later, day by day."""

    def is_open(day):
        return calendar.weekmask[day.weekday()] == "1" and str(day) not in calendar.closed

    while not is_open(day):
        day -= timedelta(days=1)
    for _ in range(abs(count)):
        day += timedelta(days=1 if count > 0 else -1)
        while not is_open(day):
            day += timedelta(days=1 if count > 0 else -1)
    return day


@given(open_days(), st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.integers(-9, 9))
def test_days_after_are_those_of_a_loop(calendar, day, count):
    later = calendar.after(np.array([day], "datetime64[D]"), np.array([count]))
    assert later.tolist() == [later_by_loop(calendar, day, count)]
    assert calendar.is_open(later).all()


@given(open_days(), st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.integers(0, 60))
def test_days_between_are_the_open_ones(calendar, day, length):
    first = np.datetime64(day)
    days = span(first, first + length)
    assert calendar.between(first, days[-1]) == calendar.is_open(days).sum()


@pytest.mark.slow
@pytest.mark.parametrize("code", ["XNYS", "XKRX", "XLON", "XSAU", "XSHG", "24/7"])
def test_a_named_exchange_has_the_sessions_of_the_library(code):
    calendar = named_calendar(code, date(2021, 1, 1), date(2026, 12, 31))
    days = span("2021-01-01", "2026-12-31")
    assert (days[calendar.is_open(days)] == sessions(code, "2021-01-01", "2026-12-31")).all()


def test_an_alias_names_the_exchange():
    assert named_calendar("nyse", date(2024, 1, 1), date(2024, 12, 31)) == named_calendar(
        "XNYS", date(2024, 1, 1), date(2024, 12, 31)
    )


def test_where_an_exchange_is_not_settled_it_says_so():
    calendar = named_calendar("XSAU", date(2000, 1, 1), date(2099, 1, 1))
    assert calendar.closed[0] > "2021-01-01"
    assert "2026" < calendar.until < "2099"
    assert not calendar.is_open(np.datetime64("2060-01-02"))  # a Friday
    assert calendar.is_open(np.datetime64("2060-01-04"))  # a Sunday
    assert calendar.describe().startswith("XSAU: Sunday to Thursday but ")


@pytest.mark.slow
def test_weekdays_are_those_of_the_end():
    before = named_calendar("XTAE", date(2010, 1, 1), date(2020, 12, 31))
    after = named_calendar("XTAE", date(2010, 1, 1), date(2030, 12, 31))
    assert (before.weekmask, after.weekmask) == ("1111001", "1111100")
    assert not after.is_open(np.datetime64("2025-06-20"))  # a Friday
    assert after.is_open(np.datetime64("2026-06-19"))  # a Friday after the change
    # Memorial and Independence Day 2026, Passover 2019, the fast of 2020; no Western Easter.
    shut = np.array(["2026-04-21", "2026-04-22", "2019-04-25", "2020-07-30"], "datetime64[D]")
    assert not after.is_open(shut).any()
    assert after.is_open(np.datetime64("2026-04-06"))
    saturdays = named_calendar("XKRX", date(1990, 1, 1), date(1995, 12, 31))
    assert saturdays.weekmask == "1111110"


def test_the_orthodox_easter_is_closed():
    calendar = named_calendar("ASEX", date(2020, 1, 1), date(2030, 12, 31))
    assert not calendar.is_open(np.array(["2024-05-03", "2024-05-06"], "datetime64[D]")).any()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("XNYS", "XNYS: Monday to Friday but 10 exchange holidays a year"),
        ("24/7", "24/7: every day"),
    ],
)
def test_a_named_calendar_describes_itself(name, words):
    assert named_calendar(name, date(2015, 1, 1), date(2035, 12, 31)).describe() == words


@pytest.mark.parametrize(
    ("code", "words", "weekend"),
    [
        ("KR", "KR: Monday to Friday", (5, 6)),
        ("de-by", "DE-BY: Monday to Friday", (5, 6)),
        ("IL", "IL: Sunday to Thursday", (4, 5)),
    ],
)
def test_a_country_describes_itself(code, words, weekend):
    country, _, part = code.upper().partition("-")
    # Which days are holidays in years to come differs between versions of the library.
    known = holidays.country_holidays(country, subdiv=part or None, years=range(2031, 2036))
    expected = sum(day.weekday() not in weekend for day in known) / 5
    found = named_calendar(code, date(2015, 1, 1), date(2035, 12, 31)).describe()
    told, rest = found.removeprefix(f"{words} but ").split(" ", 1)
    assert (rest, int(told)) == ("public holidays a year", pytest.approx(expected, abs=1))


@pytest.mark.parametrize(
    ("weekmask", "words"),
    [
        ("1111111", "every day"),
        ("1111110", "Monday to Saturday"),
        ("1111001", "Sunday to Thursday"),
        ("1000000", "Monday"),
        ("1010100", "Monday, Wednesday, Friday"),
        ("0000011", "Saturday, Sunday"),
    ],
)
def test_weekdays_have_words(weekmask, words):
    assert OpenDays("data", weekmask, (), "2024-12-31").describe() == words


@pytest.mark.parametrize("code", ["KR", "US", "US-NY", "DE-BY"])
def test_a_country_is_closed_on_its_public_holidays(code):
    country, _, part = code.partition("-")
    known = holidays.country_holidays(country, subdiv=part or None, years=range(2015, 2027))
    calendar = named_calendar(code, date(2016, 1, 1), date(2025, 12, 31))
    days = span("2016-01-01", "2025-12-31")
    expected = [day.weekday() < 5 and day not in known for day in days.tolist()]
    assert calendar.is_open(days).tolist() == expected


@pytest.mark.parametrize(
    ("name", "guess"), [("XNYC", '"XNYS"'), ("US-ZY", "There are: AK"), ("Nowhere!", "e.g. XNYS")]
)
def test_an_unknown_name_is_a_usage_error(name, guess):
    with pytest.raises(UsageError, match=guess):
        named_calendar(name, date(2024, 1, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    ("library", "name"), [("holidays", "KR"), ("holidays", "XNYS"), ("exchange_calendars", "XNYS")]
)
def test_a_missing_library_is_named_with_the_way_to_install_it(monkeypatch, library, name):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=rf"library {library}.*pip install 'forecast-cli\[cal"):
        named_calendar(name, date(2024, 1, 1), date(2024, 12, 31))


def test_an_exchange_that_the_library_cannot_make_is_a_usage_error(monkeypatch):
    import exchange_calendars

    def fail(*args, **kwargs):
        raise NotImplementedError("no such offset")

    monkeypatch.setattr(exchange_calendars, "get_calendar", fail)
    with pytest.raises(UsageError, match="XNYS: no such offset"):
        named_calendar("XNYS", date(2024, 1, 1), date(2024, 12, 31))


def test_new_york_is_learned_from_ten_years():
    table = sessions("XNYS", "2010-01-01", "2019-12-31")
    learned = learned_calendar(table, date(2024, 12, 31))
    assert learned.describe() == (
        "Monday to Friday but 1 January, 4 July, 25 December, the 3rd Monday of January, the 3rd "
        "Monday of February, the last Monday of May, the 1st Monday of September, the 4th "
        "Thursday of November, Good Friday"
    )
    assert learned.is_open(table).all()
    # Hurricane Sandy: closed in the table, and in no year to come.
    assert "2012-10-29" in learned.closed
    days = span("2020-01-01", "2024-12-31")
    differ = days[learned.is_open(days) != np.isin(days, sessions("XNYS", "2020", "2024-12-31"))]
    # Only Juneteenth, which began in 2022: 3 days in 5 years.
    assert differ.astype(str).tolist() == ["2022-06-20", "2023-06-19", "2024-06-19"]


@pytest.mark.parametrize(
    ("code", "years", "most_closed", "most_open"),
    [
        # Lunar holidays cannot be learned (9 days a year stay open); hardly anything false is.
        # The library takes seconds to load this one.
        pytest.param("XKRX", 10, 0.2, 9.0, marks=pytest.mark.slow),
        pytest.param("XKRX", 5, 0.2, 9.0, marks=pytest.mark.slow),
        pytest.param("XKRX", 2, 0.6, 11.0, marks=pytest.mark.slow),
        ("XHKG", 10, 0.0, 9.0),
        ("XETR", 10, 0.0, 0.5),
        ("XLON", 10, 0.2, 2.5),
        ("XNYS", 5, 0.0, 1.0),
        # In two years a date was on weekdays twice at most: 1 January is still unknown.
        ("XNYS", 2, 0.0, 2.5),
    ],
)
def test_little_is_learned_that_is_false(code, years, most_closed, most_open):
    table = sessions(code, f"{2020 - years}-01-01", "2019-12-31")
    learned = learned_calendar(table, date(2024, 12, 31))
    closed, open_ = compare(learned, code, "2020-01-01", "2024-12-31")
    assert closed <= most_closed + 1e-3
    assert open_ <= most_open


@pytest.mark.parametrize("years", [5, 10])
def test_gaps_by_chance_make_hardly_a_rule(years):
    days = span("2010-01-01", f"{2009 + years}-12-31")
    days = days[np.is_busday(days)]
    rng = np.random.default_rng(7)
    tables = (days[rng.random(len(days)) > 0.04] for _ in range(10))
    rules = sum(len(learned_calendar(table, date(2022, 1, 1)).rules) for table in tables)
    assert rules <= 1


def test_less_than_two_years_or_a_table_of_gaps_gives_weekdays():
    short = sessions("XNYS", "2018-02-01", "2019-12-31")
    learned = learned_calendar(short, date(2022, 12, 31))
    assert learned.describe() == "Monday to Friday"
    assert max(learned.closed) < "2020"
    days = span("2010-01-01", "2012-12-31")
    sparse = days[np.is_busday(days)][::2]
    assert learned_calendar(sparse, date(2022, 12, 31)).rules == ()


@pytest.mark.parametrize("weekmask", ["1111100", "1111001", "1111110", "1111111", "0000100"])
@pytest.mark.parametrize("rows", [12, 600])
def test_weekdays_are_those_with_rows(weekmask, rows):
    days = np.busday_offset("2020-01-01", np.arange(rows), roll="forward", weekmask=weekmask)
    odd = np.append(days, days[-1] + np.arange(1, 7))[:-5] if rows > 100 else days
    assert learned_calendar(odd, date(2025, 1, 1)).weekmask == weekmask


def test_a_day_or_two_are_a_table_of_weekdays():
    for rows in (1, 2):
        days = np.array(["2024-05-16", "2024-05-17"][:rows], "datetime64[D]")
        assert learned_calendar(days, date(2025, 1, 1)).describe() == "Monday to Friday"


def test_weekdays_that_changed_are_those_of_the_end():
    early = span("2015-01-01", "2023-12-31")
    late = span("2024-01-01", "2025-12-31")
    days = np.concatenate(
        [early[np.is_busday(early, weekmask="1111001")], late[np.is_busday(late)]]
    )
    learned = learned_calendar(days, date(2030, 12, 31))
    assert learned.weekmask == "1111100"
    # The Fridays before the change are closed, and make no rule.
    assert learned.rules == ()


@pytest.mark.parametrize(
    ("roll", "observed"), [("preceding", "2022-12-30"), ("following", "2023-01-02")]
)
def test_a_date_on_a_weekend_is_observed_as_in_the_table(roll, observed):
    days = span("2010-01-04", "2021-12-30")
    first = np.array([f"{year}-01-01" for year in range(2010, 2023)], "datetime64[D]")
    closed = np.busday_offset(first, 0, roll=roll)
    learned = learned_calendar(days[np.is_busday(days, holidays=closed)], date(2024, 6, 1))
    assert observed in learned.closed
    assert "2024-01-01" in learned.closed
    assert learned.rules == ("1 January",)


@given(st.integers(2, 1500), st.floats(0, 0.5), st.integers(0, 99))
def test_what_is_learned_agrees_with_the_table(rows, gaps, seed):
    days = span("2015-01-01", "2024-12-31")[:rows]
    days = days[np.random.default_rng(seed).random(rows) >= gaps]
    if not len(days):
        return
    learned = learned_calendar(days, date(2027, 12, 31))
    closed = np.array(learned.closed, "datetime64[D]")
    assert (np.diff(closed) > np.timedelta64(0, "D")).all()
    assert np.is_busday(closed, weekmask=learned.weekmask).all()
    assert not np.isin(closed, days).any()
    assert learned.until == "2027-12-31"


def test_a_calendar_is_found_by_name_or_learned():
    days = sessions("XNYS", "2018-01-01", "2020-12-31")
    assert find_calendar("data", days).rules == learned_calendar(days, date(2025, 1, 1)).rules
    assert find_calendar("Data", days).until == find_calendar("XNYS", days).until > "2031-01"


def test_a_calendar_can_be_pickled_after_use():
    calendar = OpenDays("data", "1111100", ("2024-12-25",), "2024-12-31")
    assert calendar.busday is calendar.busday
    again = pickle.loads(pickle.dumps(calendar))
    assert again == calendar
    assert not again.is_open(np.datetime64("2024-12-25"))


@given(
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), max_size=30),
    st.sampled_from(["KR", "US-NY", "DE-BY", "IN"]),
)
def test_holidays_are_those_of_the_library(times, code):
    found = holidays_on(np.array(times, "datetime64[us]"), code)
    known = public_holidays(code)
    assert found.tolist() == [float(time.date() in known) for time in times]


@cache
def public_holidays(code):
    country, _, part = code.partition("-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return holidays.country_holidays(country, subdiv=part or None, years=range(1989, 2042))


def test_a_holiday_is_the_whole_day_and_its_observed_one():
    times = np.array(["2021-12-31T09", "2024-07-04T23", "2024-07-05T00"], "datetime64[h]")
    assert holidays_on(times, "US").tolist() == [1.0, 1.0, 0.0]
    assert holiday_columns(["KR", "US-NY"]) == ("holiday_KR", "holiday_US-NY")


@pytest.mark.parametrize(
    ("code", "guess"), [("KQR", '"K'), ("US-NX", '"NY"|There are: AK'), ("KR-11", "Pass KR alone")]
)
def test_an_unknown_country_is_a_usage_error(code, guess):
    with pytest.raises(UsageError, match=guess):
        holidays_on(np.array(["2024-01-01"], "datetime64[D]"), code)


def test_holidays_without_the_library_say_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(UsageError, match=r"pip install 'forecast-cli\[calendars\]'"):
        holidays_on(np.array(["2024-01-01"], "datetime64[D]"), "KR")
