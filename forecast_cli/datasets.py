"""A table made ready to learn from: split, filled and scaled, nothing learned from the future."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .config import Config
from .core.metrics import seasonal_error
from .core.scaling import Scaling, Transform, Units, fit_scaling
from .core.windows import Floats, Ints, window_starts
from .data.missing import fill_missing
from .data.panel import Panel
from .data.splits import Part, Splits, everything, rows_needed, split_rows
from .errors import DataError, UsageError
from .events import Listener, Note
from .rules import (
    check_channels,
    season_of,
    with_horizon,
    with_loss,
    with_mask,
    with_season,
    with_timesteps,
)


@dataclass(frozen=True)
class Dataset:
    """A panel with its splits and its scaler.

    Args:
        config: With everything filled in that the user left open.
        panel: As read, NaN where values are missing.
        splits: Training, validation and test.
        scaling: Fitted on the training rows alone.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        scaled: The same, scaled, float32.
        season_length: Steps in a season.
    """

    config: Config
    panel: Panel
    splits: Splits
    scaling: Scaling
    filled: Floats
    scaled: Floats
    season_length: int

    @property
    def timesteps(self) -> int:
        """Steps back."""
        return self.config.window.timesteps or 1

    @property
    def horizon(self) -> int:
        """Steps ahead that the user wants."""
        return self.config.window.horizon or 1

    @property
    def steps_at_once(self) -> int:
        """Steps ahead that the network gives in one call."""
        return 1 if self.config.window.mode == "many-to-one" else self.horizon

    @property
    def targets(self) -> list[int]:
        """Where the targets stand among the features."""
        return list(self.panel.columns.target_places)

    @property
    def naive_error(self) -> Floats:
        """Mean error of the seasonal naive forecast in the training rows, shape `(targets,)`."""
        return seasonal_error(
            self.panel.values[:, self.targets],
            self.panel.indptr,
            self.splits.bounds("train")[1],
            season_length=self.season_length,
        )

    @property
    def units(self) -> Units:
        """What scaled targets mean; a series that never errs counts as it is."""
        error = self.naive_error
        return Units(self.scaling.only(self.targets), np.where(error > 0, error, 1.0))

    def starts(self, part: Part, *, horizon: int) -> Ints:
        """The first rows of the windows whose targets lie within a split."""
        begin, end = self.splits.bounds(part)
        starts = window_starts(
            self.panel.indptr, begin, end, timesteps=self.timesteps, horizon=horizon
        )
        if self.config.data.missing == "mask":
            return starts
        # A gap that reaches up to the targets was filled with a look at them.
        if self.config.network.head == "sequence":
            # Here each row of a window has targets of its own.
            count = np.concatenate([[0], np.cumsum(self.panel.missing_rows)])
            whole: Ints = starts[count[starts + self.timesteps] == count[starts]]
            return whole
        return starts[~self.panel.missing_rows[starts + self.timesteps - 1]]

    def origins(self, part: Part) -> Ints:
        """The rows from which the whole horizon lies within a split."""
        return self.starts(part, horizon=self.horizon) + self.timesteps


def make_dataset(panel: Panel, config: Config, *, listen: Listener) -> Dataset:
    """Choose what is left open, split, fill and scale.

    Raises:
        DataError: There are too few rows; the message says how many are needed.
    """
    config = with_loss(with_mask(config))
    check_channels(config)
    season = season_of(panel, config)
    rows = len(panel.values)
    config = with_horizon(config, rows, season, listen)
    splits = split_rows(panel, config.split, horizon=config.window.horizon or 1)
    config = with_timesteps(config, splits.rows("train"), season, listen)
    config = with_season(config, season)
    dataset = _scaled(panel, config, splits, season)
    _check_length(dataset)
    _check_lanes(dataset)
    _check_validation(dataset)
    _check_loss(dataset)
    _note_constant(dataset, listen)
    return dataset


def on_all_rows(dataset: Dataset) -> Dataset:
    """The same with every row in the training split, to refit on."""
    return _scaled(dataset.panel, dataset.config, everything(dataset.panel), dataset.season_length)


def _scaled(panel: Panel, config: Config, splits: Splits, season: int) -> Dataset:
    filled = fill_missing(
        panel.values, splits, config.data.missing, source=panel.source, season_length=season
    )
    require_positive(filled, panel.columns.features, config.transform, panel.source)
    require_known(splits.training_rows(filled), panel.columns.features, panel.source)
    scaling = fit_scaling(splits.training_rows(filled), config.scaler, config.transform)
    scaled = scaling.transform(filled).astype(np.float32)
    return Dataset(config, panel, splits, scaling, filled, scaled, season)


def _check_length(dataset: Dataset) -> None:
    if len(dataset.starts("train", horizon=dataset.steps_at_once)):
        return
    window = dataset.timesteps + dataset.steps_at_once
    needed = rows_needed(
        dataset.config.split, dataset.splits, window=window, horizon=dataset.horizon
    )
    raise DataError(
        f"{dataset.panel.source} has {len(dataset.panel.values)} rows; at least {needed} are "
        f"needed: {window} to train on ({dataset.timesteps} steps back, {dataset.steps_at_once} "
        f"ahead) beside {needed - window} for validation and test.",
        "Lower --timesteps, --horizon, --validation or --test.",
    )


def _check_lanes(dataset: Dataset) -> None:
    """Refuse gaps between the windows of a network whose state lives on."""
    missing = dataset.config.data.missing
    gaps = missing != "mask" and dataset.panel.missing_rows.any()
    if dataset.config.network.stateful and gaps:
        raise DataError(
            f"{dataset.panel.source} has gaps, and a stateful network goes from row to row.",
            "Pass --missing mask or drop.",
        )


def require_known(rows: Floats, names: Sequence[str], source: str) -> None:
    """Refuse columns of which training would see nothing.

    Args:
        rows: Shape `(rows, features)`: the training rows, NaN where missing.
        names: Of the features.
        source: What messages call the table.

    Raises:
        DataError: Every value of one is missing.
    """
    unknown = np.flatnonzero(np.isnan(rows).all(axis=0))
    if len(unknown):
        raise DataError(
            f'{source}: column "{names[unknown[0]]}" has no value in the training split.',
            "Leave the column out, or give more rows to the training split.",
        )


def _check_validation(dataset: Dataset) -> None:
    """Refuse a validation split without one actual value: it would call every network perfect."""
    begin, end = dataset.splits.bounds("validation")
    rows = np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])
    if len(rows) and np.isnan(dataset.filled[rows][:, dataset.targets]).all():
        raise DataError(
            f"{dataset.panel.source} has no actual value in the validation split.",
            "Pass another --validation, or 0 for none.",
        )


def _check_loss(dataset: Dataset) -> None:
    """Refuse a loss that has no value for some training row."""
    loss, rows = dataset.config.training.loss, dataset.splits.training_rows(dataset.filled)
    zero = np.argwhere(rows[:, dataset.targets] == 0.0)
    if loss == "mape" and len(zero):
        name = dataset.panel.columns.targets[zero[0][1]]
        raise DataError(
            f'{dataset.panel.source}: column "{name}" is 0 in training row {zero[0][0] + 1}, and '
            "mape divides by the actual value.",
            "Pass --loss smape or mase.",
        )
    if loss == "cross-entropy":
        raise UsageError(
            "The loss cross-entropy is for classes, and this is a forecast of numbers.",
            "Leave --loss out, or name the column of classes: --label NAME.",
        )


def require_positive(
    values: Floats, names: Sequence[str], transform: Transform, source: str
) -> None:
    """Refuse values that have no logarithm.

    Args:
        values: Shape `(n_rows, features)`, original units.
        names: Of the features.
        transform: That needs them.
        source: What messages call the table.

    Raises:
        DataError: Some are too small for the transform.
    """
    if transform == "none":
        return
    least = 0.0 if transform == "log" else -1.0
    bad = np.argwhere(values <= least)
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f'{source}: column "{names[column]}" holds {values[row, column]:g} in row {row + 1}, '
            f"and {transform} needs values above {least:g}.",
            f"Pass --transform {'log1p or ' if transform == 'log' else ''}none.",
        )


def _note_constant(dataset: Dataset, listen: Listener) -> None:
    rows = dataset.splits.training_rows(dataset.filled)
    with warnings.catch_warnings():
        # A column of nothing but gaps has neither.
        warnings.simplefilter("ignore", RuntimeWarning)
        lows, highs = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    for name, low, high in zip(dataset.panel.columns.features, lows, highs, strict=True):
        if low == high:
            listen(
                Note(f'"{name}" is {low:g} in every training row: nothing to learn', warning=True)
            )
