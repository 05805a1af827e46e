"""A trained network that forecasts from rows of a dataset."""

from dataclasses import replace
from functools import partial

import numpy as np

from ..config.model_name import name_model
from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset, History
from ..data.splits import Part
from ..model.mc_dropout import MonteCarlo
from ..model.pretrained import MOST_FORECASTS, PretrainedMember
from ..model.runtime import Forecasting, Runtime, forecast_origins
from ..model.series_networks import SeriesNetworks, network_of
from ..model.stateful import Walk


class NetworkForecaster:
    """Forecasts from rows of a dataset, from the actual rows before each and nothing after it.

    A stateful network reads the rows once and in order: from one call to the next its origins must
    ascend. Another forecaster begins again.

    Args:
        dataset: The rows.
        runtime: The network, or those of the series in their order.
        dropout: The network under dropout, where intervals are made of that.
        name: Of the model in tables; by its configuration where None.
        member: The pretrained network beside the others of an ensemble; None where it is none.
    """

    def __init__(
        self,
        dataset: Dataset,
        runtime: Forecasting | SeriesNetworks,
        dropout: MonteCarlo | None = None,
        name: str | None = None,
        member: PretrainedMember | None = None,
    ) -> None:
        self.dataset = dataset
        self.runtime = runtime
        self.dropout = dropout
        self.name = name or name_model(dataset.config).name
        self.member = member
        self.walk = None
        if dataset.config.network.stateful and isinstance(runtime, Runtime):
            self.walk = Walk(runtime, dataset.scaled)

    def __call__(self, origins: Ints) -> Floats:
        """Forecast from rows of the panel, shape `(samples,)`.

        Returns:
            Shape `(samples, horizon, targets)`, original units.
        """
        return self.in_units(self.forecast(origins).point, origins)

    def forecast(self, origins: Ints) -> Forecast:
        """Forecast from rows of the panel, shape `(samples,)`; scaled, one call for each origin.

        Quantiles come from the same call; a spread takes one more for each draw.
        """
        dataset, rows = self.dataset, self.dataset.padding.moved(origins)
        if self.walk is not None:
            point = self.walk.forecast(rows, horizon=dataset.horizon)
            return Forecast(point.astype(np.float64))
        known = dataset.panel.columns.inputs.known
        make = partial(
            forecast_origins,
            scaled=dataset.scaled,
            origins=rows,
            inputs=dataset.panel.columns.inputs,
            timesteps=dataset.timesteps,
            horizon=dataset.horizon,
            ahead=dataset.rows_from(origins, dataset.horizon) if known else None,
        )
        made = with_member(self.member, dataset, make(self.network_from(origins)), origins)
        if self.dropout is None:
            return made
        return replace(made, spread=self.dropout.deviation(lambda drawn: make(drawn).point))

    def network_from(self, origins: Ints) -> Forecasting:
        """Return what forecasts from rows of the panel, shape `(samples,)`, in their order."""
        return network_of(self.runtime, owner_series(self.dataset.panel.indptr, origins))

    def origins(self, part: Part) -> Ints:
        """Return the rows, shape `(origins,)`, to forecast a split from.

        All whose horizon lies within it; with the pretrained network, which is slow, some of each
        series, evenly.
        """
        origins = self.dataset.origins(part)
        if self.member is None or len(origins) <= MOST_FORECASTS:
            return origins
        _, first, owner, counts = np.unique(
            owner_series(self.dataset.panel.indptr, origins),
            return_index=True, return_inverse=True, return_counts=True,
        )  # fmt: skip
        kept, count = max(1, MOST_FORECASTS // len(first)), counts[owner]
        place = np.arange(len(origins)) - first[owner]
        even = place * kept // count > (place - 1) * kept // count
        chosen: Ints = origins[even | (count <= kept)]
        return chosen

    def in_units(self, scaled: Floats, origins: Ints) -> Floats:
        """Scaled values, shape `(samples, horizon, targets)`, in original units."""
        scaling = self.dataset.scaling.only(self.dataset.targets)
        series = owner_series(self.dataset.panel.indptr, origins)
        return scaling.each(series, steps=True).inverse(scaled)

    def ends_in_units(self, ends: Floats, origins: Ints) -> Floats:
        """Scaled ends of intervals, shape `(samples, horizon, targets, levels)`, converted back."""
        levels = [self.in_units(each, origins) for each in np.moveaxis(ends, -1, 0)]
        return np.stack(levels, axis=-1)


def with_member(
    member: PretrainedMember | None, history: History, made: Forecast, origins: Ints
) -> Forecast:
    """Return forecasts from origins, scaled, with the pretrained network, if it is a member."""
    if member is None:
        return made
    return member.join(made, forecast_by_member(member, history, origins, made.point.shape[1]))


def forecast_by_member(
    member: PretrainedMember, history: History, origins: Ints, steps: int
) -> Floats:
    """Forecast by the pretrained network alone, scaled, shape `(samples, steps, targets)`.

    `origins` are rows of the history, shape `(samples,)`.
    """
    places = list(history.panel.columns.target_places)
    return member.forecast_origins(
        history.filled[:, places],
        history.panel.indptr,
        origins,
        scaling=history.scaling.only(places),
        steps=steps,
    )
