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
from ..training.network_training import train_network
from ..training.pipeline import finish, learn
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
    how = on_event, should_stop, checkpoints
    panel, ranking = search_settings(source, config, search, fixed or {}, *how)
    # A stop of the search does not stop the training.
    stopped = should_stop()
    final: Callable[[], bool] = bool if stopped else should_stop
    trainings = Trainings(panel, ranking, config, on_event, final, checkpoints)
    return trainings.train_best(began, alone=stopped)


@dataclass(frozen=True)
class Trainings:
    """The trainings after a search; the other arguments are those of `tune`.

    Args:
        panel: The whole table.
        ranking: The trials.
    """

    panel: Panel
    ranking: Ranking
    config: Config
    on_event: Listener
    should_stop: Callable[[], bool]
    checkpoints: Checkpoints | None

    def train_best(self, began: float, *, alone: bool) -> Tuning:
        """Train a model with the best settings, if not `alone` also one to compare it with.

        The search `began` at a time in seconds of `time.perf_counter`.
        """
        ranking, on_event = self.ranking, self.on_event
        best, whole, dataset = self._best()
        describe(dataset, on_event)
        settings = ranking.settings(best)
        on_event(Note(f"training with {describe_settings(settings) or 'the settings as given'}"))
        learned = learn(dataset, **self._how(dataset))
        bundle = finish(learned, began, **self._how(dataset))
        verdict, compared = ranking.verdict(best), dict[str, Evaluation]()
        if learned.scores:
            verdict += f" {learned.scores.evaluation.verdict}"
            if not alone and (rival := ranking.rival(best)):
                compared = self._score_rival(rival[0])
                verdict += _compare(learned.scores.evaluation, compared, best, on_event)
        rows, shares = ranking.rows(), ranking.importance
        return Tuning(rows, shares, best, settings, whole, bundle, compared, verdict)

    def _best(self) -> tuple[int | None, Config, Dataset]:
        """Return the best trial that can be trained on the whole table."""
        *beating, given = self.ranking.candidates
        for number in beating:
            try:
                return number, *self._dataset(number, self.on_event)
            except DataError as error:
                text = f"trial {number} is left out: {error.message}"
                self.on_event(Note(text, warning=True))
        return given, *self._dataset(given, self.on_event)

    def _score_rival(self, number: int | None) -> dict[str, Evaluation]:
        """Return the scores of a trial (None: the settings as given) on the test split, by name."""
        name = GIVEN if number is None else f"trial {number}"
        self.on_event(Note(f"training {name} too, to compare with it on the test split"))
        try:
            _, dataset = self._dataset(number, ignore)
            learned = learn(dataset, **self._how(dataset))
        except (DataError, TrainingError) as error:
            self.on_event(Note(f"{name} cannot be trained: {error.message}", warning=True))
            return {}
        return {name: learned.scores.evaluation} if learned.scores else {}

    def _how(self, dataset: Dataset) -> dict[str, Any]:
        by = partial(train_network, checkpoints=part_of(self.checkpoints, dataset))
        return {"by": by, "on_event": self.on_event, "should_stop": self.should_stop}

    def _dataset(self, number: int | None, on_event: Listener) -> tuple[Config, Dataset]:
        """Return the given configuration with the settings of a trial, and the table for it."""
        whole = self.config.changed(window={"horizon": self.ranking.folds.horizon})
        if number is not None:
            whole = trial_config(whole, self.ranking.settings(number))
        return whole, make_dataset(self.panel, whole, on_event=on_event)


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


def search_settings(
    source: Readable,
    config: Config,
    search: Search,
    fixed: Mapping[str, Any],
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    checkpoints: Checkpoints | None = None,
) -> tuple[Panel, Ranking]:
    """Return the whole table, and the trials on the rows before its test split; see `tune`."""
    on_event(Stage("reading"))
    panel, folds, space = prepare_search(source, config, search, fixed, on_event)
    given = folds.config.model_dump(mode="json", exclude={"data"})
    marks = fingerprint(folds, space, given)
    key, folder = _begin_search(checkpoints, panel, [marks, search.identity], on_event)
    with database(search, folder) as (url, storage):
        task = Task(folds, folds.config, space, search, fixed, url, key, kept=bool(folder))
        study = task.study(storage)
        claim(study, search, marks)
        score = score_as_given(task, study, on_event, should_stop)
        if checkpoints is not None:
            checkpoints.keep(SEARCH, Saved({"key": key}, {}), now=True)
        run_trials(task, study, on_event, should_stop)
        folds = folds.first(len(score["scores"]))
        ranking = Ranking(study.get_trials(), space, folds, score, importance(study))
    _check_failures(ranking, on_event)
    return panel, ranking


def _begin_search(
    checkpoints: Checkpoints | None, panel: Panel, settings: Any, on_event: Listener
) -> tuple[str, Path | None]:
    """Return the key of the trials of a search, and the folder of its study; None for none.

    They are those of an unfinished search where it is resumed. The settings are all that its trials
    depend on, as JSON values.
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
