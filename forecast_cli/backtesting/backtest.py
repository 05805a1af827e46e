"""Backtests: what forecasters would have said at many cutoffs, beside what came."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..config.schema import Config
from ..core.events import Listener, ignore
from ..core.forecast import Forecast
from ..core.ragged import row_numbers
from ..core.seasonal_error import seasonal_pair
from ..core.windows import Floats
from ..data.io.tables import Readable
from ..data.time.date_formats import write_dates
from ..evaluation.reports import Row
from ..forecasting.frames import end_columns
from .cutoffs import schedule
from .fold_runner import FoldWork
from .origins import Samples, find_samples
from .plan import Plan
from .results import Results, rows_by_cutoff, rows_by_step, score_rows, verdict
from .setup import Contest, enter

CUTOFF, COLUMN, ACTUAL = "cutoff", "column", "actual"
USUAL_PLAN = Plan()


@dataclass(frozen=True)
class Backtest:
    """What came of a backtest.

    Args:
        frame: What names the series, `cutoff` (the last known time, or row number), the time or
            `step`, `column` where there are several targets, `actual`, and a column for each
            contender and behind it those of its intervals, original units; sorted by series,
            cutoff and time.
        scores: A row for each contender, and for each target where there are several.
        by_cutoff: The mean absolute error of each contender at each cutoff.
        by_step: Likewise at each step ahead.
        verdict: Who wins, by how much, and whether that could be chance.
        settings: How it was done.
        style: The form in which the table writes times; None where there are none.
        time: The column of times.
    """

    frame: pd.DataFrame
    scores: list[Row]
    by_cutoff: list[Row]
    by_step: list[Row]
    verdict: str
    settings: dict[str, Any]
    style: str | None
    time: str

    @property
    def in_table_style(self) -> pd.DataFrame:
        """The frame with its times as text, in the form that the table has."""
        if self.style is None:
            return self.frame
        texts = {
            name: write_dates(pd.DatetimeIndex(self.frame[name]), self.style)
            for name in (CUTOFF, self.time)
        }
        return self.frame.assign(**texts)


def backtest(
    source: Readable,
    config: Config,
    plan: Plan = USUAL_PLAN,
    *,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Backtest:
    """Forecast from many cutoffs with several forecasters, and compare them.

    At a cutoff no row behind it is seen by anything, of any series, but for what is known ahead.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: What networks are made of, and how the table is read.
        plan: Who takes part, and the cutoffs.
        on_event: Told what was understood and how it goes.
        should_stop: Asked now and then whether to stop.

    Raises:
        UsageError: A contender is unknown, or cannot take part.
        DataError: The table does not hold what is needed.
        Interrupted: It was stopped; finished folds are kept for the next run.
    """
    contest = enter(source, config, plan, on_event)
    samples = _samples(contest, on_event)
    said, seconds = FoldWork(contest, plan, samples, on_event, should_stop).run()
    results = _results(contest, samples, said)
    sums, targets = results.sums(), contest.panel.columns.targets
    timeline = contest.panel.timeline
    return Backtest(
        frame=_frame(contest, samples, results),
        scores=score_rows(results, sums, targets, seconds),
        by_cutoff=rows_by_cutoff(results, _labels(contest)),
        by_step=rows_by_step(sums, targets),
        verdict=verdict(results, horizon=contest.horizon, step_size=contest.cutoffs.step_size),
        settings=_settings(contest, plan, samples),
        style=timeline.style if timeline else None,
        time=contest.panel.step_name,
    )


def _samples(contest: Contest, on_event: Listener) -> Samples:
    """The forecasts that all contenders can make."""
    # A model that is not brought to new series at each cutoff knows all that it needs to know.
    refits = [each.refit for each in contest.contenders if each.learns]
    fits = np.arange(contest.cutoffs.count)
    for refit in refits:
        for served in schedule(contest.cutoffs.count, refit):
            fits[served] = np.minimum(fits[served], served[0])
    return find_samples(
        contest.panel,
        contest.cutoffs,
        horizon=contest.horizon,
        least=max(each.least for each in contest.contenders),
        fits=fits,
        on_event=on_event,
    )


def _results(contest: Contest, samples: Samples, said: Mapping[str, Forecast]) -> Results:
    """The forecasts beside what came, and the in-sample errors that MASE is taken in."""
    panel, places = contest.panel, list(contest.panel.columns.target_places)
    values, ends = panel.values[:, places], contest.cutoffs.ends[0]
    season = contest.season_length
    naive_error, naive_squared = seasonal_pair(values, panel.indptr, ends, season_length=season)
    return Results(
        said=said,
        simple=[each.name for each in contest.contenders if each.is_baseline],
        actual=values[samples.origins[:, None] + np.arange(contest.horizon)],
        series=samples.series,
        cutoffs=samples.cutoffs,
        naive_error=naive_error,
        naive_squared=naive_squared,
        level=contest.config.level,
    )


def _frame(contest: Contest, samples: Samples, results: Results) -> pd.DataFrame:
    """The long table: a row for each forecast, step and target."""
    panel, cutoffs = contest.panel, contest.cutoffs
    order = np.lexsort((samples.cutoffs, samples.series))
    count, horizon, targets = results.actual.shape
    origins, series = samples.origins[order], samples.series[order]
    each = horizon * targets
    rows = np.repeat((origins[:, None] + np.arange(horizon)).ravel(), targets)
    frame = panel.ids.iloc[np.repeat(series, each)].reset_index(drop=True)
    if panel.timeline is None or cutoffs.times is None:
        frame[CUTOFF] = np.repeat(origins - panel.indptr[series], each)
        frame[panel.step_name] = row_numbers(panel.indptr)[rows] + 1
    else:
        frame[CUTOFF] = cutoffs.times[np.repeat(samples.cutoffs[order], each)]
        frame[panel.step_name] = panel.timeline.times[rows]
    if targets > 1:
        frame[COLUMN] = np.tile(panel.columns.targets, count * horizon)
    frame[ACTUAL] = results.actual[order].ravel()
    forecasts: dict[str, Floats] = {}
    for name, said in results.said.items():
        forecasts[name] = said.point[order].ravel()
        if said.ends is not None:
            lower, upper = (ends[order].reshape(-1, len(results.level)).T for ends in said.ends)
            forecasts |= end_columns(name, results.level, lower, upper)
    return frame.assign(**forecasts)


def _labels(contest: Contest) -> list[Any]:
    """What each cutoff is called: its time, or the number of the row in the longest series."""
    cutoffs, timeline = contest.cutoffs, contest.panel.timeline
    if cutoffs.times is not None and timeline is not None:
        return write_dates(cutoffs.times, timeline.style)
    known: list[int] = (cutoffs.ends - contest.panel.indptr[:-1]).max(axis=1).tolist()
    return known


def _settings(contest: Contest, plan: Plan, samples: Samples) -> dict[str, Any]:
    """How it was done, for machines."""
    return {
        "models": [each.name for each in contest.contenders],
        "networks": [each.name for each in contest.contenders if each.kind == "network"],
        "classical": [each.name for each in contest.contenders if each.is_baseline and each.costs],
        "n_windows": contest.cutoffs.count,
        "step_size": contest.cutoffs.step_size,
        "horizon": contest.horizon,
        "season_length": contest.season_length,
        "refit_every": plan.refit_every,
        "sliding": plan.sliding,
        "series": len(np.unique(samples.series)),
        "forecasts": len(samples.origins),
        "config": contest.config.model_dump(mode="json"),
    }
