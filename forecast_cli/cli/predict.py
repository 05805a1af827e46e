"""`forecast predict`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .console import Console
from .options import Talk, option
from .train import MODEL

if TYPE_CHECKING:
    from pandas import DataFrame

Form = Literal["csv", "json", "jsonl", "parquet"]
# fmt: off
Data = Annotated[str | None, typer.Argument(metavar="DATA", show_default=False,
    help="A CSV file to go on from, or - for stdin; without it, the end of the table that the "
    "model was made from.")]
ModelPath = Annotated[Path, option("--model", "-m", metavar="PATH", help="The model.",
    default="model.forecast")]
Horizon = Annotated[int | None, option("--horizon", "-H", metavar="N", min=1,
    help="Steps ahead, any number.", default="as trained")]
InSample = Annotated[bool, option("--in-sample",
    help="One-step forecasts over DATA beside the actual values.")]
Output = Annotated[str, option("--output", "-o", metavar="PATH", help="Where to write.",
    default="stdout")]
Format = Annotated[Form | None, option("--format", "-f",
    help="Form of the output.", default="by the file's name; a table on a terminal, else csv")]
# fmt: on


def predict(
    talk: Talk,
    table: Data = None,
    model: ModelPath = MODEL,
    horizon: Horizon = None,
    in_sample: InSample = False,
    output: Output = "-",
    format: Format = None,
) -> None:
    """Forecast the next steps from a saved model."""
    from ..data.output import format_of
    from ..errors import UsageError
    from ..model.bundle import load_bundle
    from ..prediction import in_table_style, predict, predict_in_sample

    console = Console(talk)
    if in_sample and (table is None or horizon is not None):
        raise UsageError(
            "--in-sample forecasts one step over every row of DATA.",
            "Name DATA, and leave --horizon out.",
        )
    bundle = load_bundle(model)
    if in_sample and table is not None:
        frame = predict_in_sample(bundle, table, listen=console.listen)
    else:
        frame = predict(bundle, table, horizon=horizon, listen=console.listen)
    chosen: Form | None = "json" if talk.json else format or format_of(output)
    if chosen != "parquet":
        frame = in_table_style(frame, bundle.manifest.time)
    _write(frame, output, chosen, console)


def _write(frame: "DataFrame", output: str, format: Form | None, console: Console) -> None:
    """The forecasts in the form that was asked for, or that fits the place."""
    from ..data.output import render
    from ..model.bundle import write_whole

    if output != "-":
        write_whole(Path(output), render(frame, format or "csv"))
    elif format is None and console.shows_tables:
        console.table(frame.to_dict("records"))
    else:
        sys.stdout.buffer.write(render(frame, format or "csv"))
        sys.stdout.buffer.flush()
