"""Backtests and comparisons of the Python API, which can be drawn."""

import os
from dataclasses import dataclass
from typing import Any

from ..backtesting import backtest, comparison
from ..config.registries import BACKTEST_CHART


@dataclass(frozen=True, repr=False)
class Backtest(backtest.Backtest):
    """The result of a backtest; see its base class for what it holds."""

    def plot(self, kind: str = BACKTEST_CHART, *, only: str | None = None) -> Any:
        """Draw a chart by matplotlib.

        Args:
            kind: `errors`, by step and by cutoff, or `test`, the forecasts and actual values.
            only: The series whose forecasts are drawn; the first where None.

        Returns:
            The axes of matplotlib; several as a list.

        Raises:
            UsageError: There is no such kind or series, or matplotlib is not installed.
        """
        from .charts.backtest_charts import describe_backtest
        from .charts.images import plot

        return plot(describe_backtest(self, kind, only))

    def report(self, path: str | os.PathLike[str]) -> None:
        """Write a page about the backtest: one HTML file.

        Args:
            path: Where to.

        Raises:
            UsageError: It cannot be written there.
        """
        from pathlib import Path

        from .report.writing import write_backtest_report

        write_backtest_report(self, Path(path))


@dataclass(frozen=True, repr=False)
class Comparison(comparison.Comparison):
    """The result of a comparison; see its base class for what it holds."""

    def plot(self) -> Any:
        """Draw the error of each model and baseline by matplotlib, and return the axes."""
        from .charts.backtest_charts import describe_comparison
        from .charts.images import plot

        return plot(describe_comparison(self))
