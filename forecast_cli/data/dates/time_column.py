"""The search for the column that holds the times of the rows."""

import re
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note, ignore
from ..columns import NO_TIME
from ..io.number_formats import plain_digits
from ..io.tables import Table, is_text, require_columns
from ..time.time_index import Dates
from .cell_shapes import GUESS, best_share, candidates, starts_of_periods
from .date_cells import Reading, invalid_format, season_ends, without_weekdays
from .date_questions import EARLIEST, LATEST, SAMPLE
from .month_names import find_language
from .parsing import is_time, parse_dates
from .time_names import names_time, role_of, roles_of
from .time_parts import BESIDE_YEAR, joined

# Years that numbers may be whose column is called a year, those of other calendars too.
FAR_BACK, FAR_AHEAD = 1300, 2700
# Larger numbers in a column that is called a date count days from some day on.
LEAST_DAY = 10_000
# Cells that look like dates or clock times, though not like any known format.
LIKE_TIMES = r"\D+\d{4,}\D+|.*\d.*[-/.:' ].*\d.*|.*\d{2,}.*[A-Za-z].*|[A-Za-z]+.*\d{2,}.*"
NEWEST = "rows are used as steps, the last row as the newest"


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
    named = [name for name in found if names_time(name)]
    column = next(iter([*named, *found]), None)
    parts = _find_parts(table, others) if column is None or roles_of(column) == {"year"} else []
    if column is not None:
        _note_others(column, found, on_event)
    if column is not None and not parts:
        # Reading all of it says what is wrong with what cannot be read here.
        with suppress(DataError, UsageError):
            days = parse_dates(table.only([column]), column, **data.date_reading)
            parts = _find_clock(table, column, others, days)
    if parts:
        on_event(Note(f"time in parts: {', '.join(parts)} (`time=none` to ignore them)"))
        return ",".join(parts)
    if column is not None:
        return column
    if data.date_format:
        raise DataError(
            f"{table.name}: no column holds dates like {data.date_format}.",
            "Check `date_format`, or specify the column with `time`.",
        )
    if unread := next((name for name in others if _seems_time(table, name, several)), None):
        # Reading it says what is wrong with it.
        return unread
    _note_steps(table, others, on_event)
    return None


def _note_others(column: str, found: Sequence[str], on_event: Listener) -> None:
    """Say which of several columns of dates is taken."""
    others = [f"`time={name}`" for name in found if name != column]
    if others and not roles_of(column) & {"year"}:
        text = f'several columns hold dates: "{column}" is taken for the time of the rows'
        on_event(Note(f"{text} (otherwise pass {' or '.join(others[:3])})"))


def _note_steps(table: Table, names: Sequence[str], on_event: Listener) -> None:
    """Say that rows are steps, and which row is the newest."""
    down = next((name for name in names if _counts(table, name) == -1), None)
    if down:
        on_event(Note(f'"{down}" counts down, and {NEWEST}: sort the rows if the first is the '
                      "newest", warning=True))  # fmt: skip
        return
    unread = next((name for name in names if names_time(name) and not _counts(table, name)), None)
    why = "no column holds dates"
    if unread:
        cell = table.columns[unread][0].as_py()
        why = f'"{unread}" holds "{cell}", which is not a known date format'
    on_event(Note(f"{why}: {NEWEST}", warning=bool(unread)))


def time_columns(time: str | None, names: Sequence[str]) -> list[str]:
    """Return the columns that hold the time: one, or its comma-separated parts; none for None."""
    if time is None:
        return []
    return [time] if time in names or "," not in time else time.split(",")


def _find_parts(table: Table, names: Sequence[str]) -> list[str]:
    """Return the columns that hold the year and the other parts of a time; empty without them.

    `table` has the first rows; `names` are the columns that have no other role.
    """
    roles: dict[str, str] = {}
    for name in names:
        if (role := role_of(name)) and role not in roles and role != "date":
            roles[role] = name
    if "year" not in roles:
        return []
    finer = [role for role in ("month", *BESIDE_YEAR) if role in roles]
    if "period" in finer and len(finer) == 1:
        cells = [str(cell.as_py()) for cell in table.columns[roles["period"]].slice(0, 60)]
        finer *= all(re.match(r"[A-Za-z]\d", cell) or cell.isdigit() for cell in cells)
    if not finer:
        return []
    kept = [roles["year"]]
    if "day" in roles and "month" in roles:
        kept += [roles["month"], roles["day"]]
    else:
        unit = next((role for role in ("yearday", "week", "month", "quarter", "period")
                     if role in finer), "")  # fmt: skip
        kept.append(roles[unit])
        if unit in ("week", "quarter", "period") or (unit == "month" and "day" not in roles):
            return kept
    clock = [roles[role] for role in ("hour", "clock") if role in roles][:1]
    later = [roles[role] for role in ("minute", "second") if role in roles]
    return kept + clock + (later if clock else [])


