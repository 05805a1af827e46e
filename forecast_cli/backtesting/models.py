"""The candidates of a backtest: names, model files and configurations as forecasters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ..baselines.naive import BaselineInput
from ..baselines.registry import forecast_baseline, require_library
from ..config.model_name import MODEL
from ..config.registries import (
    BASELINES,
    CELLS,
    NAIVE,
    PLAIN_PRESET,
    PRESETS,
    SEASONAL_NAIVE,
)
from ..config.resolution import configure, merged, read_toml
from ..config.schema import Config
from ..core.errors import UsageError, listed, nearest
from ..core.events import Listener, Note, ignore
from ..core.forecast import Forecast
from ..data.panel import Panel
from ..model.bundle import Bundle
from ..training.presets.few_rows import without_networks
from ..training.resolution import resolve_preset
from .folds import Fold
from .plan import Refit

FORECASTING = tuple(name for name, entry in BASELINES.items() if entry.forecasts)
NAMES = (MODEL, *PRESETS, *CELLS, *FORECASTING)
DEFAULT_MODELS = (MODEL, NAIVE, SEASONAL_NAIVE)
MODEL_FILE, CONFIGURATION = ".forecast", ".toml"
# Classical methods fit to so many rows before a cutoff, or seasons where these are more: fitting to
# tens of thousands takes hours, and hardly changes a forecast.
CLASSICAL_ROWS, CLASSICAL_SEASONS = 1000, 4
# The minimum number of rows before a forecast: the line of drift needs two.
LEAST = 2

Level = tuple[float, ...]
Kind = Literal["network", "model", "baseline"]
# From a fold, a listener and what says whether to stop, to the forecasts from its origins, with
# intervals where there are some.
Forecaster = Callable[[Fold, Listener, Callable[[], bool]], Forecast]


@dataclass(frozen=True)
class Candidate:
    """A model, a network to train or a baseline that is compared in a backtest.

    Args:
        name: The column of its forecasts.
        kind: One of these three.
        forecast: Its forecaster; it can be sent to another process.
        panel: The table as it reads it.
        refit: At which cutoffs it is trained again.
        least: Rows that it needs before a forecast.
        identity: A text that differs from that of candidates whose forecasts may differ.
        most: Rows before a cutoff that it reads at most; None: all.
        trains: Whether the network is trained, and not only pretrained.
    """

    name: str
    kind: Kind
    forecast: Forecaster
    panel: Panel
    refit: Refit = "never"
    least: int = LEAST
    identity: str = ""
    most: int | None = None
    trains: bool = True

    @property
    def learns(self) -> bool:
        """Whether it is a network that is trained in the backtest."""
        return self.kind == "network"

    @property
    def is_baseline(self) -> bool:
        """Whether it needs no network."""
        return self.kind == "baseline"

    @property
    def costs(self) -> bool:
        """Whether it has a fold at each cutoff, or at every few, worth another process."""
        return (self.is_baseline or self.learns) and self.refit != "never"


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


def make_entries(models: Sequence[str], config: Config, on_event: Listener = ignore) -> list[Entry]:
    """Return the entries of the given names, with their files read.

    Args:
        models: Names of methods, model files, configurations.
        config: The settings of networks.
        on_event: Notified of the preset, where none is set.

    Raises:
        UsageError: One is unknown, or given twice.
        ModelFileError: A file is not a model.
    """
    texts = list(dict.fromkeys(models))
    is_file = (MODEL_FILE, CONFIGURATION).__contains__
    stems = [Path(text).stem if is_file(Path(text).suffix) else text for text in texts]
    names = [
        text if stems.count(stem) > 1 else stem for text, stem in zip(texts, stems, strict=True)
    ]
    return [_entry(name, text, config, on_event) for name, text in zip(names, texts, strict=True)]


def _entry(name: str, text: str, config: Config, on_event: Listener) -> Entry:
    """Return the entry of one name; what each stands for is on docs/models.md."""
    if Path(text).suffix == MODEL_FILE:
        from ..model.loading import load_bundle

        bundle = load_bundle(text)
        if bundle.manifest.labels is not None:
            raise UsageError(f"{text} maps sequences to labels: it makes no forecasts.")
        return Entry(name, text, bundle=bundle)
    if Path(text).suffix == CONFIGURATION:
        nested = merged(config.model_dump(exclude_unset=True), read_toml(Path(text)))
        return Entry(name, text, resolve_preset(configure({}, nested), on_event))
    if text == MODEL:
        return Entry(name, text, resolve_preset(config, on_event))
    given = config.model_dump(exclude_unset=True)
    if text in CELLS:
        # A single network, whatever is set for an ensemble.
        single = config.model_dump(exclude_unset=True, exclude={"ensemble"})
        return Entry(name, text, configure({"cell": text, "preset": PLAIN_PRESET}, single))
    if text in PRESETS:
        if not PRESETS[text].trains:
            given, without = without_networks(given)
            if without:
                names = listed([f"`{each}`" for each in without])
                on_event(Note(f"{text} is not trained: {names} apply to other models alone"))
        return Entry(name, text, configure({"preset": text}, given))
    if text not in NAMES:
        raise UsageError(
            f'Unknown model "{text}".',
            f"{nearest(text, NAMES)} Or pass a .forecast file or a .toml configuration.",
        )
    require_library(text)
    return Entry(name, text)


def baseline_candidate(
    name: str, panel: Panel, *, season: int, window: int, level: Level
) -> Candidate:
    """Return a baseline as a candidate.

    The season is in steps, `window` in rows of the window mean, and the level of its intervals,
    where it has some, in percent.

    Raises:
        UsageError: It needs a season, and there is none.
    """
    entry = BASELINES[name]
    if not entry.suits(season):
        raise UsageError(
            f"{panel.source} has no known season, which {name} needs.",
            f"Set `season_length`, or omit {name} from `models`.",
        )
    forecast = partial(forecast_by_baseline, name=name, season=season, window=window, level=level)
    refit: Refit = "always" if entry.library else "never"
    most = max(CLASSICAL_ROWS, CLASSICAL_SEASONS * season) if entry.library else None
    identity = f"{name} {season} {level} {most}"
    return Candidate(name, "baseline", forecast, panel, refit, identity=identity, most=most)


def forecast_by_baseline(
    fold: Fold, *_: Any, name: str, season: int, window: int, level: Level
) -> Forecast:
    """Forecast by a baseline from all origins of a fold; settings as in `baseline_candidate`."""
    origins, firsts = fold.origins, fold.firsts
    given = BaselineInput(fold.known, origins, firsts, fold.horizon, season, window, level)
    return forecast_baseline(name, given)
