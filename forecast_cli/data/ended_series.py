"""Series that ended long before the others of a table."""

import numpy as np

from ..core.errors import listed
from .panel import Panel
from .time.frequency import DAY
from .time.grid import steps_between
from .time.time_index import span, when

# A series that ended fewer steps before the others is only late; steps of weeks and more are long.
LEAST_STEPS, LEAST_LONG_STEPS = 14, 6
MOST_NAMED = 3


def describe_ended(panel: Panel, horizon: int) -> str:
    """Return which series ended so long before the others that their forecasts lie in the past.

    Args:
        panel: The series.
        horizon: Steps ahead.

    Returns:
        Their names with when they ended, and how long before; empty where there are none.
    """
    lasts, timeline = panel.lasts, panel.timeline
    if lasts is None or timeline is None or panel.count < 2:
        return ""
    latest = lasts.max()
    behind = steps_between(lasts, lasts[np.full(panel.count, lasts.argmax())], timeline.frequency)
    frequency = timeline.frequency
    long = frequency.months or (frequency.step or DAY) > DAY
    ended = np.flatnonzero(behind >= max(horizon, LEAST_LONG_STEPS if long else LEAST_STEPS))
    if not len(ended):
        return ""

    def say(series: int) -> str:
        return (
            f"{panel.name(series)} at {when(lasts[series])} ({span(latest - lasts[series])} before)"
        )

    names = listed(ended.tolist(), most=MOST_NAMED, say=say)
    return f"{len(ended)} of {panel.count} series ended long before {when(latest)}: {names}"
