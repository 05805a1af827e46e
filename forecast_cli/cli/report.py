"""`forecast report`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .charts import write_page
from .console import Console, Notes
from .evaluate import Missing, read_again
from .options import Looking, OutputOptions, option
from .outputs import spare
from .plot import FirstScored, Future, Levels
from .train import MODEL

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
    model, tables = split_model(files or [])
    spare(str(options.output), [model, options.future, *tables])
    notes = Notes(console)
    how: dict[str, Any] = {
        "reading": read_again(looking, options.missing),
        "start": options.start,
        "level": tuple(options.level or ()),
        "future": options.future,
        "on_event": notes.on_event,
    }
    size = write_page(options.output, load_bundle(model), model, tables, **how)
    if output_options.json:
        report_ = {"model": str(model), "report": str(options.output), "bytes": size}
        console.document(report_ | {"notes": notes.texts})
    else:
        console.say(f"saved {options.output} ({size / 1000:,.0f} kB)")


def split_model(files: Sequence[str]) -> tuple[Path, list[str]]:
    """Return the model and the tables among the files of a command."""
    from ..model.bundle import is_model

    if files and files[0] != "-" and (is_model(Path(files[0])) or files[0].endswith(".forecast")):
        return Path(files[0]), list(files[1:])
    return MODEL, list(files)
