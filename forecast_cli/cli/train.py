"""`forecast train`."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import UsageError
from .console import Console
from .options import OutputOptions, Settings, option

if TYPE_CHECKING:
    from ..config.schema import Config
    from ..model.bundle import Bundle
    from .progress import Progress

MODEL = Path("model.forecast")

Tables = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        show_default=False,
        help="Table: CSV, Parquet, Feather, JSON or Excel, or - for stdin; several are read as "
        "one.",
    ),
]

ModelPath = Annotated[
    Path,
    option(
        "--model", "-m", metavar="PATH", help="Where to save the model.", default="model.forecast"
    ),
]


Future = Annotated[
    str | None,
    option(
        "--future",
        metavar="FILE",
        help="Future covariates after the end of DATA, stored for predictions.",
        common=False,
    ),
]


InitModel = Annotated[
    Path | None,
    option(
        "--init-model",
        metavar="PATH",
        help="Start from the weights of this model, which determines the whole network.",
        common=False,
    ),
]
Rescale = Annotated[
    bool,
    option(
        "--rescale",
        help="With --init-model: fit the scaler again, on the training rows of DATA.",
        common=False,
    ),
]


def trained(
    source: str | list[str],
    config: "Config",
    progress: "Progress",
    future: str | None,
    init_model: Path | None,
    *,
    rescale: bool,
) -> "Bundle":
    """Train a model, from random weights or from those of another model.

    Raises:
        UsageError: Options do not go together.
    """
    on_event, should_stop = progress.on_event, progress.should_stop
    if init_model is None:
        from ..training.pipeline import train

        if rescale:
            raise UsageError("--rescale needs --init-model.", "Leave it out, or name the model.")
        return train(source, config, future=future, on_event=on_event, should_stop=should_stop)
    from ..model.loading import load_bundle
    from ..training.finetuning import finetune

    if future is not None:
        raise UsageError(
            "--future is for a model that is trained from scratch.",
            "Leave out --future or --init-model.",
        )
    return finetune(
        load_bundle(init_model),
        source,
        config,
        rescale=rescale,
        on_event=on_event,
        should_stop=should_stop,
    )


def one_or_all(tables: list[str]) -> str | list[str]:
    """A single table by itself."""
    return tables[0] if len(tables) == 1 else tables


def train(
    tables: Tables,
    settings: Settings,
    output_options: OutputOptions,
    model: ModelPath = MODEL,
    future: Future = None,
    init_model: InitModel = None,
    rescale: Rescale = False,
) -> None:
    """Train a model on a table and save it.

    The scores on the test split, beside those of the baselines, are the result on stdout.

    Examples:
        forecast train prices.csv --column Close
        forecast train sales.csv -c sales --series store --horizon 28 --preset best
        forecast train load.csv -c MW --future-covariate temperature --test 2024-01-01
    """
    from ..api.summaries import (
        confusion_rows,
        explain_scores,
        interval_rows,
        score_rows,
        training_document,
        worst_rows,
    )
    from ..model.bundle import require_writable, save_bundle
    from .progress import Progress

    gc.enable()
    console = Console(output_options)
    config = settings.resolve()
    require_writable(model)
    with Progress(console) as progress:
        bundle = trained(one_or_all(tables), config, progress, future, init_model, rescale=rescale)
        save_bundle(bundle, model)
    if output_options.json:
        console.document(training_document(bundle, model) | {"notes": progress.notes.texts})
        return
    evaluation = bundle.manifest.evaluation
    if not output_options.quiet:
        console.table(score_rows(evaluation))
    if evaluation:
        console.say(explain_scores(evaluation))
        console.grid(interval_rows(evaluation))
        if rows := worst_rows(bundle):
            console.say("the series with the largest errors:")
            console.grid(rows)
        console.grid(confusion_rows(bundle.manifest))
        console.say(evaluation.verdict, "bold")
        for warning in getattr(evaluation, "warnings", ()):
            console.say(f"warning: {warning}", "yellow")
    what = " DATA" if bundle.manifest.labels else ""
    flag = "" if model == MODEL else f" -m {model}"
    level = ",".join(f"{each.level:g}" for each in getattr(evaluation, "intervals", ()))
    more = f", with intervals: --level {level}" if level else ""
    console.say(f"saved {model}; next: forecast predict{what}{flag}{more}")
