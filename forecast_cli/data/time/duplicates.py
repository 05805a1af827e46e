"""Errors of times that are repeated, irregular or out of order, with the ways to fix them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core.errors import DataError, counted, listed
from ...core.ragged import cumulate
from ...core.windows import Ints
from ..groups import Groups
from ..io.tables import Table
from .calendars import suggest_calendar
from .frequency import Frequency
from .grid import grid_positions, share_of, steps_between, ways_to_fill
from .retail_months import has_whole_weeks
from .time_index import irregular_place, likely_frequency, steps_broken, when

# At most one row in so many is repeated by mistake.
FEW = 20
# The steps that meters and loggers are set to, and how far from them their times may be apart.
USUAL = (
    "1s", "10s", "30s", "1min", "5min", "10min", "15min", "30min", "1h", "2h", "3h", "4h", "6h",
    "8h", "12h", "1D",
)  # fmt: skip
JITTER = 0.05


class RepeatedTimes(DataError):
    """Rows of one series at the same time."""


@dataclass(frozen=True)
class StepRows:
    """The distinct times of a table, series by series.

    Args:
        table: What messages are about.
        groups: The series of its rows.
        times: Shape `(n_times,)`, ascending in each series.
        indptr: Shape `(n_series + 1,)`: series `i` is `times[indptr[i]:indptr[i + 1]]`.
        order: Shape `(n_times,)`: the row of the table with each time.
    """

    table: Table
    groups: Groups
    times: pd.DatetimeIndex
    indptr: Ints
    order: Ints

    def of(self, series: int) -> slice:
        """Return the rows of a series."""
        return slice(int(self.indptr[series]), int(self.indptr[series + 1]))


def too_few(rows: StepRows, series: int) -> DataError:
    """Return the error for a series whose frequency cannot be inferred."""
    own = rows.of(series)
    longest = " in its longest series" if rows.groups.name(series) else ""
    return DataError(
        f"{rows.table.name} has {own.stop - own.start} rows{longest}: too few to infer their "
        "frequency.",
        "Specify it, e.g. `freq=D`.",
    )


def irregular(rows: StepRows, series: int, frequency: Frequency, *, fillable: bool) -> DataError:
    """Return the error for a series that has irregular steps, or others than most series.

    Args:
        rows: All times.
        series: The series.
        frequency: The step of most of its rows, or of the other series.
        fillable: Whether `missing` alone would do to fill the gaps.
    """
    own = rows.of(series)
    times, order, name = rows.times[own], rows.order[own], rows.groups.name(series)
    row, what = irregular_place(times, frequency)
    name = f", series {name}" if name else ""
    message = f"{rows.table.place(int(order[row]))}{name}: the steps are not regular: {what}."
    if has_whole_weeks(times):
        return DataError(
            message,
            "Its rows are months of 4 and 5 weeks: pass `time=none` and `season_length=12`. The "
            "forecast then counts steps, without dates.",
        )
    share, fill = _gaps(rows, frequency, fillable=fillable)
    if _in_another_year(times, row, frequency):
        share, fill = f"{share} Its year may be mistyped.", f"Correct it where it is. {fill}"
    if calendar := suggest_calendar(rows.times, rows.indptr):
        fill = f"Its rows are on open days, {calendar.describe()}: pass `calendar=data`. {fill}"
    return DataError(
        f"{message}{share}",
        f"{fill}; or, where rows are steps regardless of their dates, pass "
        "`time=none`." + _clock_hint(times, row),
    )


def _in_another_year(times: pd.DatetimeIndex, row: int, frequency: Frequency) -> bool:
    """Whether one of the times, shape `(n,)`, is the expected one in another year."""
    if frequency.months and frequency.months % 12 == 0:
        return False
    expected = frequency.next(times[row - 1 : row])[0]
    return bool(times[row] - pd.DateOffset(years=times[row].year - expected.year) == expected)


def _gaps(rows: StepRows, frequency: Frequency, *, fillable: bool) -> tuple[str, str]:
    """Return how many steps have no row, in a sentence, and what to do about them.

    `fillable` is whether `missing` alone would do.
    """
    named = "" if fillable else f"`freq={frequency.alias}` and "
    try:
        places = grid_positions(rows.times, frequency, rows.indptr)
    except DataError:
        short = _nearest_usual(rows.times[rows.of(0)]) or frequency.alias.split("-")[0]
        return "", f"Aggregate the rows to regular steps, e.g. `resample={short}`"
    steps = int((places[rows.indptr[1:] - 1] + 1).sum())
    gaps = steps - len(places)
    said = f" {share_of(gaps, steps)} have no row." if gaps else ""
    return said, ways_to_fill(gaps, steps, named)


def _nearest_usual(times: pd.DatetimeIndex) -> str | None:
    """Return the usual step that times, shape `(n,)`, are about apart, as where clocks jitter."""
    step = pd.Series(times).diff().median()
    near = (alias for alias in USUAL if abs(step / pd.Timedelta(alias) - 1) < JITTER)
    alias = next(near, None)
    return alias and re.sub(r"^1(?=\D)", "", alias)


def check_duplicates(table: Table, times: pd.DatetimeIndex, codes: Ints, order: Ints) -> None:
    """Refuse two rows of a series at one time.

    Args:
        table: What messages are about.
        times: Shape `(rows,)`, sorted, series by series.
        codes: Shape `(rows,)`: the series of each.
        order: Shape `(rows,)`: the row of the table of each.

    Raises:
        RepeatedTimes: There are some.
    """
    again = np.flatnonzero((np.diff(times.asi8) == 0) & (np.diff(codes) == 0)) + 1
    if len(again):
        places = listed(
            again.tolist(), say=lambda row: f"{table.place(int(order[row]))} ({when(times[row])})"
        )
        # Of a few the first counts, of many it is asked.
        choice = "Set `duplicates` to first, last, mean or sum"
        if len(again) <= max(1, len(times) // FEW):
            choice = "Pass `duplicates=first`, or last, mean or sum"
        raise RepeatedTimes(
            f"{counted(len(again), 'duplicate timestamp')}: {places}.",
            f"{_clock_hint(times, int(again[0]))} {choice}; or, where "
            "there are several series, name the columns that identify them with `series`.".strip(),
        )


def _clock_hint(times: pd.DatetimeIndex, row: int) -> str:
    """Return what to add where the clocks may have changed: early on a Sunday."""
    time = times[row]
    if times.tz is not None or time.day_name() != "Sunday" or not 1 <= time.hour <= 4:
        return ""
    return " If the clocks changed here, specify the zone, e.g. `timezone=Europe/Berlin`."


# A series in which time goes back more often, or in a larger share of its steps, is not sorted.
MOST, MOST_SHARE = 20, 0.05
# The rows with a mistyped date are at most this share of a series, and at most the other where they
# begin with its first date.
MOST_MISTYPED, FEW_MISTYPED = 0.5, 0.1
# After a mistyped year the next date may be some steps later than expected.
NEAR = 4


def check_mistyped(table: Table, times: pd.DatetimeIndex, codes: Ints) -> None:
    """Refuse dates that break the order of the table, and that fit it in another year or month.

    They do where the series has fewer gaps and repeated times with the date that was expected.
    `times` and the series of each, `codes`, have the shape `(rows,)`, in the order of the table.

    Raises:
        DataError: There are such dates; the message names the first rows.
    """
    order = np.argsort(codes, kind="stable")
    indptr = cumulate(np.bincount(codes))
    back, on = (
        np.bincount(codes[order][1:], (np.diff(codes[order]) == 0) & steps, len(indptr) - 1)
        for steps in (np.diff(times.asi8[order]) < 0, np.diff(times.asi8[order]) > 0)
    )
    against = np.minimum(back, on)
    most = np.clip(MOST_SHARE * (back + on), 1, MOST)
    for series in np.flatnonzero((against > 0) & (against <= most)):
        rows = order[indptr[series] : indptr[series + 1]]
        _check_series(table, times, rows[::-1] if back[series] > on[series] else rows)


def _check_series(table: Table, times: pd.DatetimeIndex, rows: Ints) -> None:
    """Check a series: the given rows, `(n,)`, the oldest first, of the times, `(rows,)`."""
    own = times[rows]
    distinct = own.unique().sort_values()
    if len(distinct) < 4:
        return
    frequency = likely_frequency(distinct)
    for first, last, expected in _out_of_order(own, frequency):
        mended = pd.DatetimeIndex(own[:first].append(expected).append(own[last:]))
        if _defects(mended, frequency) >= _defects(own, frequency):
            continue
        place = table.place(int(min(rows[first:last])))
        if last - first > 1:
            place += f" and {counted(last - first - 1, 'row')} after it"
        raise DataError(
            f"{place}: {when(own[first])} stands after {when(own[first - 1])} in the table, where "
            f"{when(expected[0])} was expected; the date may be mistyped.",
            "Correct it; if it is right, sort the rows of the table by time.",
        )


def _out_of_order(
    own: pd.DatetimeIndex, frequency: Frequency
) -> Iterator[tuple[int, int, pd.DatetimeIndex]]:
    """Yield the first row of each run of dates that break the order, the row after it, and dates.

    Those are the dates that would fit, shape `(last - first,)`: of the steps between the rows
    around them, or the same days in another year. `own`, `(n,)`, is in the order of the table.
    """
    breaks = np.flatnonzero(steps_broken(own, frequency)) + 1
    for first, last in zip(breaks.tolist(), [*breaks[1:].tolist(), len(own)], strict=True):
        count = last - first
        goes_back = own[first] < own[first - 1] or (last < len(own) and own[last] < own[last - 1])
        # Where the rows of another series follow, time begins anew.
        anew = own[first] == own[0] and count > FEW_MISTYPED * len(own)
        if not goes_back or anew or count > MOST_MISTYPED * len(own):
            continue
        before = own[first - 1]
        steps = frequency.after(before, count + 1)
        if last < len(own) and own[last] == steps[-1]:
            yield first, last, steps[:-1]
            continue
        shift = pd.DateOffset(years=steps[0].year - own[first].year)
        moved = pd.DatetimeIndex([time + shift for time in own[first:last]])
        latest = frequency.after(before, NEAR)[-1]
        ends = last == len(own) or moved[-1] < own[last]
        if before < moved[0] <= latest and ends:
            yield first, last, moved


def _defects(own: pd.DatetimeIndex, frequency: Frequency) -> int:
    """Return how many steps have no row, and how many rows share one; `own` has shape `(n,)`."""
    distinct = own.unique().sort_values()
    span = int(steps_between(distinct[:1], distinct[-1:], frequency)[0]) + 1
    return span - len(distinct) + len(own) - len(distinct)
