"""Intervals around forecasts, in scaled units, by each of the methods."""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from ...config.schema import BY_QUANTILES, SPANNED, Config, Intervals
from ...core.errors import UsageError
from ...core.windows import Floats, Ints
from ...model.calibration import Calibration
from ..outputs import Guess
from .conformal import grown, needed, radius, step_sizes

# Fewer error paths than this look alike in a hundred samples.
ENOUGH_PATHS = 20


@dataclass(frozen=True)
class Bands:
    """Intervals of some levels by one method.

    Args:
        calibration: The errors that were seen; None where the quantiles of the network are taken
            as they are.
        method: How intervals are made.
        level: In percent, ascending.
        trained: The levels that the network was trained to forecast, where it was.
    """

    calibration: Calibration | None
    method: Intervals
    level: tuple[float, ...]
    trained: tuple[float, ...] = ()

    @property
    def seen(self) -> Calibration:
        """The errors that were seen; quantiles alone need none."""
        if self.calibration is None:
            raise ValueError("there are no errors to make intervals of")
        return self.calibration

    def units_at(self, series: Ints, targets: int) -> Floats:
        """The usual error of the series of each sample, shape `(samples, targets)`."""
        if self.calibration is None:
            return np.ones((len(series), targets))
        return self.calibration.units[series]

    def around(self, guess: Guess, units: Floats, recent: Floats) -> tuple[Floats, Floats]:
        """The lower and upper ends, scaled.

        Args:
            guess: What the network says.
            units: Shape `(samples, targets)`: the usual error of the series of each.
            recent: Shape `(samples, targets)`: how large its recent errors are, the usual being 1.

        Returns:
            Two arrays of shape `(samples, steps, targets, levels)`.
        """
        ends = [
            self._ends(place, guess, units[:, None], recent[:, None])
            for place in range(len(self.level))
        ]
        # A wider level holds the narrower ones, and all hold the forecast.
        lower, upper = (np.stack(side, axis=-1) for side in zip(*ends, strict=True))
        point = guess.point[..., None]
        lower = np.minimum.accumulate(np.minimum(lower, point), axis=-1)
        upper = np.maximum.accumulate(np.maximum(upper, point), axis=-1)
        return lower, upper

    def _ends(
        self, place: int, guess: Guess, units: Floats, recent: Floats
    ) -> tuple[Floats, Floats]:
        """The ends of one level, each of shape `(samples, steps, targets)`."""
        point, steps = guess.point, guess.point.shape[1]
        if self.method == "dropout":
            reach = self._dropout(place, guess, units)
            return point - reach, point + reach
        if self.method not in SPANNED:
            reach = grown(self.radii[place], steps) * units
            reach = reach * recent if self.method == "adaptive" else reach
            return point - reach, point + reach
        if guess.quantiles is None:
            raise ValueError("the network forecasts no quantiles")
        low, high = self._pair(guess.quantiles, place)
        below, above = (_beyond(each, guess) for each in (low, high))
        wider = 0.0 if self.method == "quantile" else grown(self.radii[place], steps) * units
        return point + below - wider, point + above + wider

    def _dropout(self, place: int, guess: Guess, units: Floats) -> Floats:
        """What the weights and what the noise leave open, added up as variances.

        Source: Zhu and Laptev (2017), Deep and Confident Prediction for Time Series at Uber.
        """
        if guess.spread is None:
            raise ValueError("the network has no dropout")
        errors = self.seen.of_forecasts
        noise = np.sqrt(np.nanmean(errors**2, axis=0))
        factor = NormalDist().inv_cdf(0.5 + self.level[place] / 200.0)
        steps = guess.point.shape[1]
        spread = np.swapaxes(grown(np.swapaxes(guess.spread, 0, 1), steps), 0, 1)
        reach: Floats = factor * np.sqrt(spread**2 + (grown(noise, steps) * units) ** 2)
        return reach

    @cached_property
    def radii(self) -> list[Floats]:
        """How far each level reaches beyond the forecast, or beyond its quantiles, per step.

        Source: Romano et al. (2019), Conformalized Quantile Regression, for quantiles.
        """
        errors = self.seen.errors
        points = self.seen.of_forecasts
        sizes = step_sizes(points)
        radii = []
        for place, level in enumerate(self.level):
            if self.method in ("cqr", "ensemble"):
                low, high = self._pair(errors, place)
                scores = np.maximum(-low, high)
            else:
                scores = np.abs(points)
            if self.method == "adaptive":
                scores = scores / self.seen.recent[:, None]
            radii.append(radius(scores, level, sizes))
        return radii

    def _pair(self, values: Floats, place: int) -> tuple[Floats, Floats]:
        """The lower and the upper one of a level among quantiles, the last axis."""
        # The members of an ensemble say one span for all levels.
        at = 1 if self.method == "ensemble" else self.trained.index(self.level[place]) + 1
        middle = values.shape[-1] // 2
        return values[..., middle - at], values[..., middle + at]


