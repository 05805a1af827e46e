"""Days on which steps begin, and the clock times at which they begin, counted by NumPy."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...core.errors import listed
from ...core.events import Listener, Note
from ...core.windows import Ints

Days = npt.NDArray[np.datetime64]
Bools = npt.NDArray[np.bool_]
# For each weekday, Monday first, the seconds after midnight at which steps begin.
Hours = tuple[tuple[int, ...], ...]
DAY = np.timedelta64(1, "D")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The name of a calendar that is learned from a table.
LEARNED = "data"


@dataclass(frozen=True)
class OpenDays:
    """A calendar of open days.

    Args:
        name: The code of the exchange or country, or "data" where it is learned from a table.
        weekmask: A 1 for each open weekday, Monday first: "1111100".
        closed: Closed days on open weekdays, ISO dates, ascending.
        until: The last day up to which `closed` is known, ISO; only weekends are after it.
        rules: What is closed on open weekdays, in words.
        hours: The opening hours; empty where steps are days.
    """

    name: str
    weekmask: str
    closed: tuple[str, ...]
    until: str
    rules: tuple[str, ...] = ()
    hours: Hours = ()

    def __getstate__(self) -> dict[str, Any]:
        # NumPy cannot pickle its calendar: it is created again.
        return {name: value for name, value in vars(self).items() if name != "busday"}

    @cached_property
    def busday(self) -> np.busdaycalendar:
        """The same as a calendar of NumPy."""
        return np.busdaycalendar(self.weekmask, np.array(self.closed, "datetime64[D]"))

    def after(self, days: Days, count: npt.NDArray[np.int64]) -> Days:
        """Move each day by its own number of open days.

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
        """Return how many days are open from the first to the last, both included."""
        return int(np.busday_count(first, last + DAY, busdaycal=self.busday))

    def describe(self) -> str:
        """Return the rules in one line.

        >>> OpenDays("KR", "1111100", (), "2030-12-31", ("15 public holidays a year",)).describe()
        'KR: Monday to Friday but 15 public holidays a year'
        """
        name = "" if self.name == LEARNED else f"{self.name}: "
        rules = f" but {', '.join(self.rules)}" if self.rules else ""
        return f"{name}{_weekdays_in_words(self.weekmask)}{rules}{_hours_in_words(self.hours)}"

    def as_in(self, days: Days) -> "OpenDays":
        """Return the same, but closed between the first and the last of `days` where not in them.

        Args:
            days: Shape `(n,)`, at least 1, datetime64[D], ascending.
        """
        closed = np.array(self.closed, "datetime64[D]")
        closed = closed[(closed < days[0]) | (closed > days[-1])]
        own = closed_weekdays(days, self.weekmask)
        return replace(self, closed=iso_dates(np.union1d(closed, own)))


def _weekdays_in_words(weekmask: str) -> str:
    """Return the open weekdays: "Sunday to Thursday", "Monday, Wednesday", "every day"."""
    if "0" not in weekmask:
        return "every day"
    # Consecutive days, also across the end of the week, have one beginning.
    begins = [day for day in range(7) if weekmask[day] == "1" and weekmask[day - 1] == "0"]
    many = weekmask.count("1")
    if len(begins) == 1 and many > 2:
        return f"{WEEKDAYS[begins[0]]} to {WEEKDAYS[(begins[0] + many - 1) % 7]}"
    return ", ".join(WEEKDAYS[day] for day in range(7) if weekmask[day] == "1")


def _hours_in_words(hours: Hours) -> str:
    """Return opening hours: ", 10:00 to 20:00"; the first and the last step of all weekdays."""
    if not hours:
        return ""
    seconds = [second for day in hours for second in day]
    ends = [
        f"{second // 3600:02}:{second // 60 % 60:02}" for second in (min(seconds), max(seconds))
    ]
    return f", {ends[0]} to {ends[1]}"


def closed_weekdays(days: Days, weekmask: str) -> Days:
    """Return the open weekdays without a row, between the first and the last of `days`, `(n,)`."""
    span = np.arange(days[0], days[-1] + DAY)
    return np.setdiff1d(span[np.is_busday(span, weekmask=weekmask)], days)


def make_weekmask(open_: Iterable[bool]) -> str:
    """Return open weekdays, Monday first, as NumPy writes them."""
    return "".join("1" if each else "0" for each in open_)


