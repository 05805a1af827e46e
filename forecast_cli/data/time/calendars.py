"""Calendars of open days: of an exchange or a country by name, or learned from a table."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError, counted
from ...core.windows import Ints
from ..io.tables import Table
from .business_days import (
    DAY,
    LEARNED,
    Bools,
    Days,
    OpenDays,
    iso_dates,
    learn_hours,
    make_weekmask,
    positions,
)
from .frequency import Frequency, local_days
from .holidays import (
    countries,
    country,
    exchange,
    exchange_codes,
    exchange_holidays,
    holiday_dates,
    unknown_code,
)
from .learned_calendar import YEAR, learned_calendar
from .time_index import likely_frequency, missing_weekdays, when

# The years beyond the end of its table that a calendar covers.
YEARS_AHEAD = 10
# A calendar fits a table where at most this share of its days is closed, and at least this share
# of the open ones has rows.
MOST_CLOSED, LEAST_OPEN = 0.2, 0.5
# A learned calendar is suggested where a table of this many weeks has at most this share of its
# days on closed weekdays, at least this share of the open weekdays has rows, and each series has
# rows on this share of the open days.
LEAST_WEEKS, MOST_UNUSUAL, LEAST_USUAL, LEAST_COMMON = 4, 0.02, 0.85, 0.95


def resolve_calendar(data: Data, times: pd.DatetimeIndex, table: Table) -> Frequency | None:
    """Return the open days of the setting `calendar` as a frequency; None where it is not set.

    `times`, shape `(rows,)`, are those of the table.

    Raises:
        DataError: They do not fit the table: its steps are no days, or many of them are closed.
        UsageError: There is no such calendar, or a library is missing.
    """
    if not data.calendar:
        return None
    days = np.unique(local_days(times))
    frequency = Frequency("B").on(find_calendar(data.calendar, days))
    dates = pd.DatetimeIndex(days)
    closed = float(frequency.closed(dates).mean())
    span = int(frequency.open_days_between(dates[:1], dates[-1:])[0]) + 1
    if closed <= MOST_CLOSED and len(days) >= LEAST_OPEN * span:
        learned = data.calendar.casefold() == LEARNED
        return _with_hours(frequency, times, table) if learned else frequency
    what = (
        f"{closed:.0%} of its days are closed there"
        if closed > MOST_CLOSED
        else f"it has rows on {len(days)} days, where {span} were open"
    )
    raise DataError(
        f"{table.name} does not fit the calendar {frequency.name}: {what}.",
        "A calendar is for tables with a row for each open day; leave `calendar` out, or specify "
        "another one.",
    )


def _with_hours(frequency: Frequency, times: pd.DatetimeIndex, table: Table) -> Frequency:
    """Return open days with the opening hours of a table that has several rows a day.

    Rows at other times than on most days are refused.
    """
    wall = times.tz_localize(None)
    hours = learn_hours(wall)
    if not any(hours) or frequency.open_days is None:
        return frequency
    found = replace(frequency.open_days, hours=hours)
    wrong = _outside(found, wall)
    if wrong.any():
        raise DataError(
            f"{table.name} does not fit the calendar {frequency.name}: "
            f"{counted(int(wrong.sum()), 'row')} outside of its opening hours "
            f"({found.describe()}), the first at {when(times[int(np.argmax(wrong))])}.",
            "Drop such rows, or leave `calendar` out.",
        )
    return likely_frequency(times.sort_values().unique()).on(found)


def _outside(open_days: OpenDays, wall: pd.DatetimeIndex) -> Bools:
    """Return which times, shape `(n,)`, local time, are no step of the opening hours."""
    places, begins = positions(open_days, wall)
    return np.asarray(begins[np.maximum(places, 0)] != wall.to_numpy())


def suggest_calendar(times: pd.DatetimeIndex, indptr: Ints) -> OpenDays | None:
    """Return the open days of a table whose gaps are closed weekdays; None for other gaps.

    Args:
        times: Shape `(n,)`, ascending in each series.
        indptr: Shape `(n_series + 1,)`: series `i` is `times[indptr[i]:indptr[i + 1]]`.
    """
    days, wall = np.unique(local_days(times)), times.tz_localize(None)
    hours = learn_hours(wall) if len(times) > 1 else ()
    if len(days) < 2 or days[-1] - days[0] < (14 if any(hours) else 7 * LEAST_WEEKS) * DAY:
        return None
    found = learned_calendar(days, days[-1].astype(date))
    weekdays_only = np.is_busday(days, weekmask=found.weekmask)
    span = np.busday_count(days[0], days[-1] + DAY, weekmask=found.weekmask)
    usual = weekdays_only.sum() / max(span, 1) >= LEAST_USUAL
    if not usual or 1.0 - weekdays_only.mean() > MOST_UNUSUAL:
        return None
    if any(hours):
        found = replace(found, hours=hours)
        return found if _suits(found, times, indptr) else None
    daily = len(np.unique(wall - wall.normalize())) == 1
    missing = missing_weekdays(times, indptr, Frequency("B").on(found))
    common = len(times) >= LEAST_COMMON * (len(times) + missing)
    return found if "0" in found.weekmask and daily and common else None


def _suits(open_days: OpenDays, times: pd.DatetimeIndex, indptr: Ints) -> bool:
    """Whether nearly all steps of the opening hours have rows, and no others; as above."""
    wall, step = times.tz_localize(None), likely_frequency(times).step
    week = sum(map(len, open_days.hours))
    if step is None or week * step >= pd.Timedelta(days=7) or _outside(open_days, wall).any():
        return False
    places, _ = positions(open_days, wall)
    steps = int((places[indptr[1:] - 1] - places[indptr[:-1]] + 1).sum())
    return len(times) >= LEAST_COMMON * steps


def find_calendar(name: str, days: Days) -> OpenDays:
    """Return the calendar of a name, or learn it from a table, for ten years more.

    Args:
        name: An exchange, a country, a part of one, or "data".
        days: Shape `(n,)`, at least 1, datetime64[D], ascending: the days with rows.

    Raises:
        UsageError: There is no such exchange or country, or a library is missing.
    """
    first, last = days[0].astype(date), (days[-1] + YEARS_AHEAD * YEAR).astype(date)
    if name.casefold() == LEARNED:
        return learned_calendar(days, last)
    return named_calendar(name, first, last)


def named_calendar(name: str, first: date, last: date) -> OpenDays:
    """Return the open days of an exchange ("XNYS", "NYSE"), a country or a part of it ("DE-BY").

    Args:
        name: The code, in upper or lower case.
        first: The day from which closed days are known.
        last: The day up to which; the calendar ends earlier where the exchange has not decided.

    Raises:
        UsageError: There is no such exchange or country, or a library is missing.
    """
    if name.partition("-")[0].upper() in countries():
        return _country_calendar(name.upper(), first, last)
    exchanges = exchange_codes()
    if name.upper() not in exchanges:
        raise unknown_code(
            f'There is no exchange or country "{name}"',
            name,
            [*exchanges, *countries()],
            "an exchange, e.g. XNYS or XKRX, of a country, e.g. KR or US",
        )
    return _exchange_calendar(exchanges[name.upper()], first, last)


def _country_calendar(name: str, first: date, last: date) -> OpenDays:
    """Return the country's weekdays without public holidays."""
    known = country(name, range(first.year, last.year + 1))
    until = min(last, date(known.end_year, 12, 31))
    # Where the library names a single day of rest, offices still close for two.
    week = pd.date_range(end=until, periods=7)
    rest = {day.day_of_week for day in week if known.is_weekend(day.date())}
    rest = rest if len(rest) == 2 else {5, 6}
    weekmask = make_weekmask([day not in rest for day in range(7)])
    return _without_holidays(name, weekmask, holiday_dates(known), (first, until), "public")


