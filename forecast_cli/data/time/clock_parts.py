"""Clock times in a column of their own: hours of the day, clock times, intervals of the day."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import DataError
from ...core.events import Listener, Note
from ...core.windows import Floats
from ..io.tables import Table
from .time_names import words_of

Offsets = pd.TimedeltaIndex
CLOCK = (
    r"(?P<H>\d{1,2})(?:[:.hH](?P<M>\d{2})?(?:[:.m](?P<S>\d{2})(?:[.,]\d+)?)?)?[hs]?"
    r" ?(?P<p>[aApP]\.?[mM]\.?)?"
)
# A period of the day is read as its start.
UNTIL = r"(?:\s*(?:-|to|bis|a|\u2013)\s*\d{1,2}[:.h]\d{2}.*)?"
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


def hour_numbers(table: Table, part: str) -> Floats | None:
    """Return the numbers of hours of a day, shape `(rows,)`; None where they are clock times."""
    cells = _texts(table, part)
    found = cells.str.extract(NUMBER)[0]
    if found.isna().any() and cells.str.match(LATE).any():
        found = cells.str.extract(WHOLE)[0]
    if found.isna().any():
        return None
    values: Floats = found.astype(float).to_numpy()
    return values if values.max() <= 25 else None


def numbered_hours(
    table: Table,
    days: pd.DatetimeIndex,
    part: str,
    hours: Floats,
    timezone: str | None,
    on_event: Listener,
) -> pd.DatetimeIndex:
    """Return the beginnings of numbered hours of days; `days`, `hours` have shape `(rows,)`.

    Hours from 0 count from midnight; of hours from 1, or "ending", the first begins at midnight.
    The hour 25 is that of the day on which the clocks go back.
    """
    ending = hours.min() > 0 and (hours.max() > 23 or bool(ENDINGS & {*words_of(part)}))
    if ending:
        on_event(Note(f'"{part}" counts from 1: hour 1 begins at 00:00'))
    numbers = hours - 1 if ending else hours
    if numbers.max() < 24:
        return pd.DatetimeIndex(days + pd.to_timedelta(numbers, unit="h"))
    if timezone is None:
        row = int(np.argmax(hours > 24 if ending else hours > 23))
        raise DataError(
            f'{table.place(row)}: column "{part}" holds {int(hours[row])}, as on a day on which '
            "the clocks go back.",
            "Specify the time zone, e.g. `timezone=Europe/Berlin`.",
        )
    begins = days.tz_localize(timezone)
    lengths = (days + pd.Timedelta(days=1)).tz_localize(timezone) - begins
    counted = begins + pd.to_timedelta(numbers, unit="h")
    # On the day without an hour, numbers up to 24 are clock times.
    most = pd.Series(numbers).groupby(days).transform("max").to_numpy()
    clock = np.asarray(lengths < pd.Timedelta(hours=24)) & (most >= 23)
    own = (days + pd.to_timedelta(numbers, unit="h"))[clock].tz_localize(timezone)
    found = pd.Series(counted)
    found[clock] = own
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
        hour, minute = numbers // 100, numbers % 100
        found = pd.DataFrame({"H": hour, "M": minute, "S": 0})
        half = pd.Series(np.nan, index=cells.index, dtype=object)
    else:
        parts = cells.str.extract(f"^{CLOCK}{UNTIL}$")
        half = parts.pop("p")
        found = parts.astype(float).assign(M=lambda each: each["M"].fillna(0),
                                           S=lambda each: each["S"].fillna(0))  # fmt: skip
    afternoon = half.astype("string").str.match("[pP]")
    found["H"] = found["H"].where(half.isna(), found["H"] % 12 + 12 * afternoon.fillna(False))
    seconds = found["H"] * 3600 + found["M"] * 60 + found["S"]
    bad = np.flatnonzero(seconds.isna() | (seconds > 86400) | (found["M"] > 59))
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f'{table.place(row)}: column "{part}" holds "{cells[row]}", which is no clock time.',
            FIXES,
        )
    return pd.TimedeltaIndex(pd.to_timedelta(seconds, unit="s"))


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
