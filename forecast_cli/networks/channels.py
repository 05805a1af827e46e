"""One network for all columns: each is read for itself, as if it were a sample of its own."""

from typing import Any

from keras import ops

from .encoder_output import Forecast


def by_channel(window: Any) -> Any:
    """Shape `(batch, steps, channels)` to `(batch x channels, steps, 1)`."""
    return ops.reshape(ops.transpose(window, (0, 2, 1)), (-1, window.shape[1], 1))


def side_by_side(head: Forecast, channels: int) -> Forecast:
    """The forecasts of all channels as those of one network."""
    learned, taught = head.learned, head.taught
    return Forecast(
        _joined(head.value, channels),
        learned=None if learned is None else _joined(learned, channels),
        taught=taught and (lambda actual: _joined(taught(by_channel(actual)), channels)),
    )


def _joined(forecast: Any, channels: int) -> Any:
    """Shape `(batch x channels, ..., 1)` to `(batch, ..., channels)`."""
    inner = forecast.shape[1:-1]
    apart = ops.reshape(forecast, (-1, channels, *inner))
    order = (0, *range(2, 2 + len(inner)), 1)
    return ops.transpose(apart, order)
