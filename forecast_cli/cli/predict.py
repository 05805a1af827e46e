"""`forecast predict`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from ..config.registries import INTERVAL_METHODS, Intervals
from ..core.errors import UsageError
from .console import Console, Notes
from .options import OutputOptions, Reading, Strict, option
from .outputs import Form, choose_form, spare, write
from .train import MODEL, one_or_all
from .values import levels

if TYPE_CHECKING:
    import pandas as pd

    from ..forecasting.prediction_request import PredictionRequest
    from ..model.bundle import Bundle

Tables = str | list[str]
# fmt: off
Data = Annotated[list[str] | None, typer.Argument(metavar="[DATA...]", show_default=False,
    help="Table whose end is forecast, or - for stdin; several are read as one; without any, the "
    "end of the training table.")]
ModelPath = Annotated[Path, option("--model", "-m", metavar="PATH", help="Model file.",
    default="model.forecast")]
Horizon = Annotated[int | None, option("--horizon", "-H", metavar="N", min=1,
    help="Steps ahead to forecast.", default="as trained")]
Only = Annotated[list[str] | None, option("--only", metavar="NAME[,NAME...]",
    help="Forecast only these series; blanks separate the parts of a name.", default="all")]
Start = Annotated[str | None, option("--start", metavar="DATE",
    help="Date of the first forecast, made from the rows of DATA before it.",
    default="after the last row")]
Future = Annotated[str | None, option("--future", metavar="FILE",
    help="Table of future covariates.")]
Level = Annotated[list[str] | None, option("--level", metavar="N[,N...]", env=False,
    help="Prediction intervals at these levels in percent, e.g. 80,95.", default="none")]
Method = Annotated[Intervals | None, option("--intervals", metavar="NAME", env=False, common=False,
    help=f"Method of the prediction intervals ({', '.join(INTERVAL_METHODS)}).",
    default="as trained")]
Samples = Annotated[int | None, option("--samples", metavar="N", min=1,
    help="Number of sample paths to return instead of a point forecast.")]
Seed = Annotated[int, option("--seed", metavar="N", min=0, env=False, common=False,
    help="Random seed of the sample paths.", default="0")]
StatePath = Annotated[Path | None, option("--state", metavar="FILE", common=False,
    help="Continue from the state of a stateful network in FILE, if there is one, and update it: "
    "DATA has the rows since then.")]
InSample = Annotated[bool, option("--in-sample", common=False,
    help="One-step forecasts over DATA beside the actual values.")]
Output = Annotated[str, option("--output", "-o", metavar="PATH", help="Where to write.",
    default="stdout")]
Format = Annotated[Form | None, option("--format", "-f", metavar="NAME",
    help=f"Output format ({', '.join(get_args(Form))}).",
    default="by the file's name; a table on a terminal, else csv")]
# fmt: on


def predict(
    reading: Reading,
    output_options: OutputOptions,
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
    strict: Strict = False,
    output: Output = "-",
    format: Format = None,
) -> None:
    """Forecast the next steps from a saved model.

    Examples:
        forecast predict
        forecast predict newer.csv --horizon 5 --level 80,95
        forecast predict sales.csv -m sales.forecast --only north,south -o forecast.csv
    """
    from ..data.io.writer import render
    from ..forecasting.frames import in_table_style
    from ..forecasting.prediction import predict, predict_in_sample
    from ..forecasting.prediction_request import PredictionRequest, check_request
    from ..model.loading import load_bundle

    console = Console(output_options, strict)
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
    check_request(wanted)
    _check_in_sample(table, state, wanted, in_sample=in_sample)
    _check_table(tables)
    _check_continued(state, wanted)
    form = choose_form(output, format, output_options)
    spare(output, [model, state, future, *(tables or [])])
    _check_state(output, state)
    bundle, notes = load_bundle(model), Notes(console)
    how: dict[str, Any] = {"reading": reading, "on_event": notes.on_event}
    keep = None
    if state is not None:
        frame, keep = _going_on(bundle, table, state, horizon, **how)
    elif in_sample and table is not None:
        frame = predict_in_sample(bundle, table, **how)
    else:
        frame = predict(bundle, table, wanted, **how)
    if form != "parquet":
        frame = in_table_style(frame, bundle.manifest.time)
    if output_options.json:
        records = json.loads(render(frame, "json"))
        console.document({"model": str(model), "notes": notes.texts, "forecast": records})
    else:
        _show(frame, form, output, console)
    if keep:
        keep()


def _show(frame: "pd.DataFrame", form: Form | None, output: str, console: Console) -> None:
    """Print a forecast as a table on a terminal, or write it in a format."""
    from ..data.io.writer import render

    if output == "-" and form is None and console.shows_tables:
        console.table(frame.to_dict("records"))
    else:
        write(render(frame, form or "csv"), output)


def _going_on(
    bundle: "Bundle", table: Tables | None, path: Path, horizon: int | None, **how: Any
) -> tuple["pd.DataFrame", Callable[[], None]]:
    """Return a forecast from the state in a file, and what saves the state after it."""
    from ..forecasting.prediction import predict
    from ..forecasting.prediction_request import PredictionRequest
    from ..forecasting.updating import end_state, require_stateful, update_from_state
    from ..model.state import load_state, save_state

    require_stateful(bundle)
    before = load_state(path, bundle)
    if table is None and before is not None:
        raise UsageError(
            f"{path} has a state already, and there are no new rows.",
            "Name DATA with the rows since then.",
        )
    if table is not None:
        bundle = update_from_state(bundle, table, before, **how)
    frame = predict(bundle, None, PredictionRequest(horizon), on_event=how["on_event"])
    return frame, lambda: save_state(end_state(bundle), path)


def _check_in_sample(
    table: Tables | None, state: Path | None, wanted: "PredictionRequest", *, in_sample: bool
) -> None:
    """Refuse options that one-step forecasts over a table do not have."""
    if in_sample and (table is None or wanted.anything or state is not None):
        raise UsageError(
            "--in-sample forecasts one step for every row of DATA.",
            "Name DATA, and leave out --horizon, --only, --start, --future, --level, --samples and "
            "--state.",
        )


def _check_continued(state: Path | None, wanted: "PredictionRequest") -> None:
    """Refuse options that forecasts from a saved state do not have."""
    if state is not None and wanted.beside_horizon:
        raise UsageError(
            "--state continues one series, and its forecasts have no intervals.",
            "Leave out --only, --start, --future, --level and --samples.",
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
        raise UsageError(f"There is no directory {state.parent}.", "Create it first.")
    if state is not None and output != "-" and Path(output).absolute() == state.absolute():
        raise UsageError(
            f"{output} cannot hold both the forecast and the state.", "Name another file with -o."
        )
