"""Resolve a configuration for a table: what is left open is chosen here, and nowhere else."""

from dataclasses import dataclass, replace

import numpy as np

from ..config.layers import Mask
from ..config.members import list_members
from ..config.registries import CELLS, DEFAULT_PRESET, PLAIN_PRESET
from ..config.resolution import configure, leaves
from ..config.schema import Config
from ..config.sections import Split, Training
from ..core.errors import UsageError
from ..core.events import Listener, Note
from ..core.scaling import Scope
from ..core.windows import Ints
from ..data.calendar_features import with_usual_calendar
from ..data.categories import with_known_categories
from ..data.columns import Columns
from ..data.panel import Panel
from ..data.season import find_season, learn_season
from ..data.splits import Splits, least_left, split_rows
from .checks import check_feedback, check_inputs
from .presets.data_profile import LEAST_TIMESTEPS, choose_horizon, choose_timesteps
from .presets.selection import apply_preset, takes_effects

# The longest season found in rows without times that is the default horizon; else a quarter of it.
LONG_SEASON = 96
# A split leaves at least so many rows to forecast from in training.
LEAST_ORIGINS = 5


@dataclass(frozen=True)
class Resolved:
    """A configuration that leaves nothing open, and the table that it was resolved for.

    Args:
        config: With every setting filled in.
        panel: With the categories of the training rows alone.
        splits: Training, validation and test rows.
        season: Steps in a season; 1 where there is none.
        chosen: The dotted paths of what a preset chose.
    """

    config: Config
    panel: Panel
    splits: Splits
    season: int
    chosen: frozenset[str]


def resolve_config(panel: Panel, config: Config, *, on_event: Listener) -> Resolved:
    """Choose everything that a configuration leaves open, from the training rows of a table.

    Args:
        panel: As read.
        config: As given; what is set is kept.
        on_event: Notified of each choice.

    Raises:
        DataError: There are too few rows; the message says how many are needed.
        UsageError: A setting does not go with the data.
    """
    data = panel.data.changed(season_length=config.data.season_length)
    config = resolve_preset(config.changed(data=data), on_event)
    if takes_effects(config, panel.columns):
        # The effects of covariates are estimated beside those of the calendar.
        panel = with_usual_calendar(replace(panel, data=config.data))
        config = config.changed(data=panel.data)
    config, season = resolve_horizon(panel, config, on_event=on_event)
    split = _resolve_split(config, int(np.median(panel.lengths)), season, on_event)
    config = config.changed(split=split)
    splits = split_rows(panel, split, horizon=config.window.horizon or 1)
    panel = with_known_categories(panel, splits)
    before = _list_set(config)
    config = apply_preset(config, panel, splits, season, on_event)
    chosen = _list_set(config) - before
    check_inputs(config, panel.columns)
    config = _resolve_rest(config, panel, splits, season, on_event)
    return Resolved(config, panel, splits, season, chosen)


def _list_set(config: Config) -> frozenset[str]:
    """Return the dotted paths of what is set."""
    return frozenset(leaves(config.model_dump(exclude_unset=True)))


def resolve_preset(config: Config, on_event: Listener) -> Config:
    """Return the configuration with its preset: the default, or for labels the plain one.

    Settings of the network and its training adjust the default preset, and do not replace it.
    """
    if config.preset is not None:
        return config
    if config.data.label:
        # What needs an ensemble is refused now that no preset will make one.
        return configure({}, config.model_dump(exclude_unset=True) | {"preset": PLAIN_PRESET})
    if adjusted := describe_adjustments(config):
        plain = f"(`preset={PLAIN_PRESET}` for a plain network)"
        on_event(Note(f"preset {DEFAULT_PRESET} with {adjusted} {plain}"))
    return config.changed(preset=DEFAULT_PRESET)


