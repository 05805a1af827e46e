"""A Keras network from the configuration."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from ..layers import (
    Convolution,
    Dense,
    Frozen,
    Gru,
    Layer,
    Lstm,
    Network,
    Recurrent,
    Rnn,
    split_term,
)
from .normalize import linear_skip, normalize

CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
REGULARIZERS = {
    "l1": keras.regularizers.L1,
    "l2": keras.regularizers.L2,
    "l1_l2": keras.regularizers.L1L2,
}
CONSTRAINTS = {
    "max_norm": keras.constraints.MaxNorm,
    "min_max_norm": keras.constraints.MinMaxNorm,
    "non_neg": keras.constraints.NonNeg,
    "unit_norm": keras.constraints.UnitNorm,
}


def build(
    network: Network,
    timesteps: int,
    features: int,
    outputs: tuple[int, int],
    *,
    seed: int,
    targets: tuple[int, ...] | None = None,
) -> keras.Model:
    """Build the stack of layers, its weights drawn from the seed.

    Every layer has a name of its own place: Keras's automatic names count up in a process, and
    equal trainings would give unequal files.

    Args:
        network: The layers.
        timesteps: Steps back; the input is `(batch, timesteps, features)`.
        features: Columns that are read.
        outputs: `(horizon, targets)`; the output is `(batch, horizon, targets)`.
        seed: The same seed gives the same weights, to the bit.
        targets: Which of the features are forecast; the first ones where None.
    """
    left = sum(isinstance(layer, Recurrent) for layer in network.layers)
    with seeded(seed):
        inputs = keras.Input((timesteps, features), name="window")
        places = targets or tuple(range(outputs[1]))
        window, undo = normalize(network, inputs, outputs, places)
        state = window
        for number, layer in enumerate(network.layers, start=1):
            left -= isinstance(layer, Recurrent)
            state = _applied(layer, state, name=f"{layer.type}_{number}", sequences=left > 0)
        flat = keras.layers.Dense(outputs[0] * outputs[1], name="output")(state)
        if network.skip == "linear":
            flat = keras.layers.Add(name="skip_sum")([flat, linear_skip(window, outputs)])
        forecast = undo(keras.layers.Reshape(outputs, name="forecast")(flat))
        return keras.Model(inputs, forecast, name="network")


def _applied(layer: Layer, state: Any, *, name: str, sequences: bool) -> Any:
    """The output of one layer; `sequences` says whether steps are needed after it."""
    if isinstance(layer, Lstm | Gru | Rnn):
        return _recurrent(layer, state, name=name, sequences=sequences)
    if isinstance(layer, Dense):
        return keras.layers.Dense(**_arguments(layer), name=name)(state)
    if isinstance(layer, Convolution):
        return keras.layers.Conv1D(**_arguments(layer), padding="causal", name=name)(state)
    return keras.layers.LayerNormalization(**_arguments(layer), name=name)(state)


def _recurrent(layer: Lstm | Gru | Rnn, state: Any, *, name: str, sequences: bool) -> Any:
    arguments = _arguments(layer)
    both, merge, residual = (
        arguments.pop(key) for key in ("bidirectional", "merge_mode", "residual")
    )
    activity = arguments.pop("activity_regularizer")
    cell = CELLS[layer.type](**arguments, return_sequences=sequences, name=name)
    if both:
        cell = keras.layers.Bidirectional(
            cell, merge_mode=merge or "concat", name=f"bidirectional_{name}"
        )
    # Keras's SimpleRNN swallows this argument, so it is set on the layer.
    cell.activity_regularizer = activity
    output = cell(state)
    return _with_residual(state, output, name=name) if residual else output


def _with_residual(state: Any, output: Any, *, name: str) -> Any:
    """The output plus the input; of the input only the last step where the output is one state."""
    if len(output.shape) < len(state.shape):
        state = state[:, -1]
    if state.shape[-1] != output.shape[-1]:
        state = keras.layers.Dense(output.shape[-1], use_bias=False, name=f"{name}_residual")(state)
    return keras.layers.Add(name=f"{name}_sum")([state, output])


def _arguments(layer: Frozen) -> dict[str, Any]:
    """The settings of a layer as Keras takes them."""
    arguments: dict[str, Any] = layer.model_dump(exclude={"type"})
    for name, value in arguments.items():
        if value is not None and name.endswith(("_regularizer", "_constraint")):
            kinds = REGULARIZERS if name.endswith("_regularizer") else CONSTRAINTS
            kind, numbers = split_term(value)
            arguments[name] = kinds[kind](*numbers)
    return arguments


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
