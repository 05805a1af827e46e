"""Forecasts of a table without a training, with a verdict from a quick rolling origin."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..baselines.naive import BaselineInput
from ..baselines.pretrained.forecaster import forecast_pretrained
from ..baselines.registry import forecast_baseline
from ..config.registries import NAIVE, PRETRAINED_PRESET, SEASONAL_NAIVE
from ..config.schema import Config
from ..core.errors import DataError, UsageError, counted
from ..core.events import Listener, Note, Stage, ignore, once
from ..core.forecast import Forecast
from ..core.ragged import reduced
from ..core.scaling import rounded
from ..core.windows import Floats, Ints
from ..data.io.tables import Readable
from ..data.last_values import note_ended, note_far_ends
from ..data.missing import fill_targets, note_filled
from ..data.panel import Panel
from ..data.reading import read_panel
from ..evaluation.reports import Row
from ..forecasting.frames import end_columns, lay_out
from ..forecasting.intervals.conformal import learn_factors, stretch
from ..training.resolution import resolve_horizon
from .cutoffs import count_steps, find_cutoffs, find_samples
from .plan import Plan
from .results import Results, gather_results, score_rows, verdict

# The most cutoffs: of one series, of one with more than `LONG` rows, of many series.
CUTOFFS, CUTOFFS_OF_LONG, CUTOFFS_OF_MANY = 10, 5, 3
LONG, MANY = 400, 4
# Rows that a cutoff has before it.
LEAST = 3
# Forecasts that are scored read rows rounded down to so many leading binary digits: those with as
# many rows are made together.
DIGITS = 4


@dataclass(frozen=True)
class ZeroShot:
    """A forecast of a table without a training.

    Args:
        frame: As `predict` returns it.
        panel: What was forecast.
        scores: A row for the forecast and for each baseline, and for each target; empty where
            there are too few rows.
        verdict: Which of them is best, by how much, and whether that is significant.
        settings: Horizon, season, levels and cutoffs.
        config: The settings, chosen ones filled in.
    """

    frame: pd.DataFrame
    panel: Panel
    scores: list[Row]
    verdict: str
    settings: dict[str, Any]
    config: Config


def forecast_now(source: Readable, config: Config, *, on_event: Listener = ignore) -> ZeroShot:
    """Forecast the next steps of a table by the pretrained network.

    Args:
        source: The table, as in `train`.
        config: How it is read, the horizon and the levels of the intervals.
        on_event: Notified of what was understood and chosen.

    Raises:
        DataError: The table cannot be read, or a series has no value.
        UsageError: The table has labels.
    """
    if config.data.label:
        raise UsageError("Labels are not forecast: `label` is a setting of another task.")
    on_event = once(on_event)
    panel = read_panel(source, config.data, on_event=on_event)
    config, season = resolve_horizon(panel, config, on_event=on_event)
    config = config.changed(data=panel.data)
    horizon = config.window.horizon or 1
    note_ended(panel, horizon, on_event)
    note_far_ends(panel, on_event)
    note_filled(panel, on_event)
    on_event(Stage("forecasting"))
    first, ends, level = panel.indptr[:-1], panel.indptr[1:], config.level
    known = fill_targets(panel, ends, season_length=season)
    _require_values(panel, known)
    given = BaselineInput(known, ends, first, horizon, season, level=level)
    made, scored = forecast_pretrained(given), _score(panel, config, season)
    if scored is not None:
        bounded = reduced(np.minimum, known, panel.indptr) >= 0
        made = stretch(made, scored.factors, bounded)
        _note_factors(scored.factors, config, on_event)
    return ZeroShot(
        _frame(panel, made, config),
        panel,
        [] if scored is None else scored.rows(panel),
        _verdict(panel, scored, horizon),
        _settings(scored, config, season),
        config,
    )


@dataclass(frozen=True)
class _Scored:
    """Forecasts of what is known, from several cutoffs."""

    results: Results
    cutoffs: int

    @cached_property
    def factors(self) -> Floats:
        """By what the half-widths of intervals are multiplied, shape `(targets, levels)`."""
        made = self.results.forecasts[PRETRAINED_PRESET]
        many = len(np.unique(self.results.series)) * self.cutoffs
        return learn_factors(made, self.results.actual, self.results.level, origins=many)

    def rows(self, panel: Panel) -> list[Row]:
        """The scores, a row for each forecaster and target."""
        nothing = dict.fromkeys(self.results.forecasts, 0.0)
        rows = score_rows(self.results, self.results.sums(), panel.columns.targets, nothing)
        return [{name: each for name, each in row.items() if name != "seconds"} for row in rows]


def _require_values(panel: Panel, known: Floats) -> None:
    """Refuse series without a value; `known` has shape `(n_rows, targets)`."""
    bad = np.argwhere(np.isnan(known))
    if len(bad):
        row, target = bad[0]
        series = panel.name(int(panel.owners[row]))
        whose = f"series {series}" if series else "the table"
        raise DataError(
            f'{panel.source}: {whose} has no value in column "{panel.columns.targets[target]}".',
            "Leave the column out, or the series.",
        )


def _score(panel: Panel, config: Config, season: int) -> _Scored | None:
    """Forecast the last rows from the ones before; None where there are too few."""
    horizon = config.window.horizon or 1
    count = _count_cutoffs(panel, horizon)
    if not count:
        return None
    plan, least = Plan(n_windows=count), {"horizon": horizon, "least": LEAST}
    cutoffs = find_cutoffs(panel, plan, **least, on_event=ignore)
    try:
        samples = find_samples(panel, cutoffs, **least, fits=np.arange(count), on_event=ignore)
    except DataError:
        return None
    known = fill_targets(panel, cutoffs.ends[0], season_length=season)
    first, level = panel.indptr[samples.series], config.level
    given = BaselineInput(known, samples.origins, first, horizon, season, level=level)
    short = replace(given, first=samples.origins - _rounded_down(given.history))
    names = [NAIVE, SEASONAL_NAIVE] if season > 1 else [NAIVE]
    forecasts = {PRETRAINED_PRESET: forecast_pretrained(short)}
    forecasts |= {name: forecast_baseline(name, given) for name in names}
    results = gather_results(panel, config, cutoffs, samples, forecasts, names, season)
    return _Scored(results, len(np.unique(samples.cutoffs)))


def _count_cutoffs(panel: Panel, horizon: int) -> int:
    """Return how many cutoffs a horizon apart have half of the steps before them, or at least one.

    0 where not even one has a few steps before it.
    """
    steps = count_steps(panel)
    most = CUTOFFS if steps <= LONG else CUTOFFS_OF_LONG
    most = CUTOFFS_OF_MANY if panel.count >= MANY else most
    room = steps - horizon
    half = (room - max(LEAST, -(-steps // 2))) // horizon + 1
    return max(min(most, half), int(room >= LEAST))


def _rounded_down(rows: Ints) -> Ints:
    """Return numbers of rows with few leading binary digits, shape `(samples,)`."""
    length = np.floor(np.log2(np.maximum(rows, 1))).astype(np.int64) + 1
    unit = 2 ** np.maximum(length - DIGITS, 0)
    return np.asarray(rows // unit * unit)


def _note_factors(factors: Floats, config: Config, on_event: Listener) -> None:
    """Note by how much intervals were stretched; `factors` has shape `(targets, levels)`."""
    means = factors.mean(axis=0)
    parts = [
        f"those of {level:g} % {abs(100 * (mean - 1)):.0f} % {'wider' if mean > 1 else 'narrower'}"
        for level, mean in zip(config.level, means, strict=True)
        if abs(mean - 1) >= 0.005
    ]
    if parts:
        text = "intervals, corrected by the errors of earlier forecasts"
        on_event(Note(f"{text}: {', '.join(parts)}"))


def _frame(panel: Panel, made: Forecast, config: Config) -> pd.DataFrame:
    """Return the forecast as a table."""
    ends = np.empty((2, *made.point.shape, 0)) if made.ends is None else made.ends
    lower, upper = ([*np.moveaxis(each, -1, 0)] for each in ends)
    tables = {"": made.point} | end_columns("", config.level, lower, upper)
    targets = panel.columns.targets
    flat = {end: rounded(each).reshape(-1, len(targets)) for end, each in tables.items()}
    return lay_out(panel, targets, flat, panel.data.layout)


def _verdict(panel: Panel, scored: _Scored | None, horizon: int) -> str:
    """Return the verdict as a sentence."""
    if scored is None:
        known = counted(count_steps(panel), "row")
        ahead = "the last one" if horizon == 1 else f"the last {horizon:,}"
        return f"No verdict: of {known}, {ahead} cannot be forecast from the others: too few."
    return verdict(scored.results, horizon=horizon, step_size=horizon)


def _settings(scored: _Scored | None, config: Config, season: int) -> dict[str, Any]:
    """Return what was forecast and scored, for the JSON document."""
    horizon = config.window.horizon
    return {
        "horizon": horizon,
        "season_length": season,
        "level": list(config.level),
        "n_windows": 0 if scored is None else scored.cutoffs,
        "step_size": horizon,
        "series": 0 if scored is None else len(np.unique(scored.results.series)),
        "forecasts": 0 if scored is None else len(scored.results.series),
    }
