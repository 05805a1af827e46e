"""The search for the column that holds the times of the rows."""

import re
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError
from ...core.events import Listener, Note
from ..io.tables import Table, require_columns
from .date_formats import ISO, attempt, fitting_forms
from .dates import NO_TIME, PARTS, SAMPLE, invalid_format, is_time

TIME_WORDS = re.compile(
    r"(^|[^a-z])(date|datetime|time|timestamp|ds|ts|day|week|month|quarter|year|period|hour)s?([^a-z]|$)",
    re.IGNORECASE,
)


def find_time(table: Table, data: Data, on_event: Listener) -> str | None:
    """Return the time column: the one given, or the first that looks like one; None for steps."""
    if data.time == NO_TIME:
        return None
    if data.time is not None:
        require_columns(table.name, table.names, time_columns(data.time, table.names))
        return data.time
    taken = {*data.column, *data.covariates, *data.series}
    others = [name for name in table.names if name not in taken]
    # Each of several series has a row for each time.
    several = bool(data.series) or data.layout == "columns"
    found = [name for name in others if _is_date_like(table, name, data.date_format, several)]
    named = [name for name in found if TIME_WORDS.search(name)]
    if found:
        return (named or found)[0]
    if parts := _parts(others):
        on_event(Note(f"time in parts: {', '.join(parts)} (`time=none` to ignore them)"))
        return ",".join(parts)
    if data.date_format:
        raise DataError(
            f"{table.name}: no column holds dates like {data.date_format}.",
            "Check `date_format`, or specify the column with `time`.",
        )
    unread = next((name for name in others if TIME_WORDS.search(name)), None)
    why = "no column holds dates"
    if unread:
        cell = table.columns[unread][0].as_py()
        why = f'"{unread}" holds "{cell}", which is not a known date format'
    on_event(Note(f"{why}: rows are used as steps, oldest first", warning=bool(unread)))
    return None


def _parts(names: Sequence[str]) -> list[str]:
    """Return the columns that are the parts of one time; empty where there are none."""
    held = {name.casefold(): name for name in names}
    parts = [held[part] for part in PARTS if part in held]
    return parts if {"year", "month"} <= {*held} else []


def time_columns(time: str | None, names: Sequence[str]) -> list[str]:
    """Return the columns that hold the time: one, or its comma-separated parts; none for None."""
    if time is None:
        return []
    return [time] if time in names or "," not in time else time.split(",")


def _is_date_like(table: Table, column: str, date_format: str | None, several: bool) -> bool:
    """Whether a column seems to hold the times of the rows.

    Numbers count only where the name indicates a time and each occurs once, e.g. `date` with
    19580329 in it, or `year` of a yearly table; so do cells of which only most are dates, since
    one bad cell should be an error, not be ignored.
    """
    cells = table.columns[column]
    if is_time(cells):
        return True
    if pa.types.is_duration(cells.type):
        return False
    sample = [str(cell) for cell in cells.slice(0, SAMPLE).drop_null().to_pylist()]
    named = bool(TIME_WORDS.search(column))
    numeric = all(re.fullmatch(r"[-+]?\d*\.?\d*", cell) for cell in sample)
    repeated = not several and len(set(sample)) < len(sample)
    if not sample or (numeric and (not named or repeated)):
        return False
    forms = [date_format] if date_format else [ISO, *fitting_forms(sample)]
    try:
        share = max(_share(sample, form) for form in forms)
    except ValueError as error:
        raise invalid_format(date_format, error) from None
    return share > 0.5 if named else share == 1.0


def _share(sample: Sequence[str], form: str) -> float:
    return float(attempt(pd.Series(sample, dtype=object), form).notna().mean())
