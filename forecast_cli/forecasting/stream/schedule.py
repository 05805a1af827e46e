"""After which rows of a stream a forecast is due."""

import re
from dataclasses import dataclass

import pandas as pd

from ...core.errors import UsageError


@dataclass
class Pace:
    """How far a series is from its next forecast.

    Args:
        rows: Rows since the last forecast.
        slot: The last time in which a row came, counted in times of the schedule since 1970.
    """

    rows: int = 0
    slot: int | None = None


@dataclass(frozen=True)
class Schedule:
    """After so many rows of a series, or at the first row of each time of a length.

    Args:
        rows: How many.
        length: In nanoseconds; 0 where rows are counted.
    """

    rows: int = 1
    length: int = 0

    def is_due(self, pace: Pace, time: pd.Timestamp | None) -> bool:
        """Whether a forecast is due after a row at a time; the pace goes on."""
        if self.length and time is not None:
            local = time.tz_localize(None) if time.tzinfo else time
            slot = local.value // self.length
            due, pace.slot = slot != pace.slot, slot
            return due
        pace.rows += 1
        due = pace.rows >= self.rows
        if due:
            pace.rows = 0
        return due


def parse_every(every: str | int | None, *, timed: bool) -> Schedule:
    """Return the schedule that `every` means: a number of rows or a time; None for every row.

    Args:
        every: As given.
        timed: Whether the rows have times.

    Raises:
        UsageError: It is neither.
    """
    text = "1" if every is None else str(every).strip()
    if re.fullmatch(r"\d+", text) and int(text):
        return Schedule(rows=int(text))
    # pandas writes a day in capitals.
    text = re.sub(r"(?<![A-Za-z])d$", "D", text)
    try:
        length = pd.Timedelta(text if re.match(r"\d", text) else f"1{text}").value
    except (ValueError, OverflowError):
        length = 0
    if length <= 0:
        raise UsageError(
            f'Invalid `every` "{text}".', "Give a number of rows, or a time such as 1h or 15min."
        )
    if not timed:
        raise UsageError(
            f"`every={text}` is a time, and the rows of the model have none.",
            "Give a number of rows, e.g. `every=10`.",
        )
    return Schedule(length=length)
