"""Heads: how a forecast is made of the states of a stack."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from .decoders import encoder_decoder
from .encoder_output import Encoded, Forecast, summed


def last(encoded: Encoded) -> Forecast:
    """The whole horizon from the last state."""
    horizon, targets = encoded.outputs
    state = encoded.tail(encoded.output)[0]

    def outputs(count: int, prefix: str = "") -> Any:
        dense = keras.layers.Dense(
            horizon * count, activation=encoded.activation, name=f"{prefix}output"
        )
        return dense(state)

    return Forecast(summed(encoded, outputs(targets)), more=outputs)


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

    def outputs(width: int, prefix: str = "") -> Any:
        steps = keras.layers.Dense(length * width, name=f"{prefix}output")(decoded)
        value = ops.reshape(steps, (-1, count * length, width))[:, :horizon]
        return keras.layers.Flatten(name=f"{prefix}flat")(value)

    return Forecast(summed(encoded, outputs(targets)), more=outputs)


def _repeated(state: Any, count: int) -> Any:
    """Shape `(batch, units)` to `(batch x count, units)`."""
    return ops.reshape(keras.layers.RepeatVector(count)(state), (-1, state.shape[-1]))


@keras.saving.register_keras_serializable("forecast_cli")
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


HEADS: dict[str, Callable[[Encoded], Forecast]] = {
    "last": last,
    "recursive": last,
    "sequence": sequence,
    "encoder-decoder": encoder_decoder,
    "segments": segments,
}
