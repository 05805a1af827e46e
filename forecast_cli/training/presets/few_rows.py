"""The pretrained network where rows are few: what it can be used for, and its settings.

The numbers were chosen on training parts of tables and on simulated series (docs/presets.md).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...baselines.pretrained.forecaster import LONGEST
from ...config.registries import INTERVAL_METHODS
from ...config.resolution import leaves
from ...config.schema import Config
from ...core.errors import UsageError
from ...data.columns import Columns
from ...forecasting.intervals.conformal import ENOUGH
from .data_profile import DataProfile, Recipe

# A table has few rows where the median series has at most so many training rows; with more than the
# first number, all series together must have fewer windows than can teach a network.
VERY_FEW_ROWS, FEW_ROWS, FEW_WINDOWS = 150, 300, 5_000
# Tables that are forecast later may be so many times as long, and all of their rows are read.
GROWTH = 2
# So many series are forecast by the pretrained network beside trained ones, at most: each takes
# milliseconds. Not beyond so many steps, which take longer, and of which it was shown none.
MOST_SERIES, MOST_STEPS = 1000, 200
# Settings of the sections that presets choose from, which ask for no network of their own.
NEUTRAL = {
    "window.horizon", "window.mode", "network.pretrained", "network.finetuned",
    "network.season_length",
    "training.seed", "training.deterministic", "training.devices", "training.time_budget",
    "training.refit",
}  # fmt: skip
# Those of a training, which a fine-tuning follows.
OF_TRAINING = {"training.epochs", "training.batch_size", "training.learning_rate",
               "training.schedule", "training.patience"}  # fmt: skip
# How it is fine-tuned where nothing else is set.
FINETUNING: dict[str, Any] = {
    "epochs": 2, "batch_size": 64, "learning_rate": 5e-4, "schedule": "cosine", "clip": 1.0,
    "patience": 2,
}  # fmt: skip
SECTIONS = ("window.", "network.", "training.", "ensemble.", "transform", "scaler", "scale_by")


def has_few_rows(profile: DataProfile) -> bool:
    """Whether there is too little to learn from, so that the pretrained network is better.

    Where most of the values are 0, forecasts are of their mean, and it forecasts medians.
    """
    few = profile.rows <= (FEW_ROWS if profile.windows < FEW_WINDOWS else VERY_FEW_ROWS)
    return few and not profile.intermittent


def find_obstacles(config: Config, columns: Columns) -> Iterator[str]:
    """Yield what the pretrained network cannot take into account, as messages call it.

    Args:
        config: As given, with preset and horizon filled in.
        columns: Of the table.
    """
    given = leaves(config.model_dump(exclude_unset=True))
    neutral = NEUTRAL | (OF_TRAINING if config.network.finetuned else set())
    for path in given:
        if path.startswith(SECTIONS) and path not in neutral:
            yield f"`{path.rpartition('.')[2]}`"
    if config.window.mode == "many-to-one" and (config.window.horizon or 1) > 1:
        yield "`mode=many-to-one`"
    method = INTERVAL_METHODS[config.intervals]
    if method.by_members or method.by_dropout:
        yield f"`intervals={config.intervals}`"
    if config.data.missing == "mask":
        yield "`missing=mask`"
    if others := [each for each in columns.features if each not in columns.targets]:
        yield f"other columns than those that are forecast, {', '.join(others)}"


def without_networks(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return settings without those of trained networks, and the names of the ones left out.

    Args:
        given: The settings of a comparison, nested as in a configuration.
    """
    kept: dict[str, Any] = {}
    for name, value in given.items():
        if f"{name}." in SECTIONS:
            kept[name] = {key: each for key, each in value.items() if f"{name}.{key}" in NEUTRAL}
        elif name not in SECTIONS:
            kept[name] = value
    if "mode" in kept.get("window", {}):
        # Where none were set it would have that of the other models.
        kept["window"]["mode"] = "many-to-many"
    own = leaves(kept)
    return kept, [
        path.rpartition(".")[2] for path, at in leaves(given).items() if own.get(path) != at
    ]


def suits_as_member(profile: DataProfile, config: Config, columns: Columns) -> bool:
    """Whether the pretrained network is a member of an ensemble that a preset makes.

    Not where it is slow, where forecasts are of the mean, where the last value is as good, and
    where what other columns say counts.

    Args:
        profile: Of the training rows.
        config: As given, with preset and horizon filled in.
        columns: Of the table.
    """
    method = INTERVAL_METHODS[config.intervals]
    return (
        columns.features == columns.targets
        and profile.features.count <= MOST_SERIES
        and profile.horizon <= MOST_STEPS
        and profile.point_forecasts
        and not profile.intermittent
        and not profile.features.random_walk
        and not (method.by_members or method.by_dropout)
    )


def check_obstacles(config: Config, columns: Columns) -> None:
    """Refuse what the pretrained network would not take into account.

    Raises:
        UsageError: There is some.
    """
    if obstacle := next(find_obstacles(config, columns), None):
        why, also = ": it is not trained", ""
        if config.network.finetuned:
            why, also = ", also where it is fine-tuned", ", without `init_model`"
        raise UsageError(
            f"The pretrained network takes no account of {obstacle}{why}.",
            f"Leave that out, or pass `preset=trained`{also}, which trains networks.",
        )


def choose_pretrained(profile: DataProfile) -> Recipe:
    """Choose the pretrained network, and intervals from its quantiles.

    These are corrected by the validation errors where there are enough of them for it.
    """
    forecasts = profile.features.count * max(0, profile.validated - profile.horizon + 1)
    settings: dict[str, Any] = {
        "transform": "none",
        "scaler": "maxabs",
        "window": {"timesteps": max(1, min(LONGEST, GROWTH * profile.longest))},
        "network": {"pretrained": True, "season_length": profile.season, "padding": "mask"},
        "ensemble": {"size": 1},
        "intervals": "cqr" if forecasts >= ENOUGH else "quantile",
    }
    return Recipe(settings, {}, f"{profile.rows} training rows" + " a series" * profile.named)


def with_finetuning(recipe: Recipe) -> Recipe:
    """Return what `choose_pretrained` chose, with the network trained further on the table."""
    network = {**recipe.settings["network"], "finetuned": True}
    return replace(recipe, settings={**recipe.settings, "network": network, "training": FINETUNING})
