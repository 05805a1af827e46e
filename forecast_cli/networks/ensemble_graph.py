"""Several forecasts of one window made one, in one graph."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ..baselines.effects import EVERY, Effects, sum_effects
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
    shape: tuple[int, Inputs, tuple[int, ...]],
    *,
    maps: Floats | None,
    direct: Floats | None = None,
    combine: Combine,
    weights: Floats | None = None,
    spread: bool = False,
    effects: Sequence[Effects] = (),
) -> keras.Model:
    """One network of several, which share nothing.

    Args:
        networks: Each reads the last steps of the window, as many as it was trained on.
        shape: The lookback of the whole, the positions of columns and covariates in a row, and
            `(horizon, targets)`, or `(horizon, targets, quantiles)`.
        maps: Shape `(maps, targets, timesteps, horizon)`: forecasts linear in the window, or None.
        direct: The same for forecasts that are made without the effects.
        combine: How one forecast is made of all.
        weights: Shape `(networks + maps + direct, targets)`; None for equal ones.
        spread: Whether the forecast less and plus the deviation of all is an output, as quantiles.
        effects: On each target, of what is known ahead; all but `direct` forecast the rest.
    """
    timesteps, inputs, outputs = shape
    asked = given_to(timesteps, inputs, outputs[0])
    given, later = _without_effects(asked, effects, inputs, outputs)
    together = _forecasts_of(networks, given) + _linear("maps", maps, given[0], inputs)
    every = ops.concatenate(together, axis=-1)
    every = every if later is None else every + later
    if plain := _linear("direct", direct, asked[0], inputs):
        every = ops.concatenate([every, *plain], axis=-1)
    one = _as_one(every, outputs, combine)
    one = _with_spread(one, every) if spread else one
    model = keras.Model(alone(asked), one, name="all")
    fixed = {"maps": maps, "direct": direct, "weights": weights if combine == "weights" else None}
    for name, numbers in fixed.items():
        if numbers is not None:
            model.get_layer(name).set_weights([numbers])
    return model


def _linear(name: str, numbers: Floats | None, window: Any, inputs: Inputs) -> list[Any]:
    """Return the forecasts of maps with these numbers, `(batch, horizon, targets, maps)`."""
    if numbers is None:
        return []
    return [Maps(numbers.shape, name=name)(pick(window, inputs.targets))]


def _with_spread(one: Any, every: Any) -> Any:
    """Return the forecast with it less and plus the standard deviation of all."""
    away = ops.std(every, axis=-1)
    return ops.stack([one - away, one, one + away], axis=-1)


def _without_effects(
    given: list[Any], effects: Sequence[Effects], inputs: Inputs, outputs: tuple[int, ...]
) -> tuple[list[Any], Any]:
    """Return the inputs less the effects, and those of the steps ahead; None without any."""
    if not any(each.terms for each in effects):
        return given, None
    every = EffectsOf(effects, inputs.ahead, name="effects")(given)
    later = every[:, given[0].shape[1] :]
    left = Without(inputs.targets, inputs.features, name="rest")([given[0], every])
    return [left, *given[1:]], ops.reshape(later, (-1, *outputs[:2], *[1] * (len(outputs) - 1)))


def _forecasts_of(networks: Sequence[keras.Model], given: list[Any]) -> list[Any]:
    """What each makes of the last steps of the window, `(batch, horizon, targets, ..., 1)`."""
    (window, *ahead), made = given, []
    for number, network in enumerate(networks, start=1):
        network.name = f"network_{number}"
        own = window[:, window.shape[1] - network.inputs[0].shape[1] :]
        made.append(ops.expand_dims(network(alone([own, *ahead])), -1))
    return made


def _as_one(every: Any, outputs: tuple[int, ...], combine: Combine) -> Any:
    """One forecast of all: `(batch, horizon, targets, ..., members)` without the last axis."""
    if combine == "weights":
        shape = (every.shape[-1], outputs[1])
        return Weighted(shape, ranks=len(outputs), name="weights")(every)
    return ops.median(every, axis=-1) if combine == "median" else ops.mean(every, axis=-1)


@keras.saving.register_keras_serializable("forecast_cli")
class Maps(keras.layers.Layer):  # type: ignore[misc]
    """Forecasts that are linear in the window; their numbers are not trained.

    Args:
        shape: `(maps, targets, timesteps, horizon)`.
    """

    def __init__(self, shape: tuple[int, ...], **more: object) -> None:
        super().__init__(**{"trainable": False} | more)
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


@keras.saving.register_keras_serializable("forecast_cli")
class EffectsOf(keras.layers.Layer):  # type: ignore[misc]
    """The effects of what is known ahead, which are not trained.

    Args:
        effects: On each target, or as `get_config` has them.
        places: The positions of what is known ahead in a row.
    """

    def __init__(self, effects: Sequence[Effects], places: Sequence[int], **more: object) -> None:
        super().__init__(**{"trainable": False} | more)
        self.effects = EVERY.validate_python(effects)
        self.places = tuple(places)

    def get_config(self) -> dict[str, Any]:
        """Return what a file keeps of it."""
        kept = {"effects": EVERY.dump_python(self.effects), "places": self.places}
        return {**super(keras.layers.Layer, self).get_config(), **kept}

    def call(self, inputs: list[Any]) -> object:
        """Window and steps ahead to effects, shape `(batch, timesteps + horizon, targets)`."""
        window, ahead = inputs
        known = ops.concatenate([pick(window, self.places), ahead], axis=1)
        return sum_effects(self.effects, known, WindowSteps(), ops)


@keras.saving.register_keras_serializable("forecast_cli")
class Without(keras.layers.Layer):  # type: ignore[misc]
    """Windows whose targets are less the effects on them.

    Args:
        targets: Their positions in a row.
        features: Number of values in a row.
    """

    def __init__(self, targets: Sequence[int], features: int, **more: object) -> None:
        super().__init__(**{"trainable": False} | more)
        self.columns = np.zeros((len(targets), features), np.float32)
        self.columns[np.arange(len(targets)), list(targets)] = 1.0

    def call(self, inputs: list[Any]) -> object:
        """A window and the effects in it and ahead to a window of the same shape."""
        window, effects = inputs
        return window - ops.matmul(effects[:, : window.shape[1]], self.columns)


class WindowSteps:
    """The steps of windows, as `Steps` has it; values have shape `(batch, steps)`."""

    def shift(self, values: Any, lag: int) -> Any:
        """Repeat the first or the last values."""
        count = values.shape[1]
        if lag > 0:
            first = ops.repeat(values[:, :1], min(lag, count), axis=1)
            return ops.concatenate([first, values[:, : count - lag]], axis=1)[:, :count]
        last = ops.repeat(values[:, -1:], min(-lag, count), axis=1)
        return ops.concatenate([values[:, -lag:], last], axis=1)[:, :count]

    def mean(self, values: Any, count: int) -> Any:
        """Repeat the first values."""
        first = ops.repeat(values[:, :1], count - 1, axis=1)
        padded = ops.concatenate([first, values], axis=1)[..., None]
        pooled = ops.average_pool(
            padded, count, strides=1, padding="valid", data_format="channels_last"
        )
        return pooled[..., 0]


@keras.saving.register_keras_serializable("forecast_cli")
class Weighted(keras.layers.Layer):  # type: ignore[misc]
    """A mean by weights, which are not trained with the rest.

    Args:
        shape: `(members, targets)`.
        ranks: How many axes stand between the batch and the members.
    """

    def __init__(self, shape: tuple[int, int], *, ranks: int, **more: object) -> None:
        super().__init__(**{"trainable": False} | more)
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
