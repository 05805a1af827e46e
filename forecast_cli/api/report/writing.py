"""Reports written to files."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...core.events import once
from ...model.file_writing import write_whole
from ..charts.source import Source
from .backtest_report import report_on_backtest
from .model_report import report_on_model
from .page import render_page

if TYPE_CHECKING:
    from ...backtesting.backtest import Backtest


def write_model_report(source: Source, path: Path, model: str = "model.forecast") -> int:
    """Write the page of a model; return its size in bytes.

    Args:
        source: The model, and the table that it is looked at with, if any.
        path: Where to.
        model: What the file of the model is called.

    Raises:
        UsageError: It cannot be written there, or the model forecasts no numbers.
        DataError: The table does not hold what the model needs.
    """
    # Each chart would say again what was understood.
    quiet = source.but(on_event=once(source.on_event))
    page = render_page(report_on_model(quiet, model))
    write_whole(path, page)
    return len(page)


def write_backtest_report(result: "Backtest", path: Path) -> int:
    """Write the page of a backtest; return its size in bytes.

    Raises:
        UsageError: It cannot be written there.
    """
    page = render_page(report_on_backtest(result))
    write_whole(path, page)
    return len(page)
