"""An epoch: its learning rate, a pure function of settings and losses so far, and what runs it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any

import keras

from ..config.sections import Training
from ..core.events import Epoch, Listener, ignore

# What an exponential schedule comes down to in the last epoch, as a share of the first.
EXPONENTIAL_END = 0.01
# How much a plateau lowers the rate, and after how many epochs without improvement.
PLATEAU_FACTOR = 0.5
PLATEAU_EPOCHS = 5


def learning_rate(
    training: Training, losses: Sequence[float], *, epochs: int | None = None
) -> float:
    """The rate of the next epoch.

    Args:
        training: Its `learning_rate` is that of the first epoch.
        losses: The watched loss of each epoch so far.
        epochs: How many there are to be; as `training` says where None.
    """
    return training.learning_rate * SCHEDULES[training.schedule](epochs or training.epochs, losses)


def _constant(epochs: int, losses: Sequence[float]) -> float:
    return 1.0


def _cosine(epochs: int, losses: Sequence[float]) -> float:
    """Half a cosine from 1 towards 0. Source: Loshchilov and Hutter (2017), SGDR, equation 5."""
    return 0.5 * (1.0 + math.cos(math.pi * len(losses) / epochs))


def _exponential(epochs: int, losses: Sequence[float]) -> float:
    return float(EXPONENTIAL_END ** (len(losses) / max(epochs - 1, 1)))


def _plateau(epochs: int, losses: Sequence[float]) -> float:
    share, best, since = 1.0, math.inf, 0
    for loss in losses:
        best, since = (loss, 0) if loss < best else (best, since + 1)
        if since == PLATEAU_EPOCHS:
            share, since = share * PLATEAU_FACTOR, 0
    return share


SCHEDULES: dict[str, Callable[[int, Sequence[float]], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "exponential": _exponential,
    "plateau": _plateau,
}


class Trainable(ABC):
    """What the training loop trains: a network, epoch by epoch."""

    network: keras.Model
    learner: Any
    optimizer: Any
    training: Training
    epochs: int
    raw: list[Any] | None

    def unrolling(self) -> AbstractContextManager[None]:
        """Write loops out while the network is trained, where that saves time."""
        return nullcontext()

    def run(self, losses: Sequence[float], on_event: Listener = ignore) -> Epoch:
        """Run the epoch after those with the given watched losses.

        Args:
            losses: Of the epochs before: validation losses where there are some.
            on_event: Notified of its steps.
        """
        began, number = perf_counter(), len(losses) + 1
        rate = learning_rate(self.training, losses, epochs=self.epochs)
        self.optimizer.learning_rate.assign(rate)
        loss, validation_loss, windows = self.learn(number, on_event)
        low = loss if validation_loss is None else validation_loss
        return Epoch(
            number=number,
            epochs=self.epochs,
            loss=loss,
            validation_loss=validation_loss,
            best=low < min(losses, default=math.inf),
            seconds=perf_counter() - began,
            windows=windows,
            learning_rate=rate,
        )

    @abstractmethod
    def learn(self, number: int, on_event: Listener) -> tuple[float, float | None, int]:
        """Learn from every training sample once, in the order of the epoch of this number.

        Returns:
            The mean loss of the training samples, that of the validation samples, None where there
            are none, and how many training samples there were.
        """
