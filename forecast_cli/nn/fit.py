"""Training: a generator of epochs."""

import math
from collections.abc import Generator

import keras

from ..config import Training
from ..errors import TrainingError
from ..events import Epoch
from .feed import Feed
from .runner import Runner


def fit(
    network: keras.Model,
    feed: Feed,
    training: Training,
    *,
    learner: keras.Model | None = None,
    quantiles: tuple[float, ...] = (),
) -> Generator[Epoch]:
    """Train the network in place; each epoch is yielded as it ends, closing the generator stops.

    With patience, the network has the weights of the best epoch when the generator ends or is
    closed; the watched loss is that of validation, or of training where there is none.

    Args:
        network: What forecasts.
        feed: What to learn from.
        training: How.
        learner: What is trained, and shares its weights; the network itself where None.
        quantiles: What the last axis of a forecast holds, where it holds quantiles.

    Raises:
        TrainingError: The loss is not finite.
    """
    runner = Runner(network, feed, training, learner or network, quantiles)
    best, losses, since = None, list[float](), 0
    try:
        while len(losses) < training.epochs:
            with runner.unrolling():
                epoch = runner.run(losses)
            _check_finite(epoch, training)
            losses.append(watched(epoch))
            since = 0 if epoch.best else since + 1
            if epoch.best:
                best = network.get_weights() if training.patience else None
            yield epoch
            if training.patience and since >= training.patience:
                return
    finally:
        if best is not None:
            network.set_weights(best)


def watched(epoch: Epoch) -> float:
    """The loss that early stopping watches."""
    return epoch.loss if epoch.validation_loss is None else epoch.validation_loss


def _check_finite(epoch: Epoch, training: Training) -> None:
    if math.isfinite(watched(epoch)) and math.isfinite(epoch.loss):
        return
    raise TrainingError(
        f"The loss became {epoch.loss} in epoch {epoch.number} (optimizer {training.optimizer}, "
        f"learning rate {training.learning_rate:g}).",
        "The steps were too large: try a smaller --learning-rate"
        + ("" if training.clip else ", --clip 1")
        + ", and a --scaler where it is none.",
    )
