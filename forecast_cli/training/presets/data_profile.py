"""What presets go by: a profile of the training rows, and the rules that they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...config.members import list_members
from ...config.registries import CELLS
from ...config.schema import Config
from ...core.errors import counted
from ...core.scaling import Transform
from ...core.series_features import SeriesFeatures

# The default horizon of weekly data and of data without a season, as in the M4 competition.
WEEKLY_HORIZON, PLAIN_HORIZON = 13, 6
# The least default lookback: that of the tutorials.
LEAST_TIMESTEPS = 10
# Into how many segments a window is cut, about.
SEGMENTS = 7
# Seasons that a window of many series may span; the steps of the shortest one, and of no season.
LONGEST, SHORTEST, PLAIN = 200, 24, 12


@dataclass(frozen=True)
class Effort:
    """How much a preset trains.

    Args:
        small_data: Networks for each kind of anchor; 0 for one network in all.
        long_series: Networks for a few long series.
        many_series: Networks for many series.
        epochs: Epochs of each network for many series with a strong season.
    """

    small_data: int
    long_series: int
    many_series: int
    epochs: int


@dataclass(frozen=True)
class DataProfile:
    """What presets go by.

    Args:
        rows: Training rows of the median series.
        shortest: Rows of the shortest one.
        windows: Training rows of all series and targets together, less a horizon of each.
        horizon: Steps ahead.
        season: Steps in the season of the frequency; 1 where there is none.
        seasons: Steps of all seasons of the frequency, ascending.
        features: Of the training rows of all targets.
        choose_transform: Chooses the transform, and says how; it takes a while, and not every rule
            needs it.
        can_log: Whether all training rows have logarithms, and no other transform is set.
        targets: How many columns are forecast, each by itself; 1 where they are read together.
        validated: Rows of the validation split of the median series.
        point_forecasts: Whether windows are complete and forecasts are single values.
        named: Whether the series have names, and scalers of their own where that is set.
        skips: Whether the network skips missing steps.
        lookback: Steps of the input window, where it is set; else None.
        intermittent: Whether most of the values are 0, so that forecasts are of their mean.
        longest: Rows of the longest series.
        members: What is a member of ensembles for many series: the pretrained network, or nothing.
    """

    rows: int
    shortest: int
    windows: int
    horizon: int
    season: int
    seasons: tuple[int, ...]
    features: SeriesFeatures
    choose_transform: Callable[[], tuple[Transform, str]]
    can_log: bool
    targets: int
    validated: int
    point_forecasts: bool
    named: bool
    skips: bool
    lookback: int | None = None
    intermittent: bool = False
    longest: int = 0
    members: tuple[str, ...] = ()

    @property
    def loss(self) -> dict[str, str]:
        """The loss of networks for few series; nothing where they forecast quantiles."""
        if not self.point_forecasts:
            return {}
        return {"loss": "mse" if self.intermittent else "mae"}

    @property
    def anchors(self) -> list[str]:
        """What windows are read relative to, where that is not the last season."""
        # The last value of mostly zeros says little about the level.
        return ["mean" if self.intermittent else "last"]

    @property
    def channels(self) -> str:
        """How several columns are read: apart, since what relates them soon changes."""
        return "independent" if self.targets > 1 else "joint"

    @property
    def unit(self) -> int:
        """The longest season that is not too long to look back on; a day where there is none."""
        unit = max((each for each in self.seasons if each <= LONGEST), default=PLAIN)
        return unit * -(-SHORTEST // unit)

    @property
    def notes(self) -> dict[str, str]:
        """Why the loss is another one than usual, as a note of a recipe."""
        if not (self.intermittent and self.loss):
            return {}
        return {"training.loss": "loss mse, since most values are 0: forecasts are of their mean"}

    @property
    def finding(self) -> str:
        """What the training rows look like, for a note."""
        if self.features.random_walk:
            return "series resembles a random walk"
        found = " and ".join(str(each) for each in self.features.seasons)
        return f"season of {found} steps found" if found else "no season found"


@dataclass(frozen=True)
class Recipe:
    """Settings that a preset chooses, and the notes about them.

    Args:
        settings: Nested, as in a `forecast.toml`.
        notes: By the dotted path of the setting that a note is about.
        finding: What the training rows look like; the model is noted behind it.
    """

    settings: Mapping[str, Any]
    notes: Mapping[str, str]
    finding: str = ""


def describe_model(config: Config, *, named: bool) -> str:
    """Return a note about the networks of an ensemble, and the baselines beside them.

    Args:
        config: With everything that a preset chooses filled in.
        named: Whether the series have names, so that there are several.
    """
    if config.network.finetuned:
        return "model: the pretrained network, fine-tuned on them"
    if config.network.pretrained:
        return "model: the pretrained network, not trained on them (`preset=trained` trains some)"
    members, count = list_members(config), len(config.ensemble.maps)
    cells = [f"{CELLS[each.type].keras}({each.units})" for each in config.network.recurrent]
    layers = " + ".join(cells) + " for all series" * named
    networks = layers if len(members) == 1 else f"{counted(len(members), 'network')} {layers}"
    steps = " and ".join(str(each) for each in sorted({each.timesteps for each in members}))
    added = f", plus {counted(count, 'baseline')}, lookback {config.window.timesteps}"
    pretrained = ", with the pretrained network" * config.ensemble.has_pretrained
    return f"model: {networks}, lookback {steps}" + (added if count else "") + pretrained


def choose_horizon(rows: int, season: int) -> int:
    """Return one season, 13 weeks, or 6 steps without a season; at most a tenth of the rows.

    >>> choose_horizon(2510, 5), choose_horizon(144, 12), choose_horizon(40, 12)
    (5, 12, 4)
    """
    default = WEEKLY_HORIZON if season == 52 else season if season > 1 else PLAIN_HORIZON
    return max(1, min(default, rows // 10))


def choose_timesteps(rows: int, season: int, horizon: int) -> int:
    """Return two seasons, at least 10 and the horizon; at most a third of the training rows.

    >>> choose_timesteps(1757, 5, 5), choose_timesteps(101, 12, 12)
    (10, 24)
    """
    return max(1, min(max(2 * season, LEAST_TIMESTEPS, horizon), (rows - horizon) // 3))


def choose_segment(timesteps: int) -> int:
    """Return the steps in a segment that divide a window into about seven.

    >>> [choose_segment(timesteps) for timesteps in (336, 104, 52, 10, 7)]
    [48, 13, 13, 2, 1]
    """
    divisors = [each for each in range(1, max(2, timesteps // 2 + 1)) if timesteps % each == 0]
    return min(divisors, key=lambda each: abs(np.log(timesteps / each / SEGMENTS)))
