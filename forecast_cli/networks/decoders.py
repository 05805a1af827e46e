"""Decoders: a second stack that continues from the states of the first one, over the horizon."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ..config.layers import Recurrent
from .encoder_output import Encoded, Forecast, summed
from .stack import Stack, make_layer

MERGES: dict[str, Callable[..., Any]] = {
    "concat": keras.layers.Concatenate,
    "sum": keras.layers.Add,
    "mul": keras.layers.Multiply,
    "ave": keras.layers.Average,
}


def encoder_decoder(encoded: Encoded) -> Forecast:
    """The states are handed over to a second stack that runs over the horizon."""
    network, horizon = encoded.network, encoded.outputs[0]
    handed = [_merged(*each) for each in zip(network.recurrent, encoded.states, strict=True)]
    layers = [_forwards(*each) for each in zip(network.recurrent, handed, strict=True)]
    if network.decoder == "teacher":
        return _taught(encoded, layers, handed)
    decoder = Stack(layers, sequences=True, prefix="decoder_", masks=encoded.masks)
    repeated = keras.layers.RepeatVector(horizon, name="repeat")(encoded.output)
    if encoded.ahead is not None:
        repeated = ops.concatenate([repeated, encoded.ahead], axis=-1)
    steps, _ = encoded.tail(decoder(repeated, initial=handed)[0])

    def outputs(count: int, prefix: str = "") -> Any:
        value = keras.layers.Dense(count, name=f"{prefix}output")(steps)
        return keras.layers.Flatten(name=f"{prefix}flat")(value)

    return Forecast(summed(encoded, outputs(encoded.outputs[1])), more=outputs)


def _merged(layer: Recurrent, states: list[Any]) -> list[Any]:
    """The states of one layer; those of both directions are merged as their outputs are."""
    if not layer.bidirectional:
        return states
    half = len(states) // 2
    merge = MERGES[layer.merge_mode or "concat"]
    return [merge()(list(pair)) for pair in zip(states[:half], states[half:], strict=True)]


def _forwards(layer: Recurrent, states: list[Any]) -> Any:
    """The same layer for the decoder: as wide as the states, and forwards."""
    return layer.changed(
        units=states[0].shape[-1],
        bidirectional=False,
        merge_mode=None,
        go_backwards=False,
        zero_output_for_mask=False,
    )


def _taught(encoded: Encoded, layers: list[Any], handed: list[Any]) -> Forecast:
    """A decoder that reads the value before: the actual one in training, else its own forecast."""
    horizon, targets = encoded.outputs
    plain = [layer.changed(dropout=0.0, recurrent_dropout=0.0) for layer in layers]
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
