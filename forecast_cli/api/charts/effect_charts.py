"""Charts of what a forecast is made of."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ...core.errors import counted
from ...forecasting.explanation import FORECAST, LEVEL, TREND, Explanation, explain
from ...forecasting.prediction_request import PredictionRequest
from .description import Axes, Chart, Kind, Line, bar_axes, positions, values
from .source import Source

# Of many covariates so many are drawn by themselves, the others as a sum.
MOST_DRAWN = 5


def draw_effects(source: Source) -> Chart:
    """Describe level, trend, seasons and effects of covariates, whose sum is the forecast.

    Below them are the weights of the members of an ensemble and the importance of the covariates.
    """
    model = source.model
    first = source.parts[0][0]
    only = source.only or tuple(filter(None, [source.panel.name(first)]))
    wanted = PredictionRequest(None, only, source.start, source.future)
    found = explain(model, source.table, wanted, reading=source.reading, on_event=source.on_event)
    effects, time = found.effects, source.panel.step_name
    names = [str(name) for name in effects.columns[: effects.columns.get_loc(FORECAST)]]
    keys = [name for name in names if name != time]
    groups = effects.groupby(keys, sort=False) if keys else [((), effects)]
    axes: list[Axes] = []
    for own_names, own in groups:
        title = " ".join(map(str, own_names)) or model.manifest.targets[0]
        axes += _parts(title, own, time, found, row=len(axes))
    axes += _bars(found, row=len(axes))
    return Chart("effects", "what the forecast is made of", _sentence(effects, found), tuple(axes))


def _parts(
    title: str, effects: pd.DataFrame, time: str, found: Explanation, row: int
) -> list[Axes]:
    """Describe the parts of one forecast, each kind on axes of its own."""
    steps = effects[time]
    timed = pd.api.types.is_datetime64_any_dtype(steps)
    along = pd.DatetimeIndex(steps) if timed else steps.to_numpy(float)
    x = positions(along)
    kind: Kind = "time" if timed else "number"

    def drawn(name: str, parts: dict[str, pd.Series]) -> Axes:
        lines = tuple(
            Line(each, x, values(own.to_numpy(float)), "other" if number else "forecast", number)
            for number, (each, own) in enumerate(parts.items())
        )
        return Axes(f"{title}, {name}", time, "in units of the column", kind, lines)

    seasons = [name for name in found.parts if name not in (LEVEL, TREND, *found.covariates)]
    made = [
        drawn("forecast and level", {FORECAST: effects[FORECAST], LEVEL: effects[LEVEL]}),
        drawn("trend and seasons", {name: effects[name] for name in (TREND, *seasons)}),
    ]
    if found.covariates:
        made.append(drawn("effects of covariates", _largest(effects[found.covariates])))
    return [replace(each, row=row + place) for place, each in enumerate(made)]


def _largest(effects: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the effects that are largest, and the sum of the others."""
    order = effects.abs().mean().sort_values(ascending=False, kind="stable").index
    lines = {str(name): effects[name] for name in order[:MOST_DRAWN]}
    if others := list(order[MOST_DRAWN:]):
        lines[f"{len(others)} others"] = effects[others].sum(axis=1)
    return lines


def _bars(found: Explanation, row: int) -> list[Axes]:
    """Describe the weights of the members and the importance of the covariates, side by side."""
    made = []
    for title, label, table in (
        ("weights of the members", "percent", found.members),
        (f"importance, on {found.importance_of}", "rise of the error in percent", found.importance),
    ):
        if len(table) > 1:
            *keys, value = table.columns
            names = tuple(" ".join(map(str, each)) for each in table[keys].itertuples(index=False))
            heights = values(table[value].to_numpy(float))
            made.append(bar_axes(title, label, names, heights, row=row))
    return made


def _sentence(effects: pd.DataFrame, found: Explanation) -> str:
    """Return what the chart shows, in words."""
    parts = [name for name in found.parts if name != LEVEL]
    sizes = {name: float(np.abs(effects[name]).mean()) for name in parts}
    largest = max(sizes, key=sizes.__getitem__)
    text = f"Forecasts of {effects[FORECAST].mean():.5g} on average, from a level of "
    text += f"{effects[LEVEL].mean():.5g} and {counted(len(parts), 'part')}; "
    return text + f"the largest is {largest}, {sizes[largest]:.4g} on average in either direction."
