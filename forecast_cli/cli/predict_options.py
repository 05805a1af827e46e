"""The options of `forecast predict`, and which of them exclude each other."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ..config.registries import INTERVAL_METHODS, Intervals
from ..core.engines import LOCAL
from ..core.errors import UsageError
from ..data.io.remote import is_address, masked
from ..data.io.writer import PARQUET_FILE, Format, begins_with
from .inputs import MODEL, one_or_all
from .options import Engine, EngineAddress, ExcelSafe, NoChart, Strict, option
from .parameters import keep_to_command_line
from .spelling import levels

if TYPE_CHECKING:
    from ..forecasting.prediction_request import PredictionRequest

Tables = str | list[str]
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
    help="Where to write; the end of its name selects format and compression. Or a table of a "
    "database: 'sqlite:///FILE.db?table=NAME'. Or a folder of a file for each part: FOLDER/ or s3://BUCKET/FOLDER/.")]

OutputFormat = Annotated[Format | None, option("--format", "-f", metavar="NAME",
    help=f"Output format ({', '.join(get_args(Format))}).",
    default="by the file's name; a table on a terminal, else csv")]


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
        "it: DATA has the rows since then. With --follow, of any model.")] = None
    follow: Annotated[bool, option("--follow",
        help="Read rows from stdin as they come, CSV with a header or JSON lines, and write the "
        "forecast after each.")] = False
    every: Annotated[str | None, option("--every", metavar="N|TIME", common=False,
        help="With --follow: forecast after so many rows of a series, or at the first row of each "
        "such time, e.g. 10 or 1h.", default="every row")] = None
    anomalies: Annotated[bool, option("--anomalies", common=False,
        help="With --follow: judge each row by its forecast from before.")] = False
    false_alarm_rate: Annotated[float | None, option("--false-alarm-rate", metavar="SHARE",
        common=False, help="With --anomalies: share of ordinary rows that may be flagged.",
        default="0.01")] = None
    in_sample: Annotated[bool, option("--in-sample", common=False,
        help="One-step forecasts over DATA beside the actual values.")] = False
    memory: Annotated[float | None, option("--memory", metavar="GB", common=False,
        min=0.01, help="Memory that may be used at most, where DATA is a Parquet file: one in "
        "order of its series is read some series at a time.",
        default="half of what is free")] = None
    jobs: Annotated[int | None, option("--jobs", "-j", metavar="N", min=1, common=False,
        help="Parts of a large Parquet file, or files of a folder, that are forecast at a time.",
        default="1; with --engine one for each worker")] = None
    engine: Engine = LOCAL
    engine_address: EngineAddress = None
    strict: Strict = False
    no_chart: NoChart = False
    excel_safe: ExcelSafe = False
    output: Output = "-"
    format: OutputFormat = None

    @property
    def table(self) -> Tables | None:
        """The table; None for the end of the one that the model was trained on."""
        return one_or_all(self.tables) if self.tables else None

    @property
    def futures(self) -> list[str]:
        """The tables of future covariates; in the environment they stand on lines of their own."""
        return self.future or os.environ.get("FORECAST_FUTURE", "").splitlines()

    @property
    def writes_folder(self) -> bool:
        """Whether the output is a folder."""
        if is_address(self.output):
            return self.output.endswith("/")
        named = self.output.endswith(("/", os.sep))
        return named or (self.output != "-" and Path(self.output).is_dir())

    @property
    def is_for_parts(self) -> bool:
        """Whether forecasts may be made for some series after others."""
        return self.tables is not None and not self.in_sample and self.state is None

    @property
    def parquet(self) -> str | None:
        """The Parquet file or folder that is read some series at a time; None for other tables."""
        table = self.table if self.is_for_parts else None
        return table if isinstance(table, str) and begins_with(table, PARQUET_FILE) else None

    def fit_to_table(self, context: typer.Context) -> "PredictOptions":
        """Return these without what the environment asks of work that is divided, if none is."""
        if self.parquet is not None:
            return self
        return keep_to_command_line(self, context, {"jobs": None, "memory": None})

    def request(self) -> "PredictionRequest":
        """The same for the library, checked."""
        from ..forecasting.prediction_request import PredictionRequest, check_request

        level = levels(",".join(self.level)) if self.level else ()
        wanted = PredictionRequest(
            self.horizon, tuple(self.only or ()), self.start, one_or_all(self.futures) or None,
            level, self.intervals, self.samples, self.seed, tuple(self.what_if or ()),
        )
        check_request(wanted)
        for wrong, message, hint in _excluded(self, wanted):
            if wrong:
                raise UsageError(message, hint)
        return wanted
# fmt: on


def _excluded(
    options: PredictOptions, wanted: "PredictionRequest"
) -> Iterator[tuple[bool, str, str]]:
    """Yield what options exclude each other: whether they do, what that means, and a way out."""
    from ..model.bundle import is_model

    for name in ("every", "anomalies", "false_alarm_rate"):
        text = f"--{name.replace('_', '-')} has an effect on a stream only."
        yield bool(getattr(options, name)), text, "Pass --follow, or leave it out."
    state, local = options.state is not None, options.engine == LOCAL
    yield (
        options.in_sample and (options.table is None or wanted.anything or state),
        "--in-sample forecasts one step for every row of DATA.",
        "Name DATA, and leave out --horizon, --only, --start, --future, --what-if, --level, "
        "--samples and --state.",
    )
    for each in options.tables or []:
        text = f"{each} is a model, where a table was expected."
        yield is_model(Path(each)), text, f"Name it with -m {each}."
    yield (
        state and wanted.beside_horizon,
        "--state continues one series, and its forecasts have no intervals.",
        "Leave out --only, --start, --future, --what-if, --level and --samples.",
    )
    divided = {"memory": "bounds what the rows of DATA need", "jobs": "divides the rows of DATA"}
    for name, does in divided.items():
        way = f"Name DATA, and leave out --in-sample and --state; or leave out --{name}."
        given = getattr(options, name) is not None
        yield given and not options.is_for_parts, f"--{name} {does}.", way
    text = "--engine-address is that of a cluster."
    yield options.engine_address is not None and local, text, "Name its kind with --engine."
    yield (
        not local and not options.writes_folder,
        f"The workers of --engine {options.engine} write a file for each part.",
        "Name a folder that all of them reach: -o forecasts/.",
    )


def check_address(output: str) -> None:
    """Refuse a file at an address of storage, where there are folders alone."""
    from ..data.io.remote_folder import is_storage

    if is_address(output) and is_storage(output):
        raise UsageError(
            f"{masked(output)} cannot be written: at an address forecasts are written to folders "
            "only, whose names end in /.",
            "End the name in / for a folder with a file for each part; or name a local file.",
        )


def check_state(output: str, state: Path | None) -> None:
    """Refuse a file for the state that cannot be one."""
    if state is not None and not state.absolute().parent.is_dir():
        raise UsageError(f"There is no directory {state.parent}.", "Create it first.")
    if state is not None and output != "-" and Path(output).absolute() == state.absolute():
        raise UsageError(
            f"{output} cannot hold both the forecast and the state.", "Name another file with -o."
        )
