"""Stateful networks as they forecast: the states come in and go out, beside the window."""

import keras
import numpy as np

from ..config.layers import Recurrent
from ..config.network import Network
from ..config.registries import CELLS
from ..core.windows import Floats
from .build import seeded, stacks
from .window_normalization import normalize


def carrying(
    network: Network, features: int, outputs: tuple[int, int], *, seed: int
) -> keras.Model:
    """A stateful network for forecasts: the states come in and go out, beside the window.

    It takes windows of any number of steps, and has the weights of the network of `assemble`, in
    the same order.

    Args:
        network: The layers.
        features: Columns that are read.
        outputs: `(horizon, targets)`.
        seed: As there.
    """
    loose = [
        layer.changed(stateful=False) if isinstance(layer, Recurrent) else layer
        for layer in network.layers
    ]
    network = network.changed(layers=tuple(loose), head="last")
    with seeded(seed):
        window = keras.Input((None, features), name="window")
        initial = [
            [
                keras.Input((layer.units,), name=f"state_{number}_{part}")
                for part in CELLS[layer.type].states
            ]
            for number, layer in enumerate(network.recurrent, start=1)
        ]
        relative = normalize(network, window, outputs, tuple(range(outputs[1])))
        stack, tail = stacks(network, sequences=False, states=True)
        output, states = stack(relative.window, mask=relative.mask, initial=initial)
        dense = keras.layers.Dense(outputs[0] * outputs[1], name="output")
        forecast = keras.layers.Reshape(outputs, name="forecast")(dense(tail(output)[0]))
        inputs = [window, *keras.tree.flatten(initial)]
        return keras.Model(inputs, [forecast, *keras.tree.flatten(states)], name="network")


def with_states(
    network: Network, trained: keras.Model, probes: Floats, outputs: tuple[int, int]
) -> tuple[keras.Model, Floats, list[Floats]]:
    """The carrying network of a trained stateful one, probe windows, and states to begin with."""
    model = carrying(network, probes.shape[2], outputs, seed=0)
    model.set_weights(trained.get_weights())
    draw = np.random.default_rng(0)
    widths = [each.shape[-1] for each in model.inputs[1:]]
    states = [draw.normal(size=(len(probes), width)).astype(np.float32) for width in widths]
    return model, probes, states
