"""Retail months: 4, 4 and 5 whole weeks, and now and then a year of 53 weeks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from . import business_days
from .business_days import DAY, WEEKDAYS, Days, weekdays

PATTERNS = ("445", "454", "544")
MONTHS = tuple(name[:3].upper() for name in business_days.MONTHS)
DAYS = tuple(name[:3].upper() for name in WEEKDAYS)
# Either the first day of a quarter, and no year has 53 weeks; or on which weekday of which month
# years end, as pandas writes it: L for the last one, N for the one nearest to the end of the month.
ALIAS = re.compile(
    rf"(?P<weeks>{'|'.join(PATTERNS)})"
    rf"(-(?P<first>\d{{8}})|-(?P<rule>[LN])-(?P<month>{'|'.join(MONTHS)})-(?P<day>{'|'.join(DAYS)}))?"
)
# Of retail months about a third has five weeks; in a short table a few more or less.
LEAST_LONGER = 0.2
# At most this share of the steps may be longer where months have no row.
MOST_GAPS = 0.2
# Two quarters show the pattern.
LEAST_GAPS = 6
WEEK = 7 * DAY
# So many years ahead the next year of 53 weeks has come.
YEARS_AHEAD = 8
# Dates that may be wrong within so many steps are warned of.
SOON = 12
# The months in which years end, the most frequent ones first.
USUAL = ("JAN", "DEC", "JUN", "SEP")


@dataclass(frozen=True)
class Retail:
    """Retail months: their alias, and whether their dates are the last days."""

    alias: str
    ends: bool = False

    def after(self, last: np.datetime64) -> Days:
        """Return the dates of steps in the years after a day, shape `(n,)`."""
        days = labels(self.alias, last, last + YEARS_AHEAD * 366 * DAY, ends=self.ends)
        return days[days > last][: 12 * YEARS_AHEAD]


def parse(alias: str, times: pd.DatetimeIndex | None) -> Retail | None:
    """Return retail months by their alias; None for another alias.

    `445` alone stands for those of the times, shape `(n,)`, ascending, if there are any.

    Raises:
        DataError: The times are not of this pattern.
        UsageError: They are on another weekday.
    """
    found = ALIAS.fullmatch(re.sub(r"^([45])-([45])-([45])(?!\d)", r"\1\2\3", alias))
    if found is None:
        return None
    if times is None or not len(times):
        return Retail(found[0])
    wall = times.tz_localize(None).normalize().unique().sort_values()
    if found["day"]:
        weekday, last = int(wall[0].day_of_week), DAYS.index(found["day"])
        if weekday not in (last, (last + 1) % 7):
            raise UsageError(
                f'Frequency "{alias}" has years that end on a {WEEKDAYS[last]}; the times of the '
                f"table are on a {WEEKDAYS[weekday]}.",
                f"Pass the day before the first day of the year, or its last day, instead of "
                f"{found['day']}.",
            )
        return Retail(found[0], weekday == last)
    if found["first"]:
        return Retail(found[0])
    learned = infer(wall, found["weeks"], least=3) if has_whole_weeks(wall) else None
    if learned is None:
        raise DataError(
            f"The times are not those of months of {describe(alias)[17:]}.",
            "Pass `time=none` and `season_length=12` to use rows as steps.",
        )
    return learned


def describe(alias: str) -> str:
    """Return the pattern in words.

    >>> describe("454-N-JAN-SAT")
    'retail months of 4, 5 and 4 weeks'
    """
    weeks = alias.replace("-", "")
    return f"retail months of {weeks[0]}, {weeks[1]} and {weeks[2]} weeks"


def has_whole_weeks(times: pd.DatetimeIndex, *, gaps: bool = False) -> bool:
    """Whether times, shape `(n,)`, ascending, are those of retail months: 4, 4 and 5 weeks.

    A year of 53 weeks has a month of one week more. With `gaps` a few months may have no row.
    """
    weeks = np.diff(times.tz_localize(None).to_numpy()) / WEEK
    if gaps and (weeks % 1 == 0).all() and (weeks > 6).mean() <= MOST_GAPS:
        weeks = weeks[weeks <= 6]
    longer = float((weeks == 5).mean())
    return bool(np.isin(weeks, (4, 5, 6)).all() and LEAST_LONGER <= longer <= 1 - LEAST_LONGER)


def labels(alias: str, first: np.datetime64, last: np.datetime64, *, ends: bool) -> Days:
    """Return the dates of all months from before the first day to after the last, ascending.

    Args:
        alias: With a rule, or the first day of a quarter.
        first: The first day.
        last: The last day.
        ends: Whether the dates are the last days of months, by a rule.
    """
    found = ALIAS.fullmatch(alias)
    if found is None or not (found["first"] or found["rule"]):
        raise UsageError(
            f'Frequency "{alias}" does not say when a year ends.',
            f"Name the weekday and the month, e.g. {alias}-L-JAN-SAT for the last Saturday of "
            f"January, or {alias}-N-JAN-SAT for the one nearest to its end.",
        )
    lengths = np.array([int(each) for each in found["weeks"]]) * WEEK
    within = np.concatenate([[0 * DAY], np.cumsum(lengths[:2])])
    if found["first"]:
        begin = np.datetime64(pd.Timestamp(found["first"]), "D")
        low, high = (int((day - begin) // (13 * WEEK)) for day in (first, last))
        quarters = begin + np.arange(low - 1, high + 3) * 13 * WEEK
    else:
        years = np.arange(first.astype("datetime64[Y]") - 2, last.astype("datetime64[Y]") + 3)
        months: Days = years.astype("datetime64[M]") + MONTHS.index(found["month"]) + 1
        begins = months.astype("datetime64[D]").astype(np.int64)
        # The last weekday of the month, or the one nearest to its end.
        ends_by: Days = (begins + (2 if found["rule"] == "N" else -1)).astype("datetime64[D]")
        starts = ends_by - (weekdays(ends_by) - DAYS.index(found["day"])) % 7 * DAY + DAY
        quarters = (starts[:, None] + np.arange(4) * 13 * WEEK).ravel()
    dates: Days = (quarters[:, None] + within).ravel() - (DAY if ends else 0 * DAY)
    return dates


def infer(
    wall: pd.DatetimeIndex, weeks: str | None = None, *, least: int = LEAST_GAPS, gaps: bool = False
) -> Retail | None:
    """Return the retail months that times are; None where their weeks follow no pattern.

    The times, `(n,)`, are ascending, in local time, and more than `least`; with `gaps` some
    months may have no row. `weeks` is their pattern; None for any.
    """
    days = wall.to_numpy().astype("datetime64[D]")
    if len(days) <= least:
        return None
    found = next(_repeated(days, weeks, gaps=gaps), None)
    return found or next(_by_rule(days, weeks, gaps=gaps), None)


def _repeated(days: Days, weeks: str | None, *, gaps: bool) -> Iterator[Retail]:
    """Yield the patterns that repeat without an extra week; `days` has shape `(n,)`."""
    for pattern in PATTERNS if weeks is None else (weeks,):
        found = Retail(f"{pattern}-{str(days[0]).replace('-', '')}")
        if _holds(found, days, gaps=gaps):
            yield found
    if weeks is not None and len(days) > 2:
        # The table may begin within a quarter.
        for start in days[1:3]:
            found = Retail(f"{weeks}-{str(start).replace('-', '')}")
            if _holds(found, days, gaps=gaps):
                yield found


def _holds(months: Retail, days: Days, *, gaps: bool) -> bool:
    """Whether days, shape `(n,)`, are retail months: all of them, unless there may be `gaps`."""
    known = labels(months.alias, days[0], days[-1], ends=months.ends)
    known = known[(known >= days[0]) & (known <= days[-1])]
    return bool(np.isin(days, known).all()) if gaps else np.array_equal(known, days)


def _by_rule(days: Days, weeks: str | None = None, *, gaps: bool = False) -> Iterator[Retail]:
    """Yield the retail months by rule that have exactly the days, shape `(n,)`."""
    weekday = int(weekdays(days[:1])[0])
    # Weeks begin on Sundays or Mondays, and end on other days.
    sides = (False, True) if weekday in (0, 6) else (True, False)
    months = (*USUAL, *(each for each in MONTHS if each not in USUAL))
    for ends, month, rule, pattern in product(sides, months, "NL", PATTERNS):
        if weeks not in (None, pattern):
            continue
        last = DAYS[weekday if ends else (weekday - 1) % 7]
        found = Retail(f"{pattern}-{rule}-{month}-{last}", ends)
        if _holds(found, days, gaps=gaps):
            yield found


def note_weeks(alias: str, ends: bool, times: pd.DatetimeIndex, on_event: Listener) -> None:
    """Say which years of 53 weeks are expected, and from when on dates may be a week off.

    The times, `(n,)`, are ascending; `ends` says whether they are the last days of months.
    """
    own, found = Retail(alias, ends), ALIAS.fullmatch(alias)
    if found is None or not len(times):
        return
    days = np.unique(times.tz_localize(None).to_numpy().astype("datetime64[D]"))
    text = f"{describe(alias)}; no year of the table has 53, and none is expected"
    if found["rule"]:
        month = business_days.MONTHS[MONTHS.index(found["month"])]
        day = WEEKDAYS[DAYS.index(found["day"])]
        which = f"last {day}" if found["rule"] == "L" else f"{day} nearest to the end"
        text = f"{describe(alias)}; years end on the {which} of {month}"
    ahead = own.after(days[-1])
    differ = {each.alias: np.flatnonzero(each.after(days[-1])[: len(ahead)] != ahead)
              for each in _by_rule(days)}  # fmt: skip
    others = [(other, int(places[0])) for other, places in differ.items() if len(places)]
    soon = [(other, first) for other, first in others if first < SOON]
    for other, first in (soon or others)[:1]:
        text += f" (with `freq={other}` dates are others from {ahead[first]} on)"
    on_event(Note(text, warning=bool(soon)))
