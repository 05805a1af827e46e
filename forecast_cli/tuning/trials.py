"""Trials: settings are drawn, trained at every cutoff and scored, in one process or several."""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

from optuna import TrialPruned
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState

from ..config.schema import Config
from ..core.errors import DataError, TrainingError, UsageError, counted
from ..core.events import Done, Event, Listener, Note, Stage, ignore
from ..core.parallel import run_all, runs_here
from .default_space import trial_config
from .folds import FoldScore, TrialFolds, score_fold
from .options import Search
from .ranking import RUN, STOPPED, describe_settings
from .samplers import REPORTS, Pruner, decode_params, suggest
from .space import Space
from .studies import BY, Workload, most_trials, open_storage, open_study, trials_of

# What a study stores beside its trials: the score of the settings as given.
AS_GIVEN = "given"
# A trial is pruned between cutoffs where its error is so many times that of the settings as given.
BEHIND = 1.05
# The study that a process has opened, by the key of its run.
OPENED: dict[str, Study] = {}


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
        kept: Whether the run can be resumed: then unfinished trials are left to be run again.
        deadline: When to stop, by `time.time`; None for no limit, or before it begins.
    """

    folds: TrialFolds
    config: Config
    space: Space
    search: Search
    given: Mapping[str, Any]
    url: str | None
    key: str
    kept: bool = False
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
    task: Task,
    begun: int | None = None,
    study: Study | None = None,
    should_stop: Callable[[], bool] = bool,
) -> int | None:
    """Run the next trial of a study.

    Args:
        task: Its input.
        begun: The identifier of a trial that was interrupted, which is run again; None: a new one.
        study: The study, where it is in this process; None opens it.
        should_stop: Called after each epoch.

    Returns:
        The number of the trial; None where no time is left.
    """
    if task.late:
        return None
    study = _opened(task) if study is None else study
    began = time.perf_counter()
    trial = study.ask() if begun is None else Trial(study, begun)
    trial.set_user_attr(BY, task.key)
    pruner, scores = Pruner(trial), list[FoldScore]()
    state, why = TrialState.FAIL, STOPPED
    try:
        state, why = _try(task, study, pruner, scores, should_stop)
    finally:
        seconds = round(time.perf_counter() - began, 2)
        run = {"epochs": pruner.epochs, "seconds": seconds, "why": why}
        again = why == STOPPED and task.kept and not task.late
        _store(study, trial, None if again else state, run | _as_stored(scores))
    return trial.number


def _try(
    task: Task,
    study: Study,
    pruner: Pruner,
    scores: list[FoldScore],
    should_stop: Callable[[], bool],
) -> tuple[TrialState, str]:
    """Train at every cutoff, and add the score of each fold; return how that ended, and why."""
    try:
        config = trial_config(task.config, suggest(task.space, pruner.trial, task.given))
        for number in range(task.folds.count):
            scores.append(_scored(task, number, config, pruner, should_stop))
            _prune_between(task, study, scores)
    except TrialPruned:
        return TrialState.PRUNED, "behind others"
    except (UsageError, DataError, TrainingError) as error:
        return TrialState.FAIL, error.message
    except Stopped:
        return TrialState.FAIL, STOPPED
    return TrialState.COMPLETE, ""


def _as_stored(scores: Sequence[FoldScore]) -> dict[str, list[float]]:
    """Return the errors of folds, and the losses of all forecasts in time order."""
    losses = [each for score in scores for each in score.losses]
    return {"scores": [score.error for score in scores], "losses": losses}


def _prune_between(task: Task, study: Study, scores: Sequence[FoldScore]) -> None:
    """End a trial, by TrialPruned, between cutoffs where it is far behind the settings as given."""
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


def _store(study: Study, trial: Trial, state: TrialState | None, run: Mapping[str, Any]) -> None:
    """Store the result of a trial; without a state it is to be run again."""
    trial.set_user_attr(RUN, json.loads(json.dumps(run)))
    if state is None:
        return
    scores = run["scores"]
    value = sum(scores) / len(scores) if state == TrialState.COMPLETE else None
    study.tell(trial, value, state=state)


def _opened(task: Task) -> Study:
    """Open the study of a run, once in each process."""
    if task.key not in OPENED:
        OPENED.clear()
        OPENED[task.key] = task.study(open_storage(task.url))
    return OPENED[task.key]


def run_trials(
    task: Task, study: Study, on_event: Listener, should_stop: Callable[[], bool]
) -> None:
    """Run the trials of a run that are left to be run; `should_stop` is asked after each epoch."""
    alone = task.kept and task.search.url is None
    earlier = trials_of(study, task.key, alone=alone)
    work = Workload(earlier, most_trials(task.search, task.space, earlier.others))
    work.say(on_event)
    if task.search.time_budget is not None:
        left = task.search.time_budget - earlier.seconds / task.search.jobs
        task = replace(task, deadline=time.time() + left)
    if should_stop():
        text = "stopped before any trial of this run: the best settings so far are trained"
        on_event(Note(text, warning=True))
    else:
        _run(task, study, work, on_event, should_stop)


def _run(
    task: Task, study: Study, work: Workload, on_event: Listener, should_stop: Callable[[], bool]
) -> None:
    """Run so many trials, or as many as there is time for."""
    # Trials in other processes do not hear of a Ctrl-C.
    on_event(Stage("trials", unit="epoch" if runs_here(task.search.jobs) else "trial"))
    try:
        with closing(_numbers(task, study, work.left, should_stop)) as numbers:
            for done, number in enumerate(numbers, start=1 + work.earlier.done):
                _note_best(study, number, task, on_event)
                if work.most is not None:
                    on_event(Done("trials", done, work.most))
                if should_stop():
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        own = trials_of(study, task.key).own
        whole = sum(each.state in (TrialState.COMPLETE, TrialState.PRUNED) for each in own)
        after = f"{whole} of {work.most} trials" if work.most is not None else f"{whole} trials"
        text = f"stopped after {after}: the best settings so far are trained"
        on_event(Note(text, warning=True))
    finally:
        _abandon(task, study)
    _say_cost(task, study, on_event)


def _say_cost(task: Task, study: Study, on_event: Listener) -> None:
    """Note how many trials were run, and what one cost."""
    runs = trials_of(study, task.key).own
    took = [each.user_attrs[RUN]["seconds"] for each in runs if RUN in each.user_attrs]
    if not took:
        return
    whole = sum(each.state == TrialState.COMPLETE for each in runs)
    text = f"{counted(len(took), 'trial')}, {whole} complete, {sum(took) / len(took):.1f} s each"
    on_event(Note(text + "; the time budget of the search is used up" * task.late))


def score_as_given(
    task: Task, study: Study, on_event: Listener, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Score the configuration without a search, to compare trials with.

    Returns:
        The score, as the study keeps it; of fewer cutoffs where it was stopped meanwhile.

    Raises:
        ForecastError: It cannot be trained.
    """
    if known := study.user_attrs.get(AS_GIVEN):
        return dict(known)
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
    given = {"value": value, "seconds": round(seconds, 2)} | stored
    if len(scores) == count:
        study.set_user_attr(AS_GIVEN, given)
    return given


def _numbers(
    task: Task, study: Study, left: Sequence[int | None], should_stop: Callable[[], bool]
) -> Generator[int | None]:
    """Yield the numbers of trials as they end, run here or in several processes."""
    if runs_here(task.search.jobs):
        for begun in left:
            if task.late:
                return
            yield run_trial(task, begun, study, should_stop)
        return
    pieces = [(task, begun) for begun in left]
    with closing(run_all(run_trial, pieces, jobs=task.search.jobs)) as running:
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
    """Mark unfinished trials of this run as failed, or where it can be resumed, as stopped."""
    for trial in trials_of(study, task.key).own:
        if trial.state.is_finished():
            continue
        if not task.kept:
            with suppress(ValueError):
                study.tell(trial.number, state=TrialState.FAIL)
        elif RUN not in trial.user_attrs:
            run = {"epochs": None, "seconds": 0.0, "why": STOPPED} | _as_stored(())
            study._storage.set_trial_user_attr(trial._trial_id, RUN, run)
