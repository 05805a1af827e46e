"""The space that is searched where nobody has written one: what is sensible for the data."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..config.registries import PLAIN_PRESET
from ..config.resolution import configure
from ..config.schema import Config
from ..core.errors import UsageError
from .folds import Rounds
from .space import Choices, Range, Setting, Space

SOURCE = "the default space"
# In a table of so few training rows large networks learn the noise.
FEW_ROWS = 400
# Seasons that a window may hold, and steps where there is no season.
SEASONS, STEPS = 4, (6, 48)


def default_space(rounds: Rounds) -> Space:
    """What is worth trying on a table.

    Args:
        rounds: Where trials are trained; nothing of the test split is looked at.
    """
    candidates = [
        *_of_windows(rounds),
        *_of_networks(_rows(rounds)),
        *_of_baselines(rounds),
        *_of_training(_rows(rounds)),
    ]
    settings = [each for each in (_fitting(one, rounds.config) for one in candidates) if each]
    return Space(tuple(settings), SOURCE)


def trial_config(config: Config, chosen: Mapping[str, Any]) -> Config:
    """The configuration with some settings chosen; no rule chooses others in their place.

    Args:
        config: What was given.
        chosen: By flat names.

    Raises:
        UsageError: They do not go together.
    """
    preset = {} if "preset" in config.model_fields_set else {"preset": PLAIN_PRESET}
    return configure({**preset, **chosen}, config.model_dump(exclude_unset=True))


def _rows(rounds: Rounds) -> int:
    """Rows of a usual series before the first cutoff, without its validation split."""
    rows = float(np.median(rounds.ends[0] - rounds.panel.indptr[:-1]))
    size = rounds.config.split.validation
    held = max(size * rows, rounds.horizon) if 0 < size < 1 else size
    return max(1, int(rows - held))


def _of_windows(rounds: Rounds) -> Iterable[Setting]:
    """How far a window looks back, and what it is read relative to."""
    season, config = rounds.season_length, rounds.config
    segment = config.network.segment or 1
    # So that half of the rows are left to begin windows at.
    most = (_rows(rounds) - rounds.horizon) // 2
    if season > 1:
        step = math.lcm(season, segment)
        high = min(SEASONS * step, most // step * step)
        why = f"one to {high // step} seasons of {season}"
        if high > step:
            yield Setting("timesteps", Range(step, high, step, whole=True), why=why)
    elif most > STEPS[0] + segment:
        low, high = (-(-each // segment) * segment for each in (STEPS[0], min(STEPS[1], most)))
        step = max(segment, 6)
        yield Setting("timesteps", Range(low, high, step, whole=True), why="steps back")
    anchors = ["none", "last", "mean"]
    whole = int(rounds.panel.lengths.min()) > SEASONS * season and most >= season
    if season > 1 and whole and config.data.missing != "mask":
        anchors.append("season")
    yield Setting("anchor", Choices(tuple(anchors)), why="what a window is read relative to")
    values = rounds.panel.values[:, : len(rounds.panel.columns.columns)]
    if np.nanmin(values) > 0:
        yield Setting("transform", Choices(("none", "log")), why="all values are above 0")
    elif np.nanmin(values) >= 0:
        yield Setting("transform", Choices(("none", "log1p")), why="no value is below 0")


def _of_networks(rows: int) -> Iterable[Setting]:
    units = (8, 16, 32, 64) if rows < FEW_ROWS else (16, 32, 64, 128)
    yield Setting("cell", Choices(("lstm", "gru")))
    yield Setting("units", Choices(units), why=f"for {rows:,} training rows")
    yield Setting("skip", Choices(("none", "linear")), why="a linear map beside the network")


def _of_baselines(rounds: Rounds) -> Iterable[Setting]:
    """Forecasts that stand among the networks."""
    several = ("naive", "structural")
    yield Setting("baselines", Choices(((), several)), why="baselines beside the network")


def _of_training(rows: int) -> Iterable[Setting]:
    yield Setting("loss", Choices(("mse", "mae", "huber")))
    yield Setting("learning_rate", Range(3e-4, 1e-2, log=True))
    yield Setting("schedule", Choices(("constant", "cosine")))
    yield Setting("batch_size", Choices((16, 32, 64) if rows < FEW_ROWS else (32, 64, 128)))


def _fitting(setting: Setting, config: Config) -> Setting | None:
    """The setting with the values that go with what was given; None where that leaves no choice."""
    if not isinstance(setting.domain, Choices):
        return setting if _goes(config, setting.name, setting.domain.low) else None
    values = tuple(each for each in setting.domain.values if _goes(config, setting.name, each))
    if len(values) < 2:
        return None
    return Setting(setting.name, Choices(values), setting.when, setting.why)


def _goes(config: Config, name: str, value: Any) -> bool:
    try:
        trial_config(config, {name: value})
    except UsageError:
        return False
    return True
