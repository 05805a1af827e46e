"""Rows of finer times as steps of days, weeks, months: where they begin, and which are whole."""

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.events import Listener, Note
from ...core.windows import Ints
from .business_days import Bools
from .calendars import suggest_calendar
from .frequency import DAY, Frequency
from .time_index import floored, likely_frequency, steps_broken, when

# A step with a smaller share of the typical number of rows may be incomplete; the lengths of
# months differ by less.
FEW_ROWS = 0.85
# With a larger share of other steps, rows are at no regular times; then this share of the times
# between them is usual.
MOST_BROKEN, USUAL = 0.02, 0.98


def resampled(
    times: pd.DatetimeIndex, codes: Ints, data: Data, combine: str, on_event: Listener
) -> tuple[pd.DatetimeIndex, str, Bools]:
    """Return the beginnings of the steps of the times, and the format to write them in.

    Args:
        times: Shape `(rows,)`, sorted, series by series.
        codes: Shape `(rows,)`: the series of each.
        data: Its `resample` and `partial`.
        combine: How rows become one step, for the note.
        on_event: Receives notes.

    Returns:
        The beginnings, shape `(rows,)`, the format, and which rows are not those of a first or
        last step that the table holds in part only, shape `(rows,)`.
    """
    frequency = Frequency.parse(str(data.resample))
    begins = floored(times, frequency)
    whole = np.ones(len(times), bool)
    for last in (False, True):
        # The rows after the last value are those of future steps.
        if not (last and data.future_covariates):
            whole &= ~_partial(times, codes, begins, frequency, data, on_event, last=last)
    found = frequency.begins_of(begins[whole])
    by = "" if found.alias == data.resample else " by their first day"
    steps = pd.Series(begins.asi8[whole]).groupby([codes[whole], begins.asi8[whole]]).size()
    on_event(Note(f"{whole.sum():,} rows as {len(steps):,} steps of {found.name}{by}: {combine}"))
    _note_few(steps, on_event)
    days = frequency.step is None or frequency.step >= DAY
    style = "%Y-%m-%d" if days else "%Y-%m-%d %H:%M:%S" + "%:z" * (times.tz is not None)
    return begins, style, whole


def _partial(
    times: pd.DatetimeIndex,
    codes: Ints,
    begins: pd.DatetimeIndex,
    frequency: Frequency,
    data: Data,
    on_event: Listener,
    *,
    last: bool,
) -> Bools:
    """Return which rows are those of a first or last step with rows in a part of it only.

    `times`, `codes` and `begins` have the shape `(rows,)`, and so has what is returned.
    """
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    ends = np.cumsum(counts) - 1
    places = ends if last else ends - counts + 1
    longest = int(np.argmax(counts))
    own = times[ends[longest] - counts[longest] + 1 : ends[longest] + 1]
    row_step = _row_step(pd.DatetimeIndex(own.unique()))
    short = _are_short(times[places], begins[places], row_step, frequency, last=last)
    # What would leave nothing of a series is kept.
    steps = pd.Series(begins.asi8).groupby(np.repeat(np.arange(len(counts)), counts)).nunique()
    short &= steps.to_numpy() > 2
    if not short.any():
        return np.zeros(len(times), bool)
    which, most = ("last", "up to") if last else ("first", "from")
    row = int(places[np.argmax(short)])
    what = f"the {which} step, {when(begins[row])}, has rows only {most} {when(times[row])}"
    if len(counts) > 1:
        what = f"in {short.sum()} series {what.replace('the ', 'e.g. the ', 1)}"
    done = "left out (`partial=keep` keeps it)" if data.partial == "drop" else "kept, incomplete"
    on_event(Note(f"{what}: {done}", warning=data.partial == "keep"))
    at_edge = begins == begins[np.repeat(places, counts)]
    return np.asarray(at_edge & np.repeat(short, counts) & (data.partial == "drop"))


def _are_short(
    edge: pd.DatetimeIndex,
    begins: pd.DatetimeIndex,
    row_step: Frequency,
    frequency: Frequency,
    *,
    last: bool,
) -> Bools:
    """Return which steps lack rows before their first time, or after their last one.

    The times, `edge`, the beginnings of their steps, and what is returned have the shape
    `(n_series,)`.
    """
    daily = row_step.alias == "B"
    edge = edge.normalize() if daily else edge
    if last:
        return np.asarray(row_step.next(edge) < frequency.next(begins))
    # Of open days, the first may be a holiday.
    return np.asarray(row_step.moved(edge, np.full(len(edge), -2 if daily else -1)) >= begins)


def _row_step(times: pd.DatetimeIndex) -> Frequency:
    """Return the step between rows, of distinct times, shape `(n,)`; about, if they are irregular.

    Of open days it is the next one.
    """
    if len(times) < 3:
        return Frequency("", pd.Timedelta(0))
    likely = likely_frequency(times)
    if steps_broken(times, likely).mean() <= MOST_BROKEN:
        return likely
    if calendar := suggest_calendar(times, np.array([0, len(times)])):
        return Frequency("B").on(calendar)
    gaps = np.diff(times.as_unit("us").asi8)
    return Frequency("", pd.Timedelta(int(np.quantile(gaps, USUAL)), "us"))


def _note_few(steps: pd.Series, on_event: Listener) -> None:
    """Warn of last steps with fewer rows than others; `steps` has the rows of each, by series."""
    series = steps.groupby(level=0)
    short = int((series.last() < FEW_ROWS * series.median()).sum())
    if short:
        last, typical = series.last().iloc[0], series.median().iloc[0]
        text = f"the last step has {last} rows, others {typical:g}"
        if series.ngroups > 1:
            text = f"in {short} series the last step has fewer rows than others"
        on_event(Note(f"{text}: it may be incomplete", warning=True))