def iso_dates(days: Days) -> tuple[str, ...]:
    """Return days, shape `(n,)`, as ISO 8601 text."""
    return tuple(np.datetime_as_string(days).tolist())


def weekdays(days: Days) -> npt.NDArray[np.int64]:
    """Return the weekday of each time, of any shape and unit: Monday is 0, Sunday 6."""
    # The first day of 1970 was a Thursday.
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


# A clock time is one of a weekday that has rows at it on this share of such days.
OPEN_SHARE = 0.5
# A season of a day is taken where so many steps of a week are at the clock time of a day before.
SAME_CLOCK = 0.9
SECOND = np.timedelta64(1, "s")


def learn_hours(wall: pd.DatetimeIndex) -> Hours:
    """Return the clock times of rows, shape `(n,)`, local time: seconds, for each weekday.

    The last year counts; there are none where most days have a single row.
    """
    times = np.unique(wall.to_numpy().astype("datetime64[s]"))
    times = times[times > times[-1] - 366 * DAY]
    days = times.astype("datetime64[D]")
    if len(times) < 1.5 * len(np.unique(days)):
        return ()
    clock, weekday = (times - days) // SECOND, weekdays(days)
    hours = []
    for each in range(7):
        own = weekday == each
        found, counts = np.unique(clock[own], return_counts=True)
        enough = counts >= OPEN_SHARE * max(1, len(np.unique(days[own])))
        hours.append(tuple(int(second) for second in found[enough]))
    return tuple(hours)


def steps_of(open_days: OpenDays, first: np.datetime64, last: np.datetime64) -> Days:
    """Return the beginnings of all steps from the first to the last day, ascending, `(n,)`."""
    days = np.arange(first, last + DAY)
    days = days[open_days.is_open(days)]
    begins = [
        (days[weekdays(days) == each][:, None] + np.array(own, "timedelta64[s]")).ravel()
        for each, own in enumerate(open_days.hours)
    ]
    return np.sort(np.concatenate(begins))


def positions(open_days: OpenDays, wall: pd.DatetimeIndex) -> tuple[Ints, Days]:
    """Return the number of the step that each time is in, and the beginnings of all steps.

    Args:
        open_days: With opening hours.
        wall: Shape `(n,)`, local time.

    Returns:
        Shape `(n,)`, counted from the first step of the week before the first time; `(steps,)`.
    """
    times = wall.to_numpy().astype("datetime64[s]")
    days = times.astype("datetime64[D]")
    begins = steps_of(open_days, days.min() - 7 * DAY, days.max())
    return np.searchsorted(begins, times, side="right") - 1, begins


def moved_in_hours(open_days: OpenDays, wall: pd.DatetimeIndex, count: Ints) -> pd.DatetimeIndex:
    """Move each time, shape `(n,)`, local time, by its own number of steps, shape `(n,)`."""
    times = wall.to_numpy().astype("datetime64[s]")
    days = times.astype("datetime64[D]")
    week = sum(map(len, open_days.hours))
    reach = 7 * DAY * int(np.abs(count).max(initial=0) // week + 2)
    while True:
        begins = steps_of(open_days, days.min() - reach, days.max() + reach)
        place = np.searchsorted(begins, times, side="right") - 1 + count
        if place.min() >= 0 and place.max() < len(begins):
            return pd.DatetimeIndex(begins[place]).as_unit("us")
        reach *= 2


def note_closed(before: OpenDays | None, after: OpenDays | None, on_event: Listener) -> None:
    """Warn of closed days that another calendar, `before`, does not expect."""
    if before and after and (days := sorted({*after.closed} - {*before.closed})):
        text = f"no row on {listed(days)}: taken for closed days, which the calendar does not show"
        on_event(Note(text, warning=True))


def seasons_of(hours: Hours) -> tuple[int, ...]:
    """Return the steps in a day and in a week; those of a week alone where days are not alike.

    >>> seasons_of((((36000, 39600),) * 6) + ((),))
    (2, 12)
    """
    clock = np.array([second for day in hours for second in day])
    sizes = [len(day) for day in hours if day]
    day = max(set(sizes), key=sizes.count)
    same = np.mean(clock == np.roll(clock, day)) >= SAME_CLOCK
    return (day, len(clock)) if same and day < len(clock) else (len(clock),)
