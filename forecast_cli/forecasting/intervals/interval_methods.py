"""Prediction intervals around forecasts, in scaled units, by each method."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from ...config.registries import (
    DEFAULT_INTERVALS,
    INTERVAL_METHODS,
    IntervalEntry,
    Intervals,
)
from ...config.schema import Config
from ...core.errors import UsageError, nearest
from ...core.forecast import Forecast
from ...core.windows import Floats, Ints
from ...model.records import Calibration
from .conformal import grown, needed, radius, step_sizes

# Below this many different paths, a hundred samples are mostly repetitions.
ENOUGH_PATHS = 20


@dataclass(frozen=True)
class Bands:
    """Prediction intervals of some levels by one method.

    Args:
        calibration: The validation errors; None where the quantiles of the network are taken as
            they are.
        name: Of the method.
        level: In percent, ascending.
        trained: The levels that the network was trained to forecast, where it was.
    """

    calibration: Calibration | None
    name: Intervals
    level: tuple[float, ...]
    trained: tuple[float, ...] = ()

    @property
    def method(self) -> IntervalEntry:
        """What the method needs."""
        return INTERVAL_METHODS[self.name]

    @property
    def seen(self) -> Calibration:
        """The validation errors.

        Raises:
            ValueError: There are none.
        """
        if self.calibration is None:
            raise ValueError("there are no errors to make intervals of")
        return self.calibration

    def units_at(self, series: Ints, targets: int) -> Floats:
        """Return the unit of errors of the series of each sample.

        Args:
            series: Shape `(samples,)`.
            targets: How many columns are forecast.

        Returns:
            Shape `(samples, targets)`, scaled.
        """
        if self.calibration is None:
            return np.ones((len(series), targets))
        return self.calibration.units[series]

    def around(self, forecast: Forecast, units: Floats, recent: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper ends, scaled.

        Args:
            forecast: The forecasts, and the spread that the network gives them.
            units: Shape `(samples, targets)`: the unit of errors of the series of each.
            recent: Shape `(samples, targets)`: the size of its recent errors, 1 on average.

        Returns:
            Two arrays of shape `(samples, steps, targets, levels)`.
        """
        make_ends = FUNCTIONS[self.name]
        ends = [
            make_ends(self, place, forecast, units[:, None], recent[:, None])
            for place in range(len(self.level))
        ]
        # A wider level contains the narrower ones, and all contain the forecast.
        lower, upper = (np.stack(side, axis=-1) for side in zip(*ends, strict=True))
        point = forecast.point[..., None]
        lower = np.minimum.accumulate(np.minimum(lower, point), axis=-1)
        upper = np.maximum.accumulate(np.maximum(upper, point), axis=-1)
        return lower, upper

    @cached_property
    def radii(self) -> list[Floats]:
        """By level, how far it reaches beyond the forecast, or beyond the network's quantiles.

        Each of shape `(horizon, targets)`, in units of the series.

        Source: Romano et al. (2019), Conformalized Quantile Regression, for quantiles.
        """
        errors, points = self.seen.errors, self.seen.of_forecasts
        sizes = step_sizes(points)
        radii = []
        for place, level in enumerate(self.level):
            if self.method.by_network:
                low, high = self.pair(errors, place)
                scores = np.maximum(-low, high)
            else:
                scores = np.abs(points)
            if self.method.by_recent:
                scores = scores / self.seen.recent[:, None]
            radii.append(radius(scores, level, sizes))
        return radii

    def pair(self, values: Floats, place: int) -> tuple[Floats, Floats]:
        """Return the lower and the upper one of a level among quantiles.

        Args:
            values: Shape `(..., quantiles)`.
            place: Of the level.
        """
        # The members of an ensemble have one span for all levels.
        at = 1 if self.method.by_members else self.trained.index(self.level[place]) + 1
        middle = values.shape[-1] // 2
        return values[..., middle - at], values[..., middle + at]


# From bands, the place of a level, forecasts, and units and recent errors `(samples, 1, targets)`
# to the lower and upper ends of that level, `(samples, steps, targets)` each, scaled.
Ends = tuple[Floats, Floats]
MakeEnds = Callable[[Bands, int, Forecast, Floats, Floats], Ends]


def by_errors(bands: Bands, place: int, forecast: Forecast, units: Floats, recent: Floats) -> Ends:
    """Reach as far on both sides as the validation errors did."""
    reach = grown(bands.radii[place], forecast.point.shape[1]) * units
    reach = reach * recent if bands.method.by_recent else reach
    return forecast.point - reach, forecast.point + reach


def by_quantiles(
    bands: Bands, place: int, forecast: Forecast, units: Floats, recent: Floats
) -> Ends:
    """Take the lower and upper values of the network as they are.

    Raises:
        ValueError: The network gives none.
    """
    if forecast.quantiles is None:
        raise ValueError("the network forecasts no quantiles")
    below, above = (_beyond(each, forecast) for each in bands.pair(forecast.quantiles, place))
    return forecast.point + below, forecast.point + above


def by_corrected_quantiles(
    bands: Bands, place: int, forecast: Forecast, units: Floats, recent: Floats
) -> Ends:
    """Widen the interval between the network's lower and upper values by validation errors."""
    lower, upper = by_quantiles(bands, place, forecast, units, recent)
    wider = grown(bands.radii[place], forecast.point.shape[1]) * units
    return lower - wider, upper + wider


