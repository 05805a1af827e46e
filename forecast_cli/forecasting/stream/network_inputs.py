"""What a network has read of one series, and its forecast from there."""

from abc import ABC, abstractmethod
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np

from ...core.forecast import Forecast
from ...core.scaling import Scaling
from ...core.windows import Floats
from ...model.bundle import Bundle
from ...model.mc_dropout import MonteCarlo
from ...model.runtime import Forecasting, roll_out
from ...model.stateful import feed_back, joined, parted, zeros
from .window import Window


class NetworkInputs(ABC):
    """The rows of a series as its network reads them.

    Args:
        bundle: The model.
        window: The rows of the series.
    """

    def __init__(self, bundle: Bundle, window: Window) -> None:
        self.bundle, self.window = bundle, window

    def push(self, row: Floats, *, fill: bool = True) -> None:
        """Read a row, shape `(features,)`, original units, as `Window.push` does."""
        self.window.push(row, fill=fill)

    @abstractmethod
    def forecast(self, ahead: Floats | None, steps: int) -> Forecast | None:
        """Forecast so many steps, scaled, one sample; None while there are too few rows.

        `ahead`, shape `(1, steps, features)`, scaled, is what is known of them.
        """

    def copy(self) -> Self:
        """Return the same apart; but for the window, what it holds is replaced, never changed."""
        other = copy(self)
        other.window = self.window.copy()
        return other

    def dump(self) -> dict[str, Any]:
        """What a restart needs, as arrays of constant shapes."""
        return self.window.dump()

    def load(self, saved: dict[str, Any]) -> None:
        """Take up what `dump` returned."""
        self.window.load(saved)


class Lookback(NetworkInputs):
    """The window of a network that reads its last rows for each forecast.

    Args:
        bundle: The model.
        window: The rows of the series.
        dropout: The network under dropout, where intervals are made of that.
    """

    def __init__(self, bundle: Bundle, window: Window, dropout: MonteCarlo | None = None) -> None:
        super().__init__(bundle, window)
        self.dropout = dropout
        network = bundle.manifest.config.network
        self.inputs = bundle.manifest.columns.inputs
        self.timesteps = bundle.manifest.timesteps
        self.short, self.first = network.takes_short, network.padding == "first"

    def forecast(self, ahead: Floats | None, steps: int) -> Forecast | None:
        """Forecast from the window."""
        rows = self.window.inputs[-self.timesteps :]
        missing = self.timesteps - len(rows)
        if missing and not (self.short and len(rows)):
            return None
        if missing:
            front = rows[:1] if self.first else np.full((1, rows.shape[1]), np.nan, rows.dtype)
            rows = np.concatenate([front.repeat(missing, axis=0), rows])
        roll: Any = partial(roll_out, windows=rows[None], ahead=ahead, inputs=self.inputs)
        made: Forecast = roll(self.bundle.network, horizon=steps)
        if (member := self.bundle.member) is not None:
            targets = self.bundle.manifest.target_places
            known, scaling = self.window.filled[:, targets], self.window.scaling.only(targets)
            made = member.join(made, member.forecast([known], scaling, steps))
        if self.dropout is None:
            return made

        def points(network: Forecasting) -> Floats:
            drawn: Floats = roll(network, horizon=min(steps, self.bundle.manifest.horizon)).point
            return drawn

        return replace(made, spread=self.dropout.deviation(points))


class StatefulRows(NetworkInputs):
    """The state of a network that reads each row once.

    Rows whose gaps may still be filled otherwise are read again with each row, from the state
    before them.
    """

    def __init__(self, bundle: Bundle, window: Window) -> None:
        super().__init__(bundle, window)
        self.settled: list[Floats] = zeros(bundle.runtime)
        self.open = 0
        self.states = self.settled
        self.made: Floats | None = None

    def begin_from(self, state: Floats | None) -> None:
        """Begin with a state, shape `(units,)`, instead of none."""
        if state is not None:
            self.settled = self.states = parted(self.bundle.runtime, state)

    def push(self, row: Floats, *, fill: bool = True) -> None:
        """Read a row."""
        super().push(row, fill=fill)
        if self.window.policy == "mask" and self.made is not None and np.isnan(row).any():
            # The network skips it.
            return
        self.open += 1
        if not fill:
            return
        rows = self.window.inputs[-self.open :]
        self.made, self.states = self.bundle.runtime.carry(rows[None], self.settled)
        later = self.window.policy == "interpolate" and bool(np.isnan(row).any())
        if not later or self.open >= self.window.timesteps:
            self.settled, self.open = self.states, 0

    def forecast(self, ahead: Floats | None, steps: int) -> Forecast | None:
        """Forecast from the state."""
        if self.made is None:
            return None
        point = feed_back(self.bundle.runtime, self.made, self.states, horizon=steps)
        return Forecast(point.astype(np.float64))

    def dump(self) -> dict[str, Any]:
        """What a restart needs."""
        shape = (1, self.bundle.runtime.horizon, len(self.bundle.manifest.targets))
        return super().dump() | {
            "settled": joined(self.settled),
            "states": joined(self.states),
            "open": np.array([self.open]),
            "made": np.full(shape, np.nan, np.float32) if self.made is None else self.made,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Take up what `dump` returned."""
        super().load(saved)
        self.settled = parted(self.bundle.runtime, saved["settled"])
        self.states = parted(self.bundle.runtime, saved["states"])
        self.open = int(saved["open"][0])
        self.made = None if np.isnan(saved["made"]).all() else saved["made"]


def make_inputs(
    bundle: Bundle, scaling: Scaling, policy: str, season: int, dropout: MonteCarlo | None
) -> Lookback | StatefulRows:
    """Return the empty inputs of a series with that scaling, season, and policy to fill gaps.

    `dropout` is the network under dropout; None where intervals need none.
    """
    window = Window(bundle.manifest.context, scaling, policy, season)
    if bundle.manifest.config.network.stateful:
        return StatefulRows(bundle, window)
    return Lookback(bundle, window, dropout)
