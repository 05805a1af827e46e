"""The number of steps in a season."""

import numpy as np

from ..config.schema import Config
from ..core.errors import DataError, UsageError
from ..core.ragged import cumulate
from ..core.season_search import own_seasons
from ..core.windows import Floats, Ints
from .panel import Panel
from .splits import Splits, all_training, split_rows
from .time.frequency import Frequency


def find_season(panel: Panel, config: Config) -> int:
    """Return the steps in a season: as given, or the default of the frequency; 1 for none."""
    if config.data.season_length:
        return config.data.season_length
    frequency = _frequency(panel, config)
    return frequency.season_length if frequency else 1


def learn_season(panel: Panel, config: Config) -> int | None:
    """Return the steps in the season that the training rows show; None where it is known otherwise.

    Rows without times say nothing about their season, unless it or their frequency is given.
    """
    if config.data.season_length or _frequency(panel, config):
        return None
    return next(iter(own_seasons(*_training_rows(panel, config))), 1)


def default_seasons(panel: Panel, config: Config, season: int) -> tuple[int, ...]:
    """Return the steps of all default seasons, ascending: `season` and longer ones."""
    frequency = _frequency(panel, config)
    found = frequency.seasons if frequency else own_seasons(*_training_rows(panel, config))
    return tuple(([season] if season > 1 else []) + [each for each in found if each > season])


def target_rows(panel: Panel, splits: Splits) -> tuple[Floats, Ints]:
    """Return the training rows of all series and targets, end to end, and their bounds.

    Returns:
        Shape `(n_rows * targets,)`, target by target, and `(n_series * targets + 1,)`.
    """
    begin, end = splits.bounds("train")
    values = panel.target_values[panel.between(begin, end)]
    return values.T.ravel(), cumulate(np.tile(end - begin, values.shape[1]))


def _frequency(panel: Panel, config: Config) -> Frequency | None:
    if panel.timeline:
        return panel.timeline.frequency
    # Rows that have no times may still be hours.
    return Frequency.parse(config.data.freq) if config.data.freq else None


def _training_rows(panel: Panel, config: Config) -> tuple[Floats, Ints]:
    """Return the targets in the rows before validation and test, as `target_rows`.

    The season is needed before the horizon, by which the final splits are made.
    """
    try:
        splits = split_rows(panel, config.split, horizon=config.window.horizon or 1)
    except (DataError, UsageError):
        splits = all_training(panel)
    return target_rows(panel, splits)
