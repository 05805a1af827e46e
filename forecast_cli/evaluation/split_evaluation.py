"""The truth about a network: its errors beside those of the simple forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config.registries import KEPT_METRICS, NAIVE, Metric
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..forecasting.network_forecaster import NetworkForecaster
from ..model.manifest import Evaluation, IntervalScore
from .baseline_forecasts import baselines
from .metrics.interval import IntervalSums
from .metrics.point import ErrorSums
from .reports import plain
from .scoring import NETWORK, IntervalSpec, ScoreSums, score
from .verdicts import verdict
from .warnings import doubts_about


@dataclass(frozen=True)
class Scores:
    """How good forecasts were.

    Args:
        evaluation: Over all series, with a verdict.
        by_series: A row for each series that was scored, the worst first; empty where there is one.
    """

    evaluation: Evaluation
    by_series: list[dict[str, Any]]


def evaluate(network: NetworkForecaster, claims: IntervalSpec | None = None) -> Scores | None:
    """Score multi-step forecasts from every origin of the test split.

    Args:
        network: Reads actual rows up to each origin and nothing after it.
        claims: Its intervals; None for none.

    Returns:
        None where there is no test split, or a target has not one actual value in it.
    """
    dataset = network.dataset
    origins = dataset.origins("test")
    if not len(origins):
        return None
    tally = score(network, baselines(dataset, origins), origins, claims)
    if not tally.errors[NETWORK].count.any(axis=0).all():
        return None
    evaluation = _evaluation(network, tally, claims)
    return Scores(evaluation, _by_series(dataset, tally.errors, evaluation.best_baseline))


def _by_series(dataset: Dataset, sums: Mapping[str, ErrorSums], best: str) -> list[dict[str, Any]]:
    """The scores of each series, mean over targets, and the MASE of the best simple forecast."""
    if dataset.panel.count == 1:
        return []
    own, simple = (sums[name].by_series() for name in (NETWORK, best))
    tables: dict[str, Floats] = {name: _mean(own[name]) for name in KEPT_METRICS}
    tables[f"mase of {best}"] = _mean(simple["mase"])
    worst = np.argsort(-np.nan_to_num(tables["mase"], nan=-1.0), kind="stable")
    ids = dataset.panel.ids.astype(str).to_numpy(object).tolist()
    return [
        dict(zip(dataset.panel.columns.series, ids[row], strict=True))
        | {name: plain(table[row]) for name, table in tables.items()}
        for row in worst.tolist()
        if sums[NETWORK].count[row].any()
    ]


def _mean(values: Floats) -> Floats:
    """Mean over targets, leaving out what is not defined; shape `(n_series,)`."""
    known = np.isfinite(values)
    total, nothing = np.where(known, values, 0.0).sum(axis=1), np.full(len(values), np.nan)
    means: Floats = np.divide(total, known.sum(axis=1), out=nothing, where=known.any(axis=1))
    return means


def _evaluation(
    network: NetworkForecaster, tally: ScoreSums, claims: IntervalSpec | None
) -> Evaluation:
    dataset = network.dataset
    targets = dataset.panel.columns.targets
    scores = {name: sums.overall() for name, sums in tally.errors.items()}
    best, skill, measure = best_and_skill(scores, several=dataset.panel.count > 1)
    table: dict[str, dict[Metric, dict[str, float | None]]] = {
        name: {metric: by_target(targets, each[metric]) for metric in KEPT_METRICS}
        for name, each in scores.items()
    }
    return Evaluation(
        horizon=dataset.horizon,
        origins=len(tally.origins),
        series=int(tally.errors[NETWORK].count.any(axis=1).sum()),
        season_length=dataset.season_length,
        scores=table,
        best_baseline=best,
        skill=skill,
        verdict=verdict(skill, best, tally, dataset, measure=measure),
        intervals=_interval_scores(targets, tally.intervals),
        doubts=doubts_about(network, tally, claims),
    )


def best_and_skill(
    scores: Mapping[str, Mapping[str, Floats]], *, several: bool
) -> tuple[str, float | None, Metric]:
    """The best simple forecast, by how many percent the network's error is below its, and which.

    Args:
        scores: The measures of each forecaster, each of shape `(targets,)`.
        several: Whether there are several series: those of different size count alike where their
            errors are taken in their own units.
    """
    whole = all(np.isfinite(each["mase"]).all() for each in scores.values())
    measure: Metric = "mase" if several and whole else "mae"
    simple = {name: each[measure] for name, each in scores.items() if name != NETWORK}
    best = min(simple, key=lambda name: float(np.mean(_relative(simple[name], simple))))
    known = simple[best] > 0
    shares = scores[NETWORK][measure][known] / simple[best][known]
    return best, float(100.0 * (1.0 - shares.mean())) if known.any() else None, measure


def _relative(error: Floats, simple: Mapping[str, Floats]) -> Floats:
    """An error in units of the last value's, so that targets of different size count alike."""
    last = simple[NAIVE]
    return np.divide(error, last, out=np.where(error > 0, np.inf, 1.0), where=last > 0)


def _interval_scores(
    targets: tuple[str, ...], sums: IntervalSums | None
) -> tuple[IntervalScore, ...]:
    if sums is None:
        return ()
    measures = sums.overall()
    return tuple(
        IntervalScore(
            level=level,
            coverage=by_target(targets, measures["coverage"][:, place]),
            width=by_target(targets, measures["width"][:, place]),
        )
        for place, level in enumerate(sums.level)
    )


def by_target(targets: tuple[str, ...], values: Floats) -> dict[str, float | None]:
    """A measure of each target by its name, None where it is not defined."""
    return {name: plain(each) for name, each in zip(targets, values, strict=True)}
