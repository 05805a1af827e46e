"""The recipe for few rows."""

from typing import Any

import numpy as np

from ...baselines.registry import SMOOTHED, longest_lookback
from ...core.errors import counted
from .data_profile import Facts, Recipe, because, choose_channels, choose_segment
from .defaults import choose_timesteps

# Steps back that have a level and a trend.
LEAST_SMOOTHED = 2
# A window that is longer is cut into segments; batches in an epoch of a small network at the most.
LONGEST_PLAIN, MOST_STEPS = 24, 50
# What stands beside the network of a series that looks like a random walk.
FOR_WALKS = ("last", "structure", "linear-short")


def few_rows(facts: Facts) -> Recipe:
    """Small networks beside simple forecasts, weighed by what validation says."""
    steps = facts.back or choose_timesteps(facts.rows, facts.season, facts.horizon)
    simple, longest = _simple(facts, steps)
    seasonal = 1 < facts.season <= steps and not facts.skips
    anchors = ["last", "season"] if seasonal else ["last"]
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
            "channels": choose_channels(facts),
        }
        | ({"segment": choose_segment(steps)} if steps > LONGEST_PLAIN else {}),
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
            "transform": f"transform {facts.transform}, by simple forecasts of rows held back",
            "network.layers": because(facts) + network,
        },
    )


def _epochs(facts: Facts) -> int:
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


def _simple(facts: Facts, steps: int) -> tuple[list[str], int]:
    """The simple forecasts that the rows are enough for, and the steps back for all together."""
    seasons = facts.traits.seasons
    longest = longest_lookback(
        facts.rows, horizon=facts.horizon, season=facts.season, seasons=seasons
    )
    if not facts.plain or facts.shortest < max(facts.season + 2, facts.horizon):
        return [], steps
    longest = facts.back or max(steps, min(longest, facts.shortest))
    if longest < LEAST_SMOOTHED:
        return ["last", "linear-short"], longest
    names = ["last", "structure", "linear-short", "linear", "linear-long"]
    if 1 < facts.season <= min(facts.rows, longest):
        names.append("seasonal")
    if facts.season <= SMOOTHED:
        names += ["smoothing", "corrected"]
    return names, longest
