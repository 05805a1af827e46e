"""Tables with a row for each year, whose columns are its months or quarters."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ..core.errors import DataError
from ..core.events import Listener, Note
from .columns import JOINED
from .dates.month_names import find_language, number_of
from .dates.time_names import role_of
from .io.opening import Opened, open_in_memory
from .io.tables import Table
from .panel import VALUE

YEAR = re.compile(r"1[5-9]\d\d|2[01]\d\d")
QUARTER = re.compile(r"(?:Q|K|T|quarter|quartal|trimestre)\W?([1-4])", re.IGNORECASE)
NUMBERED = re.compile(r"(?:M|month|monat|mois|mes)?\W?(\d{1,2})", re.IGNORECASE)


def find_parts(names: Sequence[str]) -> tuple[str, dict[str, str]] | None:
    """Return the column of years, and the months or quarters of the columns of parts of a year.

    >>> find_parts(["Year", "Q1", "Q2", "Q3", "Q4", "Total"])
    ('Year', {'Q1': 'Q1', 'Q2': 'Q2', 'Q3': 'Q3', 'Q4': 'Q4'})
    >>> find_parts(["Year", "Sales", "Jan"]) is None
    True
    """
    year = next((name for name in names[:2] if role_of(name) == "year"), None)
    if year is None:
        return None
    others = [name for name in names if name != year]
    for count, find in ((12, _months), (12, _numbered), (4, _quarters)):
        parts = find(others)
        if len(parts) == count == len(set(parts.values())):
            return year, parts
    return None


def _months(names: Sequence[str]) -> dict[str, str]:
    words = {name: re.sub(r"[\W\d_]+$", "", name.strip()) for name in names}
    for begin in range(len(names) - 11):
        twelve = names[begin : begin + 12]
        # Not worth the search through all languages, which takes most of a second.
        if any(role_of(name) in ("month", "hour") for name in twelve):
            continue
        language = find_language([words[name] for name in twelve])
        if language:
            return {name: f"{number_of(words[name], language):02d}" for name in twelve}
    return {}


def _numbered(names: Sequence[str]) -> dict[str, str]:
    found = {name: NUMBERED.fullmatch(name.strip()) for name in names}
    parts = {name: f"{int(each[1]):02d}" for name, each in found.items() if each}
    return parts if list(parts.values()) == [f"{month:02d}" for month in range(1, 13)] else {}


def _quarters(names: Sequence[str]) -> dict[str, str]:
    found = {name: QUARTER.fullmatch(name.strip()) for name in names}
    return {name: f"Q{each[1]}" for name, each in found.items() if each}


def from_years(opened: Opened, on_event: Listener) -> Opened:
    """Return the table with a row for each month or quarter: its time and its value.

    Raises:
        DataError: The columns are not those of a year and all of its parts.
    """
    found = find_parts(opened.names)
    if found is None:
        raise DataError(
            f"{opened.name} has no column of years beside twelve of months, or four of quarters: "
            f"it has {', '.join(opened.names[:20])}.",
            "Leave `layout` out, or rename its columns.",
        )
    year, parts = found
    names = list(parts)
    table = opened.read([year, *names], text=[year])
    years = _read_years(table, year)
    cells = np.column_stack([table.numbers(name) for name in names])
    order = np.argsort(np.array(years), kind="stable")
    held = np.flatnonzero(np.isfinite(cells[order].ravel()))
    if not len(held):
        raise DataError(f"{table.name} holds no value.", "Fix the file.")
    # The months to come are empty.
    places = np.arange(held[0], held[-1] + 1)
    rows, columns = order[places // len(names)], places % len(names)
    left = [name for name in opened.names if name.strip() and name not in (year, *names)]
    text = f"rows read as years, of the columns {names[0]} to {names[-1]}"
    on_event(Note(text + (f"; left out: {', '.join(left[:8])}" if left else "")))
    # Quarters are written 2020Q1, months 2020-01.
    mark = "" if parts[names[0]].startswith("Q") else "-"
    pairs = [(years[row], names[at]) for row, at in zip(rows, columns, strict=True)]
    arrays = {
        JOINED: pa.array([f"{each}{mark}{parts[name]}" for each, name in pairs], pa.string()),
        VALUE: pa.array(cells[rows, columns], from_pandas=True),
    }

    def place(row: int) -> str:
        return f'{table.place(int(rows[row]))}, column "{pairs[row][1]}"'

    return open_in_memory(Table(table.name, pa.table(arrays), place))


def _read_years(table: Table, column: str) -> list[str]:
    """Return the years of the rows; refuse a cell that is none, or a year that comes twice."""
    years = [str(each).strip().removesuffix(".0") for each in table.columns[column].to_pylist()]
    for row, each in enumerate(years):
        again = each in years[:row]
        if again or not YEAR.fullmatch(each):
            what = "a second time" if again else "where a year was expected"
            raise DataError(
                f'{table.place(row)}: column "{column}" holds "{each}" {what}.',
                "Correct or remove the row; the table may hold one series alone.",
            )
    return years
