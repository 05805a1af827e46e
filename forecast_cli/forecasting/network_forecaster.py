"""The trained network at work on the rows of a dataset."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..model.mc_dropout import MonteCarlo
from ..model.runtime import Runtime, forecast_origins, quantiles_from_origins
from ..model.stateful import Walk
from .outputs import Guess


@dataclass(frozen=True)
class NetworkForecaster:
    """Forecasts from rows of a dataset, on the actual rows before each and nothing after it.

    Args:
        dataset: The rows.
        runtime: The network.
        dropout: The network under dropout, where intervals are made of that.
    """

    dataset: Dataset
    runtime: Runtime
    dropout: MonteCarlo | None = None

    def __call__(self, origins: Ints) -> Floats:
        """The forecasts in original units, shape `(samples, horizon, targets)`."""
        return self.in_units(self.scaled(origins), origins)

    def scaled(self, origins: Ints) -> Floats:
        """The forecasts from rows of the panel, scaled, shape `(samples, horizon, targets)`."""
        rows = self.dataset.padding.moved(origins)
        if self._walk is not None:
            return self._walk.forecast(rows, horizon=self.dataset.horizon).astype(np.float64)
        return self._forecast(rows, horizon=self.dataset.horizon).astype(np.float64)

    def guess(self, origins: Ints) -> Guess:
        """The forecasts and what the network says of its own doubt, scaled."""
        point, rows = self.scaled(origins), self.dataset.padding.moved(origins)
        if self.runtime.quantile_count:
            return Guess(point, quantiles=self.quantiles(origins))
        if self.dropout is not None:
            spread = self.dropout.spread_from_origins(
                self.dataset.scaled,
                rows,
                inputs=self.dataset.panel.columns.inputs,
                timesteps=self.dataset.timesteps,
                horizon=self.dataset.horizon,
            )
            return Guess(point, spread=spread)
        return Guess(point)

    def quantiles(self, origins: Ints) -> Floats:
        """Its quantiles, scaled, shape `(samples, horizon, targets, quantiles)`."""
        rows = self.dataset.padding.moved(origins)
        return self._quantiles(rows, horizon=self.dataset.horizon).astype(np.float64)

    def in_units(self, scaled: Floats, origins: Ints) -> Floats:
        """Scaled values, shape `(samples, horizon, targets)`, in original units."""
        scaling = self.dataset.scaling.only(self.dataset.targets)
        series = owner_series(self.dataset.panel.indptr, origins)
        return scaling.each(series, steps=True).inverse(scaled)

    def ends_in_units(self, ends: Floats, origins: Ints) -> Floats:
        """Scaled ends of intervals, shape `(samples, horizon, targets, levels)`, likewise."""
        levels = [self.in_units(each, origins) for each in np.moveaxis(ends, -1, 0)]
        return np.stack(levels, axis=-1)

    @cached_property
    def _walk(self) -> Walk | None:
        """A stateful network goes along the rows once, in order."""
        stateful = self.dataset.config.network.stateful
        return Walk(self.runtime, self.dataset.scaled) if stateful else None

    @cached_property
    def _forecast(self) -> partial[Floats]:
        return self._from_rows(forecast_origins)

    @cached_property
    def _quantiles(self) -> partial[Floats]:
        return self._from_rows(quantiles_from_origins)

    def _from_rows(self, function: Callable[..., Floats]) -> partial[Floats]:
        return partial(
            function,
            self.runtime,
            self.dataset.scaled,
            inputs=self.dataset.panel.columns.inputs,
            timesteps=self.dataset.timesteps,
        )
