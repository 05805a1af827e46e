"""Times whose parts are in several columns: year and week, date and clock time, date and hour."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ...core.windows import Floats
from ..io.tables import Table
from ..time.time_index import Dates
from .clock_parts import FIXES, at_hours, hour_numbers, require_cells, since_midnight
from .date_cells import Reading, read_text
from .date_formats import LAST_YEAR
from .date_questions import unknown_fiscal_start
from .month_names import find_language, number_of
from .time_names import role_of, words_of

PARTS = ("year", "month", "day", "hour", "minute", "second")
# What may stand beside a year, in place of month and day.
BESIDE_YEAR = ("quarter", "week", "yearday", "period")
# The parts of a clock time; a number of an interval of the day is one.
CLOCK_PARTS = ("hour", "clock", "minute", "second", "interval")
LETTERS = {
    **dict.fromkeys("MP", "month"),
    **dict.fromkeys("SH", "half"),
    **dict.fromkeys("QTK", "quarter"),
    "W": "week",
}
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
# Rows that hold the mean or the sum of a year, as the BLS writes them.
OF_YEAR = r"^(\d{4}[-\s]?)?(M13|Q0?5|S0?3)$"


def joined(
    table: Table,
    parts: Sequence[str],
    reading: Reading,
    timezone: str | None,
    on_event: Listener,
) -> Dates:
    """Return times whose parts are in separate columns.

    Raises:
        DataError: The parts of a row are no valid time.
        UsageError: They lack a year or a date.
    """
    if len(parts) > len(PARTS):
        raise UsageError(
            f"Invalid `time`: {len(parts)} columns are too many for the parts of a time.",
            f"Give at most {', '.join(PARTS)}.",
        )
    roles = parts_of(parts)
    clock = [part for part in parts if roles[part] in CLOCK_PARTS]
    if reading.form and (not clock or re.search("%-?[HI]", reading.form)):
        cells = [pc.cast(table.columns[part], pa.string()) for part in parts]
        text = pc.binary_join_element_wise(*cells, " ")
        return read_text(table, " ".join(parts), text, reading, on_event)
    by_role = {role: part for part, role in roles.items()}
    if "date" in by_role:
        text = pc.cast(table.columns[by_role["date"]], pa.string())
        require_cells(table, by_role["date"])
        days = read_text(table, by_role["date"], text, reading, on_event).times
    else:
        days = _days(table, by_role, reading)
    days = days.as_unit("us")
    if not clock:
        return Dates(days, "%Y-%m-%d")
    times = _at_clock(table, days, {part: roles[part] for part in clock}, timezone, on_event)
    return Dates(times, "%Y-%m-%d %H:%M:%S")


def _at_clock(
    table: Table,
    days: pd.DatetimeIndex,
    clock: Mapping[str, str],
    timezone: str | None,
    on_event: Listener,
) -> pd.DatetimeIndex:
    """Return the times of days, `(rows,)`; `clock` has the role of each column of clock times."""
    part, role = next(iter(clock.items()))
    if len(clock) == 1 and role in ("hour", "clock"):
        hours = hour_numbers(table, days, part, on_event)
        if hours is not None:
            return at_hours(table, days, part, hours, timezone)
    times = days
    for part, role in clock.items():
        times = times + since_midnight(table, days, part, role)
    return pd.DatetimeIndex(times)


def parts_of(parts: Sequence[str]) -> dict[str, str]:
    """Return what each column of the parts of a time holds, by its name or else by its place.

    >>> parts_of(["Datum", "Uhrzeit"]), parts_of(["a", "b"])
    ({'Datum': 'date', 'Uhrzeit': 'clock'}, {'a': 'year', 'b': 'month'})
    """
    known = {part: role for part in parts if (role := role_of(part))}
    if "date" in known.values():
        known = {part: "interval" if role == "period" else role for part, role in known.items()}
    unknown = [part for part in parts if known.get(part, "day") == "day"]
    if not {*known.values()} & {"year", "date"} and len(unknown) == 1:
        # A day without a month and year is a whole date.
        known |= {unknown[0]: "date"} if {*known.values()} & {*CLOCK_PARTS} else {}
    if {*known.values()} & {"year", "date"}:
        missing = [part for part in parts if part not in known]
        if not missing and len({*known.values()}) == len(parts):
            return known
        if "date" in known.values() and len(missing) == 1 and len(parts) == 2:
            return known | {missing[0]: "clock"}
    return dict(zip(parts, PARTS, strict=False))


def _days(table: Table, parts: Mapping[str, str], reading: Reading) -> pd.DatetimeIndex:
    """Return the first days of years, months, quarters or weeks, shape `(rows,)`.

    `parts` are their columns.
    """
    parts = {role: part for role, part in parts.items() if role not in CLOCK_PARTS}
    for part in parts.values():
        require_cells(table, part)
    numbers = {role: _numbers(table, part, role) for role, part in parts.items()}
    if "period" in parts:
        numbers[_unit_of(table, parts["period"])] = numbers.pop("period")
    times = _from_numbers(numbers)
    bad = np.flatnonzero(times.isna().to_numpy())
    if len(bad):
        row = int(bad[0])
        held = ", ".join(f"{part} {table.columns[part][row].as_py()}" for part in parts.values())
        raise DataError(f"{table.place(row)}: {held} is no valid time.", FIXES)
    return _calendar_days(table, parts["year"], pd.DatetimeIndex(times), reading)


def _from_numbers(numbers: Mapping[str, Floats]) -> pd.Series:
    """Return the days of the parts of dates, each of shape `(rows,)`; NaT where there is none.

    Weeks are those of ISO 8601, by their Mondays.
    """
    year = numbers["year"]
    year = np.where(year > 99, year, year + np.where(year > LAST_YEAR, 1900, 2000))
    if "week" in numbers:
        weeks = [f"{y:04.0f}-W{w:02.0f}-1" for y, w in zip(year, numbers["week"], strict=True)]
        return pd.to_datetime(pd.Series(weeks), format="%G-W%V-%u", errors="coerce")
    first = np.ones_like(year)
    quarter = 2 * numbers["half"] - 1 if "half" in numbers else numbers.get("quarter")
    month = numbers.get("month")
    if month is None:
        month = first if quarter is None else np.where(quarter <= 4, 3 * quarter - 2, np.nan)
    frame = pd.DataFrame({"year": year, "month": month, "day": numbers.get("day", first)})
    begins = pd.to_datetime(frame, errors="coerce")
    if "yearday" not in numbers:
        return begins
    times = begins + pd.to_timedelta(numbers["yearday"] - 1, unit="D")
    return times.where(times.dt.year == begins.dt.year)


def _calendar_days(
    table: Table, year: str, times: pd.DatetimeIndex, reading: Reading
) -> pd.DatetimeIndex:
    """Return times, shape `(rows,)`, whose years may be fiscal ones."""
    first = str(table.columns[year][0].as_py())
    if not {"fiscal", "fy"} & {*words_of(year)} and not first.casefold().startswith("fy"):
        return times
    if reading.fiscal_start is None:
        raise unknown_fiscal_start(f'{table.place(0)}: column "{year}" holds {first}')
    return pd.DatetimeIndex(times - pd.DateOffset(months=(13 - reading.fiscal_start) % 12))


def _numbers(table: Table, part: str, role: str) -> Floats:
    """Return the numbers of a part of dates, NaN where a cell is none, shape `(rows,)`."""
    if not pa.types.is_string(table.columns[part].type):
        return table.numbers(part)
    encoded = table.columns[part].combine_chunks().dictionary_encode()
    words = [str(cell).strip() for cell in encoded.dictionary.to_pylist()]
    language = find_language(words) if role == "month" and len(words) <= 40 else None

    def number(cell: str) -> float:
        if language and (named := number_of(cell, language)):
            return named
        if role == "quarter" and cell.casefold() in ROMAN:
            return ROMAN[cell.casefold()]
        digits = re.fullmatch(r"\D*?(\d+)(\.0*|st|nd|rd|th|\D.*)?", cell)
        return float(digits[1]) if digits else np.nan

    values = np.array([number(cell) for cell in words], float)
    return np.asarray(values[encoded.indices.to_numpy()])


def _unit_of(table: Table, part: str) -> str:
    """Return what the periods of a column are, by the letter in their cells: M01, Q1, W5."""
    cells = {str(cell.as_py()).strip()[:1].upper() for cell in table.columns[part].slice(0, 60)}
    units = {LETTERS.get(cell) for cell in cells}
    if len(units) == 1 and (unit := units.pop()):
        return unit
    raise DataError(
        f'{table.place(0)}: column "{part}" holds "{table.columns[part][0].as_py()}", which could '
        "be a month or a quarter.",
        "Name it month, quarter or week, or set `date_format`, which reads both columns: "
        "`date_format=%Y %m` for months, `date_format=%Y %Q` for quarters.",
    )


def without_whole_years(table: Table, parts: Sequence[str], on_event: Listener) -> Table:
    """Return the table without the rows that hold the mean of a year among those of its months.

    Args:
        table: The table.
        parts: The time column, or its parts.
        on_event: Receives a note of how many they are.
    """
    for part in parts:
        cells = table.columns[part]
        head = [str(cell.as_py()) for cell in cells.slice(0, 60)]
        if not (pa.types.is_string(cells.type)
                and any(re.search(r"(?:^|\d)[-\s]?[MQS]0?\d", cell) for cell in head)):  # fmt: skip
            continue
        found = pc.fill_null(pc.match_substring_regex(cells, OF_YEAR), False).to_numpy()
        if found.any() and not found.all():
            rows = np.flatnonzero(found)
            text = f"{cells[int(rows[0])].as_py()}, e.g. {table.place(int(rows[0]))}"
            on_event(Note(f"{len(rows)} rows of whole years are left out: {text}"))
            return table.rows_kept(np.flatnonzero(~found))
    return table
