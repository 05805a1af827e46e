"""Heads: how a forecast is made of the states of a stack."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ..layers import Gru, Lstm, Rnn
from ..network import Network
from .normalize import Relative, linear_skip
from .stack import Stack, make_layer

MERGES: dict[str, Callable[..., Any]] = {
    "concat": keras.layers.Concatenate,
    "sum": keras.layers.Add,
    "mul": keras.layers.Multiply,
    "ave": keras.layers.Average,
}


@dataclass(frozen=True)
class Encoded:
    """What a head works on.

    Args:
        network: The configuration.
        relative: The window, normalised.
        stack: The layers up to the last recurrent one.
        tail: The layers after it.
        output: Of the stack: `(batch, units)`, or `(batch, timesteps, units)` for `sequence`.
        states: Of each recurrent layer, where the head goes on from them.
        outputs: `(horizon, targets)`.
        activation: Of the output layer.
        ahead: What is known of the steps ahead, shape `(batch, horizon, width)`; None for nothing.
    """

    network: Network
    relative: Relative
    stack: Stack
    tail: Stack
    output: Any
    states: list[Any]
    outputs: tuple[int, int]
    activation: str = "linear"
    ahead: Any = None

    def added(self) -> Any:
        """What is added to the flat forecast; None for nothing.

        The linear map from the window to the horizon, and what the covariates of each step ahead
        make of the state.
        """
        parts = []
        if self.network.skip != "none":
            parts.append(linear_skip(self.relative.window, self.outputs))
        if self.ahead is not None:
            parts.append(_of_known(self))
        if len(parts) > 1:
            return keras.layers.Add(name="known_sum")(parts)
        return parts[0] if parts else None


@dataclass(frozen=True)
class Forecast:
    """What a head gives, in the window's own units.

    Args:
        value: The forecast, shape `(batch, horizon, targets)`.
        learned: What is trained instead, where that is another one: the forecast at every step,
            shape `(batch, timesteps, horizon, targets)`.
        taught: What is trained instead, where that reads the actual values, shape `(batch,
            horizon, targets)`: from them to the forecast, of the same shape.
    """

    value: Any
    learned: Any = None
    taught: Callable[[Any], Any] | None = None


def last(encoded: Encoded) -> Forecast:
    """The whole horizon from the last state."""
    horizon, targets = encoded.outputs
    dense = keras.layers.Dense(horizon * targets, activation=encoded.activation, name="output")
    flat = dense(encoded.tail(encoded.output)[0])
    return Forecast(_summed(encoded, flat))


def sequence(encoded: Encoded) -> Forecast:
    """The whole horizon from the state at every step; what counts in the end is the last one."""
    steps, _ = encoded.tail(encoded.output)
    horizon, targets = encoded.outputs
    flat = keras.layers.Dense(horizon * targets, name="output")(steps)
    every = ops.reshape(flat, (-1, flat.shape[1], horizon, targets))
    return Forecast(every[:, -1], learned=every)


def segments(encoded: Encoded) -> Forecast:
    """The horizon by segments, all at once: each is one more step of the stack from its last state.

    What the stack reads in that step is learned, and differs from segment to segment alone.

    Source: Lin et al. (2023), SegRNN, parallel multi-step forecasting.
    """
    (horizon, targets), length = encoded.outputs, encoded.network.segment or 1
    count = -(-horizon // length)
    width = encoded.network.recurrent[0].units
    places = Places(count, width, name="places")(encoded.output)
    places = ops.reshape(places, (-1, 1, width))
    states = [[_repeated(state, count) for state in each] for each in encoded.states]
    decoded, _ = encoded.tail(encoded.stack(places, initial=states)[0])
    steps = keras.layers.Dense(length * targets, name="output")(decoded)
    value = ops.reshape(steps, (-1, count * length, targets))[:, :horizon]
    return Forecast(_summed(encoded, keras.layers.Flatten(name="flat")(value)))


def _repeated(state: Any, count: int) -> Any:
    """Shape `(batch, units)` to `(batch x count, units)`."""
    return ops.reshape(keras.layers.RepeatVector(count)(state), (-1, state.shape[-1]))


def encoder_decoder(encoded: Encoded) -> Forecast:
    """The states are handed over to a second stack that runs over the horizon."""
    network, horizon = encoded.network, encoded.outputs[0]
    handed = [_merged(*each) for each in zip(network.recurrent, encoded.states, strict=True)]
    layers = [_forwards(*each) for each in zip(network.recurrent, handed, strict=True)]
    if network.decoder == "teacher":
        return _taught(encoded, layers, handed)
    decoder = Stack(layers, sequences=True, prefix="decoder_")
    repeated = keras.layers.RepeatVector(horizon, name="repeat")(encoded.output)
    if encoded.ahead is not None:
        repeated = ops.concatenate([repeated, encoded.ahead], axis=-1)
    steps, _ = encoded.tail(decoder(repeated, initial=handed)[0])
    value = keras.layers.Dense(encoded.outputs[1], name="output")(steps)
    return Forecast(_summed(encoded, keras.layers.Flatten(name="flat")(value)))


def _merged(layer: Lstm | Gru | Rnn, states: list[Any]) -> list[Any]:
    """The states of one layer; those of both directions are merged as their outputs are."""
    if not layer.bidirectional:
        return states
    half = len(states) // 2
    merge = MERGES[layer.merge_mode or "concat"]
    return [merge()(list(pair)) for pair in zip(states[:half], states[half:], strict=True)]


def _forwards(layer: Lstm | Gru | Rnn, states: list[Any]) -> Any:
    """The same layer for the decoder: as wide as the states, and forwards."""
    plain = {"bidirectional": False, "merge_mode": None, "go_backwards": False}
    plain |= {"zero_output_for_mask": False}
    return layer.model_copy(update={"units": states[0].shape[-1], **plain})


def _taught(encoded: Encoded, layers: list[Any], handed: list[Any]) -> Forecast:
    """A decoder that reads the value before: the actual one in training, else its own forecast."""
    horizon, targets = encoded.outputs
    plain = [
        layer.model_copy(update={"dropout": 0.0, "recurrent_dropout": 0.0}) for layer in layers
    ]
    cells = [make_layer(each, f"decoder_{at}").cell for at, each in enumerate(plain, start=1)]
    cell = FeedbackCell(cells, encoded.tail, targets)
    flat = encoded.added()
    if flat is None:
        # What is added to each step: nothing, but of the batch's size.
        flat = ops.zeros_like(ops.repeat(encoded.output[:, :1], horizon * targets, axis=1))
    added = keras.layers.Reshape((horizon, targets), name="added")(flat)
    before = encoded.relative.before
    begin = [*[state for each in handed for state in each], before]

    def forecast(inputs: Any, name: str) -> Any:
        return keras.layers.RNN(cell, return_sequences=True, name=name)(inputs, initial_state=begin)

    def taught(actual: Any) -> Any:
        # Where the actual value is missing, the last one of the window stands for it.
        actual = ops.where(ops.isnan(actual), before[:, None], actual)
        shifted = ops.concatenate([before[:, None], actual[:, :-1]], axis=1)
        return forecast(ops.concatenate([added, shifted], axis=-1), "taught_decoder")

    return Forecast(forecast(added, "decoder"), taught=taught)


class FeedbackCell(keras.layers.Layer):  # type: ignore[misc]
    """Cells one upon the other, and the forecast of a step, which the next step reads.

    Inputs of shape `(batch, targets)` are added to the forecast; inputs of `(batch, 2 x targets)`
    hold behind that the value before, in the place of the forecast.
    """

    def __init__(self, cells: list[Any], tail: Stack, targets: int) -> None:
        super().__init__(name="feedback")
        self.cells = cells
        self.targets = targets
        self.dense = keras.layers.Dense(targets, name="output")
        self.tail = [block.core for block in tail.blocks]
        sizes = [cell.state_size for cell in cells]
        self.counts = [len(keras.tree.flatten(each)) for each in sizes]
        self.state_size = [*keras.tree.flatten(sizes), targets]
        self.output_size = targets

    def build(self, input_shape: Any) -> None:
        """Build the cells; what they read is the forecast of the step before."""
        width = self.targets
        for layer in [*self.cells, *self.tail, self.dense]:
            layer.build((None, width))
            width = getattr(layer, "units", width)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """One step; the last of the states is the forecast before."""
        output = inputs[:, self.targets :] if inputs.shape[-1] > self.targets else states[-1]
        ended: list[Any] = []
        for cell, count in zip(self.cells, self.counts, strict=True):
            begin = states[len(ended) : len(ended) + count]
            output, after = cell(output, begin, training=training)
            ended += keras.tree.flatten(after)
        for layer in [*self.tail, self.dense]:
            output = layer(output)
        forecast = output + inputs[:, : self.targets]
        return forecast, [*ended, forecast]


class Places(keras.layers.Layer):  # type: ignore[misc]
    """A learned vector for each place, the same for every sample.

    Args:
        count: How many places there are.
        width: Of a vector.
    """

    def __init__(self, count: int, width: int, **more: Any) -> None:
        super().__init__(**more)
        self.shape = (count, width)

    def build(self, input_shape: Any) -> None:
        """Draw the vectors."""
        self.vectors = self.add_weight(shape=self.shape, initializer="glorot_uniform")

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, ...)` to `(batch, count, width)`."""
        ones = ops.ones_like(inputs[:, :1])
        return ones[:, :, None] * self.vectors[None]


