"""Scores of a table of forecasts against the actual values, and those of baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..baselines.naive import BaselineInput
from ..baselines.registry import forecast_baseline, usable
from ..config.registries import NAIVE2
from ..config.sections import Data
from ..core.error_scale import seasonal_pair
from ..core.errors import UsageError
from ..core.events import Listener, Note, ignore
from ..core.windows import Floats
from ..data.dates.time_column import find_time
from ..data.io.in_memory import from_memory
from ..data.io.opening import Opened, open_in_memory, open_with_notes
from ..data.io.tables import Readable
from ..data.layouts import as_long
from ..data.missing import last_known
from .metrics.interval import (
    PINBALL_LEVELS,
    IntervalSums,
    QuantileSums,
    quantile_levels,
    sample_crps,
)
from .metrics.point import ErrorSums
from .reports import Report, make_report
from .tables.actuals import Actual, read_actual
from .tables.column_roles import Roles, Tables, find_roles, forecasts_as_long
from .tables.forecast_tables import Forecasts, read_forecasts

# The baselines that a table of forecasts is compared with.
COMPARED = ("naive", "seasonal-naive")
LEVEL = (80.0, 95.0)
AS_IT_IS = Data()


def take_quantiles(paths: Floats, levels: tuple[float, ...]) -> Floats:
    """Return quantiles of sample paths.

    Args:
        paths: Shape `(samples, horizon, targets, paths)`, original units.
        levels: Between 0 and 1.

    Returns:
        Shape `(samples, horizon, targets, quantiles)`, original units.
    """
    return np.moveaxis(np.quantile(paths, levels, axis=-1), 0, -1)


def score_distributions(
    given: Forecasts,
    points: Mapping[str, Floats],
    levels: Mapping[str, tuple[float, ...]],
    series: int,
    on_event: Listener,
) -> tuple[dict[str, IntervalSums], dict[str, QuantileSums]]:
    """Return the sums of intervals and of quantiles, for each forecaster that has some.

    Args:
        given: The forecasts.
        points: The point forecasts, or the medians of sample paths, by forecaster, each of shape
            `(samples, horizon, targets)`, original units.
        levels: The levels of the intervals of each forecaster, in percent, ascending.
        series: How many series the table of actual values has.
        on_event: Notified of intervals that are crossed or incomplete.
    """
    shape = (series, given.actual.shape[1], given.actual.shape[2])
    intervals: dict[str, IntervalSums] = {}
    quantiles: dict[str, QuantileSums] = {}
    for name, values in given.values.items():
        if not given.paths and name not in given.lower:
            continue
        level, actual = levels[name], given.actual
        asked = quantile_levels(level)
        quantile_sums = QuantileSums(*shape, PINBALL_LEVELS if given.paths else asked)
        if given.paths:
            at = take_quantiles(values, asked)
            bounds = at[..., len(level) - 1 :: -1], at[..., len(level) + 1 :]
            found = take_quantiles(values, PINBALL_LEVELS)
            quantile_sums.add(actual, found, given.series, crps=sample_crps(actual, values))
        else:
            bounds = given.lower[name], given.upper[name]
            actual = _with_intervals(actual, bounds, name, on_event)
            several = [bounds[0][..., ::-1], points[name][..., None], bounds[1]]
            quantile_sums.add(actual, np.concatenate(several, axis=-1), given.series)
        quantiles[name] = quantile_sums
        intervals[name] = interval_sums = IntervalSums(*shape, level)
        interval_sums.add(actual, *bounds, given.series)
    return intervals, quantiles


def _with_intervals(
    actual: Floats, bounds: tuple[Floats, Floats], name: str, on_event: Listener
) -> Floats:
    """Return the actual values that have an interval at each level, NaN for the others.

    Shapes `(samples, horizon, targets)`, and with an axis of levels for both ends, original units.
    """
    lower, upper = bounds
    complete = (np.isfinite(lower) & np.isfinite(upper)).all(axis=-1)
    known = np.isfinite(actual)
    crossed = int((known[..., None] & (lower > upper)).any(axis=-1).sum())
    if crossed:
        text = f"{crossed:,} intervals of {name} have a lower end above the upper one"
        on_event(Note(text, warning=True))
    lost = int((known & ~complete).sum())
    if lost:
        text = f"{lost:,} of {known.sum():,} forecasts of {name} have no interval"
        on_event(Note(f"{text}: coverage and width leave them out", warning=True))
    return np.where(complete, actual, np.nan)


@dataclass(frozen=True)
class Asked:
    """What is wanted of the scores.

    Args:
        forecasts: The columns of forecasts, where they are not called like the column.
        level: Of the intervals that are made of sample paths, percent; None: 80 and 95.
        owa: Whether OWA is wanted, and Naive2 beside.
        begin: Where steps are counted: the row of the truth, from 1, of the first; None: 1.
    """

    forecasts: Sequence[str] = ()
    level: tuple[float, ...] | None = None
    owa: bool = False
    begin: int | None = None

    def __post_init__(self) -> None:
        if not all(0 < each < 100 for each in self.level or ()):
            raise UsageError(
                f"Invalid level {', '.join(f'{each:g}' for each in self.level or ())}: "
                "percentages between 0 and 100 were expected.",
                "Pass `level=80,95`, for example.",
            )


USUAL = Asked()


def score_table(
    forecast: Readable,
    truth: Readable,
    *,
    data: Data = AS_IT_IS,
    asked: Asked = USUAL,
    on_event: Listener = ignore,
) -> Report:
    """Score a table of forecasts against the truth.

    Args:
        forecast: What `predict` or `backtest` writes, sample paths too, or another table with a
            row for each series and time.
        truth: The actual values: rows in any order, later ones and other columns among them. What
            comes before the first forecast of a series gives the scaled errors and the simple
            forecasts beside.
        data: How the truth is read; its columns are those of both where it names none.
        asked: What is wanted.
        on_event: Notified of what was found and left out.

    Raises:
        DataError: The tables have nothing in common, or one of them is not what is needed.
        UsageError: Something is asked for that does nothing here.
    """
    tables, data = _open(forecast, truth, data, on_event)
    roles = find_roles(tables, data, asked.forecasts, on_event)
    time = tables.time if roles.time else None
    named = {"series": roles.series, "targets": roles.targets}
    actual = read_actual(tables.truth, data, time, **named, on_event=on_event)
    given = read_forecasts(tables.given, roles, actual, data, begin=asked.begin, on_event=on_event)
    if roles.in_sample:
        text = "these are forecasts of one step, each from the actual rows before it"
        on_event(Note(f"{text}: errors of several steps ahead are larger"))
    levels = _levels(given, roles, asked)
    simple = _simple(actual, given, on_event, owa=asked.owa)
    return _report(actual, given, roles.targets, levels, simple, on_event)


def _open(
    forecast: Readable, truth: Readable, data: Data, on_event: Listener
) -> tuple[Tables, Data]:
    """Both tables with a row for each series and step, and how the truth is read."""
    if data.label:
        raise UsageError(
            "A table of forecasts has steps ahead, and labels have none.",
            "Leave the label out, or evaluate the model on sequences.",
        )
    opened, long = as_long(_opened(truth, "the truth", data, on_event), data, on_event)
    given = _opened(forecast, "the forecasts", AS_IT_IS, on_event)
    if data.layout == "columns":
        given = forecasts_as_long(given, long)
    return Tables(given, opened, find_time(opened.head(), long, on_event)), long


def _opened(source: Readable, name: str, data: Data, on_event: Listener) -> Opened:
    """A table; frames, which have no name, are told apart."""
    if (table := from_memory(source, name)) is not None:
        return open_in_memory(table)
    return open_with_notes(source, data.dialect, on_event)


def _levels(given: Forecasts, roles: Roles, asked: Asked) -> Mapping[str, tuple[float, ...]]:
    """Return the levels of the intervals of each forecaster; refuse some where none are made."""
    if given.paths:
        return dict.fromkeys(given.values, tuple(sorted({*(asked.level or LEVEL)})))
    if asked.level is not None:
        raise UsageError(
            "Levels are chosen of sample paths, and the table of forecasts has none.",
            "Leave `level` out: the intervals that are in the table are scored.",
        )
    return roles.levels


def _simple(
    actual: Actual, given: Forecasts, on_event: Listener, *, owa: bool
) -> dict[str, Floats]:
    """The baselines, where there are rows before every forecast; shape as the others."""
    values, origins, season = actual.values, given.origins, actual.season_length
    first = actual.indptr[given.series]
    known = np.isfinite(values)
    counted = np.concatenate([np.zeros((1, known.shape[1]), np.int64), np.cumsum(known, axis=0)])
    if not (counted[origins] > counted[first]).all():
        if owa:
            text = "no owa: some series have no row before the first forecast"
            on_event(Note(text, warning=True))
        return {}
    # Nothing that comes after an origin is before it: each has a value of its own there.
    filled, horizon = last_known(values, actual.indptr), int(given.offsets.max()) + 1
    known_rows = BaselineInput(filled, origins, first, horizon, season)
    names = [*usable(known_rows.history, season, names=COMPARED), *[NAIVE2] * owa]
    places = np.arange(len(origins))[:, None], given.offsets
    return {
        name: forecast_baseline(name, known_rows).point[places]
        for name in names
        if name not in given.values
    }


def _report(
    actual: Actual,
    given: Forecasts,
    targets: Sequence[str],
    levels: Mapping[str, tuple[float, ...]],
    simple: Mapping[str, Floats],
    on_event: Listener,
) -> Report:
    """Return the sums of all forecasters as tables; `simple` has shapes as `given.actual`."""
    scales = _naive_errors(actual, given, on_event)
    if given.paths:
        on_event(Note("the forecast is the median of the sample paths"))
    # Of sample paths the median; a step without paths has nothing to score.
    points = {
        name: np.median(each, axis=-1) if each.ndim > given.actual.ndim else each
        for name, each in given.values.items()
    } | dict(simple)
    errors = {name: ErrorSums(scales, given.actual.shape[1]) for name in points}
    for name, sums in errors.items():
        sums.add(given.actual, points[name], given.series)
    intervals, quantiles = score_distributions(given, points, levels, len(actual.ids), on_event)
    report = make_report(
        errors,
        targets,
        actual.ids,
        intervals=intervals,
        quantiles=quantiles,
        owa=NAIVE2 if NAIVE2 in simple else None,
    )
    season = actual.season_length if np.isfinite(scales[0]).any() else 0
    return replace(report, forecasts=len(given.series), season_length=season)


def _naive_errors(actual: Actual, given: Forecasts, on_event: Listener) -> Floats:
    """The in-sample errors of the seasonal naive forecast before the first forecast of each series.

    Shape `(2, n_series, targets)`: the mean absolute and the mean squared one.
    """
    ends = actual.indptr[1:].copy()
    np.minimum.at(ends, given.series, given.origins)
    season = actual.season_length
    scales = seasonal_pair(actual.values, actual.indptr, ends, season_length=season)
    scored = np.unique(given.series)
    without = int((~(scales[0][scored] > 0)).any(axis=1).sum())
    if without:
        what = "of the truth, at least two that differ, before the first forecast"
        some = f"{without:,} of {len(scored):,} series have none"
        some = "there are none" if len(scored) == 1 else some
        on_event(Note(f"mase and rmsse need rows {what}: {some}", warning=True))
    elif actual.trouble:
        on_event(Note(f"{actual.trouble} Rows are taken as the steps.", warning=True))
    return scales
