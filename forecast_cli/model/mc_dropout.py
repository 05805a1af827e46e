"""Monte Carlo dropout: the spread of forecasts over random dropout masks."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from ..core.errors import ModelFileError
from ..core.windows import Floats
from .runtime import Float32s, Runtime

# Forecasts under dropout from which the spread is taken.
DRAWS = 100
MASK = re.compile(r"(decoder_)?dropout_(\d{1,4})")


class Draw:
    """The network with one set of dropout masks; it forecasts as a `Runtime` does."""

    def __init__(self, runtime: Runtime, masks: Sequence[Float32s]) -> None:
        self.runtime = runtime
        self.horizon = runtime.horizon
        self.quantile_count = 0
        self.masks = masks

    def __call__(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled."""
        return self.runtime(windows, *ahead, *self.masks)

    def quantiles(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Not supported: networks with dropout masks predict no quantiles.

        Args:
            windows: Shape `(batch, timesteps, features)`, scaled.
            ahead: As for `Runtime`.
        """
        raise NotImplementedError

    def reaching(self, steps: int) -> "Draw":
        """Return the same: it is fed its forecasts."""
        return self


class MonteCarlo:
    """Repeated forecasts with dropout.

    A draw is one set of masks for all samples, steps and calls: the masks depend on the seed alone,
    so that neither the order of samples nor the batch size matters, and a forecast that is fed back
    uses the same network. Recurrent dropout is left out: it is for training alone.

    Source: Gal and Ghahramani (2016), Dropout as a Bayesian approximation.

    Args:
        onnx: The network whose masks are inputs, as `networks/extra_inputs.py` writes it.
        rates: The `dropout` of each recurrent layer, shares between 0 and 1.
        seed: The same seed gives the same draws.

    Raises:
        ModelFileError: The network takes no masks.
    """

    def __init__(self, onnx: bytes, rates: Sequence[float], *, seed: int = 0) -> None:
        self.runtime = Runtime(onnx)
        self.rates = rates
        self.seed = seed
        if not self.masks or self.runtime.quantile_count:
            raise ModelFileError(
                "The network for intervals by dropout does not take the masks of its layers.",
                "Train again with `intervals=dropout`.",
            )

    @cached_property
    def masks(self) -> list[tuple[float, int]]:
        """The rate and the width of each mask, in the order in which the network takes them.

        Empty where a mask is that of no layer.
        """
        found: list[tuple[float, int]] = []
        for name, width in zip(self.runtime.inputs[1:], self.runtime.widths, strict=True):
            if match := MASK.fullmatch(name):
                if not 0 < int(match[2]) <= len(self.rates):
                    return []
                found.append((self.rates[int(match[2]) - 1], int(width)))
        return found

    def networks(self, draws: int) -> Iterator[Draw]:
        """Yield networks with newly drawn masks; the first ones are the same for any number."""
        generator = np.random.default_rng(self.seed)
        for _ in range(draws):
            masks = [
                (generator.random((1, width)) >= rate).astype(np.float32) / np.float32(1.0 - rate)
                for rate, width in self.masks
            ]
            yield Draw(self.runtime, masks)

    def spread(self, windows: Floats, *ahead: Floats, draws: int = DRAWS) -> Floats:
        """Return the standard deviation of the forecast over the draws.

        Args:
            windows: Shape `(batch, timesteps, features)`, scaled.
            ahead: As for `Runtime`.
            draws: Number of calls of the network, each for the whole batch; at least 2.

        Returns:
            Shape `(batch, horizon, targets)`, scaled.
        """
        return self.deviation(lambda network: network(windows, *ahead), draws)

    def deviation(self, forecast: Callable[[Draw], Floats], draws: int = DRAWS) -> Floats:
        """Return the standard deviation of any forecast over the draws, one in memory at a time.

        Args:
            forecast: Maps the network of a draw to an array of any shape, the same for all.
            draws: At least 2.

        Source: Welford (1962), Note on a method for calculating corrected sums of squares.
        """
        mean = squares = np.zeros(())
        for number, network in enumerate(self.networks(draws), start=1):
            value = forecast(network).astype(np.float64)
            step = value - mean
            mean = mean + step / number
            squares = squares + step * (value - mean)
        return np.sqrt(squares / (draws - 1))
