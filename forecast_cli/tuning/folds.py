"""What trials are scored on: forecasts behind cutoffs, all of them before the test split."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..backtesting.cutoffs import find_cutoffs
from ..backtesting.folds import Fold, forecast_by_network
from ..backtesting.plan import Plan
from ..baselines.naive import naive, seasonal_naive
from ..config.schema import Config
from ..core.errors import DataError, TrainingError, counted
from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..core.seasonal_error import seasonal_pair
from ..core.windows import Floats, Ints
from ..data.missing import fill_panel, last_known
from ..data.panel import Panel
from ..data.splits import Splits, everything, rows_needed, split_rows
from ..evaluation.metrics.point import ErrorSums
from ..model.manifest import Metric
from ..training.resolution import resolve_horizon

USUAL_WINDOWS = 3
# The part of the rows that is forecast behind each cutoff, and the part before the first one.
STRETCH, BEFORE = 0.1, 0.5
# The stretch in horizons, where there is room: one forecast behind a cutoff says little.
LONGER = 1.5
# Forecasts of a round at the most: more of them cost time, and say little more.
MOST = 2000
# Rows of its series before a forecast at the least.
LEAST = 2


@dataclass(frozen=True)
class Rounds:
    """The cutoffs at which each trial is trained, and what it forecasts behind each.

    Args:
        panel: The rows before the test split, and nothing of those behind.
        config: How the table is read, with the horizon.
        ends: Of each round, shape `(n_series,)`: the row after the last one that is known.
        origins: Of each round, shape `(samples,)`: the rows from which is forecast.
        naive: Of each round, shape `(2, n_series, targets)`: the in-sample errors of the seasonal
            naive that MASE is taken in.
        season_length: Steps in a season.
        metric: What trials are compared by.
    """

    panel: Panel
    config: Config
    ends: tuple[Ints, ...]
    origins: tuple[Ints, ...]
    naive: tuple[Floats, ...]
    season_length: int
    metric: Metric

    @property
    def count(self) -> int:
        """How many rounds there are."""
        return len(self.ends)

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return self.config.window.horizon or 1

    @property
    def forecasts(self) -> int:
        """How many forecasts a trial is scored on."""
        return sum(map(len, self.origins))

    def fold(self, number: int) -> Fold:
        """What may be known in a round, and what is to be forecast."""
        panel, origins = self.panel, self.origins[number]
        targets = panel.values[:, list(panel.columns.target_places)]
        firsts = panel.indptr[owner_series(panel.indptr, origins)]
        begins = panel.indptr[:-1]
        return Fold(panel, targets, begins, self.ends[number], origins, firsts, self.horizon)

    def error(self, number: int, forecast: Floats) -> float:
        """How far forecasts are from what came.

        Args:
            number: Of the round.
            forecast: Shape `(samples, horizon, targets)`, original units.

        Raises:
            TrainingError: A forecast is no number.
            DataError: The measure is not defined.
        """
        if not np.isfinite(forecast).all():
            raise TrainingError("A forecast is no number.")
        panel, origins = self.panel, self.origins[number]
        targets = panel.values[:, list(panel.columns.target_places)]
        naive_error, naive_squared = self.naive[number]
        sums = ErrorSums(naive_error, naive_squared, self.horizon)
        actual = targets[origins[:, None] + np.arange(self.horizon)]
        sums.add(actual, forecast, owner_series(panel.indptr, origins))
        error = float(np.mean(sums.overall()[self.metric]))
        if not np.isfinite(error):
            raise DataError(
                f"{panel.source}: {self.metric} is not defined behind cutoff {number + 1}.",
                "Pass --metric mae." if self.metric == "mase" else "",
            )
        return error

    def simple_errors(self) -> dict[str, float]:
        """The errors of forecasts without a network, mean over the rounds."""
        season = self.season_length
        errors: dict[str, list[float]] = {}
        for number, (ends, origins) in enumerate(zip(self.ends, self.origins, strict=True)):
            splits = Splits(self.panel.indptr, ends, ends)
            filled = fill_panel(self.panel, splits, season_length=season)
            places = list(self.panel.columns.target_places)
            values = last_known(filled[:, places], self.panel.indptr)
            said = {"naive": naive(values, origins, horizon=self.horizon)}
            history = origins - self.panel.indptr[owner_series(self.panel.indptr, origins)]
            if season > 1 and (history >= season).all():
                said["seasonal-naive"] = seasonal_naive(
                    values, origins, horizon=self.horizon, season_length=season
                )
            for name, forecast in said.items():
                errors.setdefault(name, []).append(self.error(number, forecast))
        return {
            name: float(np.mean(each)) for name, each in errors.items() if len(each) == self.count
        }


def make_rounds(
    panel: Panel, config: Config, *, metric: Metric, n_windows: int | None, on_event: Listener
) -> Rounds:
    """Leave the test split out, and find the cutoffs in what is left.

    Args:
        panel: The whole table.
        config: How it is read and split.
        metric: What trials are compared by.
        n_windows: How many cutoffs; None: 3, fewer where the table is short.
        on_event: Told what was chosen.

    Raises:
        DataError: So many do not fit.
    """
    resolved, season = resolve_horizon(panel, config, on_event=on_event)
    horizon = resolved.window.horizon or 1
    window = config.window.model_copy(update={"horizon": horizon})
    config = config.model_copy(update={"window": window, "data": panel.data})
    test = split_rows(panel, config.split, horizon=horizon).validation_end
    rest = rows_before(panel, test)
    least = _least(rest, config, horizon)
    count, stretch = _cut(rest, n_windows, horizon=horizon, least=least)
    plan = Plan(n_windows=count, step_size=stretch)
    cutoffs = find_cutoffs(rest, plan, horizon=stretch, least=least, on_event=on_event)
    ends = tuple(cutoffs.ends)
    origins = _origins_behind(rest, ends, horizon)
    targets = rest.values[:, list(rest.columns.target_places)]
    pairs = [seasonal_pair(targets, rest.indptr, each, season_length=season) for each in ends]
    made = Rounds(rest, config, ends, origins, tuple(pairs), season, metric)
    many = f"{count} cutoffs" if count > 1 else "1 cutoff"
    on_event(
        Note(
            f"each trial is trained at {many} in the {len(rest.values):,} rows before the test "
            f"split, and scored on {made.forecasts:,} forecasts of {horizon} steps behind them"
        )
    )
    return made


def rows_before(panel: Panel, ends: Ints) -> Panel:
    """The rows of each series before some row and nothing else; series without any are left out."""
    nothing = np.empty(0, np.int64)
    targets = panel.values[:, list(panel.columns.target_places)]
    return Fold(panel, targets, panel.indptr[:-1], ends, nothing, nothing, 1).rows_to_learn_from()


def forecast_round(
    rounds: Rounds,
    number: int,
    config: Config,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool] = bool,
) -> float:
    """Train on what is known in a round, and score what is forecast behind it.

    Args:
        rounds: All of them.
        number: Which one.
        config: With the settings that are tried.
        on_event: Told of each epoch.
        should_stop: Asked after each epoch.
    """
    training = config.training.model_copy(update={"refit": False})
    own = config.model_copy(update={"training": training, "data": rounds.panel.data})
    said = forecast_by_network(rounds.fold(number), on_event, should_stop, config=own)
    return rounds.error(number, said.point)


def _least(panel: Panel, config: Config, horizon: int) -> int:
    """Rows before the first cutoff at the least."""
    timesteps = config.window.timesteps or config.network.segment or 1
    steps = 1 if config.window.mode == "many-to-one" else horizon
    split = config.split.model_copy(update={"test": 0})
    return rows_needed(split, everything(panel), window=timesteps + steps, horizon=horizon)


def _cut(panel: Panel, n_windows: int | None, *, horizon: int, least: int) -> tuple[int, int]:
    """How many cutoffs there are, and how many steps from one to the next.

    Raises:
        DataError: So many do not fit.
    """
    steps = panel.timeline.times.nunique() if panel.timeline else int(panel.lengths.max())
    stretch = max(round(LONGER * horizon), round(STRETCH * steps))
    counts = range(USUAL_WINDOWS, 0, -1) if n_windows is None else (n_windows,)
    for before in (max(least, round(BEFORE * steps)), least):
        for count in counts:
            for each in (stretch, horizon):
                if steps - count * each >= before:
                    return count, each
    count = counts[-1]
    raise DataError(
        f"{panel.source} has {steps:,} steps before the test split; {counted(count, 'cutoff')} "
        f"with {horizon} steps behind each take {least + count * horizon:,}: {least} of them to "
        "learn from.",
        "Lower --n-windows, --horizon, --timesteps, --validation or --test.",
    )


def _origins_behind(panel: Panel, ends: tuple[Ints, ...], horizon: int) -> tuple[Ints, ...]:
    """The rows from which is forecast behind each cutoff.

    Raises:
        DataError: There is none behind one.
    """
    stops = (*ends[1:], panel.indptr[1:])
    pairs = zip(ends, stops, strict=True)
    origins = tuple(_origins(panel, begin, stop, horizon) for begin, stop in pairs)
    if not all(map(len, origins)):
        raise DataError(
            f"{panel.source}: behind a cutoff no forecast of {horizon} steps can be scored.",
            "Lower --horizon, or choose another --n-windows.",
        )
    return origins


def _origins(panel: Panel, begins: Ints, stops: Ints, horizon: int) -> Ints:
    """The rows from which is forecast, of series that have rows to learn from."""
    first = np.maximum(begins, panel.indptr[:-1] + LEAST)
    rows = np.flatnonzero(panel.between(first, stops - horizon + 1))
    rows = rows[(begins > panel.indptr[:-1])[owner_series(panel.indptr, rows)]]
    if panel.data.missing != "mask":
        # A gap that reaches up to a forecast was filled with a look at what comes behind it.
        rows = rows[~panel.missing_rows[rows - 1]]
    return rows[:: 1 + (len(rows) - 1) // MOST] if len(rows) else rows
