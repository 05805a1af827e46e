"""Search for settings on the rows before the test split, and train a model with the best."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..config.schema import Config
from ..core.brief import Brief, Shown
from ..core.errors import DataError, TrainingError, UsageError
from ..core.events import Listener, Note, Stage, ignore
from ..data.dataset import Dataset
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..model.bundle import Bundle
from ..model.checkpoints import Checkpoints, Saved
from ..model.manifest import Evaluation
from ..training.checkpointing import begin_checkpoints, describe_run, part_of
from ..training.data_summary import describe
from ..training.fitting import Trained
from ..training.network_training import train_network
from ..training.pipeline import Learned, finish, learn
from ..training.preparation import make_dataset
from .default_space import default_space, trial_config
from .folds import TrialFolds, make_folds
from .options import Search
from .ranking import GIVEN, Ranking, compare_tested, describe_settings, importance
from .space import Space, read_space
from .studies import claim, database, fingerprint
from .trials import Task, run_trials, score_as_given

DEFAULT_SEARCH = Search()
# The checkpoint that says which trials of a study are of the unfinished search.
SEARCH = "search"
# What is proposed where the chosen trial does worse on the test split.
KEEP = "a training without its settings keeps those given"


@dataclass(frozen=True, repr=False)
class Tuning(Brief):
    """The result of a search.

    Args:
        rows: A row for each trial of the study and one for the settings as given, the best first:
            `trial`, the error, the settings that differ, `epochs`, `seconds`, `state`.
        importance: Share of the variance between trials that each setting explains; empty where
            there are too few trials.
        trial: Number of the best trial; None where the settings as given are better than all.
        settings: Of the best trial, by flat names.
        config: The whole configuration with these settings.
        bundle: The model that was trained with them, scored on the test split.
        compared: The scores on the test split of what it is shown beside, by name: the settings as
            given, or where these are kept, the best trial. Empty where no trial is better.
        verdict: The result in sentences.
    """

    rows: list[dict[str, Any]]
    importance: dict[str, float]
    trial: int | None
    settings: dict[str, Any]
    config: Config
    bundle: Bundle
    compared: Mapping[str, Evaluation]
    verdict: str

    def _brief(self) -> Shown:
        return self.verdict, self.rows


@dataclass(frozen=True)
class Found:
    """The result of a search before anything of the test split is looked at.

    Args:
        panel: The whole table.
        folds: What trials were scored on.
        ranking: The trials.
        importance: As in `Tuning`.
    """

    panel: Panel
    folds: TrialFolds
    ranking: Ranking
    importance: dict[str, float]


def tune(
    source: Readable,
    config: Config,
    search: Search = DEFAULT_SEARCH,
    *,
    fixed: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    checkpoints: Checkpoints | None = None,
) -> Tuning:
    """Search for settings around those of a training, and train a model with the best.

    The settings as given are kept unless a trial is significantly better. The test split has no
    part in the search: it only scores the model, and what it is shown beside, at the end.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: Everything that is not searched.
        search: Options of the search.
        fixed: Settings that are not searched, by flat names.
        on_event: Notified of what was read and of progress.
        should_stop: Called after each epoch; after a stop the best settings so far are trained.
        checkpoints: Where an unfinished search and its trainings are kept and found; None to keep
            none but a study with a storage.

    Raises:
        UsageError: The space is invalid, or the study is of another search.
        DataError: The table lacks what is needed.
    """
    began = time.perf_counter()
    how: Any = {"on_event": on_event, "should_stop": should_stop, "checkpoints": checkpoints}
    found = search_settings(source, config, search, fixed=fixed, **how)
    # A stop of the search does not stop the training.
    stopped = should_stop()
    final: Callable[[], bool] = bool if stopped else should_stop
    trainer = Trainer(on_event, final, checkpoints)
    return _train_best(found, config, began, trainer, alone=stopped)


@dataclass(frozen=True)
class Trainer:
    """What trains models after a search; the arguments are those of `tune`."""

    on_event: Listener
    should_stop: Callable[[], bool]
    checkpoints: Checkpoints | None

    def learn(self, dataset: Dataset) -> Learned:
        """Train on the training split; errors as in `training.pipeline.learn`."""
        return learn(dataset, by=self._by(dataset), **self._how)

    def finish(self, learned: Learned, dataset: Dataset, began: float) -> Bundle:
        """Return the model to save; `began` in seconds of `time.perf_counter`."""
        return finish(learned, began, by=self._by(dataset), **self._how)

    @property
    def _how(self) -> dict[str, Any]:
        return {"on_event": self.on_event, "should_stop": self.should_stop}

    def _by(self, dataset: Dataset) -> Callable[..., Trained[Dataset]]:
        return partial(train_network, checkpoints=part_of(self.checkpoints, dataset))


def _train_best(
    found: Found, config: Config, began: float, trainer: Trainer, *, alone: bool
) -> Tuning:
    """Train a model with the best settings, if not `alone` also one to compare it with.

    The search `began` at a time in seconds of `time.perf_counter`.
    """
    on_event = trainer.on_event
    best, settings, whole, dataset = _best(found, config, on_event)
    describe(dataset, on_event)
    on_event(Note(f"training with {describe_settings(settings) or 'the settings as given'}"))
    learned = trainer.learn(dataset)
    bundle = trainer.finish(learned, dataset, began)
    ranking, verdict, compared = found.ranking, found.ranking.verdict(best), {}
    if learned.scores:
        verdict += f" {learned.scores.evaluation.verdict}"
        if not alone and (rival := ranking.rival(best)):
            compared = _score_rival(found, config, rival[0], trainer)
            verdict += _compare(learned.scores.evaluation, compared, best, on_event)
    rows = ranking.rows()
    return Tuning(rows, found.importance, best, settings, whole, bundle, compared, verdict)


def _compare(
    evaluation: Evaluation,
    compared: Mapping[str, Evaluation],
    best: int | None,
    on_event: Listener,
) -> str:
    """Return how the model does on the test split beside others; warn where the search did harm."""
    told = ""
    for name, other in compared.items():
        text, worse = compare_tested(evaluation, name, other)
        told += f" {text}"
        if worse and best is not None:
            on_event(Note(f"{text[:1].lower()}{text[1:-1]}: {KEEP}", warning=True))
    return told


def _score_rival(
    found: Found, config: Config, number: int | None, trainer: Trainer
) -> dict[str, Evaluation]:
    """Return the scores of a trial (None: the settings as given) on the test split, by name."""
    name, on_event = GIVEN if number is None else f"trial {number}", trainer.on_event
    on_event(Note(f"training {name} too, to compare with it on the test split"))
    whole = _chosen(config, found.folds, found.ranking.settings(number), number)
    try:
        dataset = make_dataset(found.panel, whole, on_event=ignore)
        learned = trainer.learn(dataset)
    except (DataError, TrainingError) as error:
        on_event(Note(f"{name} cannot be trained: {error.message}", warning=True))
        return {}
    return {name: learned.scores.evaluation} if learned.scores else {}


def search_settings(
    source: Readable,
    config: Config,
    search: Search = DEFAULT_SEARCH,
    *,
    fixed: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    checkpoints: Checkpoints | None = None,
) -> Found:
    """Run trials on the rows before the test split; see `tune`."""
    on_event(Stage("reading"))
    panel, folds, space = prepare_search(source, config, search, fixed or {}, on_event)
    given = folds.config.model_dump(mode="json", exclude={"data"})
    marks = fingerprint(folds, space, given)
    key, folder = begin_search(checkpoints, panel, [marks, search.identity], on_event)
    with database(search, folder) as (url, storage):
        task = Task(folds, folds.config, space, search, fixed or {}, url, key, kept=bool(folder))
        study = task.study(storage)
        claim(study, search, marks)
        score = score_as_given(task, study, on_event, should_stop)
        if checkpoints is not None:
            checkpoints.keep(SEARCH, Saved({"key": key}, {}), now=True)
        run_trials(task, study, on_event, should_stop)
        folds = folds.first(len(score["scores"]))
        ranking = Ranking(study.get_trials(), space, folds, score)
        shares = importance(study)
    _check_failures(ranking, on_event)
    return Found(panel, folds, ranking, shares)


def begin_search(
    checkpoints: Checkpoints | None, panel: Panel, settings: Any, on_event: Listener
) -> tuple[str, Path | None]:
    """Return what identifies a search, that of an unfinished one where it is resumed.

    Args:
        checkpoints: Where it is kept and found; None to keep none.
        panel: The table.
        settings: All that its trials depend on, as JSON values.
        on_event: Notified of an unfinished run.

    Returns:
        The key of its trials, and the folder of its study; None for none.
    """
    if checkpoints is None:
        return uuid.uuid4().hex, None
    begin_checkpoints(checkpoints, partial(describe_run, "tune", panel, settings), on_event)
    known = checkpoints.find(SEARCH)
    return (known.facts["key"] if known else uuid.uuid4().hex), checkpoints.folder


def prepare_search(
    source: Readable, config: Config, search: Search, fixed: Mapping[str, Any], on_event: Listener
) -> tuple[Panel, TrialFolds, Space]:
    """Return the table, the folds that trials are scored on, and the space."""
    if config.data.label:
        raise UsageError("tune is for forecasts: leave `label` out.")
    # A file is read first, so that a wrong name is reported before the table is read.
    written = None if search.space is None else read_space(search.space)
    panel = read_panel(source, config.data, on_event=on_event)
    folds = make_folds(
        panel, config, metric=search.metric, n_windows=search.n_windows, on_event=on_event
    )
    space = (written or default_space(folds)).without(fixed)
    if written is not None and (held := [each for each in fixed if each in written.names]):
        on_event(Note(f"not searched, because given: {', '.join(held)}"))
    on_event(Note(f"searched settings: {', '.join(space.names)}"))
    return panel, folds, space


def _check_failures(ranking: Ranking, on_event: Listener) -> None:
    """Note why trials failed; refuse a search in which all did."""
    failures = ranking.failures
    if failures and not ranking.complete:
        raise UsageError(
            f"None of {len(failures)} trials could be trained; the first: {failures[0]}",
            "Change the space; `show_space` prints one that fits.",
        )
    if failures:
        many = f"{len(failures)} of {len(ranking.trials)} trials"
        on_event(Note(f"{many} could not be trained; the first: {failures[0]}", warning=True))


def _best(
    found: Found, config: Config, on_event: Listener
) -> tuple[int | None, dict[str, Any], Config, Dataset]:
    """Return the best trial that can be trained on the whole table, and its settings."""
    candidates = found.ranking.candidates
    for number, settings in candidates:
        whole = _chosen(config, found.folds, settings, number)
        try:
            return number, settings, whole, make_dataset(found.panel, whole, on_event=on_event)
        except DataError as error:
            if number == candidates[-1][0]:
                raise
            on_event(Note(f"trial {number} is left out: {error.message}", warning=True))
    raise UsageError("There is nothing to train.")


def _chosen(
    config: Config, folds: TrialFolds, settings: Mapping[str, Any], number: int | None
) -> Config:
    """Return the given configuration with the horizon and the chosen settings."""
    config = config.changed(window={"horizon": folds.horizon})
    return config if number is None else trial_config(config, settings)
