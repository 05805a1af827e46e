"""Tables of forecasts as arrays, beside the actual values of the same series and times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ...core.windows import Floats, Ints
from ...data.groups import group_rows
from ...data.io.opening import Opened
from ...data.io.tables import Table
from .actuals import Actual
from .column_roles import COLUMN, CUTOFF, SAMPLE, Roles
from .interval_columns import bound_name
from .row_matching import ForecastRows, find_rows, nothing_common, rows_of_targets


@dataclass(frozen=True)
class Forecasts:
    """Forecasts and what came: a sample for each series and cutoff, K targets.

    Args:
        actual: Shape `(samples, horizon, K)`, original units, NaN where there is nothing to score.
        series: Shape `(samples,)`: the series of each.
        origins: Shape `(samples,)`: the row of the truth after the last one known.
        offsets: Shape `(samples, horizon)`: how many rows of the truth each step is after its
            origin; 0 where there is nothing to score.
        values: Of each forecaster, shape `(samples, horizon, K)`; with an axis of paths at the end
            where there are sample paths.
        lower: Of each that has intervals, shape `(samples, horizon, K, levels)`.
        upper: Likewise.
    """

    actual: Floats
    series: Ints
    origins: Ints
    offsets: Ints
    values: Mapping[str, Floats]
    lower: Mapping[str, Floats]
    upper: Mapping[str, Floats]

    @property
    def paths(self) -> bool:
        """Whether they are sample paths."""
        return any(each.ndim > self.actual.ndim for each in self.values.values())


def read_forecasts(
    given: Opened,
    roles: Roles,
    actual: Actual,
    data: Data,
    *,
    begin: int | None,
    on_event: Listener,
) -> Forecasts:
    """Read a table of forecasts, and find the actual value of each.

    Args:
        given: The table.
        roles: Which of its columns are what.
        actual: The truth.
        data: How dates are read.
        begin: Where steps are counted and there is no cutoff: the row, from 1, of the first; None
            for the first row.
        on_event: Told what was left out.

    Raises:
        DataError: A cell is not what it should be, a forecast stands there twice, or none has an
            actual value.
    """
    text = [*roles.series, *([roles.time] if roles.time else []), *(roles.marks & {CUTOFF, COLUMN})]
    table = given.read(roles.needed, text=text if roles.time else [*roles.series])
    table = rows_of_targets(table, roles)
    groups = group_rows(table, roles.series)
    rows = find_rows(table, groups, roles, actual, data, begin or 1)
    _check_begin(roles, actual, rows, begin, on_event)
    places = actual.rows_at(rows.series, rows.moment)
    places[rows.series < 0] = -1
    if (places < 0).all():
        raise nothing_common(table, groups, roles, actual, rows)
    truth = np.where(places[:, None] < 0, np.nan, actual.values[places])
    if COLUMN in roles.marks:
        truth = truth[np.arange(len(truth)), rows.target][:, None]
    _say_left_out(table, actual, truth, on_event)
    return _scored(_arrays(table, roles, actual, rows, places, truth), on_event)


def _say_left_out(table: Table, actual: Actual, truth: Floats, on_event: Listener) -> None:
    """Say how many rows have no actual value.

    Raises:
        DataError: None has.
    """
    keep = np.asarray(np.isfinite(truth).any(axis=1))
    if not keep.any():
        raise DataError(
            f"{actual.source} has rows at the times of {table.name}, and no value in any of them.",
            "Score it once the values are known.",
        )
    if not keep.all():
        some = int((~keep).sum())
        where = f"{table.name} have no actual value in {actual.source}"
        on_event(Note(f"{some:,} of {len(keep):,} rows of {where}: left out", warning=True))


def _check_begin(
    roles: Roles, actual: Actual, rows: ForecastRows, begin: int | None, on_event: Listener
) -> None:
    """Say where counted steps are taken to begin; refuse to be told where they need it not."""
    counted = roles.time is None and CUTOFF not in roles.marks and not roles.in_sample
    if begin is not None and not counted:
        raise UsageError(
            f"--start {begin} says of which row the first step is, and the table of forecasts says "
            "when each of them is.",
            "Leave it out.",
        )
    if counted and begin is None and np.diff(actual.indptr).max() > rows.moment.max() + 1:
        text = (
            f"step 1 is taken as the first row of {actual.source}, which has more rows than steps"
        )
        on_event(Note(f"{text}: say with --start N which row it is", warning=True))


def _arrays(
    table: Table, roles: Roles, actual: Actual, rows: ForecastRows, found: Ints, truth: Floats
) -> Forecasts:
    """The rows that have an actual value, by sample and step.

    `found` is the truth's row of each, `truth` its values: `(rows, K)`, or `(rows, 1)` if long.
    """
    keep = np.flatnonzero(np.isfinite(truth).any(axis=1))
    samples, first, places = np.unique(rows.sample[keep], return_index=True, return_inverse=True)
    series, steps = rows.series[keep[first]], rows.step[keep]
    origins = _origins(actual, series, rows.cutoff[keep[first]])
    after = found[keep] - origins[places]
    # Steps are counted from the cutoff on, and where the truth begins after it, in the table.
    steps = np.maximum(steps, after) if CUTOFF in roles.marks else steps
    grid = _Grid(
        (len(samples), int(steps.max()) + 1, len(roles.targets), int(rows.path.max()) + 1),
        keep, places, steps, rows.target[keep] if COLUMN in roles.marks else None, rows.path[keep],
    )  # fmt: skip
    offsets = np.zeros(grid.shape[:2], np.int64)
    offsets[places, steps] = after

    def cells(columns: tuple[str, ...]) -> Floats:
        own = grid.placed(np.column_stack([table.numbers(each) for each in columns]))
        return own if SAMPLE in roles.marks else own[..., 0]

    def bounds(side: str, name: str) -> Floats:
        columns, levels = roles.forecasters[name], roles.levels[name]
        names = [tuple(bound_name(each, side, level) for each in columns) for level in levels]
        return np.stack([cells(each) for each in names], axis=-1)

    bounded = [name for name, levels in roles.levels.items() if levels]
    return Forecasts(
        np.fmax.reduce(grid.placed(truth), axis=-1),
        series,
        origins,
        offsets,
        {name: cells(columns) for name, columns in roles.forecasters.items()},
        {name: bounds("lo", name) for name in bounded},
        {name: bounds("hi", name) for name in bounded},
    )


@dataclass(frozen=True)
class _Grid:
    """Where the rows of a table stand in arrays by sample, step, target and path."""

    shape: tuple[int, int, int, int]
    rows: Ints
    samples: Ints
    steps: Ints
    target: Ints | None
    paths: Ints

    def placed(self, cells: Floats) -> Floats:
        """Cells of the table, shape `(rows, K)`, in an array; those of a long table are alike."""
        array = np.full(self.shape, np.nan)
        for each in range(self.shape[2] if self.target is None else 1):
            target = each if self.target is None else self.target
            array[self.samples, self.steps, target, self.paths] = cells[self.rows, each]
        return array


def _origins(actual: Actual, series: Ints, cutoffs: Ints) -> Ints:
    """The row after the last one that was known at each cutoff."""
    moments, indptr = actual.moments, actual.indptr
    return np.array(
        [
            indptr[each]
            + np.searchsorted(moments[indptr[each] : indptr[each + 1]], cutoff, "right")
            for each, cutoff in zip(series.tolist(), cutoffs.tolist(), strict=True)
        ],
        np.int64,
    )


def _scored(forecasts: Forecasts, on_event: Listener) -> Forecasts:
    """Only actual values for which every forecaster has a forecast count.

    Raises:
        DataError: There is none.
    """
    known = np.isfinite(forecasts.actual)
    whole = known.copy()
    for values in forecasts.values.values():
        found = np.isfinite(values)
        whole &= found.all(axis=-1) if found.ndim > known.ndim else found
    lost = int(known.sum() - whole.sum())
    if not whole.any():
        raise DataError(
            f"None of {known.sum():,} actual values has a forecast"
            f"{' of every model' if len(forecasts.values) > 1 else ''}.",
            "Fill in the forecasts, or name columns that hold some: --forecast NAME.",
        )
    if lost:
        every = " of every forecaster" if len(forecasts.values) > 1 else ""
        text = f"{lost:,} of {known.sum():,} actual values have no forecast{every}: left out"
        on_event(Note(text, warning=True))
    samples = np.flatnonzero(whole.any(axis=(1, 2)))
    steps = int(np.flatnonzero(whole.any(axis=(0, 2))).max()) + 1

    def cut(values: Any) -> Any:
        return values[samples, :steps]

    return Forecasts(
        cut(np.where(whole, forecasts.actual, np.nan)),
        forecasts.series[samples],
        forecasts.origins[samples],
        cut(forecasts.offsets),
        {name: cut(each) for name, each in forecasts.values.items()},
        {name: cut(each) for name, each in forecasts.lower.items()},
        {name: cut(each) for name, each in forecasts.upper.items()},
    )