def _beyond(quantile: Floats, guess: Guess) -> Floats:
    """How far a quantile is from the forecast, for any number of steps."""
    horizon, steps = quantile.shape[1], guess.point.shape[1]
    away = quantile[:, :steps] - guess.point[:, :horizon]
    return np.swapaxes(grown(np.swapaxes(away, 0, 1), steps), 0, 1)


def make_bands(
    calibration: Calibration | None,
    config: Config,
    *,
    level: tuple[float, ...] | None = None,
    method: Intervals | None = None,
) -> Bands:
    """The intervals that are asked for.

    Args:
        calibration: What the model has; None for nothing.
        config: Of the model.
        level: In percent; those of the model where None.
        method: How; that of the model where None.

    Raises:
        UsageError: The model cannot make them.
    """
    method = method or config.intervals
    level = config.level if level is None else tuple(sorted(set(level)))
    if wrong := [each for each in level if not 1 <= each < 100]:
        raise UsageError(
            f"A level of {wrong[0]:g} cannot be.", "Levels are percents from 1 to below 100: 80."
        )
    if calibration is None and method != "quantile":
        raise UsageError(
            "The model has no errors of a validation split to make intervals of; models of older "
            "versions have none.",
            "Train it again, with --validation above 0.",
        )
    if method not in ("conformal", "adaptive", config.intervals):
        raise UsageError(
            f"The model was not trained for intervals by {method}.",
            f"Train it with --intervals {method}, or ask for conformal or adaptive.",
        )
    unknown = [each for each in level if each not in config.level]
    if method in BY_QUANTILES and unknown:
        raise UsageError(
            f"The network forecasts the levels {_said(config.level)}, not {unknown[0]:g}.",
            f"Ask for one of those or for --intervals conformal, or train with "
            f"--level {unknown[0]:g}.",
        )
    return Bands(calibration, method, level, config.level if method in BY_QUANTILES else ())


def few_errors(bands: Bands) -> str:
    """What to say where there are too few errors for a level; empty where there are enough."""
    if bands.method in ("quantile", "dropout"):
        return ""
    counts: Ints = np.isfinite(bands.seen.of_forecasts).any(axis=2).sum(axis=0)
    count = int(counts.max(initial=0))
    short = tuple(level for level in bands.level if count < needed(level))
    if not short:
        return ""
    return (
        f"{count} forecasts of the validation split are too few for intervals of {_said(short)} %: "
        "they end at the largest error among them"
    )


def few_paths(bands: Bands) -> str:
    """What to say where there are few different sample paths; empty where there are enough."""
    if bands.calibration is None:
        return ""
    whole = int(np.isfinite(bands.calibration.of_forecasts).all(axis=(1, 2)).sum())
    if whole >= ENOUGH_PATHS:
        return ""
    return (
        f"{whole} forecasts of the validation split and their mirror images are all the errors "
        "that paths can have"
    )


def _said(level: tuple[float, ...]) -> str:
    return ", ".join(f"{each:g}" for each in level)
