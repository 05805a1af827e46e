"""The state of a training between two epochs: all that the next ones depend on, to the bit."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np

from ..config.sections import Training
from ..core.errors import UsageError
from ..core.events import Epoch
from ..core.windows import Floats
from ..model.checkpoints import Saved
from .epochs import Trainable

Weights = list[Floats]


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


@contextmanager
def fitting() -> Iterator[None]:
    """Restore what a checkpoint holds in this block.

    Raises:
        UsageError: It is not that of the networks of this training.
    """
    try:
        yield
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "The checkpoints of the unfinished training do not fit its networks: they were "
            "changed, or written by another version.",
            "Leave out `resume` to begin from the start.",
        ) from error


def unpack(saved: Saved, runner: Trainable) -> State:
    """Bring a runner to a saved state, and return the rest of it.

    Raises:
        UsageError: It is not that of the networks of this training.
    """
    with fitting():
        state, arrays = State.new(runner.training), saved.arrays
        for name, variables in (
            ("variable", _variables(runner)),
            ("optimizer", runner.optimizer.variables),
        ):
            for variable, value in zip(variables, group_of(arrays, name), strict=True):
                variable.assign(value)
        like = runner.network.get_weights()
        runner.raw = _weights_of(arrays, "raw", like) or None
        state.epochs = unpack_epochs(saved.facts["epochs"])
        runner.epochs = state.epochs[-1].epochs
        state.kept = _weights_of(arrays, "kept", like) or None
        number = 0
        while weights := _weights_of(arrays, f"mean{number}", like):
            state.means.append(weights)
            number += 1
        return state


def group_of(arrays: Mapping[str, Floats], name: str) -> Weights:
    """Return the arrays of a group, in their order.

    Raises:
        TypeError: One is not of numbers.
    """
    found: Weights = []
    while (array := arrays.get(f"{name}-{len(found)}")) is not None:
        if not np.issubdtype(array.dtype, np.number):
            raise TypeError(f"{name} holds {array.dtype}")
        found.append(array)
    return found


def _weights_of(arrays: Mapping[str, Floats], name: str, like: Weights) -> Weights:
    """Return a group of weights, those of a network; empty where there is none."""
    found = group_of(arrays, name)
    if found and [each.shape for each in found] != [each.shape for each in like]:
        raise ValueError(f"{name} has other shapes")
    return found


def pack_epochs(epochs: Iterable[Epoch]) -> list[dict[str, Any]]:
    """Return epochs as JSON values."""
    return [asdict(epoch) for epoch in epochs]


def unpack_epochs(rows: Sequence[Mapping[str, Any]]) -> list[Epoch]:
    """Return epochs that `pack_epochs` gave.

    Raises:
        TypeError: A row is none.
    """
    epochs = [Epoch(**row) for row in rows]
    if any(not isinstance(each, int | float | None) for row in rows for each in row.values()):
        raise TypeError("an epoch holds what is no number")
    return epochs


def _variables(runner: Trainable) -> list[Any]:
    """Return the variables of the network and of what is trained of it, each once."""
    every = [*runner.network.variables, *runner.learner.variables]
    return list({id(each): each for each in every}.values())