def _find_clock(table: Table, date: str, names: Sequence[str], days: Dates) -> list[str]:
    """Return the columns that hold the clock time beside a date; empty without them.

    `days` are the dates of the first rows, `table`; `names` the columns that have no other role.
    """
    if not re.search("%-?[dj]|excel", days.style) or not days.times.duplicated().any():
        return []
    if (days.times != days.times.normalize()).any():
        return []
    for name in names:
        role = role_of(name)
        cells = [str(cell.as_py()).strip() for cell in table.columns[name]]
        shown = all(re.fullmatch(r"\d{1,2}[:.h]\d{2}.*", cell) for cell in cells)
        if name == date or not (shown or role in ("hour", "clock", "interval", "period")):
            continue
        if role == "clock" and not shown and "." in "".join(cells):
            continue
        both = [date, name]
        try:
            times = joined(table, both, Reading(), None, ignore)
        except (DataError, UsageError):
            # Reading all of it says what is wrong.
            if role in ("hour", "clock") and all(re.match(r"\D*\d", cell) for cell in cells):
                return both
            continue
        if len(times.times.unique()) > len(days.times.unique()):
            minute = [each for each in names if role_of(each) == "minute"]
            return both + (minute[:1] if role == "hour" else [])
    return []


def _sample(table: Table, column: str) -> list[str]:
    """Return the first cells of a column that are not empty."""
    cells = table.columns[column].slice(0, SAMPLE).drop_null()
    plain = plain_digits(cells) if is_text(cells.type) else None
    return [str(cell) for cell in (plain or cells).to_pylist() if cell != ""]


def _is_numeric(sample: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[-+]?\d*\.?\d*", cell) for cell in sample)


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
    sample, named = _sample(table, column), names_time(column)
    numeric = _is_numeric(sample)
    repeated = not several and len(set(sample)) < len(sample)
    if not sample or (numeric and (not named or (repeated and len(sample[0]) < 5))):
        return False
    if date_format:
        try:
            return best_share(sample, [date_format]) > 0.5
        except ValueError as error:
            raise invalid_format(date_format, error) from None
    cells_ = pd.Series(list(dict.fromkeys(sample)), dtype=object)
    if season_ends(cells_) is not None:
        return True
    if (starts := starts_of_periods(pd.Series(sample, dtype=object))) is not None:
        sample = starts.tolist()
    elif bare := without_weekdays(cells_):
        sample = bare[0].tolist()
    ranks = candidates(sample, thorough=named or column == table.names[0])
    forms = [form for form, rank in ranks.items() if rank < GUESS]
    if numeric and forms == ["%Y"]:
        # Years of other calendars are asked about.
        first, last = (EARLIEST, LATEST) if not named else (FAR_BACK, FAR_AHEAD)
        if not all(first <= float(cell.strip("+-.") or 0) <= last for cell in sample):
            return False
    share = best_share(sample, forms)
    return share > (0.5 if named else 0.9)


def _counts(table: Table, column: str) -> int:
    """Return the step by which the whole numbers of a column count, 1 or -1; 0 where they do not.

    Steps of an equal other size count as 1.
    """
    sample = _sample(table, column)
    if len(sample) < 2 or not all(re.fullmatch(r"-?\d+", cell) for cell in sample):
        return 0
    steps = np.diff([int(cell) for cell in sample])
    return int(np.sign(steps[0])) if (steps == steps[0]).all() else 0


def _seems_time(table: Table, column: str, several: bool) -> bool:
    """Whether a column is called like a time, and has cells like times that cannot be read."""
    if pa.types.is_temporal(table.columns[column].type) or not names_time(column):
        return False
    sample = _sample(table, column)
    if find_language(sample) is not None:
        # Months without their years.
        return True
    repeated = not several and 2 * len(set(sample)) < len(sample)
    if not sample or repeated or len(set(sample)) < min(2, len(sample)):
        return False
    if _is_numeric(sample):
        # Numbers that count days from some day, e.g. of MATLAB, are too large for steps.
        first = next((float(cell) for cell in sample if cell.strip("+-.")), 0.0)
        if "date" in roles_of(column) and first > LEAST_DAY:
            return True
        return bool(candidates(sample)) and not _counts(table, column)
    like = [re.fullmatch(LIKE_TIMES, cell) is not None for cell in sample]
    return 2 * sum(like) > len(sample) or bool(candidates(sample))
