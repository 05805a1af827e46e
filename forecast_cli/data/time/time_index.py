"""The times of rows, their frequency, gaps between them, and the step of each row of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ...core.windows import Floats, Ints
from . import listed_steps
from .frequency import DAY, Frequency, local_days, month_day

# A table of business days with holidays missing has at least this share of the weekdays in its
# span, and no gap of more of them.
BUSINESS_SHARE = 0.85
BUSINESS_GAP = 10
BUSINESS = Frequency("B")
SHORTEST_MONTH = np.timedelta64(28, "D")
HALF_MONTH = pd.Timedelta(days=13)
# With this share of its rows on weekdays a daily table is probably one of business days.
BUSINESS_LIKE = 0.95


@dataclass(frozen=True)
class Dates:
    """The times of a column.

    Args:
        times: Shape `(rows,)`, in the order of the table.
        style: The `strftime` format in which to write such times; `%z` is written as `+01:00`.
    """

    times: pd.DatetimeIndex
    style: str


def infer_frequency(times: pd.DatetimeIndex) -> Frequency | None:
    """Infer the frequency of distinct ascending times, shape `(n,)`; None if irregular."""
    if len(times) < 3:
        return None
    wall = times.tz_localize(None)
    gaps = _gaps(wall)
    if gaps.min() >= SHORTEST_MONTH and (monthly := _monthly(wall)) is not None:
        return monthly
    if (gaps == gaps[0]).all() and pd.Timedelta(gaps[0]) >= DAY:
        return _fixed(pd.Timedelta(gaps[0]), wall)
    gaps = _gaps(times)
    if (gaps == gaps[0]).all() and pd.Timedelta(gaps[0]) < DAY:
        return _fixed(pd.Timedelta(gaps[0]), wall)
    return _business(wall) or _listed(wall)


def floored(times: pd.DatetimeIndex, frequency: Frequency) -> pd.DatetimeIndex:
    """Return the beginning of the step of each time, shape `(n,)`: of its hour, day, week, month.

    A business day on a weekend is the Friday before. Weeks end on the weekday of the alias, and
    quarters begin or end in its month.

    >>> floored(pd.DatetimeIndex(["2024-05-17 10:20"]), Frequency.parse("MS"))[0]
    Timestamp('2024-05-01 00:00:00')
    """
    wall = times.tz_localize(None)
    if frequency.listed:
        return _begun(listed_steps.floored(frequency.alias, frequency.day, wall), times)
    if frequency.months:
        months = wall.year * 12 + wall.month - 1
        months -= (months - frequency.anchor) % frequency.months
        named = [f"{month // 12}-{month % 12 + 1:02d}" for month in months]
        return _begun(pd.DatetimeIndex(named), times)
    if frequency.alias == "B":
        days = wall.normalize()
        after = pd.to_timedelta(np.maximum(days.day_of_week - 4, 0), unit="D")
        return _begun(pd.DatetimeIndex(days - after), times)
    step = frequency.step or DAY
    if step < DAY:
        # Floored in local time, then subtracted: no clock change is in between.
        return times - (wall - wall.floor(step))
    # The first day of 1970 was a Thursday; weeks, and days that are counted, begin on a Monday.
    first = pd.Timestamp(1970, 1, 5) + frequency.anchor * DAY
    begins = first + (wall - first) // step * step
    return _begun(pd.DatetimeIndex(begins), times)


def _begun(wall: pd.DatetimeIndex, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return days, shape `(n,)`, in the zone of the times; after a clock change at midnight."""
    first = np.zeros(len(wall), bool)
    return wall.tz_localize(times.tz, nonexistent="shift_forward", ambiguous=first)


def likely_frequency(times: pd.DatetimeIndex) -> Frequency:
    """Return the frequency of most steps between times, shape `(n,)`, at least three."""
    wall = times.tz_localize(None)
    step = pd.Timedelta(pd.Series(_gaps(wall)).mode()[0])
    if step >= HALF_MONTH and (listed := _listed(wall, gaps=True)):
        return listed
    for days, alias in ((range(28, 32), "M"), (range(89, 93), "Q"), (range(365, 367), "Y")):
        if step.days in days:
            ends = float(wall.is_month_end.mean()) > 0.5
            day = 31 if ends else int(pd.Series(wall.day).mode()[0])
            months = Frequency.parse(alias).months
            return Frequency(f"{alias}{'E' if ends else 'S'}", None, months, day)
    weekly = step == DAY and (wall.day_of_week < 5).mean() > BUSINESS_LIKE
    if weekly and (_weekday_steps(times) == 1).mean() > BUSINESS_SHARE:
        return BUSINESS
    return _fixed(step, wall)


def closest_frequency(times: pd.DatetimeIndex) -> Frequency:
    """Return the frequency of times, shape `(n,)`, at least three; that of most steps if irregular.

    Its `adjective` says what a table is: "daily".
    """
    return infer_frequency(times) or likely_frequency(times)


def _gaps(times: pd.DatetimeIndex) -> npt.NDArray[np.timedelta64]:
    """Return the time from each to the next, shape `(n - 1,)`."""
    return np.diff(times.asi8).astype(f"timedelta64[{times.unit}]")


def _weekday_steps(times: pd.DatetimeIndex) -> Ints:
    """Return how many weekdays it is from each time to the next, shape `(n - 1,)`."""
    days = local_days(times)
    return np.asarray(np.busday_count(days[:-1], days[1:]))


