"""A network for each series: one graph, and the weights of each as an input of it."""

import numpy as np

from ..core.windows import Floats, Ints
from .runtime import Float32s, Forecasting, Runtime


class SeriesNetworks:
    """The networks of several series, which differ in their weights alone.

    Args:
        runtime: The graph, whose last input are the weights.
        weights: Shape `(networks, numbers)`.
        places: Shape `(n_series,)`: the network of each series; None: in their order.
    """

    def __init__(self, runtime: Runtime, weights: Floats, places: Ints | None = None) -> None:
        self.runtime = runtime
        self.weights = weights
        self.places = np.arange(len(weights)) if places is None else places
        self.horizon, self.quantile_count = runtime.horizon, runtime.quantile_count

    def ordered(self, places: Ints) -> "SeriesNetworks":
        """Return the networks of other series, by their places here, shape `(n_series,)`."""
        return SeriesNetworks(self.runtime, self.weights, self.places[places])

    def of(self, series: Ints) -> "OfSeries":
        """Return what forecasts windows of series, shape `(batch,)`, each by its own network."""
        return OfSeries(self.runtime, self.weights, self.places[series])


class OfSeries:
    """Forecasts a batch of windows, each by the network of its series, as a `Runtime` does.

    Args:
        runtime: The graph.
        weights: Shape `(networks, numbers)`.
        places: Shape `(batch,)`: the network of each window.
    """

    def __init__(self, runtime: Runtime, weights: Floats, places: Ints) -> None:
        self.runtime = runtime
        self.weights = weights
        self.horizon, self.quantile_count = runtime.horizon, runtime.quantile_count
        # Windows of one series are forecast together.
        order = np.argsort(places, kind="stable")
        borders = np.flatnonzero(np.diff(places[order])) + 1
        parts = np.split(order, borders) if len(order) else []
        self.groups = [(int(places[each[0]]), each) for each in parts]

    def __call__(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled."""
        forecast = self.quantiles(windows, *ahead)
        return forecast[..., self.quantile_count // 2] if self.quantile_count else forecast

    def quantiles(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets, quantiles)`."""
        shape = [each or 1 for each in self.runtime.shape]
        made = np.empty((len(windows), *shape), np.float32)
        for network, rows in self.groups:
            own = [each[rows] for each in ahead]
            part, _ = self.runtime.carry(windows[rows], [*own, self.weights[network][None]])
            if part.shape[1:] != made.shape[1:]:
                made = np.empty((len(windows), *part.shape[1:]), np.float32)
            made[rows] = part
        return made

    def reaching(self, steps: int) -> "OfSeries":
        """Return the same: they are fed their forecasts."""
        return self


def network_of(network: Forecasting | SeriesNetworks, series: Ints) -> Forecasting:
    """Return what forecasts windows of series, shape `(batch,)`: the network of all, or of each."""
    return network.of(series) if isinstance(network, SeriesNetworks) else network
