"""What a model file says of itself: plain data, checked when it is read."""

import math
from datetime import datetime
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from ..config.covariates import Covariates
from ..config.layers import Frozen
from ..config.registries import Metric
from ..config.schema import Config
from ..core.scaling import Kind, Scaling
from ..core.windows import Floats
from ..data.columns import Columns
from ..data.time.business_days import OpenDays
from .history import Ending

FORMAT = 6
# A class as it stands in the table.
Class = bool | int | float | str


class TimeAxis(Frozen):
    """The time column, the step between rows, and the last row's time.

    `last` is ISO 8601; `timezone` an IANA name or a fixed offset like "UTC+01:00", None for clock
    times without a zone. Of several series it is that of the one that ends last. `open_days` are
    the business days, where they are not Monday to Friday.
    """

    column: str
    style: str
    freq: str
    day: int = Field(ge=1, le=31)
    last: str
    timezone: str | None
    open_days: OpenDays | None = None

    @property
    def name(self) -> str:
        """What the time column of a forecast is called."""
        return self.column if "," not in self.column else "time"


class ScalingNumbers(Frozen):
    """The fitted scaler, a number for each feature, in units after the transform."""

    center: tuple[float, ...]
    scale: tuple[float, ...]


class SplitRows(Frozen):
    """How many rows each split had, and the times at which validation and test begin."""

    train: int
    validation: int
    test: int
    validation_begins: str | None = None
    test_begins: str | None = None


class IntervalScore(Frozen):
    """How intervals of a level fared: percent of the actual values within, and their mean width."""

    level: float
    coverage: dict[str, float | None]
    width: dict[str, float | None]


class Evaluation(Frozen):
    """Multi-step forecasts from every origin of the test split, in original units.

    `series` says over how many series; of several, MASE is the mean over them.
    `scores[forecaster][metric][target]`; None where a measure is not defined.
    `skill` is by how many percent the error (of one series the MAE, of several the MASE) is below
    that of the best baseline, mean over targets; None where that baseline makes no error.
    `intervals` are those that the configuration asks for, in order of their levels. `warnings`
    are reasons not to rely on the scores or the network, a sentence each.
    """

    horizon: int
    origins: int
    series: int = 1
    season_length: int
    scores: dict[str, dict[Metric, dict[str, float | None]]]
    best_baseline: str
    skill: float | None
    verdict: str
    intervals: tuple[IntervalScore, ...] = ()
    warnings: tuple[str, ...] = ()


class LabelEvaluation(Frozen):
    """Labels of the sequences of the test split, beside the simplest guess.

    `scores[guesser][metric][label]`; None where a measure is not defined. `confusion` counts the
    sequences of each class, in order, by the class that the network gives them. `skill` is by how
    many percent the error (of classes the share of wrong ones, of numbers the mean absolute error,
    mean over labels) is below that of the simplest guess; None where that makes none.
    """

    sequences: int
    scores: dict[str, dict[str, dict[str, float | None]]]
    confusion: tuple[tuple[int, ...], ...] = ()
    best_baseline: str
    skill: float | None
    verdict: str


class LabelAxis(Frozen):
    """What a sequence is mapped to, and where its steps stand in a table.

    `classes` are in the order of the network's outputs; empty where labels are numbers, which then
    have a scaler: `scaling`.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    classes: tuple[Class, ...] = ()
    scaling: ScalingNumbers | None = None

    def scaler(self, kind: Kind) -> Scaling:
        """The scaling of labels that are numbers."""
        if self.scaling is None:
            raise ValueError("classes have no scaler")
        return Scaling(kind, np.array(self.scaling.center), np.array(self.scaling.scale))


class LayerRow(Frozen):
    """A layer as in Keras's summary; the shape is without the batch."""

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int


class Run(Frozen):
    """How the training went."""

    created: datetime
    seconds: float
    epochs: int
    best_epoch: int
    stopped: Ending
    refitted: bool
    windows: int
    versions: dict[str, str]


class Manifest(Frozen):
    """Everything in a model file but the arrays."""

    format: int = Field(FORMAT, ge=1)
    config: Config
    features: tuple[str, ...]
    targets: tuple[str, ...]
    covariates: Covariates = Covariates()
    series: tuple[str, ...] = ()
    time: TimeAxis | None
    scaling: ScalingNumbers | None
    splits: SplitRows
    evaluation: Evaluation | LabelEvaluation | None
    labels: LabelAxis | None = None
    layers: tuple[LayerRow, ...]
    run: Run
    rows: int
    sha256: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        forecast = self.labels is None
        if (forecast and not set(self.targets) <= set(self.features)) or not self.features:
            raise ValueError("the targets are not among the features")
        if not set(self.covariates.names) <= set(self.features) - set(self.targets):
            raise ValueError("the covariates are not among the features")
        numbers = self.scaling
        if numbers is None:
            return self
        if not len(numbers.center) == len(numbers.scale) == len(self.features):
            raise ValueError("the scaler has not one number for each feature")
        if not all(map(math.isfinite, (*numbers.center, *numbers.scale))) or 0 in numbers.scale:
            raise ValueError("the scaler's numbers cannot be")
        return self

    @property
    def columns(self) -> Columns:
        """What is read, and as what."""
        own = tuple(name for name in self.features if name not in self.covariates.names)
        time = self.time.column if self.time else None
        return Columns(time, own, self.targets, self.covariates, self.series)

    @property
    def timesteps(self) -> int:
        """Steps back."""
        return self.config.window.timesteps or 1

    @property
    def horizon(self) -> int:
        """Steps ahead that the model was made for."""
        return self.config.window.horizon or 1

    @property
    def scaler(self) -> Scaling:
        """The scaling at work, where all series have one together."""
        numbers = self.scaling
        if numbers is None:
            raise ValueError("each series has a scaling of its own")
        return self.make_scaler(np.array(numbers.center), np.array(numbers.scale))

    def make_scaler(self, center: Floats, scale: Floats) -> Scaling:
        """The scaling with these numbers."""
        count = len(self.features) - len(self.covariates.names)
        return Scaling(self.config.scaler, center, scale, self.config.transform, count)

    @property
    def target_places(self) -> list[int]:
        """Where the targets stand among the features."""
        return [self.features.index(name) for name in self.targets]

    @property
    def parameters(self) -> int:
        """How many weights the network has."""
        return sum(layer.parameters for layer in self.layers)
