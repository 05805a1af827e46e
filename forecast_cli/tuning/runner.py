"""The trials of a search at work, one after the other or in several processes."""

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import Any

from optuna.study import Study
from optuna.trial import TrialState

from ..core.errors import Interrupted
from ..core.events import Done, Epoch, Event, Listener, Note, Stage
from ..core.parallel import run_all
from .ranking import described
from .samplers import decoded
from .trials import BY, Task, run_trial, score_config

# More trials than fit into any time budget.
ENDLESS = 100_000
# What a study keeps of the settings as given.
AS_GIVEN = "given"


def run_trials(
    task: Task, study: Study, on_event: Listener, should_stop: Callable[[], bool]
) -> None:
    """Score the settings as given, where that is not done yet, and run trials.

    Args:
        task: What they are.
        study: What is known of them.
        on_event: Told how it goes.
        should_stop: Asked after each epoch whether to stop.
    """
    earlier = len(study.get_trials(deepcopy=False))
    if earlier:
        on_event(Note(f"the study has {earlier} trials; this run goes on from there"))
    count = _count(task, earlier)
    if AS_GIVEN not in study.user_attrs:
        study.set_user_attr(AS_GIVEN, _score_as_given(task, on_event, should_stop))
    on_event(Stage("trials"))
    try:
        with closing(_numbers(task, study, count, should_stop)) as numbers:
            for done, number in enumerate(numbers, start=1):
                _say(study, number, task, on_event)
                if count < ENDLESS:
                    on_event(Done("trials", done, count))
                if should_stop():
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        on_event(Note("stopped: the best so far is trained", warning=True))
    finally:
        _abandon(task, study)
    if task.late:
        on_event(Note("the time of the search is over"))


def _count(task: Task, earlier: int) -> int:
    """How many trials are to be run."""
    count = task.search.most or ENDLESS
    if task.search.sampler != "grid":
        return count
    size = 1
    for values in task.space.grid().values():
        size *= len(values)
    return max(0, min(count, size - earlier))


def _score_as_given(
    task: Task, on_event: Listener, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """The error of what the configuration says without a search, to compare trials with."""
    on_event(Stage("the settings as given"))

    def hear(event: Event) -> None:
        if isinstance(event, Epoch) and should_stop():
            raise Interrupted("Stopped; nothing was trained to the end.")

    score = score_config(task, task.config, hear)
    on_event(Note(f"{task.search.metric} {score['value']:.4g} with the settings as given"))
    return score


def _numbers(
    task: Task, study: Study, count: int, should_stop: Callable[[], bool]
) -> Generator[int | None]:
    """The numbers of trials as they end: one after the other here, or several in processes."""
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


def _say(study: Study, number: int | None, task: Task, on_event: Listener) -> None:
    """Say that a trial is the best so far."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = {each.number: each.value or 0.0 for each in trials}
    if number in values and values[number] <= min(values.values()):
        params = next(each.params for each in trials if each.number == number)
        settings = described(decoded(task.space, params))
        on_event(Note(f"trial {number}: {task.search.metric} {values[number]:.4g}, {settings}"))


def _abandon(task: Task, study: Study) -> None:
    """Trials of this run that are not finished will not be."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(BY) == task.key:
            with suppress(ValueError):
                study.tell(trial.number, state=TrialState.FAIL)
