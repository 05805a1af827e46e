"""The kinds of charts: for each the function that describes it."""

from collections.abc import Callable

from ...config.registries import CHARTS, FORECAST_CHART, LABEL_CHART, TABLE_CHART
from ...core.errors import UsageError, nearest
from .description import Chart
from .effect_charts import draw_effects
from .error_charts import draw_coverage, draw_errors, draw_residuals, has_labels
from .forecast_charts import draw_forecast, draw_series, draw_test
from .model_charts import draw_loss, draw_seasons
from .source import Source

# By the names of `forecast_cli.config.registries`.
FUNCTIONS: dict[str, Callable[[Source], Chart]] = {
    "forecast": draw_forecast,
    "test": draw_test,
    "residuals": draw_residuals,
    "errors": draw_errors,
    "loss": draw_loss,
    "seasons": draw_seasons,
    "coverage": draw_coverage,
    "series": draw_series,
    "effects": draw_effects,
}


def describe(source: Source, kind: str | None = None) -> Chart:
    """Describe a chart.

    Args:
        source: What it is drawn from.
        kind: A name of `CHARTS`; the usual one of such a source where None.

    Raises:
        UsageError: There is no such kind, or not of such a source.
        DataError: The table does not hold what is needed.
    """
    of_forecasts = source.bundle is not None or source.forecast is not None
    name = kind or (FORECAST_CHART if of_forecasts else TABLE_CHART)
    if has_labels(source) and kind is None:
        name = LABEL_CHART
    if name not in CHARTS:
        raise UsageError(f'There is no chart "{name}".', nearest(name, CHARTS))
    if source.last is not None and source.last < 1:
        raise UsageError(f"Invalid `last` {source.last}: must be at least 1.")
    possible = {
        each: entry.of_forecast if source.forecast is not None else entry.of_table
        for each, entry in CHARTS.items()
    }
    if source.bundle is None and not possible[name]:
        others = [f"`kind={each}`" for each, known in possible.items() if known]
        raise UsageError(
            f"The chart {name} is of a model, and there is none.",
            f"Name a model, or pass {' or '.join(others)}.",
        )
    many = source.many_levels or CHARTS[name].many_levels
    return FUNCTIONS[name](source.but(many_levels=many))
