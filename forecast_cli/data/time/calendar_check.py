"""The open days of a table by a calendar that was named for it."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError
from ..io.tables import Table
from .calendars import find_calendar
from .dates import Dates
from .frequency import Frequency

# A calendar is that of a table where at most so many of its days are closed, and at least so many
# of the open ones have rows.
MOST_CLOSED, LEAST_OPEN = 0.2, 0.5


def resolve_calendar(data: Data, dates: Dates, table: Table) -> Frequency | None:
    """The open days that were named, as the step between rows; None where none were.

    Raises:
        DataError: They are none of the table.
    """
    if not data.calendar:
        return None
    days = _days(dates)
    frequency = Frequency("B").on(find_calendar(data.calendar, days))
    _check_calendar(table, frequency, days)
    return frequency


def _check_calendar(table: Table, frequency: Frequency, days: npt.NDArray[np.datetime64]) -> None:
    """Refuse a calendar that is none of the table: its steps are no days, or it has closed ones."""
    times = pd.DatetimeIndex(days)
    closed = float(frequency.closed(times).mean())
    span = int(frequency.open_days_between(times[:1], times[-1:])[0]) + 1
    if closed <= MOST_CLOSED and len(days) >= LEAST_OPEN * span:
        return
    what = (
        f"{closed:.0%} of its days are closed there"
        if closed > MOST_CLOSED
        else f"it has rows of {len(days)} days, where {span} were open"
    )
    raise DataError(
        f"{table.name} does not keep to the calendar {frequency.name}: {what}.",
        "A calendar is for a row each open day; leave --calendar out, or name another one.",
    )


def _days(dates: Dates) -> npt.NDArray[np.datetime64]:
    """The days with rows, ascending, by the clock on the wall."""
    return np.unique(dates.times.tz_localize(None).to_numpy().astype("datetime64[D]"))
