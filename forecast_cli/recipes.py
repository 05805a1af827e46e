"""Recipes: the settings that did best on data of a kind, and why they are chosen.

docs/accuracy.md has the figures that they are taken from, and what did not help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .core.candidates import SMOOTHED, reach_of
from .errors import counted
from .rules import choose_timesteps

if TYPE_CHECKING:
    from .presets import Facts


# From so strong a season on, 0 to 1, it rules what follows.
STRONG = 0.6
# The steps in a week, at the least; windows of four that a long series holds; windows from which a
# network is large; and what an epoch is of them.
WEEK, LEAST_WINDOWS, LARGE, PASS = 96, 10, 30_000, 0.6
# Into how many segments a window is cut, about.
SEGMENTS = 7
# A window that is longer is cut into segments; batches in an epoch of a small network at the most.
LONGEST_PLAIN, MOST_STEPS = 24, 50
# What stands beside the network of a series that looks like a random walk.
FOR_WALKS = ("last", "structure", "linear-short")
# Seasons that a window of many series may span; the steps of the shortest one, and of no season.
LONGEST, SHORTEST, PLAIN = 200, 24, 12


@dataclass(frozen=True)
class Recipe:
    """Settings, and what is said of them.

    Args:
        settings: Nested, as in a `forecast.toml`.
        notes: By the dotted path of the setting that a note is about.
    """

    settings: Mapping[str, Any]
    notes: Mapping[str, str]


def few_rows(facts: "Facts") -> Recipe:
    """Small networks beside simple forecasts, weighed by what validation says."""
    steps = choose_timesteps(facts.rows, facts.season, facts.horizon)
    simple, longest = _simple(facts, steps)
    anchors = ["last", "season"] if 1 < facts.season <= steps else ["last"]
    size = {"fast": 1, "auto": len(anchors), "best": 3 * len(anchors)}[facts.preset]
    if facts.traits.wandering:
        # There is hardly anything to learn: one network and two maps will find it if there is.
        size, anchors, simple = 1, anchors[:1], [each for each in simple if each in FOR_WALKS]
    settings: dict[str, Any] = {
        "transform": facts.transform,
        "window": {"timesteps": longest},
        "network": {
            "layers": [{"type": "lstm", "units": 16}],
            "skip": "linear",
            "anchor": "last",
            "window_scale": "usual",
            "channels": _channels(facts),
        }
        | ({"segment": segment_of(steps)} if steps > LONGEST_PLAIN else {}),
        "training": {
            "epochs": _epochs(facts),
            "batch_size": _batch_size(facts.windows),
            "steps_per_epoch": MOST_STEPS,
            "learning_rate": 0.003,
            "schedule": "cosine",
            "clip": 1.0,
            "refit": not facts.traits.wandering,
        }
        | ({"loss": "mae"} if facts.plain else {})
        | ({} if facts.validated else {"patience": 0}),
        "ensemble": {
            "size": size,
            "anchors": anchors[:size],
            "timesteps": [steps] if longest > steps else [],
            "simple": simple,
        }
        | ({"combine": "weights"} if size > 1 or simple else {}),
    }
    network = f"{counted(size, 'network')} LSTM(16), {steps} steps back"
    if simple:
        network += f", beside {counted(len(simple), 'simple forecast')}, {longest} steps back"
    return Recipe(
        settings,
        {
            "transform": f"transform {facts.transform}, by the errors of simple forecasts on rows held back",
            "ensemble.size": _because(facts) + network,
        },
    )


def _epochs(facts: "Facts") -> int:
    """Few where nothing says when to stop, or where each has many batches already."""
    if not facts.validated:
        return 20
    return 60 if facts.windows < MOST_STEPS * 64 else 30


def _batch_size(windows: int) -> int:
    """A power of two: about a fiftieth of the windows, from 32 to 256.

    >>> _batch_size(100), _batch_size(3000), _batch_size(100_000)
    (32, 64, 256)
    """
    return int(2 ** np.clip(np.ceil(np.log2(max(windows, 1) / 50)), 5, 8))


def _because(facts: "Facts") -> str:
    """What the training rows look like."""
    traits = facts.traits
    if traits.wandering:
        return "the steps look like those of a random walk, which nothing foretells: "
    found = " and ".join(str(each) for each in traits.seasons)
    return f"season of {found} steps found: " if found else "no season found: "


def _simple(facts: "Facts", steps: int) -> tuple[list[str], int]:
    """The simple forecasts that the rows are enough for, and the steps back for all together."""
    seasons = facts.traits.seasons
    longest = reach_of(facts.rows, horizon=facts.horizon, season=facts.season, seasons=seasons)
    if not facts.plain or facts.shortest < max(facts.season + 2, facts.horizon):
        return [], steps
    names = ["last", "structure", "linear-short", "linear", "linear-long"]
    if 1 < facts.season <= facts.rows:
        names.append("seasonal")
    if facts.season <= SMOOTHED:
        names += ["smoothing", "corrected"]
    return names, max(steps, min(longest, facts.shortest))


def many_series(facts: "Facts") -> Recipe:
    """Large networks over segments of the window, a season or more at a time, one for all series.

    Logarithms bring series of any size to one scale, so that one scaler does for all. Windows and
    losses go by turns: members that differ count for more than larger ones. Where there is no
    strong season, what follows goes with how much a window moves, and soon there is nothing more
    to learn.
    """
    strong = facts.traits.season_strength >= STRONG
    steps, segments = zip(*_windows(facts), strict=True)
    size = {"fast": 1, "auto": 6, "best": 12}[facts.preset]
    epochs = {"fast": 20, "auto": 40, "best": 60}[facts.preset] if strong else 15
    settings: dict[str, Any] = {
        "transform": "log" if facts.traits.positive else "none",
        "scale_by": "all" if facts.traits.positive else "series",
        "window": {"timesteps": max(steps[:size])},
        "network": {
            "layers": [{"type": "lstm", "units": 64}],
            "skip": "linear",
            "anchor": "last",
            "window_scale": "usual" if strong else "mad",
            "segment": segments[0],
            "padding": "first" if facts.plain else "mask",
            "channels": _channels(facts),
        },
        "training": {
            "epochs": epochs,
            "steps_per_epoch": 100,
            "batch_size": 256,
            "learning_rate": 0.005,
            "schedule": "cosine",
            "clip": 1.0,
            "patience": 0,
        }
        | ({"loss": "owa"} if facts.plain else {}),
        "ensemble": {"size": size, "combine": "median" if size > 2 else "mean"}
        | ({"losses": ["owa", "mae"][:size]} if facts.plain else {})
        | ({"timesteps": steps[:size], "segments": segments[:size]} if size > 1 else {}),
    }
    back = " and ".join(str(each) for each in sorted(set(steps[:size])))
    networks = f"{counted(size, 'network')} LSTM(64) for all series, {back} steps back"
    above = "all values are above 0" if facts.traits.positive else "some values are not above 0"
    season = f"a season of strength {facts.traits.season_strength:.2f}"
    return Recipe(
        settings,
        {
            "transform": f"transform {settings['transform']}: {above}",
            "ensemble.size": f"{networks}, {epochs} x 100 batches: {season}",
        },
    )


def reaches_weeks(facts: "Facts") -> bool:
    """Whether the steps are finer than days, and the rows many windows of four weeks."""
    unit = _unit(facts)
    return unit >= WEEK and facts.rows >= LEAST_WINDOWS * 4 * unit + facts.horizon


def long_series(facts: "Facts") -> Recipe:
    """A few long series: networks over segments of weeks beside linear maps of as many.

    Each column is read for itself, by one network for all. What is learned in a few passes holds
    longer than what is learned in many, and equal weights hold longer than those of one validation
    split, whose months may not be like the next ones.
    """
    unit = _unit(facts)
    steps = [times * unit for times in (2, 4)]
    units = 128 if facts.windows >= LARGE else 64
    size = {"fast": 1, "auto": 2, "best": 4}[facts.preset]
    settings: dict[str, Any] = {
        "window": {"timesteps": steps[-1]},
        "network": {
            "layers": [{"type": "gru", "units": units}],
            "anchor": "last",
            "window_scale": "usual",
            "segment": segment_of(steps[0]) // 2,
            "channels": _channels(facts),
        },
        "training": {
            "epochs": 7,
            "steps_per_epoch": max(20, round(PASS * facts.windows / 256)),
            "batch_size": max(8, 256 // facts.targets),
            "schedule": "cosine",
            "clip": 1.0,
        }
        | ({"loss": "mae"} if facts.plain else {}),
        "ensemble": {
            "size": size,
            "timesteps": steps[:size],
            "segments": [segment_of(each) // 2 for each in steps[:size]],
            "simple": ["linear-half", "linear-whole"] if facts.plain else [],
        },
    }
    back = " and ".join(str(each) for each in steps[:size])
    networks = f"{counted(size, 'network')} GRU({units}), {back} steps back"
    return Recipe(settings, {"ensemble.size": f"{_because(facts)}{networks}, beside linear maps"})


def _channels(facts: "Facts") -> str:
    """Several columns are read each for itself: what one has to say of another is soon outdated."""
    return "independent" if facts.targets > 1 else "joint"


def _unit(facts: "Facts") -> int:
    """The longest season that is not too long to look back on, or a day where there is none."""
    unit = max((each for each in facts.usual if each <= LONGEST), default=PLAIN)
    return unit * -(-SHORTEST // unit)


def _windows(facts: "Facts") -> list[tuple[int, int]]:
    """Steps back and steps in a segment, in the order in which networks take them.

    Two, one and three of the longest season that is not too long to look back on, as far as the
    usual series reaches; each in as many segments.
    """
    unit = _unit(facts)
    most = (facts.rows - facts.horizon) // 2
    times = [each for each in (2, 1, 3) if each * unit <= most]
    if not times:
        steps = choose_timesteps(facts.rows, facts.season, facts.horizon)
        return [(steps, segment_of(steps))]
    return [(each * unit, each * segment_of(unit)) for each in times]


def segment_of(timesteps: int) -> int:
    """The steps in a segment that divide a window into about seven.

    >>> segment_of(336), segment_of(104), segment_of(52), segment_of(10), segment_of(7)
    (48, 13, 13, 2, 1)
    """
    divisors = [each for each in range(1, timesteps + 1) if timesteps % each == 0]
    return min(divisors, key=lambda each: abs(np.log(timesteps / each / SEGMENTS)))
