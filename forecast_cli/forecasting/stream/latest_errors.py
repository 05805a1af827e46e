"""How large the latest errors of a series are, kept up row by row as in a prediction."""

from typing import Any

import numpy as np

from ...core.error_scale import DECAY, Recent
from ...core.windows import Floats
from ..intervals.calibration import usual_errors
from ..intervals.prediction_intervals import LATEST


class LatestErrors:
    """The errors of the latest forecasts of one series, each known once its horizon has passed.

    The sizes are those that `find_recent_errors` finds in a table with the same rows.

    Args:
        unit: Shape `(targets,)`: the mean error of the series, scaled.
        sizes: Shape `(horizon, targets)`: how large errors are at each step, in these units.
        before: What was known before the first row; its arrays have shape `(targets,)`.
        latest: How many forecasts count, beside the last one.
    """

    def __init__(self, unit: Floats, sizes: Floats, before: Recent, latest: int = LATEST) -> None:
        self.unit = unit
        self.sizes = sizes
        self.before = before
        horizon, targets = sizes.shape
        # The last forecasts, scaled, one after the other in a ring of which `place` is the oldest,
        # and the actual values, the newest last; NaN where there is none.
        self.points: Floats = np.full((horizon, horizon, targets), np.nan)
        self.place = 0
        self.actual: Floats = np.full((horizon, targets), np.nan)
        # The errors of the latest forecasts that are known, and which rows had a forecast.
        self.errors: Floats = np.full((latest + 1, targets), np.nan)
        self.there: Any = np.zeros(latest + 1, bool)
        # The weight of each: an error is as old as the first step of its forecast.
        self.powers = DECAY ** np.arange(latest + horizon - 1, horizon - 2, -1.0)[:, None]
        self.size = self._measure()

    def push(self, actual: Floats, point: Floats | None) -> None:
        """Add a row.

        Args:
            actual: Shape `(targets,)`: its values, scaled, NaN where missing.
            point: Shape `(horizon, targets)`: the forecast of it and the steps after it, made from
                the rows before it; None where there was none.
        """
        self.points[self.place] = np.nan if point is None else point
        self.place = (self.place + 1) % len(self.points)
        _shift(self.actual, actual)
        made = self.points[self.place]
        there = bool(np.isfinite(made).all())
        error = (self.actual - made) / self.unit
        _shift(self.errors, usual_errors(error[None], self.sizes)[0] if there else np.nan)
        _shift(self.there, there)
        self.size = self._measure()

    def _measure(self) -> Floats:
        """Return how large the errors are, 1 the usual ones; shape `(1, targets)`."""
        if not self.there.any():
            return Recent(self.before.total[None], self.before.weight[None]).size
        first = int(np.argmax(self.there))
        known = np.isfinite(self.errors)
        faded = DECAY * self.powers[first]
        total = (np.where(known, self.errors, 0.0) * self.powers).sum(axis=0)
        weight = (known * self.powers).sum(axis=0)
        return Recent(
            (total + faded * self.before.total)[None], (weight + faded * self.before.weight)[None]
        ).size

    def dump(self) -> dict[str, Any]:
        """What a restart needs, as arrays of constant shapes."""
        return {
            "points": self.points,
            "place": np.array([self.place]),
            "actual": self.actual,
            "errors": self.errors,
            "there": self.there,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Take up what `dump` returned."""
        self.place = int(saved["place"][0])
        self.points, self.actual, self.errors, self.there = (
            saved[name].copy() for name in ("points", "actual", "errors", "there")
        )
        self.size = self._measure()


def _shift(array: Any, newest: Any) -> None:
    """Move all but the first one place ahead, and put the newest last."""
    array[:-1] = array[1:]
    array[-1] = newest
