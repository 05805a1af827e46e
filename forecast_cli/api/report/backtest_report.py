"""The report of a backtest."""

from functools import partial
from typing import TYPE_CHECKING, Any

from ..charts.backtest_charts import describe_backtest
from .content import Figures, Forecasts, Report, Section, section
from .model_report import cell

if TYPE_CHECKING:
    from ...backtesting.backtest import Backtest

# So many rows of forecasts are in the page, the last ones.
MOST_ROWS = 20_000


def report_on_backtest(result: "Backtest") -> Report:
    """Collect the report of a backtest.

    Args:
        result: The backtest.
    """
    settings = result.settings
    facts = [(name.replace("_", " "), _text(value)) for name, value in settings.items()]
    facts += list(result.descriptions.items())
    test = section("forecast", "Forecasts", partial(describe_backtest, result, "test"))
    errors = section("errors", "Errors", partial(describe_backtest, result, "errors"))
    tables = (
        Figures("Scores", result.scores),
        Figures("By cutoff", result.by_cutoff),
        Figures("By step", result.by_step),
    )
    frame = result.in_table_style.tail(MOST_ROWS)
    rows = tuple(tuple(cell(each) for each in row) for row in frame.itertuples(index=False))
    return Report(
        title=f"Backtest of {', '.join(row['model'] for row in result.scores[:6])}",
        verdict=result.verdict,
        facts=facts,
        sections=(Section("scores", "Scores", tables=tables[:1]), test, errors,
                  Section("tables", "By cutoff and by step", tables=tables[1:])),
        forecasts=Forecasts(tuple(map(str, frame)), rows),
    )  # fmt: skip


def _text(value: Any) -> str:
    """Return a setting of a backtest, as text."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
