"""The rows of a table at their steps in time: sorted, regular, one row for each step."""

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import counted
from ...core.events import Listener, Note
from ...core.ragged import cumulate, owners, row_numbers
from ...core.windows import Ints
from ..groups import Groups
from ..io.tables import Table
from .business_days import Bools, note_closed
from .dropped_rows import frequency_left, without_dropped
from .duplicates import StepRows, check_duplicates, check_mistyped, irregular, too_few
from .frequency import Frequency, local_days
from .grid import grid_positions, many_gaps, require_few_gaps, share_of
from .resampling import resampled
from .retail_months import note_weeks
from .time_index import (
    Dates,
    Steps,
    Timeline,
    infer_frequency,
    likely_frequency,
    missing_weekdays,
    steps_broken,
    when,
)

# The values of `missing` for which a longer step is a gap: filled, masked, or of closed days.
FILLED = ("interpolate", "ffill", "season", "mask", "drop")


def find_steps(
    table: Table,
    dates: Dates,
    groups: Groups,
    data: Data,
    frequency: Frequency | None,
    on_event: Listener,
    whole: Bools | None = None,
) -> Steps:
    """Sort the rows of each series by time and find the step between them.

    Args:
        table: What messages are about.
        dates: The time of each row.
        groups: The series of each row.
        data: Its `freq`, `duplicates`, `resample` and `aggregate`.
        frequency: The required step, e.g. that of a model; None to infer it.
        on_event: Receives notes.
        whole: Shape `(rows,)`: which rows have all values, where the others are dropped; else None.

    Raises:
        DataError: A time is repeated, or the steps are not regular.
    """
    order = _sorted(table, dates.times, groups.codes, on_event)
    if whole is not None:
        order = without_dropped(order, groups.codes, whole, ahead=bool(data.future_covariates))
    times, codes = dates.times[order], groups.codes[order]
    style, combine = dates.style, _combination(data)
    if data.resample:
        times, style, kept = resampled(times, codes, data, combine, on_event)
        times, codes, order = times[kept], codes[kept], order[kept]
        frequency = frequency or Frequency.parse(data.resample).begins_of(times)
    elif data.duplicates == "error":
        check_duplicates(table, times, codes, order)
    first, shared = _distinct(times, codes, data, on_event)
    indptr = make_indptr(codes[first], len(groups.ids))
    rows = StepRows(table, groups, times[first], indptr, order[first])
    frequency, places = _regular(rows, data, frequency, whole, on_event)
    steps, indptr, places = _without_gaps(rows, places, frequency, data, on_event)
    return Steps(Timeline(steps, frequency, style), indptr, order, places[shared], combine)


def _regular(
    rows: StepRows, data: Data, required: Frequency | None, whole: Bools | None, on_event: Listener
) -> tuple[Frequency, Ints]:
    """Return the step between rows, and the position of each time, shape `(n_times,)`, on its grid.

    `required` and `whole` are as in `find_steps`.
    """
    frequency = required
    if frequency is not None and frequency.open_days and frequency.hours:
        # Whole days without a row are closed; hours without one on open days are gaps.
        known = frequency.open_days
        frequency = frequency.closed_like(local_days(rows.times))
        note_closed(known, frequency.open_days, on_event)
    if frequency is None:
        given = Frequency.parse(data.freq, rows.times) if data.freq else None
        # Without a row that is dropped, `drop` closes no gap.
        missing = "error" if whole is not None and whole.all() else data.missing
        frequency = given or _common_frequency(rows, missing, on_event)
        if frequency.alias != data.freq:
            note_weeks(frequency.alias, frequency.day == 31, rows.times, on_event)
    places = grid_positions(rows.times, frequency, rows.indptr)
    if whole is None:
        return frequency, places
    fixed = required is not None
    left = frequency_left(rows, places, whole, frequency, data, on_event, required=fixed)
    return left, grid_positions(rows.times, left, rows.indptr)


def _combination(data: Data) -> str:
    """Return how rows that share a step become one, as `Steps.combine`."""
    if data.duplicates in ("first", "last"):
        return f"{data.duplicates} row"
    return str(data.aggregate or "mean") if data.resample else data.duplicates


def in_order(groups: Groups) -> Steps:
    """Return the steps of a table without times: the rows of each series in their order."""
    order = np.argsort(groups.codes, kind="stable")
    indptr = make_indptr(groups.codes[order], len(groups.ids))
    return Steps(None, indptr, order, np.arange(len(order)), "error")


def make_indptr(codes: Ints, count: int) -> Ints:
    """Return the `indptr` of rows that are sorted by series, shape `(count + 1,)`.

    Args:
        codes: Shape `(rows,)`: the series of each row.
        count: How many series there are.
    """
    return cumulate(np.bincount(codes, minlength=count))


