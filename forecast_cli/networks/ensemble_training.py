"""The networks of an ensemble, trained one after the other from shared compiled code."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

import keras

from ..config.members import Member, list_members
from ..config.schema import Config
from ..config.sections import Precision
from ..core.errors import listed
from ..core.events import Epoch, Event, Listener, Note, Stage, Steps
from ..model.checkpoints import Keeper, Saved
from ..model.records import TrainingHistory
from . import use_one_thread
from .batch_order import Lanes
from .batches import Feed
from .build import Built, assemble
from .devices import Replicas, find_replicas
from .epochs import Trainable
from .train_step import Runner
from .training_loop import fit
from .training_state import (
    State,
    fitting,
    group_of,
    pack,
    pack_epochs,
    unpack,
    unpack_epochs,
)

# The compiled functions of the last trainings, by their kind: those of other data go on with them.
# One that is in use is not in here, so that threads do not share it.
FINISHED: OrderedDict[str, Runner] = OrderedDict()
MOST_FINISHED = 8


@dataclass
class EnsembleTrainer:
    """Builds networks, and compiles what trains them once for all that are alike.

    Args:
        config: Of the ensemble.
        feeds: The training samples for a lookback.
        activation: Of the output layer where the outputs are labels; None for forecasts.
        begin: Networks like them, whose weights they begin with; None for new ones.
        before: How they were trained before: they are trained for as many epochs, and keep their
            last weights; None where nothing is known.
        checkpoints: Where unfinished trainings are kept and found; None to keep none.
        one_device: Whether networks are trained on one device, however many there are.
    """

    config: Config
    feeds: Callable[[int], Feed]
    activation: str | None = None
    begin: Sequence[keras.Model] | None = None
    before: Sequence[TrainingHistory] | None = None
    checkpoints: Keeper | None = None
    one_device: bool = False

    def __post_init__(self) -> None:
        self.runners: OrderedDict[str, Runner] = OrderedDict()
        if self.config.training.deterministic:
            use_one_thread()
        self.replicas: Replicas | None = None
        if not (self.one_device or self.config.network.stateful):
            self.replicas = find_replicas(self.config.training.devices)

    def build(self, member: Member, precision: Precision = "float32") -> Built:
        """A network with the weights that it begins with."""
        feed, network = self.feeds(member.timesteps), member.network
        timesteps, inputs, outputs = feed.shape
        return assemble(
            network,
            timesteps,
            inputs,
            self.config.shape_of_outputs(outputs),
            seed=member.training.seed,
            batch_size=Lanes(feed, member.training).batch_size if network.stateful else None,
            activation=self.activation,
            precision=precision,
        )

    def _begin(self, number: int, member: Member, built: Built) -> Built:
        """Return the network as it is trained: itself, or one like it, as `training` asks."""
        precision, trained = member.training.precision, built
        if precision != "float32" or self.replicas:
            with self.replicas.scope() if self.replicas else nullcontext():
                trained = self.build(member, precision)
        if self.begin is not None:
            trained.network.set_weights(self.begin[number].get_weights())
        return trained

    @contextmanager
    def runner(self, member: Member, built: Built) -> Iterator[Trainable]:
        """What trains a network: that of one like it, where there was one, with its weights."""
        feed, levels = self.feeds(member.timesteps), self.config.quantile_levels
        more = (built.learner, levels, self.replicas)
        new = Runner(built.network, feed, member.training, *more)
        finished = FINISHED if new.shareable else self.runners
        parts = (member.network, feed.shape, levels, self.activation, *new.kind)
        kind = "\n".join(map(repr, parts))
        if (runner := finished.pop(kind, None)) is None:
            runner = new
        else:
            runner.restart(built.network, member.training, feed)
        yield runner
        finished[kind] = runner
        while len(finished) > MOST_FINISHED:
            finished.popitem(last=False)

    def train(
        self,
        number: int,
        *,
        seconds: float | None,
        on_event: Listener,
        should_stop: Callable[[], bool],
    ) -> tuple[keras.Model, TrainingHistory]:
        """Train one of the networks.

        Args:
            number: Which one, from 0.
            seconds: How long that may take; None for any time.
            on_event: Notified of each epoch.
            should_stop: Asked after each epoch whether to stop.
        """
        members, before = list_members(self.config), self.before and self.before[number]
        member = members[number].without_patience() if before else members[number]
        built, saved = self.build(member), self._find(number)
        if (course := _finished(saved, built.network, member)) is not None:
            return built.network, course
        trained = self._begin(number, member, built)
        self._tell_devices(number, on_event)
        on_event(Stage("training", unit="epoch"))
        with self.runner(member, trained) as runner:
            if before:
                # The learning rate falls as it did then, even where the time was short.
                runner.epochs, seconds = before.epochs[-1].epochs, None
            state = State.new(runner.training) if saved is None else unpack(saved, runner)
            last, place = before.best if before else None, (number + 1, len(members))
            more: Any = {"keep": partial(self._keep, number, runner), "on_event": on_event}
            with closing(fit(runner, seconds=seconds, last=last, state=state, **more)) as epochs:
                seen, interrupted = _follow(epochs, state.epochs, place, on_event, should_stop)
            # The network of a runner is trained again for the next one like it.
            network = (
                self.build(member).network if runner.network is built.network else built.network
            )
            network.set_weights(runner.network.get_weights())
        self.keep_finished(number, network, seen, interrupted=interrupted)
        return network, TrainingHistory(member.training, seen, interrupted)

    def _tell_devices(self, number: int, on_event: Listener) -> None:
        """Note on how many devices is trained, once in a training."""
        if number or self.before:
            return
        asked = self.config.training.devices or 1
        if self.replicas:
            names = [each.rpartition("device:")[2] for each in self.replicas.devices]
            on_event(Note(f"training on {len(names)} devices: {listed(names)}"))
        elif self.config.network.stateful and asked > 1:
            text = "a stateful network is trained on one device: its state is carried over"
            on_event(Note(text, warning=True))

    def _name(self, number: int) -> str:
        """Return the name of the checkpoint of a network."""
        return f"{'refit' if self.before else 'network'}-{number + 1}"

    def _find(self, number: int) -> Saved | None:
        """Return the state of a network in the training that is resumed; None for none."""
        return None if self.checkpoints is None else self.checkpoints.find(self._name(number))

    def _keep(self, number: int, runner: Trainable, state: State, stopped: bool) -> None:
        """Keep a checkpoint from time to time, and where the training is stopped."""
        kept = self.checkpoints
        if kept is not None and (kept.kept_at_stop if stopped else kept.due):
            kept.keep(self._name(number), pack(state, runner), now=True)

    def find_finished(
        self, number: int, network: keras.Model, member: Member
    ) -> TrainingHistory | None:
        """Give a network the weights that it was trained to before the interruption.

        Returns:
            How that went; None where its training was not finished.
        """
        return _finished(self._find(number), network, member)

    def keep_finished(
        self, number: int, network: keras.Model, epochs: Sequence[Epoch], *, interrupted: bool
    ) -> None:
        """Keep a network that is trained, for a training that is resumed after it."""
        if self.checkpoints is None or interrupted:
            return
        facts = {"epochs": pack_epochs(epochs), "done": True}
        arrays = {f"weights-{place}": each for place, each in enumerate(network.get_weights())}
        self.checkpoints.keep(self._name(number), Saved(facts, arrays), now=False)


def _finished(saved: Saved | None, network: keras.Model, member: Member) -> TrainingHistory | None:
    """Give a network the weights of a checkpoint, where its training was finished; else None.

    Raises:
        UsageError: The checkpoint is not that of this network.
    """
    if saved is None or not saved.facts.get("done"):
        return None
    with fitting():
        network.set_weights(group_of(saved.arrays, "weights"))
        epochs = unpack_epochs(saved.facts["epochs"])
    return TrainingHistory(member.training, epochs, False)


def train_members(
    workshop: EnsembleTrainer,
    *,
    deadline: float | None = None,
    waiting: float = 0.0,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[keras.Model, TrainingHistory]]:
    """Train the networks of an ensemble one after the other.

    Args:
        workshop: What trains them.
        deadline: Until when all must be done, as `time.perf_counter` has it; None for any time.
        waiting: How many networks more are to be trained by then.
        on_event: Notified of each epoch.
        should_stop: Asked after each epoch whether to stop; networks not begun are left out.

    Yields:
        Each network, and how its training went.

    Raises:
        TrainingError: The loss is not finite.
    """
    count, began = workshop.config.ensemble.size, perf_counter()
    for number in range(count):
        if number and deadline is not None:
            each = (perf_counter() - began) / number
            if perf_counter() + each * (1.0 + waiting / count * (number + 1)) > deadline:
                text = f"the time is enough for {number} of {count} networks"
                on_event(Note(text, warning=True))
                return
        left = count - number + waiting
        seconds = None if deadline is None else max(deadline - perf_counter(), 0.0) / left
        hear = _of_network((number + 1, count), on_event)
        network, course = workshop.train(
            number, seconds=seconds, on_event=hear, should_stop=should_stop
        )
        yield network, course
        if course.interrupted:
            return


def _of_network(place: tuple[int, int], on_event: Listener) -> Listener:
    """Return a listener to the steps of a network, which one of how many it is."""
    number, count = place

    def hear(event: Event) -> None:
        if isinstance(event, Steps):
            event = replace(event, network=number, networks=count)
        on_event(event)

    return hear


def _follow(
    running: Iterator[Epoch],
    before: Sequence[Epoch],
    place: tuple[int, int],
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> tuple[list[Epoch], bool]:
    """Return the epochs until they end or are stopped, and whether they were stopped.

    Those of a resumed training stand `before`; `place` is which network it is, and of how many.
    """
    number, count = place
    epochs = [replace(each, network=number, networks=count) for each in before]
    if epochs:
        which = f" of network {number}" if count > 1 else ""
        on_event(Note(f"resuming after epoch {len(epochs)} of {epochs[-1].epochs}{which}"))
    for epoch in running:
        epoch = replace(epoch, network=number, networks=count)
        epochs.append(epoch)
        on_event(epoch)
        if should_stop():
            return epochs, True
    return epochs, False
