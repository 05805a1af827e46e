"""Presets: what each chooses of the settings that are left open, by rules from the training rows.

`config/registries.py` has their names and help, `FUNCTIONS` what each does. Settings that are given
are laid over what a preset chooses. Pydantic's `model_fields_set` has the given ones, so
configurations stay sparse until they are resolved.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import gcd, lcm
from typing import Any

import numpy as np

from ...config.layers import LAYERS
from ...config.registries import CELLS, DEFAULT_CELL, PLAIN_PRESET, PRESETS, PRETRAINED_PRESET
from ...config.resolution import configure, merged
from ...config.schema import Config
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.libraries import is_small, require_training
from ...core.parallel import one_thread
from ...core.scaling import ABOVE, Transform
from ...core.series_features import extract_features, is_intermittent
from ...core.windows import Floats, Ints
from ...data.columns import Columns
from ...data.panel import Panel
from ...data.season import default_seasons, target_rows
from ...data.splits import Splits
from ..effect_problem import make_problem
from .data_profile import DataProfile, Effort, Recipe, choose_segment, describe_model
from .few_rows import (
    check_obstacles,
    choose_pretrained,
    find_obstacles,
    has_few_rows,
    suits_as_member,
    with_finetuning,
)
from .recipes import (
    choose_for_long_series,
    choose_for_many_series,
    choose_for_small_data,
    reaches_weeks,
)
from .transform_choice import choose_by_effects, choose_transform

# What networks take in turn, and the setting that is for all of them.
OF_ALL: Mapping[str, tuple[str, str]] = {
    "timesteps": ("window", "timesteps"),
    "segments": ("network", "segment"),
    "losses": ("training", "loss"),
    "anchors": ("network", "anchor"),
}
# What reads a window as a whole, or relative to itself.
RELATIVE = ("anchor", "window_scale", "skip", "segment")
# So many series with so many windows are forecast by one large network; with fewer, baselines help.
MANY_SERIES, MANY_WINDOWS = 20, 5_000
# Steps that count as a season where there is none, to tell how far effects may reach.
PLAIN_SEASON = 5


def choose_by_profile(profile: DataProfile, effort: Effort) -> Recipe:
    """Choose settings by how many series there are, and how long they are."""
    choose = choose_for_small_data
    if _are_many(profile):
        choose = choose_for_many_series
    elif profile.windows >= MANY_WINDOWS and not profile.features.random_walk:
        choose = choose_for_long_series if reaches_weeks(profile) else choose
    return choose(profile, effort)


def _are_many(profile: DataProfile) -> bool:
    """Whether there are series and windows enough for one large network of all."""
    many = profile.features.count >= MANY_SERIES and profile.windows >= MANY_WINDOWS
    return many and not profile.features.random_walk


USUAL = Effort(1, 2, 6, epochs=40)
FUNCTIONS: dict[str, Callable[[DataProfile], Recipe]] = {
    "auto": partial(choose_by_profile, effort=USUAL),
    "fast": partial(choose_by_profile, effort=Effort(0, 1, 1, epochs=30)),
    "best": partial(choose_by_profile, effort=Effort(3, 4, 12, epochs=60)),
    "trained": partial(choose_by_profile, effort=USUAL),
    "pretrained": choose_pretrained,
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
    if not config.preset_chooses or config.leaves_nothing_open:
        return config
    profile = profile_data(config, panel, splits, season)
    name = _choose_function(config, panel, profile)
    if config.training.per_series:
        # Rules for many series are of one network for all of them.
        alone = profile.windows // panel.count
        profile = replace(profile, windows=min(alone, MANY_WINDOWS - 1))
    elif PRESETS[name].few_rows and suits_as_member(profile, config, panel.columns):
        profile = replace(profile, members=(PRETRAINED_PRESET,))
    recipe = FUNCTIONS[name](profile)
    if config.network.finetuned:
        recipe = with_finetuning(recipe)
    if takes_effects(config, panel.columns):
        ensemble = {**recipe.settings["ensemble"], "covariate_effects": True}
        recipe = replace(recipe, settings={**recipe.settings, "ensemble": ensemble})
    return _overlay(config, recipe, profile, on_event)


def _choose_function(config: Config, panel: Panel, profile: DataProfile) -> str:
    """Return the preset whose rules are followed: where rows are few, it may be another one.

    Raises:
        UsageError: The pretrained network is asked for, with what it cannot take into account; or
            what trains another one is not installed.
    """
    name = config.preset or ""
    network = config.network
    if name == PRETRAINED_PRESET or network.pretrained or network.finetuned:
        check_obstacles(config, panel.columns)
        return PRETRAINED_PRESET
    entry = PRESETS[name]
    few = "" if config.training.per_series else entry.few_rows
    if few and has_few_rows(profile) and not any(find_obstacles(config, panel.columns)):
        both = _are_many(profile) and suits_as_member(profile, config, panel.columns)
        if not (both and entry.adds_to_few_rows) or is_small():
            return few
    require_training("Training")
    return name


def takes_effects(config: Config, columns: Columns) -> bool:
    """Whether a preset estimates the effects of future covariates."""
    given = config.ensemble.covariate_effects or "covariate_effects" not in (
        config.ensemble.model_fields_set
    )
    chooses = config.preset_chooses and not config.interval_method.by_dropout
    chooses = chooses and not config.training.per_series
    return bool(columns.covariates.future) and chooses and given


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
    columns = splits.training_rows(panel.values)[:, : len(panel.columns.columns)]
    least = float(np.min(columns[np.isfinite(columns)], initial=np.inf))
    given = config.transform if "transform" in config.model_fields_set else None
    choose = partial(_choose_by_error, every, indptr, horizon, season, features.seasons)
    if takes_effects(config, panel.columns):
        choose = partial(_choose_by_effects, panel, splits, config, season, otherwise=choose)
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
        choose_transform=partial(_defined, choose, least) if fixed is None else lambda: (fixed, ""),
        can_log=least > 0 and given in (None, "log"),
        targets=len(targets) if apart else 1,
        validated=int(np.median(splits.bounds("validation")[1] - end)),
        point_forecasts=not config.quantile_levels and config.data.missing != "mask",
        named=bool(panel.columns.series),
        skips=config.data.missing == "mask",
        lookback=config.window.timesteps,
        intermittent=intermittent,
        longest=int(panel.lengths.max()),
    )


def _defined(choose: Callable[[], tuple[Transform, str]], least: float) -> tuple[Transform, str]:
    """Return what `choose` chooses, no transform where it is not defined.

    `least` is the least value of the training rows, those of past covariates too.
    """
    name, how = choose()
    return (name if least > ABOVE[name] else "none"), how


def _choose_by_error(
    values: Floats, indptr: Ints, horizon: int, season: int, seasons: Sequence[int]
) -> tuple[Transform, str]:
    """Return the transform with the lower baseline error.

    `values` are the training rows, shape `(n_rows,)`, and `indptr` has shape `(n_series + 1,)`.
    """
    with one_thread():
        name, _ = choose_transform(
            values, indptr, indptr[1:], horizon=horizon, season=season, seasons=seasons
        )
    return name, "chosen by baseline error on held-out training rows"


def _choose_by_effects(
    panel: Panel,
    splits: Splits,
    config: Config,
    season: int,
    *,
    otherwise: Callable[[], tuple[Transform, str]],
) -> tuple[Transform, str]:
    """Return the transform that suits the effects of covariates; another one where there are none.

    For additive and for multiplicative effects baselines that do not know them choose at random.
    """
    seasons = default_seasons(panel, config, season)
    timesteps = config.window.timesteps or 2 * max(seasons, default=PLAIN_SEASON)
    known = panel.values[:, list(panel.columns.inputs.ahead)]
    chosen: set[Transform] = set()
    with one_thread():
        for place in panel.columns.target_places:
            problem = make_problem(
                panel, splits, (panel.values[:, place], known), config=config, season=season,
                timesteps=timesteps,
            )  # fmt: skip
            if (name := choose_by_effects(problem)) is None:
                return otherwise()
            chosen.add(name)
    name = chosen.pop() if len(chosen) == 1 else "none"
    return name, "chosen by regression on covariates in the training rows"


def _overlay(config: Config, recipe: Recipe, profile: DataProfile, on_event: Listener) -> Config:
    """Lay given settings over chosen ones; a choice that is overruled is not noted."""
    given, notes = config.model_dump(exclude_unset=True), dict(recipe.notes)
    nested = merged(give_way(recipe.settings, given, profile, notes), given)
    if layers := given.get("network", {}).get("layers"):
        nested["network"]["layers"] = fill_layers(layers, recipe.settings["network"]["layers"][0])
    chosen = _configure(config, nested)
    for path, note in notes.items():
        if not _holds(given, path):
            on_event(Note(note))
    if recipe.finding:
        on_event(Note(f"{recipe.finding}; {describe_model(chosen, named=profile.named)}"))
    return chosen


def _configure(config: Config, nested: Mapping[str, Any]) -> Config:
    """Return the configuration with what its preset chooses; say which preset can take it."""
    ensemble = configure({}, {"ensemble": nested["ensemble"]}).ensemble
    if config.network.stateful and not ensemble.alone:
        raise UsageError(
            f"Stateful networks cannot be members of an ensemble, as preset {config.preset} makes "
            "them.",
            f"Pass `preset={PLAIN_PRESET}` for one network.",
        )
    try:
        return configure({}, nested)
    except UsageError as error:
        given = config.model_dump(exclude_unset=True)
        try:
            configure({}, given | {"preset": PLAIN_PRESET})
        except UsageError:
            raise error from None
        reason = f"That is in part what preset {config.preset} chooses: pass"
        hint = f"{error.hint} {reason} `preset={PLAIN_PRESET}`, which chooses nothing.".strip()
        raise UsageError(error.message, hint) from None


def fill_layers(
    layers: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return given layers with what is left open of recurrent ones, the cell and its units.

    Args:
        layers: The given layers, nested.
        chosen: The recurrent layer that a preset chooses.

    >>> fill_layers([{"units": 8}, {"type": "dense", "units": 3}], {"type": "gru", "units": 64})
    [{'type': 'gru', 'units': 8}, {'type': 'dense', 'units': 3}]
    """
    filled = []
    for layer in layers:
        cell = layer.get("type", chosen["type"])
        if cell in CELLS:
            # A setting of another cell alone names that cell.
            own = {"type": cell if {*layer} <= {*LAYERS[cell].model_fields} else DEFAULT_CELL}
            filled.append({**chosen, **own, **layer})
        else:
            filled.append(dict(layer))
    return filled


