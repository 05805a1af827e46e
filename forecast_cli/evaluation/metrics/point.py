"""Measures of error, added up piece by piece so that memory does not grow with the origins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ...config.registries import METRICS
from ...core.ragged import Flags
from ...core.windows import Floats, Ints
from .accumulators import Totals, blocks, ratio


@dataclass
class ErrorSums:
    """The sums of which the measures of error are means: by series, and by step of the horizon.

    Steps whose actual value is missing (NaN) do not count; a forecast that is no number makes the
    measures of its series and step NaN, so that it is never scored as if it were good.

    - MAE, RMSE and bias (forecast less actual: above 0 is too high) are in original units.
    - MAPE and WAPE are in percent; MAPE is NaN where an actual value is 0, WAPE where all are.
    - sMAPE is `200 |e| / (|y| + |f|)`, 0 to 200 as in M4, 0 where both are 0; `smape_100` is half
      of it.
    - MASE and RMSSE are in units of the in-sample error of the seasonal naive forecast, series by
      series. Over all series they are the mean of those that have one, as in M4; by step the
      mean over values of the error in the units of its series.
    - R2 is about the mean of the actual values that count: of the series, the step, or all.

    Args:
        naive: Shape `(2, n_series, targets)`: the in-sample mean absolute and mean squared error of
            the seasonal naive forecast, original units; NaN or 0 where MASE is not defined.
        horizon: Steps ahead.

    Source: Hyndman and Koehler (2006) for MASE; Makridakis et al. (2020), M4, for sMAPE and the
    mean over series; Makridakis et al. (2022), M5, for RMSSE.
    """

    naive: Floats
    horizon: int
    totals: Totals = field(init=False)
    # A value of each series and of each step, from which others are counted: R2 of values around
    # 1,000,000 that vary by 1 would else be lost in rounding.
    series_start: Floats = field(init=False)
    step_start: Floats = field(init=False)

    def __post_init__(self) -> None:
        _, series, targets = self.naive.shape
        self.totals = Totals(series, self.horizon, (targets,))
        self.series_start = np.full((series, targets), np.nan)
        self.step_start = np.full((self.horizon, targets), np.nan)
        nothing = np.empty((0, self.horizon, targets))
        self.add(nothing, nothing, np.empty(0, np.int64))

    def add(self, actual: Floats, forecast: Floats, series: Ints) -> None:
        """Add forecasts.

        Args:
            actual: Shape `(samples, horizon, targets)`, original units; NaN does not count.
            forecast: As `actual`.
            series: Shape `(samples,)`: the series of each.
        """
        for part in blocks(actual):
            self._add(actual[part], forecast[part], series[part])

    def _add(self, actual: Floats, forecast: Floats, series: Ints) -> None:
        known = np.isfinite(actual)
        self._find_starts(actual, known, series)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            self.totals.add(
                series,
                **_errors(actual, forecast, known),
                **self._scaled(actual - forecast, known, series),
                **self._levels(actual, known, series),
            )

    @property
    def count(self) -> Floats:
        """How many values counted, shape `(n_series, targets)`."""
        return self.totals.by_series["count"]

    def by_series(self) -> dict[str, Floats]:
        """Return the measures of each series, `(n_series, targets)`; NaN where not defined."""
        sums = dict(self.totals.by_series)
        with np.errstate(divide="ignore", invalid="ignore"):
            sums["mase"] = ratio(ratio(sums["absolute"], sums["count"]), self.naive[0])
            mean_squared = ratio(sums["squared"], sums["count"])
            sums["rmsse"] = np.sqrt(ratio(mean_squared, self.naive[1]))
        return _measures(sums)

    def by_step(self) -> dict[str, Floats]:
        """Return the measures of each step ahead, `(horizon, targets)`; NaN where not defined."""
        sums = dict(self.totals.by_step)
        with np.errstate(divide="ignore", invalid="ignore"):
            sums["mase"] = ratio(sums["scaled"], sums["scaled_count"])
            sums["rmsse"] = np.sqrt(ratio(sums["scaled_squared"], sums["squared_count"]))
        sums |= {"level": sums["step_level"], "level_squared": sums["step_level_squared"]}
        return _measures(sums)

    def overall(self) -> dict[str, Floats]:
        """Return the measures over all series and steps, `(targets,)`; NaN where not defined.

        All values count alike, but in MASE and RMSSE, where all series do.
        """
        sums, own = self.totals.overall, self.by_series()
        for name, scale in zip(("mase", "rmsse"), self.naive, strict=True):
            defined = (self.count > 0) & (scale > 0)
            # The mean over the series where it is defined.
            sums[name] = ratio(np.where(defined, own[name], 0.0).sum(axis=0), defined.sum(axis=0))
        sums["level"], sums["level_squared"] = self._levels_of_all()
        return _measures(sums)

    def _find_starts(self, actual: Floats, known: Flags, series: Ints) -> None:
        """Any known value of each series, and of each step, that has none yet."""
        if not len(actual):
            return
        for starts, axis in ((self.step_start, 0), (self.series_start, 1)):
            if not np.isnan(starts if axis == 0 else starts[series]).any():
                continue
            first = np.expand_dims(np.argmax(known, axis=axis), axis)
            found = np.take_along_axis(np.where(known, actual, np.nan), first, axis).squeeze(axis)
            rows = np.arange(self.horizon) if axis == 0 else series
            for target, column in enumerate(found.T):
                new = ~np.isnan(column) & np.isnan(starts[rows, target])
                # Of several samples of a series the first one stands.
                starts[rows[new][::-1], target] = column[new][::-1]

    def _scaled(self, error: Floats, known: Flags, series: Ints) -> dict[str, Floats]:
        """The errors in the units of their series, for the measures by step."""
        scale, squared = self.naive[:, series, None]
        defined, both = known & (scale > 0), known & (squared > 0)
        return {
            "scaled": np.where(defined, np.abs(error) / scale, 0.0),
            "scaled_count": defined,
            "scaled_squared": np.where(both, error**2 / squared, 0.0),
            "squared_count": both,
        }

    def _levels(self, actual: Floats, known: Flags, series: Ints) -> dict[str, Floats]:
        """How far the actual values lie from the start of their series, and of their step."""
        level = np.where(known, actual - self.series_start[series][:, None], 0.0)
        step = np.where(known, actual - self.step_start, 0.0)
        return {
            "level": level,
            "level_squared": level**2,
            "step_level": step,
            "step_level_squared": step**2,
        }

    def _levels_of_all(self) -> tuple[Floats, Floats]:
        """The sums of the levels and their squares, all from the start of one of the series."""
        sums = self.totals.by_series
        known = ~np.isnan(self.series_start)
        one = np.take_along_axis(self.series_start, np.argmax(known, axis=0)[None], axis=0)
        apart = np.where(known, self.series_start - one, 0.0)
        level = sums["level"] + apart * sums["count"]
        squared = sums["level_squared"] + apart * (sums["level"] + level)
        return level.sum(axis=0), squared.sum(axis=0)


def _errors(actual: Floats, forecast: Floats, known: Flags) -> dict[str, Floats]:
    """What each value adds to the measures of which nothing else need be known."""
    error = np.where(known, forecast - actual, 0.0)
    absolute, size = np.abs(error), np.where(known, np.abs(actual), 0.0)
    symmetric = np.divide(
        200.0 * absolute, size + np.abs(forecast), out=np.zeros_like(error), where=error != 0.0
    )
    return {
        "count": known,
        "error": error,
        "absolute": absolute,
        "squared": error**2,
        "symmetric": symmetric,
        # 0 / 0 is NaN too: where an actual value is 0 there is no percentage of it.
        "percent": np.where(known, 100.0 * absolute / np.where(size > 0, size, np.nan), 0.0),
        "size": size,
    }


def _explained(sums: Mapping[str, Floats]) -> Floats:
    """Return the share of the variance that is explained; NaN where actual values do not vary."""
    level = sums["level"]
    variance = sums["level_squared"] - level * ratio(level, sums["count"])
    return 1.0 - ratio(sums["squared"], variance)


# By the names of `forecast_cli.config.registries.METRICS`: from sums of one shape to a measure of
# that shape. The sums are those of `_errors`, `mase` and `rmsse`, and the sums of actual values
# and of their squares, less a value of their own: `level` and `level_squared`.
FUNCTIONS: dict[str, Callable[[Mapping[str, Floats]], Floats]] = {
    "mae": lambda sums: ratio(sums["absolute"], sums["count"]),
    "rmse": lambda sums: np.sqrt(ratio(sums["squared"], sums["count"])),
    "mape": lambda sums: ratio(sums["percent"], sums["count"]),
    "smape": lambda sums: ratio(sums["symmetric"], sums["count"]),
    "smape_100": lambda sums: ratio(sums["symmetric"], sums["count"]) / 2.0,
    "wape": lambda sums: 100.0 * ratio(sums["absolute"], sums["size"]),
    "mase": lambda sums: sums["mase"],
    "rmsse": lambda sums: sums["rmsse"],
    "r2": _explained,
    "bias": lambda sums: ratio(sums["error"], sums["count"]),
}


def _measures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return all measures of sums, in the order of their names."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: FUNCTIONS[name](sums) for name in METRICS}
