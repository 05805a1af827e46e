"""The learning rate of each epoch, a pure function of the settings and of the losses so far."""

import math
from collections.abc import Callable, Sequence
from time import perf_counter

from ..config.sections import Training
from ..core.events import Epoch

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


def finish_epoch(
    losses: Sequence[float],
    epochs: int,
    *,
    loss: float,
    validation_loss: float | None,
    windows: int,
    rate: float,
    began: float,
) -> Epoch:
    """Return the event of an epoch that has ended.

    Args:
        losses: Of the epochs before: validation losses where there are some.
        epochs: How many there are at most.
        loss: Of the training samples.
        validation_loss: Of the validation samples; None where there are none.
        windows: Training samples of the epoch.
        rate: The learning rate.
        began: By `perf_counter`.
    """
    low = loss if validation_loss is None else validation_loss
    return Epoch(
        number=len(losses) + 1,
        epochs=epochs,
        loss=loss,
        validation_loss=validation_loss,
        best=low < min(losses, default=math.inf),
        seconds=perf_counter() - began,
        windows=windows,
        learning_rate=rate,
    )
