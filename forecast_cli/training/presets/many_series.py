"""Settings for many series."""

from typing import Any

from .data_profile import (
    DataProfile,
    Effort,
    Recipe,
    choose_segment,
    choose_timesteps,
)
from .few_rows import has_few_rows

# A season of at least this strength, 0 to 1, dominates the series.
STRONG = 0.6
# So many horizons of the median series are left to train on beside the longest window.
LEFT = 4


def choose_for_many_series(profile: DataProfile, effort: Effort) -> Recipe:
    """Choose large networks over segments of the window, a season or more each, for all series.

    Logarithms bring series of any size to one scale, so that one scaler serves all. Windows and
    losses take turns: diverse members help more than larger ones. Without a strong season a window
    is read relative to its spread, and a few epochs are enough.
    """
    strong = _strong(profile)
    steps, segments = zip(*_windows(profile), strict=True)
    size = effort.many_series
    epochs = effort.epochs if strong else 15
    settings: dict[str, Any] = {
        "transform": "log" if profile.can_log else "none",
        **({"scale_by": "all" if profile.can_log else "series"} if profile.named else {}),
        "window": {"timesteps": max(steps[:size])},
        "network": {
            "layers": [{"type": "lstm", "units": 64}],
            "skip": "linear",
            "anchor": profile.anchors[0],
            # The windows of intermittent demand may have no spread of their own.
            "window_scale": "usual" if strong or profile.intermittent else "mad",
            "segment": segments[0],
            "padding": "first" if profile.point_forecasts else "mask",
            "channels": profile.channels,
        },
        "training": _choose_training(profile, epochs),
        "ensemble": {"size": size, "combine": "median" if strong and size > 2 else "mean"}
        # Where rows are many, and have no season to go by, these networks alone are better.
        | ({"baselines": list(profile.members)} if strong or has_few_rows(profile) else {})
        | ({"losses": ["owa", "mae"][:size]} if profile.loss and not profile.intermittent else {})
        | ({"timesteps": steps[:size], "segments": segments[:size]} if size > 1 else {}),
    }
    above = "all values are above 0" if profile.can_log else "some values are not above 0"
    season = f"season strength {profile.features.season_strength:.2f}"
    notes = {
        "transform": f"transform {settings['transform']}: {above}",
        "training.epochs": f"{epochs} epochs of 100 batches",
    }
    return Recipe(settings, profile.notes | notes, season)


def _choose_training(profile: DataProfile, epochs: int) -> dict[str, Any]:
    """Return the settings of the training."""
    training = {
        "epochs": epochs,
        "steps_per_epoch": 100,
        "batch_size": 256,
        "learning_rate": 0.005,
        "schedule": "cosine",
        "clip": 1.0,
        "patience": 0,
    }
    if profile.intermittent:
        return training | profile.loss
    return training | ({"loss": "owa"} if profile.point_forecasts else {})


def _strong(profile: DataProfile) -> bool:
    """Whether the season dominates the series."""
    return profile.features.season_strength >= STRONG


def _windows(profile: DataProfile) -> list[tuple[int, int]]:
    """Return lookbacks and steps in a segment, in the order in which networks take them.

    Two, one and three of the longest season that is not too long to look back on (or four, where
    the season is weak), as far as the median series reaches; each in as many segments.
    """
    if profile.lookback:
        return [(profile.lookback, choose_segment(profile.lookback))]
    unit = profile.unit
    most = profile.rows - LEFT * profile.horizon
    times = [each for each in (2, 1, 3 if _strong(profile) else 4) if each * unit <= most]
    if not times:
        steps = choose_timesteps(profile.rows, profile.season, profile.horizon)
        return [(steps, choose_segment(steps))]
    return [(each * unit, each * choose_segment(unit)) for each in times]
