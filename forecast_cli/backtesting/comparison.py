"""Comparison of models by forecasts from cutoffs before the test split; the best one is trained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..config.model_name import MODEL
from ..config.registries import BASELINES, CELLS, PRESETS
from ..config.schema import Config
from ..core.brief import Brief, Shown
from ..core.errors import Interrupted, UsageError
from ..core.events import Listener, Note, Stage, ignore, once
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..model.bundle import Bundle
from ..model.checkpoints import Checkpoints
from ..training.checkpointing import Marks, begin_checkpoints, describe_run
from ..training.pipeline import train_panel
from ..training.resolution import resolve_config
from .backtest import Backtest, run_backtest
from .fold_cache import FoldStores, kept_folds
from .folds import rows_between
from .models import Entry, make_entries
from .plan import Plan
from .setup import Setup, align

# All but the preset that trains several times as long, and the baselines of every verdict.
QUICK = tuple(
    name for name, entry in PRESETS.items() if entry.chooses and entry.stronger and entry.trains
)
COMPARED = (MODEL, *QUICK, *CELLS)
REFERENCES = tuple(name for name, entry in BASELINES.items() if entry.reference)
DEFAULT_PLAN = Plan()


@dataclass(frozen=True, repr=False)
class Comparison(Brief):
    """The result of a comparison.

    Args:
        rows: The scores of a backtest before the test split: a row for each model and baseline (and
            target), grouped by target, the smallest error first.
        bundle: The best model, trained as `train` does and scored on the test split.
        model: Its row.
        descriptions: What the models are: name and members, by row.
        verdict: Which is best, whether that is significant, and how it does on the test split.
    """

    rows: list[dict[str, Any]]
    bundle: Bundle
    model: str
    descriptions: dict[str, str]
    verdict: str

    def _brief(self) -> Shown:
        return self.verdict, self.rows


def compare(
    source: Readable,
    config: Config,
    plan: Plan = DEFAULT_PLAN,
    *,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    checkpoints: Checkpoints | None = None,
    stores: FoldStores | None = None,
) -> Comparison:
    """Backtest models before the test split, and train the one with the smallest error there.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: The settings of all models.
        plan: The models and the cutoffs; the baselines of a verdict are always compared.
        on_event: Notified of the progress, and where the best model is worse than a baseline.
        should_stop: Called after each fold, and in the final training after each epoch; True ends
            the backtest with what is finished.
        checkpoints: Where the unfinished training of the best model is kept and found.
        stores: Keep finished folds until they are cleared; None: until the end.

    Raises:
        UsageError: A model is unknown, or already trained.
        DataError: The table lacks what is needed.
        Interrupted: It was stopped before a model was known.
    """
    if config.data.label:
        raise UsageError("Models are compared by forecasts; `label` is for labelled sequences.")
    on_event = once(on_event)
    entries = _entries(plan.models, config, on_event)
    on_event(Stage("reading"))
    panel = read_panel(source, config.data, on_event=on_event)
    setup = _set_up(panel, entries, config, plan, source=source, on_event=on_event)
    begin_checkpoints(checkpoints, partial(_marks, panel, entries, config, plan), on_event)
    with kept_folds(stores) as folds:
        result = run_backtest(setup, on_event, should_stop, folds)
        # A stop of the backtest does not stop the training.
        final = bool if should_stop() else should_stop
        return _train_best(panel, entries, result, on_event, final, checkpoints)


def _marks(panel: Panel, entries: Sequence[Entry], config: Config, plan: Plan) -> Marks:
    """Return digests of what a comparison depends on."""
    models = [[each.name, each.config and each.config.model_dump_json()] for each in entries]
    return describe_run("compare", panel, [models, config.model_dump_json(), repr(plan)])


def _train_best(
    panel: Panel,
    entries: Sequence[Entry],
    result: Backtest,
    on_event: Listener,
    should_stop: Callable[[], bool],
    checkpoints: Checkpoints | None,
) -> Comparison:
    """Train the best model of a backtest."""
    if not result.settings["trained"]:
        raise Interrupted("Stopped before any model was finished.")
    best, configuration = _choose(result, entries)
    _warn_of_baseline(result, best, on_event)
    if configuration.preset is None or PRESETS[configuration.preset].trains:
        on_event(Note(f"training {best} on all training rows"))
    how: Any = {"on_event": on_event, "should_stop": should_stop, "run": checkpoints}
    bundle = train_panel(panel, configuration, **how)
    verdict = f"{result.verdict} The saved model is {best}."
    if bundle.manifest.evaluation:
        verdict += f" On the test split: {bundle.manifest.evaluation.verdict}"
    rows = sort_rows(result.scores, panel.columns.targets, several=panel.count > 1)
    return Comparison(rows, bundle, best, result.descriptions, verdict)


def _entries(models: Sequence[str], config: Config, on_event: Listener) -> list[Entry]:
    """Return models and baselines; of equal models the first, unless both were named."""
    entries = make_entries((*(models or COMPARED), *REFERENCES), config, on_event)
    if trained := [entry.text for entry in entries if entry.bundle is not None]:
        raise UsageError(
            f"{trained[0]} is trained already, and compare trains the best model.",
            "Leave it out, or use a backtest.",
        )
    if all(entry.config is None for entry in entries):
        raise UsageError("There is no model to train among `models`.", "Add auto or lstm.")
    if models:
        return entries
    configs = [entry.config for entry in entries]
    return [
        entry
        for place, entry in enumerate(entries)
        if entry.config is None or entry.config not in configs[:place]
    ]


def _set_up(
    panel: Panel,
    entries: Sequence[Entry],
    config: Config,
    plan: Plan,
    *,
    source: Readable,
    on_event: Listener,
) -> Setup:
    """Return the backtest on the rows before the test split; arguments as in `align`."""
    # The settings of the first model decide on the splits.
    first = next(entry.config for entry in entries if entry.config is not None)
    ends = resolve_config(panel, first, on_event=on_event).splits.validation_end
    before = rows_between(panel, panel.indptr[:-1], ends)
    # Without names in the plan, baselines that need a season are left out where there is none.
    plan = replace(plan, models=())
    return align(before, entries, config, plan, source=source, on_event=on_event)


def _choose(result: Backtest, entries: Sequence[Entry]) -> tuple[str, Config]:
    """Return the model with the smallest error, by the name of its row, and its settings."""
    configs = {entry.name: entry.config for entry in entries if entry.config is not None}
    best = min(result.settings["trained"], key=lambda name: result.losses.get(name, float("inf")))
    # The model has its own name by now.
    return best, configs[best if best in configs else MODEL]


def _warn_of_baseline(result: Backtest, best: str, on_event: Listener) -> None:
    """Warn where the best model is worse than the best baseline."""
    losses = result.losses
    baselines = {name for name, entry in BASELINES.items() if entry.forecasts}
    simple = {name: loss for name, loss in losses.items() if name in baselines}
    if best not in losses or not simple:
        return
    name, loss = min(simple.items(), key=lambda each: each[1])
    if losses[best] > loss:
        above = f"{100.0 * (losses[best] / loss - 1.0):.1f} %" if loss > 0 else "infinitely"
        text = f"no model is better than the {name} forecast: before the test split the error of "
        on_event(Note(f"{text}{best}, the best of them, is {above} higher", warning=True))


def sort_rows(
    rows: list[dict[str, Any]], targets: Sequence[str], *, several: bool
) -> list[dict[str, Any]]:
    """Return rows grouped by target, the smallest error first: of several series the MASE."""
    whole = several and all(row["mase"] is not None for row in rows)
    measure = "mase" if whole else "mae"

    def place(row: dict[str, Any]) -> tuple[int, bool, float]:
        target = targets.index(row["column"]) if "column" in row else 0
        return target, row[measure] is None, row[measure] or 0.0

    return sorted(rows, key=place)
