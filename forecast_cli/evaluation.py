"""The truth about a forecaster: its errors beside those of the simple forecasts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .core.baselines import drift, naive, seasonal_naive
from .core.metrics import ErrorSums
from .core.room import series_of
from .core.windows import Floats, Ints
from .data.missing import last_known
from .datasets import Dataset
from .model.manifest import METRICS, Evaluation, Metric
from .model.runtime import Runtime, chunks, forecast_origins
from .model.walk import Walk
from .verdicts import DRIFT, LAST_VALUE, SEASONAL_NAIVE, verdict

# From origins, shape (samples,), to forecasts, shape (samples, horizon, targets), original units.
Forecaster = Callable[[Ints], Floats]
NETWORK = "network"
# So large a share of the origins must have the history that a simple forecast needs; where one of
# several series is too short for it, the last value stands in.
MOST = 0.9


@dataclass(frozen=True)
class Scores:
    """How good forecasts were.

    Args:
        evaluation: Over all series, with a verdict.
        by_series: A row for each series that was scored, the worst first; empty where there is one.
    """

    evaluation: Evaluation
    by_series: list[dict[str, Any]]


def evaluate(dataset: Dataset, runtime: Runtime) -> Scores | None:
    """Score multi-step forecasts from every origin of the test split.

    The network reads actual rows up to each origin and nothing after it.

    Returns:
        None where there is no test split, or a target has not one actual value in it.
    """
    origins = dataset.origins("test")
    if not len(origins):
        return None
    places = dataset.targets
    actual = dataset.panel.values[:, places]
    forecasters = {NETWORK: network_forecaster(dataset, runtime)} | baselines(dataset, origins)
    panel = dataset.panel
    sums = {name: ErrorSums(panel.count, len(places)) for name in forecasters}
    steps = np.arange(dataset.horizon)
    width = dataset.panel.values.shape[1]
    for part in chunks(origins, timesteps=max(dataset.timesteps, dataset.horizon), features=width):
        truth, series = actual[part[:, None] + steps], series_of(panel.indptr, part)
        for name, forecaster in forecasters.items():
            sums[name].add(truth, forecaster(part), series)
    if not sums[NETWORK].count.any(axis=0).all():
        return None
    scale = dataset.naive_error
    evaluation = _evaluation(
        dataset,
        len(origins),
        {name: each.overall(scale) for name, each in sums.items()},
        series=int(sums[NETWORK].count.any(axis=1).sum()),
    )
    return Scores(evaluation, _by_series(dataset, sums, evaluation.best_baseline))


def _by_series(dataset: Dataset, sums: Mapping[str, ErrorSums], best: str) -> list[dict[str, Any]]:
    """The scores of each series, mean over targets, and the MASE of the best simple forecast."""
    if dataset.panel.count == 1:
        return []
    own, simple = (sums[name].scores(dataset.naive_error) for name in (NETWORK, best))
    tables: dict[str, Floats] = {name: _mean(own[name]) for name in METRICS}
    tables[f"mase of {best}"] = _mean(simple["mase"])
    worst = np.argsort(-np.nan_to_num(tables["mase"], nan=-1.0), kind="stable")
    ids = dataset.panel.ids.astype(str).to_numpy(object).tolist()
    return [
        dict(zip(dataset.panel.columns.series, ids[row], strict=True))
        | {name: _finite(float(table[row])) for name, table in tables.items()}
        for row in worst.tolist()
        if sums[NETWORK].count[row].any()
    ]


def _mean(values: Floats) -> Floats:
    """Mean over targets, leaving out what is not defined; shape `(n_series,)`."""
    known = np.isfinite(values)
    total, nothing = np.where(known, values, 0.0).sum(axis=1), np.full(len(values), np.nan)
    means: Floats = np.divide(total, known.sum(axis=1), out=nothing, where=known.any(axis=1))
    return means


def network_forecaster(dataset: Dataset, runtime: Runtime) -> Forecaster:
    """The trained network as a forecaster."""
    scaling = dataset.scaling.only(dataset.targets)
    if dataset.config.network.stateful:
        from_rows = Walk(runtime, dataset.scaled).forecast
    else:
        from_rows = partial(
            forecast_origins,
            runtime,
            dataset.scaled,
            inputs=dataset.panel.columns.inputs,
            timesteps=dataset.timesteps,
        )

    def forecast(origins: Ints) -> Floats:
        scaled = from_rows(dataset.room.moved(origins), horizon=dataset.horizon)
        series = series_of(dataset.panel.indptr, origins)
        return scaling.each(series, steps=True).inverse(scaled.astype(np.float64))

    return forecast


def baselines(dataset: Dataset, origins: Ints) -> dict[str, Forecaster]:
    """The simple forecasts for which there are enough rows before the first origin."""
    values = last_known(dataset.filled[:, dataset.targets], dataset.panel.indptr)
    indptr, horizon, season = dataset.panel.indptr, dataset.horizon, dataset.season_length
    last = partial(naive, values, horizon=horizon)

    def history(rows: Ints) -> Ints:
        return rows - indptr[series_of(indptr, rows)]

    def seasonal(rows: Ints) -> Floats:
        return seasonal_naive(values, rows, horizon=horizon, season_length=season)

    def line(rows: Ints) -> Floats:
        return drift(values, rows, rows - history(rows), horizon=horizon)

    simple: dict[str, Forecaster] = {LAST_VALUE: last}
    for name, needed, forecaster in ((SEASONAL_NAIVE, season, seasonal), (DRIFT, 2, line)):
        if needed > 1 and np.mean(history(origins) >= needed) >= MOST:
            simple[name] = partial(_or_else, forecaster, last, partial(_enough, history, needed))
    return simple


def _enough(history: Callable[[Ints], Ints], needed: int, origins: Ints) -> Any:
    return history(origins) >= needed


def _or_else(
    forecaster: Forecaster, other: Forecaster, enough: Callable[[Ints], Any], origins: Ints
) -> Floats:
    """The forecasts where there is enough history, those of the other where there is not."""
    fits = enough(origins)
    if fits.all():
        return forecaster(origins)
    forecast = other(origins)
    forecast[fits] = forecaster(origins[fits])
    return forecast


def _evaluation(
    dataset: Dataset, origins: int, scores: Mapping[str, Mapping[str, Floats]], *, series: int
) -> Evaluation:
    targets = dataset.panel.columns.targets
    # Series of different size count alike where their errors are taken in their own units.
    whole = all(np.isfinite(each["mase"]).all() for each in scores.values())
    measure = "mase" if dataset.panel.count > 1 and whole else "mae"
    simple = {name: each[measure] for name, each in scores.items() if name != NETWORK}
    best = min(simple, key=lambda name: float(np.mean(_relative(simple[name], simple))))
    known = simple[best] > 0
    shares = scores[NETWORK][measure][known] / simple[best][known]
    skill = float(100.0 * (1.0 - shares.mean())) if known.any() else None
    table: dict[str, dict[Metric, dict[str, float | None]]] = {
        name: {
            metric: {target: _finite(v) for target, v in zip(targets, each[metric], strict=True)}
            for metric in METRICS
        }
        for name, each in scores.items()
    }
    return Evaluation(
        horizon=dataset.horizon,
        origins=origins,
        series=series,
        season_length=dataset.season_length,
        scores=table,
        best_baseline=best,
        skill=skill,
        verdict=verdict(skill, best, origins, dataset),
    )


def _relative(error: Floats, simple: Mapping[str, Floats]) -> Floats:
    """An error in units of the last value's, so that targets of different size count alike."""
    last = simple[LAST_VALUE]
    return np.divide(error, last, out=np.where(error > 0, np.inf, 1.0), where=last > 0)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
