"""The state of a training between two epochs: all that the next ones depend on, to the bit."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import keras
import numpy as np

from ..config.sections import Training
from ..core.events import Epoch, Listener, ignore
from ..core.windows import Floats
from ..model.checkpoints import Saved

Weights = list[Floats]


class Trainable(Protocol):
    """What the training loop trains: a `Runner`, or what else runs epochs of a network."""

    network: keras.Model
    learner: Any
    optimizer: Any
    training: Training
    epochs: int
    raw: list[Any] | None

    def unrolling(self) -> AbstractContextManager[None]:
        """Write loops out while the network is trained."""

    def run(self, losses: Sequence[float], on_event: Listener = ignore) -> Epoch:
        """Run the epoch after those with the given watched losses; tell how far it has come."""


@dataclass
class State:
    """What a training has come to, beside the variables of its network and its optimizer.

    Args:
        training: Its settings.
        epochs: The epochs so far.
        kept: The weights of the best epoch, where they are restored at the end; else None.
        means: The weights after the last epochs, where they are averaged.
    """

    training: Training
    epochs: list[Epoch] = field(default_factory=list)
    kept: Weights | None = None
    means: deque[Weights] = field(default_factory=deque)

    @classmethod
    def new(cls, training: Training) -> "State":
        """Return the state before the first epoch."""
        return cls(training, means=deque(maxlen=training.average))

    @property
    def since(self) -> int:
        """How many epochs have gone by since the best one."""
        best = [epoch.number for epoch in self.epochs if epoch.best]
        return len(self.epochs) - max(best, default=0)

    def add(self, epoch: Epoch, network: keras.Model) -> None:
        """Take an epoch, and the weights of the network after it where they may be needed."""
        self.epochs.append(epoch)
        if self.training.average:
            self.means.append(network.get_weights())
        elif epoch.best:
            self.kept = network.get_weights() if self.training.patience else None

    def restore_best(self, network: keras.Model) -> None:
        """Give the network the weights of the best epoch, or the mean of the last ones."""
        kept = self.kept
        if self.means:
            kept = [np.mean(each, axis=0) for each in zip(*self.means, strict=True)]
        if kept is not None:
            network.set_weights(kept)


def pack(state: State, runner: Trainable) -> Saved:
    """Return the state and all variables of a training, to be saved.

    Those of dropout are the states of its random numbers; the order of the samples and the
    learning rate are functions of the epochs.
    """
    groups: dict[str, Iterable[Any]] = {
        "variable": (each.numpy() for each in _variables(runner)),
        "optimizer": (each.numpy() for each in runner.optimizer.variables),
        "raw": runner.raw or (),
        "kept": state.kept or (),
    }
    groups |= {f"mean{number}": each for number, each in enumerate(state.means)}
    arrays = {
        f"{name}-{number}": array
        for name, group in groups.items()
        for number, array in enumerate(group)
    }
    return Saved({"epochs": pack_epochs(state.epochs), "done": False}, arrays)


def unpack(saved: Saved, runner: Trainable) -> State:
    """Bring a runner to a saved state, and return the rest of it."""
    state, arrays = State.new(runner.training), saved.arrays
    for name, variables in (
        ("variable", _variables(runner)),
        ("optimizer", runner.optimizer.variables),
    ):
        for variable, value in zip(variables, group_of(arrays, name), strict=True):
            variable.assign(value)
    runner.raw = group_of(arrays, "raw") or None
    state.epochs = unpack_epochs(saved.facts["epochs"])
    runner.epochs = state.epochs[-1].epochs
    state.kept = group_of(arrays, "kept") or None
    number = 0
    while weights := group_of(arrays, f"mean{number}"):
        state.means.append(weights)
        number += 1
    return state


def group_of(arrays: Mapping[str, Floats], name: str) -> Weights:
    """Return the arrays of a group, in their order."""
    found: Weights = []
    while (array := arrays.get(f"{name}-{len(found)}")) is not None:
        found.append(array)
    return found


def pack_epochs(epochs: Iterable[Epoch]) -> list[dict[str, Any]]:
    """Return epochs as JSON values."""
    return [asdict(epoch) for epoch in epochs]


def unpack_epochs(rows: Iterable[Mapping[str, Any]]) -> list[Epoch]:
    """Return epochs that `pack_epochs` gave."""
    return [Epoch(**row) for row in rows]


def _variables(runner: Trainable) -> list[Any]:
    """Return the variables of the network and of what is trained of it, each once."""
    every = [*runner.network.variables, *runner.learner.variables]
    return list({id(each): each for each in every}.values())