def describe_adjustments(config: Config) -> str:
    """Return the settings of the networks and their training that are set, with their values.

    >>> describe_adjustments(configure({"units": (8, 4), "epochs": 200, "horizon": 5}))
    'units 8 4, epochs 200'
    >>> describe_adjustments(configure({"cell": "gru", "units": (8, 4), "dropout": 0.1}))
    'cell gru, units 8 4, dropout 0.1'
    """
    given = config.model_dump(exclude_unset=True, include={"network", "training"})
    values: dict[str, list[str]] = {}
    for path, value in leaves(given).items():
        field = path.rpartition(".")[2]
        name = ("cell" if value in CELLS else "layer") if field == "type" else field
        values.setdefault(name, []).append(str(value).lower())
    # What is the same in all layers is said once.
    same = {name: each[:1] if len({*each}) == 1 else each for name, each in values.items()}
    return ", ".join(f"{name} {' '.join(each)}" for name, each in same.items())


def resolve_horizon(panel: Panel, config: Config, *, on_event: Listener) -> tuple[Config, int]:
    """Return the configuration with horizon and mode filled in, and the steps in a season.

    Backtests and tuning need these before their cutoffs, and so before any split is made.

    Raises:
        UsageError: One step at a time would need columns that are not known ahead.
    """
    found = learn_season(panel, config)
    if found and found > 1:
        on_event(Note(f"season {found}, found in the training rows (set `season_length`)"))
        data = config.data.model_copy(update={"season_length": found})
        config = config.model_copy(update={"data": data})
    window, season, rows = config.window, find_season(panel, config), int(np.median(panel.lengths))
    horizon = window.horizon
    if horizon is None:
        # What the rows show may be a year of days: nobody asked for a forecast of a year.
        about = season // 4 if found and found > LONG_SEASON else season
        horizon = choose_horizon(rows, about)
        why = f"a season of {season}" if horizon == season else f"{rows} rows, season {season}"
        on_event(Note(f"horizon {horizon}, chosen from {why} (set `horizon` for another)"))
    one = horizon == 1 or config.network.head == "recursive"
    mode = window.mode or ("many-to-one" if one else "many-to-many")
    check_feedback(panel.columns, horizon, mode)
    return config.changed(window={"horizon": horizon, "mode": mode}), season


