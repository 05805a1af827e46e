"""`forecast compare`."""

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from ..core.errors import UsageError, nearest
from .console import Console
from .options import OutputOptions, Settings, option
from .train import MODEL, Tables, flag_of_model, one_or_all


# fmt: off
@dataclass(frozen=True)
class CompareOptions:
    """The options of `compare` beside the settings."""

    cells: Annotated[str | None, option("--cells", metavar="NAME[,NAME...]",
        help="Recurrent cells to compare.", default="lstm,gru,rnn")] = None
    model: Annotated[Path, option("--model", "-m", metavar="PATH",
        help="Where to save the best model.", default="model.forecast")] = MODEL
# fmt: on


def compare(
    tables: Tables, settings: Settings, output_options: OutputOptions, options: CompareOptions
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
    from ..model.bundle import require_writable, save_bundle
    from ..training.cell_comparison import compare
    from .progress import Progress

    gc.enable()
    console, model = Console(output_options), options.model
    cells, config = _cells(options.cells, settings), settings.resolve()
    require_writable(model)
    with Progress(console) as progress:
        how: Any = {"on_event": progress.on_event, "should_stop": progress.should_stop}
        result = compare(one_or_all(tables), config, cells=cells, **how)
        save_bundle(result.bundle, model)
    if output_options.json:
        document = {"model": str(model), "cell": result.cell, "verdict": result.verdict}
        console.document(document | {"models": result.rows, "notes": progress.notes.texts})
        return
    console.table(result.rows)
    if evaluation := result.bundle.manifest.evaluation:
        skill = "; skill: error reduction in percent against the best baseline"
        console.say(explain_scores(evaluation) + skill)
    console.say(result.verdict, "bold")
    console.say(f"saved {result.cell} as {model}; next: forecast predict{flag_of_model(model)}")


def _cells(text: str | None, settings: Settings) -> tuple[str, ...]:
    """The cells that are named; unknown ones, and `cell` beside them, are refused."""
    from ..config.registries import CELLS

    chosen = tuple(each.strip() for each in text.split(",")) if text else tuple(CELLS)
    for each in chosen:
        if each not in CELLS:
            raise UsageError(f'There is no cell "{each}".', nearest(each, CELLS))
    if "cell" in settings:
        raise UsageError(
            "compare takes the cells to train from --cells.", "Pass --cells instead of --cell."
        )
    return chosen
