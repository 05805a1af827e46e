"""One compiled function that runs many steps a call.

Keras's `fit` pays for a Python round trip in every step and for windows copied out beforehand.
Here a block of steps, on small jobs the whole epoch, is one compiled function that gathers its
samples from the flat array: several times faster, and memory grows with the data alone.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

import keras
import tensorflow as tf

from ..config.registries import LOSSES
from ..config.sections import Training
from ..core.events import Listener, Steps
from .batch_order import Lanes, Pass, Passes, Shuffled, blocks
from .batches import Feed, Samples, WindowFeed, alone
from .block_feed import BlockFeed, Blockwise, Piece
from .devices import Replicas, take_summed
from .epochs import Trainable
from .loops import cells_for_xla, choose_loops, find_loops, written_out
from .losses import make_loss, make_optimizer

# About half a second of work on two cores, so that a signal is heard soon: multiply-adds.
BLOCK_WORK = 3e9
# What a window of validation costs, as a share of one of training: forward alone.
VALIDATED = 0.3

# Settings that compiled functions know nothing of.
AT_RUN_TIME = (
    "epochs", "batch_size", "steps_per_epoch", "learning_rate", "schedule", "patience", "average",
    "time_budget", "seed", "devices", "refit",
)  # fmt: skip
# Data and networks of this size are kept, with what was compiled for them: bytes.
LARGEST_KEPT = 16_000_000

Block = Callable[[Any, Any, Any, Any], Any]


@dataclass(repr=False)
class Runner(Trainable):
    """The compiled functions of one training, and the data on the device.

    Args:
        network: What forecasts.
        feed: What to learn from.
        training: How.
        learner: What is trained, and shares the network's weights; the network itself where None.
        quantiles: What the last axis of a forecast holds, where it holds quantiles.
        replicas: The devices that train together, where there are several; network and learner
            were made in their scope.
    """

    network: keras.Model
    feed: Feed
    training: Training
    learner: Any = None
    quantiles: tuple[float, ...] = ()
    replicas: Replicas | None = None

    def __post_init__(self) -> None:
        self.learner = self.learner or self.network
        self.loops = find_loops(self.network) | find_loops(self.learner)
        self.stateful = [layer for layer in self.loops if layer.stateful]
        self._begin(self.training, self.feed)
        self.optimizer = self._make_optimizer()
        self.fresh = [variable.numpy() for variable in self.optimizer.variables]
        self.loss = make_loss(
            self.training, self.feed.units, gaps=self.feed.gaps, quantiles=self.quantiles
        )
        # XLA needs batches of one shape, and the surplus of the last one would count in penalties
        # on a layer's output.
        penalised = any(layer.activity_regularizer for layer in self.learner.layers)
        self.fixed = bool(self.stateful) or not (penalised or self.replicas)
        self.compiled, longest = choose_loops(
            self.loops,
            self.training,
            batch_size=self.passes.batch_size,
            steps=self.passes.steps,
            work=self._work(self.passes.batch_size),
            fixed=self.fixed,
        )
        self.unrolled = [
            layer
            for layer, length in self.loops.items()
            if not layer.unroll and length is not None and length <= longest
        ]
        more = {"jit_compile": self.compiled, "autograph": False}
        signature = self._signature(self.passes.batch_size)
        self.train = tf.function(self._train_block, signature, **more)
        # Stateful layers have states for as many windows as are trained on at once.
        signature = self._signature(self.passes.batch_size if self.stateful else None)
        self.validate = tf.function(self._validate_block, signature, **more)

    def _make_optimizer(self) -> Any:
        """Return the optimizer with its variables, on each device where there are several."""
        with self.replicas.scope() if self.replicas else nullcontext():
            optimizer = make_optimizer(self.training)
            optimizer.build(self.network.trainable_variables)
        if self.replicas:
            take_summed(optimizer)
        return optimizer

    def _begin(self, training: Training, feed: Feed) -> None:
        """Take the settings and the data of a training."""
        self.training, self.epochs, self.feed = training, training.epochs, _read(feed, training)
        self.raw: list[Any] | None = None
        self.passes: Passes | Blockwise
        self.values: Any = None
        if isinstance(self.feed, BlockFeed):
            self.passes = Blockwise(self.feed, training)
        else:
            self.values = tf.constant(self.feed.values)
            self.passes = (Lanes if self.stateful else Shuffled)(self.feed, training)

    def _signature(self, batch_size: int | None) -> list[tf.TensorSpec]:
        """What a compiled function takes, for any number of rows and batches."""
        return [
            tf.TensorSpec((None, self.feed.width)),
            tf.TensorSpec((None, batch_size), tf.int32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((), tf.int32),
        ]

    def _work(self, batch_size: int) -> float:
        """Multiply-adds of one training step, roughly: forward once, backward twice."""
        parameters = float(max(self.network.count_params(), 1))
        return 3.0 * batch_size * self.feed.timesteps * parameters

    @property
    def kind(self) -> tuple[Any, ...]:
        """What trainings share whose compiled functions are the same, beside the network."""
        settings = self.training.model_dump(exclude=set(AT_RUN_TIME))
        loops = len(self.unrolled)
        devices = self.replicas and self.replicas.devices
        return settings, self.passes.batch_size, self.compiled, loops, self.feed.gaps, devices

    @property
    def shareable(self) -> bool:
        """Whether trainings on other data can use the functions, and they are worth keeping."""
        feed = self.feed
        small = feed.values.nbytes <= LARGEST_KEPT >= 4 * self.network.count_params()
        whole = isinstance(feed, WindowFeed) and not isinstance(feed, BlockFeed)
        return whole and feed.units is None and small

    def unrolling(self) -> AbstractContextManager[None]:
        """Write the loops out for as long as the network is trained, not where it is exported."""
        return written_out(self.unrolled)

    def restart(self, network: keras.Model, training: Training, feed: Feed) -> None:
        """Begin again with the weights of another network of the same kind.

        Args:
            network: Whose weights, and whose seeds of its dropout.
            training: Of the same kind.
            feed: What to learn from; the same as before unless this is shareable.
        """
        for own, other in zip(self.network.variables, network.variables, strict=True):
            own.assign(other.value)
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        self._begin(training, feed)

    def learn(self, number: int, on_event: Listener) -> tuple[float, float | None, int]:
        """Learn as in `Trainable`; after it the network has the weights to forecast with."""
        if self.raw is not None:
            self.network.set_weights(self.raw)
        told = partial(self._tell, number, on_event)
        samples = self._taken(self.passes.training(number))
        loss, windows = self._mean(self.train, samples, self.passes.steps, told)
        if self.training.ema is not None:
            self._average()
        validation_loss = None
        if self.feed.validated:
            validation_loss, _ = self._mean(self.validate, self._taken(self.passes.validation()))
        return loss, validation_loss, windows

    def _average(self) -> None:
        """Put the moving average of the weights in their place, and keep them to train on."""
        self.raw = self.network.get_weights()
        variables = self.network.trainable_variables
        self.optimizer.finalize_variable_values(variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))

    def _tell(self, number: int, on_event: Listener, done: int, seconds: float) -> None:
        """Report how far an epoch has come: its training steps, and the seconds of one."""
        steps, validated = self.passes.steps, self.feed.validated / self.passes.batch_size
        whole = seconds * (steps + VALIDATED * validated)
        on_event(Steps(number, self.epochs, done / steps, whole))

    def _taken(self, found: Pass | Iterable[Piece]) -> Iterator[Pass]:
        """Yield a pass; of large tables piece by piece, whose rows are then on the device."""
        if isinstance(found, tuple):
            yield found
            return
        for values, samples in found:
            # What was there is gone before it is replaced.
            self.values = None
            self.values = tf.constant(values)
            yield samples

    def _mean(
        self,
        function: Block,
        pieces: Iterable[Pass],
        steps: int | None = None,
        told: Callable[[int, float], None] | None = None,
    ) -> tuple[float, int]:
        """The mean loss over the pieces of a pass, and over how many samples it is.

        Args:
            function: What runs a block.
            pieces: They are cut into blocks of one shape.
            steps: The most steps of a block; None: those of the first piece.
            told: Called after blocks with the steps done, and the seconds of one.
        """
        for layer in self.stateful:
            layer.reset_state()
        total, count = 0.0, 0
        cut = self._cut(pieces, steps)
        for each, counts, number in cut if told is None else _timed(cut, told):
            total += float(function(self.values, each, counts, tf.constant(number)))
            count += int(counts.sum())
        return total / count, count

    def _cut(self, pieces: Iterable[Pass], steps: int | None) -> Iterator[tuple[Any, Any, int]]:
        """Yield the blocks of a pass, of one shape; `steps` as in `_mean`."""
        for rows, sizes in pieces:
            steps = steps or len(rows)
            size = max(1, min(steps, int(BLOCK_WORK / self._work(rows.shape[1]))))
            yield from blocks(rows, sizes, size)

    def _train_block(self, values: Any, rows: Any, sizes: Any, steps: Any) -> tf.Tensor:
        return self._block(self._learn, values, rows, sizes, steps, training=True)

    def _validate_block(self, values: Any, rows: Any, sizes: Any, steps: Any) -> tf.Tensor:
        return self._block(self._measure, values, rows, sizes, steps, training=False)

    def _block(
        self,
        function: Callable[..., Any],
        values: Any,
        rows: Any,
        sizes: Any,
        steps: Any,
        *,
        training: bool,
    ) -> tf.Tensor:
        """The summed losses of some batches.

        Args:
            function: Of samples, how many of them count, and how many the whole batch has: their
                summed losses.
            values: Shape `(n_rows, features)`.
            rows: Shape `(batches, batch_size)`.
            sizes: Shape `(batches,)`: how many rows of each are no surplus.
            steps: How many of the batches.
            training: As in `Feed.gather`.
        """

        def step(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            size = sizes[number]
            own = rows[number] if self.fixed else rows[number][:size]
            samples = self.feed.gather(values, own, training=training)
            if self.replicas is None:
                summed = function(samples, size, size)
            else:
                summed = self.replicas.sum(partial(function, whole=size), samples, size)
            return number + 1, total + summed

        return _repeat(step, steps)

    def _learn(self, samples: Samples, size: Any, whole: Any) -> tf.Tensor:
        """Take a training step; arguments and result as in `_block`."""
        variables, whole = self.network.trainable_variables, tf.cast(whole, tf.float32)
        cells = [layer.cell for layer in self.loops if layer.unroll] if self.compiled else []
        with tf.GradientTape() as tape, cells_for_xla(cells, size):
            given, actual, _ = samples
            taught = len(self.learner.inputs) > len(given)
            forecast = self.learner([*given, actual] if taught else alone(given), training=True)
            summed = self._sum_losses(samples, forecast, size)
            penalties = sum(tf.cast(each, tf.float32) for each in self.learner.losses)
            if self.replicas:
                # Those of outputs are means over the samples, those of weights the same everywhere.
                penalties *= tf.cast(size, tf.float32) / whole
            loss = self.optimizer.scale_loss(summed / whole + penalties)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        if self.replicas:
            gradients = self.replicas.sum_gradients(gradients)
        self.optimizer.apply(gradients, variables)
        return summed

    def _measure(self, samples: Samples, size: Any, whole: Any) -> tf.Tensor:
        """Sum the losses; arguments as in `_block`."""
        forecast = self.network(alone(samples.given), training=False)
        return self._sum_losses(samples, forecast, size)

    def _sum_losses(self, samples: Samples, forecast: Any, size: Any) -> tf.Tensor:
        losses = self.loss(samples.actual, forecast, samples.series)
        real = tf.range(tf.shape(losses)[0]) < size
        return tf.reduce_sum(tf.where(real, losses, 0.0))


def _timed(
    cut: Iterator[tuple[Any, Any, int]], told: Callable[[int, float], None]
) -> Iterator[tuple[Any, Any, int]]:
    """Yield blocks, and tell after each but the first, which compiles, how long a step takes."""
    first, done, began = 0, 0, 0.0
    for block in cut:
        yield block
        done += block[2]
        if first:
            told(done, (perf_counter() - began) / (done - first))
        else:
            first, began = done, perf_counter()


def _repeat(step: Callable[..., Any], steps: tf.Tensor) -> tf.Tensor:
    """Run the step so many times inside the graph; the sum of what it adds up."""
    zero = (tf.constant(0), tf.constant(0.0))
    return tf.while_loop(lambda number, _: number < steps, step, zero, parallel_iterations=1)[1]


def _read(feed: Feed, training: Training) -> Feed:
    """Return the feed without what its loss does not read, which is compiled in."""
    scaled = LOSSES[training.loss or "mse"].units == "scaled"
    if scaled and isinstance(feed, WindowFeed):
        return replace(feed, units=None, owners=None)
    return feed
