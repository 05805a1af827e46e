"""Several forecasts of one window made one, in one graph."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ..config.covariates import Inputs
from ..config.ensemble import Combine
from ..core.windows import Floats
from .batches import alone
from .build import given_to
from .window_normalization import pick

# Windows of which forecasts are made at a time.
BATCH = 1024


def combined(
    networks: Sequence[keras.Model],
    inputs: Inputs,
    timesteps: int,
    outputs: tuple[int, ...],
    *,
    maps: Floats | None,
    combine: Combine,
    weights: Floats | None = None,
    spread: bool = False,
) -> keras.Model:
    """One network of several, which share nothing.

    Args:
        networks: Each reads the last steps of the window, as many as it was trained on.
        inputs: What a row holds.
        timesteps: The lookback of the whole.
        outputs: `(horizon, targets)`, or `(horizon, targets, quantiles)`.
        maps: Shape `(maps, targets, timesteps, horizon)`: forecasts that are linear in the window;
            None for none.
        combine: How one forecast is made of all.
        weights: Shape `(networks + maps, targets)`; None for equal ones.
        spread: Whether the output is, as of quantiles, the forecast minus the standard deviation of
            all, the forecast, and the forecast plus it.
    """
    given = given_to(timesteps, inputs, outputs[0])
    forecasts = _forecasts_of(networks, given)
    together = [ops.expand_dims(each, -1) for each in forecasts]
    if maps is not None:
        together.append(Maps(maps.shape, name="maps")(pick(given[0], inputs.targets)))
    every = ops.concatenate(together, axis=-1)
    one = _as_one(every, outputs, combine)
    if spread:
        away = ops.std(every, axis=-1)
        one = ops.stack([one - away, one, one + away], axis=-1)
    model = keras.Model(alone(given), one, name="all")
    for name, numbers in (("maps", maps), ("weights", weights)):
        if numbers is not None and (name == "maps" or combine == "weights"):
            model.get_layer(name).set_weights([numbers])
    return model


def _forecasts_of(networks: Sequence[keras.Model], given: list[Any]) -> list[Any]:
    """What each makes of the last steps of the window, shape `(batch, horizon, targets, ...)`."""
    window, *ahead = given
    for number, network in enumerate(networks, start=1):
        network.name = f"network_{number}"
    return [
        network(alone([window[:, window.shape[1] - network.inputs[0].shape[1] :], *ahead]))
        for network in networks
    ]


def _as_one(every: Any, outputs: tuple[int, ...], combine: Combine) -> Any:
    """One forecast of all: `(batch, horizon, targets, ..., members)` without the last axis."""
    if combine == "weights":
        shape = (every.shape[-1], outputs[1])
        return Weighted(shape, ranks=len(outputs), name="weights")(every)
    return ops.median(every, axis=-1) if combine == "median" else ops.mean(every, axis=-1)


class Maps(keras.layers.Layer):  # type: ignore[misc]
    """Forecasts that are linear in the window; their numbers are not trained.

    Args:
        shape: `(maps, targets, timesteps, horizon)`.
    """

    def __init__(self, shape: tuple[int, ...], **more: object) -> None:
        super().__init__(trainable=False, **more)
        self.shape = shape

    def build(self, input_shape: object) -> None:
        """Make room for the numbers."""
        self.numbers = self.add_weight(shape=self.shape, initializer="zeros", trainable=False)

    def call(self, inputs: object) -> object:
        """Shape `(batch, timesteps, targets)` to `(batch, horizon, targets, maps)`."""
        maps, targets, timesteps, horizon = self.shape
        columns = ops.transpose(inputs, (2, 0, 1))
        matrices = ops.reshape(
            ops.transpose(self.numbers, (1, 2, 0, 3)), (targets, timesteps, maps * horizon)
        )
        every = ops.reshape(ops.matmul(columns, matrices), (targets, -1, maps, horizon))
        return ops.transpose(every, (1, 3, 0, 2))


class Weighted(keras.layers.Layer):  # type: ignore[misc]
    """A mean by weights, which are not trained with the rest.

    Args:
        shape: `(members, targets)`.
        ranks: How many axes stand between the batch and the members.
    """

    def __init__(self, shape: tuple[int, int], *, ranks: int, **more: object) -> None:
        super().__init__(trainable=False, **more)
        self.shape, self.ranks = shape, ranks

    def build(self, input_shape: object) -> None:
        """Begin with equal weights."""
        equal = keras.initializers.Constant(1.0 / self.shape[0])
        self.numbers = self.add_weight(shape=self.shape, initializer=equal, trainable=False)

    def call(self, inputs: object) -> object:
        """Shape `(batch, horizon, targets, ..., members)` to the same without the members."""
        members, targets = self.shape
        between = [1] * (self.ranks - 2)
        shares = ops.reshape(ops.transpose(self.numbers), (1, 1, targets, *between, members))
        return ops.sum(inputs * shares, axis=-1)


def forecast_windows(network: keras.Model, given: Sequence[Floats]) -> Floats:
    """What a network makes of many windows.

    Args:
        network: Its window may be shorter than the ones that are given.
        given: Windows of shape `(samples, timesteps, features)`, and what is known ahead of them.
    """
    steps = network.inputs[0].shape[1]
    call = tf.function(network, reduce_retracing=True, autograph=False)
    first = [given[0][:, -steps:], *given[1:]]
    parts = [
        call(alone([tf.constant(each[at : at + BATCH]) for each in first]), training=False).numpy()
        for at in range(0, len(given[0]), BATCH)
    ]
    return np.concatenate(parts)
