"""A Keras network from the configuration."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from ..config import Dense, Layer, Network

CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}


def build(
    network: Network, timesteps: int, features: int, outputs: tuple[int, int], *, seed: int
) -> keras.Model:
    """Build the stack of layers, its weights drawn from the seed.

    Args:
        network: The layers, recurrent ones first.
        timesteps: Steps back; the input is `(batch, timesteps, features)`.
        features: Columns that are read.
        outputs: `(horizon, targets)`; the output is `(batch, horizon, targets)`.
        seed: The same seed gives the same weights, to the bit.
    """
    recurrent = [layer for layer in network.layers if not isinstance(layer, Dense)]
    with seeded(seed):
        inputs = keras.Input((timesteps, features), name="window")
        state = inputs
        for number, layer in enumerate(recurrent, start=1):
            last = number == len(recurrent)
            state = _recurrent(layer, name=f"{layer.type}_{number}", sequences=not last)(state)
        hidden = [layer for layer in network.layers if isinstance(layer, Dense)]
        for number, dense in enumerate(hidden, start=1):
            state = keras.layers.Dense(**_arguments(dense), name=f"dense_{number}")(state)
        flat = keras.layers.Dense(outputs[0] * outputs[1], name="output")(state)
        forecast = keras.layers.Reshape(outputs, name="forecast")(flat)
        return keras.Model(inputs, forecast, name="network")


def _recurrent(layer: Layer, *, name: str, sequences: bool) -> keras.Layer:
    arguments = _arguments(layer)
    both = arguments.pop("bidirectional")
    cell = CELLS[layer.type](**arguments, return_sequences=sequences, name=name)
    return keras.layers.Bidirectional(cell, name=f"bidirectional_{name}") if both else cell


def _arguments(layer: Layer) -> dict[str, Any]:
    return layer.model_dump(exclude={"type"})


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed what Keras draws its own seeds from (Python's generator), and leave that as it was."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def layer_rows(model: keras.Model) -> list[dict[str, Any]]:
    """The layers as in Keras's summary: name, type, output shape without the batch, parameters."""
    return [
        {
            "name": layer.name,
            "type": type(layer).__name__,
            "shape": list(layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
