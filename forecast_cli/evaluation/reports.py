"""Scores as tables that people and programs read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..core.brief import Brief, Shown
from ..core.windows import Floats
from .metrics.interval import IntervalSums, QuantileSums
from .metrics.point import ErrorSums

Row = dict[str, Any]
NO_SUMS: Mapping[str, Any] = {}


@dataclass(frozen=True, repr=False)
class Report(Brief):
    """Scores as tables: overall a row for each measure (and target), by series and step a row each.

    Args:
        overall: `measure`, `column` where there are several targets, and a column for each
            forecaster; None where a measure is not defined.
        by_series: Of the first forecaster: what names the series, `column`, then the measures; the
            worst MASE (else MAE) first.
        by_step: Of the first forecaster: `step` from 1, `column`, then the measures.
        forecasts: How many forecasts were scored: pairs of a series and a cutoff.
        steps: How many steps ahead they are of.
        series: How many series they are of.
        season_length: Steps in the season of the scaled errors; 0 where there is none to name.
    """

    overall: list[Row]
    by_series: list[Row]
    by_step: list[Row]
    forecasts: int = 0
    steps: int = 0
    series: int = 0
    season_length: int = 0

    def _brief(self) -> Shown:
        return "", self.overall


def make_report(
    errors: Mapping[str, ErrorSums],
    targets: Sequence[str],
    ids: pd.DataFrame,
    *,
    intervals: Mapping[str, IntervalSums] = NO_SUMS,
    quantiles: Mapping[str, QuantileSums] = NO_SUMS,
    owa: str | None = None,
) -> Report:
    """Make a report of sums.

    Args:
        errors: By forecaster; the first one is what tables by series and step are of.
        targets: Their names.
        ids: A row for each series, a column for each part of its name.
        intervals: By forecaster, where it has some.
        quantiles: The same, for pinball and CRPS.
        owa: The forecaster that OWA is relative to, Naive2; None: no OWA.
    """
    first = next(iter(errors))
    against = errors.get(owa) if owa else None
    tables = {
        name: _measures("overall", each, against, intervals.get(name), quantiles.get(name))
        for name, each in errors.items()
    }
    parts = (errors[first], against, intervals.get(first), quantiles.get(first))
    by_series = _measures("by_series", *parts)
    by_step = errors[first].totals.by_step["count"]
    return Report(
        _overall(tables, targets),
        _by_series(by_series, targets, ids, errors[first].count),
        _by_step(_measures("by_step", *parts), targets, by_step),
        series=int(errors[first].count.any(axis=1).sum()),
        steps=int(by_step.any(axis=1).sum()),
    )


def _measures(
    way: Literal["overall", "by_series", "by_step"],
    errors: ErrorSums,
    against: ErrorSums | None,
    intervals: IntervalSums | None,
    quantiles: QuantileSums | None,
) -> dict[str, Floats]:
    """All measures of a forecaster in one way, each of shape `(..., targets)`."""
    take = methodcaller(way)
    measures: dict[str, Floats] = dict(take(errors))
    if against is not None:
        measures["owa"] = overall_weighted_average(measures, take(against))
    if intervals is not None:
        tables = take(intervals)
        for place, level in enumerate(intervals.level):
            measures |= {f"{name}{level:g}": each[..., place] for name, each in tables.items()}
    if quantiles is not None:
        measures |= take(quantiles)
    return measures


def overall_weighted_average(own: Mapping[str, Floats], naive2: Mapping[str, Floats]) -> Floats:
    """OWA: the mean of sMAPE and MASE, each relative to that of Naive2; below 1 is better.

    Args:
        own: `smape` and `mase`, of one shape.
        naive2: The same of Naive2.

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), The M4 Competition.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [own[name] / naive2[name] for name in ("smape", "mase")]
    mean: Floats = (shares[0] + shares[1]) / 2
    return np.where(np.isfinite(mean), mean, np.nan)


def _overall(tables: Mapping[str, Mapping[str, Floats]], targets: Sequence[str]) -> list[Row]:
    """A row for each measure and target, a column for each forecaster."""
    measures = list(dict.fromkeys(name for each in tables.values() for name in each))
    return [
        {"measure": measure}
        | _column(target, targets)
        | {
            name: plain(each[measure][place]) if measure in each else None
            for name, each in tables.items()
        }
        for place, target in enumerate(targets)
        for measure in measures
    ]


def _by_series(
    measures: Mapping[str, Floats], targets: Sequence[str], ids: pd.DataFrame, count: Floats
) -> list[Row]:
    """A row for each series and target that was scored, the worst first."""
    words = ids.astype(str).to_dict("records") if len(ids.columns) else [{}] * len(count)
    rows: list[Row] = [
        {str(part): text for part, text in words[series].items()}
        | _column(target, targets)
        | {name: plain(each[series, place]) for name, each in measures.items()}
        for series in np.flatnonzero(count.any(axis=1)).tolist()
        for place, target in enumerate(targets)
        if count[series, place]
    ]
    known = any(row["mase"] is not None for row in rows)
    worst = "mase" if known else "mae"
    return sorted(rows, key=lambda row: -np.inf if row[worst] is None else row[worst], reverse=True)


def _by_step(measures: Mapping[str, Floats], targets: Sequence[str], count: Floats) -> list[Row]:
    """A row for each step and target that was scored."""
    return [
        {"step": step + 1}
        | _column(target, targets)
        | {name: plain(each[step, place]) for name, each in measures.items()}
        for step in range(len(count))
        for place, target in enumerate(targets)
        if count[step, place]
    ]


def _column(target: str, targets: Sequence[str]) -> Row:
    return {"column": target} if len(targets) > 1 else {}


def plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def skill(loss: float, best: float) -> float | None:
    """Return how many percent a loss is below that of the best baseline; None where that is 0."""
    return 100.0 * (1.0 - loss / best) if best > 0 else None
