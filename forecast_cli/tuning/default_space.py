"""The default space of a search, chosen from the data."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..backtesting.folds import learning_dataset
from ..config.registries import CELLS, DEFAULT_PRESET, PRESETS
from ..config.resolution import configure
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import ignore
from .folds import TrialFolds
from .space import BY_PRESET, Choices, Range, Setting, Space

SOURCE = "the default space"
# With fewer training rows large networks overfit.
FEW_ROWS = 400
# Seasons in a window at most, and its steps where there is no season.
SEASONS, STEPS = 4, (6, 48)
# Baselines that are combined with networks where a preset would choose none, or others.
SEVERAL = ("naive", "structural")


def default_space(folds: TrialFolds) -> Space:
    """Return the settings that are worth searching for a table.

    They lie around what the preset chooses; the plain one chooses nothing, so there the network is
    searched.

    Args:
        folds: The folds of the trials; nothing of the test split is looked at.
    """
    preset = folds.config.preset or DEFAULT_PRESET
    candidates = _around_preset(folds, preset) if PRESETS[preset].chooses else _of_network(folds)
    settings = [each for each in (_fitting(one, folds.config) for one in candidates) if each]
    return Space(tuple(settings), SOURCE)


def _of_network(folds: TrialFolds) -> list[Setting]:
    """Return the settings of a network of which nothing is chosen by rule."""
    rows = _rows(folds)
    few = rows < FEW_ROWS
    units = (8, 16, 32, 64) if few else (16, 32, 64, 128)
    return [
        *_window_settings(folds),
        Setting("cell", Choices(("lstm", "gru"))),
        Setting("units", Choices(units), why=f"for {rows:,} training rows"),
        Setting("skip", Choices(("none", "linear")), why="a linear map added to the network"),
        Setting("baselines", Choices(((), SEVERAL)), why="baselines combined with the network"),
        Setting("loss", Choices(("mse", "mae", "huber"))),
        Setting("learning_rate", Range(3e-4, 1e-2, log=True)),
        Setting("schedule", Choices(("constant", "cosine"))),
        Setting("batch_size", Choices((16, 32, 64) if few else (32, 64, 128))),
    ]


def _around_preset(folds: TrialFolds, preset: str) -> list[Setting]:
    """Return settings whose first value is what a training without a search has."""
    config = learning_dataset(folds.fold(folds.count - 1), folds.config, ignore).config
    network, ensemble, training = config.network, config.ensemble, config.training
    others = [n for n, each in PRESETS.items() if each.chooses and each.trains and not each.rules]
    presets = tuple(dict.fromkeys([preset, *others]))
    found = [Setting("preset", Choices(presets), why="size and members")]

    def add(name: str, now: Any, others: Sequence[Any], why: str = "") -> None:
        values = (BY_PRESET, *(each for each in others if each != now))
        found.append(Setting(name, Choices(values), why=why))

    for each in _window_settings(folds):
        if each.name != "anchor":
            # Two other lookbacks: the shortest, and the longest.
            values = [
                value for value in each.domain.values or () if value != config.window.timesteps
            ]
            now = config.transform if each.name == "transform" else config.window.timesteps
            add(each.name, now, [*values[:1], *values[1:][-1:]], each.why)
    add("baselines", ensemble.baselines, [(), SEVERAL], "baselines combined with the networks")
    if not ensemble.alone:
        add("combine", ensemble.combine, ["mean", "median"], "how members are combined")
    losses = {training.loss, *ensemble.losses}
    add("loss", "", [each for each in ("mae", "mse") if losses != {each}])
    add("anchor", "", ["last", "mean"], "value that windows are read relative to")
    layers = network.recurrent
    if layers:
        cells = [name for name in CELLS if name != layers[0].type]
        add("cell", "", cells[:1])
        add("units", "", [2 * layers[0].units, max(1, layers[0].units // 2)])
    add("learning_rate", "", [round(training.learning_rate * each, 8) for each in (1 / 3, 3)])
    return found


def trial_config(config: Config, chosen: Mapping[str, Any]) -> Config:
    """Return the configuration with some settings chosen; the preset chooses the others.

    Args:
        config: As given.
        chosen: By flat names; what is left to the preset is not set.

    Raises:
        UsageError: They do not go together.
    """
    own = {name: each for name, each in chosen.items() if each != BY_PRESET}
    return configure(own, config.model_dump(exclude_unset=True))


def _rows(folds: TrialFolds) -> int:
    """Return the training rows of the median series before the first cutoff."""
    rows = float(np.median(folds.ends[0] - folds.panel.indptr[:-1]))
    size = folds.config.split.validation
    held = max(size * rows, folds.horizon) if 0 < size < 1 else size
    return max(1, int(rows - held))


def _window_settings(folds: TrialFolds) -> Iterable[Setting]:
    """Yield settings of the window."""
    season, config = folds.season_length, folds.config
    segment = config.network.segment or 1
    # Half of the rows are left as origins.
    most = (_rows(folds) - folds.horizon) // 2
    if season > 1:
        step = math.lcm(season, segment)
        high = min(SEASONS * step, most // step * step)
        why = f"one to {high // step} seasons of {season}"
        if high > step:
            yield Setting("timesteps", Range(step, high, step, whole=True), why=why)
    elif most > STEPS[0] + segment:
        low, high = (-(-each // segment) * segment for each in (STEPS[0], min(STEPS[1], most)))
        step = max(segment, 6)
        yield Setting("timesteps", Range(low, high, step, whole=True), why="lookback")
    anchors = ["none", "last", "mean"]
    whole = int(folds.panel.lengths.min()) > SEASONS * season and most >= season
    if season > 1 and whole and config.data.missing != "mask":
        anchors.append("season")
    yield Setting("anchor", Choices(tuple(anchors)), why="value that windows are read relative to")
    values = folds.panel.values[:, : len(folds.panel.columns.columns)]
    if np.nanmin(values) > 0:
        yield Setting("transform", Choices(("none", "log")), why="all values are above 0")
    elif np.nanmin(values) >= 0:
        yield Setting("transform", Choices(("none", "log1p")), why="no value is below 0")


def _fitting(setting: Setting, config: Config) -> Setting | None:
    """Return the setting with its valid values; None where there are fewer than two."""
    if not isinstance(setting.domain, Choices):
        return setting if _is_valid(config, setting.name, setting.domain.low) else None
    values = tuple(each for each in setting.domain.values if _is_valid(config, setting.name, each))
    if len(values) < 2:
        return None
    return Setting(setting.name, Choices(values), setting.when, setting.why)


def _is_valid(config: Config, name: str, value: Any) -> bool:
    try:
        trial_config(config, {name: value})
    except UsageError:
        return False
    return True
