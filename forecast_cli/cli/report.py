"""`forecast report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .charts import write_page
from .console import Console
from .evaluate import Missing, read_again
from .inputs import MODEL, split_model
from .options import Looking, OutputOptions, option
from .outputs import check_page
from .plot import FirstScored, Future, Levels
from .progress import Progress

PAGE = Path("report.html")
# fmt: off
Inputs = Annotated[list[str] | None, typer.Argument(metavar="[MODEL] [DATA...]", show_default=False,
    help="Model file [model.forecast]; then DATA, the table with its rows, or newer ones.")]


@dataclass(frozen=True)
class ReportOptions:
    """The options of `report` beside the reading of its table."""

    start: FirstScored = None
    level: Levels = None
    future: Future = None
    missing: Annotated[Missing | None, option("--missing", metavar="NAME", env=False, common=False,
        help="What to do with missing values.")] = None
    output: Annotated[Path, option("--output", "-o", metavar="PATH", env=False,
        help="Where to write the page.", default="report.html")] = PAGE
# fmt: on


def report(
    looking: Looking, output_options: OutputOptions, options: ReportOptions, files: Inputs = None
) -> None:
    """Write one HTML page about a model, to send on.

    It holds the forecast as a chart to zoom, the scores beside the baselines, errors, intervals,
    training and settings, and requests nothing from anywhere.

    Examples:
        forecast report
        forecast report model.forecast prices.csv -o prices.html
        forecast report sales.forecast --future plan.csv --level 50,90
    """
    from ..model.loading import load_bundle

    console = Console(output_options)
    named, tables = split_model(files or [])
    model = named or MODEL
    check_page(options.output, "-o", [model, options.future, *tables])
    how: dict[str, Any] = {
        "reading": read_again(looking, options.missing),
        "start": options.start,
        "level": tuple(options.level or ()),
        "future": options.future,
    }
    bundle = load_bundle(model)
    with Progress(console, plain=False) as progress:
        how["on_event"] = progress.on_event
        size = write_page(options.output, bundle, model, tables, **how)
    if output_options.json:
        report_ = {"model": str(model), "report": str(options.output), "bytes": size}
        console.document(report_ | {"notes": progress.notes.texts})
    else:
        console.say(f"saved {options.output} ({size / 1000:,.0f} kB)")
