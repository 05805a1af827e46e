"""What a preset chooses where the user left it open: by rules from the training rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .config import Config, Preset
from .core.scaling import Transform
from .core.traits import Traits, traits_of
from .core.transforms import choose_transform
from .data.panel import Panel
from .data.splits import Splits
from .events import Listener, Note
from .recipes import Recipe, few_rows, long_series, many_series, reaches_weeks
from .rules import usual_seasons
from .settings import configure, merged
from .threads import one_thread

# What may be said of the training without setting it by hand.
LEFT_OPEN = ("seed", "refit", "time_budget", "loss")
# So many series with so many windows are learned from as one; with fewer, simple forecasts help.
MANY_SERIES, MANY_WINDOWS = 20, 5_000


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
        transform: With which simple forecasts are best on training rows that are held back.
        targets: How many columns are forecast, each for itself; 1 where they are read together.
        validated: Rows of the validation split of a usual series.
        plain: Whether forecasts are single values of whole windows: no quantiles, no missing steps.
    """

    preset: Preset
    rows: int
    shortest: int
    windows: int
    horizon: int
    season: int
    usual: tuple[int, ...]
    traits: Traits
    transform: Transform
    targets: int
    validated: int
    plain: bool


def with_preset_name(config: Config, listen: Listener) -> Config:
    """The configuration with the preset filled in: auto, or classic where it is set by hand."""
    if config.preset is not None:
        return config
    by_hand = set_by_hand(config)
    if config.data.label or by_hand:
        if by_hand and not config.data.label:
            text = f"preset classic, as {by_hand[0]} is set by hand (--preset auto for the rest)"
            listen(Note(text))
        return config.model_copy(update={"preset": "classic"})
    return config.model_copy(update={"preset": "auto"})


def set_by_hand(config: Config) -> list[str]:
    """What was said of the network and its training, by name.

    >>> set_by_hand(configure({"units": (8,), "seed": 3, "horizon": 5}))
    ['network.layers']
    """
    said = [f"network.{name}" for name in sorted(config.network.model_fields_set)]
    training = sorted(config.training.model_fields_set - set(LEFT_OPEN))
    said += [f"training.{name}" for name in training]
    return said + (["window.mode"] if "mode" in config.window.model_fields_set else [])


def with_preset(
    config: Config, panel: Panel, splits: Splits, season: int, listen: Listener
) -> Config:
    """The configuration with what its preset chooses from the training rows.

    Args:
        config: With preset and horizon filled in.
        panel: As read.
        splits: Of its rows.
        season: Steps in the usual season.
        listen: Told what was chosen, and why.
    """
    if config.preset in (None, "classic"):
        return config
    facts = facts_of(config, panel, splits, season)
    recipe = few_rows
    if facts.windows >= MANY_WINDOWS and not facts.traits.wandering:
        many = facts.traits.count >= MANY_SERIES
        recipe = many_series if many else long_series if reaches_weeks(facts) else few_rows
    return _overlaid(config, recipe(facts), listen)


def facts_of(config: Config, panel: Panel, splits: Splits, season: int) -> Facts:
    """What recipes go by; nothing of it is taken from behind the training rows."""
    begin, end = splits.bounds("train")
    lengths = end - begin
    targets = list(panel.columns.target_places)
    values = panel.values[panel.between(begin, end)][:, targets]
    # Columns stand end to end, as series do.
    every = np.concatenate(list(values.T))
    indptr = np.concatenate([[0], np.cumsum(np.tile(lengths, len(targets)))])
    horizon, usual = config.window.horizon or 1, usual_seasons(panel, config, season)
    traits = traits_of(every, indptr, usual=usual)
    apart = len(targets) > 1 and panel.columns.targets == panel.columns.features
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
        transform=_transform(config, panel, choose),
        targets=len(targets) if apart else 1,
        validated=int(np.median(splits.bounds("validation")[1] - end)),
        plain=not config.quantile_levels and config.data.missing != "mask",
    )


def _transform(config: Config, panel: Panel, choose: Callable[[], Transform]) -> Transform:
    """The transform that is said, or that suits the training rows and can be taken of all."""
    if "transform" in config.model_fields_set:
        return config.transform
    name, least = choose(), np.nanmin(panel.values[:, : len(panel.columns.columns)])
    # Whether it can be taken of the rows behind the training too is no choice of theirs.
    return "none" if least <= 0 and (name == "log" or least <= -1) else name


def _overlaid(config: Config, recipe: Recipe, listen: Listener) -> Config:
    """What was said over what was chosen; of a choice that was overruled nothing is noted."""
    said = config.model_dump(exclude_unset=True)
    chosen = configure({}, merged(recipe.settings, said))
    for path, note in recipe.notes.items():
        if not _holds(said, path):
            listen(Note(note))
    return chosen


def _holds(nested: Mapping[str, Any], path: str) -> bool:
    """Whether a nested mapping has a value at a dotted path."""
    value: Any = nested
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
