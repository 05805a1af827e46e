"""The rows of a table at their steps in time: sorted, regular, one row a step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.ragged import cumulate, owners, row_numbers
from ...core.windows import Floats, Ints
from ..groups import Groups
from ..io.tables import Table
from .date_formats import zoned
from .dates import Dates
from .duplicates import StepRows, check_duplicates, irregular
from .frequency import DAY, Frequency
from .grid import grid_positions
from .time_index import floored, infer_frequency, missing_weekdays, steps_broken, when

# A last step with a smaller share of the usual rows may not be over yet; months differ by less.
PARTIAL = 0.85
# Ways in which rows become one step that no row may have had.
RECKONED = ("mean", "sum", "min", "max")
# Ways in which one of several rows counts.
WHOLE_ROWS = ("first row", "last row")


@dataclass(frozen=True)
class Timeline:
    """When the rows were.

    Args:
        times: One a row, ascending in each series.
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

    @property
    def rows(self) -> Ints:
        """The step of each row in the order of the table."""
        rows = np.empty(len(self.order), np.int64)
        rows[self.order] = self.places
        return rows

    def place(self, values: Floats, names: Sequence[int] = ()) -> Floats:
        """The rows of a table at their steps; NaN where none is.

        Args:
            values: Shape `(rows, features)`.
            names: Features that hold the numbers of names, with which nothing can be reckoned: of
                rows that become one step, the last counts.
        """
        placed = np.full((int(self.indptr[-1]), values.shape[1]), np.nan)
        if (np.diff(self.places) > 0).all():
            placed[self.places] = values[self.order]
            return placed
        if self.combine in WHOLE_ROWS:
            # The row counts as it is, with what it lacks.
            last = np.diff(self.places, append=self.places[-1] + 1) > 0
            first = np.diff(self.places, prepend=self.places[0] - 1) > 0
            kept = last if self.combine == "last row" else first
            placed[self.places[kept]] = values[self.order[kept]]
            return placed
        groups = pd.DataFrame(values[self.order]).groupby(self.places)
        # The sum of nothing is nothing, not 0.
        one = groups.sum(min_count=1) if self.combine == "sum" else groups.agg(self.combine)
        placed[one.index.to_numpy()] = one.to_numpy()
        if names and self.combine in RECKONED:
            placed[one.index.to_numpy()[:, None], list(names)] = groups[list(names)].last()
        return placed


def find_steps(
    table: Table,
    dates: Dates,
    groups: Groups,
    data: Data,
    frequency: Frequency | None,
    on_event: Listener,
) -> Steps:
    """Sort the rows of each series by time and find the step between them.

    Args:
        table: What messages are about.
        dates: The time of each row.
        groups: The series of each row.
        data: Its `freq`, `duplicates`, `resample` and `aggregate`.
        frequency: What the steps must be, e.g. those that a model was trained on.
        on_event: Told what was understood.

    Raises:
        DataError: A time stands there twice, or the steps are not regular.
    """
    order = np.lexsort((dates.times.asi8, groups.codes))
    times, codes = dates.times[order], groups.codes[order]
    _say_order(order, codes, on_event)
    style = dates.style
    combine = str(data.aggregate or "mean") if data.resample else data.duplicates
    if data.duplicates in ("first", "last"):
        combine = f"{data.duplicates} row"
    if data.resample:
        times, style = _resampled(times, codes, data.resample, combine, on_event)
        frequency = frequency or Frequency.parse(data.resample, times)
    elif data.duplicates == "error":
        check_duplicates(table, times, codes, order)
    begins = np.diff(times.asi8, prepend=-1) != 0
    begins |= np.diff(codes, prepend=-1) != 0
    first, shared = np.flatnonzero(begins), np.cumsum(begins) - 1
    if len(first) < len(times) and not data.resample:
        text = f"{len(times) - len(first)} rows at times that stand there already"
        on_event(Note(f"{text}: {data.duplicates}"))
    steps = times[first]
    rows = StepRows(table, groups, steps, make_indptr(codes[first], len(groups.ids)), order[first])
    if frequency is None and data.freq:
        frequency = Frequency.parse(data.freq, steps)
    frequency = frequency or _common_frequency(rows)
    places = grid_positions(steps, frequency, rows.indptr)
    steps, indptr = _without_gaps(rows, places, frequency, on_event)
    # Where the first step of each series stands among all.
    places = places + np.repeat(indptr[:-1], np.diff(rows.indptr))
    return Steps(Timeline(steps, frequency, style), indptr, order, places[shared], combine)