def give_way(
    settings: Mapping[str, Any],
    given: Mapping[str, Any],
    profile: DataProfile,
    notes: dict[str, str],
) -> dict[str, Any]:
    """Return what a preset chooses, without what contradicts the given settings.

    Args:
        settings: Of the preset, nested.
        given: The given settings, nested.
        profile: What the preset went by.
        notes: Of the preset; what gives way to a setting is added by the path of another one.
    """
    network, ensemble = dict(settings["network"]), dict(settings["ensemble"])
    _give_way_to_head(network, ensemble, given, notes)
    _give_way_to_members(ensemble, given, notes)
    own = given.get("ensemble", {})
    size = own.get("size", ensemble["size"])
    for turns, (section, name) in OF_ALL.items():
        # What is given for all networks is given for each.
        turn = () if name in given.get(section, {}) else ensemble.get(turns, ())
        ensemble[turns] = tuple(turn)[:size]
    ensemble["timesteps"] = _whole_segments(ensemble.get("timesteps", ()), given)
    lookbacks = tuple(own.get("timesteps", ()))
    if lookbacks:
        ensemble["segments"] = ()
        if "segment" in network:
            network["segment"] = choose_segment(gcd(*lookbacks))
        if profile.season > min(lookbacks):
            ensemble["anchors"] = tuple(each for each in ensemble["anchors"] if each != "season")
    longest = max(settings["window"]["timesteps"], *lookbacks, 1)
    if not (lookbacks or ensemble["timesteps"]):
        (longest,) = _whole_segments((longest,), given)
    if profile.shortest < longest and not profile.skips:
        network.setdefault("padding", "first")
    if size == 1 and not own.get("baselines", ensemble.get("baselines")):
        ensemble.pop("combine", None)
    own_parts = {"window": {"timesteps": longest}, "network": network, "ensemble": ensemble}
    return {**settings, **own_parts}


