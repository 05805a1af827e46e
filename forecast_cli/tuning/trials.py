"""Trials: settings are drawn, trained at every cutoff and scored, in one process or several."""

import json
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from optuna import TrialPruned
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState

from ..config.schema import Config
from ..core.errors import DataError, TrainingError, UsageError, counted
from ..core.events import Done, Event, Listener, Note, Stage, ignore
from ..core.parallel import run_all
from .default_space import trial_config
from .folds import FoldScore, TrialFolds, score_fold
from .options import Search
from .pruning import REPORTS, Pruner
from .ranking import RUN, STOPPED, describe_settings
from .samplers import decode_params, suggest
from .space import Space
from .studies import open_storage, open_study

# What a study stores: by which run a trial was made, and the score of the settings as given.
BY, AS_GIVEN = "by", "given"
# More trials than fit into any time budget.
ENDLESS = 100_000
# A trial is pruned between cutoffs where its error is so many times that of the settings as given.
BEHIND = 1.05


@dataclass(frozen=True)
class Task:
    """The input of every trial of a run.

    Args:
        folds: What it is scored on.
        config: With the horizon, and without what is searched.
        space: What is searched.
        search: The options.
        given: Fixed settings, by flat names.
        url: The database of the study; None for one in memory.
        key: Identifies this run.
        deadline: When to stop, by `time.time`; None for no limit, or before it begins.
    """

    folds: TrialFolds
    config: Config
    space: Space
    search: Search
    given: Mapping[str, Any]
    url: str | None
    key: str
    deadline: float | None = None

    def study(self, storage: BaseStorage) -> Study:
        """Open the study."""
        seed, steps = self.config.training.seed, self.folds.count * REPORTS
        return open_study(self.search, storage, space=self.space, seed=seed, steps=steps)

    @property
    def late(self) -> bool:
        """Whether the time budget is used up."""
        return self.deadline is not None and time.time() > self.deadline


class Stopped(Exception):
    """A trial is stopped, by the user or by the time budget."""


def run_trial(
    task: Task, study: Study | None = None, should_stop: Callable[[], bool] = bool
) -> int | None:
    """Run the next trial of a study.

    Args:
        task: Its input.
        study: The study, where it is in this process; None opens it.
        should_stop: Called after each epoch.

    Returns:
        The number of the trial; None where no time is left.
    """
    if task.late:
        return None
    study = _opened(task.key, task) if study is None else study
    began, trial = time.perf_counter(), study.ask()
    trial.set_user_attr(BY, task.key)
    pruner, scores = Pruner(trial), list[FoldScore]()
    state, why = TrialState.FAIL, STOPPED
    try:
        config = trial_config(task.config, suggest(task.space, trial, task.given))
        for number in range(task.folds.count):
            scores.append(_scored(task, number, config, pruner, should_stop))
            _prune_between(task, study, scores)
        state, why = TrialState.COMPLETE, ""
    except TrialPruned:
        state, why = TrialState.PRUNED, "behind others"
    except (UsageError, DataError, TrainingError) as error:
        why = error.message
    except Stopped:
        pass
    finally:
        seconds = round(time.perf_counter() - began, 2)
        run = {"epochs": pruner.epochs, "seconds": seconds, "why": why}
        _store(study, trial, state, run | _as_stored(scores))
    return trial.number


def _as_stored(scores: Sequence[FoldScore]) -> dict[str, list[float]]:
    """Return the errors of folds, and the losses of all forecasts in time order."""
    losses = [each for score in scores for each in score.losses]
    return {"scores": [score.error for score in scores], "losses": losses}


def _prune_between(task: Task, study: Study, scores: Sequence[FoldScore]) -> None:
    """End a trial between cutoffs where it is far behind the settings as given.

    Raises:
        TrialPruned: It is.
    """
    given, count = study.user_attrs.get(AS_GIVEN), len(scores)
    if given is None or task.search.pruner == "none" or count == task.folds.count:
        return
    if sum(each.error for each in scores) > BEHIND * sum(given["scores"][:count]):
        raise TrialPruned


def _scored(
    task: Task, number: int, config: Config, pruner: Pruner, should_stop: Callable[[], bool]
) -> FoldScore:
    """Return the score of a fold."""

    def hear(event: Event) -> None:
        pruner.on_event(event)
        if task.late or should_stop():
            raise Stopped

    pruner.begin(task.folds, number, config)
    score = score_fold(task.folds, number, config, on_event=hear)
    pruner.end()
    return score


def _store(study: Study, trial: Trial, state: TrialState, run: Mapping[str, Any]) -> None:
    """Store the result of a trial."""
    trial.set_user_attr(RUN, json.loads(json.dumps(run)))
    scores = run["scores"]
    value = sum(scores) / len(scores) if state == TrialState.COMPLETE else None
    study.tell(trial, value, state=state)


@lru_cache(maxsize=1)
def _open_study(key: str) -> list[Study]:
    """Where a process keeps the study that it has opened for a run."""
    return []


def _opened(key: str, task: Task) -> Study:
    """Open the study of a run, once in each process."""
    held = _open_study(key)
    if not held:
        held.append(task.study(open_storage(task.url)))
    return held[0]


