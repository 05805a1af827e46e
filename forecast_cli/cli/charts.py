"""Charts in a terminal, and small ones below the tables of other commands."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ForecastError
from .console import Console

if TYPE_CHECKING:
    import pandas as pd

    from ..api.charts.description import Chart
    from ..model.bundle import Bundle

# Columns of a chart where there is no terminal, and of one below a table: fewest and most.
USUAL, NARROWEST, WIDEST = 80, 60, 100
# Rows of a chart below a table.
COMPACT = 12
# A table of more bytes is not read again for a chart below another table.
MOST_BYTES = 20_000_000


def print_chart(chart: "Chart", width: int, height: int | None) -> None:
    """Print a chart on stdout, in the characters and colours that it can show."""
    from ..api.charts.terminal import render

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ and not is_dumb()
    for line in render(chart, width, height, ascii=not takes_unicode(), color=color):
        print(line)


def takes_unicode() -> bool:
    """Whether stdout takes characters beyond ASCII."""
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16")


def is_dumb() -> bool:
    """Whether the terminal cannot move its cursor or show colours."""
    return os.environ.get("TERM", "") in ("dumb", "unknown")


def show_compact(
    console: Console, bundle: "Bundle", table: Any, frame: "pd.DataFrame | None" = None, **how: Any
) -> None:
    """Print a small chart of the forecast below a table, where a terminal has room for one.

    Args:
        console: The streams.
        bundle: The model.
        table: What it continues from; None for the rows that it keeps.
        frame: The forecasts, where they were made already.
        **how: More of `Source`.
    """
    columns, _ = shutil.get_terminal_size((USUAL, 24))
    options = console.output_options
    if not console.shows_tables or options.quiet or options.json or is_dumb():
        return
    if columns < NARROWEST or bundle.manifest.labels is not None:
        return
    from ..api.charts.kinds import describe
    from ..api.charts.source import Source

    # New rows are what a forecast of them continues; after a training the stored ones will do.
    tables = [table, None] if frame is None else [table]
    for each in tables:
        if each is not None and not _is_small(each):
            continue
        try:
            chart = describe(Source(bundle, each, made=frame, compact=True, **how))
        except ForecastError:
            continue
        print_chart(chart, min(columns, WIDEST), COMPACT)
        return


def _is_small(table: Any) -> bool:
    """Whether a table is a file that is read again at once."""
    files = [Path(each) for each in ([table] if isinstance(table, str) else table)]
    return all(each.is_file() for each in files) and (
        sum(each.stat().st_size for each in files) <= MOST_BYTES
    )
