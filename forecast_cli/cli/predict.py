"""`forecast predict`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import UsageError
from .console import Console, Notes
from .flag import levels
from .flags import Intervals
from .options import OutputOptions, Reading, option
from .outputs import Form, choose_form, spare, write
from .train import MODEL, one_or_all

if TYPE_CHECKING:
    import pandas as pd

    from ..model.bundle import Bundle

Tables = str | list[str]
# fmt: off
Data = Annotated[list[str] | None, typer.Argument(metavar="[DATA...]", show_default=False,
    help="A table to go on from, or - for stdin; several are read as one; without any, the end of "
    "the table that the model was made from.")]
ModelPath = Annotated[Path, option("--model", "-m", metavar="PATH", help="The model.",
    default="model.forecast")]
Horizon = Annotated[int | None, option("--horizon", "-H", metavar="N", min=1,
    help="Steps ahead, any number.", default="as trained")]
Only = Annotated[list[str] | None, option("--only", metavar="NAME[,NAME...]",
    help="Forecast these series; the parts of a name stand apart by blanks.", default="all")]
Start = Annotated[str | None, option("--start", metavar="DATE",
    help="Forecast from this date on, on the rows of DATA before it.",
    default="after the last row")]
Future = Annotated[str | None, option("--future", metavar="FILE",
    help="A table of future covariates.")]
Level = Annotated[list[str] | None, option("--level", metavar="N[,N...]", env=False,
    help="Intervals that hold so many percent of what comes.", default="none")]
Method = Annotated[Intervals | None, option("--intervals", env=False,
    help="How intervals are made.", default="as trained")]
Samples = Annotated[int | None, option("--samples", metavar="N", min=1,
    help="Paths that the values may take, instead of one forecast.")]
Seed = Annotated[int, option("--seed", metavar="N", min=0, env=False,
    help="What the paths are drawn from.", default="0")]
StatePath = Annotated[Path | None, option("--state", metavar="FILE",
    help="Go on from the network's state in FILE, where there is one, and keep it there: DATA is "
    "what came since.")]
InSample = Annotated[bool, option("--in-sample",
    help="One-step forecasts over DATA beside the actual values.")]
Output = Annotated[str, option("--output", "-o", metavar="PATH", help="Where to write.",
    default="stdout")]
Format = Annotated[Form | None, option("--format", "-f",
    help="Form of the output.", default="by the file's name; a table on a terminal, else csv")]
# fmt: on


def predict(
    reading: Reading,
    talk: OutputOptions,
    tables: Data = None,
    model: ModelPath = MODEL,
    horizon: Horizon = None,
    only: Only = None,
    start: Start = None,
    future: Future = None,
    level: Level = None,
    intervals: Method = None,
    samples: Samples = None,
    seed: Seed = 0,
    state: StatePath = None,
    in_sample: InSample = False,
    output: Output = "-",
    format: Format = None,
) -> None:
    """Forecast the next steps from a saved model."""
    from ..data.io.writer import render
    from ..forecasting.frames import in_table_style
    from ..forecasting.prediction import predict, predict_in_sample
    from ..forecasting.prediction_request import PredictionRequest, require_sense
    from ..model.loading import load_bundle

    console = Console(talk)
    table = one_or_all(tables) if tables else None
    wanted = PredictionRequest(
        horizon,
        tuple(only or ()),
        start,
        future,
        levels(",".join(level)) if level else (),
        intervals,
        samples,
        seed,
    )
    require_sense(wanted)
    _check(table, state, in_sample=in_sample, anything=wanted.anything)
    _check_table(tables)
    if state is not None and wanted.beside_horizon:
        raise UsageError(
            "A state goes on with one series, and its forecasts have no intervals.",
            "Leave --only, --start, --future, --level and --samples out.",
        )
    form = choose_form(output, format, talk)
    spare(output, [model, state, future, *(tables or [])])
    _check_state(output, state)
    bundle, notes = load_bundle(model), Notes(console)
    how: dict[str, Any] = {"reading": reading, "on_event": notes.on_event}
    keep = None
    if state is not None:
        frame, keep = _going_on(bundle, table, state, horizon=horizon, **how)
    elif in_sample and table is not None:
        frame = predict_in_sample(bundle, table, **how)
    else:
        frame = predict(bundle, table, wanted, **how)
    if form != "parquet":
        frame = in_table_style(frame, bundle.manifest.time)
    if talk.json:
        records = json.loads(render(frame, "json"))
        console.document({"model": str(model), "notes": notes.texts, "forecast": records})
    elif output == "-" and form is None and console.shows_tables:
        console.table(frame.to_dict("records"))
    else:
        write(render(frame, form or "csv"), output)
    if keep:
        keep()


def _going_on(
    bundle: "Bundle", table: Tables | None, path: Path, **how: Any
) -> tuple["pd.DataFrame", Callable[[], None]]:
    """A forecast from where the network was, and what keeps where it is, once that is written."""
    from ..forecasting.stateful_prediction import predict_on
    from ..model.state import load_state, save_state

    before = load_state(path, bundle)
    if table is None and before is not None:
        raise UsageError(
            f"{path} holds a state already, and there is nothing to go on with.",
            "Name DATA, which holds the rows that came since.",
        )
    frame, state = predict_on(bundle, table, before, **how)
    return frame, lambda: save_state(state, path)


def _check(table: Tables | None, state: Path | None, *, in_sample: bool, anything: bool) -> None:
    """Refuse options that do nothing together; `anything`: of the forecasts something is said."""
    if in_sample and (table is None or anything or state is not None):
        raise UsageError(
            "--in-sample forecasts one step over every row of DATA.",
            "Name DATA, and leave --horizon, --only, --start, --future, --level, --samples and "
            "--state out.",
        )


def _check_table(tables: list[str] | None) -> None:
    """Refuse a model in the place of a table."""
    from ..model.bundle import is_model

    for each in tables or []:
        if is_model(Path(each)):
            raise UsageError(
                f"{each} is a model, where a table was expected.", f"Name it with -m {each}."
            )


def _check_state(output: str, state: Path | None) -> None:
    """Refuse a file for the state that cannot be one."""
    if state is not None and not state.absolute().parent.is_dir():
        raise UsageError(f"There is no directory {state.parent}.", "Make it first.")
    if state is not None and output != "-" and Path(output).absolute() == state.absolute():
        raise UsageError(
            f"{output} cannot hold both the forecast and the state.", "Name another file with -o."
        )