def _give_way_to_head(
    network: dict[str, Any],
    ensemble: dict[str, Any],
    given: Mapping[str, Any],
    notes: dict[str, str],
) -> None:
    """Leave out how windows are read where forecasts at every step would see later ones."""
    own = given.get("network", {})
    if own.get("head") != "sequence":
        return
    left = [name for name in RELATIVE if network.pop(name, None) and name not in own]
    for name in ("anchors", "segments"):
        ensemble.pop(name, None)
    notes["head"] = f"head sequence: the preset's {', '.join(left)} left out"


def _give_way_to_members(
    ensemble: dict[str, Any], given: Mapping[str, Any], notes: dict[str, str]
) -> None:
    """Leave weights out where other baselines are given, and baselines beside one quantile."""
    if "baselines" in given.get("ensemble", {}):
        ensemble.pop("pretrained_weight", None)
    quantile = given.get("training", {}).get("quantile")
    if quantile in (None, 0.5):
        return
    # Networks forecast it, baselines do not.
    left = [ensemble.pop(name, None) for name in ("baselines", "combine", "pretrained_weight")]
    if any(left):
        notes["quantile"] = f"quantile {quantile:g}: mean of networks, without baselines"


def _whole_segments(lookbacks: Sequence[int], given: Mapping[str, Any]) -> tuple[int, ...]:
    """Return lookbacks that the given segments divide."""
    segments = given.get("ensemble", {}).get("segments", ())
    unit = lcm(*segments) if segments else given.get("network", {}).get("segment") or 1
    return tuple(max(unit, each - each % unit) for each in lookbacks)


def _holds(nested: Mapping[str, Any], path: str) -> bool:
    """Whether a nested mapping has a value at a dotted path."""
    value: Any = nested
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
