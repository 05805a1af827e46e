"""Settings for small data: few series, or few windows."""

from typing import Any

import numpy as np

from ...baselines.member_maps import SMOOTHED, longest_lookback
from .data_profile import (
    DataProfile,
    Effort,
    Recipe,
    choose_segment,
    choose_timesteps,
)

# The shortest lookback that has a level and a trend.
LEAST_SMOOTHED = 2
# A window that is longer is cut into segments; batches in an epoch of a small network, at most.
LONGEST_PLAIN, MOST_STEPS = 24, 50
# The baselines added to the network of a series that resembles a random walk.
FOR_WALKS = ("naive", "structural", "ridge-short")


def choose_for_small_data(profile: DataProfile, effort: Effort) -> Recipe:
    """Choose small networks and baselines, weighted by their validation errors."""
    steps = profile.lookback or choose_timesteps(profile.rows, profile.season, profile.horizon)
    baselines, longest = _baselines(profile, steps)
    seasonal = 1 < profile.season <= steps and not profile.skips
    anchors = profile.anchors + ["season"] * seasonal
    size = max(1, effort.small_data * len(anchors))
    if profile.features.random_walk:
        # Little can be learned from a random walk: one network and two baselines are enough.
        size, anchors = 1, anchors[:1]
        baselines = [each for each in baselines if each in FOR_WALKS]
    transform, why = profile.choose_transform()
    settings: dict[str, Any] = {
        "transform": transform,
        "window": {"timesteps": longest},
        "network": _choose_network(profile, steps, anchors[0]),
        "training": _choose_training(profile),
        "ensemble": {
            "size": size,
            "anchors": anchors[:size],
            "timesteps": [steps] if longest > steps else [],
            "baselines": baselines,
        }
        | ({"combine": "weights"} if size > 1 or baselines else {}),
    }
    why = "which keeps means as they are" if profile.intermittent else why
    notes = profile.notes | {"transform": f"transform {transform}, {why}"}
    return Recipe(settings, notes, profile.finding)


def _choose_network(profile: DataProfile, steps: int, anchor: str) -> dict[str, Any]:
    """Return the settings of the network, with a lookback of so many steps."""
    network = {
        "layers": [{"type": "lstm", "units": 16}],
        "skip": "linear",
        "anchor": anchor,
        "window_scale": "usual",
        "channels": profile.channels,
    }
    return network | ({"segment": choose_segment(steps)} if steps > LONGEST_PLAIN else {})


def _choose_training(profile: DataProfile) -> dict[str, Any]:
    """Return the settings of the training."""
    training = {
        "epochs": _epochs(profile),
        "batch_size": _batch_size(profile.windows),
        "steps_per_epoch": MOST_STEPS,
        "learning_rate": 0.003,
        "schedule": "cosine",
        "clip": 1.0,
        "refit": not profile.features.random_walk,
    }
    return training | profile.loss | ({} if profile.validated else {"patience": 0})


def _epochs(profile: DataProfile) -> int:
    """Return few where there is no validation, or where each has many batches already."""
    if not profile.validated:
        return 20
    return 60 if profile.windows < MOST_STEPS * 64 else 30


def _batch_size(windows: int) -> int:
    """Return a power of two: about a fiftieth of the windows, from 32 to 256.

    >>> _batch_size(100), _batch_size(3000), _batch_size(100_000)
    (32, 64, 256)
    """
    return int(2 ** np.clip(np.ceil(np.log2(max(windows, 1) / 50)), 5, 8))


def _baselines(profile: DataProfile, steps: int) -> tuple[list[str], int]:
    """Return the baselines that the rows are enough for, and the lookback of all together."""
    seasons = profile.features.seasons
    longest = longest_lookback(
        profile.rows, horizon=profile.horizon, season=profile.season, seasons=seasons
    )
    if not profile.point_forecasts or profile.shortest < max(profile.season + 2, profile.horizon):
        return [], steps
    longest = profile.lookback or max(steps, min(longest, profile.shortest))
    if longest < LEAST_SMOOTHED:
        return ["naive", "ridge-short"], longest
    names = ["naive", "structural", "ridge-short", "ridge", "ridge-long"]
    if profile.intermittent:
        # Of these alone the fitting minimises squared errors, as forecasts of the mean do.
        return names[1:], longest
    if 1 < profile.season <= min(profile.rows, longest):
        names.append("seasonal-naive")
    if profile.season <= SMOOTHED:
        names += ["smoothing", "smoothing-ridge"]
    return names, longest