def _fixed(step: pd.Timedelta, wall: pd.DatetimeIndex) -> Frequency:
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
    day = month_day(wall)
    if (months != months[0]).any() or months[0] < 1 or (clock != clock[0]).any():
        return None
    if (np.minimum(day, wall.days_in_month) != wall.day).any():
        return None
    count = int(months[0])
    size, letter = next((n, name) for n, name in ((12, "Y"), (3, "Q"), (1, "M")) if count % n == 0)
    many = str(count // size) if count > size else ""
    return Frequency(f"{many}{letter}{'E' if day == 31 else 'S'}", None, count, day)


def _listed(wall: pd.DatetimeIndex, *, gaps: bool = False) -> Frequency | None:
    """Return listed steps, if the times, shape `(n,)`, are such."""
    alias = listed_steps.infer_listed(wall, gaps=gaps)
    return Frequency.parse(alias, wall) if alias else None


def _business(wall: pd.DatetimeIndex) -> Frequency | None:
    """Return business days, holidays missing or not, if the times, shape `(n,)`, are such."""
    clock = wall - wall.normalize()
    if (wall.day_of_week >= 5).any() or (clock != clock[0]).any():
        return None
    steps = _weekday_steps(wall)
    if steps.min() < 1 or steps.max() > BUSINESS_GAP or len(steps) / steps.sum() < BUSINESS_SHARE:
        return None
    return BUSINESS


def missing_weekdays(
    times: pd.DatetimeIndex, indptr: Ints | None = None, frequency: Frequency = BUSINESS
) -> int:
    """Return how many open days between the first and the last time of each series have no row.

    Args:
        times: Shape `(n,)`, ascending in each series.
        indptr: Shape `(n_series + 1,)`; None: one series.
        frequency: Business days.
    """
    indptr = np.array([0, len(times)]) if indptr is None else indptr
    full = np.diff(indptr) > 0
    first, last = indptr[:-1][full], indptr[1:][full] - 1
    wall = times.tz_localize(None)
    spans = frequency.open_days_between(wall[first], wall[last]) + 1
    return int(spans.sum()) - len(times)


def steps_broken(times: pd.DatetimeIndex, frequency: Frequency) -> npt.NDArray[np.bool_]:
    """Whether the step from each time to the next is another one, shape `(n - 1,)`."""
    if frequency.alias == "B":
        steps = _weekday_steps(times)
        weekend = np.asarray(times[1:].tz_localize(None).day_of_week >= 5)
        return np.asarray((steps < 1) | (steps > BUSINESS_GAP) | weekend)
    return np.asarray(frequency.next(times[:-1]) != frequency.snapped(times[1:]))


def irregular_place(times: pd.DatetimeIndex, frequency: Frequency) -> tuple[int, str]:
    """Return the first of the times, shape `(n,)`, after a wrong step, and what is wrong."""
    wall = times.tz_localize(None)
    broken = steps_broken(times, frequency)
    row = int(np.argmax(broken if broken.any() else _gaps(wall))) + 1
    return row, (
        f"{when(times[row])} is {span(wall[row] - wall[row - 1])} after "
        f"{when(times[row - 1])}, where most steps are {frequency.name}"
    )


def when(time: pd.Timestamp) -> str:
    """Return a time for messages: only its date where it is midnight."""
    return str(time.date() if time.tz is None and time == time.normalize() else time)


def span(gap: Any) -> str:
    """Return a time span for messages, e.g. "1 day" or "3 days 02:00:00"."""
    text = str(pd.Timedelta(gap)).removesuffix(" 00:00:00").removeprefix("0 days ")
    return text if text != "1 days" else "1 day"


# Aggregations with values that no row may have had.
COMPUTED = ("mean", "sum", "min", "max")
# Ways in which one of several rows is used.
WHOLE_ROWS = ("first row", "last row")


@dataclass(frozen=True)
class Timeline:
    """The times of rows.

    Args:
        times: Shape `(n_rows,)`, ascending in each series.
        frequency: The step between them.
        style: The format in which the table writes them.
    """

    times: pd.DatetimeIndex
    frequency: Frequency
    style: str


@dataclass(frozen=True)
class Steps:
    """The step in time of each row of a table.

    Args:
        timeline: The times of the steps of all series, end to end; None where rows are steps.
        indptr: Shape `(n_series + 1,)`: series `i` is steps `indptr[i]:indptr[i + 1]`.
        order: Shape `(rows,)`: the rows of the table, series by series, the oldest first.
        places: Shape `(rows,)`: the step of each of them, ascending; several rows may share one.
        combine: How rows that share a step become one.
    """

    timeline: Timeline | None
    indptr: Ints
    order: Ints
    places: Ints
    combine: str

    def place(self, values: Floats, names: Sequence[int] = ()) -> Floats:
        """Return the values of rows at their steps, shape `(n_steps, features)`; NaN without a row.

        Args:
            values: Shape `(rows, features)`.
            names: Features that are numbers of categories, which have no mean or sum: of rows that
                share a step, the last counts.
        """
        placed = np.full((int(self.indptr[-1]), values.shape[1]), np.nan)
        if (np.diff(self.places) > 0).all():
            placed[self.places] = values[self.order]
            return placed
        if self.combine in WHOLE_ROWS:
            # The whole row counts, with its missing values.
            last = np.diff(self.places, append=self.places[-1] + 1) > 0
            first = np.diff(self.places, prepend=self.places[0] - 1) > 0
            kept = last if self.combine == "last row" else first
            placed[self.places[kept]] = values[self.order[kept]]
            return placed
        groups = pd.DataFrame(values[self.order]).groupby(self.places)
        # The sum of missing values is missing, not 0.
        one = groups.sum(min_count=1) if self.combine == "sum" else groups.agg(self.combine)
        placed[one.index.to_numpy()] = one.to_numpy()
        if names and self.combine in COMPUTED:
            placed[one.index.to_numpy()[:, None], list(names)] = groups[list(names)].last()
        return placed
