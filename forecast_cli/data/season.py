"""The number of steps in a season."""

from ..config.schema import Config
from .panel import Panel
from .time.frequency import Frequency


def find_season(panel: Panel, config: Config) -> int:
    """Return the steps in a season: as given, or the default of the frequency; 1 for none."""
    if config.data.season_length:
        return config.data.season_length
    if panel.timeline:
        return panel.timeline.frequency.season_length
    # Rows that have no times may still be hours.
    return Frequency.parse(config.data.freq).season_length if config.data.freq else 1


def default_seasons(panel: Panel, config: Config, season: int) -> tuple[int, ...]:
    """Return the steps of all default seasons, ascending: `season` and longer ones."""
    frequency = panel.timeline.frequency if panel.timeline else None
    if frequency is None and config.data.freq:
        frequency = Frequency.parse(config.data.freq)
    longer = [each for each in frequency.seasons if each > season] if frequency else []
    return tuple(([season] if season > 1 else []) + longer)
