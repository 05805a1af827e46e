"""Networks that take more beside the window, to forecast without Keras: states, dropout masks."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ..config.covariates import Inputs
from ..config.layers import Recurrent
from ..config.network import Network
from ..config.registries import CELLS
from ..core.windows import Floats
from .batches import Feed
from .build import build_forecast, given_to, seeded, stacks
from .onnx_export import export_onnx
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


def thinned(
    network: Network, trained: keras.Model, timesteps: int, inputs: Inputs, outputs: tuple[int, int]
) -> keras.Model:
    """A trained network that takes the masks of its input dropout, beside what it takes anyway.

    Of each recurrent layer with `dropout` there is an input, `dropout_1` for the first of all
    recurrent layers, of shape `(1, features)`: ones for no dropout, or, at a rate r, zeros and
    1 / (1 - r). Those of a decoder are called `decoder_dropout_1` and so on. Recurrent dropout is
    left out: it is for training alone.

    Args:
        network: The layers.
        trained: The network of `assemble`, whose weights are taken.
        timesteps: As there.
        inputs: As there.
        outputs: As there.

    Source: Gal and Ghahramani (2016), A theoretically grounded application of dropout in recurrent
    neural networks.
    """
    masks: list[Any] = []
    with seeded(0):
        given = given_to(timesteps, inputs, outputs[0])
        value = build_forecast(network, given, inputs, outputs, masks=masks).value
        model = keras.Model([*given, *masks], value, name="network")
    model.set_weights(trained.get_weights())
    return model


def export_thinned(
    network: Network, trained: keras.Model, feed: Feed, probes: Sequence[Floats]
) -> bytes:
    """Write the network of `thinned` as ONNX; with masks of ones it is the trained one.

    Args:
        network: The layers.
        trained: The network of `assemble`.
        feed: What it was trained on.
        probes: As in `export_onnx`: windows, and what is known ahead where that is read.

    Raises:
        TrainingError: It differs from the trained network.
    """
    model = thinned(network, trained, *feed.shape)
    masks = [np.ones(each.shape, np.float32) for each in model.inputs[len(probes) :]]
    return export_onnx(model, probes[0], [*probes[1:], *masks], like=trained)
