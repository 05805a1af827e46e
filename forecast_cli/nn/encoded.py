"""What a head works on, what it gives, and what is added to any forecast."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from ..network import Network
from .normalize import Relative, linear_skip
from .stack import Stack


@dataclass(frozen=True)
class Encoded:
    """What a head works on.

    Args:
        network: The configuration.
        relative: The window, normalised.
        stack: The layers up to the last recurrent one.
        tail: The layers after it.
        output: Of the stack: `(batch, units)`, or `(batch, timesteps, units)` for `sequence`.
        states: Of each recurrent layer, where the head goes on from them.
        outputs: `(horizon, targets)`.
        activation: Of the output layer.
        ahead: What is known of the steps ahead, shape `(batch, horizon, width)`; None for nothing.
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

    def added(self) -> Any:
        """What is added to the flat forecast; None for nothing.

        The linear map from the window to the horizon, and what the covariates of each step ahead
        make of the state.
        """
        parts = []
        if self.network.skip != "none":
            parts.append(linear_skip(self.relative.window, self.outputs))
        if self.ahead is not None:
            parts.append(_of_known(self))
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
    """

    value: Any
    learned: Any = None
    taught: Callable[[Any], Any] | None = None


def _of_known(encoded: Encoded) -> Any:
    """What the covariates of each step ahead and the state together say of it, flat.

    The same map for all steps; where the network has a skip, the covariates have one too.
    """
    (horizon, targets), ahead = encoded.outputs, encoded.ahead
    width = encoded.output.shape[-1]
    state = keras.layers.Dense(width, name="ahead_state")(encoded.output)
    own = keras.layers.Dense(width, use_bias=False, name="ahead_hidden")(ahead)
    both = keras.layers.RepeatVector(horizon, name="ahead_repeat")(state) + own
    hidden = keras.layers.Activation("relu", name="ahead_relu")(both)
    value = keras.layers.Dense(targets, name="ahead_output")(hidden)
    if encoded.network.skip != "none":
        skip = keras.layers.Dense(
            targets, kernel_initializer="zeros", use_bias=False, name="ahead_skip"
        )
        value = keras.layers.Add(name="ahead_sum")([value, skip(ahead)])
    return keras.layers.Flatten(name="ahead_flat")(value)


def summed(encoded: Encoded, flat: Any) -> Any:
    """The flat forecast with what is added to it, shape `(batch, horizon, targets)`."""
    if (added := encoded.added()) is not None:
        flat = keras.layers.Add(name="added_sum")([flat, added])
    return keras.layers.Reshape(encoded.outputs, name="forecast")(flat)
