"""Series that end where none should: far outside all values before, or long before others."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..core.errors import listed
from ..core.events import Listener, Note
from ..core.ragged import ROUNDING, Flags
from ..core.windows import Floats, Ints
from .missing import place_of_row
from .panel import Panel
from .time.frequency import Frequency
from .time.grid import steps_between
from .time.time_index import span, when

# A last value, or each of a few, is so many times the range of all before away from them; the
# fewest of those. Of 2,573 series of competitions none ends so, and of all their windows of 13 rows
# one in 840.
FAR, FEWEST, MOST = 4.0, 10, 3


class FarEnd(NamedTuple):
    """Last values of a series that are far from all before them.

    Args:
        series: Which one.
        column: The column of the values.
        row: The first of the last values.
        length: How many they are.
        value: The first of them.
        low: The smallest value before.
        high: The largest value before.
    """

    series: int
    column: int
    row: int
    length: int
    value: float
    low: float
    high: float


def find_far_ends(values: Floats, indptr: Ints) -> list[FarEnd]:
    """Find last values that are far outside the range of all known values before them.

    Series of which no value before is other than 0 have none: there a first demand is large.

    Args:
        values: Shape `(n_rows, columns)`, NaN where missing.
        indptr: Shape `(n_series + 1,)`.

    Returns:
        At most one for each series and column, by column and series.
    """
    columns = enumerate(values.T)
    return [each for place, column in columns for each in _far_ends(column, indptr, place)]


def _far_ends(column: Floats, indptr: Ints, place: int) -> list[FarEnd]:
    """Find those of one column, shape `(n_rows,)`."""
    known = np.flatnonzero(np.isfinite(column))
    column, indptr = column[known], np.searchsorted(known, indptr)
    series = np.flatnonzero(np.diff(indptr) >= FEWEST + MOST)
    if not len(series):
        return []
    ends = indptr[1:][series]
    edges = np.stack([indptr[:-1][series], ends - MOST], axis=1).ravel()
    low, high = (each.reduceat(column, edges)[::2] for each in (np.minimum, np.maximum))
    found: dict[int, FarEnd] = {}
    for count in range(MOST, 0, -1):
        last = column[ends[:, None] - np.arange(count, 0, -1)]
        for at in np.flatnonzero(_are_far(last, low, high)).tolist():
            row = int(known[ends[at] - count])
            own = float(last[at, 0]), float(low[at]), float(high[at])
            found.setdefault(at, FarEnd(int(series[at]), place, row, count, *own))
        low, high = np.minimum(low, last[:, 0]), np.maximum(high, last[:, 0])
    return [found[at] for at in sorted(found)]


def _are_far(last: Floats, low: Floats, high: Floats) -> Flags:
    """Return where last values, `(n_series, count)`, are far from a range, `(n_series,)`."""
    with np.errstate(over="ignore"):
        size = np.maximum(np.abs(low), np.abs(high))
        unit = np.where(high - low > ROUNDING * size, high - low, size)
        above, below = last.min(axis=1) - high, low - last.max(axis=1)
        return np.asarray((unit > 0) & (np.maximum(above, below) > FAR * unit))


def describe_far_ends(
    found: Sequence[FarEnd], names: Sequence[str], count: int, place: Callable[[int], str]
) -> str:
    """Return the warning of last values, at least one, that are far from all before them.

    `names` are those of the columns, `count` is the number of series, and `place` says where a row
    is.
    """
    first = found[0]
    several = len({each.series for each in found})
    what = "values" if several > 1 else f"{first.length} values" if first.length > 1 else "value"
    name = f'the last {what} of "{names[first.column]}"'
    whose = f"{several:,} of {count:,} series end with values" if several > 1 else f"{name} is"
    whose = f"{name} are" if several == 1 and first.length > 1 else whose
    where = f"{first.value:.6g} ({place(first.row)})"
    return (
        f"{whose} far outside all before: {where}, {first.low:.6g} to {first.high:.6g} before; "
        "forecasts go on from there: correct or remove such rows where they are mistakes, or "
        "periods that are not over"
    )


def note_far_ends(panel: Panel, on_event: Listener) -> None:
    """Warn of series whose last values are far from all before them.

    Args:
        panel: The series.
        on_event: Receives one warning, with the first of them.
    """
    places = list(panel.columns.target_places)
    found = find_far_ends(panel.values[:, places], panel.indptr)
    if found:
        place, names = partial(place_of_row, panel), panel.columns.targets
        on_event(Note(describe_far_ends(found, names, panel.count, place), warning=True))


# A series that ended fewer steps before the others is only late; steps of weeks and more are long.
LEAST_STEPS, LEAST_LONG_STEPS = 14, 6
MOST_NAMED = 3


def known_ends(panel: Panel) -> pd.DatetimeIndex | None:
    """Return the time of the last row of each series with a value of a target, `(n_series,)`.

    None where rows are steps.
    """
    if panel.timeline is None:
        return None
    targets = panel.columns.places(panel.columns.targets)
    known = np.isfinite(panel.values[:, targets]).any(axis=1)
    rows = np.maximum.reduceat(np.where(known, np.arange(len(panel.values)), -1), panel.indptr[:-1])
    return panel.timeline.times[np.maximum(rows, panel.indptr[:-1])]


def note_ended(
    panel: Panel,
    horizon: int,
    on_event: Listener,
    *,
    lasts: pd.DatetimeIndex | None = None,
    then: str = "",
) -> None:
    """Note which series ended so long before the others that forecasts of them are of the past.

    Args:
        panel: The series.
        horizon: Steps ahead.
        on_event: Receives their names with when they ended, and how long before.
        lasts: Shape `(n_series,)`: when each ended; None: with its last row that has a value.
        then: What follows for forecasts of them, which is a warning unless most series ended.
    """
    lasts = known_ends(panel) if lasts is None else lasts
    if lasts is not None and panel.timeline is not None:
        frequency = panel.timeline.frequency
        note_ends(lasts, frequency, horizon, on_event, name=panel.name, then=then)


def note_ends(
    lasts: pd.DatetimeIndex,
    frequency: Frequency,
    horizon: int,
    on_event: Listener,
    *,
    name: Callable[[int], str],
    then: str = "",
) -> None:
    """Note which series ended long before the others, see `note_ended`, by when they ended.

    Args:
        lasts: Shape `(n_series,)`: when each ended.
        frequency: The step between their rows.
        horizon: Steps ahead.
        on_event: Receives the note.
        name: Returns the name of a series.
        then: As in `note_ended`.
    """
    count = len(lasts)
    if count < 2:
        return
    latest = lasts.max()
    behind = steps_between(lasts, lasts[np.full(count, lasts.argmax())], frequency)
    long = frequency.months or (frequency.days or 1) > 1
    ended = np.flatnonzero(behind >= max(horizon, LEAST_LONG_STEPS if long else LEAST_STEPS))
    if not len(ended):
        return

    def say(series: int) -> str:
        return f"{name(series)} at {when(lasts[series])} ({span(latest - lasts[series])} before)"

    names = listed(ended.tolist(), most=MOST_NAMED, say=say)
    text = f"{len(ended)} of {count} series ended long before {when(latest)}: {names}{then}"
    on_event(Note(text, warning=bool(then) and 2 * len(ended) <= count))
