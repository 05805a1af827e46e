"""Charts in a terminal, and small ones below the tables of other commands."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ForecastError
from .console import Console
from .inputs import one_or_all
from .spelling import as_flags
from .terminal import columns, has_styles, is_dumb, takes_unicode

if TYPE_CHECKING:
    import pandas as pd

    from ..api.charts.description import Chart
    from ..data.panel import Panel
    from ..model.bundle import Bundle

# Columns of a chart below a table: fewest and most.
NARROWEST, WIDEST = 60, 100
# Rows of a chart below a table.
COMPACT = 12
# A table of more bytes is not read again for a chart below another table.
MOST_BYTES = 20_000_000


def print_chart(chart: "Chart", width: int, height: int | None) -> None:
    """Print a chart on stdout, in the characters and colours that it can show."""
    from ..api.charts.terminal import render

    color = has_styles(sys.stdout)
    for line in render(chart, width, height, ascii=not takes_unicode(), color=color):
        print(line)


def show_compact(
    console: Console, bundle: "Bundle", table: Any, frame: "pd.DataFrame | None" = None, **how: Any
) -> None:
    """Print a small chart of the forecast below a table, where a terminal has room for one.

    The forecast continues a table, or where that is None the rows that the model keeps; `frame`
    holds it where it was made already, and `how` more of `Source`.
    """
    if not _has_room(console) or bundle.manifest.labels is not None:
        return
    from ..api.charts.kinds import describe
    from ..api.charts.source import Source

    # New rows are what a forecast of them continues; after a training the stored ones will do.
    tables = [table, None] if frame is None else [table]
    for each in tables:
        if each is None or _is_small(each):
            with suppress(ForecastError):
                chart = describe(Source(bundle, each, made=frame, compact=True, **how))
                return print_chart(chart, min(columns(), WIDEST), COMPACT)


def show_forecast(console: Console, panel: "Panel", frame: "pd.DataFrame") -> None:
    """Print a small chart of a forecast that no saved model made, where a terminal has room."""
    if not _has_room(console):
        return
    from ..api.charts.kinds import describe
    from ..api.charts.source import Source

    source = Source(table=panel.source, forecast=frame, made=frame, compact=True)
    print_chart(describe(source.having(panel=panel)), min(columns(), WIDEST), COMPACT)


def _has_room(console: Console) -> bool:
    """Whether stdout is a terminal that a small chart can be shown on."""
    options = console.output_options
    silent = options.quiet or options.json or is_dumb()
    return console.shows_tables and not silent and columns() >= NARROWEST


def _is_small(table: Any) -> bool:
    """Whether a table is a file that is read again at once."""
    files = [Path(each) for each in ([table] if isinstance(table, str) else table)]
    return all(each.is_file() for each in files) and (
        sum(each.stat().st_size for each in files) <= MOST_BYTES
    )


def write_page(
    path: Path,
    bundle: "Bundle",
    model: Path,
    tables: list[str],
    notes: Sequence[str] = (),
    scored: "Bundle | None" = None,
    **how: Any,
) -> int:
    """Write the page of a model, and return its size in bytes; see `write_model_report`.

    It is looked at with tables, or where there are none the rows that it keeps; `how` is more of
    `Source`.
    """
    from ..api.charts.source import Source
    from ..api.report.writing import write_model_report

    texts = [as_flags(each) for each in notes]
    source = Source(bundle, one_or_all(tables) if tables else None, **how)
    return write_model_report(source, path, str(model), notes=texts, scored=scored)
