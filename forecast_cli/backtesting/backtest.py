"""Backtests: forecasts of several models from many cutoffs, compared with actual values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ..config.model_name import ENSEMBLE, MODEL, name_row
from ..config.schema import Config
from ..core.brief import Brief, Shown
from ..core.events import Listener, ignore
from ..core.forecast import Forecast
from ..core.ragged import row_numbers
from ..core.windows import Floats
from ..data.dates.date_writing import write_dates
from ..data.io.tables import Readable
from ..evaluation.reports import Row
from ..forecasting.frames import end_columns
from .cutoffs import Samples, find_samples, schedule
from .fold_cache import FoldStores, kept_folds
from .fold_runner import FoldWork
from .plan import Plan
from .results import Results, gather_results, rows_by_cutoff, rows_by_step, score_rows, verdict
from .setup import Setup, names_taken, set_up

CUTOFF, COLUMN, ACTUAL = "cutoff", "column", "actual"
DEFAULT_PLAN = Plan()
Value = TypeVar("Value")


@dataclass(frozen=True, repr=False)
class Backtest(Brief):
    """The result of a backtest.

    Args:
        frame: The keys of the series, `cutoff` (the last known time, or row number), the time or
            `step`, `column` where there are several targets, `actual`, and a column for each
            candidate, followed by those of its intervals, original units; sorted by series,
            cutoff and time.
        scores: A row for each candidate, and for each target where there are several.
        by_cutoff: The mean absolute error of each candidate at each cutoff.
        by_step: The mean absolute error of each candidate at each step ahead.
        verdict: The best candidate, by how much, and whether that is significant.
        losses: The mean error by which each candidate is ranked.
        descriptions: What the trained candidates are: name and members, by candidate.
        settings: The options of the backtest, chosen ones filled in.
        style: The date format of the table; None without times.
        time: The name of the time column.
    """

    frame: pd.DataFrame
    scores: list[Row]
    by_cutoff: list[Row]
    by_step: list[Row]
    verdict: str
    losses: dict[str, float]
    descriptions: dict[str, str]
    settings: dict[str, Any]
    style: str | None
    time: str

    def _brief(self) -> Shown:
        return self.verdict, self.scores

    @property
    def in_table_style(self) -> pd.DataFrame:
        """The frame with its times as text, in the date format of the table."""
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
    plan: Plan = DEFAULT_PLAN,
    *,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    stores: FoldStores | None = None,
) -> Backtest:
    """Forecast from many cutoffs with several candidates, and compare them.

    At a cutoff no candidate reads a later row of any series, except future covariates.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: The settings of networks and of the table.
        plan: The candidates and the cutoffs.
        on_event: Notified of what was read and of progress.
        should_stop: Called after each fold; True ends the backtest with what is finished.
        stores: Keep the finished folds until they are cleared; None: until the backtest ends.

    Raises:
        UsageError: A candidate is unknown, or cannot be compared.
        DataError: The table lacks what is needed.
        Interrupted: Ctrl-C ended it; finished folds are kept for the next run.
    """
    setup = set_up(source, config, plan, on_event)
    with kept_folds(stores) as folds:
        return run_backtest(setup, on_event, should_stop, folds)


def run_backtest(
    setup: Setup, on_event: Listener, should_stop: Callable[[], bool], stores: FoldStores
) -> Backtest:
    """Forecast with all candidates, and compare them; arguments and errors as in `backtest`."""
    work = FoldWork(setup, _samples(setup, on_event), on_event, should_stop, stores)
    samples, forecasts, seconds = work.run()
    finished = tuple(each for each in setup.candidates if each.name in forecasts)
    setup = replace(setup, candidates=finished)
    setup, forecasts, seconds = _name_model(setup, forecasts, seconds)
    baselines = [each.name for each in setup.candidates if each.is_baseline]
    given = setup.panel, setup.config, setup.cutoffs, samples, forecasts, baselines
    results = gather_results(*given, setup.season_length)
    sums, targets = results.sums(), setup.panel.columns.targets
    timeline = setup.panel.timeline
    return Backtest(
        frame=_frame(setup, samples, results),
        scores=score_rows(results, sums, targets, seconds),
        by_cutoff=rows_by_cutoff(results, _labels(setup)),
        by_step=rows_by_step(sums, targets),
        verdict=verdict(results, horizon=setup.horizon, step_size=setup.cutoffs.step_size),
        losses=results.ranks(),
        descriptions={name: _describe(made) for name, made in forecasts.items() if made.makers},
        settings=_settings(setup, samples, stopped=work.stopped),
        style=timeline.style if timeline else None,
        time=setup.panel.step_name,
    )


def _name_model(
    setup: Setup, forecasts: dict[str, Forecast], seconds: dict[str, float]
) -> tuple[Setup, dict[str, Forecast], dict[str, float]]:
    """Call the model that `train` would build what it turned out to be, as `train` calls it.

    Where trainings at several cutoffs gave it several names, it is an ensemble.
    """
    if MODEL not in forecasts:
        return setup, forecasts, seconds
    found = {name for name, _ in forecasts[MODEL].makers}
    taken = {*forecasts, *names_taken(setup.panel)}
    name = name_row(found.pop() if len(found) == 1 else ENSEMBLE, taken)
    candidates = tuple(
        replace(each, name=name) if each.name == MODEL else each for each in setup.candidates
    )

    def renamed(table: dict[str, Value]) -> dict[str, Value]:
        return {name if key == MODEL else key: value for key, value in table.items()}

    return replace(setup, candidates=candidates), renamed(forecasts), renamed(seconds)


def _describe(made: Forecast) -> str:
    """Return what a candidate is: of several trainings the first."""
    name, description = made.makers[0]
    several = f" (the first of {len(made.makers)} different trainings)"
    return f"{name}: {description}" + several * (len(made.makers) > 1)


def _samples(setup: Setup, on_event: Listener) -> Samples:
    """Return the forecasts that all candidates can make."""
    # A model that is not brought to new series at each cutoff knows all that it needs to know.
    refits = [each.refit for each in setup.candidates if each.learns]
    fits = np.arange(setup.cutoffs.count)
    for refit in refits:
        for served in schedule(setup.cutoffs.count, refit):
            fits[served] = np.minimum(fits[served], served[0])
    return find_samples(
        setup.panel,
        setup.cutoffs,
        horizon=setup.horizon,
        least=max(each.least for each in setup.candidates),
        fits=fits,
        on_event=on_event,
    )


def _frame(setup: Setup, samples: Samples, results: Results) -> pd.DataFrame:
    """Return the long table: a row for each forecast, step and target."""
    panel, cutoffs = setup.panel, setup.cutoffs
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
    for name, made in results.forecasts.items():
        forecasts[name] = made.point[order].ravel()
        if made.ends is not None:
            lower, upper = (ends[order].reshape(-1, len(results.level)).T for ends in made.ends)
            forecasts |= end_columns(name, results.level, lower, upper)
    return frame.assign(**forecasts)


def _labels(setup: Setup) -> list[Any]:
    """Return the label of each cutoff: its time, or the row number in the longest series."""
    cutoffs, timeline = setup.cutoffs, setup.panel.timeline
    if cutoffs.times is not None and timeline is not None:
        return write_dates(cutoffs.times, timeline.style)
    known: list[int] = (cutoffs.ends - setup.panel.indptr[:-1]).max(axis=1).tolist()
    return known


def _settings(setup: Setup, samples: Samples, *, stopped: bool) -> dict[str, Any]:
    """Return the options of the backtest for the JSON document."""
    return {
        "models": [each.name for each in setup.candidates],
        "trained": [each.name for each in setup.candidates if each.learns],
        "classical": [each.name for each in setup.candidates if each.is_baseline and each.costs],
        "n_windows": len(np.unique(samples.cutoffs)) if stopped else setup.cutoffs.count,
        "step_size": setup.cutoffs.step_size,
        "horizon": setup.horizon,
        "season_length": setup.season_length,
        "refit_every": setup.plan.refit_every,
        "sliding": setup.plan.sliding,
        "series": len(np.unique(samples.series)),
        "forecasts": len(samples.origins),
        "config": setup.config.model_dump(mode="json"),
    }
