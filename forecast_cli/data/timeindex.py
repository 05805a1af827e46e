"""The frequency of a table, the gaps in it, and the dates to come."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ..core.windows import Ints
from ..errors import DataError, UsageError

DAY = pd.Timedelta(days=1)
MONTHS = {"M": 1, "ME": 1, "MS": 1, "Q": 3, "QE": 3, "QS": 3, "Y": 12, "YE": 12, "YS": 12, "A": 12}
# A table of business days with holidays missing has at least this share of the weekdays in its
# span, and never misses more of them in a row.
BUSINESS_SHARE = 0.85
BUSINESS_GAP = 10
# Finer than this the day is too long a season; the hour or the minute is taken instead.
LONGEST_CYCLE = 288


@dataclass(frozen=True)
class Frequency:
    """A regular step in time: a fixed length, some months, or a business day.

    Args:
        alias: The pandas alias, e.g. "h", "D", "W-FRI", "MS", "B".
        step: The length of a fixed step; None for months and business days.
        months: Months in a step; 0 for other steps.
        day: The day of the month on which steps of months fall; 31 is the last.
    """

    alias: str
    step: pd.Timedelta | None = None
    months: int = 0
    day: int = 1

    @classmethod
    def parse(cls, alias: str, times: pd.DatetimeIndex | None = None) -> "Frequency":
        """The frequency of a pandas alias; the day of the month is taken from the times.

        Raises:
            UsageError: pandas knows no such alias.
        """
        short, count = _split_alias(alias)
        if short == "B" and count == 1:
            return cls("B")
        if short in MONTHS:
            day = _month_day(times) if times is not None and len(times) else 1
            return cls(alias, None, MONTHS[short] * count, day)
        try:
            offset: Any = to_offset("7D" if re.fullmatch(r"W(-\w{3})?", alias) else alias)
            return cls(alias, pd.Timedelta(offset))
        except (ValueError, TypeError):
            raise UsageError(
                f'There is no frequency "{alias}".',
                "Use a pandas alias: min, 15min, h, D, B (business days), W, MS (months), QS, YS.",
            ) from None

    @property
    def name(self) -> str:
        """The frequency in words, e.g. "business days (B)"."""
        words = {
            "min": "minutes",
            "h": "hours",
            "D": "days",
            "B": "business days",
            "MS": "months",
            "ME": "month ends",
            "QS": "quarters",
            "QE": "quarter ends",
            "YS": "years",
            "YE": "year ends",
            "W": "weeks",
            "s": "seconds",
        }
        short, count = _split_alias(self.alias)
        many = f"{count} " if count > 1 else ""
        return f"{many}{words[short]} ({self.alias})" if short in words else self.alias

    @property
    def season_length(self) -> int:
        """Steps in the season that is usual for the frequency; 1 where there is none.

        Months, quarters and weeks have a year; days and business days a week; finer steps the
        longest of day, hour and minute that has at most 288 of them.
        """
        if self.alias == "B":
            return 5
        if self.months:
            return max(1, 12 // self.months) if 12 % self.months == 0 else 1
        if self.step is None or self.step > 7 * DAY:
            return 1
        if self.step == 7 * DAY:
            return 52
        for cycle in (7 * DAY,) if self.step >= DAY else _CYCLES:
            if cycle % self.step == pd.Timedelta(0) and cycle // self.step <= LONGEST_CYCLE:
                return int(cycle // self.step)
        return 1

    def after(self, last: pd.Timestamp, steps: int) -> pd.DatetimeIndex:
        """The times of the next steps after `last`, in its zone.

        Steps of days and more move the wall clock, finer ones the absolute time.
        """
        if self.step is not None and self.step < DAY:
            return pd.DatetimeIndex([last + self.step * n for n in range(1, steps + 1)])
        wall = last.tz_localize(None)
        count = np.arange(1, steps + 1)
        if self.step is not None:
            times = wall + pd.TimedeltaIndex(count * self.step)
        elif self.months:
            times = self._months_after(wall, count)
        else:
            days = np.busday_offset(np.datetime64(wall.date(), "D"), count, roll="backward")
            times = pd.DatetimeIndex(days).as_unit("us") + (wall - wall.normalize())
        return pd.DatetimeIndex(times).tz_localize(
            last.tz, nonexistent="shift_forward", ambiguous=np.ones(steps, bool)
        )

    def span(self, first: pd.Timestamp, rows: int) -> pd.DatetimeIndex:
        """So many regular times, from the first on."""
        times: pd.DatetimeIndex = self.after(first, rows - 1).insert(0, first)
        return times

    def _months_after(self, wall: pd.Timestamp, count: npt.NDArray[Any]) -> pd.DatetimeIndex:
        month = (wall.year - 1970) * 12 + wall.month - 1 + count * self.months
        first = pd.DatetimeIndex(month.astype("datetime64[M]").astype("datetime64[us]"))
        day = np.minimum(self.day, first.days_in_month)
        return first + pd.to_timedelta(day - 1, unit="D") + (wall - wall.normalize())


_CYCLES = (DAY, pd.Timedelta(hours=1), pd.Timedelta(minutes=1))


def _split_alias(alias: str) -> tuple[str, int]:
    """The alias without count and anchor, and the count: "2W-FRI" gives ("W", 2)."""
    parts = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w{3})?", alias)
    return (parts[2], int(parts[1] or 1)) if parts else (alias, 1)


def _month_day(times: pd.DatetimeIndex) -> int:
    """On which day of the month the steps fall; 31 for the last."""
    return 31 if times.is_month_end.all() else int(times.day.max())


def infer_frequency(times: pd.DatetimeIndex) -> Frequency | None:
    """The frequency of the whole index, ascending and without duplicates; None if irregular."""
    if len(times) < 3:
        return None
    wall = times.tz_localize(None)
    gaps = _gaps(times)
    if (gaps == gaps[0]).all() and (times.tz is None or pd.Timedelta(gaps[0]) < DAY):
        return _fixed(gaps[0], wall)
    gaps = _gaps(wall)
    if (gaps == gaps[0]).all() and pd.Timedelta(gaps[0]) >= DAY:
        return _fixed(gaps[0], wall)
    return _monthly(wall) or _business(wall)


def _gaps(times: pd.DatetimeIndex) -> npt.NDArray[np.timedelta64]:
    return np.diff(times.asi8).astype(f"timedelta64[{times.unit}]")


def _fixed(gap: np.timedelta64, wall: pd.DatetimeIndex) -> Frequency:
    step = pd.Timedelta(gap)
    if step == 7 * DAY:
        return Frequency(f"W-{wall[0].strftime('%a').upper()}", step)
    if step % DAY == pd.Timedelta(0):
        days = step // DAY
        return Frequency(f"{days}D" if days > 1 else "D", step)
    offset: Any = to_offset(step)
    return Frequency(str(offset.freqstr), step)


def _monthly(wall: pd.DatetimeIndex) -> Frequency | None:
    """Steps of one, three or twelve (or any number of) months on the same day of the month."""
    months = np.diff(wall.year * 12 + wall.month)
    clock = wall - wall.normalize()
    day = _month_day(wall)
    if (months != months[0]).any() or months[0] < 1 or (clock != clock[0]).any():
        return None
    if (np.minimum(day, wall.days_in_month) != wall.day).any():
        return None
    count = int(months[0])
    size, letter = next((n, name) for n, name in ((12, "Y"), (3, "Q"), (1, "M")) if count % n == 0)
    many = str(count // size) if count > size else ""
    return Frequency(f"{many}{letter}{'E' if day == 31 else 'S'}", None, count, day)


def _business(wall: pd.DatetimeIndex) -> Frequency | None:
    """Business days, also with holidays missing: rows are the steps then."""
    clock = wall - wall.normalize()
    if (wall.day_of_week >= 5).any() or (clock != clock[0]).any():
        return None
    days = wall.normalize().to_numpy().astype("datetime64[D]")
    steps = np.busday_count(days[:-1], days[1:])
    if steps.min() < 1 or steps.max() > BUSINESS_GAP or len(steps) / steps.sum() < BUSINESS_SHARE:
        return None
    return Frequency("B")


def missing_weekdays(times: pd.DatetimeIndex) -> int:
    """How many weekdays between the first and the last of the times have no row."""
    days = times.tz_localize(None).to_numpy().astype("datetime64[D]")
    return int(np.busday_count(days[0], days[-1])) + 1 - len(days)


def irregular_place(times: pd.DatetimeIndex) -> tuple[int, str]:
    """The first row that breaks the most frequent step, and what is wrong with it."""
    gaps = pd.Series(_gaps(times))
    usual = gaps.mode()[0]
    if gaps.between(pd.Timedelta(days=28), pd.Timedelta(days=31)).mean() > 0.5:
        bad = ~gaps.between(pd.Timedelta(days=28), pd.Timedelta(days=31))
        step = "a month"
    else:
        bad = gaps != usual
        step = span(usual)
    row = int(bad.to_numpy().argmax()) + 1
    return row, (
        f"{when(times[row])} comes {span(gaps[row - 1])} after {when(times[row - 1])}, "
        f"where most steps are {step}"
    )


def when(time: pd.Timestamp) -> str:
    """A time for people: only its date where it is midnight."""
    return str(time.date() if time.tz is None and time == time.normalize() else time)


def span(gap: Any) -> str:
    """A time span for people, e.g. "1 day" or "3 days 02:00:00"."""
    text = str(pd.Timedelta(gap)).removesuffix(" 00:00:00").removeprefix("0 days ")
    return text if text != "1 days" else "1 day"


def grid_positions(times: pd.DatetimeIndex, frequency: Frequency) -> Ints:
    """Where each time stands on the regular grid that begins with the first one.

    For business days rows are the steps: holidays have no place on the grid.

    Raises:
        DataError: A time is not on the grid; its row is in the message.
    """
    if frequency.alias == "B":
        _require_weekdays(times)
        return np.arange(len(times))
    positions = _estimate(times, frequency)
    grid = frequency.span(times[0], int(positions[-1]) + 1)
    inside = np.clip(positions, 0, len(grid) - 1)
    off = (grid[inside] != times) | (np.diff(positions, prepend=-1) < 1)
    if off.any():
        row = int(np.argmax(off))
        raise DataError(
            f"{when(times[row])} does not fit the frequency {frequency.name} from "
            f"{when(times[0])} on.",
            "Give the frequency of the table with --freq, or pass --time none to take rows as "
            "steps.",
        )
    return positions


def _estimate(times: pd.DatetimeIndex, frequency: Frequency) -> Ints:
    """The number of steps from the first time to each, rounded."""
    wall = times.tz_localize(None)
    if frequency.months:
        months = (wall.year - wall[0].year) * 12 + wall.month - wall[0].month
        return np.asarray(months // frequency.months, dtype=np.int64)
    step = frequency.step or DAY
    exact = times if step < DAY else wall
    return np.asarray(np.rint((exact - exact[0]) / step), dtype=np.int64)


def _require_weekdays(times: pd.DatetimeIndex) -> None:
    weekend = times.day_of_week >= 5
    if weekend.any():
        first = times[int(np.argmax(weekend))]
        raise DataError(
            f"{first.date()} is a {first.day_name()}; business days were expected.",
            "Drop the rows of weekends, or train with --freq D.",
        )
