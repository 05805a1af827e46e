"""Normalisation inside each window, undone on the way out, all of it in the network's graph.

A level that moves on leaves the range that a scaler has seen in training; a window that is read
relative to its own level and spread does not. The graph takes and gives scaled values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ..config.network import Network

# A window that hardly moves is not blown up: in scaled units.
LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Relative:
    """A window in units of its own, and the way there and back for its forecast.

    Args:
        window: Shape `(batch, timesteps, features)`, without gaps.
        before: The last step that is known, in the window's own units, `(batch, targets)`.
        mask: Shape `(batch, timesteps)`, true where no value of a step is missing; None for all.
        shift: What is added to a forecast, shape `(batch, 1 or horizon, targets)`; None for 0.
        scale: What a forecast is multiplied by before that, a number or of shape `(batch, 1,
            targets)`; None for 1.
    """

    window: Any
    before: Any
    mask: Any = None
    shift: Any = None
    scale: Any = None

    def undo(self, forecast: Any) -> Any:
        """From the window's own units to scaled ones, shape `(batch, horizon, targets)`."""
        forecast = forecast if self.scale is None else forecast * self.scale
        # The shift stands first: Keras takes what is added second for a bias where its only long
        # side, the batch, is as long as the horizon.
        return forecast if self.shift is None else self.shift + forecast

    def redo(self, actual: Any) -> Any:
        """From scaled units to the window's own."""
        actual = actual if self.shift is None else actual - self.shift
        return actual if self.scale is None else actual / self.scale


def normalize(
    network: Network,
    window: Any,
    outputs: tuple[int, int],
    targets: tuple[int, ...],
    *,
    columns: int | None = None,
) -> Relative:
    """Read a window relative to its own level and spread.

    Args:
        network: Its `anchor`, `window_scale` and `season_length` say what is done.
        window: Shape `(batch, timesteps, features)`, scaled; NaN where a value is missing, if the
            network has a mask.
        outputs: `(horizon, targets)`.
        targets: Which features are forecast.
        columns: The first so many features are read relative to the window, and the others, the
            covariates, only tell which steps are missing; None for all.
    """
    window, mask, known = _without_gaps(network, window, columns)
    shift = scale = None
    normalized = window
    if network.anchor != "none":
        center = CENTERS["mean" if network.anchor == "mean" else "last"](window, known)
        normalized = normalized - center
        shift = pick(center, targets)
    if network.window_scale == "usual":
        normalized = normalized / network.usual_spread
        scale = network.usual_spread
    elif network.window_scale != "none":
        spread = ops.maximum(SPREADS[network.window_scale](window, known), LEAST_SPREAD)
        normalized = normalized / spread
        scale = pick(spread, targets)
    if network.anchor == "season":
        shift = _last_season(window, network.season_length, outputs[0], targets)
    if known is not None:
        # A missing step is read as one at the window's level by what cannot skip it.
        normalized = normalized * known
    before = _before(network, normalized, known, targets)
    return Relative(normalized, before, mask, shift, scale)


def _before(network: Network, normalized: Any, known: Any, targets: tuple[int, ...]) -> Any:
    """Return the last known step of a window in its own units, shape `(batch, targets)`."""
    before = pick(last_known(normalized, known), targets)[:, 0]
    # With seasons, the forecast is the difference from the season before: none yet.
    return ops.zeros_like(before) if network.anchor == "season" else before


def _without_gaps(network: Network, window: Any, columns: int | None) -> tuple[Any, Any, Any]:
    """Return the first columns of a window with zeros where missing, its mask, and that as weights.

    Shapes `(batch, timesteps, columns)`, `(batch, timesteps)` and `(batch, timesteps, 1)`; the last
    two are None where no step may be missing.
    """
    known = mask = None
    if network.masked:
        mask = ops.logical_not(ops.any(ops.isnan(window), axis=-1))
        known = as_weights(mask, window)
    if columns is not None and columns < window.shape[-1]:
        window = window[..., :columns]
    if network.masked:
        window = ops.where(ops.isnan(window), 0.0, window)
    return window, mask, known


def pick(values: Any, targets: tuple[int, ...]) -> Any:
    """The features that are forecast; of all of them, in order, nothing has to be picked."""
    if targets == tuple(range(values.shape[-1])):
        return values
    return ops.concatenate([values[..., place : place + 1] for place in targets], axis=-1)


def _last_season(window: Any, season: int, horizon: int, targets: tuple[int, ...]) -> Any:
    """For each step ahead the value of the same phase in the last season of the window."""
    last = pick(window[:, -season:], targets)
    times = -(-horizon // season)
    return ops.concatenate([last] * times, axis=1)[:, :horizon]


def as_weights(mask: Any, like: Any) -> Any:
    """A mask, shape `(batch, timesteps)`, as ones and zeros of shape `(batch, timesteps, 1)`."""
    return ops.cast(mask, like.dtype)[..., None]


def last_known(values: Any, known: Any) -> Any:
    """The values of the last step that is known; zeros where none is.

    Args:
        values: Shape `(batch, timesteps, features)`, without gaps.
        known: Ones where a step is known, shape `(batch, timesteps, 1)`; None where all are.

    Returns:
        Shape `(batch, 1, features)`.
    """
    if known is None:
        return values[:, -1:]
    # How many known steps there are from each one on: 1 at the last of them and in the gap before.
    after = ops.flip(ops.cumsum(ops.flip(known, axis=1), axis=1), axis=1)
    return ops.sum(ops.where(ops.equal(after, 1.0), values * known, 0.0), axis=1, keepdims=True)


def _mean(window: Any, known: Any) -> Any:
    if known is None:
        return ops.mean(window, axis=1, keepdims=True)
    count = ops.maximum(ops.sum(known, axis=1, keepdims=True), 1.0)
    return ops.sum(window * known, axis=1, keepdims=True) / count


def _std(window: Any, known: Any) -> Any:
    if known is None:
        return ops.std(window, axis=1, keepdims=True)
    return ops.sqrt(_mean(ops.square(window - _mean(window, known)), known))


def _mad(window: Any, known: Any) -> Any:
    return _mean(ops.abs(window - _mean(window, known)), known)


CENTERS: dict[str, Callable[[Any, Any], Any]] = {"last": last_known, "mean": _mean}
SPREADS: dict[str, Callable[[Any, Any], Any]] = {"std": _std, "mad": _mad}


def linear_skip(window: Any, outputs: tuple[int, int]) -> Any:
    """A linear map from window to horizon, from zero, shape `(batch, horizon x targets)`."""
    flat = keras.layers.Flatten(name="skip_window")(window)
    return keras.layers.Dense(
        outputs[0] * outputs[1], kernel_initializer="zeros", use_bias=False, name="skip"
    )(flat)
