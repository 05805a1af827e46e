"""Normalisation inside each window, undone on the way out, all of it in the network's graph.

A level that moves on leaves the range that a scaler has seen in training; a window that is read
relative to its own level and spread does not. The graph takes and gives scaled values.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ..layers import Network

# A window that hardly moves is not blown up: in scaled units.
LEAST_SPREAD = 1e-6

Undo = Callable[[Any], Any]


def normalize(
    network: Network, window: Any, outputs: tuple[int, int], targets: tuple[int, ...]
) -> tuple[Any, Undo]:
    """A window in units of its own, and how to bring a forecast back.

    Args:
        network: Its `anchor`, `window_scale` and `season_length` say what is done.
        window: Shape `(batch, timesteps, features)`, scaled.
        outputs: `(horizon, targets)`.
        targets: Which features are forecast.

    Returns:
        The normalised window, and a function from normalised to scaled forecasts, both of shape
        `(batch, horizon, targets)`.
    """
    center = spread = None
    normalized = window
    if network.anchor != "none":
        center = CENTERS["mean" if network.anchor == "mean" else "last"](window)
        normalized = normalized - center
    if network.window_scale != "none":
        spread = ops.maximum(SPREADS[network.window_scale](window), LEAST_SPREAD)
        normalized = normalized / spread

    def undo(forecast: Any) -> Any:
        if spread is not None:
            forecast = forecast * _pick(spread, targets)
        if network.anchor == "season":
            return forecast + _last_season(window, network.season_length, outputs[0], targets)
        return forecast if center is None else forecast + _pick(center, targets)

    return normalized, undo


def _pick(values: Any, targets: tuple[int, ...]) -> Any:
    """The features that are forecast; of all of them, in order, nothing has to be picked."""
    if targets == tuple(range(values.shape[-1])):
        return values
    return ops.concatenate([values[..., place : place + 1] for place in targets], axis=-1)


def _last_season(window: Any, season: int, horizon: int, targets: tuple[int, ...]) -> Any:
    """For each step ahead the value of the same phase in the last season of the window."""
    last = _pick(window[:, -season:], targets)
    times = -(-horizon // season)
    return ops.concatenate([last] * times, axis=1)[:, :horizon]


def _mean(window: Any) -> Any:
    return ops.mean(window, axis=1, keepdims=True)


def _std(window: Any) -> Any:
    return ops.std(window, axis=1, keepdims=True)


def _mad(window: Any) -> Any:
    return ops.mean(ops.abs(window - _mean(window)), axis=1, keepdims=True)


CENTERS: dict[str, Callable[[Any], Any]] = {"last": lambda window: window[:, -1:], "mean": _mean}
SPREADS: dict[str, Callable[[Any], Any]] = {"std": _std, "mad": _mad}


def linear_skip(window: Any, outputs: tuple[int, int]) -> Any:
    """A linear map from window to horizon, from zero, shape `(batch, horizon x targets)`."""
    flat = keras.layers.Flatten(name="skip_window")(window)
    return keras.layers.Dense(
        outputs[0] * outputs[1], kernel_initializer="zeros", use_bias=False, name="skip"
    )(flat)
