"""A calendar learned from a table: its weekdays, and closures that recur by a rule."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pandas as pd
from dateutil.easter import (  # type: ignore[import-untyped]
    EASTER_ORTHODOX,
    EASTER_WESTERN,
    easter,
)

from .business_days import (
    DAY,
    LEARNED,
    MONTHS,
    WEEKDAYS,
    Days,
    OpenDays,
    closed_weekdays,
    iso_dates,
    make_weekmask,
    weekdays,
)

YEAR = 366 * DAY
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
# A weekday is open that has rows in this share of its weeks, relative to the fullest weekday.
OPEN_SHARE = 0.5
# Rules are learned from the last years: earlier ones may no longer apply.
MOST_YEARS = 10
# With a larger share of the open weekdays closed they are gaps, and rules would be coincidence.
CLOSED_SHARE = 0.15
# The fewest closed days that a rule explains and no other rule does.
EVIDENCE = 2


def learned_calendar(days: Days, last: date) -> OpenDays:
    """Learn the open days of a table: its weekdays without closures that recur by a rule.

    The closed days of the table itself are included, whether or not there is a rule for them.

    Args:
        days: Shape `(n,)`, at least 1, datetime64[D], ascending: the days with rows.
        last: The day up to which the rules are applied.
    """
    weekmask = _open_weekdays(days[days > days[-1] - YEAR])
    steady = _steady(days, weekmask)
    rules = _recurring(_Seen(steady[0], days[-1], weekmask, closed_weekdays(steady, weekmask)))
    years = range(_year(days[-1]), last.year + 2)
    future = np.concatenate([rule.dates(years) for rule in rules] or [days[:0]])
    future = future[(future > days[-1]) & (future <= np.datetime64(last))]
    future = np.unique(future[np.is_busday(future, weekmask=weekmask)])
    closed = np.concatenate([closed_weekdays(days, weekmask), future])
    until = max(np.datetime64(last), days[-1])
    return OpenDays(
        LEARNED, weekmask, iso_dates(closed), str(until), tuple(rule.words for rule in rules)
    )


def _open_weekdays(days: Days) -> str:
    """Return the weekmask of the days, shape `(n,)`."""
    # As text: busday_count takes flags of NumPy for places, which NumPy 2.0 warns about.
    masks = [make_weekmask(day) for day in np.eye(7, dtype=bool)]
    weeks = np.array([np.busday_count(days[0], days[-1] + DAY, weekmask=day) for day in masks])
    rows = np.array([np.is_busday(days, weekmask=day).sum() for day in masks])
    # As if a normal week came before the first: a table of few days does not show all of one.
    share = (rows + (np.arange(7) < 5)) / (weeks + 1)
    return make_weekmask(share >= OPEN_SHARE * share.max())


def _steady(days: Days, weekmask: str) -> Days:
    """Return the last of the days, shape `(n,)`: the years in which the open weekdays are these."""
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
    """The evidence of a table.

    Args:
        first: The first day.
        last: The last day.
        weekmask: The open weekdays.
        closed: Shape `(n,)`: the open weekdays without a row.
    """

    first: np.datetime64
    last: np.datetime64
    weekmask: str
    closed: Days

    @property
    def years(self) -> range:
        return range(_year(self.first), _year(self.last) + 2)

    def explained(self, dates: Days) -> Days:
        """Return the closed days among the dates, `(n,)`; none where one of the dates was open."""
        inside = dates[(dates >= self.first) & (dates <= self.last)]
        inside = inside[np.is_busday(inside, weekmask=self.weekmask)]
        return inside if np.isin(inside, self.closed).all() else inside[:0]


@dataclass(frozen=True)
class _Rule:
    """Days that recur every year.

    Args:
        order: The order among rules: fixed dates first, then those of weekdays.
        words: The rule in words.
        dates: Returns the dates in some years, shape `(years,)`.
        moved: Closed days that the rule explains only as observed ones, for a date on a weekend.
    """

    order: tuple[int, ...]
    words: str
    dates: Callable[[Sequence[int]], Days]
    moved: frozenset[date] = frozenset()


def _recurring(seen: _Seen) -> list[_Rule]:
    """Select rules without counterexample, each with closed days that no other one explains.

    The one that explains most comes first: coincidences explain fewer days. Of two that explain as
    many, the one that does so without observed days is the simpler one.
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
    """Yield all rules that would explain one of the closed days."""
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
    """Return the rule of a date, with the days it is observed on if it is on a closed weekday."""

    def plain(years: Sequence[int]) -> Days:
        return np.array([f"{year:04}-{month:02}-{day:02}" for year in years], "datetime64[D]")

    dates = plain(seen.years)
    weekday = weekdays(dates)
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
            here = weekdays(dates) == each
            dates[here] = np.busday_offset(dates[here], 0, roll=roll, weekmask=seen.weekmask)
        return dates

    return _Rule((0, month, day), f"{day} {MONTHS[month - 1]}", observed, frozenset(observed_on))


def _nth(month: int, place: int, weekday: int) -> _Rule:
    """Return the rule of the n-th weekday of a month; the 5th is the last."""
    mask = make_weekmask(np.eye(7, dtype=bool)[weekday])

    def dates(years: Sequence[int]) -> Days:
        begins = np.array([f"{year:04}-{month:02}" for year in years], "datetime64[M]")
        if place < 5:
            return np.busday_offset(begins, place - 1, roll="forward", weekmask=mask)
        return np.busday_offset(begins + 1, -1, roll="forward", weekmask=mask)

    name = ("1st", "2nd", "3rd", "4th", "last")[place - 1]
    words = f"the {name} {WEEKDAYS[weekday]} of {MONTHS[month - 1]}"
    # Few years may not distinguish the last from the 4th: then Mondays are the last (Memorial Day,
    # British bank holidays), others the 4th (Thanksgiving).
    return _Rule((1, month, place % 5 if weekday == 0 else place, weekday), words, dates)


def _from_easter(after: int, church: int) -> _Rule:
    """Return the rule of a day so many days after Easter."""

    def dates(years: Sequence[int]) -> Days:
        days = [easter(year, church) + timedelta(days=after) for year in years]
        return np.array(days, "datetime64[D]")

    words = f"{'Orthodox ' if church == EASTER_ORTHODOX else ''}{EASTER_DAYS[after]}"
    return _Rule((2, church, after), words, dates)
