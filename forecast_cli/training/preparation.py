"""A table made ready to learn from: what is left open is chosen, then split, filled and scaled."""

from dataclasses import replace

import numpy as np

from ..config.schema import Config
from ..core.events import Listener
from ..core.windows import gather
from ..data.categories import kept_numbers
from ..data.dataset import Dataset, scaled_dataset
from ..data.panel import Panel
from ..data.season import find_season
from ..data.splits import Splits, split_rows
from .checks import check_dataset, check_inputs
from .presets.defaults import (
    with_horizon,
    with_loss,
    with_mask,
    with_scope,
    with_season,
    with_split,
    with_timesteps,
)
from .presets.selection import with_preset, with_preset_name

# Training windows that their usual spread is taken of.
SPREAD = 1000


def make_dataset(panel: Panel, config: Config, *, on_event: Listener) -> Dataset:
    """Choose what is left open, split, fill and scale.

    Raises:
        DataError: There are too few rows; the message says how many are needed.
    """
    config = with_preset_name(config.model_copy(update={"data": panel.data}), on_event)
    season = find_season(panel, config)
    rows = int(np.median(panel.lengths))
    config = with_horizon(config, rows, season, panel.columns, on_event)
    config = with_split(config, rows, season, on_event)
    splits = split_rows(panel, config.split, horizon=config.window.horizon or 1)
    config = with_loss(with_preset(config, panel, splits, season, on_event))
    check_inputs(config, panel.columns)
    panel = with_known_categories(panel, splits)
    begin, end = splits.bounds("train")
    usual, shortest = int(np.median(end - begin)), int(panel.lengths.min())
    config = with_timesteps(config, usual, shortest, season, on_event)
    config = with_mask(with_season(config, season), panel.lengths, on_event)
    dataset = scaled_dataset(panel, with_scope(config, panel.columns), splits, season)
    check_dataset(dataset, on_event)
    return with_usual_spread(dataset)


def with_usual_spread(dataset: Dataset) -> Dataset:
    """The dataset whose network knows how far its training windows usually spread."""
    network = dataset.config.network
    if network.window_scale != "usual":
        return dataset
    starts = dataset.starts("train", horizon=dataset.steps_at_once)
    windows = gather(
        dataset.scaled, starts[:: 1 + len(starts) // SPREAD], timesteps=dataset.timesteps
    )
    windows = windows[..., : len(dataset.panel.columns.columns)]
    last = network.anchor in ("last", "season")
    center = windows[:, -1:] if last else np.nanmean(windows, axis=1, keepdims=True)
    spread = float(np.nanmean(np.abs(windows - center)))
    known = {"usual_spread": spread if spread > 0 else 1.0}
    config = dataset.config.model_copy(update={"network": network.model_copy(update=known)})
    return replace(dataset, config=config)


def with_known_categories(panel: Panel, splits: Splits) -> Panel:
    """The panel whose categories are those of its training rows; others are not known."""
    known = panel.columns.covariates.categories
    kept, values, ahead = {}, panel.values.copy() if known else panel.values, panel.ahead.copy()
    for name, names in known.items():
        place = panel.columns.features.index(name)
        held = np.unique(splits.training_rows(values[:, [place]]))
        kept[name] = tuple(names[int(each) - 1] for each in held if each > 0)
        values[:, place] = kept_numbers(values[:, place], names, kept[name])
        ahead[:, :, place] = kept_numbers(ahead[:, :, place], names, kept[name])
    covariates = panel.columns.covariates.model_copy(update={"categories": kept})
    columns = replace(panel.columns, covariates=covariates)
    return replace(panel, columns=columns, values=values, ahead=ahead) if known else panel
