"""Which days are open: those of an exchange or a country by name, or as a table shows them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from dateutil.easter import (  # type: ignore[import-untyped]
    EASTER_ORTHODOX,
    EASTER_WESTERN,
    easter,
)

from .holidaydays import (
    Days,
    countries,
    country,
    exchange,
    exchange_codes,
    exchange_holidays,
    holiday_dates,
    unknown_code,
)

Bools = npt.NDArray[np.bool_]
DAY = np.timedelta64(1, "D")
YEAR = 366 * DAY
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = tuple(date(2000, month, 1).strftime("%B") for month in range(1, 13))
EASTER_DAYS = {
    -48: "Carnival Monday",
    -47: "Shrove Tuesday",
    -46: "Ash Wednesday",
    -3: "Maundy Thursday",
    -2: "Good Friday",
    -1: "Holy Saturday",
    1: "Easter Monday",
    26: "Prayer Day",
    39: "Ascension Day",
    40: "the day after Ascension",
    50: "Whit Monday",
    60: "Corpus Christi",
}
ROLLS: tuple[Literal["following", "preceding"], ...] = ("following", "preceding")
LEARNED = "data"
# So far beyond its table a calendar is worked out.
YEARS_AHEAD = 10
# A weekday is open that has rows in this share of its weeks, measured by the fullest weekday.
OPEN_SHARE = 0.5
# Rules are learned from the last years: those before tell what was, not what will be.
MOST_YEARS = 10
# With a larger share of the open weekdays closed they are gaps, and rules would be chance.
CLOSED_SHARE = 0.15
# A rule closes so many days at least that no other one explains.
EVIDENCE = 2


@dataclass(frozen=True)
class OpenDays:
    """Which days are open.

    Args:
        name: The code of the exchange or country, or "data" where a table showed the days.
        weekmask: A 1 for each open weekday, Monday first: "1111100".
        closed: Closed days on open weekdays, ISO dates, ascending.
        until: The last day up to which `closed` is known, ISO; only weekends are after it.
        rules: What is closed on open weekdays, in words.
    """

    name: str
    weekmask: str
    closed: tuple[str, ...]
    until: str
    rules: tuple[str, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        # NumPy cannot pickle its calendar: it is made anew.
        return {name: value for name, value in vars(self).items() if name != "busday"}

    @cached_property
    def busday(self) -> np.busdaycalendar:
        """The same as NumPy knows it."""
        return np.busdaycalendar(self.weekmask, np.array(self.closed, "datetime64[D]"))

    def after(self, days: Days, count: npt.NDArray[np.int64]) -> Days:
        """Each day moved by its own number of open days.

        Args:
            days: Shape `(n,)`, datetime64[D]; a closed one counts from the open day before it.
            count: Shape `(n,)`, open days; negative ones go back.

        Returns:
            Shape `(n,)`, datetime64[D], open days.

        >>> OpenDays("data", "1111100", ("2024-12-25",), "2024-12-31").after(
        ...     np.array(["2024-12-24", "2024-12-25"], "datetime64[D]"), np.array([1, 2])
        ... )
        array(['2024-12-26', '2024-12-27'], dtype='datetime64[D]')
        """
        return np.busday_offset(days, count, roll="backward", busdaycal=self.busday)

    def is_open(self, days: Days) -> Bools:
        """Which days, datetime64[D] of any shape, are open."""
        return np.asarray(np.is_busday(days, busdaycal=self.busday))

    def between(self, first: np.datetime64, last: np.datetime64) -> int:
        """How many days are open from the first to the last, both included."""
        return int(np.busday_count(first, last + DAY, busdaycal=self.busday))

    def describe(self) -> str:
        """The rule in one line.

        >>> OpenDays("KR", "1111100", (), "2030-12-31", ("15 public holidays a year",)).describe()
        'KR: Monday to Friday but 15 public holidays a year'
        """
        name = "" if self.name == LEARNED else f"{self.name}: "
        rules = f" but {', '.join(self.rules)}" if self.rules else ""
        return f"{name}{_weekdays_in_words(self.weekmask)}{rules}"


def _mask(open_: Iterable[bool]) -> str:
    return "".join("1" if each else "0" for each in open_)


def _weekdays_in_words(weekmask: str) -> str:
    """The open weekdays: "Sunday to Thursday", "Monday, Wednesday", "every day"."""
    if "0" not in weekmask:
        return "every day"
    # Where the days follow each other, round the end of the week too, there is one beginning.
    begins = [day for day in range(7) if weekmask[day] == "1" and weekmask[day - 1] == "0"]
    many = weekmask.count("1")
    if len(begins) == 1 and many > 2:
        return f"{WEEKDAYS[begins[0]]} to {WEEKDAYS[(begins[0] + many - 1) % 7]}"
    return ", ".join(WEEKDAYS[day] for day in range(7) if weekmask[day] == "1")


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
    weekmask = _mask([day not in rest for day in range(7)])
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
    return OpenDays(name, weekmask, _iso(closed), str(until), rules)


def _iso(days: Days) -> tuple[str, ...]:
    return tuple(np.datetime_as_string(days).tolist())


def learned_calendar(days: Days, last: date) -> OpenDays:
    """The open days of a table: its weekdays, but what was closed and by rule comes again.

    Closed days of the table itself are known as such, whether or not there is a rule for them.

    Args:
        days: Shape `(n,)`, at least 1, datetime64[D], ascending: the days with rows.
        last: The day up to which the rules are followed.
    """
    weekmask = _open_weekdays(days[days > days[-1] - YEAR])
    steady = _steady(days, weekmask)
    rules = _recurring(_Seen(steady[0], days[-1], weekmask, _closed(steady, weekmask)))
    years = range(_year(days[-1]), last.year + 2)
    future = np.concatenate([rule.dates(years) for rule in rules] or [days[:0]])
    future = future[(future > days[-1]) & (future <= np.datetime64(last))]
    future = np.unique(future[np.is_busday(future, weekmask=weekmask)])
    closed = np.concatenate([_closed(days, weekmask), future])
    until = max(np.datetime64(last), days[-1])
    return OpenDays(
        LEARNED, weekmask, _iso(closed), str(until), tuple(rule.words for rule in rules)
    )


def _closed(days: Days, weekmask: str) -> Days:
    """The open weekdays without a row, from the first row to the last."""
    span = np.arange(days[0], days[-1] + DAY)
    return np.setdiff1d(span[np.is_busday(span, weekmask=weekmask)], days)


def _open_weekdays(days: Days) -> str:
    """The weekmask of the days."""
    masks = np.eye(7, dtype=bool)
    weeks = np.array([np.busday_count(days[0], days[-1] + DAY, weekmask=day) for day in masks])
    rows = np.array([np.is_busday(days, weekmask=day).sum() for day in masks])
    # As though a usual week stood before the first: a table of few days does not show all of one.
    share = (rows + (np.arange(7) < 5)) / (weeks + 1)
    return _mask(share >= OPEN_SHARE * share.max())


def _steady(days: Days, weekmask: str) -> Days:
    """The last years, as many as the weekdays stayed the same in."""
    begins = days[-1] + DAY
    for _ in range(MOST_YEARS):
        year = days[(days >= begins - YEAR) & (days < begins)]
        if not len(year) or _open_weekdays(year) != weekmask:
            break
        begins -= YEAR
    steady: Days = days[days >= begins]
    return steady


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970


@dataclass(frozen=True)
class _Seen:
    """What a table shows: from when to when, on which weekdays, and what was closed."""

    first: np.datetime64
    last: np.datetime64
    weekmask: str
    closed: Days

    @property
    def years(self) -> range:
        return range(_year(self.first), _year(self.last) + 2)

    def explained(self, dates: Days) -> Days:
        """The closed days among the dates; none at all where one of the dates was open."""
        inside = dates[(dates >= self.first) & (dates <= self.last)]
        inside = inside[np.is_busday(inside, weekmask=self.weekmask)]
        return inside if np.isin(inside, self.closed).all() else inside[:0]


@dataclass(frozen=True)
class _Rule:
    """Days that come again every year.

    Args:
        order: Where the rule stands among others: fixed dates first, then those of weekdays.
        words: The rule for people.
        dates: The dates in some years.
        moved: Closed days that the rule explains only as observed ones, for a date on a weekend.
    """

    order: tuple[int, ...]
    words: str
    dates: Callable[[Sequence[int]], Days]
    moved: frozenset[date] = frozenset()


def _recurring(seen: _Seen) -> list[_Rule]:
    """The rules that nothing speaks against, each with closed days that no other explains.

    The one that explains most comes first: what is true holds longer than what is chance. Of two
    that explain as much, the one that does so without observed days is the simpler one.
    """
    many = np.busday_count(seen.first, seen.last + DAY, weekmask=seen.weekmask)
    if seen.last - seen.first < 2 * YEAR - 14 * DAY or len(seen.closed) > CLOSED_SHARE * many:
        return []
    left = {rule.order: rule for rule in _candidates(seen)}
    days = {order: set(seen.explained(left[order].dates(seen.years)).tolist()) for order in left}
    chosen: list[_Rule] = []
    while left:
        best = min(left, key=lambda o: (-len(days[o]), -len(days[o] - left[o].moved), o))
        if len(days[best]) < EVIDENCE:
            break
        chosen.append(left.pop(best))
        known = days.pop(best)
        days = {order: others - known for order, others in days.items()}
    return sorted(chosen, key=lambda rule: rule.order)


def _candidates(seen: _Seen) -> Iterator[_Rule]:
    """All rules that would explain one of the closed days."""
    for day in seen.closed.tolist():
        if (day.month, day.day) != (2, 29):
            yield _fixed(day.month, day.day, seen)
        place = (day.day - 1) // 7 + 1
        if place <= 4:
            yield _nth(day.month, place, day.weekday())
        if day.day + 7 > pd.Timestamp(day).days_in_month:
            yield _nth(day.month, 5, day.weekday())
        for church in (EASTER_WESTERN, EASTER_ORTHODOX):
            after = (day - easter(day.year, church)).days
            if after in EASTER_DAYS:
                yield _from_easter(after, church)


def _fixed(month: int, day: int, seen: _Seen) -> _Rule:
    """A date, with the days that it is observed on where it falls on a closed weekday."""

    def plain(years: Sequence[int]) -> Days:
        return np.array([f"{year:04}-{month:02}-{day:02}" for year in years], "datetime64[D]")

    dates = plain(seen.years)
    weekday = _weekday(dates)
    rolls = {}
    observed_on: set[date] = set()
    for each in np.flatnonzero([open_ == "0" for open_ in seen.weekmask]):
        for roll in ROLLS if seen.weekmask[(each + 1) % 7] == "1" else ROLLS[::-1]:
            moved = np.busday_offset(dates[weekday == each], 0, roll=roll, weekmask=seen.weekmask)
            if len(seen.explained(moved)):
                rolls[each] = roll
                observed_on.update(seen.explained(moved).tolist())
                break

    def observed(years: Sequence[int]) -> Days:
        dates = plain(years)
        for each, roll in rolls.items():
            here = _weekday(dates) == each
            dates[here] = np.busday_offset(dates[here], 0, roll=roll, weekmask=seen.weekmask)
        return dates

    return _Rule((0, month, day), f"{day} {MONTHS[month - 1]}", observed, frozenset(observed_on))


def _weekday(days: Days) -> npt.NDArray[np.int64]:
    # The first day of 1970 was a Thursday.
    return (days.astype(np.int64) + 3) % 7


def _nth(month: int, place: int, weekday: int) -> _Rule:
    """The n-th weekday of a month; the 5th is the last."""
    mask = np.eye(7, dtype=bool)[weekday]

    def dates(years: Sequence[int]) -> Days:
        begins = np.array([f"{year:04}-{month:02}" for year in years], "datetime64[M]")
        if place < 5:
            return np.busday_offset(begins, place - 1, roll="forward", weekmask=mask)
        return np.busday_offset(begins + 1, -1, roll="forward", weekmask=mask)

    name = ("1st", "2nd", "3rd", "4th", "last")[place - 1]
    words = f"the {name} {WEEKDAYS[weekday]} of {MONTHS[month - 1]}"
    # Few years may not tell the last from the 4th: then Mondays are the last (Memorial Day, British
    # bank holidays), others the 4th (Thanksgiving).
    return _Rule((1, month, place % 5 if weekday == 0 else place, weekday), words, dates)


def _from_easter(after: int, church: int) -> _Rule:
    def dates(years: Sequence[int]) -> Days:
        days = [easter(year, church) + timedelta(days=after) for year in years]
        return np.array(days, "datetime64[D]")

    words = f"{'Orthodox ' if church == EASTER_ORTHODOX else ''}{EASTER_DAYS[after]}"
    return _Rule((2, church, after), words, dates)