def in_order(groups: Groups) -> Steps:
    """The steps of a table without times: the rows of each series as they stand."""
    order = np.argsort(groups.codes, kind="stable")
    indptr = make_indptr(groups.codes[order], len(groups.ids))
    return Steps(None, indptr, order, np.arange(len(order)), "error")


def make_indptr(codes: Ints, count: int) -> Ints:
    """The `indptr` of rows that are sorted by series, shape `(count + 1,)`."""
    return cumulate(np.bincount(codes, minlength=count))


def _say_order(order: Ints, codes: Ints, on_event: Listener) -> None:
    same = np.diff(codes) == 0
    steps = np.diff(order)[same]
    if len(steps) and (steps == -1).all():
        on_event(Note("the newest rows came first: sorted by time"))
    elif (steps < 0).any():
        on_event(Note("the rows were not in order of time: sorted"))


def _common_frequency(rows: StepRows) -> Frequency:
    """The frequency of the longest series, which all others must keep to."""
    longest = int(np.argmax(np.diff(rows.indptr)))
    frequency = infer_frequency(rows.times[rows.of(longest)])
    if frequency is None:
        raise irregular(rows, longest, None)
    across = np.zeros(len(rows.times), bool)
    across[rows.indptr[1:-1]] = True
    broken = steps_broken(rows.times, frequency) & ~across[1:]
    if broken.any():
        row = int(np.argmax(broken))
        series = int(np.searchsorted(rows.indptr, row, side="right")) - 1
        raise irregular(rows, series, frequency)
    return frequency


def _without_gaps(
    rows: StepRows, places: Ints, frequency: Frequency, on_event: Listener
) -> tuple[pd.DatetimeIndex, Ints]:
    """The times of all steps, those without a row too, and where each series stands in them."""
    times, indptr = rows.times, rows.indptr
    lengths = places[indptr[1:] - 1] + 1
    added = int(lengths.sum()) - len(times)
    if added:
        whole = cumulate(lengths)
        gaps = np.flatnonzero(lengths > np.diff(indptr))
        own = times[rows.of(int(gaps[0]))]
        where = f"between {when(own[0])} and {when(own[-1])}"
        if len(lengths) > 1:
            where = f"in {len(gaps)} series"
        on_event(Note(f"{added} steps without a row {where}"))
        firsts = times[np.repeat(indptr[:-1], lengths)]
        times = frequency.moved(firsts, row_numbers(whole))
        indptr = whole
    if frequency.alias == "B":
        _say_closed(times, indptr, frequency, on_event)
    return times, indptr


def _say_closed(
    times: pd.DatetimeIndex, indptr: Ints, frequency: Frequency, on_event: Listener
) -> None:
    """Say how many open days have no row, and how many rows are of closed days."""
    closed = frequency.closed(times)
    missing = missing_weekdays(
        times[~closed], make_indptr(owners(indptr)[~closed], len(indptr) - 1), frequency
    )
    what = f"business days of {frequency.open_days.name}" if frequency.open_days else "weekdays"
    said = [f"{missing} {what} have no row, as on an exchange"] if missing else []
    said += [f"{closed.sum()} rows are of days that are closed"] if closed.any() else []
    if said:
        on_event(Note(f"{', '.join(said)}: rows are the steps"))


def _resampled(
    times: pd.DatetimeIndex, codes: Ints, alias: str, combine: str, on_event: Listener
) -> tuple[pd.DatetimeIndex, str]:
    """The beginnings of the steps that the times lie in, and the form to write them in."""
    frequency = Frequency.parse(alias)
    if "-" in alias:
        raise UsageError(
            f"--resample {alias} names a day or month to begin on.",
            f"Weeks begin on Mondays, quarters in January: pass --resample {alias.split('-')[0]}.",
        )
    begins = floored(times, frequency)
    steps = pd.Series(begins.asi8).groupby([codes, begins.asi8]).size()
    on_event(Note(f"{len(times):,} rows as {len(steps):,} steps of {frequency.name}: {combine}"))
    series = steps.groupby(level=0)
    short = int((series.last() < PARTIAL * series.median()).sum())
    if short:
        usual = f"has {series.last().iloc[0]} rows of usually {series.median().iloc[0]:g}"
        text = f"the last step {usual}"
        if series.ngroups > 1:
            text = f"in {short} series the last step has fewer rows than usual"
        on_event(Note(f"{text}: it may not be over yet", warning=True))
    whole = frequency.step is None or frequency.step >= DAY
    style = "%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S"
    return begins, style if times.tz is None else zoned(style)
