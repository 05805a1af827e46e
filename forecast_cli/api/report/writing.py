"""The report of a backtest, and reports written to files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.events import Event, Listener, Note, once
from ...model.bundle import Bundle
from ...model.file_writing import write_whole
from ..charts.backtest_charts import describe_backtest
from ..charts.error_charts import has_labels
from ..charts.source import Source
from .content import Figures, Forecasts, Report, Section, section
from .model_report import cell, report_on_labels, report_on_model
from .page import render_page

if TYPE_CHECKING:
    from ...backtesting.backtest import Backtest

# So many rows of forecasts are in the page, the last ones.
MOST_ROWS = 20_000


def report_on_backtest(result: "Backtest") -> Report:
    """Collect the report of a backtest."""
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


def write_model_report(
    source: Source,
    path: Path,
    model: str = "model.forecast",
    *,
    notes: Sequence[str] = (),
    scored: Bundle | None = None,
) -> int:
    """Write the page of a model; return its size in bytes.

    Args:
        source: The model, and the table that it is looked at with, if any.
        path: Where to.
        model: What the file of the model is called.
        notes: What was understood and chosen while it was trained, a sentence each.
        scored: The model as it was scored, where it was refitted on all rows then.

    Raises:
        UsageError: It cannot be written there.
        DataError: The table does not hold what the model needs.
    """
    bundle = source.bundle
    if has_labels(source) and bundle is not None:
        report = report_on_labels(source, bundle, model, notes)
    else:
        told = once(source.on_event)
        # Scored once, for the chart of coverage and for all others.
        source = source.but(on_event=told, only_new=True, many_levels=True)
        # What there is to say of the table; of single charts only warnings are worth it.
        _ = source.panel
        source = source.but(on_event=_warnings(told))
        report = report_on_model(source, model, notes, scored)
    page = render_page(report)
    write_whole(path, page)
    return len(page)


def _warnings(on_event: Listener) -> Listener:
    """Return a listener that is notified of warnings alone."""

    def hear(event: Event) -> None:
        if isinstance(event, Note) and event.warning:
            on_event(event)

    return hear


def write_backtest_report(result: "Backtest", path: Path) -> int:
    """Write the page of a backtest; return its size in bytes.

    Raises:
        UsageError: It cannot be written there.
    """
    page = render_page(report_on_backtest(result))
    write_whole(path, page)
    return len(page)
