"""`forecast plot`."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.registries import CHARTS, ChartName
from ..core.errors import UsageError
from ..core.events import Listener
from .charts import NARROWEST, print_chart
from .console import Console
from .evaluate import MissingOfModel, read_again
from .inputs import is_named_model
from .options import Looking, OutputOptions, option
from .outputs import spare, write
from .progress import Progress
from .spelling import levels
from .terminal import USUAL

if TYPE_CHECKING:
    from ..api.charts.description import Chart
    from ..api.charts.source import Source

# Rows of the screen that are left for the prompt, and the fewest and most of a chart.
PROMPT, FEWEST, MOST = 3, 12, 30
# fmt: off
Inputs = Annotated[list[str], typer.Argument(metavar="WHAT [DATA]", show_default=False,
    help="A model, a table, or a table of forecasts, or - for stdin; then DATA, the actual values "
    "of a model or of forecasts.")]
# How a model is looked at, in a chart or in a report.
FirstScored = Annotated[str | None, option("--start", metavar="DATE",
    help="Date of the first row that is scored.", default="what the model has not learned from")]
Levels = Annotated[Any, option("--level", metavar="N[,N...]", parser=levels, env=False,
    help="Prediction intervals at these levels in percent, e.g. 80,95.", default="as trained")]
Future = Annotated[str | None, option("--future", metavar="FILE", env=False,
    help="Table of future covariates.")]


@dataclass(frozen=True)
class PlotOptions:
    """The options of `plot` beside the reading of its tables."""

    kind: Annotated[ChartName | None, option("--kind", "-k", metavar="NAME", env=False,
        help=f"What to show ({', '.join(CHARTS)}).",
        default="forecast; series of a table")] = None
    only: Annotated[list[str] | None, option("--only", metavar="NAME[,NAME...]",
        help="Draw only these series; blanks separate the parts of a name.",
        default="the first few")] = None
    last: Annotated[int | None, option("--last", metavar="N", min=1,
        help="Rows of the table to draw.", default="enough to see the forecast")] = None
    start: FirstScored = None
    level: Levels = None
    future: Future = None
    missing: MissingOfModel = None
    output: Annotated[str, option("--output", "-o", metavar="PATH",
        help="Write an image: .png, .svg or .pdf (needs matplotlib).", default="terminal")] = "-"
    width: Annotated[float | None, option("--width", metavar="N", common=False,
        help="Columns, 40 to 200; inches of an image.", default="as wide as the window")] = None
    height: Annotated[float | None, option("--height", metavar="N", common=False,
        help="Rows; inches of an image.", default="by what is drawn")] = None
# fmt: on


def plot(
    files: Inputs, looking: Looking, output_options: OutputOptions, options: PlotOptions
) -> None:
    """Draw a chart of a model, a table or a forecast.

    In a terminal it is drawn in characters; --output writes an image.

    Examples:
        forecast plot model.forecast
        forecast plot model.forecast prices.csv --kind test -o chart.png
        forecast plot sales.csv --column sales --series store --only S01,S02
    """
    from ..api.charts.kinds import describe

    console = Console(output_options)
    _check(files, output_options, options)
    spare(options.output, [*files, options.future])
    with Progress(console, plain=False) as progress:
        chart = describe(_source(files, looking, options, progress.on_event), options.kind)
    notes = progress.notes
    if output_options.json:
        console.document({"notes": notes.texts, "chart": chart.document()})
    elif options.output != "-":
        from ..api.charts.images import save

        size = options.width and options.height and (options.width, options.height)
        path = Path(options.output)
        write(save(chart, path, size or None, notes.on_event), options.output)
        console.say(f"{chart.text} saved {options.output}")
    else:
        _show(chart, console, options)


def _check(files: list[str], output_options: OutputOptions, options: PlotOptions) -> None:
    """Refuse options that do not go together."""
    if len(files) > 2:
        raise UsageError(
            f"{len(files)} files, and a chart is of one or two.",
            "Name a model or forecasts, then the table of actual values.",
        )
    if files.count("-") > 1:
        raise UsageError("stdin is one table, and two are needed.", "Name a file for one of them.")
    if output_options.json and options.output != "-":
        raise UsageError("--json cannot be combined with --output.", "Leave one of them out.")
    image = options.output != "-"
    if image and (options.width is None) != (options.height is None):
        raise UsageError("The size of an image has two sides.", "Pass both --width and --height.")
    least, most = (1, 100) if image else (40, 200)
    if options.width is not None and not least <= options.width <= most:
        unit = "inches" if image else "columns"
        raise UsageError(f"Invalid --width {options.width:g}: must be {least} to {most} {unit}.")
    if options.height is not None and not 1 <= options.height <= 1000:
        raise UsageError(f"Invalid --height {options.height:g}: must be at least 1.")


def _source(
    files: list[str], looking: Looking, options: PlotOptions, on_event: Listener
) -> "Source":
    """Return what is drawn: by its content a model, a table or a table of forecasts."""
    from ..api.charts.forecast_parts import is_forecast
    from ..api.charts.source import Source
    from ..forecasting.prediction_request import PredictionRequest
    from ..model.loading import load_bundle

    what, table = files[0], files[1] if len(files) > 1 else None
    how: dict[str, Any] = {
        "only": tuple(options.only or ()),
        "last": options.last,
        "start": options.start,
        "level": PredictionRequest(level=options.level or ()).level,
        "future": options.future,
        "on_event": on_event,
    }
    if is_named_model(what):
        reading = read_again(looking, options.missing)
        return Source(load_bundle(what), table, reading=reading, **how)
    given = [name for name in ("start", "level", "future", "missing") if getattr(options, name)]
    if given:
        raise UsageError(f"--{given[0]} is for a model, and {what} is none.", "Leave it out.")
    data = looking.resolve().data
    if table is not None or (what != "-" and is_forecast(what)):
        return Source(table=table, forecast=what, data=data, **how)
    return Source(table=what, data=data, **how)


def _show(chart: "Chart", console: Console, options: PlotOptions) -> None:
    """Print a chart in characters, and in words what it shows."""
    import textwrap

    columns, rows = shutil.get_terminal_size((USUAL, 24)) if console.shows_tables else (USUAL, 0)
    width = int(options.width or columns)
    height = None if options.height is None else int(options.height)
    if height is None and rows:
        # One row of axes fills the window, but for the prompt.
        alone = len({axes.row for axes in chart.axes}) == 1
        height = min(max(rows - PROMPT, FEWEST), MOST) if alone else None
    print_chart(chart, width, height)
    console.lines(textwrap.wrap(chart.text, max(min(width, USUAL), NARROWEST)))