def _exchange_calendar(code: str, first: date, last: date) -> OpenDays:
    """Return the open days of an exchange, within the bounds of the library."""
    known = exchange(code)
    lowest, highest = known.bound_min(), known.bound_max()
    first = max(first, lowest.date()) if lowest else first
    until = min(last, highest.date()) if highest else last
    weekmask, special = _weekmasks(known, np.datetime64(until))
    days = np.arange(np.datetime64(first), np.datetime64(until) + DAY)
    shut = np.isin(days, exchange_holidays(known, first, until))
    for begins, ends, mask in special:
        inside = (days >= begins) & (days <= ends)
        shut[inside] |= ~np.is_busday(days[inside], weekmask=mask)
    return _without_holidays(code, weekmask, days[shut], (first, until), "exchange")


def _weekmasks(known: Any, until: np.datetime64) -> tuple[str, list[tuple[Any, Any, str]]]:
    """Return the weekmask at the end, and those of other periods with their bounds."""
    special = [
        (np.datetime64(begins or "0001-01-01", "D"), np.datetime64(ends or "9999-12-31", "D"), mask)
        for begins, ends, mask in getattr(known, "special_weekmasks", ())
    ]
    # One with a beginning is that of a single week with a Saturday.
    early = [mask for begins, ends, mask in special if str(begins) < "1000" and ends >= until]
    return (early or [known.weekmask])[0], special


def _without_holidays(
    name: str, weekmask: str, holidays: Days, bounds: tuple[date, date], kind: str
) -> OpenDays:
    """Return the open weekdays without holidays, shape `(n,)`, between the bounds.

    How many there are in a year, the last five full years show.
    """
    first, until = (np.datetime64(day) for day in bounds)
    closed = holidays[np.is_busday(holidays, weekmask=weekmask)]
    closed = np.unique(closed[(closed >= first) & (closed <= until)])
    begins = max(first, until - 5 * 365 * DAY)
    count = np.sum(closed > begins) * (365 * DAY / max(until - begins, DAY))
    rules = (f"{count:.0f} {kind} holidays a year",) if len(closed) else ()
    return OpenDays(name, weekmask, iso_dates(closed), str(until), rules)
