"""The columns of a table: their kinds, the likeliest target, and copies of it or of its future."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...config.sections import Data
from ...core.errors import DataError
from ...core.ragged import FEWEST, bounds, finite, shifted
from ...core.windows import Floats, Ints
from ..dates.time_names import names_time
from ..groups import NAME_WORDS
from ..io.tables import Table, is_text

FIRST_CELLS = 60
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
    sample = [str(cell) for cell in cells.slice(0, FIRST_CELLS).drop_null().to_pylist()]
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


# A copy: the least correlation of its values and of their differences, or the least share of
# equal values; and the least share of the target's rows where it is known.
ALIKE, ALIKE_STEPS, EQUAL, KNOWN = 0.9999, 0.999, 0.99, 0.9
# The least likeness in a sample for a check of all rows; the number of values in a sample.
PROMISING, SAMPLE = 0.98, 250_000


def copies_of_target(values: Floats, indptr: Ints, *, most_lead: int) -> list[tuple[int, int]]:
    """Find columns that hold the target or its future, up to scale and offset.

    The differences between rows must agree too: the values of a slow series are always close to
    its own future. A column that is closest to the target's past is no leak.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing; the first
            column is the target.
        indptr: Shape `(n_series + 1,)`.
        most_lead: The longest lead to check, in steps.

    Returns:
        Columns and leads: the column is the target so many steps later.
    """
    known = finite(values)
    actual = known[:, 0]
    rows = _moving(actual, indptr, SAMPLE // (most_lead + 3))
    copies = []
    for place in range(1, values.shape[1]):
        column = known[:, place]
        lead = _likeliest(column, actual, indptr, rows, most_lead)
        if lead >= 0 and _is_copy(column, actual, indptr, lead):
            copies.append((place, lead))
    return copies


def _moving(target: Floats, indptr: Ints, most: int) -> Ints:
    """Return a sample of the rows in which the target, shape `(n_rows,)`, changes."""
    step = target - shifted(target, indptr, -1)
    rows = np.flatnonzero(~np.isnan(step) & (step != 0))
    drawn = np.random.default_rng(0).choice(rows, max(most, FEWEST)) if len(rows) > most else rows
    return np.sort(drawn)


def _likeliest(column: Floats, target: Floats, indptr: Ints, rows: Ints, most_lead: int) -> int:
    """Return the lead at which a column is most like the target in a sample of rows; -1: none.

    `column` and `target` have the shape `(n_rows,)`; `rows` `(sample,)`.
    """
    leads = np.arange(-1, most_lead + 2)
    starts, stops = (bound[rows, None] for bound in bounds(indptr))
    places = rows[:, None] - leads
    inside = (places >= starts) & (places < stops)
    held = np.where(inside, column[np.clip(places, 0, len(column) - 1)], np.nan)
    steps = np.abs(_correlations(held[:, :-1] - held[:, 1:], target[rows] - target[rows - 1]))
    likeness = np.fmax(steps, _equal_share(held[:, :-1], target[rows]))
    best = int(np.argmax(likeness))
    return int(leads[best]) if likeness[best] >= PROMISING else -1


def _is_copy(column: Floats, target: Floats, indptr: Ints, lead: int) -> bool:
    """Whether a column, shape `(n_rows,)`, is the target `lead` steps later in nearly all rows."""
    starts, _ = bounds(indptr)
    held = shifted(column, indptr, -lead)
    actual = ~np.isnan(target) & (np.arange(len(target)) - starts >= lead)
    if np.count_nonzero(actual & ~np.isnan(held)) < KNOWN * np.count_nonzero(actual):
        return False
    held_step, step = (each - shifted(each, indptr, -1) for each in (held, target))
    moving = step != 0
    if (
        min(_equal_share(held[:, None], target), _equal_share(held[moving, None], target[moving]))
        >= EQUAL
    ):
        return True
    alike = np.abs(_correlations(held[:, None], target)) >= ALIKE
    return bool(alike & (np.abs(_correlations(held_step[:, None], step)) >= ALIKE_STEPS))


def _equal_share(columns: Floats, target: Floats) -> Floats:
    """Return the share of known pairs that are equal, shape `(columns,)`; 0 of too few.

    `columns` has the shape `(rows, columns)`, `target` `(rows,)`.
    """
    known = ~np.isnan(columns) & ~np.isnan(target)[:, None]
    pairs = np.count_nonzero(known, axis=0)
    equal = np.count_nonzero(columns == target[:, None], axis=0)
    return np.where(pairs >= FEWEST, equal / np.maximum(pairs, 1), 0.0)


def _correlations(columns: Floats, target: Floats) -> Floats:
    """Return the correlation of each column with the target, shapes as in `_equal_share`."""
    known = ~np.isnan(columns) & ~np.isnan(target)[:, None]
    pairs = np.count_nonzero(known, axis=0)
    x, y = (np.where(known, each, 0.0) for each in (columns, target[:, None]))
    x, y = (np.where(known, each - each.sum(axis=0) / np.maximum(pairs, 1), 0.0) for each in (x, y))
    scale = np.sqrt(np.sum(x**2, axis=0) * np.sum(y**2, axis=0))
    usable = (pairs >= FEWEST) & (scale > 0)
    products = np.sum(x * y, axis=0)
    return np.asarray(np.divide(products, scale, out=np.zeros_like(scale), where=usable))
