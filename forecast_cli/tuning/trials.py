"""A trial: settings are drawn, trained at every cutoff, and scored; any process can do it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from optuna import TrialPruned
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState

from ..config.schema import Config
from ..core.errors import DataError, TrainingError, UsageError
from ..core.events import Event
from .default_space import trial_config
from .folds import Rounds, forecast_round
from .options import Search
from .pruning import LOOKS, Watch
from .samplers import suggest
from .space import Space
from .studies import open_storage, open_study

# What a study keeps of a trial, beside its settings and its value.
RUN = "run"
BY = "by"
STOPPED = "stopped"


@dataclass(frozen=True)
class Task:
    """What every trial of a run needs to know.

    Args:
        rounds: What it is scored on.
        config: With the horizon, and without what is searched.
        space: What is searched.
        search: How.
        given: What the user has fixed, by flat names.
        url: The database of the study; None for one in memory.
        key: Tells this run from others.
        deadline: When to stop, as `time.time` has it; None for never.
    """

    rounds: Rounds
    config: Config
    space: Space
    search: Search
    given: Mapping[str, Any]
    url: str | None
    key: str
    deadline: float | None

    def study(self, storage: BaseStorage) -> Study:
        """The study, opened."""
        seed, steps = self.config.training.seed, self.rounds.count * LOOKS
        return open_study(self.search, storage, space=self.space, seed=seed, steps=steps)

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self.deadline is not None and time.time() > self.deadline


class Stopped(Exception):
    """Somebody, or the clock, stops a trial on its way."""


def run_trial(
    task: Task, study: Study | None = None, should_stop: Callable[[], bool] = bool
) -> int | None:
    """Run the next trial of a study.

    Args:
        task: What is done.
        study: The study, where it is in this process; None opens it.
        should_stop: Asked after each epoch.

    Returns:
        The number of the trial; None where there is no time for one.
    """
    if task.late:
        return None
    study = _opened(task.key, task) if study is None else study
    began, trial = time.perf_counter(), study.ask()
    trial.set_user_attr(BY, task.key)
    watch, scores = Watch(trial), list[float]()
    state, why = TrialState.FAIL, STOPPED
    try:
        config = trial_config(task.config, suggest(task.space, trial, task.given))
        for number in range(task.rounds.count):
            scores.append(_scored(task, number, config, watch, should_stop))
        state, why = TrialState.COMPLETE, ""
    except TrialPruned:
        state, why = TrialState.PRUNED, "behind others"
    except (UsageError, DataError, TrainingError) as error:
        why = error.message
    except Stopped:
        pass
    finally:
        seconds = round(time.perf_counter() - began, 2)
        said = {"epochs": watch.epochs, "seconds": seconds, "scores": scores, "why": why}
        _tell(study, trial, state, said)
    return trial.number


def score_config(task: Task, config: Config, hear: Callable[[Event], None]) -> dict[str, Any]:
    """How good a configuration is that is in no space.

    Args:
        task: What it is scored on.
        config: What is trained.
        hear: Told of each epoch.

    Raises:
        ForecastError: It cannot be trained.
    """
    began = time.perf_counter()
    rounds = range(task.rounds.count)
    scores = [forecast_round(task.rounds, each, config, on_event=hear) for each in rounds]
    seconds = round(time.perf_counter() - began, 2)
    return {"value": sum(scores) / len(scores), "scores": scores, "seconds": seconds}


def _scored(
    task: Task, number: int, config: Config, watch: Watch, should_stop: Callable[[], bool]
) -> float:
    """The error of a round."""

    def hear(event: Event) -> None:
        watch.on_event(event)
        if task.late or should_stop():
            raise Stopped

    watch.begin(task.rounds, number, config)
    error = forecast_round(task.rounds, number, config, on_event=hear)
    watch.end()
    return error


def _tell(study: Study, trial: Trial, state: TrialState, said: Mapping[str, Any]) -> None:
    """Keep what came of a trial."""
    trial.set_user_attr(RUN, json.loads(json.dumps(said)))
    scores = said["scores"]
    value = sum(scores) / len(scores) if state == TrialState.COMPLETE else None
    study.tell(trial, value, state=state)


@lru_cache(maxsize=1)
def _open_study(key: str) -> list[Study]:
    """Where a process keeps the study of a run that it has opened."""
    return []


def _opened(key: str, task: Task) -> Study:
    """The study of a run, opened once in each process."""
    held = _open_study(key)
    if not held:
        held.append(task.study(open_storage(task.url)))
    return held[0]
