"""Whether a new model is better than the one that it would replace, on rows new to both."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..core.errors import DataError, UsageError, counted
from ..core.events import ignore
from ..data.io.tables import Readable
from ..data.time.time_index import when
from ..forecasting.history import READ_AS_TRAINED, read_as_trained
from ..forecasting.saved_model_data import learned_until, refuse_labels
from ..model.bundle import Bundle
from .model_evaluation import ModelEvaluation, evaluate_model

# Errors of 0 are taken for this share of the other one.
LEAST = 1e-9


@dataclass(frozen=True)
class Replacement:
    """How the errors of a new model compare with those of an old one.

    Args:
        ratio: The geometric mean, over series and targets, of the MAE of the new model relative to
            that of the old one; below 1 the new one is better.
        forecasts: How many forecasts of each were scored.
        start: The first row that was scored, ISO 8601.
    """

    ratio: float
    forecasts: int
    start: str

    @property
    def replaces(self) -> bool:
        """Whether the new model is not worse."""
        return self.ratio <= 1.0

    def describe(self) -> str:
        """Return the comparison in words, for the end of a sentence."""
        percent = 100 * abs(self.ratio - 1)
        than = "above" if self.ratio > 1 else "below"
        begins = when(pd.Timestamp(self.start))
        return (
            f"on {counted(self.forecasts, 'forecast')} from {begins} on, its MAE is "
            f"{percent:.2g} % {than} that of the old one"
        )


def check_comparable(old: Bundle, source: Readable, horizon: int | None = None) -> None:
    """Refuse a table without rows that a model has not learned from, and another horizon.

    Another model is to be trained on it, of that horizon; None where it is left open.

    Raises:
        DataError: There are none, or no times to tell them by.
        UsageError: The model forecasts nothing, or another horizon.
    """
    if horizon not in (None, old.manifest.horizon):
        raise UsageError(
            f"The model forecasts {old.manifest.horizon} steps, and `horizon={horizon}` is not "
            "compared with that.",
            "Leave `keep_better` out to replace the model.",
        )
    refuse_labels(
        old,
        "The model maps sequences to labels, and is not compared with another one.",
        "Leave `keep_better` out.",
    )
    panel = read_as_trained(old, source, READ_AS_TRAINED, ignore)
    if panel.timeline is None or old.manifest.time is None:
        raise DataError(
            f"Without times, the rows of {panel.source} that the model has not learned from are "
            "unknown.",
            "Leave `keep_better` out, or specify `time`.",
        )
    learned = learned_until(old, panel).max()
    rest = pd.Series(panel.timeline.times >= learned).groupby(panel.owners).sum().max()
    if rest < old.manifest.horizon:
        raise DataError(
            f"{panel.source} has {rest} rows that the model has not learned from, and a forecast "
            f"has {old.manifest.horizon}: it was trained on rows before {when(learned)}.",
            "Give newer rows too, or leave `keep_better` out.",
        )


def compare_models(old: Bundle, new: Bundle, source: Readable) -> Replacement:
    """Compare two models by forecasts of the same rows, which neither has learned from.

    These are the rows of the new model's test split that the old one has not learned from. Each
    series and target counts the same, of any scale.

    Args:
        old: The model that is there.
        new: The one that may replace it, as it was scored: before it was refitted on all rows.
        source: The table with these rows and at least a window before them.

    Raises:
        DataError: There are no such rows, or the models do not forecast the same.

    Source: Davydenko and Fildes (2013), the average relative MAE.
    """
    _require_alike(old, new)
    panels = [read_as_trained(each, source, READ_AS_TRAINED, ignore) for each in (old, new)]
    starts = [learned_until(*each).max() for each in zip((old, new), panels, strict=True)]
    start = max(starts).isoformat()
    found = [evaluate_model(each, source, begin=start) for each in (old, new)]
    before, after = (each.report.forecasts for each in found)
    if before != after:
        raise DataError(
            f"The old model has {before} forecasts of the rows from {when(max(starts))} on, and "
            f"the new one {after}.",
            "Give more rows before them.",
        )
    return Replacement(_mean_ratio(*found), after, start)


def _require_alike(old: Bundle, new: Bundle) -> None:
    """Refuse models of other columns or horizons, and new ones without a test split."""
    if new.manifest.splits.test_begins is None:
        raise DataError("The new model has no test split to be compared on.", "Set `test`.")
    for what, each in (("targets", "columns"), ("horizon", "steps")):
        first, second = (getattr(bundle.manifest, what) for bundle in (old, new))
        if first != second:
            named = [", ".join(x) if isinstance(x, tuple) else f"{x}" for x in (first, second)]
            raise DataError(
                f"The old model forecasts {each} {named[0]}, the new one {named[1]}: they are "
                "not compared.",
                "Leave `keep_better` out to replace the model.",
            )


def _mean_ratio(old: ModelEvaluation, new: ModelEvaluation) -> float:
    """Return the geometric mean of the ratios of errors, each at least `LEAST`."""
    before, after = (_errors(each) for each in (old, new))
    logs = []
    for key in before.keys() & after.keys():
        least = LEAST * (before[key] + after[key])
        if least > 0:
            logs.append(math.log(max(after[key], least) / max(before[key], least)))
    return math.exp(math.fsum(logs) / len(before)) if before else 1.0


def _errors(evaluation: ModelEvaluation) -> dict[Any, float]:
    """Return the MAE of each series and target by their names."""
    rows = evaluation.report.by_series
    measures = {row["measure"] for row in evaluation.report.overall}
    return {
        tuple(text for name, text in row.items() if name not in measures): row["mae"]
        for row in rows
        if row["mae"] is not None
    }
