"""`forecast future`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Console
from .options import Reading, Talk, option
from .train import MODEL, one_or_all

Data = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DATA...]",
        show_default=False,
        help="A table to go on from, or - for stdin; without any, the end of the table that the "
        "model was made from.",
    ),
]
ModelPath = Annotated[
    Path, option("--model", "-m", metavar="PATH", help="The model.", default="model.forecast")
]
Horizon = Annotated[
    int | None,
    option("--horizon", "-H", metavar="N", min=1, help="Steps ahead.", default="as trained"),
]
Output = Annotated[
    str, option("--output", "-o", metavar="PATH", help="Where to write.", default="stdout")
]


def future(
    reading: Reading,
    talk: Talk,
    tables: Data = None,
    model: ModelPath = MODEL,
    horizon: Horizon = None,
    output: Output = "-",
) -> None:
    """Write the frame of future covariates that a prediction needs, to fill in.

    It has a row for each series and step ahead, and holds what is known already.
    """
    from ..data.output import format_of, render
    from ..model.bundle import load_bundle
    from ..model.writing import write_whole
    from ..prediction import in_table_style
    from ..starts import future_frame

    console = Console(talk)
    bundle = load_bundle(model)
    source: Any = one_or_all(tables) if tables else None
    frame = future_frame(bundle, source, horizon, reading=reading, listen=console.listen)
    form = format_of(output) or "csv"
    data = render(in_table_style(frame, bundle.manifest.time) if form != "parquet" else frame, form)
    if output != "-":
        write_whole(Path(output), data)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
