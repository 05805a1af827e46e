"""`forecast evaluate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from ..config.registries import INTERVAL_METHODS, Intervals
from ..config.settings import SETTINGS
from ..core.errors import UsageError, counted
from ..core.events import Listener
from .conditions import Conditions, FailIf
from .console import Console
from .inputs import MODEL, one_or_all, split_model
from .options import Looking, OutputOptions, Strict, option
from .progress import Progress
from .spelling import levels

if TYPE_CHECKING:
    from ..evaluation.model_evaluation import ModelEvaluation
    from ..evaluation.reports import Report

# The metrics by series and step that a terminal shows; a pipe has all.
SHOWN = ("mae", "rmse", "smape", "mase", "bias")
# fmt: off
Inputs = Annotated[list[str], typer.Argument(metavar="FILE...",
    show_default=False, help="A model, or a table of forecasts; then DATA, the table of actual "
    "values, or - for stdin. DATA alone is for the model of --model.")]
if TYPE_CHECKING:
    Missing: TypeAlias = str
else:
    Missing = Literal[SETTINGS["missing"].choices]
MissingOfModel = Annotated[Missing | None, option("--missing", metavar="NAME", env=False,
    common=False, help="With a model, what to do with missing values.")]


@dataclass(frozen=True)
class EvaluateOptions:
    """The options of `evaluate` beside the reading of its tables."""

    model: Annotated[Path | None, option("--model", "-m", metavar="PATH", help="Model file.",
        default="model.forecast")] = None
    forecasts: Annotated[list[str] | None, option("--forecast", metavar="NAME",
        help="Column of forecasts, where its name differs from the column's; repeatable.")] = None
    start: Annotated[str | None, option("--start", metavar="DATE",
        help="With a model, the date of the first forecast; where a table of forecasts counts "
        "steps, the row of DATA of its first.")] = None
    level: Annotated[Any, option("--level", metavar="N[,N...]", parser=levels, env=False,
        help="Prediction-interval levels in percent, of a model or of sample paths.",
        default="80,95")] = None
    intervals: Annotated[Intervals | None, option("--intervals", metavar="NAME", env=False,
        common=False, default="as trained",
        help=f"With a model, the method of its intervals ({', '.join(INTERVAL_METHODS)}).")] = None
    missing: MissingOfModel = None
    owa: Annotated[bool, option("--owa",
        help="Add OWA: the mean of sMAPE and MASE relative to those of Naive2.")] = False
    by: Annotated[Literal["overall", "series", "step"], option("--by", metavar="NAME",
        help="Table to print (overall, series, step).", default="overall")] = "overall"
    fail_if: FailIf = None
    strict: Strict = False
# fmt: on


def evaluate(
    files: Inputs, looking: Looking, output_options: OutputOptions, options: EvaluateOptions
) -> None:
    """Score a saved model on new rows, or a table of forecasts.

    The metrics are the result on stdout: a row each, beside those of the baselines.

    Examples:
        forecast evaluate newer.csv
        forecast evaluate model.forecast sales.csv --start 2024-01-01 --by series
        forecast evaluate forecasts.csv actuals.csv --level 80,95 --owa
    """
    from ..data.io.remote import masked

    console = Console(output_options, options.strict)
    by, conditions = options.by, Conditions(options.fail_if)
    path, tables = _find_model(files, options.model)
    if path is None:
        with Progress(console, plain=False) as progress:
            report = _of_table(files, looking, options, progress.on_event)
        what: dict[str, Any] = dict(zip(("forecast", "truth"), map(masked, files), strict=True))
        _show(report, what | {"notes": progress.notes.texts}, by, console, conditions)
        conditions.end_if_met(console)
        return
    with Progress(console, plain=False) as progress:
        found = _of_model(path, tables, looking, options, progress.on_event)
    if options.strict:
        console.warn(found.warnings)
    facts = {"skill": found.skill, "verdict": found.verdict, "warnings": found.warnings}
    what = {"model": str(path), "data": ", ".join(map(masked, tables)), **facts}
    _show(found.report, what | {"notes": progress.notes.texts}, by, console, conditions)
    console.say(found.verdict, "bold")
    console.warn(found.warnings)
    conditions.end_if_met(console)


def _find_model(files: list[str], named: Path | None) -> tuple[Path | None, list[str]]:
    """The model and the tables to score it on; None for a table of forecasts and the actuals."""
    model, tables = split_model(files, named)
    if not tables:
        raise UsageError(f"There is nothing to score {model} on.", "Name DATA after it.")
    if model is None and len(tables) > 2:
        raise UsageError(
            f"{files[0]} is no model, and a table of forecasts is scored against one table.",
            "Name two tables, or a model and its tables.",
        )
    return MODEL if model is None and len(tables) == 1 else model, tables


def _of_model(
    path: Path,
    tables: list[str],
    looking: Looking,
    options: EvaluateOptions,
    on_event: Listener,
) -> "ModelEvaluation":
    """Score a model on new rows; options that it determines are refused."""
    from ..evaluation.model_evaluation import evaluate_model
    from ..model.loading import load_bundle

    if options.forecasts:
        raise UsageError("--forecast is for a table of forecasts.", "Leave it out.")
    reading = read_again(looking, options.missing)
    return evaluate_model(
        load_bundle(path),
        one_or_all(tables),
        begin=options.start,
        level=options.level,
        intervals=options.intervals,
        owa=options.owa,
        reading=reading,
        on_event=on_event,
    )


def read_again(looking: Looking, missing: str | None) -> dict[str, Any]:
    """How a table of a model is read; options that the model determines are refused."""
    from ..forecasting.history import READ_ANEW

    reading = looking | ({} if missing is None else {"missing": missing})
    for name in reading:
        if name not in READ_ANEW:
            raise UsageError(
                f"--{name.replace('_', '-')} has no effect here: the model determines it.",
                "Leave it out.",
            )
    return reading


def _of_table(
    files: list[str], looking: Looking, options: EvaluateOptions, on_event: Listener
) -> "Report":
    """Score a table of forecasts against the actual values; options for a model are refused."""
    from ..evaluation.table_evaluation import Asked, score_table

    start = options.start
    if options.missing is not None:
        raise UsageError("--missing is for a model: missing actual values do not count.")
    if options.intervals is not None:
        raise UsageError(
            "--intervals is for a model: a table of forecasts has its intervals.",
            "Leave it out.",
        )
    if files[0] == files[1] == "-":
        raise UsageError("stdin is one table, and two are needed.", "Name a file for one of them.")
    if start is not None and not (start.isdigit() and int(start)):
        raise UsageError(
            f"--start {start} is for a model; a table of forecasts says when its steps are.",
            "Leave it out; where steps are counted, give the row of DATA: --start 121.",
        )
    first = int(start) if start else None
    asked = Asked(options.forecasts or (), options.level, options.owa, first)
    data = looking.resolve().data
    return score_table(files[0], files[1], data=data, asked=asked, on_event=on_event)


def _show(
    report: "Report", what: dict[str, Any], by: str, console: Console, conditions: Conditions
) -> None:
    """The selected table on stdout, and on stderr what it shows."""
    if conditions.all:
        rows = forecaster_rows(report)
        conditions.compare(rows, of=rows[0]["forecaster"], key="forecaster")
        what = what | {"conditions_met": conditions.met}
    if console.output_options.json:
        from dataclasses import asdict

        console.document(what | asdict(report))
        return
    tables = {"overall": report.overall, "series": report.by_series, "step": report.by_step}
    rows = tables[by]
    if by != "overall" and console.shows_tables:
        hidden = {row["measure"] for row in report.overall} - {*SHOWN}
        hidden = {name for name in hidden if not name.startswith("coverage")}
        rows = [{name: row[name] for name in row if name not in hidden} for row in rows]
    console.table(rows)
    console.say(explain_report(report, by))


def forecaster_rows(report: "Report") -> list[dict[str, Any]]:
    """Return the scores of a report with a row for each forecaster, and for each target."""
    rows: dict[tuple[str, str | None], dict[str, Any]] = {}
    for line in report.overall:
        target = line.get("column")
        for name in line:
            if name not in ("measure", "column"):
                own = {"forecaster": name} | ({} if target is None else {"column": target})
                rows.setdefault((name, target), own)[line["measure"]] = line[name]
    return list(rows.values())


def explain_report(report: "Report", by: str) -> str:
    """Return what was scored, and the meaning of the metrics, in a line."""
    several = f" of {report.series:,} series" if report.series > 1 else ""
    names = [name for name in report.overall[0] if name not in ("measure", "column")]
    whose = "" if by == "overall" else f"{names[0]} "
    measures = {row["measure"] for row in report.overall}
    own = "mae, rmse and bias (above 0: too high)"
    if any(name.startswith("coverage") for name in measures):
        own = (
            "mae, rmse, bias (above 0: too high), width, winkler, pinball (mean over the "
            "quantiles 0.05 to 0.95, interpolated between those given) and crps"
        )
    coverage = ", wape and coverage" if own.endswith("crps") else " and wape"
    percent = f"mape, smape (0 to 200, as in M4), smape_100 (0 to 100){coverage}"
    scaled = ""
    if report.season_length:
        season = f" (season {report.season_length})" if report.season_length > 1 else ""
        scaled = f"; mase and rmsse scaled by the in-sample errors of the seasonal naive{season}"
    forecasts = counted(report.forecasts, "forecast")
    return (
        f"{whose}{forecasts}{several}, horizon {report.steps:,}; {own} in the column's units; "
        f"{percent} in percent{scaled}"
        + ("; owa below 1 is better than Naive2" if "owa" in measures else "")
    )
