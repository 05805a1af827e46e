"""`forecast train`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.engines import LOCAL, open_engine
from ..core.errors import UsageError
from ..core.libraries import collect_garbage_again
from ..core.memory import Limits
from .charts import show_compact, write_page
from .conditions import Incumbent
from .console import Console
from .inputs import MODEL, model_flag, one_or_all, record_origin
from .options import (
    CheckpointEvery,
    Engine,
    EngineAddress,
    NoChart,
    OutputOptions,
    ReportPage,
    Resume,
    Settings,
    Strict,
    option,
)
from .outputs import check_page
from .parameters import keep_to_command_line
from .progress import Progress

if TYPE_CHECKING:
    from ..config.schema import Config
    from ..model.bundle import Bundle
    from ..model.checkpoints import Checkpoints


Tables = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        show_default=False,
        help="Table: CSV, Parquet, Feather, JSON or Excel, or - for stdin; several are read as "
        "one.",
    ),
]


# fmt: off
@dataclass(frozen=True)
class TrainOptions:
    """The options of `train` beside the settings."""

    model: Annotated[Path, option("--model", "-m", metavar="PATH",
        help="Where to save the model.", default="model.forecast")] = MODEL
    future: Annotated[str | None, option("--future", metavar="FILE", common=False,
        help="Future covariates after the end of DATA, stored for predictions.")] = None
    init_model: Annotated[Path | None, option("--init-model", metavar="PATH", common=False,
        help="Start from the weights of this model, which determines the whole network; "
        "pretrained: those of the network in the package.")] = None
    rescale: Annotated[bool, option("--rescale", common=False,
        help="With --init-model: fit the scaler again, on the training rows of DATA.")] = False
    keep_better: Annotated[bool, option("--keep-better", common=False,
        help="Keep the old model, with exit code 6, if the new one has a higher MAE on test rows "
        "that neither has learned from.")] = False
    resume: Resume = False
    checkpoint_every: CheckpointEvery = "30s"
    report: ReportPage = None
    memory: Annotated[float | None, option("--memory", metavar="GB", common=False, min=0.01,
        help="Memory that may be used at most: of a Parquet file or folder in order of its series "
        "that needs more, some series are read at a time.",
        default="half of what is free")] = None
    cache: Annotated[Path | None, option("--cache", metavar="DIR", common=False,
        help="Read some series at a time in any case, and keep the rows as arrays in DIR for later "
        "trainings.", default="a temporary folder beside the model")] = None
    jobs: Annotated[int | None, option("--jobs", "-j", metavar="N", min=1, common=False,
        help="Networks of an ensemble, or with --per-series tasks, to train at a time.",
        default="one per core, or per worker")] = None
    engine: Engine = LOCAL
    engine_address: EngineAddress = None
    strict: Strict = False
    no_chart: NoChart = False

    @property
    def limits(self) -> Limits:
        """What may be used for a table that does not fit into memory."""
        return Limits(self.memory, self.cache, self.model)

    def check(self, config: "Config", tables: list[str]) -> None:
        """Refuse options that do not go together, and what cannot be written."""
        from ..model.bundle import require_writable

        require_writable(self.model)
        if self.rescale and self.init_model is None:
            raise UsageError("--rescale needs --init-model.", "Leave it out, or name the model.")
        if self.future is not None and self.init_model is not None:
            raise UsageError(
                "--future is for a model that is trained from scratch.",
                "Leave out --future or --init-model.",
            )
        if self.report is not None or self.keep_better:
            self.limits.refuse("--report and --keep-better read the whole table into memory")
        if self.divides and (self.init_model is not None or config.data.label):
            raise UsageError(
                "--jobs and --engine divide trainings of several networks, from scratch.",
                "Leave them out with --init-model and --label.",
            )
        check_page(self.report, "--report", tables)

    def fit_to_work(self, context: typer.Context, config: "Config") -> "TrainOptions":
        """Return these without what the environment asks of work that is divided, if none is."""
        if config.training.per_series:
            return self
        idle: dict[str, Any] = {"jobs": None, "engine": LOCAL, "engine_address": None}
        return keep_to_command_line(self, context, idle)

    @property
    def divides(self) -> bool:
        """Whether networks are trained as tasks."""
        return self.jobs is not None or self.engine != LOCAL
# fmt: on


def train(
    context: typer.Context,
    tables: Tables,
    settings: Settings,
    output_options: OutputOptions,
    options: TrainOptions,
) -> None:
    """Train a model on a table and save it.

    The scores on the test split, beside those of the baselines, are the result on stdout.

    Examples:
        forecast train prices.csv --column Close
        forecast train sales.csv -c sales --series store --horizon 28 --preset best
        forecast train load.csv -c MW --future-covariate temperature --test 2024-01-01
    """
    from ..api.summaries import training_document
    from ..training.member_tasks import dividing_members

    collect_garbage_again()
    console = Console(output_options, options.strict)
    config = settings.resolve()
    options = options.fit_to_work(context, config)
    options.check(config, tables)
    scored: list[Bundle] = []
    old = Incumbent(options.model, tables, config) if options.keep_better else None
    divided = dividing_members() if options.divides else nullcontext()
    place = (options.engine, options.engine_address, options.jobs)
    with Progress(console) as progress, open_engine(*place, progress.on_event), divided:
        bundle = _train_and_save(tables, config, options, progress, scored, old)
    if options.report is not None and not (old and old.stays):
        _write_report(tables, options, progress.notes.texts, scored)
    if output_options.json:
        more = {"notes": progress.notes.texts} | (old.document if old else {})
        console.document(training_document(bundle, options.model) | more)
    else:
        _show(bundle, options, console, one_or_all(tables), old)
    if old is not None:
        old.end_if_kept(console)


def _train_and_save(
    tables: list[str],
    config: "Config",
    options: TrainOptions,
    progress: Progress,
    scored: "list[Bundle]",
    old: Incumbent | None,
) -> "Bundle":
    """Train a model and write it, unless an old one is better; no other run may write it meanwhile.

    A refitted one is added to `scored` as it was scored, where that is looked at.
    """
    from ..api.functions import train_configured
    from ..model.bundle import save_bundle

    looked_at = options.report is not None or old is not None
    own = {name: getattr(options, name) for name in ("future", "rescale", "limits")}
    with checkpoints_of(options, progress) as checkpoints:
        model = train_configured(
            one_or_all(tables),
            config,
            options.init_model,
            **own,
            on_event=progress.on_event,
            should_stop=progress.should_stop,
            checkpoints=checkpoints,
            on_scored=scored.append if looked_at else None,
        )
        if options.strict:
            progress.console.warn(_warnings(model.bundle))
        bundle = record_origin(model.bundle, tables)
        if old is not None:
            old.challenge(bundle, scored)
        if old is None or not old.stays:
            save_bundle(bundle, options.model)
    return bundle


@contextmanager
def checkpoints_of(options: Any, progress: Progress) -> "Iterator[Checkpoints]":
    """Keep checkpoints until the model is saved; those of a run that was stopped, after it too."""
    from ..model.checkpoints import open_checkpoints

    every, resume = options.checkpoint_every, options.resume
    with open_checkpoints(options.model, every=every, resume=resume) as checkpoints:
        yield checkpoints
        if not progress.interrupted:
            checkpoints.finish()
        elif checkpoints.used:
            progress.console.say(
                f"{checkpoints.folder.name} has the unfinished run: repeat the command with "
                "--resume to continue it, or delete the folder"
            )


def _write_report(
    tables: list[str], options: TrainOptions, notes: Sequence[str], scored: "list[Bundle]"
) -> None:
    """Write a page about a model that was saved, from the rows of its tables that can be read."""
    from ..model.loading import load_bundle

    if options.report is not None:
        bundle = load_bundle(options.model)
        again = [] if "-" in tables or bundle.manifest.labels else tables
        how: Any = {"future": options.future, "notes": notes, "scored": [*scored, None][0]}
        write_page(options.report, bundle, options.model, again, **how)


def _show(
    bundle: "Bundle",
    options: TrainOptions,
    console: Console,
    tables: str | list[str],
    old: Incumbent | None,
) -> None:
    """The scores on stdout, and on stderr what explains them and what to do next."""
    from ..api import summaries

    evaluation = bundle.manifest.evaluation
    if not console.output_options.quiet:
        console.table(summaries.score_rows(evaluation))
    if not options.no_chart:
        show_compact(console, bundle, tables)
    console.say(summaries.describe_name(bundle.manifest))
    if evaluation:
        console.say(summaries.explain_scores(evaluation))
        console.grid(summaries.interval_rows(evaluation))
        if rows := summaries.worst_rows(bundle):
            console.say("the series with the largest errors:")
            console.grid(rows)
        console.grid(summaries.confusion_rows(bundle.manifest))
        console.say(evaluation.verdict, "bold")
        console.warn(_warnings(bundle))
    if not (old and old.stays):
        _say_saved(bundle, options, console, old)


def _say_saved(
    bundle: "Bundle", options: TrainOptions, console: Console, old: Incumbent | None
) -> None:
    """Say what was saved, and what to do next."""
    if old is not None and old.found is not None:
        console.say(f"the new model replaces the old one: {old.found.describe()}")
    what = " DATA" if bundle.manifest.labels else ""
    level = ",".join(
        f"{each.level:g}" for each in getattr(bundle.manifest.evaluation, "intervals", ())
    )
    more = f", with intervals: --level {level}" if level else ""
    flag = model_flag(options.model)
    if options.report is not None:
        console.say(f"saved {options.report}")
    console.say(f"saved {options.model}; next: forecast predict{what}{flag}{more}")


def _warnings(bundle: "Bundle") -> Sequence[str]:
    """Reasons not to rely on the model or its scores."""
    return getattr(bundle.manifest.evaluation, "warnings", ())
