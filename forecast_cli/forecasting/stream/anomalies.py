"""Rows that are unlike their forecasts from before, at a chosen rate of false alarms."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...core.error_scale import DECAY, Recent
from ...core.errors import UsageError
from ...core.ragged import known_means
from ...core.windows import Floats
from ...model.records import Calibration
from ..intervals.calibration import usual_errors
from ..intervals.prediction_intervals import LATEST

DEFAULT_RATE = 0.01
# Parts of the stored errors, each judged by all others.
PARTS = 10
# What a restart needs of the latest errors, beside the place in their ring.
SAVED = ("points", "actual", "errors", "there")


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
        return {name: getattr(self, name) for name in SAVED} | {"place": np.array([self.place])}

    def load(self, saved: dict[str, Any]) -> None:
        """Take up what `dump` returned."""
        self.place = int(saved["place"][0])
        for name in SAVED:
            setattr(self, name, saved[name].copy())
        self.size = self._measure()


def _shift(array: Any, newest: Any) -> None:
    """Move all but the first one place ahead, and put the newest last."""
    array[:-1] = array[1:]
    array[-1] = newest


@dataclass(frozen=True)
class AnomalyTest:
    """A test of one-step errors against those that the model made on held-out rows.

    Args:
        calibration: The validation errors of the model.
        adaptive: Whether errors are relative to the latest ones of their series.
        rate: The share of ordinary rows that may be flagged, above 0 and below 1.

    Source: Vovk et al. (2005), Algorithmic Learning in a Random World, for the p-values.
    """

    calibration: Calibration
    adaptive: bool
    rate: float

    @cached_property
    def errors(self) -> Floats:
        """The errors of the first step on held-out rows, in units of the series, `(n, targets)`."""
        first: Floats = self.calibration.of_forecasts[:, 0].astype(np.float64)
        relative: Floats = first / self.calibration.recent
        return relative if self.adaptive else first

    @cached_property
    def sizes(self) -> Floats:
        """The mean size of these errors, shape `(targets,)`, above 0."""
        return np.maximum(np.nan_to_num(known_means(np.abs(self.errors), axis=0)), 1e-12)

    @cached_property
    def scores(self) -> Floats:
        """How unusual each held-out row is, in the order of their times, shape `(n,)`."""
        scores = self.score(self.errors)
        known: Floats = scores[np.isfinite(scores)]
        return known

    @cached_property
    def ordered(self) -> Floats:
        """The same, ascending."""
        return np.sort(self.scores)

    def score(self, errors: Floats) -> Floats:
        """How unusual errors are: the largest one of the targets, in units of its usual size.

        Args:
            errors: Shape `(samples, targets)`, in units of their series; NaN where unknown.

        Returns:
            Shape `(samples,)`; NaN where none is known.
        """
        known = np.isfinite(errors)
        scores = np.where(known, np.abs(errors) / self.sizes, -1.0).max(axis=1)
        return np.where(known.any(axis=1), scores, np.nan)

    def p_value(self, score: float) -> float:
        """Return the share of ordinary rows that are at least as unusual; NaN for NaN."""
        if math.isnan(score):
            return math.nan
        as_unusual = len(self.ordered) - int(np.searchsorted(self.ordered, score, side="left"))
        return (1 + as_unusual) / (len(self.ordered) + 1)

    @cached_property
    def measured(self) -> float:
        """The share of the held-out rows that are flagged, each judged by rows of other times."""
        flagged = 0
        for part in np.array_split(np.arange(len(self.scores)), PARTS):
            others = np.sort(np.delete(self.scores, part))
            beyond = len(others) - np.searchsorted(others, self.scores[part], side="left")
            flagged += int(((1 + beyond) / (len(others) + 1) <= self.rate).sum())
        return flagged / len(self.scores)

    def describe(self) -> str:
        """Say the rate that is asked for, and the one that was measured."""
        return (
            f"anomalies: rows with a p-value of at most {self.rate:g} are flagged; of the "
            f"{len(self.scores):,} held-out rows, each judged by others, "
            f"{100 * self.measured:.2g} % were"
        )


def make_test(calibration: Calibration | None, *, adaptive: bool, rate: float) -> AnomalyTest:
    """Return the test of a model's errors at a rate of false alarms.

    Raises:
        UsageError: The rate is none, or the model has too few validation errors for it.
    """
    if not 0 < rate < 1:
        raise UsageError(
            f"Invalid `false_alarm_rate` {rate:g}: must be above 0 and below 1.",
            "Give a share of the rows, e.g. `false_alarm_rate=0.01`.",
        )
    if calibration is None:
        raise UsageError(
            "The model has no validation errors to judge rows by.",
            "Train it again, with `validation` above 0.",
        )
    test = AnomalyTest(calibration, adaptive, rate)
    count = len(test.scores)
    if (count + 1) * rate < 1 - 1e-9:
        least = math.ceil(1e4 / (count + 1)) / 1e4
        raise UsageError(
            f"A `false_alarm_rate` of {rate:g} needs at least {math.ceil(1 / rate) - 1:,} "
            f"validation errors, and the model has {count:,}.",
            f"Pass at least `false_alarm_rate={least:g}`; or train with a larger `validation`.",
        )
    return test
