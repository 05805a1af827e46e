"""The results of a backtest: scores of the candidates, and the verdict in one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config.schema import Config
from ..core.diebold_mariano import Comparison
from ..core.error_scale import seasonal_pair
from ..core.errors import counted, singular
from ..core.forecast import Forecast
from ..core.ragged import known_means
from ..core.series_features import is_intermittent
from ..core.windows import Floats, Ints
from ..data.panel import Panel
from ..evaluation.metrics.interval import IntervalSums
from ..evaluation.metrics.point import ErrorSums
from ..evaluation.reports import Row, plain, skill
from ..evaluation.verdicts import (
    compare_losses,
    describe_significance,
    is_significant,
)
from .cutoffs import Cutoffs, Samples

SHOWN = ("mae", "rmse", "smape", "mase")
# The least difference in percent that is shown as a number.
LEAST_PERCENT = 0.1
# What the verdict ends with where most of the values are 0.
SQUARED = (
    "Most values are 0, so root mean squared errors are compared: the lowest mean absolute error "
    "is that of the median, 0 or nearly 0."
)


@dataclass(frozen=True)
class Results:
    """Forecasts of all candidates, and the actual values.

    Args:
        forecasts: The forecasts, by candidate.
        baselines: The candidates that need no network.
        actual: Shape `(samples, horizon, targets)`, NaN where it is missing.
        series: Shape `(samples,)`.
        cutoffs: Shape `(samples,)`: the number of the cutoff of each.
        naive: Shape `(2, n_series, targets)`: the mean absolute and mean squared error of the
            seasonal naive forecast before the first cutoff.
        level: Of the intervals, in percent.
        intermittent: Whether most of the values are 0, so that squared errors are compared.
    """

    forecasts: Mapping[str, Forecast]
    baselines: Sequence[str]
    actual: Floats
    series: Ints
    cutoffs: Ints
    naive: Floats
    level: tuple[float, ...]
    intermittent: bool = False

    @property
    def power(self) -> int:
        """The power of the errors that are compared."""
        return 2 if self.intermittent else 1

    @property
    def points(self) -> dict[str, Floats]:
        """Point forecasts by candidate, shape `(samples, horizon, targets)`, original units."""
        return {name: made.point for name, made in self.forecasts.items()}

    def intervals(self) -> dict[str, IntervalSums]:
        """Return the sums of the intervals of each candidate that has some."""
        sums = {}
        for name, made in self.forecasts.items():
            if made.ends is not None:
                _, horizon, targets = self.actual.shape
                sums[name] = IntervalSums(self.naive.shape[1], horizon, targets, self.level)
                # Forecasts without an interval do not count in its coverage.
                bounded = ~np.isnan(made.ends).any(axis=(0, -1))
                actual = np.where(bounded, self.actual, np.nan)
                sums[name].add(actual, made.ends[0], made.ends[1], self.series)
        return sums

    @property
    def alike(self) -> bool:
        """Whether all values are in the same units: one target of one series."""
        return bool(self.naive[0].size == 1)

    def sums(self) -> dict[str, ErrorSums]:
        """Return the sums of the errors of each candidate."""
        sums = {}
        for name, forecast in self.points.items():
            sums[name] = ErrorSums(self.naive, self.actual.shape[1])
            sums[name].add(self.actual, forecast, self.series)
        return sums

    def losses(self) -> dict[str, Floats]:
        """Return the mean absolute errors by candidate, shape `(cutoffs with actual values,)` each.

        Where most of the values are 0, the mean squared errors. Of several series or targets each
        is taken in units of the seasonal naive's, so that large ones do not outweigh the others;
        those for which that is not defined do not count.
        """
        usual = self.naive[self.power - 1]
        scale = np.ones_like(usual) if self.alike else usual
        units = np.where(scale > 0, scale, np.nan)[self.series][:, None]
        if np.isnan(units).all():
            units = np.ones_like(units)
        present, places = np.unique(self.cutoffs, return_inverse=True)
        known = np.isfinite(self.actual) & np.isfinite(units)
        count = np.bincount(places, weights=known.sum(axis=(1, 2)), minlength=len(present))
        losses: dict[str, Floats] = {}
        for name, forecast in self.points.items():
            error = np.where(known, np.abs(forecast - self.actual) ** self.power / units, 0.0)
            total = np.bincount(places, weights=error.sum(axis=(1, 2)), minlength=len(present))
            losses[name] = total[count > 0] / count[count > 0]
        return losses

    def ranks(self) -> dict[str, float]:
        """Return the mean error by which each candidate is ranked, if there are actual values."""
        losses = self.losses().items()
        return {name: mean_loss(each, self.power) for name, each in losses if len(each)}


def gather_results(
    panel: Panel,
    config: Config,
    cutoffs: Cutoffs,
    samples: Samples,
    forecasts: Mapping[str, Forecast],
    baselines: Sequence[str],
    season_length: int,
) -> Results:
    """Return forecasts, the actual values and the in-sample errors that scale MASE."""
    values, ends = panel.target_values, cutoffs.ends[0]
    steps = np.arange(config.window.horizon or 1)
    return Results(
        forecasts=forecasts,
        baselines=baselines,
        actual=values[samples.origins[:, None] + steps],
        series=samples.series,
        cutoffs=samples.cutoffs,
        naive=seasonal_pair(values, panel.indptr, ends, season_length=season_length),
        level=config.level,
        intermittent=is_intermittent(values, panel.indptr, ends, season_length=season_length),
    )


def mean_loss(losses: Floats, power: int) -> float:
    """Return the mean of losses, shape `(cutoffs,)`, in units of the errors."""
    mean: float = float(np.mean(losses)) ** (1.0 / power)
    return mean


def score_rows(
    results: Results,
    sums: Mapping[str, ErrorSums],
    targets: Sequence[str],
    seconds: Mapping[str, float],
) -> list[Row]:
    """Return a row for each candidate, and for each target where there are several."""
    intervals = results.intervals()
    losses = results.ranks()
    best = min((losses[name] for name in results.baselines if name in losses), default=0.0)
    rows = []
    for name, each in sums.items():
        overall = each.overall()
        for place, target in enumerate(targets):
            row: Row = {"model": name}
            if len(targets) > 1:
                row["column"] = target
            row |= {measure: plain(overall[measure][place]) for measure in SHOWN}
            row["skill"] = skill(losses[name], best) if name in losses else None
            row |= _coverage(intervals, name, place, results.level)
            rows.append(row | {"seconds": round(seconds[name], 3)})
    return rows


def _coverage(
    intervals: Mapping[str, IntervalSums], name: str, place: int, level: Sequence[float]
) -> Row:
    """Return the coverage and the mean width of each level; None where there are no intervals."""
    if not intervals:
        return {}
    measures = intervals[name].overall() if name in intervals else None
    return {
        f"{measure}{each:g}": measures and plain(measures[measure][place, at])
        for at, each in enumerate(level)
        for measure in ("coverage", "width")
    }


def verdict(results: Results, *, horizon: int, step_size: int) -> str:
    """Return the best candidate, by how much, and whether that is significant, as a sentence."""
    losses = results.losses()
    ranks = sorted(losses, key=lambda name: float(np.mean(losses[name])))
    if not ranks or not len(losses[ranks[0]]):
        return "No verdict: there are no actual values to compare with."
    count = len(losses[ranks[0]])
    over = f"over {counted(len(results.series), 'forecast')}"
    if len(results.series) > count:
        over += f" from {counted(count, 'cutoff')}"
    if len(ranks) == 1:
        return f"{ranks[0]} is the only candidate: pass others in `models` to compare it with."
    lags = -(-horizon // step_size) - 1
    power = results.power
    text = _compared(losses, ranks[0], ranks[1], over, lags=lags, power=power)
    models = [name for name in ranks if name not in results.baselines]
    baselines = [name for name in ranks if name in results.baselines]
    if models and baselines and {models[0], baselines[0]} != set(ranks[:2]):
        pair = models[0], baselines[0]
        text += " " + _compare_with_baseline(losses, *pair, lags=lags, power=power)
    return singular(f"{text} {SQUARED}" if results.intermittent else text)


def _compared(
    losses: Mapping[str, Floats], best: str, second: str, over: str, *, lags: int, power: int
) -> str:
    means = [mean_loss(losses[name], power) for name in (best, second)]
    if means[0] == means[1]:
        return f"{best} and {second} are equally good, {over}."
    below = _percent(100.0 * (1.0 - means[0] / means[1]))
    test = compare_losses(losses[best] - losses[second], lags=lags)
    place = "wins" if is_significant(test) else "comes first"
    head = f"{best} {place}: its error is {below} below that of {second}, {over}"
    return f"{head}; {_significance(test, len(losses[best]))}."


def _percent(share: float) -> str:
    """Return a difference in percent, above 0, as text that is never 0."""
    return f"{share:.1f} %" if share >= LEAST_PERCENT else f"less than {LEAST_PERCENT} %"


def _significance(test: Comparison | None, cutoffs: int) -> str:
    """Return whether a difference is significant, as a clause."""
    return describe_significance(test, f"{counted(cutoffs, 'cutoff')} are too few")


def _compare_with_baseline(
    losses: Mapping[str, Floats], model: str, baseline: str, *, lags: int, power: int
) -> str:
    """Return a sentence on the best model and baseline; losses of shape `(cutoffs,)` each."""
    own, other = (mean_loss(losses[name], power) for name in (model, baseline))
    test = compare_losses(losses[model] - losses[baseline], lags=lags)
    if other == 0:
        return f"{baseline}, the best baseline, makes no error at all."
    share = 100.0 * (own / other - 1.0)
    where = f"{_percent(abs(share))} {'above' if share > 0 else 'below'}"
    return (
        f"The best model, {model}, has an error {where} that of {baseline}, the best baseline; "
        f"{_significance(test, len(losses[model]))}."
    )


def rows_by_cutoff(results: Results, labels: Sequence[Any]) -> list[Row]:
    """Return the mean absolute error of each candidate at each cutoff, by the cutoff's label."""
    rows = []
    for number in np.unique(results.cutoffs).tolist():
        own = results.cutoffs == number
        row: Row = {"cutoff": labels[number], "forecasts": int(own.sum())}
        for name, each in results.points.items():
            errors = np.abs(each[own] - results.actual[own])
            row[name] = plain(float(known_means(errors, axis=(0, 1, 2))))
        rows.append(row)
    return rows


def rows_by_step(sums: Mapping[str, ErrorSums], targets: Sequence[str]) -> list[Row]:
    """Return the mean absolute error of each candidate at each step ahead."""
    tables = {name: each.by_step()["mae"] for name, each in sums.items()}
    horizon = len(next(iter(tables.values())))
    return [
        {"step": step + 1}
        | ({"column": target} if len(targets) > 1 else {})
        | {name: plain(table[step, place]) for name, table in tables.items()}
        for step in range(horizon)
        for place, target in enumerate(targets)
    ]
