"""Charts of errors: residuals, errors by step, series and class, and the coverage of intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import DataError, UsageError, counted
from ...core.seasonality import autocorrelations
from ...core.windows import Floats
from ...data.panel import STEP
from ...evaluation.reports import Report
from ...forecasting.frames import FORECAST_SUFFIX
from ...model.bundle import Bundle
from ...model.manifest import Evaluation, LabelEvaluation, Manifest
from .description import (
    Axes,
    Bars,
    Chart,
    Line,
    Points,
    Positions,
    bar_axes,
    positions,
    thinned,
    values,
)
from .source import Source

# What only charts of forecasts depend on.
FORECASTS_ONLY = ("only", "last", "start", "level", "future")
# The most lags of an autocorrelation, bins of a histogram, and bars of series.
LAGS, BINS, SERIES = 40, 30, 15


def has_labels(source: Source) -> bool:
    """Whether the model maps sequences to labels.

    Raises:
        UsageError: It does, and its charts have no use for what else is given.
    """
    if source.bundle is None or source.bundle.manifest.labels is None:
        return False
    given = [name for name in FORECASTS_ONLY if getattr(source, name)]
    if source.table is not None or given:
        what = f"`{given[0]}`" if given else "a table"
        raise UsageError(
            f"The model maps sequences to labels: its charts have no use for {what}.",
            "Leave it out: they are drawn from what the model file keeps.",
        )
    return True


def draw_label_errors(bundle: Bundle) -> Chart:
    """Describe the errors on the test split, beside the baseline's; of classes also each class's.

    Raises:
        UsageError: The model was not scored.
    """
    manifest = bundle.manifest
    evaluation = manifest.evaluation
    if not isinstance(evaluation, LabelEvaluation):
        raise UsageError(
            "The model was not scored: there was no test split.",
            "Pass `kind=loss` for its training history.",
        )
    if evaluation.confusion:
        axes = [_of_guessers(evaluation, "accuracy", ""), _of_classes(manifest, evaluation)]
    else:
        axes = [_of_guessers(evaluation, "mae", label) for label in evaluation.own_scores["mae"]]
    rows = tuple(replace(each, row=number) for number, each in enumerate(axes))
    return Chart("errors", f"test errors ({manifest.name})", evaluation.verdict, rows)


def _of_guessers(evaluation: LabelEvaluation, metric: str, label: str) -> Axes:
    """Describe the error of the model and of the simplest prediction."""
    names = tuple(evaluation.scores)
    label = label or next(iter(evaluation.own_scores[metric]))
    scores = [evaluation.scores[name][metric][label] for name in names]
    unit = "mean absolute error"
    if metric == "accuracy":
        unit = "wrong classes in percent"
        scores = [None if each is None else 100 * (1 - each) for each in scores]
    return bar_axes(f"test error, {label}", unit, names, tuple(scores))


def _of_classes(manifest: Manifest, evaluation: LabelEvaluation) -> Axes:
    """Describe how many of the sequences of each class got another one."""
    classes = () if manifest.labels is None else manifest.labels.classes
    shares = tuple(
        100 * (1 - counts[place] / sum(counts)) if sum(counts) else None
        for place, counts in enumerate(evaluation.confusion)
    )
    names = tuple(map(str, classes))
    return bar_axes("test error by actual class", "wrong in percent", names, shares)


def draw_residuals(source: Source) -> Chart:
    """Describe the residuals, their autocorrelation and their histogram."""
    if source.table is not None:
        return _residuals_of_rows(source)
    calibration = source.model.calibration
    if calibration is None:
        raise UsageError(
            "The model file keeps no validation errors.",
            "Name DATA, a table whose rows are forecast.",
        )
    errors = calibration.of_forecasts[:, 0, 0]
    x = positions(np.arange(1.0, len(errors) + 1))
    unit = "in mean errors of its series"
    lines = Line("residual", x, values(errors)), _level("", x, 0.0)
    axes = Axes("validation split, first step", "forecast", unit, lines=lines)
    return _with_distribution(axes, errors)


def _residuals_of_rows(source: Source) -> Chart:
    """Describe the residuals of one-step forecasts over a table, of one series and target."""
    from ...forecasting.prediction import forecast_in_sample

    bundle, (series, target) = source.model, source.parts[0]
    panel = source.panel.only(np.array([series]))
    frame = forecast_in_sample(bundle, panel, source.on_event)
    time = bundle.manifest.time
    label, column = time.name if time else STEP, bundle.manifest.targets[target]
    name = source.name(series, target)
    frame = frame if source.last is None else frame[-source.last :]
    errors = (frame[column] - frame[f"{column}{FORECAST_SUFFIX}"]).to_numpy(float)
    x = positions(pd.DatetimeIndex(frame[label]) if time else frame[label].to_numpy(float))
    kept = thinned(errors)
    line = Line("residual", tuple(x[k] for k in kept), values(errors[kept]))
    unit = f"actual minus forecast, {column}"
    axes = Axes(f"one-step forecasts, {name}", label, unit, "time" if time else "number")
    return _with_distribution(replace(axes, lines=(line, _level("", x, 0.0))), errors)


def _level(name: str, x: Positions, height: float) -> Line:
    """Return a horizontal line from the first to the last position."""
    return Line(name, (x[0], x[-1]), (height, height), "reference")


def _with_distribution(axes: Axes, errors: Floats) -> Chart:
    """Return a chart of residuals, shape `(n,)`, with their autocorrelation and histogram."""
    known = errors[np.isfinite(errors)]
    if len(known) < 3:
        raise DataError(
            f"There are {counted(len(known), 'residual')}: too few for a chart.", "Give more rows."
        )
    # Missing errors do not count.
    apart = np.nan_to_num(errors - known.mean())
    lags = autocorrelations(apart, min(LAGS, len(errors) - 2, max(10, len(errors) // 4)))
    x, limit = positions(np.arange(1.0, len(lags) + 1)), 1.96 / np.sqrt(len(known))
    bounds = (_level("95 % limits of white noise", x, limit), _level("", x, -limit))
    bars = (Bars("autocorrelation", x, values(lags)),)
    correlation = Axes("autocorrelation", "lag", "correlation", lines=bounds, bars=bars, row=1)
    heights, edges = np.histogram(known, min(BINS, max(5, int(np.sqrt(len(known))))))
    middle = positions((edges[1:] + edges[:-1]) / 2)
    bars = (Bars("residuals", middle, values(heights)),)
    histogram = Axes("histogram", "residual", "number of residuals", bars=bars, row=1)
    outside = int((np.abs(lags) > limit).sum())
    text = f"{counted(len(known), 'residual')}, mean {known.mean():.4g}, standard deviation "
    text += f"{known.std():.4g}; {outside} of {len(lags)} autocorrelations are outside the limits."
    return Chart("residuals", "residuals", text, (axes, correlation, histogram))


def draw_errors(source: Source) -> Chart:
    """Describe the error at each step ahead, and by series or beside the baselines."""
    if source.bundle is not None and source.bundle.manifest.labels is not None:
        return draw_label_errors(source.bundle)
    if source.forecast is not None or source.table is not None:
        return chart_of_report(source.report)
    bundle, evaluation = source.model, source.evaluation
    axes = []
    if bundle.calibration is not None:
        errors = np.abs(bundle.calibration.of_forecasts)
        means = np.nanmean(errors, axis=(0, 2))
        x = positions(np.arange(1.0, len(means) + 1))
        lines, title = (Line("mean absolute error", x, values(means)),), "mean error by step"
        axes.append(Axes(f"{title}, validation split", "step ahead", "in mean errors", lines=lines))
    if len(bundle.scores) > 1:
        axes.append(_by_series(bundle.scores, row=len(axes)))
    elif evaluation is not None:
        axes.append(_by_forecaster(evaluation, row=len(axes)))
    if not axes:
        raise UsageError("The model has no scores.", "Name DATA, a table whose rows are forecast.")
    text = evaluation.verdict if evaluation is not None else "Errors on the validation split."
    return Chart("errors", "errors", text, tuple(axes))


def _by_forecaster(evaluation: Evaluation, row: int) -> Axes:
    """Describe the test error of the model beside those of the baselines."""
    names = tuple(evaluation.scores)
    target = next(iter(evaluation.scores[names[0]]["mae"]))
    heights = tuple(evaluation.scores[name]["mae"][target] for name in names)
    return bar_axes(f"test error, {target}", "mean absolute error", names, heights, row)


def _by_series(rows: Sequence[Mapping[str, Any]], row: int) -> Axes:
    """Describe the errors of the series with the largest ones, from rows as `Report` has them."""
    measure = "mase" if any(each.get("mase") is not None for each in rows) else "mae"
    keys = [name for name in rows[0] if isinstance(rows[0][name], str)]
    worst = sorted(rows, key=lambda each: each[measure] or 0.0, reverse=True)[:SERIES]
    names = tuple(" ".join(str(each[key]) for key in keys) for each in worst)
    title = f"{measure.upper()} by series" + (", the largest" if len(rows) > SERIES else "")
    return bar_axes(title, measure.upper(), names, tuple(each[measure] for each in worst), row)


def chart_of_report(report: Report) -> Chart:
    """Describe the errors of a report, by step and by series."""
    columns = list(dict.fromkeys(str(row.get("column", "")) for row in report.by_step))
    first = [row for row in report.by_step if str(row.get("column", "")) == columns[0]]
    steps = positions([float(row["step"]) for row in first])
    lines = tuple(
        Line(
            f"mean absolute error {column}".strip(),
            steps,
            tuple(row["mae"] for row in report.by_step if str(row.get("column", "")) == column),
            "actual" if number == 0 else "other",
            number,
        )
        for number, column in enumerate(columns)
    )
    axes = [Axes("error by step", "step ahead", "mean absolute error", lines=lines)]
    if report.series > 1:
        axes.append(_by_series(report.by_series, row=1))
    begin, end = lines[0].y[0], lines[0].y[-1]
    text = f"Mean absolute error of {counted(report.forecasts, 'forecast')} by step ahead"
    text += f": {_short(begin)} at the first and {_short(end)} at the last of {len(steps)}."
    return Chart("errors", "errors", text, tuple(axes))


def _short(number: float | None) -> str:
    return "unknown" if number is None else f"{number:.4g}"


def draw_coverage(source: Source) -> Chart:
    """Describe which share of the actual values is within the intervals of each level."""
    if source.table is not None or source.forecast is not None:
        found = _coverage_of_report(source)
    else:
        scores = () if source.evaluation is None else source.evaluation.intervals
        found = {each.level: next(iter(each.coverage.values())) for each in scores}
    if not found:
        raise UsageError(
            "There are no intervals whose coverage is known.",
            "Name DATA, actual values that the model has not learned from.",
        )
    levels = sorted(found)
    x = positions(levels)
    y = tuple(found[level] for level in levels)
    lines = (
        Line("as it should be", (0.0, 100.0), (0.0, 100.0), "reference"),
        Line("coverage", x, y, "forecast"),
    )
    shown: Any = {"lines": lines, "points": (Points("coverage", x, y),)}
    axes = Axes("coverage of the intervals", "level in percent", "coverage in percent", **shown)
    text = ", ".join(f"{level:g} % intervals hold {_short(found[level])} %" for level in levels)
    return Chart("coverage", "coverage by level", f"Of the actual values, {text}.", (axes,))


def _coverage_of_report(source: Source) -> dict[float, float | None]:
    """Return coverage in percent by level, of the first target."""
    overall = source.report.overall
    name = next(key for key in overall[0] if key not in ("measure", "column"))
    found: dict[float, float | None] = {}
    for row in overall[::-1]:
        if row["measure"].startswith("coverage"):
            level = float(row["measure"].removeprefix("coverage"))
            found[level] = row[name]
    return found
