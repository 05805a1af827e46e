"""The open days of an exchange or a country by name, or as a table shows them."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from .business_days import DAY, LEARNED, Days, OpenDays, iso_dates, make_weekmask
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

# So far beyond its table a calendar is worked out.
YEARS_AHEAD = 10


def find_calendar(name: str, days: Days) -> OpenDays:
    """The open days of a name, or those that the table's own days show, for ten years more.

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
    """The open days of an exchange ("XNYS", "NYSE") or a country or a part of it ("KR", "DE-BY").

    Args:
        name: The code, in upper or lower case.
        first: The day from which closed days are asked for.
        last: The day up to which; what an exchange has not settled yet stays open, see `until`.

    Raises:
        UsageError: There is no such exchange or country, or a library is missing.
    """
    if name.partition("-")[0].upper() in countries():
        return _of_country(name.upper(), first, last)
    exchanges = exchange_codes()
    if name.upper() not in exchanges:
        raise unknown_code(
            f'There is no exchange or country "{name}"',
            name,
            [*exchanges, *countries()],
            "an exchange, e.g. XNYS or XKRX, of a country, e.g. KR or US",
        )
    return _of_exchange(exchanges[name.upper()], first, last)


def _of_country(name: str, first: date, last: date) -> OpenDays:
    """Monday to Friday, or what the country's weekend leaves, but public holidays."""
    known = country(name, range(first.year, last.year + 1))
    until = min(last, date(known.end_year, 12, 31))
    # Where the library names a single day of rest, offices still close for two.
    week = pd.date_range(end=until, periods=7)
    rest = {day.day_of_week for day in week if known.is_weekend(day.date())}
    rest = rest if len(rest) == 2 else {5, 6}
    weekmask = make_weekmask([day not in rest for day in range(7)])
    return _named(name, weekmask, holiday_dates(known), (first, until), "public")


def _of_exchange(code: str, first: date, last: date) -> OpenDays:
    """The days of an exchange, as far as its bounds reach."""
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
    return _named(code, weekmask, days[shut], (first, until), "exchange")


def _weekmasks(known: Any, until: np.datetime64) -> tuple[str, list[tuple[Any, Any, str]]]:
    """The weekmask in force at the end, and those of other times with their first and last days."""
    special = [
        (np.datetime64(begins or "0001-01-01", "D"), np.datetime64(ends or "9999-12-31", "D"), mask)
        for begins, ends, mask in getattr(known, "special_weekmasks", ())
    ]
    # One that has a beginning too is that of an odd week with a Saturday.
    early = [mask for begins, ends, mask in special if str(begins) < "1000" and ends >= until]
    return (early or [known.weekmask])[0], special


def _named(
    name: str, weekmask: str, holidays: Days, asked: tuple[date, date], kind: str
) -> OpenDays:
    """Open weekdays but holidays; how many they are a year, the last five full years say."""
    first, until = (np.datetime64(day) for day in asked)
    closed = holidays[np.is_busday(holidays, weekmask=weekmask)]
    closed = np.unique(closed[(closed >= first) & (closed <= until)])
    begins = max(first, until - 5 * 365 * DAY)
    count = np.sum(closed > begins) * (365 * DAY / max(until - begins, DAY))
    rules = (f"{count:.0f} {kind} holidays a year",) if len(closed) else ()
    return OpenDays(name, weekmask, iso_dates(closed), str(until), rules)
