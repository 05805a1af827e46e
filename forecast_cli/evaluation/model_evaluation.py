"""A saved model scored on the rows of a table, without training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..config.registries import NAIVE2, Intervals
from ..core.brief import Brief, Shown
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, ignore
from ..core.windows import Ints
from ..data.checks import note_undefined
from ..data.dataset import Dataset, History
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.splits import parse_date
from ..data.time.time_index import when
from ..forecasting.history import (
    READ_AS_TRAINED,
    make_history,
    match_series,
    read_as_trained,
)
from ..forecasting.intervals.calibration import RecentErrors, measure_errors, validation_errors
from ..forecasting.intervals.interval_methods import make_bands
from ..forecasting.level_check import check_levels
from ..forecasting.network_forecaster import NetworkForecaster
from ..forecasting.saved_model_data import (
    forecaster_for,
    learned_until,
    refuse_labels,
    restore_recent_errors,
    rows_of_training,
    scoring_dataset,
    units_for,
)
from ..model.bundle import Bundle
from ..model.manifest import Evaluation
from .reports import Report, make_report
from .scoring import GRID, IntervalSpec, ScoreSums, baselines, score, some
from .split_evaluation import summarize
from .warnings import find_warnings

LABELS = "The model maps sequences to labels: evaluate scores forecasts."


@dataclass(frozen=True, repr=False)
class ModelEvaluation(Brief):
    """The scores of a model on the rows of a table.

    Args:
        report: Its scores and those of the baselines, as tables.
        summary: The same over all series, as a training has it, with a verdict.
    """

    report: Report
    summary: Evaluation

    def _brief(self) -> Shown:
        return self.verdict, self.report.overall

    @property
    def skill(self) -> float | None:
        """Percent by which its error is below the best baseline's; None where that has none."""
        return self.summary.skill

    @property
    def verdict(self) -> str:
        """The skill in words."""
        return self.summary.verdict

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons not to rely on the scores, a sentence each."""
        return self.summary.warnings


def evaluate_model(
    bundle: Bundle,
    source: Readable,
    *,
    begin: str | None = None,
    level: tuple[float, ...] | None = None,
    intervals: Intervals | None = None,
    owa: bool = False,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> ModelEvaluation:
    """Score a model on rows that it has not learned from.

    Args:
        bundle: The model.
        source: The table: new rows with at least a window before them, or all rows.
        begin: Time of the first row that is scored, ISO 8601; None: the first not learned from.
        level: Of the intervals, in percent; those of the model where None.
        intervals: How they are made; as the model was trained where None.
        owa: Whether to add OWA, M4's measure relative to Naive2.
        reading: How the table differs from the one that was trained on, as in `predict`.
        on_event: Notified of what is scored.

    Raises:
        DataError: The table holds nothing to score.
        UsageError: The model cannot make such intervals, or forecasts no numbers.
    """
    refuse_labels(bundle, LABELS, "forecast train prints its scores on the test split.")
    panel = read_as_trained(bundle, source, reading, on_event)
    asked: Any = {"begin": begin, "level": level, "intervals": intervals, "owa": owa}
    return score_panel(bundle, panel, **asked, on_event=on_event).evaluation


@dataclass(frozen=True)
class ScoredRows:
    """The scores of a model on the rows of a table, and what they were computed from.

    Args:
        evaluation: The scores.
        dataset: The rows; those that were scored are its test split.
        sums: The errors, summed up, and some of the forecasts.
        level: Of the intervals of these, in percent, ascending; empty where there are none.
    """

    evaluation: ModelEvaluation
    dataset: Dataset
    sums: ScoreSums
    level: tuple[float, ...] = ()


def score_panel(
    bundle: Bundle,
    panel: Panel,
    *,
    begin: str | None = None,
    level: tuple[float, ...] | None = None,
    intervals: Intervals | None = None,
    owa: bool = False,
    on_event: Listener = ignore,
) -> ScoredRows:
    """Score a model on rows of a panel, as `read_as_trained` gives it; see `evaluate_model`."""
    begins = _begins(bundle, panel, begin, on_event)
    check_levels(bundle, panel, on_event, begins=begins)
    note_undefined(panel, bundle.manifest.config.transform, on_event)
    history = make_history(bundle, panel, ignore, scaled_by=begins - panel.indptr[:-1])
    network = forecaster_for(bundle, scoring_dataset(bundle, history, begins))
    origins = network.origins("test")
    if not len(origins):
        raise _nothing(bundle, panel)
    claims = _interval_spec(bundle, network, history, begins, level, intervals)
    return _evaluate(network, origins, claims, owa=owa)


def _evaluate(
    network: NetworkForecaster, origins: Ints, claims: IntervalSpec | None, *, owa: bool
) -> ScoredRows:
    """Score forecasts from origins, shape `(samples,)`, once each; first those of validation."""
    dataset = network.dataset
    if claims is not None and claims.recent is not None:
        validation = validation_errors(network)
        if validation is not None:
            claims.recent.add(validation.origins, validation.errors)
    else:
        validation = measure_errors(network, some(network.origins("validation")))
    tally = score(network, baselines(dataset, origins, owa=owa), origins, claims)
    intervals, quantiles = tally.intervals, tally.quantiles
    report = make_report(
        tally.errors,
        dataset.panel.columns.targets,
        dataset.panel.ids,
        intervals={} if intervals is None else {tally.model: intervals},
        quantiles={} if quantiles is None else {tally.model: quantiles},
        owa=NAIVE2 if owa else None,
    )
    report = replace(report, forecasts=len(origins), season_length=dataset.season_length)
    losses = None if validation is None else validation.losses
    warnings = find_warnings(dataset, tally, claims, validation=losses, trained=False)
    evaluation = ModelEvaluation(report, summarize(dataset, tally, warnings))
    return ScoredRows(evaluation, dataset, tally, claims.bands.level if claims else ())


def _interval_spec(
    bundle: Bundle,
    network: NetworkForecaster,
    history: History,
    begins: Ints,
    level: tuple[float, ...] | None,
    intervals: Intervals | None,
) -> IntervalSpec | None:
    """The intervals to score; None where the model has none and no level is requested.

    `begins` has shape `(n_series,)`: the first row of each that is scored.
    """
    calibration, recent = bundle.calibration, None
    if not calibration and bundle.manifest.config.interval_method.uses_errors and not level:
        return None
    if calibration is not None:
        units = units_for(bundle, history, calibration, begins)
        calibration = replace(calibration, units=units)
    bands = make_bands(calibration, bundle.manifest.config, level=level, method=intervals)
    if calibration is not None and bands.method.by_recent:
        # The latest errors of the training count where the scored rows follow it.
        panel = history.panel
        follows = (begins - panel.indptr[:-1] >= rows_of_training(bundle, panel)).all()
        before = restore_recent_errors(bundle, panel, calibration) if follows else None
        errors = calibration.units, calibration.of_forecasts
        recent = RecentErrors(network.dataset, *errors, before)
    return IntervalSpec(bands, replace(bands, level=bands.trained or GRID), recent)


def _begins(bundle: Bundle, panel: Panel, begin: str | None, on_event: Listener) -> Ints:
    """The first row of each series that is scored, shape `(n_series,)`."""
    manifest, first = bundle.manifest, panel.indptr[:-1]
    behind = np.minimum(first + manifest.timesteps, panel.indptr[1:])
    if panel.timeline is None or manifest.time is None:
        if begin is not None:
            raise UsageError(
                f"`start={begin}` is a date, and there is no time column.", "Omit `start`."
            )
        text = "without times the training rows cannot be identified: all rows of"
        on_event(Note(f"{text} {panel.source} are scored", warning=True))
        return behind
    learned = learned_until(bundle, panel)
    dates = learned
    if begin is not None:
        date = parse_date("start", begin, panel.timeline.times)
        dates = pd.DatetimeIndex([date] * panel.count)
    _say_begins(bundle, learned, dates, on_event)
    earlier = np.asarray(panel.timeline.times < dates.repeat(panel.lengths))
    begins: Ints = first + np.add.reduceat(earlier.astype(np.int64), first)
    # Before the first row there is nothing to forecast from, nor to scale a new series by.
    known = match_series(bundle, panel) >= 0
    new = behind if begin is None else np.maximum(begins, behind)
    return np.where(known, np.maximum(begins, first + 1), new)


def _say_begins(
    bundle: Bundle, learned: pd.DatetimeIndex, dates: pd.DatetimeIndex, on_event: Listener
) -> None:
    """Say from when on is scored, and whether the model has learned from some of that."""
    if (dates < learned).any():
        text = f"the model was trained on rows before {when(learned.max())}: scores from "
        text += f"{when(dates.min())} are in-sample and therefore optimistic"
        seen = _seen_test(bundle)
        on_event(Note(f"{text}. {seen[:-1]}" if seen else text, warning=True))
        return
    unlike = f" (for some series {when(dates.max())})" if dates.min() < dates.max() else ""
    on_event(Note(f"scored: forecasts from {when(dates.min())}{unlike} on"))


def _seen_test(bundle: Bundle) -> str:
    """What became of the test split, in a sentence; empty where the model was not refitted."""
    manifest = bundle.manifest
    if not manifest.run.refitted or manifest.evaluation is None:
        return ""
    begins = manifest.splits.test_begins
    there = f"from {when(pd.Timestamp(begins))} on " if begins else ""
    return (
        f"The rows {there}were its test split; after they were scored, the model was trained again "
        "on all rows. An inspection of the model shows their scores; to score rows again that it "
        "has not seen, train with `refit=false`."
    )


def _nothing(bundle: Bundle, panel: Panel) -> DataError:
    """The error for a table in which nothing can be scored."""
    manifest = bundle.manifest
    ends = f", which ends with {when(panel.timeline.times.max())}" if panel.timeline else ""
    learned = ""
    if panel.timeline is not None and manifest.time is not None:
        learned = f" It was trained on rows before {when(learned_until(bundle, panel).max())}."
    return DataError(
        f"Nothing in {panel.source}{ends}, can be scored: a forecast needs {manifest.timesteps} "
        f"rows before it and {manifest.horizon} after it that the model was not trained on."
        f"{learned} {_seen_test(bundle)}".rstrip(),
        "Give newer rows too, or specify a date with `start`.",
    )
