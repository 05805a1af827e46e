"""Who takes part in a backtest: names, models and configurations as forecasters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from ..baselines.classical import METHODS, Method, forecast_classically, require_classical
from ..baselines.naive import drift, mean, naive, seasonal_naive, window_mean
from ..config.registries import CELLS, PRESETS
from ..config.resolution import configure, merged, read_toml
from ..config.schema import Config
from ..core.errors import UsageError, nearest
from ..core.events import Listener, ignore
from ..core.windows import Floats
from ..data.panel import Panel
from ..model.bundle import Bundle
from .folds import Fold, forecast_by_bundle, forecast_by_network
from .forecasts import Said
from .plan import Refit

SIMPLE = ("naive", "seasonal-naive", "drift", "mean", "window-mean")
CHOOSING = tuple(name for name, entry in PRESETS.items() if entry.chooses)
NAMES = (*CELLS, *CHOOSING, *SIMPLE, *METHODS)
USUAL = ("lstm", "naive", "seasonal-naive")
MODEL, CONFIGURATION = ".forecast", ".toml"
# Rows before a forecast that every contender has at the least: the line of drift needs two.
LEAST = 2

Level = tuple[float, ...]
Kind = Literal["network", "model", "simple", "classical"]


class Forecaster(Protocol):
    """From a fold to the forecasts that it asks for."""

    def __call__(
        self, fold: Fold, on_event: Listener = ignore, should_stop: Callable[[], bool] = bool
    ) -> Said:
        """The forecasts from the origins of the fold, with intervals where there are some."""


@dataclass(frozen=True)
class Contender:
    """Somebody who forecasts.

    Args:
        name: The column of its forecasts.
        kind: What it is.
        forecast: What forecasts; it can be sent to another process.
        panel: The table as it reads it.
        refit: At which cutoffs it learns anew.
        least: Rows that it needs before a forecast.
        says: What tells it from others whose forecasts may differ.
    """

    name: str
    kind: Kind
    forecast: Forecaster
    panel: Panel
    refit: Refit = "never"
    least: int = LEAST
    says: str = ""

    @property
    def learns(self) -> bool:
        """Whether it is a network that is trained in the backtest."""
        return self.kind == "network"

    @property
    def is_simple(self) -> bool:
        """Whether it is a yardstick that needs no network."""
        return self.kind in ("simple", "classical")

    @property
    def costs(self) -> bool:
        """Whether its folds are worth keeping."""
        return self.kind == "classical" or (self.learns and self.refit != "never")


@dataclass(frozen=True)
class Entry:
    """A name as given, before the table is read.

    Args:
        name: The column of its forecasts.
        text: As given.
        config: Of a network that is to be trained; None for others.
        bundle: Of a trained model; None for others.
    """

    name: str
    text: str
    config: Config | None = None
    bundle: Bundle | None = None


def make_entries(models: Sequence[str], config: Config) -> list[Entry]:
    """The contenders by name, files read.

    Args:
        models: Names of methods, model files, configurations.
        config: What networks are made of.

    Raises:
        UsageError: One is unknown, or given twice.
        ModelFileError: A file is no model.
    """
    texts = list(dict.fromkeys(models))
    stems = [Path(text).stem if _is_file(text) else text for text in texts]
    names = [
        text if stems.count(stem) > 1 else stem for text, stem in zip(texts, stems, strict=True)
    ]
    return [_entry(name, text, config) for name, text in zip(names, texts, strict=True)]


def _is_file(text: str) -> bool:
    return Path(text).suffix in (MODEL, CONFIGURATION)


def _entry(name: str, text: str, config: Config) -> Entry:
    if Path(text).suffix == MODEL:
        from ..model.loading import load_bundle

        bundle = load_bundle(text)
        if bundle.manifest.labels is not None:
            raise UsageError(f"{text} maps sequences to labels: it forecasts nothing.")
        return Entry(name, text, bundle=bundle)
    if Path(text).suffix == CONFIGURATION:
        nested = merged(config.model_dump(exclude_unset=True), read_toml(Path(text)))
        return Entry(name, text, configure({}, nested))
    said = config.model_dump(exclude_unset=True)
    if text in CELLS:
        return Entry(name, text, configure({"cell": text}, said))
    if text in CHOOSING:
        return Entry(name, text, configure({"preset": text}, said))
    if text not in NAMES:
        raise UsageError(
            f'There is no model "{text}".',
            f"{nearest(text, NAMES)} Or name a .forecast file, or a .toml configuration.",
        )
    if text in METHODS:
        require_classical(text)
    return Entry(name, text)


def network_contender(
    name: str, config: Config, panel: Panel, refit: Refit, least: int
) -> Contender:
    """A network that is trained in the folds."""
    forecast = partial(forecast_by_network, config=config)
    return Contender(name, "network", forecast, panel, refit, least, config.model_dump_json())


def model_contender(
    entry: Entry, bundle: Bundle, panel: Panel, refit: Refit, least: int, *, level: Level
) -> Contender:
    """A trained model; `level` is of its intervals."""
    forecast = partial(forecast_by_bundle, bundle=bundle, level=level)
    return Contender(entry.name, "model", forecast, panel, refit, least)


def method_contender(
    name: str, panel: Panel, *, season: int, window: int, level: Level
) -> Contender:
    """A simple forecast or a classical method.

    Args:
        name: Which one.
        panel: The table.
        season: Steps in a season.
        window: Rows of the window mean.
        level: Of the intervals of a classical method, in percent.

    Raises:
        UsageError: It needs a season, and there is none.
    """
    for method in METHODS:
        if name == method:
            fit = partial(forecast_by_method, method=method, season_length=season, level=level)
            says = f"{name} {season} {level}"
            return Contender(name, "classical", fit, panel, "always", says=says)
    if name == "seasonal-naive" and season == 1:
        raise UsageError(
            f"{panel.source} has no season that is known, and seasonal-naive repeats the last one.",
            "Give it with --season-length N, or leave seasonal-naive out of --models.",
        )
    forecast = partial(forecast_simply, name=name, season=season, window=window)
    return Contender(name, "simple", forecast, panel)


def forecast_simply(
    fold: Fold,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    *,
    name: str,
    season: int,
    window: int,
) -> Said:
    """A simple forecast from all origins at once; the last value where there are too few rows.

    Args:
        fold: What may be known.
        on_event: Told of nothing.
        should_stop: Asked nothing.
        name: Which one.
        season: Steps in a season.
        window: Rows of the window mean.
    """
    values, origins, firsts = fold.known, fold.origins, fold.firsts
    horizon = fold.horizon
    forecasts = naive(values, origins, horizon=horizon)
    needed = {"naive": len(values) + 1, "seasonal-naive": season, "drift": 2}.get(name, 1)
    enough = np.flatnonzero(origins - firsts >= needed)
    replaced = 0 if name == "naive" else len(origins) - len(enough)
    if not len(enough):
        return Said(forecasts, replaced=replaced)
    rows = origins[enough], firsts[enough]
    simple: dict[str, Callable[[], Floats]] = {
        "seasonal-naive": lambda: seasonal_naive(
            values, rows[0], horizon=horizon, season_length=season
        ),
        "drift": lambda: drift(values, *rows, horizon=horizon),
        "mean": lambda: mean(values, *rows, horizon=horizon),
        "window-mean": lambda: window_mean(values, *rows, horizon=horizon, window=window),
    }
    forecasts[enough] = simple[name]()
    return Said(forecasts, replaced=replaced)


def forecast_by_method(
    fold: Fold,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    *,
    method: Method,
    season_length: int,
    level: Level,
) -> Said:
    """A classical method, fitted anew before each origin.

    Args:
        fold: What may be known.
        on_event: Told of nothing.
        should_stop: Asked nothing.
        method: Which one.
        season_length: Steps in a season.
        level: Of the intervals, in percent.
    """
    made = forecast_classically(
        fold.known,
        fold.origins,
        fold.firsts,
        method=method,
        horizon=fold.horizon,
        season_length=season_length,
        level=level,
    )
    return Said(made.point, made.ends, made.replaced)
