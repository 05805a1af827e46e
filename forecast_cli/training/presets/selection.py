"""Presets: what each chooses of the settings that are left open, by rules from the training rows.

`config/registries.py` has their names and help, `FUNCTIONS` what each does. Settings that are given
are laid over what a preset chooses. Pydantic's `model_fields_set` has the given ones, so
configurations stay sparse until they are resolved.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from ...config.registries import PLAIN_PRESET
from ...config.resolution import configure, merged
from ...config.schema import Config
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.intermittency import is_intermittent
from ...core.parallel import one_thread
from ...core.scaling import Transform
from ...core.series_features import extract_features
from ...core.windows import Floats, Ints
from ...data.panel import Panel
from ...data.season import default_seasons, target_rows
from ...data.splits import Splits
from .data_profile import DataProfile, Effort, Recipe, choose_segment
from .long_series import choose_for_long_series, reaches_weeks
from .many_series import choose_for_many_series
from .small_data import choose_for_small_data
from .transform_choice import choose_transform

# What networks take in turn, and the setting that is for all of them.
OF_ALL: Mapping[str, tuple[str, str]] = {
    "timesteps": ("window", "timesteps"),
    "segments": ("network", "segment"),
    "losses": ("training", "loss"),
    "anchors": ("network", "anchor"),
}
# So many series with so many windows are forecast by one large network; with fewer, baselines help.
MANY_SERIES, MANY_WINDOWS = 20, 5_000


def choose_by_profile(profile: DataProfile, effort: Effort) -> Recipe:
    """Choose settings by how many series there are, and how long they are."""
    choose = choose_for_small_data
    if profile.windows >= MANY_WINDOWS and not profile.features.random_walk:
        if profile.features.count >= MANY_SERIES:
            choose = choose_for_many_series
        elif reaches_weeks(profile):
            choose = choose_for_long_series
    return choose(profile, effort)


FUNCTIONS: dict[str, Callable[[DataProfile], Recipe]] = {
    "auto": partial(choose_by_profile, effort=Effort(1, 2, 6, epochs=40)),
    "fast": partial(choose_by_profile, effort=Effort(0, 1, 1, epochs=30)),
    "best": partial(choose_by_profile, effort=Effort(3, 4, 12, epochs=60)),
}


def apply_preset(
    config: Config, panel: Panel, splits: Splits, season: int, on_event: Listener
) -> Config:
    """Return the configuration with what its preset chooses.

    Args:
        config: With preset and horizon filled in.
        panel: As read.
        splits: Of its rows; nothing behind the training rows is looked at.
        season: Steps in the season of the frequency.
        on_event: Notified of what was chosen, and why.
    """
    if not config.preset_chooses:
        return config
    profile = profile_data(config, panel, splits, season)
    return _overlay(config, FUNCTIONS[config.preset or ""](profile), profile, on_event)


def profile_data(config: Config, panel: Panel, splits: Splits, season: int) -> DataProfile:
    """Return what presets go by, taken of the training rows alone."""
    begin, end = splits.bounds("train")
    lengths = end - begin
    targets = panel.columns.target_places
    # Columns stand end to end, as series do.
    every, indptr = target_rows(panel, splits)
    horizon, seasons = config.window.horizon or 1, default_seasons(panel, config, season)
    features = extract_features(every, indptr, usual=seasons)
    apart = len(targets) > 1 and panel.columns.targets == panel.columns.features
    columns = panel.values[:, : len(panel.columns.columns)]
    # All rows count here: the training rows alone cannot show whether the others allow a logarithm.
    least = float(np.min(columns[np.isfinite(columns)], initial=np.inf))
    given = config.transform if "transform" in config.model_fields_set else None
    choose = partial(_choose_transform, every, indptr, least, horizon, season, features.seasons)
    intermittent = is_intermittent(every[:, None], indptr, indptr[1:], season_length=season)
    # The mean of logarithms is not the logarithm of the mean.
    fixed: Transform | None = given or ("none" if intermittent else None)
    return DataProfile(
        rows=int(np.median(lengths)),
        shortest=int(panel.lengths.min()),
        windows=int(np.maximum(lengths - horizon, 0).sum()) * len(targets),
        horizon=horizon,
        season=season,
        seasons=seasons,
        features=features,
        choose_transform=choose if fixed is None else lambda: fixed,
        can_log=least > 0 and given in (None, "log"),
        targets=len(targets) if apart else 1,
        validated=int(np.median(splits.bounds("validation")[1] - end)),
        point_forecasts=not config.quantile_levels and config.data.missing != "mask",
        named=bool(panel.columns.series),
        skips=config.data.missing == "mask",
        lookback=config.window.timesteps,
        intermittent=intermittent,
    )


def _choose_transform(
    values: Floats, indptr: Ints, least: float, horizon: int, season: int, seasons: Sequence[int]
) -> Transform:
    """Return the transform with the lower baseline error that is defined for all rows.

    `values` are the training rows, shape `(n_rows,)`, `indptr` has shape `(n_series + 1,)`, and
    `least` is the least value of all rows, of the splits after training too.
    """
    with one_thread():
        name, _ = choose_transform(
            values, indptr, indptr[1:], horizon=horizon, season=season, seasons=seasons
        )
    return "none" if least <= 0 and (name == "log" or least <= -1) else name


def _overlay(config: Config, recipe: Recipe, profile: DataProfile, on_event: Listener) -> Config:
    """Lay given settings over chosen ones; a choice that is overruled is not noted."""
    given = config.model_dump(exclude_unset=True)
    try:
        chosen = configure({}, merged(give_way(recipe.settings, given, profile), given))
    except UsageError as error:
        reason = f"Preset {config.preset} chooses some of these: `preset={PLAIN_PRESET}` chooses"
        hint = f"{error.hint} {reason} nothing.".strip()
        raise UsageError(error.message, hint) from None
    for path, note in recipe.notes.items():
        if not _holds(given, path):
            on_event(Note(note))
    return chosen


def give_way(
    settings: Mapping[str, Any], given: Mapping[str, Any], profile: DataProfile
) -> dict[str, Any]:
    """Return what a preset chooses, without what contradicts the given settings.

    Args:
        settings: Of the preset, nested.
        given: The given settings, nested.
        profile: What the preset went by.
    """
    network, ensemble = dict(settings["network"]), dict(settings["ensemble"])
    own = given.get("ensemble", {})
    size = own.get("size", ensemble["size"])
    for turns, (section, name) in OF_ALL.items():
        # What is given for all networks is given for each.
        turn = () if name in given.get(section, {}) else ensemble.get(turns, ())
        ensemble[turns] = tuple(turn)[:size]
    lookbacks = tuple(own.get("timesteps", ()))
    if lookbacks:
        ensemble["segments"] = ()
        if "segment" in network:
            network["segment"] = choose_segment(gcd(*lookbacks))
        if profile.season > min(lookbacks):
            ensemble["anchors"] = tuple(each for each in ensemble["anchors"] if each != "season")
    longest = max(settings["window"]["timesteps"], *lookbacks, 1)
    if profile.shortest < longest and not profile.skips:
        network.setdefault("padding", "first")
    if size == 1 and not own.get("baselines", ensemble.get("baselines")):
        ensemble.pop("combine", None)
    own_parts = {"window": {"timesteps": longest}, "network": network, "ensemble": ensemble}
    return {**settings, **own_parts}


def _holds(nested: Mapping[str, Any], path: str) -> bool:
    """Whether a nested mapping has a value at a dotted path."""
    value: Any = nested
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
