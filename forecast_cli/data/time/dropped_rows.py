"""Rows that are dropped for missing values, and the steps of those that are left."""

import numpy as np

from ...config.sections import Data
from ...core.errors import DataError, listed
from ...core.events import Listener, Note
from ...core.windows import Floats, Ints
from ..columns import Columns
from ..groups import Groups
from ..io.tables import Table
from .business_days import LEARNED, Bools
from .calendars import LEAST_OPEN, resolve_calendar, suggest_calendar
from .duplicates import StepRows
from .frequency import DAY, Frequency, local_days
from .grid import ways_to_fill
from .time_index import when


def no_whole_row(source: str, names: str) -> DataError:
    """Return the error for series of which every row would be dropped; `names` may be empty."""
    return DataError(
        f"{source}{f': series {names}' * bool(names)} has no row in which every column has a "
        "value.",
        "Leave it out, or set `missing` to interpolate, ffill or mask.",
    )


def whole_rows(table: Table, columns: Columns, cells: Floats, groups: Groups) -> Bools:
    """Return which rows, of cells `(rows, features)`, have all values, shape `(rows,)`.

    A missing category is an unknown one; a static covariate is that of other rows.

    Raises:
        DataError: A series has no such row.
    """
    covariates = columns.covariates
    others = {*covariates.categories, *covariates.static}
    needed = columns.places([name for name in columns.features if name not in others])
    whole = np.asarray(~np.isnan(cells[:, list(needed)]).any(axis=1))
    empty = np.flatnonzero(np.bincount(groups.codes[whole], minlength=len(groups.ids)) == 0)
    if len(empty):
        named = len(groups.ids.columns) > 0
        raise no_whole_row(table.name, listed(empty.tolist(), say=groups.name) if named else "")
    return whole


def without_dropped(order: Ints, codes: Ints, whole: Bools, *, ahead: bool) -> Ints:
    """Return the rows that are not dropped, in the same order, shape `(kept,)`.

    `order`, the rows series by series, the oldest first, the series of each row, `codes`, and which
    rows are `whole` have the shape `(rows,)`. With `ahead` the rows after the last whole one of a
    series are those of future steps.
    """
    kept = whole[order]
    if ahead:
        last = np.zeros(int(codes.max()) + 1, np.int64)
        np.maximum.at(last, codes[order[kept]], np.flatnonzero(kept))
        kept |= np.arange(len(order)) > last[codes[order]]
    return order[kept]


def frequency_left(
    rows: StepRows,
    places: Ints,
    whole: Bools,
    frequency: Frequency,
    data: Data,
    on_event: Listener,
    *,
    required: bool,
) -> Frequency:
    """Return the steps between the rows that are left: open days where there are gaps between days.

    Args:
        rows: The times of the rows that are left.
        places: Shape `(n_times,)`: their positions on the grid of their series.
        whole: Shape `(rows,)`: which rows of the table have all values; others are future steps.
        frequency: The step of that grid.
        data: The settings.
        on_event: Receives a note of the open days.
        required: Whether the steps must have this frequency, as those of a model.

    Raises:
        DataError: There are gaps, and steps of this frequency cannot skip time.
    """
    past = whole[rows.order]
    gaps = np.flatnonzero((np.diff(places) > 1) & past[1:]) + 1
    if not len(gaps):
        return frequency
    found = None
    if not required and frequency.step == DAY:
        found = _learned(rows, past, data)
    if found is None:
        lost = int((np.diff(places)[gaps - 1] - 1).sum())
        raise _no_steps_left(rows, int(gaps[0]), lost, frequency, required=required)
    on_event(Note(f"`missing=drop`: the rows that are left are steps of open days: {found.rule}"))
    return found


def _no_steps_left(
    rows: StepRows, row: int, lost: int, frequency: Frequency, *, required: bool
) -> DataError:
    """Return the error for rows of which the given one is after a gap; see `frequency_left`.

    `lost` is how many steps have no row.
    """
    why = (
        f"{rows.table.place(int(rows.order[row]))}: `missing=drop` leaves no row between "
        f"{when(rows.times[row - 1])} and {when(rows.times[row])}"
    )
    hint = ways_to_fill(lost, len(rows.times) + lost)
    if required:
        return DataError(f"{why}, and the steps of the model are {frequency.name}.", f"{hint}.")
    hint += ", or `time=none` to use rows as steps regardless of their times."
    if frequency.step != DAY:
        if calendar := suggest_calendar(rows.times, rows.indptr):
            opened = f"Its rows are on open days, {calendar.describe()}"
            hint = f"{opened}: pass `calendar=data` instead of `freq`. {hint}"
        return DataError(f"{why}, and steps of {frequency.name} cannot skip time.", hint)
    return DataError(f"{why}, and the days that are left follow no calendar.", hint)


def _learned(rows: StepRows, past: Bools, data: Data) -> Frequency | None:
    """Return the open days of the rows; None where too few of the open weekdays have one.

    `past`, shape `(n_times,)`, are the times that are not those of future steps.
    """
    times = rows.times[past]
    learned = data.changed(calendar=LEARNED)
    try:
        found = resolve_calendar(learned, times, rows.table)
    except DataError:
        return None
    if found is None or found.open_days is None:
        return found
    days = np.unique(local_days(times))
    weekdays = np.busday_count(days[0], days[-1] + 1, weekmask=found.open_days.weekmask)
    return found if len(days) >= LEAST_OPEN * weekdays else None
