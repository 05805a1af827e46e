"""The columns of a table: their kinds, and which of them is most likely forecast."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError
from ..dates.time_names import names_time
from ..groups import NAME_WORDS
from ..io.tables import Table, is_text

SAMPLE = 60
COUNTER = "counts the rows"
# The last words of the names of columns that are usually forecast, the most usual first.
TARGET_WORDS = ("close", "y", "value", "target", "sales", "demand", "load")


@dataclass(frozen=True)
class ColumnReport:
    """A column: its kind, how many values are missing, and the range of its numbers."""

    column: str
    kind: str
    missing: int
    least: float | None = None
    mean: float | None = None
    greatest: float | None = None


def report_column(table: Table, name: str, notes: list[str]) -> ColumnReport:
    """Describe a column; an error in its cells is added to the notes."""
    cells = table.columns[name]
    missing = cells.null_count
    if pa.types.is_null(cells.type):
        return ColumnReport(name, "empty", missing)
    if pa.types.is_temporal(cells.type) or pa.types.is_boolean(cells.type):
        return ColumnReport(
            name, "time" if pa.types.is_temporal(cells.type) else "yes or no", missing
        )
    text = is_text(cells.type)
    try:
        values = table.numbers(name)
    except DataError as error:
        if text and not _looks_numeric(cells):
            return ColumnReport(name, "text", missing)
        notes.append(str(error))
        return ColumnReport(name, "not all numbers", missing)
    known = values[~np.isnan(values)]
    if not len(known):
        return ColumnReport(name, "empty", len(values))
    low, mean, high = (float(f(known)) for f in (np.min, np.mean, np.max))
    kind = "whole numbers" if pa.types.is_integer(cells.type) else "numbers"
    if len(values) > 2 and (np.diff(values) == 1).all():
        kind = COUNTER
    return ColumnReport(name, kind, len(values) - len(known), low, mean, high)


def _looks_numeric(cells: pa.ChunkedArray) -> bool:
    """Whether most of the first cells look like numbers."""
    sample = [str(cell) for cell in cells.slice(0, SAMPLE).drop_null().to_pylist()]
    return 2 * sum(bool(re.match(r"[-+]?[.,]?\d+[\d.,]*$", cell)) for cell in sample) > len(sample)


def likely_target(columns: Sequence[ColumnReport], data: Data) -> str | None:
    """Return the given column, or the one that is most likely forecast; None without numbers."""
    numeric = [each.column for each in columns if each.least is not None]
    if data.column and data.column[0] in numeric:
        return data.column[0]
    counters = [each.column for each in columns if each.kind == COUNTER]
    others = [name for name in numeric if name not in counters]
    timeless = [name for name in others if not names_time(name)]
    constant = {each.column for each in columns if each.least == each.greatest}
    varying = [name for name in timeless if name not in constant]
    names = [name for name in varying if not NAME_WORDS.search(name)]
    return next(iter([*named_targets(varying), *names, *varying, *timeless, *others]), None)


def named_targets(names: Sequence[str]) -> list[str]:
    """Return the columns whose names are those of columns that are forecast, the likeliest first.

    >>> named_targets(["store", "unit_sales", "value"])
    ['value', 'unit_sales']
    """
    last = {name: re.split(r"[^a-z]+", name.casefold())[-1] for name in names}
    return [name for word in TARGET_WORDS for name in names if last[name] == word]
