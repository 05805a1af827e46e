"""Settings for a few long series that are forecast far ahead."""

from typing import Any

from .data_profile import DataProfile, Effort, Recipe, choose_segment

# The least steps in a week; the windows of four weeks that a long series has at least; windows from
# which a network is large; and the share of them in an epoch.
WEEK, LEAST_WINDOWS, LARGE, PASS = 96, 10, 30_000, 0.6
# A linear map is fitted to at least so many forecasts that do not overlap: it has a weight for each
# pair of a step of the window and a step of the horizon.
LEAST_DISTINCT = 12
# So many seasons ahead are far; what is nearer depends on the last days.
FAR = 4


def reaches_weeks(profile: DataProfile) -> bool:
    """Whether the horizon is long in steps finer than days, and the rows are many weeks."""
    unit = profile.unit
    if profile.horizon < FAR * profile.season:
        return False
    return unit >= WEEK and profile.rows >= LEAST_WINDOWS * 4 * unit + profile.horizon


def choose_for_long_series(profile: DataProfile, effort: Effort) -> Recipe:
    """Choose networks over segments of weeks, and linear maps of windows of the same length.

    Each column is read by itself, by one network for all. A few epochs generalise better than many,
    and equal weights better than weights fitted to one validation split, whose months may differ
    from the following ones.
    """
    unit = profile.unit
    steps = [profile.lookback] if profile.lookback else [times * unit for times in (2, 4)]
    segments = [_half(choose_segment(each)) for each in steps]
    units = 128 if profile.windows >= LARGE else 64
    size = effort.long_series
    # The windows of several columns are enough for a map of half a window too.
    distinct = profile.targets * (profile.rows - steps[-1] - profile.horizon) / profile.horizon
    baselines = ["ridge-half", "ridge-full"] if profile.targets > 1 else ["ridge-full"]
    if not profile.point_forecasts or distinct < LEAST_DISTINCT:
        baselines = []
    settings: dict[str, Any] = {
        "window": {"timesteps": steps[-1]},
        "network": {
            "layers": [{"type": "gru", "units": units}],
            "anchor": profile.anchors[0],
            "window_scale": "usual",
            "segment": segments[0],
            "channels": profile.channels,
        },
        "training": _choose_training(profile),
        "ensemble": {
            "size": size,
            "timesteps": steps[:size],
            "segments": segments[:size],
            "baselines": baselines,
        },
    }
    return Recipe(settings, profile.notes, profile.finding)


def _choose_training(profile: DataProfile) -> dict[str, Any]:
    """Return the settings of the training."""
    training = {
        "epochs": 7,
        "steps_per_epoch": max(20, round(PASS * profile.windows / 256)),
        "batch_size": max(8, 256 // profile.targets),
        "schedule": "cosine",
        "clip": 1.0,
    }
    return training | profile.loss


def _half(segment: int) -> int:
    """Return half of a segment, where it is even.

    >>> _half(48), _half(33)
    (24, 33)
    """
    return segment // 2 if segment % 2 == 0 else segment
