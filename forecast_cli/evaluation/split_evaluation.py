"""The evaluation of a network: its errors, and those of the baselines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config.registries import KEPT_METRICS, METRICS, NAIVE, NAIVE2, Score
from ..core.ragged import known_means
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..forecasting.intervals.calibration import SplitErrors
from ..forecasting.network_forecaster import NetworkForecaster
from ..model.manifest import Evaluation, IntervalScore
from .metrics.interval import IntervalSums
from .reports import plain
from .scoring import IntervalSpec, ScoreSums, baselines, score
from .verdicts import verdict
from .warnings import find_warnings


@dataclass(frozen=True)
class Scores:
    """The scores of a network on the test split.

    Args:
        evaluation: Over all series, with a verdict.
        by_series: A row for each series that was scored, the worst first; empty where there is one.
    """

    evaluation: Evaluation
    by_series: list[dict[str, Any]]


def evaluate(
    network: NetworkForecaster,
    claims: IntervalSpec | None = None,
    validation: SplitErrors | None = None,
) -> Scores | None:
    """Score multi-step forecasts from every origin of the test split.

    Args:
        network: Reads actual rows up to each origin and nothing after it.
        claims: Its intervals; None for none.
        validation: Its errors on the validation split, with which the others are compared.

    Returns:
        None where there is no test split, or a target has not one actual value in it.
    """
    dataset = network.dataset
    origins = network.origins("test")
    if not len(origins):
        return None
    tally = score(network, baselines(dataset, origins), origins, claims)
    if not tally.errors[tally.model].count.any(axis=0).all():
        return None
    losses = None if validation is None else validation.losses
    warnings = find_warnings(dataset, tally, claims, validation=losses)
    evaluation = summarize(dataset, tally, warnings)
    return Scores(evaluation, _by_series(dataset, tally, evaluation.best_baseline))


def _by_series(dataset: Dataset, tally: ScoreSums, best: str) -> list[dict[str, Any]]:
    """The scores of each series, mean over targets, and the scaled error of the best baseline."""
    if dataset.panel.count == 1:
        return []
    sums = tally.errors
    own, simple = (sums[name].by_series() for name in (tally.model, best))
    scaled = "rmsse" if dataset.intermittent else "mase"
    # Mean over targets, shape `(n_series,)`, leaving out what is not defined.
    tables = {name: known_means(own[name], axis=1) for name in (*KEPT_METRICS, scaled)}
    tables[f"{scaled} of {best}"] = known_means(simple[scaled], axis=1)
    worst = np.argsort(-np.nan_to_num(tables[scaled], nan=-1.0), kind="stable")
    ids = dataset.panel.ids.astype(str).to_numpy(object).tolist()
    return [
        dict(zip(dataset.panel.columns.series, ids[row], strict=True))
        | {name: plain(table[row]) for name, table in tables.items()}
        for row in worst.tolist()
        if sums[tally.model].count[row].any()
    ]


def summarize(dataset: Dataset, tally: ScoreSums, warnings: tuple[str, ...]) -> Evaluation:
    """The scores over all series, with a verdict.

    Args:
        dataset: What was scored.
        tally: The errors of the network and the baselines; Naive2 among them is no baseline.
        warnings: As `find_warnings` gives them.
    """
    targets = dataset.panel.columns.targets
    scores = {name: sums.overall() for name, sums in tally.errors.items() if name != NAIVE2}
    best, skill, measure = best_and_skill(
        scores, several=dataset.panel.count > 1, intermittent=dataset.intermittent
    )
    for_zeros = [name for name, entry in METRICS.items() if entry.for_zeros]
    metrics = (*KEPT_METRICS, *for_zeros * dataset.intermittent)
    table: dict[str, dict[Score, dict[str, float | None]]] = {
        name: {metric: by_target(targets, each[metric]) for metric in metrics}
        for name, each in scores.items()
    }
    return Evaluation(
        horizon=dataset.horizon,
        origins=len(tally.origins),
        series=int(tally.errors[tally.model].count.any(axis=1).sum()),
        season_length=dataset.season_length,
        model=tally.model,
        scores=table,
        best_baseline=best,
        skill=skill,
        measure=measure,
        verdict=verdict(skill, best, tally, dataset, measure=measure),
        intervals=_interval_scores(targets, tally.intervals),
        warnings=warnings,
    )


def best_and_skill(
    scores: Mapping[str, Mapping[str, Floats]], *, several: bool, intermittent: bool = False
) -> tuple[str, float | None, Score]:
    """The best baseline, by how many percent the model's error is below its, and which error.

    Args:
        scores: The measures of each forecaster, the model first, each of shape `(targets,)`.
        several: Whether there are several series: those of different size count alike where their
            errors are taken in their own units.
        intermittent: Whether most of the values are 0: the least absolute error is then that of
            their median, a forecast of nothing, so squared errors are compared.
    """
    scaled, in_units = ("rmsse", "rmse") if intermittent else ("mase", "mae")
    whole = all(np.isfinite(each[scaled]).all() for each in scores.values())
    measure: Score = scaled if several and whole else in_units
    model, *others = scores
    simple = {name: scores[name][measure] for name in others}
    # An error counts in units of the naive forecast's.
    last = simple[NAIVE]
    relative = {
        name: np.divide(each, last, out=np.where(each > 0, np.inf, 1.0), where=last > 0)
        for name, each in simple.items()
    }
    best = min(simple, key=lambda name: float(np.mean(relative[name])))
    known = simple[best] > 0
    shares = scores[model][measure][known] / simple[best][known]
    return best, float(100.0 * (1.0 - shares.mean())) if known.any() else None, measure


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
    """A measure, shape `(targets,)`, by the name of its target; None where it is not defined."""
    return {name: plain(each) for name, each in zip(targets, values, strict=True)}
