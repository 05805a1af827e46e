"""What a network says of the steps ahead."""

from dataclasses import dataclass

from ..core.windows import Floats


@dataclass(frozen=True)
class Ahead:
    """Forecasts from the ends of series, scaled, and what they were made of.

    Args:
        point: Shape `(n_series, steps, targets)`.
        windows: Shape `(n_series, timesteps, features)`; None of a stateful network.
        known: Shape `(n_series, steps, features)`: what is known ahead; None for nothing.
    """

    point: Floats
    windows: Floats | None = None
    known: Floats | None = None


@dataclass(frozen=True)
class Guess:
    """What a network says of the steps ahead, scaled.

    Args:
        point: Shape `(samples, steps, targets)`: the forecast, for any number of steps.
        quantiles: Shape `(samples, horizon, targets, quantiles)`, where it forecasts them.
        spread: Shape `(samples, horizon, targets)`: the standard deviation of its forecasts under
            dropout, where it has that.
    """

    point: Floats
    quantiles: Floats | None = None
    spread: Floats | None = None