def _of_known(encoded: Encoded) -> Any:
    """What the covariates of each step ahead and the state together say of it, flat.

    The same map for all steps; where the network has a skip, the covariates have one too.
    """
    (horizon, targets), ahead = encoded.outputs, encoded.ahead
    width = encoded.output.shape[-1]
    state = keras.layers.Dense(width, name="ahead_state")(encoded.output)
    own = keras.layers.Dense(width, use_bias=False, name="ahead_hidden")(ahead)
    both = keras.layers.RepeatVector(horizon, name="ahead_repeat")(state) + own
    hidden = keras.layers.Activation("relu", name="ahead_relu")(both)
    value = keras.layers.Dense(targets, name="ahead_output")(hidden)
    if encoded.network.skip != "none":
        skip = keras.layers.Dense(
            targets, kernel_initializer="zeros", use_bias=False, name="ahead_skip"
        )
        value = keras.layers.Add(name="ahead_sum")([value, skip(ahead)])
    return keras.layers.Flatten(name="ahead_flat")(value)


def _summed(encoded: Encoded, flat: Any) -> Any:
    """The flat forecast with what is added to it, shape `(batch, horizon, targets)`."""
    if (added := encoded.added()) is not None:
        flat = keras.layers.Add(name="added_sum")([flat, added])
    return keras.layers.Reshape(encoded.outputs, name="forecast")(flat)


HEADS: dict[str, Callable[[Encoded], Forecast]] = {
    "last": last,
    "recursive": last,
    "sequence": sequence,
    "encoder-decoder": encoder_decoder,
    "segments": segments,
}
