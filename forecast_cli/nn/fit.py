"""Training: a generator of epochs over a compiled function that runs many steps a call.

Keras's `fit` pays for a Python round trip in every step and for windows copied out beforehand.
Here a block of steps, on small jobs the whole epoch, is one compiled function that gathers its
windows from the flat array: several times faster, and memory grows with the data alone.
"""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..config import Training
from ..core.windows import Ints
from ..errors import TrainingError
from ..events import Epoch
from .feed import Feed, batches, gather_batch, shuffled
from .loss import make_optimizer, sample_losses
from .schedule import learning_rate

VALIDATION_BATCH = 1024
# About half a second of work on two cores, so that a signal is heard soon: multiply-adds.
BLOCK_WORK = 3e9
# From here on the faster steps of XLA outweigh its compilation: multiply-adds in all epochs.
XLA_WORK = 2e10
# With less than this many states in a batch the loop over the steps of a window costs more than
# what happens in them: it is written out, and for longer windows that beats XLA.
LARGE_BATCH = 16384
LONGEST_UNROLLED_XLA = 12
LONGEST_UNROLLED = 64

Block = Callable[[Any, Any, Any, Any], Any]


def fit(network: keras.Model, feed: Feed, training: Training) -> Generator[Epoch]:
    """Train the network in place; each epoch is yielded as it ends, closing the generator stops.

    With patience, the network has the weights of the best epoch when the generator ends or is
    closed; the watched loss is that of validation, or of training where there is none.

    Raises:
        TrainingError: The loss is not finite.
    """
    runner = Runner(network, feed, training)
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


@dataclass(repr=False)
class Runner:
    """The compiled functions of one training, and the data on the device."""

    network: keras.Model
    feed: Feed
    training: Training

    def __post_init__(self) -> None:
        self.values = tf.constant(self.feed.values)
        self.optimizer = make_optimizer(self.training)
        self.optimizer.build(self.network.trainable_variables)
        # A batch larger than all windows together would only be filled up.
        self.batch_size = min(self.training.batch_size, len(self.feed.train))
        work = _step_work(self.network, self.feed, self.batch_size)
        steps = math.ceil(len(self.feed.train) / self.batch_size)
        self.steps = min(steps, self.training.steps_per_epoch or steps)
        self.block = max(1, min(self.steps, int(BLOCK_WORK / work)))
        # XLA needs batches of one shape, and the surplus of the last one would count in penalties
        # on a layer's output.
        self.fixed = not any(layer.activity_regularizer for layer in self.network.layers)
        compile_, unroll = self._choose(work * self.steps * self.training.epochs)
        self.unrolled = [layer for layer in _loops(self.network) if unroll and not layer.unroll]
        self.train = tf.function(self._train_block, jit_compile=compile_, autograph=False)
        self.validate = tf.function(self._validate_block, jit_compile=compile_, autograph=False)

    def _choose(self, work: float) -> tuple[bool, bool]:
        """Whether to compile with XLA, and whether to write the loop over the steps out."""
        if _on_gpu():
            return False, False
        timesteps = self.feed.timesteps
        states = max((layer.units for layer in _loops(self.network)), default=1)
        large = self.batch_size * states >= LARGE_BATCH
        xla = (
            self.fixed
            and work > XLA_WORK
            and (large or not LONGEST_UNROLLED_XLA < timesteps <= LONGEST_UNROLLED)
        )
        return xla, timesteps <= (LONGEST_UNROLLED_XLA if xla else LONGEST_UNROLLED)

    @contextmanager
    def unrolling(self) -> Iterator[None]:
        """Write the loops out for as long as the network is trained, not where it is exported."""
        for layer in self.unrolled:
            layer.unroll = True
        try:
            yield
        finally:
            for layer in self.unrolled:
                layer.unroll = False

    def run(self, losses: Sequence[float]) -> Epoch:
        """The epoch after those with the given watched losses.

        Every training window is seen once, in the epoch's own order; then comes validation.
        """
        began, number = perf_counter(), len(losses) + 1
        rate = learning_rate(self.training, losses)
        self.optimizer.learning_rate.assign(rate)
        order = shuffled(self.feed.train, seed=self.training.seed, epoch=number)
        order = order[: self.steps * self.batch_size]
        loss = self._mean(self.train, order, self.batch_size, self.block)
        validation_loss = None
        if len(self.feed.validation):
            size = min(VALIDATION_BATCH, len(self.feed.validation))
            block = max(1, int(BLOCK_WORK / _step_work(self.network, self.feed, size)))
            validation_loss = self._mean(self.validate, self.feed.validation, size, block)
        low = loss if validation_loss is None else validation_loss
        return Epoch(
            number=number,
            epochs=self.training.epochs,
            loss=loss,
            validation_loss=validation_loss,
            best=low < min(losses, default=math.inf),
            seconds=perf_counter() - began,
            windows=len(order),
            learning_rate=rate,
        )

    def _mean(self, function: Block, starts: Ints, batch_size: int, block: int) -> float:
        total = 0.0
        steps = -(-len(starts) // batch_size)
        for rows, sizes in batches(starts, batch_size=batch_size, block=min(block, steps)):
            padded = np.zeros(len(rows), np.int32)
            padded[: len(sizes)] = sizes
            total += float(function(self.values, rows, padded, np.int32(len(sizes))))
        return total / len(starts)

    def _train_block(self, values: Any, rows: Any, sizes: Any, steps: Any) -> tf.Tensor:
        variables = self.network.trainable_variables

        def step(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            size = tf.cast(sizes[number], tf.float32)
            with tf.GradientTape() as tape:
                summed = self._summed_loss(values, rows[number], sizes[number], training=True)
                loss = summed / size + sum(self.network.losses)
            gradients = tape.gradient(loss, [variable.value for variable in variables])
            self.optimizer.apply(gradients, variables)
            return number + 1, total + summed

        return _repeat(step, steps)

    def _validate_block(self, values: Any, rows: Any, sizes: Any, steps: Any) -> tf.Tensor:
        def step(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            summed = self._summed_loss(values, rows[number], sizes[number], training=False)
            return number + 1, total + summed

        return _repeat(step, steps)

    def _summed_loss(self, values: Any, rows: Any, size: Any, *, training: bool) -> tf.Tensor:
        window, actual = gather_batch(self.feed, values, rows if self.fixed else rows[:size])
        forecast = self.network(window, training=training)
        losses = sample_losses(self.training.loss, actual, forecast)
        real = tf.range(tf.shape(losses)[0]) < size
        return tf.reduce_sum(tf.where(real, losses, 0.0))


def _repeat(step: Callable[..., Any], steps: tf.Tensor) -> tf.Tensor:
    """Run the step so many times inside the graph; the sum of what it adds up."""
    zero = (tf.constant(0), tf.constant(0.0))
    return tf.while_loop(lambda number, _: number < steps, step, zero, parallel_iterations=1)[1]


def _step_work(network: keras.Model, feed: Feed, batch_size: int) -> float:
    """Multiply-adds of one training step, roughly: forward once, backward twice."""
    return 3.0 * batch_size * feed.timesteps * float(max(network.count_params(), 1))


def _loops(network: keras.Model) -> list[Any]:
    """The recurrent layers, those inside of bidirectional ones too."""
    both = [layer for layer in network.layers if isinstance(layer, keras.layers.Bidirectional)]
    inner = [each for layer in both for each in (layer.forward_layer, layer.backward_layer)]
    return [layer for layer in [*network.layers, *inner] if isinstance(layer, keras.layers.RNN)]


def _on_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


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
