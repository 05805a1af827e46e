"""Checks of data and settings before a training, made before TensorFlow is loaded."""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ..config.schema import Config
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note
from ..data.columns import Columns
from ..data.splits import rows_needed

if TYPE_CHECKING:
    from ..data.dataset import Dataset


def check_dataset(dataset: "Dataset", on_event: Listener) -> None:
    """Refuse a dataset that cannot be trained on, and warn of constant columns.

    Raises:
        DataError: There are too few rows, or values.
        UsageError: A setting does not go with the data.
    """
    _check_length(dataset)
    _check_lanes(dataset)
    _check_validation(dataset)
    _check_loss(dataset)
    _note_constant(dataset, on_event)


def _check_length(dataset: "Dataset") -> None:
    pretrained = dataset.config.network.pretrained
    if pretrained or len(dataset.starts("train", horizon=dataset.steps_at_once)):
        return
    window = dataset.timesteps + dataset.steps_at_once
    needed = rows_needed(
        dataset.config.split, dataset.splits, window=window, horizon=dataset.horizon
    )
    panel = dataset.panel
    which = " in its longest series" if panel.count > 1 else ""
    raise DataError(
        f"{panel.source} has {panel.lengths.max()} rows{which}; at least {needed} are "
        f"needed: {window} to train on (lookback {dataset.timesteps}, {dataset.steps_at_once} "
        f"ahead) and {needed - window} for validation and test.",
        "Lower `timesteps`, `horizon`, `validation` or `test`.",
    )


def _check_lanes(dataset: "Dataset") -> None:
    """Refuse several series, and gaps, for a network whose state is carried over."""
    if dataset.config.network.stateful and dataset.panel.count > 1:
        raise UsageError(
            f"A stateful network is trained on one series; {dataset.panel.source} has "
            f"{dataset.panel.count}.",
            "Leave `stateful` out.",
        )
    missing = dataset.config.data.missing
    gaps = missing != "mask" and dataset.panel.missing_rows.any()
    if dataset.config.network.stateful and gaps:
        raise DataError(
            f"{dataset.panel.source} has gaps, and a stateful network reads consecutive rows.",
            "Pass `missing=mask` or `missing=drop`.",
        )


def _check_validation(dataset: "Dataset") -> None:
    """Refuse a validation split without actual values: its loss would be 0."""
    rows = dataset.panel.between(*dataset.splits.bounds("validation"))
    if rows.any() and np.isnan(dataset.filled[rows][:, dataset.targets]).all():
        raise DataError(
            f"{dataset.panel.source} has no actual value in the validation split.",
            "Pass another `validation`, or 0 for none.",
        )


def _check_loss(dataset: "Dataset") -> None:
    """Refuse a loss that is not defined for some training row."""
    config, rows = dataset.config, dataset.splits.training_rows(dataset.filled)
    losses = config.ensemble.losses or (config.training.loss,)
    zero = np.argwhere(rows[:, dataset.targets] == 0.0)
    if "mape" in losses and len(zero):
        name = dataset.panel.columns.targets[zero[0][1]]
        raise DataError(
            f'{dataset.panel.source}: column "{name}" is 0 in training row {zero[0][0] + 1}, and '
            "mape divides by the actual value.",
            "Pass `loss=smape` or `loss=mase`.",
        )
    if "cross-entropy" in losses:
        raise UsageError(
            "The loss cross-entropy is for classes, and this is a forecast of numbers.",
            "Leave `loss` out, or name the column of classes in `label`.",
        )


def _note_constant(dataset: "Dataset", on_event: Listener) -> None:
    rows = dataset.splits.training_rows(dataset.filled)
    with warnings.catch_warnings():
        # A column of missing values alone has neither.
        warnings.simplefilter("ignore", RuntimeWarning)
        lows, highs = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    categories = dataset.panel.columns.covariates.categories
    for name, low, high in zip(dataset.panel.columns.features, lows, highs, strict=True):
        if low == high and name not in categories:
            text = f'"{name}" is constant in the training rows ({low:g}): it carries no information'
            on_event(Note(text, warning=True))


def check_inputs(config: Config, columns: Columns) -> None:
    """Refuse columns and covariates that the network cannot use.

    Raises:
        UsageError: It cannot, or they would have no effect.
    """
    network, covariates = config.network, columns.covariates
    if network.channels == "independent":
        _check_channels(columns)
    if covariates.names and network.stateful:
        raise UsageError("A stateful network reads no covariates.", "Leave them or `stateful` out.")
    if network.head == "sequence" and (covariates.future or covariates.calendar):
        raise UsageError(
            "`head=sequence` forecasts at every step, and takes no future covariates: "
            f"{', '.join((*covariates.future, *covariates.calendar))}.",
            "Leave those covariates out, or pass `head=last`.",
        )
    if network.embedding and not covariates.categories:
        raise UsageError(
            "There are no categories for `embedding`.",
            "Leave it out, or add covariates of text, or name some in `categorical`.",
        )


def _check_channels(columns: Columns) -> None:
    """Refuse independent channels where some columns would have no effect."""
    if len(columns.columns) == 1:
        raise UsageError(
            "Independent channels need several columns.",
            "Leave `channels` out, or add to `column`.",
        )
    if columns.targets != columns.columns:
        raise UsageError(
            "With independent channels each column is read by itself; targets are "
            f"{', '.join(columns.targets)}, columns {', '.join(columns.columns)}.",
            "Leave the other columns out, or pass `channels=joint`.",
        )
    if columns.covariates.names:
        raise UsageError(
            "With independent channels each column is read by itself, without covariates.",
            "Leave them out, or pass `channels=joint`.",
        )


def check_feedback(columns: Columns, horizon: int, mode: str) -> None:
    """Refuse columns whose future values many-to-one would need.

    Raises:
        UsageError: There are such columns.
    """
    if mode == "many-to-many" or horizon == 1:
        return
    if columns.unknown_ahead:
        raise UsageError(
            f"Many-to-one feeds its forecasts back, so for {horizon} steps it must forecast every "
            f"column that it reads; it does not forecast {', '.join(columns.unknown_ahead)}.",
            "Pass `mode=many-to-many`, or leave those columns out.",
        )
