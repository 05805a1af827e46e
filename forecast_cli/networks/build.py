"""A Keras network from the configuration."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from keras.src.random import seed_generator

from ..config.covariates import Inputs, plain_inputs
from ..config.layers import Recurrent
from ..config.network import Network
from ..config.sections import Precision
from ..core.errors import UsageError
from .batches import alone
from .covariate_inputs import Encoder, beside, known_ahead
from .encoder_output import Encoded, Forecast, in_float32
from .heads import HEADS
from .quantiles import quantiles
from .stack import Stack
from .window_normalization import Relative, normalize


@dataclass(frozen=True)
class Built:
    """A network, and what is trained of it.

    Args:
        network: From a window, and from what is known ahead where that is read, to the forecast,
            `(batch, horizon, targets)`, or `(batch, horizon, targets, quantiles)`.
        learner: What is compared with the actual values in training; it shares the weights. From
            the same, or from that and the actual values, to forecasts of the horizon, or of
            the horizon at every step: `(batch, timesteps, horizon, targets)`.
    """

    network: keras.Model
    learner: keras.Model


def build(
    network: Network,
    timesteps: int,
    features: int | Inputs,
    outputs: tuple[int, ...],
    *,
    seed: int,
    targets: tuple[int, ...] | None = None,
    **more: Any,
) -> keras.Model:
    """The network of `assemble` alone; a number of features are columns without covariates."""
    places = outputs[1] if targets is None else targets
    inputs = features if isinstance(features, Inputs) else plain_inputs(features, places)
    return assemble(network, timesteps, inputs, outputs, seed=seed, **more).network


def assemble(
    network: Network,
    timesteps: int,
    inputs: Inputs,
    outputs: tuple[int, ...],
    *,
    seed: int,
    batch_size: int | None = None,
    activation: str | None = None,
    precision: Precision = "float32",
) -> Built:
    """Build the stack of layers and its head, the weights drawn from the seed.

    Every layer has a name of its own place: Keras's automatic names count up in a process, and
    equal trainings would give unequal files.

    Args:
        network: The layers.
        timesteps: The lookback; the input is `(batch, timesteps, features)`. Where covariates are
            known ahead a second one is `(batch, horizon, ahead)`.
        inputs: The positions of columns and covariates in a row.
        outputs: `(horizon, targets)`, or `(horizon, targets, quantiles)`; the output has that shape
            behind the batch.
        seed: The same seed gives the same weights, to the bit.
        batch_size: The fixed size that a stateful network needs; None for any.
        activation: Of the output layer where the outputs are labels; None for forecasts, which
            are brought back to the units that the window came in.
        precision: Of what the layers compute; weights, inputs and outputs are float32.
    """
    _check_gpu(network)
    with seeded(seed), computing_in(precision):
        given = given_to(timesteps, inputs, outputs[0], batch_size=batch_size)
        head = build_forecast(network, given, inputs, outputs, activation=activation)
        model = keras.Model(alone(given), head.value, name="network")
        if head.taught is not None:
            actual = keras.Input(outputs, batch_size=batch_size, name="actual")
            return Built(model, keras.Model([*given, actual], head.taught(actual)))
        if head.learned is not None:
            return Built(model, keras.Model(alone(given), head.learned))
    return Built(model, model)


def given_to(
    timesteps: int, inputs: Inputs, horizon: int, *, batch_size: int | None = None
) -> list[Any]:
    """Return the inputs of a network: the window, and the covariates of the steps ahead."""
    given = [keras.Input((timesteps, inputs.features), batch_size=batch_size, name="window")]
    if inputs.ahead:
        given.append(keras.Input((horizon, len(inputs.ahead)), batch_size=batch_size, name="ahead"))
    return given


def _check_gpu(network: Network) -> None:
    """Refuse a layer that insists on cuDNN where there is no GPU."""
    insisting = any(getattr(layer, "use_cudnn", False) is True for layer in network.layers)
    if insisting and not tf.config.list_physical_devices("GPU"):
        raise UsageError("use_cudnn = true needs a GPU, and there is none.", 'Leave it at "auto".')


def build_forecast(
    network: Network,
    given: list[Any],
    inputs: Inputs,
    outputs: tuple[int, ...],
    *,
    activation: str | None = None,
    masks: list[Any] | None = None,
) -> Forecast:
    """The forecast of a window, or its labels, as `Built` has it.

    Args:
        network: The layers.
        given: As `given_to` makes it.
        inputs: The positions of columns and covariates in a row.
        outputs: As in `assemble`.
        activation: As there.
        masks: As in `Stack`.
    """
    if network.channels == "independent":
        channel, one = [by_channel(given[0])], (outputs[0], 1, *outputs[2:])
        head = _forecast(network, channel, plain_inputs(1, 1), one, activation, masks)
        head = side_by_side(head, inputs.features)
    else:
        head = _forecast(network, given, inputs, outputs, activation, masks)
    if len(outputs) > 2:
        # Up to here the targets came last, as everywhere else.
        return Forecast(ops.transpose(head.value, (0, 1, 3, 2)))
    return head


def _forecast(
    network: Network,
    given: list[Any],
    inputs: Inputs,
    outputs: tuple[int, ...],
    activation: str | None,
    masks: list[Any] | None,
) -> Forecast:
    """The forecast of a window in scaled units, or its labels; where asked for, its quantiles."""
    encoded = _encoded(network, given, inputs, (outputs[0], outputs[1]), masks)
    encoded = replace(encoded, activation=activation or "linear")
    head, relative = in_float32(HEADS[network.head](encoded)), encoded.relative
    if activation is not None:
        return head
    if len(outputs) > 2:
        return Forecast(quantiles(head, encoded, outputs[2]))
    taught = head.taught
    return Forecast(
        relative.undo(head.value),
        learned=head.learned,
        taught=taught and (lambda actual: relative.undo(taught(relative.redo(actual)))),
    )


def _encoded(
    network: Network,
    given: list[Any],
    inputs: Inputs,
    outputs: tuple[int, int],
    masks: list[Any] | None,
) -> Encoded:
    """Return the output of the stack for a window."""
    window, *ahead = given
    relative = normalize(network, window, outputs, inputs.targets, columns=inputs.columns)
    encoder = Encoder(inputs, network.embedding)
    if (more := beside(encoder, window, inputs)) is not None:
        relative = replace(relative, window=ops.concatenate([relative.window, more], axis=-1))
    steps, mask = _segmented(network, relative)
    every = network.head == "sequence"
    stack, tail = stacks(network, sequences=every, states=network.hands_over, masks=masks)
    output, states = stack(steps, mask=mask)
    return Encoded(
        network=network,
        relative=relative,
        stack=stack,
        tail=tail,
        output=output,
        states=states,
        outputs=outputs,
        ahead=known_ahead(encoder, ahead[0], inputs) if ahead else None,
        masks=masks,
    )


def stacks(
    network: Network, *, sequences: bool, states: bool, masks: list[Any] | None = None
) -> tuple[Stack, Stack]:
    """The layers up to the last recurrent one, and those after it."""
    layers = network.layers
    end = 1 + max(at for at, layer in enumerate(layers) if isinstance(layer, Recurrent))
    stack = Stack(layers[:end], sequences=sequences, states=states, masks=masks)
    return stack, Stack(layers[end:], first=end + 1)


def _segmented(network: Network, relative: Relative) -> tuple[Any, Any]:
    """The window as embedded segments, and which of them hold any value; or as it is."""
    window, mask, length = relative.window, relative.mask, network.segment
    if length is None:
        return window, mask
    timesteps, features = window.shape[1:]
    cut = keras.layers.Reshape((timesteps // length, length * features), name="segments")(window)
    units = network.recurrent[0].units
    embedded = keras.layers.Dense(units, activation="relu", name="embedding")(cut)
    if mask is not None:
        mask = ops.any(ops.reshape(mask, (-1, timesteps // length, length)), axis=-1)
    return embedded, mask


def by_channel(window: Any) -> Any:
    """Shape `(batch, steps, channels)` to `(batch x channels, steps, 1)`."""
    return ops.reshape(ops.transpose(window, (0, 2, 1)), (-1, window.shape[1], 1))


def side_by_side(head: Forecast, channels: int) -> Forecast:
    """The forecasts of all channels as those of one network."""
    learned, taught = head.learned, head.taught
    return Forecast(
        _joined(head.value, channels),
        learned=None if learned is None else _joined(learned, channels),
        taught=taught and (lambda actual: _joined(taught(by_channel(actual)), channels)),
    )


def _joined(forecast: Any, channels: int) -> Any:
    """Shape `(batch x channels, ..., 1)` to `(batch, ..., channels)`."""
    inner = forecast.shape[1:-1]
    apart = ops.reshape(forecast, (-1, channels, *inner))
    order = (0, *range(2, 2 + len(inner)), 1)
    return ops.transpose(apart, order)


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Let layers that are made in this block compute in a precision; their weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let Keras draw its own seeds from a generator that nothing else draws from.

    It takes Python's, which all threads share: those of a Dask worker draw from it as well.
    """
    before = seed_generator.python_random
    seed_generator.python_random = random.Random(seed)
    try:
        yield
    finally:
        seed_generator.python_random = before


def layer_rows(model: keras.Model) -> list[dict[str, Any]]:
    """The layers as in Keras's summary: name, type, output shape without the batch, parameters."""
    return [
        {
            "name": layer.name,
            "type": type(layer).__name__,
            "shape": list(keras.tree.flatten(layer.output)[0].shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
