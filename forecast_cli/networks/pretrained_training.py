"""Fine-tuning of the pretrained network: its training on what it sees of the user's own series."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import tensorflow as tf

from ..baselines.pretrained.network import INPUTS, MEDIAN
from ..config.members import Member
from ..config.sections import Precision, Training
from ..core.events import Listener, Steps
from ..core.windows import Floats, Ints
from ..model.pretrained import PretrainedRuntime
from .batches import Feed
from .build import Built
from .ensemble_training import EnsembleTrainer
from .epochs import Trainable
from .losses import make_optimizer
from .onnx_export import check_equal
from .pretrained import SIGNATURE, Combination, losses, read_weights, replace_weights, with_weights

# Series whose forecasts by the exported network are compared with those of Keras.
PROBES = 32
# How far weights are moved to those that were trained: what is learned of a table's past holds for
# its future in part. Half way is as accurate as all the way, and harms less where it harms.
SHARE = 0.5


@dataclass(frozen=True, repr=False)
class Examples:
    """What the network sees of series up to some origins, and the actual values after them.

    Args:
        inputs: By the names of the network's inputs; all but `names` have an axis of examples.
        actual: Shape `(examples, horizon)`, in the unit of the input `ahead`.
        wider: Of the same shape: the factors of the distance of its quantiles from the median in a
            forecast.
    """

    inputs: dict[str, Any]
    actual: Floats
    wider: Floats

    def __len__(self) -> int:
        return len(self.actual)

    def take(self, places: Ints) -> tuple[list[Any], Any, Any]:
        """Of some examples the inputs in the order of the network, actual values and factors."""
        given = [self.inputs[name][places] for name in INPUTS[:-1]]
        every = [*given, self.inputs["names"]]
        actual, wider = (
            tf.constant(each[places], tf.float32) for each in (self.actual, self.wider)
        )
        return [tf.constant(each) for each in every], actual, wider

    def batches(self, order: Ints, size: int) -> Iterator[tuple[list[Any], Any, Any]]:
        """Batches of `take`, in an order."""
        for begin in range(0, len(order), size):
            yield self.take(order[begin : begin + size])


class FineTuning(Trainable):
    """Trains the network on examples; to write loops out takes longer than it saves.

    Args:
        network: Trained in place.
        examples: Of the training rows.
        held_out: Of the validation rows; None for none.
        training: The settings.
    """

    def __init__(
        self,
        network: Combination,
        examples: Examples,
        held_out: Examples | None,
        training: Training,
    ) -> None:
        self.network = self.learner = network
        self.examples, self.held_out = examples, held_out
        self.training, self.epochs = training, training.epochs
        self.raw: list[Any] | None = None
        self.optimizer = make_optimizer(training)
        self.optimizer.build(network.trainable_variables)
        signature = [SIGNATURE, *(tf.TensorSpec((None, None)) for _ in range(2))]
        self._train = tf.function(self._step, signature, autograph=False)
        self._measure = tf.function(self._losses, signature, autograph=False)

    def learn(self, number: int, on_event: Listener) -> tuple[float, float | None, int]:
        """Learn from the examples, as in `Trainable`."""
        rng = np.random.default_rng([self.training.seed, number])
        order = rng.permutation(len(self.examples))
        loss = self._pass(order, partial(self._tell, number, on_event)) / len(order)
        validation_loss = None if self.held_out is None else self.measure(self.held_out)
        return loss, validation_loss, len(order)

    def _pass(self, order: Ints, told: Callable[[float, float], None]) -> float:
        """Train on all examples, in an order, and return the sum of their losses.

        `told` is called after batches with the share that is done, and the seconds of the whole.
        """
        total, size, began = 0.0, self.training.batch_size, perf_counter()
        for number, batch in enumerate(self.examples.batches(order, size)):
            total += float(self._train(*batch))
            if number:
                done = number * size / len(order)
                told(done, (perf_counter() - began) / done)
            else:
                # The first one is compiled.
                began = perf_counter()
        return total

    def _tell(self, number: int, on_event: Listener, share: float, seconds: float) -> None:
        on_event(Steps(number, self.epochs, share, seconds))

    def measure(self, examples: Examples) -> float:
        """The mean loss of the network as it is."""
        batches = examples.batches(np.arange(len(examples)), self.training.batch_size)
        return sum(float(tf.reduce_sum(self._measure(*each))) for each in batches) / len(examples)

    def _losses(self, inputs: list[Any], actual: Any, wider: Any) -> Any:
        """The losses of the examples of a batch, of the quantiles as they are in forecasts."""
        return losses(actual, as_forecast(self.network(inputs), wider))

    def _step(self, inputs: list[Any], actual: Any, wider: Any) -> Any:
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            each = self._losses(inputs, actual, wider)
            loss = tf.reduce_mean(each)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizer.apply(gradients, variables)
        return tf.reduce_sum(each)


def no_windows(timesteps: int) -> Feed:
    """Give no windows of scaled values: the network reads none."""
    raise NotImplementedError(f"lookback {timesteps}")


def as_forecast(quantiles: Any, wider: Any) -> Any:
    """Quantiles `(examples, horizon, quantiles)` as far from their median as in forecasts."""
    middle = quantiles[..., MEDIAN : MEDIAN + 1]
    return middle + wider[..., None] * (quantiles - middle)


@dataclass
class PretrainedTrainer(EnsembleTrainer):
    """Trains the pretrained network further, as the only network of an ensemble.

    Args:
        examples: Of the training rows.
        weights: That it begins with.
        held_out: Of the validation rows; None for none.
    """

    feeds: Callable[[int], Feed] = no_windows
    examples: Examples = field(kw_only=True)
    weights: Sequence[Floats] = field(kw_only=True)
    held_out: Examples | None = None
    one_device: bool = True

    def build(self, member: Member, precision: Precision = "float32") -> Built:
        """The network with the weights that it begins with; it has one precision."""
        network = with_weights(Combination(), self.weights)
        return Built(network, network)

    @contextmanager
    def runner(self, member: Member, built: Built) -> Iterator[Trainable]:
        """What trains it."""
        yield FineTuning(built.network, self.examples, self.held_out, member.training)


def export_finetuned(network: Combination, data: bytes, examples: Examples) -> bytes:
    """The ONNX file of the network with weights half way to those of a trained one.

    Args:
        network: The trained one; it gets these weights too.
        data: The file before the training.
        examples: On some of which both are compared.

    Raises:
        TrainingError: They differ by more than 1e-5 of the largest output.
    """
    pairs = zip(read_weights(data), network.get_weights(), strict=True)
    network.set_weights([start + SHARE * (trained - start) for start, trained in pairs])
    made = replace_weights(data, network.get_weights())
    inputs, actual, _ = examples.take(np.arange(min(PROBES, len(examples))))
    expected = network(inputs).numpy()
    session = PretrainedRuntime(made, actual.shape[1], 1).session
    given = {name: each.numpy() for name, each in zip(INPUTS, inputs, strict=True)}
    check_equal(session.run(None, given), [expected])
    return made


def measure(data: bytes, examples: Examples) -> float:
    """The mean loss of an ONNX file of the network, of any batch size."""
    session, total = PretrainedRuntime(data, examples.actual.shape[1], 1).session, 0.0
    for inputs, actual, wider in examples.batches(np.arange(len(examples)), PROBES):
        given = {name: each.numpy() for name, each in zip(INPUTS, inputs, strict=True)}
        found = tf.constant(session.run(None, given)[0])
        total += float(tf.reduce_sum(losses(actual, as_forecast(found, wider))))
    return total / len(examples)
