"""A regular step in time, its default seasons, and the times after a step."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import Day

from ...core.errors import UsageError
from ...core.windows import Ints
from . import listed_steps
from .business_days import LEARNED, Days, Hours, OpenDays, moved_in_hours, seasons_of
from .retail_months import MONTHS as MONTH_NAMES

DAY = pd.Timedelta(days=1)
YEAR = pd.Timedelta(days=365)
MONTHS = {"M": 1, "ME": 1, "MS": 1, "Q": 3, "QE": 3, "QS": 3, "Y": 12, "YE": 12, "YS": 12, "A": 12}
# Former aliases of pandas, and lower-case ones.
OLD = {"H": "h", "T": "min", "S": "s", "d": "D", "w": "W", "b": "B"}
WEEKDAYS = "MON|TUE|WED|THU|FRI|SAT|SUN"
# With more steps than this a day is too long a season; the hour or the minute is taken instead.
LONGEST_CYCLE = 288
NAMES = {
    "min": "minutes", "h": "hours", "D": "days", "B": "business days", "MS": "months",
    "ME": "month ends", "QS": "quarters", "QE": "quarter ends", "YS": "years", "YE": "year ends",
    "W": "weeks", "s": "seconds",
}  # fmt: skip
ADJECTIVES = {
    "hours": "hourly", "days": "daily",
    "weeks": "weekly", "months": "monthly", "quarters": "quarterly", "years": "yearly",
    "month ends": "monthly", "quarter ends": "quarterly", "year ends": "yearly",
}  # fmt: skip


@dataclass(frozen=True)
class Frequency:
    """A regular step in time: a fixed length, some months, or a business day.

    Args:
        alias: The pandas alias, e.g. "h", "D", "W-FRI", "MS", "B".
        step: The length of a fixed step; None for months and business days.
        months: Months in a step; 0 for other steps.
        day: The day of the month on which steps of months fall; 31 is the last. Of listed steps 31
            where the dates are their last days.
        open_days: Which days business days are; Monday to Friday where None.
    """

    alias: str
    step: pd.Timedelta | None = None
    months: int = 0
    day: int = 1
    open_days: OpenDays | None = None

    @classmethod
    def parse(cls, alias: str, times: pd.DatetimeIndex | None = None) -> "Frequency":
        """Return the frequency of a pandas alias; the day of the month is that of the times.

        Raises:
            UsageError: There is no such frequency.
        """
        alias = re.sub(r"(?<=\d)[A-Za-z]$|^[A-Za-z]$", lambda old: OLD.get(old[0], old[0]), alias)
        if (listed := listed_steps.parse_listed(alias, times)) is not None:
            return cls(listed[0], None, listed[1], listed[2])
        short, count = _split_alias(alias)
        if alias == "B":
            return cls(alias)
        known = times is not None and len(times) > 0
        if short in MONTHS and count > 0:
            day = month_day(times) if times is not None and known else 1
            if known and alias == short:
                # The alias is a month; on which day it begins or ends, the times show.
                alias = f"{short[0]}{'E' if day == 31 else 'S'}"
            return cls(alias, None, MONTHS[short] * count, day)
        weekly = re.fullmatch(rf"\d*W(-({WEEKDAYS}))?", alias)
        try:
            offset: Any = None if weekly else to_offset(alias)
            # The days of pandas 3.0 have no length.
            days = 7 * count if weekly else offset.n if isinstance(offset, Day) else 0
            step = days * DAY if days else pd.Timedelta(offset)
        except (ValueError, TypeError):
            step = pd.Timedelta(0)
        if not step > pd.Timedelta(0):
            raise UsageError(
                f'Unknown frequency "{alias}".',
                "Use a pandas alias: min, 15min, h, D, B (business days), W, SMS (half-months), MS "
                "(months), BME (months by last business day), QS, YS; or 445 (retail months).",
            )
        if weekly and times is not None and known:
            many = str(count) if count > 1 else ""
            alias = f"{many}W-{times[0].strftime('%a').upper()}"
        return cls(alias, step)

    @property
    def name(self) -> str:
        """The frequency in words, e.g. "business days (B)"."""
        if self.open_days and not self.hours:
            learned = self.open_days.name == LEARNED
            return "business days (learned)" if learned else f"days of {self.open_days.name}"
        if self.listed:
            return f"{listed_steps.name_listed(self.alias)} ({self.alias})"
        if self.months == 6:
            return f"half-years ({self.alias})"
        short, count = _split_alias(self.alias)
        many = f"{count} " if count > 1 else ""
        name = f"{many}{NAMES[short]} ({self.alias})" if short in NAMES else self.alias
        return f"open {name}" if self.hours else name

    @property
    def listed(self) -> bool:
        """Whether a calendar lists the steps: half-months, business months or retail months."""
        return listed_steps.is_listed(self.alias)

    @property
    def days(self) -> float | None:
        """The days in a step, about; None for months and business days."""
        if self.listed and not self.months:
            return YEAR / DAY / listed_steps.steps_in_year(self.alias)
        return None if self.step is None else self.step / DAY

    @property
    def anchor(self) -> int:
        """The weekday on which weeks begin, or the month in which years do: 0 is the first.

        >>> Frequency.parse("W-SAT").anchor, Frequency.parse("QE-JAN").anchor
        (6, 1)
        """
        short, _, name = self.alias.lstrip("0123456789").partition("-")
        if name in WEEKDAYS.split("|"):
            return (WEEKDAYS.split("|").index(name) + 1) % 7
        if name not in MONTH_NAMES:
            return 0
        return (MONTH_NAMES.index(name) + (short[1:] != "S")) % 12

    @property
    def hours(self) -> Hours:
        """The opening hours; empty where steps go on day and night."""
        return self.open_days.hours if self.open_days else ()

    @property
    def adjective(self) -> str:
        """What a table of this frequency is: "daily", "monthly", "in steps of 15 minutes".

        >>> Frequency.parse("MS").adjective, Frequency.parse("2W").adjective
        ('monthly', 'in steps of 2 weeks')
        """
        if self.alias == "B":
            return "in business days"
        if self.listed:
            return f"in {listed_steps.name_listed(self.alias)}"
        if self.months == 6:
            return "half-yearly"
        short, count = _split_alias(self.alias)
        name = NAMES.get(short, "")
        if count == 1 and name:
            return ADJECTIVES.get(name, f"in {name}")
        return f"in steps of {count} {name}" if name else f"in steps of {self.alias}"

    @property
    def rule(self) -> str:
        """The open days of business days, in words."""
        if self.listed:
            return f"{listed_steps.name_listed(self.alias)}, of which no holiday is known"
        return self.open_days.describe() if self.open_days else "Monday to Friday"

    def closed(self, times: pd.DatetimeIndex) -> npt.NDArray[np.bool_]:
        """Return which times are on closed days, in local time, shape `(n,)`."""
        days = local_days(times)
        if self.open_days:
            return ~self.open_days.is_open(days)
        return ~np.asarray(np.is_busday(days))

    def open_days_between(self, first: pd.DatetimeIndex, last: pd.DatetimeIndex) -> Any:
        """Return how many open days there are after each first time, up to its last, `(n,)`."""
        begin, end = (local_days(each) + np.timedelta64(1, "D") for each in (first, last))
        if self.open_days:
            return np.busday_count(begin, end, busdaycal=self.open_days.busday)
        return np.busday_count(begin, end)

    @property
    def season_length(self) -> int:
        """The default number of steps in a season; 1 where there is none.

        A year of months, half-months, quarters, weeks or periods of four weeks; a week of days or
        open days; of finer steps the longest of day, hour and minute with at most 288 of them.
        """
        if self.hours:
            first = seasons_of(self.hours)[0]
            return first if first <= LONGEST_CYCLE else 1
        if self.alias == "B":
            return self.open_days.weekmask.count("1") if self.open_days else 5
        if self.months:
            return max(1, 12 // self.months) if 12 % self.months == 0 else 1
        if self.listed:
            return listed_steps.steps_in_year(self.alias)
        if self.step is None or self.step >= 7 * DAY:
            return 52 if self.step == 7 * DAY else 13 if self.step == 28 * DAY else 1
        for cycle in (7 * DAY,) if self.step >= DAY else _CYCLES:
            if cycle % self.step == pd.Timedelta(0) and cycle // self.step <= LONGEST_CYCLE:
                return int(cycle // self.step)
        return 1

    @property
    def seasons(self) -> tuple[int, ...]:
        """The steps in all default seasons of the frequency, ascending.

        Besides `season_length`, a week of steps finer than days, and a year of days.
        """
        seasons = [self.season_length, *(seasons_of(self.hours) if self.hours else ())]
        if not self.hours and self.step is not None and self.alias != "B":
            longer = 7 * DAY if self.step < DAY else YEAR
            steps = longer / self.step
            if self.step <= DAY and steps == int(steps):
                seasons.append(int(steps))
        return tuple(sorted({each for each in seasons if each > 1}))

    def begins_of(self, begins: pd.DatetimeIndex) -> "Frequency":
        """Return the same steps by their first days, shape `(n,)`: "QS-FEB" for "QE-JAN"."""
        short, count = _split_alias(self.alias)
        if not self.months or self.listed:
            return Frequency.parse(self.alias, begins)
        anchor = f"-{MONTH_NAMES[self.anchor]}" if self.anchor else ""
        many = str(count) if count > 1 else ""
        return replace(self, alias=f"{many}{short[0]}S{anchor}", day=1)

    def after(self, last: pd.Timestamp, steps: int) -> pd.DatetimeIndex:
        """Return the times of the next steps after `last`, in its zone, shape `(steps,)`.

        Steps of days and more move the local time, finer ones the absolute time.
        """
        start = pd.DatetimeIndex([last], tz=last.tz).repeat(steps)
        return self.moved(start, np.arange(1, steps + 1))

    def on(self, open_days: OpenDays | None) -> "Frequency":
        """Return the same step on other open days."""
        return replace(self, open_days=open_days)

    def closed_like(self, days: Days) -> "Frequency":
        """Return the same steps, but closed between the first and the last of `days`, not on them.

        Args:
            days: Shape `(n,)`, at least 1, in any order: those with rows.
        """
        return self.on(self.open_days.as_in(np.unique(days))) if self.open_days else self

    def next(self, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return the time one step after each, shape `(n,)`."""
        return self.moved(times, np.ones(len(times), np.int64))

    def moved(self, times: pd.DatetimeIndex, count: Ints) -> pd.DatetimeIndex:
        """Move each time by its own number of steps, shapes `(n,)`."""
        if self.step is not None and self.step < DAY and not self.hours:
            return times + pd.to_timedelta(count * self.step)
        wall = times.tz_localize(None)
        if self.open_days and self.hours:
            moved = moved_in_hours(self.open_days, wall, count)
        elif self.listed:
            moved = listed_steps.moved(self.alias, self.day, wall, count)
        elif self.step is not None:
            moved = wall + pd.to_timedelta(count * self.step)
        elif self.months:
            moved = self._months_later(wall, count)
        else:
            days = local_days(wall)
            later = (
                self.open_days.after(days, count.astype(np.int64))
                if self.open_days
                else np.busday_offset(days, count, roll="backward")
            )
            moved = pd.DatetimeIndex(later).as_unit("us") + (wall - wall.normalize())
        return _in_zone_of(times, moved)

    def snapped(self, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return the times, shape `(n,)`, on the dates of their steps where holidays moved them."""
        if not self.listed:
            return times
        wall = times.tz_localize(None)
        return _in_zone_of(times, listed_steps.snapped(self.alias, self.day, wall))

    def _months_later(self, wall: pd.DatetimeIndex, count: Ints) -> pd.DatetimeIndex:
        """Move each time, in local time, by its own number of steps, shapes `(n,)`."""
        month = np.asarray((wall.year - 1970) * 12 + wall.month - 1) + count * self.months
        first = pd.DatetimeIndex(month.astype("datetime64[M]").astype("datetime64[us]"))
        day = np.minimum(self.day, first.days_in_month)
        return first + pd.to_timedelta(day - 1, unit="D") + (wall - wall.normalize())


def _in_zone_of(times: pd.DatetimeIndex, wall: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return local times, shape `(n,)`, in the zone of others."""
    return pd.DatetimeIndex(wall).tz_localize(
        times.tz, nonexistent="shift_forward", ambiguous=np.ones(len(wall), bool)
    )


_CYCLES = (DAY, pd.Timedelta(hours=1), pd.Timedelta(minutes=1))


def _split_alias(alias: str) -> tuple[str, int]:
    """Return the alias without count and anchor, and the count: ("W", 2) of "2W-FRI"."""
    parts = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w{3})?", alias)
    return (parts[2], int(parts[1] or 1)) if parts else (alias, 1)


def month_day(times: pd.DatetimeIndex) -> int:
    """Return on which day of the month the times, shape `(n,)`, are; 31 for the last."""
    return 31 if times.is_month_end.all() else int(times.day.max())


def local_days(times: pd.DatetimeIndex) -> Days:
    """Return the days of times in local time, shape `(n,)`."""
    return times.tz_localize(None).to_numpy().astype("datetime64[D]")
