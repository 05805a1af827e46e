"""Quantiles of a forecast, which cannot cross: the median, and what lies ever further from it."""

from typing import Any

import keras
from keras import ops

from .encoder_output import Encoded, Forecast, as_float32, of_known

# Where training begins: a softplus of -3 is a twentieth of a scaled unit between two quantiles.
START = -3.0


def quantiles(forecast: Forecast, encoded: Encoded, count: int) -> Any:
    """The quantiles of a forecast, of which it is the median.

    Each lies by a softplus, which is above 0, further from the median than the one before. The
    state and what is known ahead say how far; a linear skip is for the median alone.

    Args:
        forecast: Of a head.
        encoded: What the head worked on.
        count: How many quantiles there are, the median among them: an odd number.

    Returns:
        In scaled units, shape `(batch, horizon, count, targets)`, ascending along `count`.
    """
    widths = _widths(forecast, encoded, count)
    median = encoded.relative.undo(forecast.value)[:, :, None]
    below, above = [median], [median]
    for at in range(0, count - 1, 2):
        below.append(below[-1] - widths[:, :, at : at + 1])
        above.append(above[-1] + widths[:, :, at + 1 : at + 2])
    return ops.concatenate([*reversed(below), *above[1:]], axis=2)


def _widths(forecast: Forecast, encoded: Encoded, count: int) -> Any:
    """Return the distances from each quantile to the next, from the median outwards, in turn.

    Scaled units, shape `(batch, horizon, count - 1, targets)`: below, above, below, above ...
    """
    (horizon, targets), scale = encoded.outputs, encoded.relative.scale
    if forecast.more is None:
        raise ValueError(f"head {encoded.network.head} forecasts no quantiles")
    flat = forecast.more((count - 1) * targets, "spread_")
    if encoded.ahead is not None:
        known = of_known(encoded, (count - 1) * targets, "spread_")
        flat = keras.layers.Add(name="spread_sum")([flat, known])
    raw = keras.layers.Reshape((horizon, count - 1, targets), name="spread")(flat)
    widths = ops.softplus(as_float32(raw) + START)
    if scale is None or isinstance(scale, float):
        return widths if scale is None else widths * scale
    return widths * scale[:, :, None]
