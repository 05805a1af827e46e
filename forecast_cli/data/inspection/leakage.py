"""Columns that are copies of the target or of its future."""

import numpy as np

from ...core.ragged import FEWEST, bounds, finite, shifted
from ...core.windows import Floats, Ints

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
