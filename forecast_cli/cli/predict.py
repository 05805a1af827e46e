"""`forecast predict`."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from ..config.registries import INTERVAL_METHODS, Intervals
from ..core.errors import UsageError
from ..data.io.writer import Format
from .charts import show_compact
from .console import Console
from .inputs import MODEL, one_or_all
from .options import ExcelSafe, NoChart, OutputOptions, Reading, Strict, option
from .outputs import choose_format, spare, write
from .progress import Progress
from .values import levels

if TYPE_CHECKING:
    import pandas as pd

    from ..forecasting.prediction_request import PredictionRequest
    from ..model.bundle import Bundle

Tables = str | list[str]
# The most columns of scenarios beside each other on a terminal.
WIDEST = 8
# fmt: off
Data = Annotated[list[str] | None, typer.Argument(metavar="[DATA...]", show_default=False,
    help="Table whose end is forecast, or - for stdin; several are read as one; without any, the "
    "end of the training table.")]
ModelPath = Annotated[Path, option("--model", "-m", metavar="PATH", help="Model file.",
    default="model.forecast")]
Horizon = Annotated[int | None, option("--horizon", "-H", metavar="N", min=1,
    help="Steps ahead to forecast.", default="as trained")]
Start = Annotated[str | None, option("--start", metavar="DATE",
    help="Date of the first forecast, made from the rows of DATA before it.",
    default="after the last row")]
Output = Annotated[str, option("--output", "-o", metavar="PATH", default="stdout",
    help="Where to write; the end of its name selects format and compression.")]


@dataclass(frozen=True)
class PredictOptions:
    """The options of `predict` beside the reading of its table."""

    tables: Data = None
    model: ModelPath = MODEL
    horizon: Horizon = None
    only: Annotated[list[str] | None, option("--only", metavar="NAME[,NAME...]",
        help="Forecast only these series; blanks separate the parts of a name.",
        default="all")] = None
    start: Start = None
    future: Annotated[list[str] | None, option("--future", metavar="FILE", env=False,
        help="Table of future covariates; repeat to compare several.")] = None
    what_if: Annotated[list[str] | None, option("--what-if", metavar="CHANGE", env=False,
        help="Forecast also with a changed future covariate, e.g. temperature+10, price*0.9 or "
        "promo=1; repeat to compare several.")] = None
    level: Annotated[list[str] | None, option("--level", metavar="N[,N...]", env=False,
        help="Prediction intervals at these levels in percent, e.g. 80,95.",
        default="none")] = None
    intervals: Annotated[Intervals | None, option("--intervals", metavar="NAME", env=False,
        common=False, default="as trained",
        help=f"Method of the prediction intervals ({', '.join(INTERVAL_METHODS)}).")] = None
    samples: Annotated[int | None, option("--samples", metavar="N", min=1,
        help="Number of sample paths to return instead of a point forecast.")] = None
    seed: Annotated[int, option("--seed", metavar="N", min=0, env=False, common=False,
        help="Random seed of the sample paths.", default="0")] = 0
    state: Annotated[Path | None, option("--state", metavar="FILE", common=False,
        help="Continue from the state of a stateful network in FILE, if there is one, and update "
        "it: DATA has the rows since then.")] = None
    in_sample: Annotated[bool, option("--in-sample", common=False,
        help="One-step forecasts over DATA beside the actual values.")] = False
    strict: Strict = False
    no_chart: NoChart = False
    excel_safe: ExcelSafe = False
    output: Output = "-"
    format: Annotated[Format | None, option("--format", "-f", metavar="NAME",
        help=f"Output format ({', '.join(get_args(Format))}).",
        default="by the file's name; a table on a terminal, else csv")] = None

    @property
    def table(self) -> Tables | None:
        """The table; None for the end of the one that the model was trained on."""
        return one_or_all(self.tables) if self.tables else None

    @property
    def futures(self) -> list[str]:
        """The tables of future covariates; in the environment they stand on lines of their own."""
        return self.future or os.environ.get("FORECAST_FUTURE", "").splitlines()

    def request(self) -> "PredictionRequest":
        """The same for the library, checked."""
        from ..forecasting.prediction_request import PredictionRequest, check_request

        level = levels(",".join(self.level)) if self.level else ()
        wanted = PredictionRequest(
            self.horizon, tuple(self.only or ()), self.start, one_or_all(self.futures) or None,
            level, self.intervals, self.samples, self.seed, tuple(self.what_if or ()),
        )
        check_request(wanted)
        _check_in_sample(self.table, self.state, wanted, in_sample=self.in_sample)
        _check_table(self.tables)
        _check_continued(self.state, wanted)
        return wanted
# fmt: on


def predict(reading: Reading, output_options: OutputOptions, options: PredictOptions) -> None:
    """Forecast the next steps from a saved model.

    Examples:
        forecast predict
        forecast predict newer.csv --horizon 5 --level 80,95
        forecast predict --only north,south --future plan.csv --what-if 'price*0.9, promo=1'
    """
    from ..data.io.writer import holds_times, render
    from ..forecasting.frames import in_table_style
    from ..model.loading import load_bundle

    console, output = Console(output_options, options.strict), options.output
    wanted = options.request()
    form = choose_format(output, options.format, output_options)
    spare(output, [options.model, options.state, *options.futures, *(options.tables or [])])
    _check_state(output, options.state)
    bundle = load_bundle(options.model)
    with Progress(console, plain=False) as progress:
        how: Any = {"reading": reading, "on_event": progress.on_event}
        frame, keep = _forecast(bundle, options, wanted, **how)
    made = frame
    if not holds_times(frame, form):
        frame = in_table_style(frame, bundle.manifest.time)
    if output_options.json:
        records = json.loads(render(frame, "json"))
        document = {"model": str(options.model), "notes": progress.notes.texts, "forecast": records}
        console.document(document)
    else:
        _show(frame, form, options, console, bundle)
        if form is None and output == "-" and not options.no_chart:
            _draw(console, bundle, made, options, reading)
    if keep:
        keep()


def _forecast(
    bundle: "Bundle", options: PredictOptions, wanted: "PredictionRequest", **how: Any
) -> tuple["pd.DataFrame", Callable[[], None] | None]:
    """Return the forecast, and what saves the state after it, where there is one to save."""
    from ..forecasting.prediction import predict, predict_in_sample

    if options.state is not None:
        return _going_on(bundle, options.table, options.state, options.horizon, **how)
    if options.in_sample and options.table is not None:
        return predict_in_sample(bundle, options.table, **how), None
    return predict(bundle, options.table, wanted, **how), None


def _show(
    frame: "pd.DataFrame",
    form: Format | None,
    options: PredictOptions,
    console: Console,
    bundle: "Bundle",
) -> None:
    """Print a forecast as a table on a terminal, or write it in a format."""
    from ..data.io.writer import render
    from ..forecasting.frames import SCENARIO, key_columns, put_beside

    if options.output == "-" and form is None and console.shows_tables:
        beside = put_beside(frame, key_columns(bundle)) if SCENARIO in frame else frame
        # Wider ones would be folded; they stay one below the other.
        frame = beside if len(beside.columns) <= WIDEST else frame
        console.table(frame.to_dict("records"))
    else:
        data = render(frame, form or "csv", excel_safe=options.excel_safe)
        write(data, options.output)


def _draw(
    console: Console,
    bundle: "Bundle",
    frame: "pd.DataFrame",
    options: PredictOptions,
    reading: Reading,
) -> None:
    """Print a small chart of one forecast below its table on a terminal."""
    scenarios = options.what_if or len(options.futures) > 1
    if scenarios or options.samples or options.in_sample or options.state:
        return
    only = tuple(options.only or ())
    show_compact(console, bundle, options.table, frame, only=only, reading=reading)


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
            "Name DATA, and leave out --horizon, --only, --start, --future, --what-if, --level, "
            "--samples and --state.",
        )


def _check_continued(state: Path | None, wanted: "PredictionRequest") -> None:
    """Refuse options that forecasts from a saved state do not have."""
    if state is not None and wanted.beside_horizon:
        raise UsageError(
            "--state continues one series, and its forecasts have no intervals.",
            "Leave out --only, --start, --future, --what-if, --level and --samples.",
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
