"""Networks whose dropout comes from outside, so that a forecast can be drawn without Keras."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ..config.covariates import Inputs
from ..config.network import Network
from ..core.windows import Floats
from .batches import Feed
from .build import build_forecast, given_to, seeded
from .onnx_export import export_onnx


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
