"""The truth about a forecaster: its errors beside those of the simple forecasts."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from .core.baselines import drift, naive, seasonal_naive
from .core.metrics import ErrorSums
from .core.windows import Floats, Ints
from .data.missing import last_known
from .datasets import Dataset
from .model.manifest import METRICS, Evaluation, Metric
from .model.runtime import Runtime, chunks, forecast_origins
from .model.walk import Walk

# From origins, shape (samples,), to forecasts, shape (samples, horizon, targets), original units.
Forecaster = Callable[[Ints], Floats]
NETWORK = "network"
LAST_VALUE = "last value"
SEASONAL_NAIVE = "seasonal naive"
DRIFT = "drift"
# Below this many percent a difference is called none.
NOTABLE = 1.0
# From fewer forecasts nothing is concluded.
ENOUGH = 10
# Business days and what has no season at all: there the last value often is the best forecast.
RANDOM_WALK_SEASON = 5


def evaluate(dataset: Dataset, runtime: Runtime) -> Evaluation | None:
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
    sums = {name: ErrorSums(len(places)) for name in forecasters}
    steps = np.arange(dataset.horizon)
    width = dataset.panel.values.shape[1]
    for part in chunks(origins, timesteps=max(dataset.timesteps, dataset.horizon), features=width):
        truth = actual[part[:, None] + steps]
        for name, forecaster in forecasters.items():
            sums[name].add(truth, forecaster(part))
    if not sums[NETWORK].count.all():
        return None
    scale = dataset.naive_error
    scores = {name: each.scores(scale) for name, each in sums.items()}
    return _evaluation(dataset, len(origins), scores)


def network_forecaster(dataset: Dataset, runtime: Runtime) -> Forecaster:
    """The trained network as a forecaster."""
    scaling = dataset.scaling.only(dataset.targets)
    if dataset.config.network.stateful:
        from_rows = Walk(runtime, dataset.scaled).forecast
    else:
        from_rows = partial(forecast_origins, runtime, dataset.scaled, timesteps=dataset.timesteps)

    def forecast(origins: Ints) -> Floats:
        scaled = from_rows(origins, horizon=dataset.horizon)
        return scaling.inverse(scaled.astype(np.float64))

    return forecast


def baselines(dataset: Dataset, origins: Ints) -> dict[str, Forecaster]:
    """The simple forecasts for which there are enough rows before the first origin."""
    values = last_known(dataset.filled[:, dataset.targets], dataset.panel.indptr)
    indptr, horizon, season = dataset.panel.indptr, dataset.horizon, dataset.season_length
    shortest = int(np.min(origins - _series_start(indptr, origins)))
    simple: dict[str, Forecaster] = {LAST_VALUE: partial(naive, values, horizon=horizon)}
    if 1 < season <= shortest:
        simple[SEASONAL_NAIVE] = partial(
            seasonal_naive, values, horizon=horizon, season_length=season
        )
    if shortest > 1:
        simple[DRIFT] = lambda rows: drift(
            values, rows, _series_start(indptr, rows), horizon=horizon
        )
    return simple


def _series_start(indptr: Ints, rows: Ints) -> Ints:
    return indptr[np.searchsorted(indptr, rows, side="right") - 1]


def _evaluation(
    dataset: Dataset, origins: int, scores: Mapping[str, Mapping[str, Floats]]
) -> Evaluation:
    targets = dataset.panel.columns.targets
    simple = {name: each["mae"] for name, each in scores.items() if name != NETWORK}
    best = min(simple, key=lambda name: float(np.mean(_relative(simple[name], simple))))
    known = simple[best] > 0
    shares = scores[NETWORK]["mae"][known] / simple[best][known]
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


def verdict(skill: float | None, best: str, origins: int, dataset: Dataset) -> str:
    """One plain sentence: the network beats the simple forecasts, or it does not and what to try.

    Args:
        skill: Percent by which its MAE is lower than that of the best simple forecast; None where
            that one makes no error.
        best: The name of that forecast.
        origins: How many forecasts were scored.
        dataset: What it was trained on.
    """
    if skill is None:
        return f"The network does not beat the simple forecasts: {best} makes no error at all."
    doubt = "" if origins >= ENOUGH else f" That is from {origins} forecasts, too few to tell."
    if skill >= NOTABLE:
        return (
            f"The network beats the simple forecasts: its error is {skill:.1f} % below that of "
            f"{best}, the best of them.{doubt}"
        )
    how = (
        f"about as large as that of {best} ({-skill:+.1f} %)"
        if skill > -NOTABLE
        else f"{-skill:.1f} % above that of {best}"
    )
    return (
        f"The network does not beat the simple forecasts: its error is {how}.{doubt} "
        f"{_advice(best, dataset)}"
    )


def _advice(best: str, dataset: Dataset) -> str:
    """What to try next, after what won and what was not tried yet."""
    network, season = dataset.config.network, dataset.season_length
    positive = dataset.config.transform == "none" and np.nanmin(dataset.filled) > 0
    untried = ["--transform log"] if positive else []
    if network.head != "sequence" and not network.stateful:
        untried += ["--anchor last"] if network.anchor == "none" else []
        untried += ["--skip linear"] if network.skip == "none" else []
    if best == SEASONAL_NAIVE and dataset.timesteps < 2 * season:
        segment = network.segment or 1
        untried.append(f"--timesteps {-(-2 * season // segment) * segment}")
    if best == LAST_VALUE and dataset.season_length <= RANDOM_WALK_SEASON:
        return (
            "The last value is hard to beat where a series moves like a random walk, as prices do"
            + (f"; try {' '.join(untried)}, or use the last value." if untried else ".")
        )
    if untried:
        return f"Try {' '.join(untried)}."
    return f"Try other --units, --timesteps and --learning-rate, or use the {best}."
