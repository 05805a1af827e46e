"""A stateful network on its way along the rows of a series: its state lives on from row to row."""

from collections.abc import Sequence

import numpy as np

from ..core.windows import Floats, Ints
from .runtime import Float32s, Runtime


class Walk:
    """Reads rows in order, and forecasts from any of them on the way.

    Args:
        runtime: A network that takes states and gives them out.
        scaled: Shape `(n_rows, features)`, scaled, all rows of one series.
        states: What it begins with, each of shape `(1, units)`; zeros where None.
    """

    def __init__(
        self, runtime: Runtime, scaled: Floats, states: Sequence[Floats] | None = None
    ) -> None:
        self.runtime = runtime
        self.scaled = scaled
        self.states = zeros(runtime) if states is None else list(states)
        self.row = 0

    def read(self, row: int) -> Float32s | None:
        """Go on to a row; the forecast from there, None where it stands there already."""
        if row <= self.row:
            return None
        forecast, self.states = self.runtime.carry(self.scaled[None, self.row : row], self.states)
        self.row = row
        return forecast

    def forecast(self, origins: Ints, *, horizon: int) -> Float32s:
        """Forecast from each origin, the row of the first target, on all rows before it.

        Args:
            origins: Shape `(samples,)`, ascending, behind the rows that were read.
            horizon: Steps ahead, any number.

        Returns:
            Shape `(samples, horizon, targets)`, scaled.
        """
        firsts, states = [], []
        for origin in origins.tolist():
            first = self.read(origin)
            if first is None:
                raise ValueError(f"row {origin} is behind the walk, which is at {self.row}")
            firsts.append(first)
            states.append(self.states)
        ahead = [np.concatenate(parts) for parts in zip(*states, strict=True)]
        parts = [np.concatenate(firsts)]
        while sum(part.shape[1] for part in parts) < horizon:
            following, ahead = self.runtime.carry(parts[-1], ahead)
            parts.append(following)
        return np.concatenate(parts, axis=1)[:, :horizon]


def zeros(runtime: Runtime) -> list[Floats]:
    """The states of a network that has read nothing."""
    return [np.zeros((1, width), np.float32) for width in runtime.widths]


def joined(states: Sequence[Floats]) -> Floats:
    """The states of one sample as one array."""
    return np.concatenate([each[0] for each in states])


def parted(runtime: Runtime, state: Floats) -> list[Floats]:
    """The states of one sample out of one array."""
    cuts = np.cumsum(runtime.widths)[:-1]
    return [each[None] for each in np.split(state, cuts)]