def by_dropout(bands: Bands, place: int, forecast: Forecast, units: Floats, recent: Floats) -> Ends:
    """Add the variance of forecasts under dropout to that of the validation errors.

    Source: Zhu and Laptev (2017), Deep and Confident Prediction for Time Series at Uber.

    Raises:
        ValueError: The network has no dropout.
    """
    if forecast.spread is None:
        raise ValueError("the network has no dropout")
    noise = np.sqrt(np.nanmean(bands.seen.of_forecasts**2, axis=0))
    factor = NormalDist().inv_cdf(0.5 + bands.level[place] / 200.0)
    steps = forecast.point.shape[1]
    spread = np.swapaxes(grown(np.swapaxes(forecast.spread, 0, 1), steps), 0, 1)
    reach: Floats = factor * np.sqrt(spread**2 + (grown(noise, steps) * units) ** 2)
    return forecast.point - reach, forecast.point + reach


# By the names of `forecast_cli.config.registries`.
FUNCTIONS: dict[Intervals, MakeEnds] = {
    "conformal": by_errors,
    "adaptive": by_errors,
    "quantile": by_quantiles,
    "cqr": by_corrected_quantiles,
    "dropout": by_dropout,
    "ensemble": by_corrected_quantiles,
}


def _beyond(quantile: Floats, forecast: Forecast) -> Floats:
    """Return how far a quantile is from the forecast, for any number of steps.

    From shape `(samples, horizon, targets)` to the shape of the forecasts.
    """
    horizon, steps = quantile.shape[1], forecast.point.shape[1]
    away = quantile[:, :steps] - forecast.point[:, :horizon]
    return np.swapaxes(grown(np.swapaxes(away, 0, 1), steps), 0, 1)


def find_method(name: str) -> IntervalEntry:
    """Return what an interval method needs.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in INTERVAL_METHODS:
        raise UsageError(f'There is no interval method "{name}".', nearest(name, INTERVAL_METHODS))
    return INTERVAL_METHODS[name]


def make_bands(
    calibration: Calibration | None,
    config: Config,
    *,
    level: tuple[float, ...] | None = None,
    method: Intervals | None = None,
) -> Bands:
    """Make intervals of the given levels and method.

    Args:
        calibration: The validation errors of the model; None where it has none.
        config: Of the model.
        level: In percent; those of the model where None.
        method: Its name; that of the model where None.

    Raises:
        UsageError: The model cannot make them.
    """
    method = method or config.intervals
    needs = find_method(method)
    level = config.level if level is None else tuple(sorted(set(level)))
    if wrong := [each for each in level if not 1 <= each < 100]:
        raise UsageError(
            f"Invalid level {wrong[0]:g}: must be a percentage from 1 to under 100.",
            "Give percentages, e.g. `level=80`.",
        )
    _require_makeable(calibration, config, method, level)
    return Bands(calibration, method, level, config.level if needs.by_quantiles else ())


def _require_makeable(
    calibration: Calibration | None, config: Config, method: Intervals, level: tuple[float, ...]
) -> None:
    """Refuse, by a UsageError, a method or levels that a model cannot make intervals of."""
    needs = INTERVAL_METHODS[method]
    if calibration is None and needs.uses_errors:
        raise UsageError(
            "The model has no validation errors to make intervals of; models of older versions "
            "have none.",
            "Train it again, with `validation` above 0.",
        )
    if needs.needs_training and method != config.intervals:
        others = [name for name, each in INTERVAL_METHODS.items() if not each.needs_training]
        raise UsageError(
            f"The model was not trained for intervals by {method}.",
            f"Train it with `intervals={method}`, or choose {' or '.join(others)}.",
        )
    unknown = [each for each in level if each not in config.level]
    if needs.by_quantiles and unknown:
        raise UsageError(
            f"The network forecasts the levels {_listed(config.level)}, not {unknown[0]:g}.",
            f"Give one of those or `intervals={DEFAULT_INTERVALS}`, or train with "
            f"`level={unknown[0]:g}`.",
        )


def few_errors(bands: Bands) -> str:
    """Return a warning where there are too few errors for a level; empty where there are enough."""
    if not bands.method.by_rank:
        return ""
    counts: Ints = np.isfinite(bands.seen.of_forecasts).any(axis=2).sum(axis=0)
    count = int(counts.max(initial=0))
    short = tuple(level for level in bands.level if count < needed(level))
    if not short:
        return ""
    return (
        f"{count} validation forecasts are too few for intervals of {_listed(short)} %: they reach "
        "as far as the largest of their errors"
    )


def few_paths(bands: Bands, *, mirrored: bool = True) -> str:
    """Return a warning where few different sample paths can be drawn; empty where many can."""
    if bands.calibration is None:
        return ""
    whole = int(np.isfinite(bands.calibration.of_forecasts).all(axis=(1, 2)).sum())
    if whole >= ENOUGH_PATHS:
        return ""
    text = f"sample paths are drawn from the errors of only {whole} validation forecasts"
    return text + ", and from their mirror images" * mirrored


def _listed(level: tuple[float, ...]) -> str:
    return ", ".join(f"{each:g}" for each in level)
