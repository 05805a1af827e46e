"""The networks of an ensemble as tasks: trained by processes, or the engine that is open."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from ..config.members import list_members
from ..core.events import Done, Listener, Note, Stage, ignore
from ..core.parallel import run_all
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..model.records import TrainingHistory
from .checkpointing import stop
from .preparation import make_feed

if TYPE_CHECKING:
    from ..networks.ensemble_training import EnsembleTrainer

_DIVIDING: list[bool] = []


@contextmanager
def dividing_members() -> Iterator[None]:
    """Train the networks of ensembles as tasks, each with one thread, in this block."""
    _DIVIDING.append(True)
    try:
        yield
    finally:
        _DIVIDING.pop()


def is_divided(trainer: "EnsembleTrainer", dataset: Dataset, on_event: Listener) -> bool:
    """Whether networks are trained as tasks; where that is asked for and cannot be, it is noted."""
    if not _DIVIDING:
        return False
    why = ""
    if trainer.config.ensemble.size == 1:
        why = "there is one network"
    elif dataset.stored is not None:
        why = "the table is read some series at a time"
    elif trainer.config.training.time_budget is not None:
        why = "`time_budget` is shared by networks that are trained one after the other"
    if why:
        on_event(Note(f"the training is not divided into tasks: {why}", warning=True))
    return not why


@dataclass(frozen=True)
class MemberTask:
    """The training of one network.

    Args:
        dataset: What all networks learn from.
        number: Which one, from 0.
        before: How all were trained on fewer rows; None in a first training.
    """

    dataset: Dataset
    number: int
    before: tuple[TrainingHistory, ...] | None


def train_member(task: MemberTask) -> tuple[list[Floats], TrainingHistory]:
    """Train a network; its weights, and how that went."""
    from ..networks import prefer_one_thread
    from ..networks.ensemble_training import EnsembleTrainer

    prefer_one_thread()
    feeds: Any = cache(partial(make_feed, task.dataset))
    trainer = EnsembleTrainer(task.dataset.config, feeds, before=task.before, one_device=True)
    how: Any = {"seconds": None, "on_event": ignore, "should_stop": bool}
    network, course = trainer.train(task.number, **how)
    return network.get_weights(), course


def train_divided(
    trainer: "EnsembleTrainer",
    dataset: Dataset,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> tuple[list[Any], list[TrainingHistory]]:
    """Train the networks of an ensemble as tasks.

    Args:
        trainer: Builds the networks, and keeps and finds those that are finished.
        dataset: What they learn from.
        on_event: Notified of each network that is finished.
        should_stop: Asked after each whether to stop.

    Returns:
        The Keras models, and how their trainings went, in order.

    Raises:
        Interrupted: The training was stopped.
        TrainingError: A loss is not finite.
    """
    members = list_members(trainer.config)
    networks = [trainer.build(member).network for member in members]
    found = ((n, trainer.find_finished(n, networks[n], members[n])) for n in range(len(members)))
    done = {number: course for number, course in found if course is not None}
    left = [number for number in range(len(members)) if number not in done]
    before = None if trainer.before is None else tuple(trainer.before)
    on_event(Stage("training", unit="task"))
    tasks = [(MemberTask(dataset, number, before),) for number in left]
    with closing(run_all(train_member, tasks)) as running:
        for place, (weights, course) in running:
            number = left[place]
            networks[number].set_weights(weights)
            trainer.keep_finished(number, networks[number], course.epochs, interrupted=False)
            done[number] = course
            on_event(Done("networks", len(done), len(members)))
            if should_stop() and len(done) < len(members):
                raise stop(trainer.checkpoints, f"{len(done)} of {len(members)} networks")
    return networks, [done[number] for number in range(len(members))]