def run_trials(
    task: Task, study: Study, on_event: Listener, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Score the settings as given, where that is not done yet, and run trials.

    Args:
        task: The input of all trials.
        study: Where they are stored.
        on_event: Notified of progress.
        should_stop: Called after each epoch, and each cutoff of the settings as given.

    Returns:
        The score of the settings as given; of fewer cutoffs where it was stopped meanwhile.
    """
    earlier = len(study.get_trials(deepcopy=False))
    if earlier:
        on_event(Note(f"the study has {earlier} trials; this run continues it"))
    count = _count(task, earlier)
    given = study.user_attrs.get(AS_GIVEN) or _score_as_given(task, on_event, should_stop)
    if len(given["scores"]) == task.folds.count:
        study.set_user_attr(AS_GIVEN, given)
    if task.search.time_budget is not None:
        task = replace(task, deadline=time.time() + task.search.time_budget)
    if should_stop():
        text = "stopped before any trial of this run: the best settings so far are trained"
        on_event(Note(text, warning=True))
    else:
        _run(task, study, count, on_event, should_stop)
    return given


def _run(
    task: Task, study: Study, count: int, on_event: Listener, should_stop: Callable[[], bool]
) -> None:
    """Run so many trials, or as many as there is time for."""
    # Trials in other processes do not hear of a Ctrl-C.
    on_event(Stage("trials", unit="epoch" if task.search.jobs == 1 else "trial"))
    try:
        with closing(_numbers(task, study, count, should_stop)) as numbers:
            for done, number in enumerate(numbers, start=1):
                _note_best(study, number, task, on_event)
                if count < ENDLESS:
                    on_event(Done("trials", done, count))
                if should_stop():
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        own = study.get_trials(deepcopy=False, states=states)
        after = f"{sum(each.user_attrs.get(BY) == task.key for each in own)}"
        after += f" of {count} trials" if count < ENDLESS else " trials"
        text = f"stopped after {after}: the best settings so far are trained"
        on_event(Note(text, warning=True))
    finally:
        _abandon(task, study)
    _say_cost(task, study, on_event)


def _say_cost(task: Task, study: Study, on_event: Listener) -> None:
    """Note how many trials were run, and what one cost."""
    runs = [
        each for each in study.get_trials(deepcopy=False) if each.user_attrs.get(BY) == task.key
    ]
    took = [each.user_attrs[RUN]["seconds"] for each in runs if RUN in each.user_attrs]
    if not took:
        return
    whole = sum(each.state == TrialState.COMPLETE for each in runs)
    text = f"{counted(len(took), 'trial')}, {whole} complete, {sum(took) / len(took):.1f} s each"
    on_event(Note(text + "; the time budget of the search is used up" * task.late))


def _count(task: Task, earlier: int) -> int:
    """Return the number of trials to run."""
    count = task.search.most or ENDLESS
    if task.search.sampler != "grid":
        return count
    size = math.prod(map(len, task.space.grid().values()))
    return max(0, min(count, size - earlier))


def _score_as_given(
    task: Task, on_event: Listener, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Score the configuration without a search, to compare trials with.

    Raises:
        ForecastError: It cannot be trained.
    """
    on_event(Stage("the settings as given", unit="cutoff"))
    began, count, scores = time.perf_counter(), task.folds.count, list[FoldScore]()
    while len(scores) < count and not (scores and should_stop()):
        scores.append(score_fold(task.folds, len(scores), task.config, on_event=ignore))
        on_event(Done("cutoffs with the settings as given", len(scores), count))
    seconds, stored = time.perf_counter() - began, _as_stored(scores)
    value = sum(stored["scores"]) / len(scores)
    text = f"{task.search.metric} {value:.4g} with the settings as given, in {seconds:.1f} s"
    if len(scores) < count:
        text += f"; stopped after {len(scores)} of {count} cutoffs"
    on_event(Note(text, warning=len(scores) < count))
    return {"value": value, "seconds": round(seconds, 2)} | stored


def _numbers(
    task: Task, study: Study, count: int, should_stop: Callable[[], bool]
) -> Generator[int | None]:
    """Yield the numbers of trials as they end, run here or in several processes."""
    if task.search.jobs == 1:
        for _ in range(count):
            if task.late:
                return
            yield run_trial(task, study, should_stop)
        return
    with closing(run_all(run_trial, [(task,)] * count, jobs=task.search.jobs)) as running:
        for _, number in running:
            yield number
            if task.late:
                return


def _note_best(study: Study, number: int | None, task: Task, on_event: Listener) -> None:
    """Note a trial that is the best so far."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = {each.number: each.value or 0.0 for each in trials}
    if number in values and values[number] <= min(values.values()):
        params = next(each.params for each in trials if each.number == number)
        settings = describe_settings(decode_params(task.space, params))
        on_event(Note(f"trial {number}: {task.search.metric} {values[number]:.4g}, {settings}"))


def _abandon(task: Task, study: Study) -> None:
    """Mark unfinished trials of this run as failed."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(BY) == task.key:
            with suppress(ValueError):
                study.tell(trial.number, state=TrialState.FAIL)
