"""Warnings about the values of a table, in words."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import listed
from ...core.windows import Floats, Ints
from ..last_values import FarEnd, describe_far_ends, find_far_ends
from .leakage import copies_of_target
from .level_shifts import level_shift
from .outliers import constant_series, describe_stand_ins, empty_series, outliers

# The most that a warning lists one by one.
MOST_NAMED = 3
LEAST_LEAD = 6


@dataclass(frozen=True)
class NumericColumns:
    """Numeric columns at their steps, the first of them the target.

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


def find_warnings(
    columns: NumericColumns, *, place: Callable[[int], str], name: Callable[[int], str]
) -> list[str]:
    """Return warnings of constant series, outliers, level shifts, the last values, and leakage.

    Args:
        columns: The columns.
        place: Returns where a row of the table is.
        name: Returns the name of a series; empty where there is one.
    """
    ends = find_far_ends(columns.values[:, :1], columns.indptr)
    return [
        *_constant(columns, name),
        *describe_stand_ins(columns.names, columns.values, columns.indptr),
        *_outliers(columns, place, {each.row for each in ends}),
        *_ends(columns, place, ends),
        *_shifts(columns, place),
        *_leaks(columns),
    ]


def _constant(columns: NumericColumns, name: Callable[[int], str]) -> Iterator[str]:
    """Constant or empty series of the target, and constant columns."""
    constant = constant_series(columns.values, columns.indptr)
    empty = empty_series(columns.values, columns.indptr)
    for what, flags in (("is constant", constant), ("is empty", empty)):
        series = np.flatnonzero(flags[:, 0])
        if len(columns.indptr) > 2 and len(series):
            names = listed(series.tolist(), most=MOST_NAMED, say=name)
            yield f"{columns.names[0]} {what} in {len(series)} of {len(flags)} series: {names}"
    for each, column, flags in zip(columns.names, columns.values.T, constant.T, strict=True):
        known = column[np.isfinite(column)]
        if flags.all() and len(known) and (known == known[0]).all():
            yield f"{each} is {known[0]:g} in every row and carries no information"


def _outliers(
    columns: NumericColumns, place: Callable[[int], str], ends: Container[int]
) -> Iterator[str]:
    """Outliers, but for the rows of the target that end a series."""
    found = outliers(columns.values, columns.indptr, season_length=columns.season_length)
    found = found[[column > 0 or row not in ends for row, column in found.tolist()]]
    affected = np.unique(found[:, 1]).tolist()
    for column in affected[:MOST_NAMED]:
        rows = found[found[:, 1] == column, 0].tolist()

        def say(row: int, column: int = column) -> str:
            return f"{columns.values[row, column]:g} in {place(int(columns.rows[row]))}"

        names = listed(rows, most=MOST_NAMED, say=say)
        count = "an outlier" if len(rows) == 1 else f"{len(rows)} outliers"
        yield f"{count} in {columns.names[column]}: {names}"
    if len(affected) > MOST_NAMED:
        yield f"outliers in {len(affected) - MOST_NAMED} more columns"


def _ends(
    columns: NumericColumns, place: Callable[[int], str], ends: Sequence[FarEnd]
) -> Iterator[str]:
    """Last values of the target that are far from all before them."""
    if ends:
        count = len(columns.indptr) - 1
        yield describe_far_ends(
            ends, columns.names, count, lambda row: place(int(columns.rows[row]))
        )


def _shifts(columns: NumericColumns, place: Callable[[int], str]) -> Iterator[str]:
    target, season = columns.values[:, :1], columns.season_length
    for shift in level_shift(target, columns.indptr, season_length=season)[:MOST_NAMED]:
        where = place(int(columns.rows[shift.row]))
        yield (
            f"the level of {columns.names[0]} shifts by {shift.size:+.4g} at {where} and remains: "
            "earlier rows may not be representative"
        )


def _leaks(columns: NumericColumns) -> Iterator[str]:
    lead = max(LEAST_LEAD, min(2 * columns.season_length, 60))
    for column, ahead in copies_of_target(columns.values, columns.indptr, 0, most_lead=lead):
        target = columns.names[0]
        what = f"the value of {target} {ahead} steps ahead" if ahead else f"the same as {target}"
        yield f"{columns.names[column]} is {what}: as a covariate it would leak the target"
