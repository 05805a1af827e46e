"""`forecast explain`."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.io.writer import render
from .console import Console
from .inputs import MODEL, one_or_all, split_model
from .options import ExcelSafe, OutputOptions, Reading, Strict, option
from .outputs import as_records, choose_format, fit_times, spare, write
from .predict_options import Horizon, Output, Start
from .progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from ..forecasting.explanation import Explanation

# The most covariates whose effects a terminal shows one by one; a pipe has all.
MOST_SHOWN = 5
# How many digits the largest forecast has there.
DIGITS = 5
# fmt: off
Files = Annotated[list[str] | None, typer.Argument(metavar="[MODEL] [DATA...]", show_default=False,
    help="Model file, unless --model names it; then the table whose end is forecast, or - for "
    "stdin; without a table, the end of the training table.")]


@dataclass(frozen=True)
class ExplainOptions:
    """The options of `explain` beside the reading of its table."""

    files: Files = None
    model: Annotated[Path | None, option("--model", "-m", metavar="PATH", help="Model file.",
        default="model.forecast")] = None
    horizon: Horizon = None
    only: Annotated[list[str] | None, option("--only", metavar="NAME[,NAME...]",
        help="Explain only these series; blanks separate the parts of a name.",
        default="all")] = None
    start: Start = None
    future: Annotated[str | None, option("--future", metavar="FILE",
        help="Table of future covariates.")] = None
    seed: Annotated[int, option("--seed", metavar="N", min=0, env=False, common=False,
        help="Random seed of permutations.", default="0")] = 0
    strict: Strict = False
    excel_safe: ExcelSafe = False
    output: Output = "-"
# fmt: on


def explain(reading: Reading, output_options: OutputOptions, options: ExplainOptions) -> None:
    """Show what a forecast is made of.

    Level, trend, seasons and the effect of each covariate, whose sum is the forecast; then the
    weights of the members of an ensemble, and how important the covariates are.

    Examples:
        forecast explain
        forecast explain sales.forecast --future plan.csv --only north
        forecast explain model.forecast newer.csv --start 2024-12-01 -o effects.csv
    """
    from ..forecasting.explanation import explain as explain_forecast
    from ..forecasting.prediction_request import PredictionRequest
    from ..model.loading import load_bundle

    console, output = Console(output_options, options.strict), options.output
    form = choose_format(output, None, output_options)
    named, tables = split_model(options.files or [], options.model)
    model = named or MODEL
    spare(output, [model, options.future, *tables])
    bundle = load_bundle(model)
    only, source = tuple(options.only or ()), one_or_all(tables) if tables else None
    wanted = PredictionRequest(options.horizon, only, options.start, options.future)
    with Progress(console, plain=False) as progress:
        how: Any = {"seed": options.seed, "reading": reading, "on_event": progress.on_event}
        found = explain_forecast(bundle, source, wanted, **how)
    effects = fit_times(found.effects, form, bundle.manifest.time)
    if output_options.json:
        frames = {"effects": effects, "members": found.members, "importance": found.importance}
        parts = {name: as_records(frame) for name, frame in frames.items()}
        more = {"importance_of": found.importance_of}
        console.document({"model": str(model), "notes": progress.notes.texts} | parts | more)
        return
    if output == "-" and console.shows_tables:
        console.table(_shortened(effects, found).to_dict("records"))
    else:
        write(render(effects, form or "csv", excel_safe=options.excel_safe), output)
    _show_rest(found, console)


def _shortened(effects: "pd.DataFrame", found: "Explanation") -> "pd.DataFrame":
    """The effects for a terminal: of many covariates the largest ones, the others as a sum."""
    from ..forecasting.explanation import FORECAST

    names, largest = found.covariates, float(effects[FORECAST].abs().max())
    # As many decimals for the parts as for the forecast, so that they add up.
    places = DIGITS - 1 - math.floor(math.log10(largest)) if 0 < largest < math.inf else 0
    effects = effects.round(dict.fromkeys([FORECAST, *found.parts], max(places, 0)))
    if len(names) <= MOST_SHOWN:
        return effects
    sizes = {name: float(effects[name].abs().mean()) for name in names}
    others = sorted(names, key=sizes.__getitem__, reverse=True)[MOST_SHOWN:]
    text = f"{len(others)} others"
    return effects.drop(columns=others).assign(**{text: effects[others].sum(axis=1)})


def _show_rest(found: "Explanation", console: Console) -> None:
    """Print weights of members and importance of covariates, where there are any."""
    if len(found.members) > 1:
        console.say("weights of the members in percent")
        console.grid(found.members.to_dict("records"))
    if len(found.importance):
        console.say(
            "importance: percent by which the error rises where a covariate is permuted, "
            f"measured on {found.importance_of}"
        )
        console.grid(found.importance.to_dict("records"))
