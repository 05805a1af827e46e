"""Columns that are the target, or its future, in disguise."""

import numpy as np

from ...core.ragged import FEWEST, bounds, finite, shifted
from ...core.windows import Floats, Ints

# A copy: the least correlation of its values and of their differences, or the least share of
# equal values; and the least share of the target's rows where it is known.
ALIKE, ALIKE_STEPS, EQUAL, KNOWN = 0.9999, 0.999, 0.99, 0.9
# What is less like the target than this in a sample is not looked at in full; the sample's values.
PROMISING, SAMPLE = 0.98, 250_000


def copies_of_target(
    values: Floats, indptr: Ints, target: int, *, most_lead: int
) -> list[tuple[int, int]]:
    """Columns that hold the target or its future, as it is or but for scale and offset.

    The differences between rows must agree too: the values of a slow series are always close to
    its own future. A column that is closest to the target's past is no leak.

    Args:
        values: Shape `(n_rows, columns)`, all series end to end, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        target: The column that is forecast.
        most_lead: The furthest future that is looked for, in steps.

    Returns:
        Columns and leads: what the column holds is the target so many steps later.
    """
    known = finite(values)
    wanted = known[:, target]
    rows = _moving(wanted, indptr, SAMPLE // (most_lead + 3))
    copies = []
    for place in range(values.shape[1]):
        column = known[:, place]
        lead = -1 if place == target else _likeliest(column, wanted, indptr, rows, most_lead)
        if lead >= 0 and _is_copy(column, wanted, indptr, lead):
            copies.append((place, lead))
    return copies


def _moving(target: Floats, indptr: Ints, most: int) -> Ints:
    """Rows where the target is not what it was before, some of them where there are many."""
    step = target - shifted(target, indptr, -1)
    rows = np.flatnonzero(~np.isnan(step) & (step != 0))
    drawn = np.random.default_rng(0).choice(rows, max(most, FEWEST)) if len(rows) > most else rows
    return np.sort(drawn)


def _likeliest(column: Floats, target: Floats, indptr: Ints, rows: Ints, most_lead: int) -> int:
    """The lead at which a column is most like the target in some rows; -1 where it is not."""
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
    """Whether a column is the target `lead` steps later over nearly all rows."""
    starts, _ = bounds(indptr)
    held = shifted(column, indptr, -lead)
    wanted = ~np.isnan(target) & (np.arange(len(target)) - starts >= lead)
    if np.count_nonzero(wanted & ~np.isnan(held)) < KNOWN * np.count_nonzero(wanted):
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
    """The share of the pairs of known values that are equal, shape `(columns,)`; 0 of too few."""
    known = ~np.isnan(columns) & ~np.isnan(target)[:, None]
    pairs = np.count_nonzero(known, axis=0)
    equal = np.count_nonzero(columns == target[:, None], axis=0)
    return np.where(pairs >= FEWEST, equal / np.maximum(pairs, 1), 0.0)


def _correlations(columns: Floats, target: Floats) -> Floats:
    """Of each column with the target over their known pairs, shape `(columns,)`; 0 of too few."""
    known = ~np.isnan(columns) & ~np.isnan(target)[:, None]
    pairs = np.count_nonzero(known, axis=0)
    x, y = (np.where(known, each, 0.0) for each in (columns, target[:, None]))
    x, y = (np.where(known, each - each.sum(axis=0) / np.maximum(pairs, 1), 0.0) for each in (x, y))
    scale = np.sqrt(np.sum(x**2, axis=0) * np.sum(y**2, axis=0))
    usable = (pairs >= FEWEST) & (scale > 0)
    products = np.sum(x * y, axis=0)
    return np.asarray(np.divide(products, scale, out=np.zeros_like(scale), where=usable))
