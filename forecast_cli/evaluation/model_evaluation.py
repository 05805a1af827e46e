"""A saved model scored on the rows of a table, without training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..config.registries import NAIVE2, Intervals
from ..core.error_scale import Recent
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, ignore
from ..core.windows import Ints
from ..data.io.tables import Readable
from ..data.splits import parse_date
from ..data.time.time_index import when
from ..forecasting.history import READ_AS_TRAINED, Start, begin_forecasts, read_as_trained
from ..forecasting.intervals.interval_methods import Bands, make_bands
from ..forecasting.network_forecaster import NetworkForecaster
from ..forecasting.saved_model_data import (
    forecaster_for,
    judged,
    learned_until,
    places,
    restore_recent_errors,
    rows_of_training,
    units_for,
)
from ..model.bundle import Bundle
from ..model.calibration import Calibration
from .baseline_forecasts import baselines
from .reports import Report, make_report
from .scoring import GRID, NETWORK, IntervalSpec, score
from .split_evaluation import best_and_skill
from .verdicts import verdict
from .warnings import doubts_about


@dataclass(frozen=True)
class ModelEvaluation:
    """What a model is like on the rows of a table.

    Args:
        report: Its scores, beside those of the simple forecasts.
        skill: Percent by which its error is below that of the best simple forecast; None where
            that one makes none.
        verdict: The same as one sentence.
        doubts: Reasons not to rely on that, a sentence each.
    """

    report: Report
    skill: float | None
    verdict: str
    doubts: tuple[str, ...]


def judge(
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
        begin: The time of the first row that is scored, ISO 8601; None for the first one that the
            model has not learned from.
        level: Of the intervals, in percent; those of the model where None.
        intervals: How they are made; as the model was trained where None.
        owa: Whether OWA is wanted, which stands beside M4's Naive2.
        reading: How the table differs from the one that was trained on, as in `predict`.
        on_event: Told what is scored.

    Raises:
        DataError: The table holds nothing that could be scored.
        UsageError: The model cannot make such intervals, or forecasts no numbers.
    """
    if bundle.manifest.labels is not None:
        raise UsageError(
            "The model maps sequences to labels: evaluate scores forecasts.",
            "forecast train prints its scores on the test split.",
        )
    start = read_as_trained(bundle, source, reading, on_event)
    begins = _begins(bundle, start, begin, on_event)
    # Series that training has not seen are scaled by what lies before the rows that are scored.
    start = begin_forecasts(bundle, start.panel, ignore, scaled_by=begins - start.panel.indptr[:-1])
    network = forecaster_for(bundle, judged(bundle, start, begins))
    origins = network.dataset.origins("test")
    if not len(origins):
        raise _nothing(bundle, start)
    claims = None
    if (
        bundle.calibration is not None
        or not bundle.manifest.config.interval_method.uses_errors
        or level
    ):
        calibration = _calibration_for(bundle, start, begins)
        bands = make_bands(calibration, bundle.manifest.config, level=level, method=intervals)
        claims = IntervalSpec(bands, _grid(bands), _before(bundle, start, begins))
    return _judgement(network, origins, claims, owa=owa)


def _judgement(
    network: NetworkForecaster, origins: Ints, claims: IntervalSpec | None, *, owa: bool
) -> ModelEvaluation:
    dataset = network.dataset
    simple = baselines(dataset, origins)
    tally = score(network, baselines(dataset, origins, owa=owa), origins, claims)
    intervals, quantiles = tally.intervals, tally.quantiles
    report = make_report(
        tally.errors,
        dataset.panel.columns.targets,
        dataset.panel.ids,
        intervals={} if intervals is None else {NETWORK: intervals},
        quantiles={} if quantiles is None else {NETWORK: quantiles},
        owa=NAIVE2 if owa else None,
    )
    report = replace(report, forecasts=len(origins), season_length=dataset.season_length)
    scores = {name: tally.errors[name].overall() for name in (NETWORK, *simple)}
    best, skill, measure = best_and_skill(scores, several=dataset.panel.count > 1)
    said = verdict(skill, best, tally, dataset, measure=measure)
    return ModelEvaluation(report, skill, said, doubts_about(network, tally, claims, trained=False))


def _calibration_for(bundle: Bundle, start: Start, begins: Ints) -> Calibration | None:
    """The errors that intervals are made of, for the series of the table."""
    calibration = bundle.calibration
    if calibration is None:
        return None
    return replace(calibration, units=units_for(bundle, start, calibration, begins))


def _grid(bands: Bands) -> Bands:
    """The same intervals of many levels, by which the whole distribution is scored."""
    return replace(bands, level=bands.trained or GRID)


def _before(bundle: Bundle, start: Start, begins: Ints) -> Recent | None:
    """The latest errors of the training, where what is scored follows it."""
    follows = begins - start.panel.indptr[:-1] >= rows_of_training(bundle, start)
    if bundle.calibration is None or not follows.all():
        return None
    return restore_recent_errors(bundle, start, bundle.calibration)


def _begins(bundle: Bundle, start: Start, begin: str | None, on_event: Listener) -> Ints:
    """The first row of each series that is scored, shape `(n_series,)`."""
    panel, manifest = start.panel, bundle.manifest
    first, window = panel.indptr[:-1], manifest.timesteps
    behind = np.minimum(first + window, panel.indptr[1:])
    if panel.timeline is None or manifest.time is None:
        if begin is not None:
            raise UsageError(f"--start {begin} is a date, and there is no time.", "Leave it out.")
        text = "without times it cannot be told which rows the model has learned from: all of "
        on_event(Note(f"{text}{panel.source} are scored", warning=True))
        return behind
    learned = learned_until(bundle, start)
    dates = learned
    if begin is not None:
        date = parse_date("begin", begin, panel.timeline.times)
        dates = pd.DatetimeIndex([date] * panel.count)
    _say_begins(learned, dates, on_event)
    earlier = np.asarray(panel.timeline.times < dates.repeat(panel.lengths))
    begins: Ints = first + np.add.reduceat(earlier.astype(np.int64), first)
    # Before the first row there is nothing to forecast from, nor to scale a new series by.
    known = places(bundle, start) >= 0
    new = behind if begin is None else np.maximum(begins, behind)
    return np.where(known, np.maximum(begins, first + 1), new)


def _say_begins(learned: pd.DatetimeIndex, dates: pd.DatetimeIndex, on_event: Listener) -> None:
    """Say from when on is scored, and whether the model has learned from some of that."""
    if (dates < learned).any():
        text = f"the model has learned from rows before {when(learned.max())}: scores from "
        on_event(Note(f"{text}{when(dates.min())} on are better than it is", warning=True))
        return
    unlike = f" (of some series {when(dates.max())})" if dates.min() < dates.max() else ""
    on_event(Note(f"scored are forecasts of {when(dates.min())}{unlike} and later"))


def _nothing(bundle: Bundle, start: Start) -> DataError:
    panel, manifest = start.panel, bundle.manifest
    ends = f", which ends with {when(panel.timeline.times.max())}" if panel.timeline else ""
    learned = ""
    if panel.timeline is not None and manifest.time is not None:
        learned = f" It has learned from rows before {when(learned_until(bundle, start).max())}."
    return DataError(
        f"Nothing in {panel.source}{ends}, can be scored: a forecast needs {manifest.timesteps} "
        f"rows before it and {manifest.horizon} after, which the model has not learned from."
        f"{learned}",
        "Give newer rows too, or name a date with --start.",
    )