def _resolve_split(config: Config, rows: int, season: int, on_event: Listener) -> Split:
    """Return splits that leave enough rows to train on, where a preset may choose them.

    The test split is left out first, then that of validation.
    """
    split, horizon = config.split, config.window.horizon or 1
    if not config.preset_chooses or split.model_fields_set:
        return split
    enough = (season if season > 1 else 0) + horizon + max(LEAST_ORIGINS, horizon // 2)
    ways: list[dict[str, int]] = [{}, {"test": 0}, {"test": 0, "validation": 0}]
    if config.interval_method.needs_validation:
        ways.pop()
    for changes in ways:
        tried = split.changed(**changes)
        if least_left(tried, rows, horizon) >= enough:
            break
    if changes:
        what = " and ".join(f"no {name} split" for name in changes)
        on_event(Note(f"{what}: {rows} rows would leave too few to train on", warning=True))
    return tried


def _resolve_rest(
    config: Config, panel: Panel, splits: Splits, season: int, on_event: Listener
) -> Config:
    """Return the configuration with what goes by the window and the columns filled in."""
    begin, end = splits.bounds("train")
    rows, shortest = int(np.median(end - begin)), int(panel.lengths.min())
    timesteps = _resolve_timesteps(config, rows, shortest, season, on_event)
    training = _resolve_training(config)
    config = config.changed(window={"timesteps": timesteps}, training=training)
    config = config.changed(scale_by=_resolve_scope(config, panel.columns))
    if _has_seasonal_anchor(config, season):
        config = config.changed(network={"season_length": season})
    return _with_mask(config, panel.lengths, on_event)


def _resolve_timesteps(
    config: Config, rows: int, shortest: int, season: int, on_event: Listener
) -> int:
    """Return the lookback, from the training rows of the median series.

    Where the rows of the shortest series are enough, all series get whole windows: a network that
    has to skip missing steps is slower.
    """
    window, segment = config.window, config.network.segment or 1
    if window.timesteps is not None or config.ensemble.timesteps:
        for member in list_members(config):
            _check_segments(member.timesteps, member.network.segment or 1)
        return window.timesteps or max(config.ensemble.timesteps)
    horizon = window.horizon or 1
    timesteps = choose_timesteps(rows, season, horizon)
    if shortest >= max(season, LEAST_TIMESTEPS, horizon):
        timesteps = min(timesteps, shortest)
    timesteps = max(segment, timesteps - timesteps % segment)
    why = f"season {season}, horizon {horizon} and {rows} training rows"
    on_event(Note(f"timesteps {timesteps}, chosen from {why} (set `timesteps` for another)"))
    return timesteps


def _check_segments(timesteps: int, segment: int) -> None:
    if timesteps % segment:
        fitting = max(segment, timesteps - timesteps % segment)
        raise UsageError(
            f"{timesteps} timesteps cannot be cut into segments of {segment}.",
            f"Pass `timesteps={fitting}`, or another `segment`.",
        )


def _resolve_training(config: Config) -> Training:
    """Return the training with its loss: the mean squared error, or that of quantiles."""
    training, default = config.training, "pinball" if config.quantile_levels else "mse"
    # An average is of the last epochs, so none is chosen as the best.
    patience = 0 if training.average else training.patience
    return training.changed(loss=training.loss or default, patience=patience)


def _resolve_scope(config: Config, columns: Columns) -> Scope:
    """Return whose rows a scaler is fitted on: those of each series, where they have names."""
    if config.scale_by == "series" and not columns.series:
        raise UsageError(
            "`scale_by=series` is for several series, and the table has one.",
            "Leave it out, or name the columns that identify the series in `series`.",
        )
    return config.scale_by or ("series" if columns.series else "all")


def _has_seasonal_anchor(config: Config, season: int) -> bool:
    """Whether a network reads its window relative to the last season, which must lie within it."""
    lookbacks = [m.timesteps for m in list_members(config) if m.network.anchor == "season"]
    if lookbacks and not 1 < season <= min(lookbacks):
        raise UsageError(
            f"`anchor=season` needs a season within the window; the season is {season} steps, the "
            f"window {min(lookbacks)}.",
            "Pass `season_length` and `timesteps`, or `anchor=last`.",
        )
    return bool(lookbacks)


def _with_mask(config: Config, lengths: Ints, on_event: Listener) -> Config:
    """Return the configuration whose network skips missing steps, where some may be missing.

    `lengths` has shape `(n_series,)`: the rows of each series.
    """
    network, missing, timesteps = config.network, config.data.missing, config.window.timesteps or 1
    if network.pretrained:
        # It begins with the first row that there is.
        return config
    short = int(np.sum(lengths < timesteps)) if len(lengths) > 1 else 0
    first = network.padding == "first"
    if short:
        what = "their first value" if first else "missing steps, which the network skips"
        text = f"{short} of {len(lengths)} series are shorter than {timesteps} steps: their windows"
        on_event(Note(f"{text} are padded with {what}"))
        if first or network.masked:
            return config
        try:
            return with_mask_layer(config)
        except UsageError as error:
            reason = error.message.removeprefix("network: ")
            raise UsageError(
                f"{short} series are shorter than the window of {timesteps} steps, so missing "
                f"steps have to be skipped: {reason}",
                "Lower `timesteps`, leave those series out, or change the network.",
            ) from None
    if missing == "mask" and not network.masked:
        return with_mask_layer(config)
    if network.masked and missing != "mask":
        raise UsageError(
            f"The mask layer has nothing to skip: missing values are handled by {missing}.",
            "Pass `missing=mask`, or leave the layer out.",
        )
    return config


def with_mask_layer(config: Config) -> Config:
    """Return the configuration with a mask in front of its layers.

    Raises:
        UsageError: The network cannot skip steps.
    """
    network = config.network.model_dump()
    layers = [Mask().model_dump(), *network["layers"]]
    return configure({}, config.model_dump() | {"network": network | {"layers": layers}})
