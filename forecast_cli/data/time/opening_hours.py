"""Steps within opening hours: the clock times of each weekday on which steps begin."""

import numpy as np
import pandas as pd

from ...core.errors import listed
from ...core.events import Listener, Note
from ...core.windows import Ints
from .business_days import DAY, Days, Hours, OpenDays, weekdays

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


def moved(open_days: OpenDays, wall: pd.DatetimeIndex, count: Ints) -> pd.DatetimeIndex:
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
