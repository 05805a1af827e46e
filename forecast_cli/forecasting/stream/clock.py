"""The times of a stream: read, counted in steps, and written as the table has them."""

import calendar
import re
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import UsageError
from ...core.windows import Ints
from ...data.dates.date_formats import EPOCHS, ISO, attempt, split_format
from ...data.dates.date_writing import write_dates
from ...data.time.frequency import DAY, Frequency, local_days
from ...data.time.grid import steps_between
from ...model.manifest import TimeAxis

# Directives that `datetime.strptime` reads as pandas does, where names are English.
PLAIN = re.compile(r"(%[YmdHMSf%]|[^%@])+")
# Years that need four digits, and that pandas can count nanoseconds in.
FIRST_YEAR, LAST_YEAR = 1678, 2261
# Dates are written with four digits.
LATEST = 9999

# So many business days in a row may be holidays.
HOLIDAYS = 10


class Clock:
    """Reads, counts and writes the times of the rows of a model.

    Args:
        time: The time column of the model.
        date_format: How times are written that are not ISO 8601; as in the table where None.
        timezone: The zone of clock times; that of the model where None.
    """

    def __init__(
        self, time: TimeAxis, date_format: str | None = None, timezone: str | None = None
    ) -> None:
        self.style = time.style
        self.format = re.sub(r"%(:|2)z", "%z", re.sub(r"%\df", "%f", date_format or time.style))
        self.frequency: Frequency = time.frequency
        self.zone = time.timezone
        last = pd.Timestamp(time.last)
        self.begin = last if self.zone is None else last.tz_convert(self.zone)
        self.source_zone = timezone or time.timezone

    @cached_property
    def fixed(self) -> bool:
        """Whether steps have one length in absolute time, or in that of a clock without a zone."""
        frequency = self.frequency
        known = frequency.step is not None and not (frequency.hours or frequency.listed)
        return known and (self.zone is None or (frequency.step or DAY) < DAY)

    @cached_property
    def monthly(self) -> bool:
        """Whether steps are whole months of a clock without a zone."""
        return bool(self.frequency.months) and self.zone is None and not self.frequency.listed

    def _months_after(self, time: datetime, steps: int) -> datetime:
        """Return the time so many steps of months later."""
        month = time.year * 12 + time.month - 1 + steps * self.frequency.months
        year, month = month // 12, month % 12 + 1
        day = min(self.frequency.day, calendar.monthrange(year, month)[1])
        return time.replace(year=year, month=month, day=day)

    @cached_property
    def step(self) -> int:
        """The length of a fixed step, in nanoseconds."""
        return (self.frequency.step or DAY).value

    def read(self, cell: Any, last: pd.Timestamp | None = None) -> pd.Timestamp:
        """Return the time of a cell, in the zone of the model.

        Args:
            cell: Text, a number of an epoch, or a time.
            last: The time of the row before it, which tells the two hours apart where the clocks
                are set back.

        Raises:
            ValueError: It is no time, or one that does not exist.
        """
        if isinstance(cell, pd.Timestamp | datetime | np.datetime64):
            time = pd.Timestamp(cell)
        else:
            time = self._parse(str(cell).strip())
        if pd.isna(time) or not FIRST_YEAR <= time.year < LAST_YEAR:
            raise ValueError(f'"{cell}" is no time')
        return self._in_zone(time, last)

    def steps(self, last: pd.Timestamp, time: pd.Timestamp) -> int:
        """Return how many steps a time is after the last one: 0 for the same, below for before.

        Raises:
            ValueError: It is between two steps.
        """
        if time <= last:
            return 0 if time == last else -1
        if self.frequency.alias == "B":
            return self._open_day(last, time)
        if self.fixed:
            steps, rest = divmod(time.value - last.value, self.step)
            if rest:
                raise ValueError(self._between(time))
            return int(steps)
        if self.monthly:
            months = (time.year - last.year) * 12 + time.month - last.month
            steps, rest = divmod(months, self.frequency.months)
            if rest or time != self._months_after(last.to_pydatetime(warn=False), steps):
                raise ValueError(self._between(time))
            return int(steps)
        return self._counted(last, time)

    def is_far(self, last: pd.Timestamp, time: pd.Timestamp, lookback: int) -> bool:
        """Whether a later time is beyond any holidays and the steps of a lookback after that."""
        if self.frequency.alias != "B":
            return False
        if (time - last).days <= lookback + HOLIDAYS:
            return False
        first, then = pd.DatetimeIndex([last]), pd.DatetimeIndex([time])
        days = self.frequency.open_days_between(first, then)
        return int(days[0]) > lookback + HOLIDAYS

    def after(self, last: pd.Timestamp, steps: int) -> pd.DatetimeIndex:
        """Return the times of the next steps, shape `(steps,)`."""
        if self.fixed:
            counts = np.arange(1, steps + 1)
            length = np.timedelta64(self.step // 1000, "us")
            times = np.datetime64(last.value // 1000, "us") + counts * length
            index = pd.DatetimeIndex(times)
            return index if self.zone is None else index.tz_localize("UTC").tz_convert(self.zone)
        return self.frequency.after(last, steps)

    def check(self, steps: int) -> None:
        """Refuse, by a UsageError, steps ahead that dates of four digits might not name."""
        try:
            late = self.after(self.begin, steps)[-1].year + LAST_YEAR - self.begin.year > LATEST
        except (ValueError, OverflowError):
            late = True
        if late:
            raise UsageError(
                f"Invalid `horizon` {steps:,}: the last step may be after the year {LATEST}.",
                "Choose a shorter `horizon`.",
            )

    @cached_property
    def plain(self) -> bool:
        """Whether Python itself writes the times."""
        own = PLAIN.fullmatch(self.style) is not None and "%f" not in self.style
        return own and self.zone is None

    def write(self, time: pd.Timestamp) -> str:
        """Return a time as text in the form of the table."""
        if self.plain:
            return time.strftime(self.style)
        return write_dates(pd.DatetimeIndex([time]), self.style)[0]

    def write_after(self, last: pd.Timestamp, steps: int) -> list[str]:
        """Return the times of the next steps as text, as `after` and `write` do."""
        if not self.plain or not (self.fixed or self.monthly or self.frequency.alias == "B"):
            return write_dates(self.after(last, steps), self.style)
        begin: datetime = last.to_pydatetime(warn=False)
        if self.monthly:
            later = (self._months_after(begin, place) for place in range(1, steps + 1))
            return [each.strftime(self.style) for each in later]
        if self.fixed:
            length = timedelta(microseconds=self.step / 1000)
            return [(begin + place * length).strftime(self.style) for place in range(1, steps + 1)]
        day, counts = np.datetime64(begin.date(), "D"), np.arange(1, steps + 1)
        known = self.frequency.open_days
        days = (
            known.after(np.array(day), counts)
            if known
            else np.busday_offset(day, counts, roll="backward")
        )
        clock = begin.time()
        return [datetime.combine(each, clock).strftime(self.style) for each in days.tolist()]

    def _parse(self, text: str) -> pd.Timestamp:
        """Return the time of a text: ISO 8601, or in the format of the table."""
        pattern, language, _ = split_format(self.format)
        if re.match(r"\d{4}-\d\d-\d\d|\d{8}T", text):
            with suppress(ValueError):
                return pd.Timestamp(datetime.fromisoformat(text))
        if language == "en" and "%Y" in pattern and PLAIN.fullmatch(pattern):
            with suppress(ValueError):
                return pd.Timestamp(datetime.strptime(text, pattern))
        return self._parse_slowly(text)

    def _parse_slowly(self, text: str) -> pd.Timestamp:
        """Return the time of a text in any format that a table may have."""
        cell = pd.Series([text], dtype="str")
        for form in dict.fromkeys((self.format, ISO)):
            try:
                found = attempt(cell, form)[0]
            except (ValueError, KeyError, OverflowError):
                continue
            if found is not pd.NaT and not pd.isna(found):
                time = pd.Timestamp(found)
                epoch = form in EPOCHS and self.zone is not None
                return time.tz_localize("UTC") if epoch else time
        raise ValueError(f'"{text}" is no time')

    def _in_zone(self, time: pd.Timestamp, last: pd.Timestamp | None) -> pd.Timestamp:
        """Return a time in the zone of the model, or without one as the model has none."""
        if self.zone is None:
            return time.tz_localize(None) if time.tzinfo is not None else time
        if time.tzinfo is not None:
            return time.tz_convert(self.zone)
        try:
            first = time.tz_localize(self.source_zone, ambiguous=True, nonexistent="raise")
            if last is not None and first <= last:
                # The later one of two equal clock times.
                first = time.tz_localize(self.source_zone, ambiguous=False)
        except ValueError:
            raise ValueError(f"there is no {time} in {self.source_zone}") from None
        return first.tz_convert(self.zone)

    def _open_day(self, last: pd.Timestamp, time: pd.Timestamp) -> int:
        """Return 1 for a later open day: rows of business days are the steps."""
        if self.frequency.open_days is None and time.weekday() >= 5:
            raise ValueError(f"{time.date()} is a {time.day_name()}, and steps are business days")
        return 0 if time.date() == last.date() else 1

    def _counted(self, last: pd.Timestamp, time: pd.Timestamp) -> int:
        """Return the steps between times by the calendar of the model."""
        first, then = pd.DatetimeIndex([last]), pd.DatetimeIndex([time])
        frequency = self.frequency
        if frequency.hours:
            # Whole days without a row are closed.
            frequency = frequency.closed_like(local_days(pd.DatetimeIndex([last, time])))
        counts: Ints = steps_between(first, then, frequency)
        try:
            reached = frequency.moved(first, counts)[0]
        except (ValueError, OverflowError):
            raise ValueError(self._between(time)) from None
        if counts[0] < 1 or reached != frequency.snapped(then)[0]:
            raise ValueError(self._between(time))
        return int(counts[0])

    def _between(self, time: pd.Timestamp) -> str:
        return f"{time} is between two steps of {self.frequency.name}"
