"""What presets choose for data of a kind: a few long series, many series, or small data."""

from typing import Any

import numpy as np

from ...baselines.member_maps import SMOOTHED, longest_lookback
from .data_profile import DataProfile, Effort, Recipe, choose_segment, choose_timesteps
from .few_rows import has_few_rows

# The least steps in a week; the windows of four weeks that a long series has at least; windows from
# which a network is large; and the share of them in an epoch.
WEEK, LEAST_WINDOWS, LARGE, PASS = 96, 10, 30_000, 0.6
# A linear map is fitted to at least so many forecasts that do not overlap: it has a weight for each
# pair of a step of the window and a step of the horizon.
LEAST_DISTINCT = 12
# So many seasons ahead are far; what is nearer depends on the last days.
FAR = 4
# A season of at least this strength, 0 to 1, dominates the series.
STRONG = 0.6
# So many horizons of the median series are left to train on beside the longest window.
LEFT = 4
# The shortest lookback that has a level and a trend.
LEAST_SMOOTHED = 2
# A window that is longer is cut into segments; batches in an epoch of a small network, at most.
LONGEST_PLAIN, MOST_STEPS = 24, 50
# The weight of the pretrained network where none is learned, chosen on training parts of M4 Weekly.
SHARE = 0.2
# The baselines added to the network of a series that resembles a random walk.
FOR_WALKS = ("naive", "structural", "ridge-short")


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
        "training": _long_series_training(profile),
        "ensemble": {
            "size": size,
            "timesteps": steps[:size],
            "segments": segments[:size],
            "baselines": baselines,
        },
    }
    return Recipe(settings, profile.notes, profile.finding)


def _long_series_training(profile: DataProfile) -> dict[str, Any]:
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
        "training": _many_series_training(profile, epochs),
        "ensemble": _many_series_ensemble(profile, size)
        | ({"timesteps": steps[:size], "segments": segments[:size]} if size > 1 else {}),
    }
    above = "all values are above 0" if profile.can_log else "some values are not above 0"
    season = f"season strength {profile.features.season_strength:.2f}"
    notes = {
        "transform": f"transform {settings['transform']}: {above}",
        "training.epochs": f"{epochs} epochs of 100 batches",
    }
    return Recipe(settings, profile.notes | notes, season)


def _many_series_ensemble(profile: DataProfile, size: int) -> dict[str, Any]:
    """Return the settings of the ensemble, without those of the windows of its networks."""
    strong = _strong(profile)
    ensemble: dict[str, Any] = {
        "size": size,
        "combine": "median" if strong and size > 2 else "mean",
        "baselines": list(profile.members),
    }
    if profile.members and not (strong or has_few_rows(profile)):
        # Without a season to go by, how good it is beside networks trained on many rows differs
        # too much from one period to the next for a weight that is learned from one.
        ensemble["pretrained_weight"] = SHARE
    if profile.loss and not profile.intermittent:
        ensemble["losses"] = ["owa", "mae"][:size]
    return ensemble


def _many_series_training(profile: DataProfile, epochs: int) -> dict[str, Any]:
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
        "network": _small_data_network(profile, steps, anchors[0]),
        "training": _small_data_training(profile),
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


def _small_data_network(profile: DataProfile, steps: int, anchor: str) -> dict[str, Any]:
    """Return the settings of the network, with a lookback of so many steps."""
    network = {
        "layers": [{"type": "lstm", "units": 16}],
        "skip": "linear",
        "anchor": anchor,
        "window_scale": "usual",
        "channels": profile.channels,
    }
    return network | ({"segment": choose_segment(steps)} if steps > LONGEST_PLAIN else {})


def _small_data_training(profile: DataProfile) -> dict[str, Any]:
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
