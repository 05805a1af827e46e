"""`forecast tune`."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..core.engines import LOCAL, open_engine
from ..core.errors import UsageError
from ..core.libraries import collect_garbage_again, require_training
from .config import toml_lines
from .console import Console
from .inputs import MODEL, model_flag, one_or_all, record_origin
from .options import (
    CheckpointEvery,
    Engine,
    EngineAddress,
    OutputOptions,
    Resume,
    TunedSettings,
    option,
)
from .progress import Progress
from .spelling import seconds
from .train import Tables, checkpoints_of

if TYPE_CHECKING:
    from ..model.manifest import Evaluation, LabelEvaluation
    from ..tuning.options import Search
    from ..tuning.tuning import Tuning

# Trials that are shown on a terminal; a pipe has all of them.
SHOWN = 10


# fmt: off
@dataclass(frozen=True)
class SearchOptions:
    """The options of `tune` beside the settings."""

    trials: Annotated[int | None, option("--trials", metavar="N", min=1,
        help="Number of trials of this run, beside those of earlier runs of the study.",
        default="40, or as many as fit into the time budget")] = None
    # The training's setting has the same variable in the environment.
    time_budget: Annotated[Any, option("--time-budget", metavar="TIME", parser=seconds, env=False,
        help="Time limit for the trials: 90s, 10m, 1h; the score of the settings as given and "
        "the final training come on top.",
        default="none")] = None
    space: Annotated[Path | None, option("--space", metavar="FILE",
        help="Search space, as TOML.", default="chosen by the data; --show-space prints it")] = None
    sampler: Annotated[str, option("--sampler", metavar="NAME", common=False,
        help="How settings are sampled: tpe (learns from earlier trials), random, grid (all "
        "combinations), cmaes (for numbers).", default="tpe")] = "tpe"
    pruner: Annotated[str, option("--pruner", metavar="NAME", common=False,
        help="How unpromising trials are stopped early: median, hyperband, none; all but none "
        "also stop a trial that is behind the settings as given after a cutoff.",
        default="median")] = "median"
    metric: Annotated[str, option("--metric", metavar="NAME", common=False,
        help="Metric to minimise: mase, mae, rmse, smape.", default="mase")] = "mase"
    storage: Annotated[str | None, option("--storage", metavar="PATH",
        help="SQLite file or database URL that stores the study, to resume it, to watch it, and "
        "for several runs at a time.", default="in memory")] = None
    study: Annotated[str, option("--study", metavar="NAME", common=False,
        help="Study name in the storage.", default="forecast")] = "forecast"
    jobs: Annotated[int | None, option("--jobs", "-j", metavar="N", min=1, common=False,
        help="Trials to run at a time; with 1 the same seed gives the same trials.",
        default="1; with --engine one for each worker")] = None
    engine: Engine = LOCAL
    engine_address: EngineAddress = None
    n_windows: Annotated[int | None, option("--n-windows", metavar="N", min=1, common=False,
        help="Cutoffs before the test split at which each trial is trained and scored.",
        default="3, fewer in a short table")] = None
    show_space: Annotated[bool, option("--show-space", common=False,
        help="Print the search space as TOML, to be edited, and exit.")] = False
    model: Annotated[Path, option("--model", "-m", metavar="PATH",
        help="Where to save the model of the best settings.", default="model.forecast")] = MODEL
    resume: Resume = False
    checkpoint_every: CheckpointEvery = "30s"
    output: Annotated[Path | None, option("--output", "-o", metavar="PATH",
        help="Where to write the best settings as TOML, for forecast train --config.",
        default="nowhere")] = None

    def search(self) -> "Search":
        """The same for the library."""
        from ..tuning.options import Search

        given = {each.name: getattr(self, each.name) for each in fields(Search)}
        return Search(**given | {"jobs": self.jobs or 1})
# fmt: on


def tune(
    tables: Tables, settings: TunedSettings, output_options: OutputOptions, options: SearchOptions
) -> None:
    """Search for better settings, and train with them.

    Trials vary what train would build, and are scored on the rows before the test split; what a
    flag sets is not searched. The settings as given are kept unless a trial is significantly
    better. The trials, the best first, are the result on stdout.

    Examples:
        forecast tune prices.csv --column Close
        forecast tune sales.csv -c sales --trials 100 --jobs 4 --storage study.db
        forecast tune load.csv -c MW --time-budget 30m --cell gru -o best.toml
    """
    require_training("Tuning")

    collect_garbage_again()
    console, search, model = Console(output_options), options.search(), options.model
    if options.show_space:
        return _print_space(tables, settings, search, console)
    _check_outputs(model, options.output, [*tables, options.space, options.storage])
    place = (options.engine, options.engine_address, options.jobs)
    with Progress(console) as progress, open_engine(*place, progress.on_event) as engine:
        if engine is not None and options.jobs is None:
            search = replace(search, jobs=engine.workers)
        result = _tune_and_save(tables, settings, search, options, progress)
    if output_options.json:
        return console.document(_document(result, model) | {"notes": progress.notes.texts})
    _show(result, console)
    console.say(f"saved {model}; next: forecast predict{model_flag(model)}")


def _tune_and_save(
    tables: list[str],
    settings: TunedSettings,
    search: "Search",
    options: SearchOptions,
    progress: Progress,
) -> "Tuning":
    """Search, and write what is found; no other run may write the model meanwhile."""
    from ..tuning.tuning import tune

    with checkpoints_of(options, progress) as checkpoints:
        how: Any = {"on_event": progress.on_event, "should_stop": progress.should_stop}
        config, fixed = settings.resolve(), settings.fixed(search.space is None)
        source = one_or_all(tables)
        result = tune(source, config, search, fixed=fixed, checkpoints=checkpoints, **how)
        _save(result, tables, options.model, options.output)
    return result


def _print_space(
    tables: list[str], settings: TunedSettings, search: "Search", console: Console
) -> None:
    """Print the search space as a TOML file."""
    from ..tuning.tuning import prepare_search

    source, fixed = one_or_all(tables), settings.fixed(search.space is None)
    found = prepare_search(source, settings.resolve(), search, fixed, console.on_event)
    console.lines(found[2].lines())


def _check_outputs(model: Path, output: Path | None, sources: list[Any]) -> None:
    """Refuse, before hours of work, files that cannot be written or must not be."""
    from ..model.bundle import require_writable
    from .outputs import spare

    require_writable(model)
    if output is None:
        return
    spare(str(output), sources)
    if output.suffix != ".toml":
        raise UsageError(
            f"{output} is no .toml file: the settings are written as TOML.",
            "Name a .toml file with -o.",
        )


def _save(result: "Tuning", tables: list[str], model: Path, output: Path | None) -> None:
    """Write the model, and the settings where that is asked for."""
    from ..config.resolution import leaves
    from ..config.searchable import flatten_names
    from ..model.bundle import save_bundle
    from ..model.file_writing import write_whole

    save_bundle(record_origin(result.bundle, tables), model)
    if output is None:
        return
    said = result.config.model_dump(mode="json", exclude_unset=True)
    which = "as given" if result.trial is None else f"trial {result.trial}"
    sources = {
        path: which if flatten_names([path]) & {*result.settings, "preset"} else "given"
        for path in leaves(said)
    }
    lines = toml_lines(said, sources)
    write_whole(output, ("\n".join(lines) + "\n").encode())


def _document(result: "Tuning", model: Path) -> dict[str, Any]:
    """All of a search for machines."""
    evaluation = result.bundle.manifest.evaluation
    return {
        "model": str(model),
        "trial": result.trial,
        "settings": result.settings,
        "trials": result.rows,
        "importance": result.importance,
        "verdict": result.verdict,
        "evaluation": evaluation and evaluation.model_dump(mode="json"),
        "compared": {name: each.model_dump(mode="json") for name, each in result.compared.items()},
    }


def _show(result: "Tuning", console: Console) -> None:
    """The trials, the importance of settings, and the scores on the test split."""
    from ..api.summaries import explain_scores, shorten_rows

    if not console.output_options.quiet:
        rows = result.rows
        console.table([_narrow(row) for row in rows[:SHOWN]] if console.shows_tables else rows)
    if console.shows_tables and len(result.rows) > SHOWN:
        console.say(f"the best {SHOWN} of {len(result.rows)}; all of them in a pipe or --json")
    if result.importance:
        console.say("share of the variation between trials that each setting explains:")
        rows = [{"setting": name, "share": each} for name, each in result.importance.items()]
        console.grid(rows)
    else:
        console.say("too few completed trials to estimate the importance of settings")
    evaluation = result.bundle.manifest.evaluation
    if evaluation:
        console.say("on the test split, which no trial used:")
        console.grid(shorten_rows(_tested(result, evaluation)))
        console.say(explain_scores(evaluation))
    console.say(result.verdict, "bold")


def _tested(result: "Tuning", evaluation: "Evaluation | LabelEvaluation") -> list[dict[str, Any]]:
    """The scores on the test split: of the saved model, of what it is compared with, and others."""
    from ..api.summaries import score_rows

    chosen = "as given" if result.trial is None else f"trial {result.trial}"
    rows: list[dict[str, Any]] = []
    for name, each in {chosen: evaluation, **result.compared}.items():
        own = [row for row in score_rows(each) if row["forecast"] == each.model]
        rows += [row | {"forecast": f"{name}: {each.model}"} for row in own]
    return rows + [row for row in score_rows(evaluation) if row["forecast"] != evaluation.model]


def _narrow(row: dict[str, Any]) -> dict[str, Any]:
    """A row for a terminal: the settings in one column."""
    from ..tuning.ranking import describe_settings

    (trial, number), (metric, error), *others = row.items()
    first = [name for name, _ in others].index("epochs")
    told = {name: each for name, each in others[:first] if each is not None}
    head = {trial: number, metric: None if error is None else float(f"{error:.4g}")}
    return head | {"settings": describe_settings(told)} | dict(others[first:])
