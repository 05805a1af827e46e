"""Rows of a table at their steps: static covariates, ends of series, and what is missing."""

from typing import Any

import numpy as np
import pandas as pd

from ..config.sections import Data
from ..core.errors import DataError, counted, listed
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from .columns import Columns
from .groups import Groups, one_series
from .io.tables import Table, name_rows
from .panel import Panel, cut
from .time.business_days import Bools
from .time.grid import percent, ways_to_fill
from .time.time_index import Steps, when

# What is still to come is no gap to be filled.
AT_THE_END = (
    "All of them are at the end: pass `missing=drop` to end the table before them, or name what is "
    "known of those steps in `future_covariates`."
)


def place_rows(
    table: Table,
    columns: Columns,
    cells: Floats,
    steps: Steps,
    groups: Groups,
    data: Data,
    *,
    trim: bool,
) -> Panel:
    """Return the rows at their steps as a panel without calendar features.

    Args:
        table: What messages are about.
        columns: The names.
        cells: Shape `(rows, features)`, in the order of the table.
        steps: The step of each row.
        groups: The series of each row.
        data: The settings.
        trim: Whether a series begins and ends with a value.

    Raises:
        DataError: Values are missing, a series has none, or a static covariate changes.
    """
    names = columns.places(tuple(columns.covariates.categories))
    values = steps.place(cells, names)
    _hold_static(table, columns, groups, cells, values, steps.indptr)
    nothing = np.empty((len(groups.ids), 0, len(columns.features)))
    ids = groups.ids if data.series else one_series()
    panel = Panel(columns, values, steps.indptr, steps.timeline, table.name, data, ids, nothing)
    begins, ends = _bounds(panel, trim=trim)
    inside = panel.between(begins, ends)
    # A missing category is an unknown one; categories cannot be interpolated.
    past = np.flatnonzero(inside)
    values[past[:, None], names] = np.nan_to_num(values[past[:, None], names])
    if data.missing == "error":
        _check_missing(table, panel, steps, inside)
    return cut(panel.since(begins), ends - np.cumsum(begins - panel.indptr[:-1]))


def _hold_static(
    table: Table, columns: Columns, groups: Groups, raw: Floats, values: Floats, indptr: Ints
) -> None:
    """Fill static covariates in steps without a row; refuse one that changes within a series.

    `raw` has the shape `(rows, features)`, in the order of the table; `values`, which are changed,
    `(n_rows, features)`, at their steps.
    """
    for name in columns.covariates.static:
        place = columns.features.index(name)
        first = pd.Series(raw[:, place]).groupby(groups.codes).transform("first")
        bad = np.flatnonzero((raw[:, place] != first.to_numpy()) & np.isfinite(raw[:, place]))
        if len(bad):
            raise DataError(
                f'{table.place(int(bad[0]))}: column "{name}" changes within the series'
                f"{f' {groups.name(int(groups.codes[bad[0]]))}' if len(groups.ids.columns) else ''}"
                ", and a static covariate must be the same in all its rows.",
                "Pass it in `past_covariates` or `future_covariates`.",
            )
        own = first.groupby(groups.codes).first().to_numpy()
        values[:, place] = np.repeat(own, np.diff(indptr))


def _bounds(panel: Panel, *, trim: bool) -> tuple[Ints, Ints]:
    """Return the first row of each series, and the row after its last one, `(n_series,)` each.

    With future covariates, the rows after the last value are those of future steps. With `trim` a
    series begins with its first value and ends with its last. One without any value is refused.
    """
    begins, ends = panel.indptr[:-1], panel.indptr[1:]
    ahead = bool(panel.columns.covariates.future)
    if panel.count == 1 and not (ahead or trim):
        return begins, ends
    held = np.isfinite(panel.values[:, : len(panel.columns.columns)]).max(axis=1)
    rows = np.arange(len(held))
    first = np.minimum.reduceat(np.where(held, rows, len(held)), begins)
    last = np.maximum.reduceat(np.where(held, rows, -1), begins)
    empty = np.flatnonzero(np.less(last, begins))
    if len(empty):
        raise DataError(
            f"{panel.source}: series {listed(empty.tolist(), say=panel.name)} has no value of "
            f"{', '.join(panel.columns.columns)}.",
            "Leave it out, or add its history.",
        )
    return (first if trim else begins), (last + 1 if ahead or trim else ends)


def _check_missing(table: Table, panel: Panel, steps: Steps, inside: Bools) -> None:
    """Refuse missing values in the rows of the series: `inside`, shape `(n_rows,)`."""
    holes = np.isnan(panel.values) & inside[:, None]
    if not holes.any():
        return
    total = int(inside.sum())
    for name, column in zip(panel.columns.features, holes.T, strict=True):
        empty = np.sort(steps.order[column[steps.places]])
        if len(empty):
            where = name_rows(table, empty.tolist())
            raise DataError(
                f'{counted(len(empty), "missing value")} in column "{name}": {where} '
                f"({percent(len(empty), total)} of the steps).",
                AT_THE_END
                if name in panel.columns.targets and _end_series(column, inside, panel)
                else "Pass `missing=interpolate`, or ffill, season, mask or drop.",
            )
    missing = np.flatnonzero(holes[:, 0])
    times: Any = panel.timeline.times[missing] if panel.timeline else []
    series = np.unique(owner_series(panel.indptr, missing)).tolist()
    named = bool(len(panel.ids.columns))
    of = f" in series {listed(series, say=panel.name)}" if named else ""
    raise DataError(
        f"{table.name} has no row for {listed(times, say=when)}{of}: "
        f"{percent(len(missing), total)} of the steps have no row.",
        f"{ways_to_fill(len(missing), total)}.",
    )


def _end_series(holes: Bools, inside: Bools, panel: Panel) -> bool:
    """Whether missing values of a column, `(n_rows,)`, are the last ones `inside` their series."""
    rows = np.arange(len(holes))
    last = np.maximum.reduceat(np.where(inside & ~holes, rows, -1), panel.indptr[:-1])
    return bool((rows[holes] > last[panel.owners[holes]]).all())
