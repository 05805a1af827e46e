"""`forecast compare`."""

import gc
from pathlib import Path
from typing import Annotated

from ..core.errors import UsageError
from .console import Console
from .options import OutputOptions, Settings, option
from .train import MODEL, Tables, one_or_all

Cells = Annotated[
    str | None,
    option(
        "--cells",
        metavar="NAME[,NAME...]",
        help="Recurrent cells to compare.",
        default="lstm,gru,rnn",
    ),
]
ModelPath = Annotated[
    Path,
    option(
        "--model",
        "-m",
        metavar="PATH",
        help="Where to save the best model.",
        default="model.forecast",
    ),
]


def compare(
    tables: Tables,
    settings: Settings,
    output_options: OutputOptions,
    cells: Cells = None,
    model: ModelPath = MODEL,
) -> None:
    """Train an LSTM, a GRU and a SimpleRNN in the same way and save the best.

    The scores on the test split, the best first, beside those of the baselines, are the result on
    stdout.

    Examples:
        forecast compare prices.csv --column Close
        forecast compare prices.csv -c Close --cells lstm,gru --epochs 50
        forecast compare sales.csv -c sales --series store --horizon 28 -m best.forecast
    """
    from ..api.summaries import explain_scores
    from ..config.registries import CELLS
    from ..model.bundle import require_writable, save_bundle
    from ..training.cell_comparison import compare
    from .progress import Progress

    gc.enable()
    console = Console(output_options)
    chosen = _cells(cells, tuple(CELLS))
    if "cell" in settings:
        raise UsageError(
            "compare takes the cells to train from --cells.", "Pass --cells instead of --cell."
        )
    config = settings.resolve()
    require_writable(model)
    with Progress(console) as progress:
        result = compare(
            one_or_all(tables),
            config,
            cells=chosen,
            on_event=progress.on_event,
            should_stop=progress.should_stop,
        )
        save_bundle(result.bundle, model)
    evaluation = result.bundle.manifest.evaluation
    if output_options.json:
        document = {"model": str(model), "cell": result.cell, "verdict": result.verdict}
        console.document(document | {"models": result.rows, "notes": progress.notes.texts})
        return
    console.table(result.rows)
    if evaluation:
        console.say(
            explain_scores(evaluation)
            + "; skill: error reduction in percent against the best baseline"
        )
    console.say(result.verdict, "bold")
    flag = "" if model == MODEL else f" -m {model}"
    console.say(f"saved {result.cell} as {model}; next: forecast predict{flag}")


def _cells(text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The cells that are named.

    Raises:
        UsageError: One is unknown.
    """
    from ..core.errors import nearest

    if not text:
        return known
    chosen = tuple(each.strip() for each in text.split(","))
    for each in chosen:
        if each not in known:
            raise UsageError(f'There is no cell "{each}".', nearest(each, known))
    return chosen
