"""What a head works on, what it gives, and what is added to any forecast."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import ops

from ..config.network import Network
from .stack import Stack
from .window_normalization import Relative, linear_skip


@dataclass(frozen=True)
class Encoded:
    """What a head works on.

    Args:
        network: The configuration.
        relative: The window, normalised.
        stack: The layers up to the last recurrent one.
        tail: The layers after it.
        output: Of the stack: `(batch, units)`, or `(batch, timesteps, units)` for `sequence`.
        states: Of each recurrent layer, where the head continues from them.
        outputs: `(horizon, targets)`.
        activation: Of the output layer.
        ahead: What is known of the steps ahead, shape `(batch, horizon, width)`; None for nothing.
        masks: As in `Stack`, for the stacks of the head itself.
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
    masks: list[Any] | None = None

    def added(self) -> Any:
        """What is added to the flat forecast; None for nothing.

        The linear map from the window to the horizon, and what the covariates of each step ahead
        make of the state.
        """
        parts = []
        if self.network.skip != "none":
            parts.append(linear_skip(self.relative.window, self.outputs))
        if self.ahead is not None:
            parts.append(of_known(self, self.outputs[1]))
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
        more: Further outputs of what the forecast is made of: from their number at each step and a
            prefix for names to `(batch, horizon x number)`; None where the head has none.
    """

    value: Any
    learned: Any = None
    taught: Callable[[Any], Any] | None = None
    more: Callable[[int, str], Any] | None = None


def as_float32(values: Any) -> Any:
    """Return values of layers that compute with fewer bits as float32; others as they are."""
    return values if values.dtype == "float32" else ops.cast(values, "float32")


def in_float32(forecast: Forecast) -> Forecast:
    """Return a forecast whose values are float32: those of a loss are summed and compared."""
    learned, taught = forecast.learned, forecast.taught
    return replace(
        forecast,
        value=as_float32(forecast.value),
        learned=None if learned is None else as_float32(learned),
        taught=taught and (lambda actual: as_float32(taught(actual))),
    )


def of_known(encoded: Encoded, count: int, prefix: str = "") -> Any:
    """What the covariates of each step ahead and the state together say of it, flat.

    The same map for all steps; where the network has a skip, the covariates have one too.

    Args:
        encoded: Its `ahead` is not None.
        count: Outputs at each step.
        prefix: Of the names of the layers.
    """
    horizon, ahead, name = encoded.outputs[0], encoded.ahead, f"{prefix}ahead"
    width = encoded.output.shape[-1]
    state = keras.layers.Dense(width, name=f"{name}_state")(encoded.output)
    own = keras.layers.Dense(width, use_bias=False, name=f"{name}_hidden")(ahead)
    both = keras.layers.RepeatVector(horizon, name=f"{name}_repeat")(state) + own
    hidden = keras.layers.Activation("relu", name=f"{name}_relu")(both)
    value = keras.layers.Dense(count, name=f"{name}_output")(hidden)
    if encoded.network.skip != "none":
        skip = keras.layers.Dense(
            count, kernel_initializer="zeros", use_bias=False, name=f"{name}_skip"
        )
        value = keras.layers.Add(name=f"{name}_sum")([value, skip(ahead)])
    return keras.layers.Flatten(name=f"{name}_flat")(value)


def summed(encoded: Encoded, flat: Any) -> Any:
    """The flat forecast with what is added to it, shape `(batch, horizon, targets)`."""
    if (added := encoded.added()) is not None:
        flat = keras.layers.Add(name="added_sum")([flat, added])
    return keras.layers.Reshape(encoded.outputs, name="forecast")(flat)
