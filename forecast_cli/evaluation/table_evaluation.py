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
from .metrics.point import ErrorSums
from .reports import Report, make_report
from .tables.actuals import Actual, read_actual
from .tables.column_roles import Roles, Tables, find_roles, forecasts_as_long
from .tables.distributions import score_distributions
from .tables.forecast_tables import Forecasts, read_forecasts

# The baselines that a table of forecasts is compared with.
COMPARED = ("naive", "seasonal-naive")
LEVEL = (80.0, 95.0)
AS_IT_IS = Data()


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
            on_event(
                Note("no owa: some series have no row before the first forecast", warning=True)
            )
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
    points = {name: _points(given, each) for name, each in given.values.items()} | dict(simple)
    errors = {name: ErrorSums(scales[0], scales[1], given.actual.shape[1]) for name in points}
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
    in_sample = np.isfinite(scales[0]).any()
    return replace(
        report,
        forecasts=len(given.series),
        season_length=actual.season_length if in_sample else 0,
    )


def _points(given: Forecasts, values: Floats) -> Floats:
    """The forecasts themselves: of sample paths the median."""
    if values.ndim == given.actual.ndim:
        return values
    # A step without paths has nothing to score; the median of nothing would be a warning.
    return np.median(values, axis=-1)


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
        some = (
            "there are none"
            if len(scored) == 1
            else f"{without:,} of {len(scored):,} series have none"
        )
        on_event(Note(f"mase and rmsse need rows {what}: {some}", warning=True))
    elif actual.trouble:
        on_event(Note(f"{actual.trouble} Rows are taken as the steps.", warning=True))
    return scales
