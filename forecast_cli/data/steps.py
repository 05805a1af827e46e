"""The rows of a table at their steps in time: sorted, regular, one row a step."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..config import Data
from ..core.windows import Floats, Ints
from ..errors import DataError, UsageError, listed
from ..events import Listener, Note
from .dateforms import zoned
from .dates import Dates
from .frequency import DAY, Frequency
from .tables import Table
from .timeindex import (
    floored,
    grid_positions,
    infer_frequency,
    irregular_place,
    likely_frequency,
    missing_weekdays,
    when,
)


@dataclass(frozen=True)
class Timeline:
    """When the rows were.

    Args:
        times: One a row, ascending.
        frequency: The step between them.
        style: The form in which the table writes them.
    """

    times: pd.DatetimeIndex
    frequency: Frequency
    style: str


@dataclass(frozen=True)
class Steps:
    """Where each row of a table stands in time.

    Args:
        timeline: The times of the steps.
        order: Shape `(rows,)`: the rows of the table, the oldest first.
        places: Shape `(rows,)`: the step of each of them, ascending; several rows may share one.
        combine: How rows that share a step become one.
    """

    timeline: Timeline
    order: Ints
    places: Ints
    combine: str

    @property
    def rows(self) -> Ints:
        """The step of each row in the order of the table."""
        rows = np.empty(len(self.order), np.int64)
        rows[self.order] = self.places
        return rows

    def place(self, values: Floats) -> Floats:
        """The rows of a table, shape `(rows, features)`, at their steps; NaN where none is."""
        placed = np.full((len(self.timeline.times), values.shape[1]), np.nan)
        if (np.diff(self.places) > 0).all():
            placed[self.places] = values[self.order]
            return placed
        groups = pd.DataFrame(values[self.order]).groupby(self.places)
        # The sum of nothing is nothing, not 0.
        one = groups.sum(min_count=1) if self.combine == "sum" else groups.agg(self.combine)
        placed[one.index.to_numpy()] = one.to_numpy()
        return placed


def find_steps(
    table: Table, dates: Dates, data: Data, frequency: Frequency | None, listen: Listener
) -> Steps:
    """Sort the rows by time and find the step between them.

    Args:
        table: What messages are about.
        dates: The time of each row.
        data: Its `freq`, `duplicates`, `resample` and `aggregate`.
        frequency: What the steps must be, e.g. those that a model was trained on.
        listen: Told what was understood.

    Raises:
        DataError: A time stands there twice, or the steps are not regular.
    """
    order = np.argsort(dates.times.asi8, kind="stable")
    times = dates.times[order]
    if len(times) > 1 and (order[0], order[-1]) == (len(times) - 1, 0):
        listen(Note("the newest rows came first: sorted by time"))
    elif (np.diff(order) != 1).any():
        listen(Note("the rows were not in order of time: sorted"))
    style = dates.style
    combine = str(data.aggregate or "mean") if data.resample else data.duplicates
    if data.resample:
        times, style = _resampled(times, data.resample, combine, listen)
        frequency = frequency or Frequency.parse(data.resample, times)
    elif data.duplicates == "error":
        _check_duplicates(table, times, order)
    distinct, shared = np.unique(times.asi8, return_inverse=True)
    first = np.searchsorted(times.asi8, distinct)
    if len(first) < len(times) and not data.resample:
        listen(Note(f"{len(times) - len(first)} rows at times that stand there already: {combine}"))
    steps = times[first]
    if frequency is None and data.freq:
        frequency = Frequency.parse(data.freq, steps)
    frequency = frequency or infer_frequency(steps) or _irregular(table, steps, order[first])
    places = grid_positions(steps, frequency)
    steps = _without_gaps(steps, places, frequency, listen)
    return Steps(Timeline(steps, frequency, style), order, places[shared], combine)


def _without_gaps(
    times: pd.DatetimeIndex, places: Ints, frequency: Frequency, listen: Listener
) -> pd.DatetimeIndex:
    """The times of all steps, those without a row too."""
    if len(times) and places[-1] + 1 > len(times):
        added = int(places[-1]) + 1 - len(times)
        listen(Note(f"{added} steps without a row between {when(times[0])} and {when(times[-1])}"))
        times = frequency.span(times[0], int(places[-1]) + 1)
    if frequency.alias == "B" and (closed := missing_weekdays(times)):
        listen(
            Note(
                f"business days with {closed} weekdays missing, as on an exchange: rows are the "
                "steps, and the dates to come are the next weekdays"
            )
        )
    return times


def _resampled(
    times: pd.DatetimeIndex, alias: str, combine: str, listen: Listener
) -> tuple[pd.DatetimeIndex, str]:
    """The beginnings of the steps that the times lie in, and the form to write them in."""
    frequency = Frequency.parse(alias)
    if "-" in alias:
        raise UsageError(
            f"--resample {alias} names a day or month to begin on.",
            f"Weeks begin on Mondays, quarters in January: pass --resample {alias.split('-')[0]}.",
        )
    begins = floored(times, frequency)
    counts = np.unique(begins.asi8, return_counts=True)[1]
    listen(Note(f"{len(times):,} rows as {len(counts):,} steps of {frequency.name}: {combine}"))
    if len(counts) > 1 and counts[-1] < np.median(counts):
        text = f"the last step has {counts[-1]} rows of usually {np.median(counts):g}"
        listen(Note(f"{text}: it may not be over yet", warning=True))
    whole = frequency.step is None or frequency.step >= DAY
    style = "%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S"
    return begins, style if times.tz is None else zoned(style)


def _irregular(table: Table, times: pd.DatetimeIndex, order: Ints) -> Frequency:
    if len(times) < 3:
        raise DataError(
            f"{table.name} has {len(times)} rows: too few to see their frequency.",
            "Name it: --freq D.",
        )
    row, what = irregular_place(times)
    usual = likely_frequency(times).alias
    raise DataError(
        f"{table.place(int(order[row]))}: the steps are not regular: {what}.",
        f"Name the frequency and how to fill the gaps: --freq {usual} --missing interpolate; or, "
        "where rows are the steps whatever their dates, pass --time none."
        + _clock_hint(times, row),
    )


def _clock_hint(times: pd.DatetimeIndex, row: int) -> str:
    """What to add where the clocks may have been changed: on a Sunday, in the small hours."""
    time = times[row]
    if times.tz is not None or time.day_name() != "Sunday" or not 1 <= time.hour <= 4:
        return ""
    return " If the clocks were changed here, name the zone: --timezone Europe/Berlin."


def _check_duplicates(table: Table, times: pd.DatetimeIndex, order: Ints) -> None:
    again = np.flatnonzero(np.diff(times.asi8) == 0) + 1
    if len(again):
        places = listed(
            again.tolist(), say=lambda row: f"{table.place(int(order[row]))} ({when(times[row])})"
        )
        raise DataError(
            f"Times that stand there already, {len(again)} in all: {places}.",
            "Say which row counts: --duplicates first, last, mean or sum; rows of several series "
            "need one table each." + _clock_hint(times, int(again[0])),
        )
