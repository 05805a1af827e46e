"""`forecast evaluate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from ..config.registries import INTERVAL_METHODS, Intervals
from ..config.settings import SETTINGS
from ..core.errors import UsageError, counted
from .console import Console, Notes
from .options import Looking, OutputOptions, Strict, option
from .train import MODEL, one_or_all
from .values import levels

if TYPE_CHECKING:
    from ..evaluation.model_evaluation import ModelEvaluation
    from ..evaluation.reports import Report

# The metrics by series and step that a terminal shows; a pipe has all.
SHOWN = ("mae", "rmse", "smape", "mase", "bias")
# fmt: off
Inputs = Annotated[list[str], typer.Argument(metavar="FILE...",
    show_default=False, help="A model, or a table of forecasts; then DATA, the table of actual "
    "values, or - for stdin. DATA alone is for the model of --model.")]
ModelPath = Annotated[Path | None, option("--model", "-m", metavar="PATH", help="Model file.",
    default="model.forecast")]
Forecasts = Annotated[list[str] | None, option("--forecast", metavar="NAME",
    help="Column of forecasts, where its name differs from the column's; repeatable.")]
Start = Annotated[str | None, option("--start", metavar="DATE",
    help="With a model, the date of the first forecast; where a table of forecasts counts steps, "
    "the row of DATA of its first.")]
Level = Annotated[Any, option("--level", metavar="N[,N...]", parser=levels, env=False,
    help="Prediction-interval levels in percent, of a model or of sample paths.",
    default="80,95")]
Method = Annotated[Intervals | None, option("--intervals", metavar="NAME", env=False, common=False,
    help=f"With a model, the method of its intervals ({', '.join(INTERVAL_METHODS)}).",
    default="as trained")]
Owa = Annotated[bool, option("--owa",
    help="Add OWA: the mean of sMAPE and MASE relative to those of Naive2.")]
By = Annotated[Literal["overall", "series", "step"], option("--by", metavar="NAME",
    help="Table to print (overall, series, step).", default="overall")]
if TYPE_CHECKING:
    Missing: TypeAlias = str
else:
    Missing = Literal[SETTINGS["missing"].choices]
MissingValues = Annotated[Missing | None, option("--missing", metavar="NAME", env=False,
    common=False, help="With a model, what to do with missing values.")]
# fmt: on


def evaluate(
    files: Inputs,
    looking: Looking,
    output_options: OutputOptions,
    model: ModelPath = None,
    forecasts: Forecasts = None,
    start: Start = None,
    level: Level = None,
    intervals: Method = None,
    missing: MissingValues = None,
    owa: Owa = False,
    by: By = "overall",
    strict: Strict = False,
) -> None:
    """Score a saved model on new rows, or a table of forecasts.

    The metrics are the result on stdout: a row each, beside those of the baselines.

    Examples:
        forecast evaluate newer.csv
        forecast evaluate model.forecast sales.csv --start 2024-01-01 --by series
        forecast evaluate forecasts.csv actuals.csv --level 80,95 --owa
    """
    console = Console(output_options, strict)
    notes = Notes(console)
    owner = _split_model(files, model)
    if owner is None:
        _refuse_for_table(missing, intervals)
        report = _of_table(files, looking, forecasts, start, level, owa, notes)
        _show(report, {"forecast": files[0], "truth": files[1]}, by, console, notes)
        return
    if forecasts:
        raise UsageError("--forecast is for a table of forecasts.", "Leave it out.")
    path, tables = owner
    reading = _reading(looking | ({} if missing is None else {"missing": missing}))
    asked = {"begin": start, "level": level, "intervals": intervals, "owa": owa}
    found = _of_model(path, tables, reading, asked, notes)
    if strict:
        console.warn(found.warnings)
    facts = {"skill": found.skill, "verdict": found.verdict, "warnings": found.warnings}
    what = {"model": str(path), "data": ", ".join(tables), **facts}
    _show(found.report, what, by, console, notes)
    console.say(found.verdict, "bold")
    console.warn(found.warnings)


def _split_model(files: list[str], model: Path | None) -> tuple[Path, list[str]] | None:
    """The model and the tables to score it on; None for a table of forecasts and the actuals."""
    from ..model.bundle import is_model

    first = Path(files[0])
    if files[0] != "-" and (is_model(first) or first.suffix == ".forecast"):
        if model is not None:
            raise UsageError(f"{first} is a model, and --model names another.", "Name one of them.")
        if len(files) == 1:
            raise UsageError(f"There is nothing to score {first} on.", "Name DATA after it.")
        return first, files[1:]
    if len(files) == 1 or model is not None:
        return model or MODEL, files
    if len(files) > 2:
        raise UsageError(
            f"{files[0]} is no model, and a table of forecasts is scored against one table.",
            "Name two tables, or a model and its tables.",
        )
    return None


def _refuse_for_table(missing: Missing | None, intervals: Intervals | None) -> None:
    """Refuse options that are for a model."""
    if missing is not None:
        raise UsageError("--missing is for a model: missing actual values do not count.")
    if intervals is not None:
        raise UsageError(
            "--intervals is for a model: a table of forecasts has its intervals.",
            "Leave it out.",
        )


def _reading(looking: Mapping[str, Any]) -> dict[str, Any]:
    """How the rows for a model are read.

    Raises:
        UsageError: The model determines one of the options.
    """
    from ..forecasting.history import READ_ANEW

    for name in looking:
        if name not in READ_ANEW:
            raise UsageError(
                f"--{name.replace('_', '-')} has no effect here: the model determines it.",
                "Leave it out.",
            )
    return dict(looking)


def _of_model(
    path: Path,
    tables: list[str],
    reading: dict[str, Any],
    asked: dict[str, Any],
    notes: Notes,
) -> "ModelEvaluation":
    """Score a model on new rows."""
    from ..evaluation.model_evaluation import evaluate_model
    from ..model.loading import load_bundle

    return evaluate_model(
        load_bundle(path),
        one_or_all(tables),
        **asked,
        reading=reading,
        on_event=notes.on_event,
    )


def _of_table(
    files: list[str],
    looking: Looking,
    forecasts: list[str] | None,
    start: str | None,
    level: tuple[float, ...] | None,
    owa: bool,
    notes: Notes,
) -> "Report":
    """Score a table of forecasts against the actual values."""
    from ..evaluation.table_evaluation import Asked, score_table

    if files[0] == files[1] == "-":
        raise UsageError("stdin is one table, and two are needed.", "Name a file for one of them.")
    if start is not None and not (start.isdigit() and int(start)):
        raise UsageError(
            f"--start {start} is for a model; a table of forecasts says when its steps are.",
            "Leave it out; where steps are counted, give the row of DATA: --start 121.",
        )
    asked = Asked(forecasts or (), level, owa, int(start) if start else None)
    data = looking.resolve().data
    return score_table(files[0], files[1], data=data, asked=asked, on_event=notes.on_event)


def _show(report: "Report", what: dict[str, Any], by: str, console: Console, notes: Notes) -> None:
    """The selected table on stdout, and on stderr what it shows."""
    if console.output_options.json:
        from dataclasses import asdict

        console.document(what | {"notes": notes.texts} | asdict(report))
        return
    tables = {"overall": report.overall, "series": report.by_series, "step": report.by_step}
    rows = tables[by]
    if by != "overall" and console.shows_tables:
        rows = [{name: row[name] for name in row if _narrow(name, report)} for row in rows]
    console.table(rows)
    console.say(explain_report(report, by))


def _narrow(name: str, report: "Report") -> bool:
    """Whether a terminal shows a column: names, and some metrics."""
    measures = {row["measure"] for row in report.overall}
    return name not in measures or name in SHOWN or name.startswith("coverage")


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
    percent = "mape, smape (0 to 200, as in M4), smape_100 (0 to 100) and wape"
    if own.endswith("crps"):
        percent = percent.replace(" and wape", ", wape and coverage")
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
