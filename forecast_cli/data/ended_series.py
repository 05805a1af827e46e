"""Series that ended long before the others of a table."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..core.errors import listed
from ..core.events import Listener, Note
from .panel import Panel
from .time.frequency import Frequency
from .time.grid import steps_between
from .time.time_index import span, when

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
