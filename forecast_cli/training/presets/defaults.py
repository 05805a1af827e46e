"""What is chosen where the user said nothing: by rules that are written here and printed."""

from typing import Any

import numpy as np

from ...config.layers import Mask
from ...config.members import list_members
from ...config.resolution import configure
from ...config.schema import Config
from ...config.sections import Window
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.scaling import Scope
from ...core.windows import Ints
from ...data.columns import Columns
from ...data.splits import least_left
from ..checks import check_feedback

# The horizon of weekly data and of data without a season, as in the M4 competition.
WEEKLY_HORIZON = 13
PLAIN_HORIZON = 6
# The tutorials look ten steps back.
LEAST_TIMESTEPS = 10
# A split leaves at least so many rows to forecast from in training.
LEAST_ORIGINS = 5


def choose_horizon(rows: int, season: int) -> int:
    """One season, 13 weeks, or 6 steps without a season; at most a tenth of the rows.

    >>> choose_horizon(2510, 5), choose_horizon(144, 12), choose_horizon(40, 12)
    (5, 12, 4)
    """
    usual = WEEKLY_HORIZON if season == 52 else season if season > 1 else PLAIN_HORIZON
    return max(1, min(usual, rows // 10))


def choose_timesteps(training_rows: int, season: int, horizon: int) -> int:
    """Two seasons, at least 10 and at least the horizon; at most a third of the training rows.

    >>> choose_timesteps(1757, 5, 5), choose_timesteps(101, 12, 12)
    (10, 24)
    """
    return max(1, min(max(2 * season, LEAST_TIMESTEPS, horizon), (training_rows - horizon) // 3))


def with_horizon(
    config: Config, rows: int, season: int, columns: Columns, on_event: Listener
) -> Config:
    """The configuration with horizon and mode filled in.

    Args:
        config: As far as it is known.
        rows: Of a usual series.
        season: Steps in a season.
        columns: What is read and forecast.
        on_event: Told what was chosen.
    """
    window = config.window
    horizon = window.horizon
    if horizon is None:
        horizon = choose_horizon(rows, season)
        why = f"a season of {season}" if horizon == season else f"{rows} rows, season {season}"
        on_event(Note(f"horizon {horizon}, chosen from {why} (--horizon N for another)"))
    one = horizon == 1 or config.network.head == "recursive"
    mode = window.mode or ("many-to-one" if one else "many-to-many")
    check_feedback(columns, horizon, mode)
    return _with_window(config, window.model_copy(update={"horizon": horizon, "mode": mode}))


def with_split(config: Config, rows: int, season: int, on_event: Listener) -> Config:
    """The configuration whose splits leave enough to learn from, where a preset may choose them.

    The test split is left out first, then that of validation.

    Args:
        config: With preset and horizon filled in.
        rows: Of a usual series.
        season: Steps in a season.
        on_event: Told what is left out.
    """
    split, horizon = config.split, config.window.horizon or 1
    enough = (season if season > 1 else 0) + horizon + max(LEAST_ORIGINS, horizon // 2)
    if config.preset in (None, "classic") or split.model_fields_set:
        return config
    ways: list[dict[str, int]] = [{}, {"test": 0}, {"test": 0, "validation": 0}]
    if config.interval_method.needs_validation:
        ways.pop()
    for changes in ways:
        tried = split.model_copy(update=changes)
        if least_left(tried, rows, horizon) >= enough:
            break
    if changes:
        what = " and ".join(f"no {name} split" for name in changes)
        on_event(Note(f"{what}: {rows} rows are too few to learn from what is left", warning=True))
    return config.model_copy(update={"split": tried})


def with_timesteps(
    config: Config, training_rows: int, shortest: int, season: int, on_event: Listener
) -> Config:
    """The configuration with the steps back filled in.

    Args:
        config: As far as it is known.
        training_rows: Of a usual series.
        shortest: Rows of the shortest one. Where it has enough for that, all are to have a whole
            window: a network that has to skip missing steps is slower.
        season: Steps in a season.
        on_event: Told what was chosen.
    """
    window, segment = config.window, config.network.segment or 1
    if window.timesteps is not None or config.ensemble.timesteps:
        longest = window.timesteps or max(config.ensemble.timesteps)
        for member in list_members(config):
            _check_segments(member.timesteps, member.network.segment or 1)
        return _with_window(config, window.model_copy(update={"timesteps": longest}))
    timesteps = choose_timesteps(training_rows, season, window.horizon or 1)
    enough = max(season, LEAST_TIMESTEPS, window.horizon or 1)
    timesteps = min(timesteps, shortest) if shortest >= enough else timesteps
    timesteps = max(segment, timesteps - timesteps % segment)
    on_event(
        Note(
            f"timesteps {timesteps}, chosen from season {season}, horizon {window.horizon} and "
            f"{training_rows} training rows (--timesteps N for another)"
        )
    )
    return _with_window(config, window.model_copy(update={"timesteps": timesteps}))


def with_season(config: Config, season: int) -> Config:
    """The configuration whose network knows the season, where it anchors on it.

    Raises:
        UsageError: There is no season, or the window is shorter.
    """
    network, members = config.network, list_members(config)
    anchored = [each.timesteps for each in members if each.network.anchor == "season"]
    if not anchored:
        return config
    timesteps = min(anchored)
    if not 1 < season <= timesteps:
        raise UsageError(
            f"--anchor season needs a season within the window; the season is {season} steps, the "
            f"window {timesteps}.",
            "Pass --season-length and --timesteps, or --anchor last.",
        )
    return config.model_copy(
        update={"network": network.model_copy(update={"season_length": season})}
    )


def with_scope(config: Config, columns: Columns) -> Config:
    """The configuration with a scaler for each series, where they have names.

    Raises:
        UsageError: It was said for one series.
    """
    scope: Scope = "series" if columns.series else "all"
    if config.scale_by and not columns.series:
        raise UsageError(
            f"--scale-by {config.scale_by} is for several series, and there is one.",
            "Leave it out, or name the series with --series.",
        )
    return config.model_copy(update={"scale_by": config.scale_by or scope})


def with_mask(config: Config, lengths: Ints, on_event: Listener) -> Config:
    """The configuration whose network skips missing steps, where some may be missing.

    Args:
        config: With the steps back filled in.
        lengths: Rows of each series.
        on_event: Told of short ones.

    Raises:
        UsageError: There is a mask and nothing to skip, or the network cannot skip.
    """
    network, missing = config.network, config.data.missing
    short = int(np.sum(lengths < (config.window.timesteps or 1))) if len(lengths) > 1 else 0
    if short:
        what = "missing steps, which the network skips"
        what = "their first value" if network.padding == "first" else what
        on_event(
            Note(
                f"{short} of {len(lengths)} series are shorter than {config.window.timesteps} "
                f"steps: their windows are filled up with {what}"
            )
        )
    if short and network.padding == "first":
        return config
    if short and not network.masked:
        return _masked_for_short(config, short)
    if missing == "mask" and not network.masked:
        return masked(config)
    if network.masked and not short and missing != "mask":
        raise UsageError(
            f"The mask layer has nothing to skip: missing values are handled by {missing}.",
            "Pass --missing mask, or leave the layer out.",
        )
    return config


def _masked_for_short(config: Config, short: int) -> Config:
    """The configuration with a mask for series that are shorter than the window."""
    try:
        return masked(config)
    except UsageError as error:
        raise UsageError(
            f"{short} series are shorter than the window of {config.window.timesteps} steps, so "
            f"missing steps have to be skipped: {error.message.removeprefix('network: ')}",
            "Lower --timesteps, leave those series out, or change the network.",
        ) from None


def masked(config: Config) -> Config:
    """The configuration with a mask in front of its layers.

    Raises:
        UsageError: The network cannot skip steps.
    """
    network = config.network
    layers = [Mask().model_dump(), *(layer.model_dump() for layer in network.layers)]
    return configure(
        {}, config.model_dump() | {"network": network.model_dump() | {"layers": layers}}
    )


def with_loss(config: Config) -> Config:
    """The configuration with the loss filled in: the mean squared error, or that of quantiles."""
    usual = "pinball" if config.quantile_levels else "mse"
    filled: dict[str, Any] = {"loss": config.training.loss or usual}
    if config.training.average:
        # It is of the last epochs, so none is chosen as the best.
        filled["patience"] = 0
    training = config.training.model_copy(update=filled)
    return config.model_copy(update={"training": training})


def _check_segments(timesteps: int, segment: int) -> None:
    if timesteps % segment:
        fitting = max(segment, timesteps - timesteps % segment)
        raise UsageError(
            f"{timesteps} timesteps cannot be cut into segments of {segment}.",
            f"Pass --timesteps {fitting}, or another --segment.",
        )


def _with_window(config: Config, window: Window) -> Config:
    return config.model_copy(update={"window": window})
