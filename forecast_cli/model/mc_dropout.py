"""Monte Carlo dropout: how much a forecast depends on which inputs of the layers are dropped."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from ..core.errors import ModelFileError
from ..core.windows import Floats
from .runtime import Float32s, Runtime

# Networks under dropout that a spread is of.
DRAWS = 100
MASK = re.compile(r"(decoder_)?dropout_(\d+)")


class Draw:
    """The network with some of its inputs dropped: it forecasts as a `Runtime` does."""

    def __init__(self, runtime: Runtime, masks: Sequence[Float32s]) -> None:
        self.runtime = runtime
        self.horizon = runtime.horizon
        self.quantile_count = 0
        self.masks = masks

    def __call__(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled."""
        return self.runtime(windows, *ahead, *self.masks)

    def quantiles(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Networks with dropout masks predict no quantiles."""
        raise NotImplementedError


class MonteCarlo:
    """Forecasts with dropout, drawn again and again.

    A draw is one set of masks for all samples, steps and calls: the masks are drawn from the seed
    alone, so that neither the order of samples nor how they are cut into batches matters, and a
    forecast that goes on from its own forecasts does so with the same network. Recurrent dropout is
    left out: it is for training alone.

    Source: Gal and Ghahramani (2016), Dropout as a Bayesian approximation.

    Args:
        onnx: The network whose masks are inputs, as `forecast_cli.nn.dropout` writes it.
        rates: The `dropout` of each recurrent layer, shares between 0 and 1.
        seed: The same seed gives the same draws.

    Raises:
        ModelFileError: The network takes no masks.
    """

    def __init__(self, onnx: bytes, rates: Sequence[float], *, seed: int = 0) -> None:
        self.runtime = Runtime(onnx)
        self.rates = rates
        self.seed = seed
        if not self.masks:
            raise ModelFileError(
                "The network for intervals by dropout takes no masks.",
                "Train again with --intervals dropout.",
            )

    @cached_property
    def masks(self) -> list[tuple[float, int]]:
        """The rate and the width of each mask, in the order in which the network takes them."""
        found = []
        for name, width in zip(self.runtime.inputs[1:], self.runtime.widths, strict=True):
            if match := MASK.fullmatch(name):
                found.append((self.rates[int(match[2]) - 1], int(width)))
        return found

    def networks(self, draws: int) -> Iterator[Draw]:
        """The network with masks drawn anew, so many times; the first ones are always the same."""
        generator = np.random.default_rng(self.seed)
        for _ in range(draws):
            masks = [
                (generator.random((1, width)) >= rate).astype(np.float32) / np.float32(1.0 - rate)
                for rate, width in self.masks
            ]
            yield Draw(self.runtime, masks)

    def spread(self, windows: Floats, *ahead: Floats, draws: int = DRAWS) -> Floats:
        """The standard deviation of the forecast over the draws.

        Args:
            windows: Shape `(batch, timesteps, features)`, scaled.
            ahead: As for `Runtime`.
            draws: At least 2; so many calls of the network, each for the whole batch.

        Returns:
            Shape `(batch, horizon, targets)`, scaled.
        """
        return self.deviation(lambda network: network(windows, *ahead), draws)

    def deviation(self, forecast: Callable[[Draw], Floats], draws: int = DRAWS) -> Floats:
        """The standard deviation over the draws of any forecast; one of them is held at a time.

        Args:
            forecast: From the network of a draw to an array, the same shape for all.
            draws: At least 2.

        Source: Welford (1962), Note on a method for calculating corrected sums of squares.
        """
        mean = squares = np.zeros(())
        for number, network in enumerate(self.networks(draws), start=1):
            value = forecast(network).astype(np.float64)
            step = value - mean
            mean = mean + step / number
            squares = squares + step * (value - mean)
        deviation: Floats = np.sqrt(squares / (draws - 1))
        return deviation
