"""`forecast compare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..config.registries import CELLS, PRESETS
from ..core.errors import UsageError
from ..core.events import Note
from ..core.libraries import collect_garbage_again, require_training
from .backtest import describe_candidates, explain_measures, narrow
from .completion import complete_models
from .console import Console
from .inputs import MODEL, model_flag, one_or_all, record_origin
from .options import BriefSettings, CheckpointEvery, OutputOptions, Resume, option
from .spelling import names
from .train import Tables, checkpoints_of

if TYPE_CHECKING:
    from ..backtesting.comparison import Comparison
    from ..config.schema import Config
    from .progress import Progress


# fmt: off
@dataclass(frozen=True)
class CompareOptions:
    """The options of `compare` beside the settings."""

    models: Annotated[str | None, option("--models", metavar="NAME[,NAME...]",
        autocompletion=complete_models,
        help=f"Models to compare: model (what train builds), {', '.join((*PRESETS, *CELLS))}, "
        "baselines as in backtest, and .toml configurations.",
        default="model,auto,fast,lstm,gru,rnn")] = None
    cells: Annotated[str | None, option("--cells", metavar="NAME[,NAME...]", common=False,
        help="Deprecated: use --models.")] = None
    n_windows: Annotated[int | None, option("--n-windows", metavar="N", min=1,
        help="Number of cutoffs before the test split to forecast from.",
        default="10, fewer to learn from half of the table")] = None
    model: Annotated[Path, option("--model", "-m", metavar="PATH",
        help="Where to save the best model.", default="model.forecast")] = MODEL
    resume: Resume = False
    checkpoint_every: CheckpointEvery = "30s"

    @property
    def candidates(self) -> tuple[str, ...]:
        """The models."""
        if self.models is not None and self.cells is not None:
            raise UsageError("--cells is an old name of --models.", "Leave out --cells.")
        return names(self.models or self.cells or "")
# fmt: on


def compare(
    tables: Tables, settings: BriefSettings, output_options: OutputOptions, options: CompareOptions
) -> None:
    """Compare presets, cells and baselines, and save the best.

    All forecast from cutoffs before the test split; the scores, the best first, are the result on
    stdout. The best model is trained as by train, and scored on the test split.

    Examples:
        forecast compare prices.csv --column Close
        forecast compare prices.csv -c Close --models auto,lstm,gru --epochs 50
        forecast compare sales.csv -c sales --series store --horizon 28 -m best.forecast
    """
    require_training("A comparison")
    from ..model.bundle import require_writable
    from .progress import Progress

    collect_garbage_again()
    console, model = Console(output_options), options.model
    config = settings.resolve()
    require_writable(model)
    with Progress(console) as progress:
        result = _compare_and_save(tables, config, options, progress)
    if output_options.json:
        evaluation = result.bundle.manifest.evaluation
        document = {
            "model": str(model),
            "best": result.model,
            "verdict": result.verdict,
            "models": result.rows,
            "descriptions": result.descriptions,
            "test": evaluation and evaluation.model_dump(mode="json"),
            "notes": progress.notes.texts,
        }
        console.document(document)
    else:
        _show(result, model, console)


def _compare_and_save(
    tables: list[str], config: "Config", options: CompareOptions, progress: "Progress"
) -> "Comparison":
    """Compare models and write the best; no other run may write it meanwhile."""
    from ..backtesting.comparison import compare
    from ..backtesting.fold_cache import FoldStores
    from ..backtesting.plan import Plan
    from ..model.bundle import save_bundle

    plan, stores = Plan(options.candidates, options.n_windows), FoldStores()
    with checkpoints_of(options, progress) as checkpoints:
        if options.cells is not None:
            text = f"--cells is deprecated: use --models {options.cells}"
            progress.on_event(Note(text, warning=True))
        how: Any = {"on_event": progress.on_event, "should_stop": progress.should_stop}
        how |= {"checkpoints": checkpoints, "stores": stores}
        result = compare(one_or_all(tables), config, plan, **how)
        save_bundle(record_origin(result.bundle, tables), options.model)
        stores.clear()
    return result


def _show(result: "Comparison", model: Path, console: Console) -> None:
    """The scores on stdout, and on stderr what the models are and the verdict."""
    if not console.output_options.quiet:
        console.table([narrow(row) if console.shows_tables else row for row in result.rows])
    for text in describe_candidates(result.descriptions):
        console.say(text)
    console.say(f"forecasts from cutoffs before the test split; {explain_measures(console)}")
    console.say(result.verdict, "bold")
    console.say(f"saved {result.model} as {model}; next: forecast predict{model_flag(model)}")
