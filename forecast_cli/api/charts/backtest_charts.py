"""Charts of backtests and of comparisons."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...core.errors import UsageError, counted, nearest
from .description import Axes, Chart, Kind, Line, Positions, bar_axes, positions, values
from .forecast_parts import choose

if TYPE_CHECKING:
    from ...backtesting.backtest import Backtest
    from ...backtesting.comparison import Comparison

CUTOFF, COLUMN, ACTUAL = "cutoff", "column", "actual"


def describe_backtest(result: "Backtest", kind: str, only: str | None = None) -> Chart:
    """Describe a backtest: its errors, or its forecasts and the actual values.

    Args:
        result: The backtest.
        kind: `errors`, by step and by cutoff, or `test`, the forecasts.
        only: The series whose forecasts are drawn; the first where None.

    Raises:
        UsageError: There is no such kind or series.
    """
    kinds: dict[str, Callable[[Backtest], Chart]]
    kinds = {"errors": _errors, "test": partial(_forecasts, only=only)}
    if kind not in kinds:
        raise UsageError(f'There is no chart "{kind}" of a backtest.', nearest(kind, kinds))
    return kinds[kind](result)


def _errors(result: "Backtest") -> Chart:
    """Describe the error of each candidate at each step and at each cutoff."""
    steps = _lines(result.by_step, "step", [row["step"] for row in result.by_step])
    first = Axes("error by step", "step ahead", "mean absolute error", lines=steps)
    labels = [row["cutoff"] for row in result.by_cutoff]
    timed = result.style is not None
    x: list[Any] = labels
    if timed:
        x = list(positions(pd.DatetimeIndex(result.frame[CUTOFF].drop_duplicates().sort_values())))
    lines = _lines(result.by_cutoff, "cutoff", x)
    kind: Kind = "time" if timed else "number"
    second = Axes("error by cutoff", "cutoff", "mean absolute error", kind, lines, row=1)
    return Chart("errors", "backtest", result.verdict, (first, second))


def _lines(rows: Sequence[dict[str, Any]], key: str, x: Sequence[Any]) -> tuple[Line, ...]:
    """Return a line for each candidate of a table, of its first target where there are several."""
    columns = {row.get(COLUMN) for row in rows[:1]}
    own = [(at, row) for at, row in zip(x, rows, strict=True) if row.get(COLUMN) in columns]
    places: Positions = tuple(at if isinstance(at, str) else float(at) for at, _ in own)
    names = [name for name in rows[0] if name not in (key, COLUMN, "forecasts")]
    return tuple(
        Line(name, places, tuple(row[name] for _, row in own), "other", number)
        for number, name in enumerate(names)
    )


def _forecasts(result: "Backtest", *, only: str | None) -> Chart:
    """Describe the forecasts of all candidates from each cutoff, of one series and target."""
    frame = result.frame
    keys = list(frame)[: list(frame).index(CUTOFF)]
    name = ""
    if keys:
        names = frame[keys].astype(str).agg(" ".join, axis=1)
        name = choose(names.unique(), () if only is None else (only,))[0]
        frame = frame[names == name]
    if COLUMN in frame:
        frame = frame[frame[COLUMN] == frame[COLUMN].iloc[0]]
    timed = result.style is not None
    lines = []
    for number, candidate in enumerate(dict.fromkeys(row["model"] for row in result.scores)):
        for _, own in frame.groupby(CUTOFF, sort=True):
            x = _positions(own[result.time], timed)
            lines.append(
                Line(candidate, x, values(own[candidate].to_numpy(float)), "other", number)
            )
    actual = frame.drop_duplicates(result.time).sort_values(result.time)
    x = _positions(actual[result.time], timed)
    lines.insert(0, Line("actual values", x, values(actual[ACTUAL].to_numpy(float))))
    title = f"forecasts from {counted(frame[CUTOFF].nunique(), 'cutoff')}"
    kind: Kind = "time" if timed else "number"
    axes = Axes(name or title, result.time, "value", kind, tuple(lines))
    return Chart("test", f"backtest, {title}", result.verdict, (axes,))


def _positions(column: "pd.Series[Any]", timed: bool) -> Positions:
    return positions(pd.DatetimeIndex(column) if timed else column.to_numpy(float))


def describe_comparison(result: "Comparison") -> Chart:
    """Describe the errors of the models and baselines that were compared."""
    first = result.rows[0].get(COLUMN)
    rows = [row for row in result.rows if row.get(COLUMN) == first]
    several = result.bundle.series is not None and all(row["mase"] is not None for row in rows)
    measure = "mase" if several else "mae"
    label = "MASE" if several else "mean absolute error"
    names = tuple(str(row["model"]) for row in rows)
    heights = tuple(row[measure] for row in rows)
    axes = bar_axes(f"{label} before the test split", label, names, heights)
    return Chart("errors", "comparison", result.verdict, (axes,))