def _sorted(table: Table, times: pd.DatetimeIndex, codes: Ints, on_event: Listener) -> Ints:
    """Return the rows by series and time, and report whether they were in order; all `(rows,)`."""
    check_mistyped(table, times, codes)
    order: Ints = np.lexsort((times.asi8, codes))
    steps = np.diff(order)[np.diff(codes[order]) == 0]
    if len(steps) and (steps == -1).all():
        on_event(Note("newest rows first: sorted by time"))
    elif (steps < 0).any():
        on_event(Note("rows not in order of time: sorted"))
    return order


def _distinct(
    times: pd.DatetimeIndex, codes: Ints, data: Data, on_event: Listener
) -> tuple[Ints, Ints]:
    """Return the first row at each time of each series, and which of them each row shares.

    `times` and `codes`, the series, have the shape `(rows,)`; results `(n_times,)`, `(rows,)`.
    """
    begins = (np.diff(times.asi8, prepend=-1) != 0) | (np.diff(codes, prepend=-1) != 0)
    first, shared = np.flatnonzero(begins), np.cumsum(begins) - 1
    if len(first) < len(times) and not data.resample:
        text = counted(len(times) - len(first), "duplicate timestamp")
        on_event(Note(f"{text}: {data.duplicates}"))
    return first, shared


def _common_frequency(rows: StepRows, missing: str, on_event: Listener) -> Frequency:
    """Return the frequency of the longest series, which all others must have.

    Where gaps are to be filled and most steps of all series and at least half of each are of one
    frequency, longer ones are gaps, which is noted.
    """
    longest = int(np.argmax(np.diff(rows.indptr)))
    own = rows.times[rows.of(longest)]
    if len(own) < 3:
        raise too_few(rows, longest)
    found = infer_frequency(own)
    frequency = found or likely_frequency(own)
    series = owners(rows.indptr)
    within = np.diff(series) == 0
    broken = steps_broken(rows.times, frequency) & within
    if found is not None and not broken.any():
        return found
    share = 1.0 - broken.sum() / within.sum()
    others = np.bincount(series[1:], broken) > np.bincount(series[1:], within) / 2
    # Business days have no gaps that could be filled: their rows are the steps.
    fillable = bool(share > 0.5 and not others.any() and frequency.alias != "B")
    if not fillable or missing not in FILLED:
        first = longest if found is None else int(series[1:][np.argmax(broken)])
        raise irregular(rows, first, frequency, fillable=fillable)
    if missing == "drop":
        return frequency
    most = np.floor(1000 * share) / 10
    on_event(Note(f"{most:g} % of the steps are {frequency.name}: the others are gaps"))
    return frequency


def _without_gaps(
    rows: StepRows, places: Ints, frequency: Frequency, data: Data, on_event: Listener
) -> tuple[pd.DatetimeIndex, Ints, Ints]:
    """Return the times of all steps, also of those without a row, their `indptr`, and `places`.

    These, shape `(n_times,)`, are the step of each time in its series, then in all. Gaps are
    noted, and refused where more of them would be filled than `max_filled` allows.
    """
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
        total = int(whole[-1])
        require_few_gaps(rows.table.name, added, total, data.missing, data.max_filled)
        on_event(Note(f"{share_of(added, total)} without a row {where}", many_gaps(added, total)))
        firsts = times[np.repeat(indptr[:-1], lengths)]
        times = frequency.moved(firsts, row_numbers(whole))
        indptr = whole
    if frequency.alias == "B":
        _note_closed(times, indptr, frequency, on_event)
    return times, indptr, places + np.repeat(indptr[:-1], np.diff(rows.indptr))


def _note_closed(
    times: pd.DatetimeIndex, indptr: Ints, frequency: Frequency, on_event: Listener
) -> None:
    """Report how many open days have no row, and how many rows are on closed days."""
    closed = frequency.closed(times)
    missing = missing_weekdays(
        times[~closed], make_indptr(owners(indptr)[~closed], len(indptr) - 1), frequency
    )
    if text := describe_closed(missing, int(closed.sum()), frequency):
        on_event(Note(text))


def describe_closed(missing: int, closed: int, frequency: Frequency) -> str:
    """Return how many open days have no row, and how many rows are on closed days; "" for none."""
    what = f"business days of {frequency.open_days.name}" if frequency.open_days else "weekdays"
    verb = "is" if missing == 1 else "are"
    facts = [f"{missing} {what} {verb} missing (market holidays?)"] if missing else []
    facts += [f"{closed} rows are on closed days"] if closed else []
    return f"{', '.join(facts)}; rows are treated as consecutive business days" if facts else ""
