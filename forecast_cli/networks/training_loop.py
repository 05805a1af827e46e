"""Training: a generator of epochs."""

import math
from collections import deque
from collections.abc import Generator
from dataclasses import replace
from time import perf_counter

import numpy as np

from ..config.sections import Training
from ..core.errors import TrainingError
from ..core.events import Epoch
from ..core.windows import Floats
from .train_step import Runner


def fit(runner: Runner, *, seconds: float | None = None) -> Generator[Epoch]:
    """Train a network in place; each epoch is yielded as it ends, closing the generator stops.

    With patience, the network has the weights of the best epoch when the generator ends or is
    closed; the watched loss is that of validation, or of training where there is none. Without, it
    has the last ones, or the mean of those after the last epochs.

    Args:
        runner: What trains it.
        seconds: How long that may take; None for any time. Epochs that would not fit are left out,
            and the learning rate falls by then.

    Raises:
        TrainingError: The loss is not finite.
    """
    network, training, began = runner.network, runner.training, perf_counter()
    kept, losses, since = None, list[float](), 0
    means = deque[list[Floats]](maxlen=training.average)
    try:
        while len(losses) < runner.epochs:
            with runner.unrolling():
                epoch = runner.run(losses)
            _check_finite(epoch, training)
            losses.append(watched(epoch))
            since = 0 if epoch.best else since + 1
            if training.average:
                means.append(network.get_weights())
            elif epoch.best:
                kept = network.get_weights() if training.patience else None
            if seconds is not None:
                left = seconds - (perf_counter() - began)
                runner.epochs = fitting(training.epochs, len(losses), left / epoch.seconds)
            yield replace(epoch, epochs=runner.epochs)
            if training.patience and since >= training.patience:
                return
    finally:
        if means:
            kept = [np.mean(each, axis=0) for each in zip(*means, strict=True)]
        if kept is not None:
            network.set_weights(kept)


def fitting(epochs: int, done: int, more: float) -> int:
    """How many epochs there are to be, where there is time for so many more.

    What the first one takes for its compilation is not known to be gone in the second: that is
    always run.

    >>> fitting(100, 10, 20.5), fitting(100, 10, 200.0), fitting(100, 10, -1.0), fitting(9, 1, 0.1)
    (30, 100, 10, 2)
    """
    return min(epochs, max(done + int(max(more, 0.0)), min(2, epochs)))


def watched(epoch: Epoch) -> float:
    """The loss that early stopping watches."""
    return epoch.loss if epoch.validation_loss is None else epoch.validation_loss


def _check_finite(epoch: Epoch, training: Training) -> None:
    if math.isfinite(watched(epoch)) and math.isfinite(epoch.loss):
        return
    raise TrainingError(
        f"The loss became {epoch.loss} in epoch {epoch.number} (optimizer {training.optimizer}, "
        f"learning rate {training.learning_rate:g}).",
        "The steps were too large: lower `learning_rate`"
        + ("" if training.clip else ", pass `clip=1`")
        + ", and set `scaler` where it is none.",
    )
