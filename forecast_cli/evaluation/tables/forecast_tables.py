"""Tables of forecasts as arrays, beside the actual values of the same series and times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ...core.windows import Floats, Ints
from ...data.groups import group_rows, settle_names
from ...data.io.opening import Opened
from ...data.io.tables import Table
from .actuals import Actual
from .column_roles import COLUMN, CUTOFF, SAMPLE, Roles, bound_name
from .row_matching import ForecastRows, find_rows, nothing_common, rows_of_targets


@dataclass(frozen=True)
class Forecasts:
    """Forecasts and actual values: a sample for each series and cutoff, K targets.

    Args:
        actual: Shape `(samples, horizon, K)`, original units, NaN where there is nothing to score.
        series: Shape `(samples,)`: the series of each.
        origins: Shape `(samples,)`: the row of the actual values after the last known one.
        offsets: Shape `(samples, horizon)`: how many rows of the actual values each step is after
            its origin; 0 where there is nothing to score.
        values: Of each forecaster, shape `(samples, horizon, K)`; with an axis of paths at the end
            where there are sample paths.
        lower: Of each forecaster with intervals, shape `(samples, horizon, K, levels)`.
        upper: As `lower`.
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
        roles: What its columns hold.
        actual: The actual values.
        data: How dates are read.
        begin: Where steps are counted and there is no cutoff: the row, from 1, of the first; None
            for the first row.
        on_event: Notified of what is left out.

    Raises:
        DataError: A cell is invalid, a forecast is repeated, or none has an actual value.
    """
    text = [*roles.series, *([roles.time] if roles.time else []), *(roles.marks & {CUTOFF, COLUMN})]
    table = given.read(roles.needed, text=text if roles.time else [*roles.series])
    table = rows_of_targets(table, roles)
    groups = group_rows(table, roles.series)
    groups = settle_names(table, groups, data.similar_names, on_event, known=actual.ids)
    rows = find_rows(table, groups, roles, actual, data, begin or 1)
    _check_begin(roles, actual, rows, begin, on_event)
    places = actual.rows_at(rows.series, rows.moment)
    places[rows.series < 0] = -1
    if (places < 0).all():
        raise nothing_common(table, groups, roles, actual, rows)
    truth = np.where(places[:, None] < 0, np.nan, actual.values[places])
    if COLUMN in roles.marks:
        truth = truth[np.arange(len(truth)), rows.target][:, None]
    _note_left_out(table, actual, truth, on_event)
    return _with_all_forecasts(_arrays(table, roles, actual, rows, places, truth), on_event)


def _note_left_out(table: Table, actual: Actual, truth: Floats, on_event: Listener) -> None:
    """Notify of rows without an actual value, and refuse a table without any.

    `truth` has shape `(rows, K)`, or `(rows, 1)` of a long table.
    """
    keep = np.asarray(np.isfinite(truth).any(axis=1))
    if not keep.any():
        raise DataError(
            f"{actual.source} has rows at the times of {table.name}, and no value in any of them.",
            "Score the forecasts once the values are known.",
        )
    if not keep.all():
        some = int((~keep).sum())
        where = f"{table.name} have no actual value in {actual.source}"
        on_event(Note(f"{some:,} of {len(keep):,} rows of {where}: left out", warning=True))


def _check_begin(
    roles: Roles, actual: Actual, rows: ForecastRows, begin: int | None, on_event: Listener
) -> None:
    """Notify of where counted steps begin; refuse `start` where it has no effect."""
    counted = roles.time is None and CUTOFF not in roles.marks and not roles.in_sample
    if begin is not None and not counted:
        raise UsageError(
            f"`start={begin}` is the row of the first step, and the table of forecasts has the "
            "time of each step.",
            "Omit it.",
        )
    if counted and begin is None and np.diff(actual.indptr).max() > rows.moment.max() + 1:
        text = (
            f"step 1 is taken as the first row of {actual.source}, which has more rows than steps"
        )
        on_event(Note(f"{text}: give the row of step 1 with `start`", warning=True))


def _arrays(
    table: Table, roles: Roles, actual: Actual, rows: ForecastRows, found: Ints, truth: Floats
) -> Forecasts:
    """Arrange the rows that have an actual value by sample and step.

    `found`, shape `(rows,)`, is the row of the actual values of each; `truth`, shape `(rows, K)`,
    or `(rows, 1)` of a long table, are these values, original units.
    """
    keep = np.flatnonzero(np.isfinite(truth).any(axis=1))
    samples, first, places = np.unique(rows.sample[keep], return_index=True, return_inverse=True)
    series, steps = rows.series[keep[first]], rows.step[keep]
    origins = _origins(actual, series, rows.cutoff[keep[first]])
    after = found[keep] - origins[places]
    # Steps are counted from the cutoff, and where the actual values begin after it, in the table.
    steps = np.maximum(steps, after) if CUTOFF in roles.marks else steps
    shape = (len(samples), int(steps.max()) + 1, len(roles.targets), int(rows.path.max()) + 1)
    offsets = np.zeros(shape[:2], np.int64)
    offsets[places, steps] = after
    grid = _Grid(table, roles, rows, keep, places, steps, shape)
    values = {name: grid.read(columns) for name, columns in roles.forecasters.items()}
    known = np.fmax.reduce(grid.spread(truth), axis=-1)
    return Forecasts(known, series, origins, offsets, values, grid.bounds("lo"), grid.bounds("hi"))


@dataclass(frozen=True)
class _Grid:
    """Arranges cells by sample, step, target and path, shape `(samples, horizon, K, paths)`.

    `keep` are the rows to arrange, `samples` and `steps` their places, shape `(kept,)` each.
    """

    table: Table
    roles: Roles
    rows: ForecastRows
    keep: Ints
    samples: Ints
    steps: Ints
    shape: tuple[int, int, int, int]

    def spread(self, cells: Floats) -> Floats:
        """Arrange cells, shape `(rows, K)`, or `(rows, 1)` of a long table."""
        array, path = np.full(self.shape, np.nan), self.rows.path[self.keep]
        if COLUMN in self.roles.marks:
            array[self.samples, self.steps, self.rows.target[self.keep], path] = cells[self.keep, 0]
        else:
            array[self.samples, self.steps, :, path] = cells[self.keep]
        return array

    def read(self, columns: tuple[str, ...]) -> Floats:
        """Arrange columns, with an axis of paths, shape `(samples, horizon, K, paths)`, if any."""
        own = self.spread(np.column_stack([self.table.numbers(each) for each in columns]))
        return own if SAMPLE in self.roles.marks else own[..., 0]

    def bounds(self, side: str) -> dict[str, Floats]:
        """Arrange the ends of intervals, shape `(samples, horizon, K, levels)` each."""
        return {
            name: np.stack([self.read(tuple(bound_name(each, side, level) for each in columns))
                            for level in self.roles.levels[name]], axis=-1)
            for name, columns in self.roles.forecasters.items() if self.roles.levels[name]
        }  # fmt: skip


def _origins(actual: Actual, series: Ints, cutoffs: Ints) -> Ints:
    """Return the row after the last one known at each cutoff; all of shape `(samples,)`."""
    moments, indptr = actual.moments, actual.indptr
    known = [
        np.searchsorted(moments[indptr[each] : indptr[each + 1]], cutoff, "right")
        for each, cutoff in zip(series.tolist(), cutoffs.tolist(), strict=True)
    ]
    origins: Ints = indptr[series] + np.array(known, np.int64)
    return origins


def _with_all_forecasts(forecasts: Forecasts, on_event: Listener) -> Forecasts:
    """Return only the actual values for which every forecaster has a forecast; refuse none."""
    known = np.isfinite(forecasts.actual)
    whole = known.copy()
    for values in forecasts.values.values():
        found = np.isfinite(values)
        whole &= found.all(axis=-1) if found.ndim > known.ndim else found
    every = " of every forecaster" if len(forecasts.values) > 1 else ""
    if not whole.any():
        raise DataError(
            f"None of {known.sum():,} actual values has a forecast{every}.",
            "Fill in the forecasts, or name columns that hold some: `forecast=NAME`.",
        )
    if lost := int(known.sum() - whole.sum()):
        text = f"{lost:,} of {known.sum():,} actual values have no forecast{every}: left out"
        on_event(Note(text, warning=True))
    samples = np.flatnonzero(whole.any(axis=(1, 2)))
    steps = int(np.flatnonzero(whole.any(axis=(0, 2))).max()) + 1

    def cut(values: Any) -> Any:
        if isinstance(values, Mapping):
            return {name: cut(each) for name, each in values.items()}
        return values[samples, :steps]

    return Forecasts(
        cut(np.where(whole, forecasts.actual, np.nan)),
        forecasts.series[samples],
        forecasts.origins[samples],
        *map(cut, (forecasts.offsets, forecasts.values, forecasts.lower, forecasts.upper)),
    )
