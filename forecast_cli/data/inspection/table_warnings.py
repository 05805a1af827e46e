"""What looks wrong in a table, in words: what is to be looked at before it is trained on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import listed
from ...core.windows import Floats, Ints
from .leakage import copies_of_target
from .level_shifts import level_shift
from .outliers import constant_series, empty_series, outliers

# So many are named one by one.
MOST_NAMED = 3
LEAST_LEAD = 6


@dataclass(frozen=True)
class Placed:
    """Columns of numbers at their steps, the first of them the target.

    Args:
        names: Of the columns.
        values: Shape `(n_rows, columns)`, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        rows: Shape `(n_rows,)`: the row of the table, -1 where a step has none.
        season_length: Steps in a season.
    """

    names: Sequence[str]
    values: Floats
    indptr: Ints
    rows: Ints
    season_length: int


def find_suspicions(
    placed: Placed, *, place: Callable[[int], str], name: Callable[[int], str]
) -> list[str]:
    """Series that never change, outliers, a shift of level near the end, and leaks.

    Args:
        placed: The columns.
        place: Says where a row of the table stands.
        name: Of a series; empty where there is one.
    """
    return [
        *_still(placed, name),
        *_outliers(placed, place),
        *_shifts(placed, place),
        *_leaks(placed),
    ]


def _still(placed: Placed, name: Callable[[int], str]) -> Iterator[str]:
    """Series of the target, and columns, that say nothing."""
    constant = constant_series(placed.values, placed.indptr)
    several = len(placed.indptr) > 2
    for what, flags in (("never changes", constant), ("is empty", _empty(placed))):
        still = np.flatnonzero(flags[:, 0])
        if several and len(still):
            names = listed(still.tolist(), most=MOST_NAMED, say=name)
            yield f"{placed.names[0]} {what} in {len(still)} of {len(flags)} series: {names}"
    for each, flags in zip(placed.names, constant.T, strict=True):
        column = placed.values[:, placed.names.index(each)]
        known = column[np.isfinite(column)]
        if flags.all() and len(known) and (known == known[0]).all():
            yield f"{each} is {known[0]:g} in every row: it says nothing"


def _empty(placed: Placed) -> Ints:
    return np.asarray(empty_series(placed.values, placed.indptr))


def _outliers(placed: Placed, place: Callable[[int], str]) -> Iterator[str]:
    found = outliers(placed.values, placed.indptr, season_length=placed.season_length)
    columns = np.unique(found[:, 1]).tolist()
    for column in columns[:MOST_NAMED]:
        rows = found[found[:, 1] == column, 0].tolist()

        def say(row: int, column: int = column) -> str:
            return f"{placed.values[row, column]:g} in {place(int(placed.rows[row]))}"

        names = listed(rows, most=MOST_NAMED, say=say)
        count = "an outlier" if len(rows) == 1 else f"{len(rows)} outliers"
        yield f"{count} in {placed.names[column]}: {names}"
    if len(columns) > MOST_NAMED:
        yield f"outliers in {len(columns) - MOST_NAMED} more columns"


def _shifts(placed: Placed, place: Callable[[int], str]) -> Iterator[str]:
    for shift in level_shift(
        placed.values[:, :1], placed.indptr, season_length=placed.season_length
    )[:MOST_NAMED]:
        where = place(int(placed.rows[shift.row]))
        yield (
            f"{placed.names[0]} shifts by {shift.size:+.4g} at {where} and stays there: what came "
            "before says little of what comes"
        )


def _leaks(placed: Placed) -> Iterator[str]:
    lead = max(LEAST_LEAD, min(2 * placed.season_length, 60))
    for column, ahead in copies_of_target(placed.values, placed.indptr, 0, most_lead=lead):
        what = f"its value {ahead} steps ahead" if ahead else "the same"
        yield (
            f"{placed.names[column]} tells {placed.names[0]}, {what}: as a covariate it would be a "
            "leak"
        )
