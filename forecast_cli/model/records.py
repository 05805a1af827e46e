"""What a model file records: its origin and training, its series, and its validation errors."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from ..config.layers import Frozen
from ..config.sections import Training
from ..core.error_scale import Recent
from ..core.events import Epoch
from ..core.windows import Floats


class SourceFile(Frozen):
    """A file that a model was trained on: its path as it was named, bytes and SHA-256."""

    path: str
    size: int
    sha256: str


class Origin(Frozen):
    """The command that trained a model, as a shell takes it, and the files that it read.

    Passwords and tokens are masked. There are no files where the table was an address, a database
    or standard input.
    """

    command: str
    files: tuple[SourceFile, ...] = ()


# Why a training ended.
Ending = Literal["epochs", "patience", "interrupted", "budget", "untrained"]


@dataclass(frozen=True)
class TrainingHistory:
    """The training history of one network.

    Args:
        training: Its settings.
        epochs: Its epochs, with their losses.
        interrupted: Whether it was interrupted by the user.
    """

    training: Training
    epochs: list[Epoch]
    interrupted: bool

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are stored; 0 where nothing was trained."""
        if not (self.training.patience and self.epochs):
            return len(self.epochs)
        return max(epoch.number for epoch in self.epochs if epoch.best)

    @property
    def ending(self) -> Ending:
        """Why the training ended."""
        if self.interrupted:
            return "interrupted"
        if not self.epochs:
            return "untrained"
        if len(self.epochs) < self.epochs[-1].epochs:
            return "patience"
        return "budget" if len(self.epochs) < self.training.epochs else "epochs"


class SeriesRecord(Frozen):
    """Several series, in the order of the arrays.

    Args:
        columns: The columns that identify a series.
        ids: The parts of each name.
        rows: Number of last rows of each that are stored.
        lasts: The time of the last row of each, ISO 8601; empty where rows are steps.
        fresh: The time of the first row of each that the network was not trained on, in the same
            form.
        known: The time of the last row of each whose values were not filled; empty where these are
            the last rows.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    ids: tuple[tuple[int | float | str, ...], ...]
    rows: tuple[int, ...]
    lasts: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count = len(self.ids)
        if any(len(each) != len(self.columns) for each in self.ids) or len(self.rows) != count:
            raise ValueError("the names of the series and their rows must be equally many")
        if min(self.rows, default=0) < 1:
            raise ValueError("a series has no row")
        if any(times and len(times) != count for times in (self.lasts, self.fresh, self.known)):
            raise ValueError("not every series has a last time")
        return self

    @property
    def frame(self) -> pd.DataFrame:
        """The names as a frame, a row for each series."""
        return pd.DataFrame(list(self.ids), columns=list(self.columns))


@dataclass(frozen=True)
class Calibration:
    """The errors of multi-step forecasts on the validation split.

    All are scaled and divided by the unit of their series, so that they can be pooled.

    Args:
        errors: Shape `(samples, horizon, targets)`: actual value minus forecast, NaN where there is
            no actual value; of a network that forecasts quantiles `(samples, horizon, targets,
            quantiles)`.
        recent: Shape `(samples, targets)`: the size of the most recent errors known at each of
            these origins, relative to the usual error.
        units: Shape `(n_series, targets)`: the usual error of each series, scaled.
        ended: The most recent errors of each series at the end of the table.
    """

    errors: Floats
    recent: Floats
    units: Floats
    ended: Recent

    @property
    def of_forecasts(self) -> Floats:
        """The errors of the forecasts themselves, shape `(samples, horizon, targets)`."""
        if self.errors.ndim == 3:
            return self.errors
        return self.errors[..., self.errors.shape[3] // 2]

    @property
    def usual_unit(self) -> Floats:
        """The unit of a series that is not known, shape `(targets,)`."""
        return np.median(self.units, axis=0)
