"""What recipes go by, and what they have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...config.schema import Preset
from ...core.scaling import Transform
from .series_features import SeriesFeatures

# Into how many segments a window is cut, about.
SEGMENTS = 7
# Seasons that a window of many series may span; the steps of the shortest one, and of no season.
LONGEST, SHORTEST, PLAIN = 200, 24, 12


@dataclass(frozen=True)
class Facts:
    """What recipes go by.

    Args:
        preset: Which one is asked for.
        rows: Training rows of a usual series.
        shortest: Of the shortest one.
        windows: Training rows of all series and targets together, less a horizon of each.
        horizon: Steps ahead.
        season: Steps in the usual season; 1 where there is none.
        usual: Steps of all seasons that are usual, ascending.
        traits: What the training rows look like.
        choose: Finds the transform; it takes a while, and not every recipe asks.
        logs: Whether logarithms can be taken of all rows, and nothing else is said.
        targets: How many columns are forecast, each for itself; 1 where they are read together.
        validated: Rows of the validation split of a usual series.
        plain: Whether forecasts are single values of whole windows: no quantiles, no missing steps.
        named: Whether the series have names, and scalers of their own where asked for.
        skips: Whether the network skips missing steps.
        back: Steps back, where they are said.
    """

    preset: Preset
    rows: int
    shortest: int
    windows: int
    horizon: int
    season: int
    usual: tuple[int, ...]
    traits: SeriesFeatures
    choose: Callable[[], Transform]
    logs: bool
    targets: int
    validated: int
    plain: bool
    named: bool
    skips: bool
    back: int | None = None

    @cached_property
    def transform(self) -> Transform:
        """With which simple forecasts are best on training rows that are held back."""
        return self.choose()


@dataclass(frozen=True)
class Recipe:
    """Settings, and what is said of them.

    Args:
        settings: Nested, as in a `forecast.toml`.
        notes: By the dotted path of the setting that a note is about.
    """

    settings: Mapping[str, Any]
    notes: Mapping[str, str]


def because(facts: Facts) -> str:
    """What the training rows look like."""
    traits = facts.traits
    if traits.wandering:
        return "the steps look like those of a random walk, which nothing foretells: "
    found = " and ".join(str(each) for each in traits.seasons)
    return f"season of {found} steps found: " if found else "no season found: "


def choose_channels(facts: Facts) -> str:
    """Several columns are read each for itself: what one has to say of another is soon outdated."""
    return "independent" if facts.targets > 1 else "joint"


def choose_unit(facts: Facts) -> int:
    """The longest season that is not too long to look back on, or a day where there is none."""
    unit = max((each for each in facts.usual if each <= LONGEST), default=PLAIN)
    return unit * -(-SHORTEST // unit)


def choose_segment(timesteps: int) -> int:
    """The steps in a segment that divide a window into about seven.

    >>> [choose_segment(timesteps) for timesteps in (336, 104, 52, 10, 7)]
    [48, 13, 13, 2, 1]
    """
    divisors = [each for each in range(1, max(2, timesteps // 2 + 1)) if timesteps % each == 0]
    return min(divisors, key=lambda each: abs(np.log(timesteps / each / SEGMENTS)))
