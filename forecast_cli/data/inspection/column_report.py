"""The kind and range of the columns of a table, and the likely target among them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError
from ..io.tables import Table, is_text
from ..time.time_column import TIME_WORDS

SAMPLE = 60
COUNTER = "counts the rows"


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
    common = ("close", "y", "value", "target", "sales", "demand", "load")
    numeric = [each.column for each in columns if each.least is not None]
    counters = [each.column for each in columns if each.kind == COUNTER]
    if data.column and data.column[0] in numeric:
        return data.column[0]
    others = [name for name in numeric if not (TIME_WORDS.search(name) or name in counters)]
    words = {name: re.split(r"[^a-z]+", name.casefold()) for name in others}
    found = [name for word in common for name in others if words[name][-1] == word]
    return next(iter([*found, *others]), None)
