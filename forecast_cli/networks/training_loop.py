"""Training: a generator of epochs."""

import math
from collections.abc import Callable, Generator
from dataclasses import replace
from time import perf_counter

from ..config.sections import Training
from ..core.errors import TrainingError
from ..core.events import Epoch, Listener, ignore
from .epochs import Trainable
from .training_state import State

# Called with the state after each epoch, and with True where the training is stopped after it.
Keep = Callable[[State, bool], None]
BEYOND = (
    " Values above 65,504 are beyond float16: `precision=mixed_bfloat16` or `precision=float32` "
    "holds them."
)


def fit(
    runner: Trainable,
    *,
    seconds: float | None = None,
    last: int | None = None,
    state: State | None = None,
    keep: Keep | None = None,
    on_event: Listener = ignore,
) -> Generator[Epoch]:
    """Train a network in place; each epoch is yielded as it ends, closing the generator stops.

    With patience, the network has the weights of the best epoch when the generator ends or is
    closed; the watched loss is that of validation, or of training where there is none. Without, it
    has the last ones, or the mean of those after the last epochs.

    Args:
        runner: What trains it.
        seconds: How long that may take; None for any time. Epochs that would not fit are left out,
            and the learning rate falls by then.
        last: The number of the epoch to stop after; None for all.
        state: Of a training that is resumed; its epochs are not yielded again.
        keep: Called with the state after each epoch.
        on_event: Notified of the steps of long epochs.

    Raises:
        TrainingError: The loss is not finite.
    """
    state, keep, began = state or State.new(runner.training), keep or _keep_nothing, perf_counter()
    try:
        while not _is_over(state, runner, last):
            _run(runner, state, on_event)
            if seconds is not None:
                _leave_out(runner, state, seconds - (perf_counter() - began))
            keep(state, False)
            yield state.epochs[-1]
    except GeneratorExit:
        keep(state, True)
        raise
    finally:
        state.restore_best(runner.network)


def _run(runner: Trainable, state: State, on_event: Listener) -> None:
    """Run the next epoch, and add it to the state."""
    with runner.unrolling():
        epoch = runner.run([watched(each) for each in state.epochs], on_event)
    _check_finite(epoch, runner.training)
    state.add(epoch, runner.network)


def _leave_out(runner: Trainable, state: State, left: float) -> None:
    """Leave the epochs out that do not fit into the seconds that are left."""
    epoch = state.epochs[-1]
    runner.epochs = fitting(state.training.epochs, epoch.number, left / epoch.seconds)
    state.epochs[-1] = replace(epoch, epochs=runner.epochs)


def _is_over(state: State, runner: Trainable, last: int | None) -> bool:
    """Whether all epochs are done, or the patience is at its end."""
    done, patience = len(state.epochs), runner.training.patience
    most = runner.epochs if last is None else min(runner.epochs, last)
    return done >= most or bool(patience and state.since >= patience)


def _keep_nothing(state: State, stopped: bool) -> None:
    """Keep no checkpoint."""


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
        + ", and set `scaler` where it is none."
        + BEYOND * (training.precision == "mixed_float16"),
    )
