"""What a preset chooses where the user left it open: by rules from the training rows."""

from collections.abc import Callable, Mapping
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from ...config.resolution import configure, merged
from ...config.schema import Config
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.scaling import Transform
from ...core.threads import one_thread
from ...data.panel import Panel
from ...data.season import usual_seasons
from ...data.splits import Splits
from .data_profile import Facts, Recipe, choose_segment
from .long_series import long_series, reaches_weeks
from .many_series import many_series
from .series_features import extract_features
from .small_data import few_rows
from .transform_choice import choose_transform

# What may be said of the training without setting it by hand.
LEFT_OPEN = ("seed", "refit", "time_budget", "loss")
# What networks take in turn, and where it is said of all of them.
OF_ALL: Mapping[str, tuple[str, str]] = {
    "timesteps": ("window", "timesteps"),
    "segments": ("network", "segment"),
    "losses": ("training", "loss"),
    "anchors": ("network", "anchor"),
}
# So many series with so many windows are learned from as one; with fewer, simple forecasts help.
MANY_SERIES, MANY_WINDOWS = 20, 5_000


def with_preset_name(config: Config, on_event: Listener) -> Config:
    """The configuration with the preset filled in: auto, or classic where it is set by hand."""
    if config.preset is not None:
        return config
    by_hand = set_by_hand(config)
    if config.data.label or by_hand:
        if by_hand and not config.data.label:
            text = f"preset classic, as {by_hand[0]} is set by hand (--preset auto for the rest)"
            on_event(Note(text))
        # What needs an ensemble is refused now that no recipe will make one.
        return configure({}, config.model_dump(exclude_unset=True) | {"preset": "classic"})
    return config.model_copy(update={"preset": "auto"})


def set_by_hand(config: Config) -> list[str]:
    """What was said of the network and its training, by name.

    >>> set_by_hand(configure({"units": (8,), "seed": 3, "horizon": 5}))
    ['network.layers']
    """
    said = [f"network.{name}" for name in sorted(config.network.model_fields_set)]
    training = sorted(config.training.model_fields_set - set(LEFT_OPEN))
    said += [f"training.{name}" for name in training]
    return said + (["window.mode"] if config.window.mode else [])


def with_preset(
    config: Config, panel: Panel, splits: Splits, season: int, on_event: Listener
) -> Config:
    """The configuration with what its preset chooses from the training rows.

    Args:
        config: With preset and horizon filled in.
        panel: As read.
        splits: Of its rows.
        season: Steps in the usual season.
        on_event: Told what was chosen, and why.
    """
    if config.preset in (None, "classic"):
        return config
    facts = profile_data(config, panel, splits, season)
    recipe = few_rows
    if facts.windows >= MANY_WINDOWS and not facts.traits.wandering:
        many = facts.traits.count >= MANY_SERIES
        recipe = many_series if many else long_series if reaches_weeks(facts) else few_rows
    return _overlaid(config, recipe(facts), facts, on_event)


def profile_data(config: Config, panel: Panel, splits: Splits, season: int) -> Facts:
    """What recipes go by; nothing of it is taken from behind the training rows."""
    begin, end = splits.bounds("train")
    lengths = end - begin
    targets = list(panel.columns.target_places)
    values = panel.values[panel.between(begin, end)][:, targets]
    # Columns stand end to end, as series do.
    every = np.concatenate(list(values.T))
    indptr = np.concatenate([[0], np.cumsum(np.tile(lengths, len(targets)))])
    horizon, usual = config.window.horizon or 1, usual_seasons(panel, config, season)
    traits = extract_features(every, indptr, usual=usual)
    apart = len(targets) > 1 and panel.columns.targets == panel.columns.features
    columns = panel.values[:, : len(panel.columns.columns)]
    # Whether a logarithm can be taken of the rows behind the training too is no choice of theirs.
    least = float(np.min(columns[np.isfinite(columns)], initial=np.inf))
    of_rows: dict[str, Any] = {"horizon": horizon, "season": season, "seasons": traits.seasons}

    def choose() -> Transform:
        with one_thread():
            return choose_transform(every, indptr, indptr[1:], **of_rows)[0]

    return Facts(
        preset=config.preset or "auto",
        rows=int(np.median(lengths)),
        shortest=int(panel.lengths.min()),
        windows=int(np.maximum(lengths - horizon, 0).sum()) * len(targets),
        horizon=horizon,
        season=season,
        usual=usual,
        traits=traits,
        choose=partial(_transform, config, least, choose),
        logs=least > 0 and (config.transform == "log" or not _said_transform(config)),
        targets=len(targets) if apart else 1,
        validated=int(np.median(splits.bounds("validation")[1] - end)),
        plain=not config.quantile_levels and config.data.missing != "mask",
        named=bool(panel.columns.series),
        skips=config.data.missing == "mask",
        back=config.window.timesteps,
    )


def _transform(config: Config, least: float, choose: Callable[[], Transform]) -> Transform:
    """The transform that is said, or that suits the training rows and can be taken of all."""
    if _said_transform(config):
        return config.transform
    name = choose()
    return "none" if least <= 0 and (name == "log" or least <= -1) else name


def _said_transform(config: Config) -> bool:
    return "transform" in config.model_fields_set


def _overlaid(config: Config, recipe: Recipe, facts: Facts, on_event: Listener) -> Config:
    """What was said over what was chosen; of a choice that was overruled nothing is noted."""
    said = config.model_dump(exclude_unset=True)
    try:
        chosen = configure({}, merged(giving_way(recipe.settings, said, facts), said))
    except UsageError as error:
        text = f"Some of that is chosen by preset {config.preset}: --preset classic chooses nothing"
        raise UsageError(error.message, f"{error.hint} {text}.".strip()) from None
    for path, note in recipe.notes.items():
        if not _holds(said, path):
            on_event(Note(note))
    return chosen


def giving_way(
    settings: Mapping[str, Any], said: Mapping[str, Any], facts: Facts
) -> dict[str, Any]:
    """What a recipe chooses, without what contradicts what was said.

    Args:
        settings: Of the recipe.
        said: Nested, likewise.
        facts: What the recipe went by.
    """
    network, ensemble = dict(settings["network"]), dict(settings["ensemble"])
    own = said.get("ensemble", {})
    size = own.get("size", ensemble["size"])
    for turns, (section, name) in OF_ALL.items():
        # What is said of all networks is said of each.
        turn = () if name in said.get(section, {}) else ensemble.get(turns, ())
        ensemble[turns] = tuple(turn)[:size]
    back = tuple(own.get("timesteps", ()))
    if back:
        ensemble["segments"] = ()
        if "segment" in network:
            network["segment"] = choose_segment(gcd(*back))
        if facts.season > min(back):
            ensemble["anchors"] = tuple(each for each in ensemble["anchors"] if each != "season")
    longest = max(settings["window"]["timesteps"], *back, 1)
    if facts.shortest < longest and not facts.skips:
        network.setdefault("padding", "first")
    if size == 1 and not own.get("simple", ensemble.get("simple")):
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
