"""Clock times in a column of their own: hours of the day, clock times, intervals of the day."""

import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import DataError
from ...core.events import Listener, Note
from ...core.windows import Floats
from ..io.tables import Table
from .date_formats import clock_time
from .time_names import words_of

Offsets = pd.TimedeltaIndex
# A period of the day is read as its start.
UNTIL = r"(?:\s*(?:-|to|bis|a|\u2013)\s*\d{1,2}[:.h]\d{2}.*)?"
CLOCK = re.compile(
    r"(?P<H>\d{1,2})(?:[:.hH](?P<M>\d{2})?(?:[:.m](?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?[hs]?"
    rf" ?(?P<p>[aApP]\.?[mM]\.?)?{UNTIL}"
)
# Numbers of hours, and those above the 24 of a day as clock times.
NUMBER = r"(?i)^(?:H|HE|Hour|Stunde|Hora)? ?0?(\d{1,2})(?:\.0*)? ?(?:h|Uhr)?$"
LATE, WHOLE = r"^25[:.h]00", r"^(\d{1,2})[:.h]00"
ENDINGS = frozenset({"ending", "he", "end"})
FIXES = "Fix the row, or drop it."
# How many intervals a day may have.
INTERVALS = (24, 48, 96, 288)


def require_cells(table: Table, part: str) -> None:
    """Refuse empty cells."""
    cells = table.columns[part]
    if cells.null_count:
        row = pc.index(pc.is_null(cells), True).as_py()
        raise DataError(f'{table.place(row)}: column "{part}" is empty.', FIXES)


def _texts(table: Table, part: str) -> pd.Series:
    """Return the cells of a column without blanks around them, shape `(rows,)`."""
    require_cells(table, part)
    cells = pc.utf8_trim_whitespace(pc.cast(table.columns[part], pa.string()))
    return pd.Series(cells.to_pylist(), dtype=object)


def hour_numbers(
    table: Table, days: pd.DatetimeIndex, part: str, on_event: Listener
) -> Floats | None:
    """Return the hours from midnight that numbers tell, shape `(rows,)`; None for clock times.

    Of hours from 1, or "ending", the first begins at midnight. Clock times up to 25:00 are
    numbers of the hours that have passed. `days`, shape `(rows,)`, are those of the rows.

    Raises:
        DataError: It cannot be told from which number the hours are counted.
    """
    cells = _texts(table, part)
    found = cells.str.extract(NUMBER)[0]
    clock = bool(found.isna().any() and cells.str.match(LATE).any())
    if clock:
        found = cells.str.extract(WHOLE)[0]
    hours: Floats = found.astype(float).to_numpy()
    if np.isnan(hours).any() or hours.max() > 25:
        return None
    ending = hours.max() > 23 or bool(ENDINGS & {*words_of(part)})
    if not (clock or ending) and hours.min() > 0 and days.nunique() == 1:
        raise DataError(
            f'{table.name}: column "{part}" holds the hours {hours.min():.0f} to {hours.max():.0f} '
            "of one day, which may be counted from 0 or from 1.",
            "Give the rows of a whole day, or write date and clock time in one column.",
        )
    if clock or hours.min() == 0 or not ending:
        return hours
    on_event(Note(f'"{part}" counts from 1: hour 1 begins at 00:00'))
    return hours - 1


def at_hours(
    table: Table, days: pd.DatetimeIndex, part: str, hours: Floats, timezone: str | None
) -> pd.DatetimeIndex:
    """Return the times of hours of days; `days` and `hours` have shape `(rows,)`.

    On days with 25 or 23 hours they are counted from midnight, where they go up to so many.

    Raises:
        DataError: There are such days, and the zone is not known.
    """
    clock = pd.DatetimeIndex(days + pd.to_timedelta(hours, unit="h"))
    most = pd.Series(hours).groupby(days).transform("max").to_numpy()
    count = pd.Series(hours).groupby(days).transform("count").to_numpy()
    usual = float(np.median(most))
    # A day of 23 hours that are counted, on a Sunday, is one on which the clocks go forward.
    sunday = np.asarray(days.day_of_week == 6) & (days != days.max()) & (days != days.min())
    odd = (most > usual) | ((most == usual - 1) & (count == 23) & sunday)
    if usual < 23 or not odd.any():
        return clock
    row = int(np.argmax(odd))
    if timezone is None:
        raise DataError(
            f'{table.place(row)}: column "{part}" counts {count[row]} hours, as on a day on which '
            "the clocks change.",
            "Specify the time zone, e.g. `timezone=Europe/Berlin`.",
        )
    found = pd.Series(days.tz_localize(timezone) + pd.to_timedelta(hours, unit="h"))
    # On other days of the zone with more or less than 24 hours these are clock times.
    others = ~odd & np.asarray(found.dt.hour != clock.hour)
    found[others] = clock[others].tz_localize(timezone, ambiguous=np.ones(others.sum(), bool))
    return pd.DatetimeIndex(found)


def since_midnight(table: Table, days: pd.DatetimeIndex, part: str, role: str) -> Offsets:
    """Return the time since midnight that a column holds, shape `(rows,)`."""
    cells = _texts(table, part)
    if role in ("minute", "second"):
        return pd.TimedeltaIndex(
            pd.to_timedelta(table.numbers(part), unit="m" if role == "minute" else "s")
        )
    if role == "interval":
        return _intervals(table, days, part)
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.notna().all() and numbers.max() > 25:
        # Hours and minutes, 930 or 1745.
        texts = (numbers // 100).map("{:.0f}".format) + (numbers % 100).map(":{:02.0f}".format)
    else:
        texts = cells
    known = {text: _clock_time(text) for text in texts.unique()}
    times = pd.TimedeltaIndex(pd.to_timedelta(texts.map(known)))
    bad = np.flatnonzero(times.isna())
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f'{table.place(row)}: column "{part}" holds "{cells[row]}", which is no clock time.',
            FIXES,
        )
    return times


def _clock_time(cell: str) -> timedelta | None:
    """Return the time since midnight of a clock time; None where it is none."""
    found = CLOCK.fullmatch(cell)
    if found is None:
        return None
    parts = {name: text for name, text in found.groupdict().items() if text is not None}
    if "p" in parts:
        parts["I"] = parts.pop("H")
    try:
        return clock_time(parts)
    except ValueError:
        return None


def _intervals(table: Table, days: pd.DatetimeIndex, part: str) -> Offsets:
    """Return the beginnings of numbered intervals of the day: 24, 48, 96 or 288 of them."""
    numbers = table.numbers(part)
    most = float(pd.Series(numbers).groupby(days).max().median())
    count = next((each for each in INTERVALS if each in (most, most + 1)), None)
    if count is None:
        raise DataError(
            f'{table.name}: column "{part}" counts up to {most:.0f} a day, which is no number of '
            "hours, half or quarter hours.",
            "Specify the time column with `time`.",
        )
    first = 0 if numbers.min() == 0 else 1
    return pd.TimedeltaIndex(pd.to_timedelta((numbers - first) * (1440 / count), unit="min"))
