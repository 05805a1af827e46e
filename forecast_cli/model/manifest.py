"""The manifest of a model file: plain data, validated when it is read."""

import math
from datetime import datetime
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from ..config.covariates import NO_COVARIATES, Covariates
from ..config.ensemble import CONTEXT
from ..config.layers import Frozen
from ..config.registries import Score
from ..config.schema import Config
from ..core.scaling import Kind, Scaling
from ..core.windows import Floats
from ..data.columns import Columns
from ..data.panel import Panel
from ..data.time.business_days import OpenDays
from ..data.time.frequency import Frequency
from .records import Ending, Origin

FORMAT = 11
# A class as written in the table.
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

    @classmethod
    def of(cls, panel: Panel) -> "TimeAxis | None":
        """Return that of a table; None where rows are steps."""
        timeline = panel.timeline
        if timeline is None:
            return None
        zone = timeline.times.tz
        return cls(
            column=panel.columns.time or "time",
            style=timeline.style,
            freq=timeline.frequency.alias,
            day=timeline.frequency.day,
            last=timeline.times.max().isoformat(),
            timezone=None if zone is None else str(zone),
            open_days=timeline.frequency.open_days,
        )

    @property
    def name(self) -> str:
        """The name of the time column of a forecast."""
        return self.column if "," not in self.column else "time"

    @property
    def frequency(self) -> Frequency:
        """The frequency that the model was trained on."""
        parsed = Frequency.parse(self.freq)
        return Frequency(parsed.alias, parsed.step, parsed.months, self.day, self.open_days)


class ScalingNumbers(Frozen):
    """The fitted scaler, a number for each feature, in units after the transform."""

    center: tuple[float, ...]
    scale: tuple[float, ...]


class SplitRows(Frozen):
    """How many rows each split had, and the times at which they begin."""

    train: int
    validation: int
    test: int
    train_begins: str | None = None
    validation_begins: str | None = None
    test_begins: str | None = None


class IntervalScore(Frozen):
    """Coverage of the actual values in percent, and mean width, of intervals of a level."""

    level: float
    coverage: dict[str, float | None]
    width: dict[str, float | None]


class Evaluation(Frozen):
    """Multi-step forecasts from every origin of the test split, in original units.

    `series` is the number of series; of several, MASE is the mean over them.
    `scores[forecaster][metric][target]`; None where a measure is not defined. `model` is what the
    model is called among the forecasters.
    `skill` is by how many percent the error, `measure`, is below that of the best baseline, mean
    over targets; None where that baseline has no error. Older files name no measure: it is the MAE
    of one series, and the MASE of several.
    `intervals` are those of the configuration, in order of their levels. `warnings`
    are reasons not to rely on the scores or the network, a sentence each.
    """

    horizon: int
    origins: int
    series: int = 1
    season_length: int
    model: str
    scores: dict[str, dict[Score, dict[str, float | None]]]
    best_baseline: str
    skill: float | None
    measure: Score | None = None
    verdict: str
    intervals: tuple[IntervalScore, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def own_scores(self) -> dict[Score, dict[str, float | None]]:
        """The scores of the model, by metric and target."""
        return self.scores[self.model]

    def _repr_html_(self) -> str:
        """Return the verdict and the scores for a notebook."""
        import html

        metrics = list(next(iter(self.scores.values())))
        rows = [["forecast", "column", *metrics]]
        rows += [
            [name, target, *("" if v[target] is None else f"{v[target]:.5g}" for v in own.values())]
            for name, own in self.scores.items()
            for target in own[metrics[0]]
        ]
        cells = ["".join(f"<td>{html.escape(str(each))}</td>" for each in row) for row in rows]
        table = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<p>{html.escape(self.verdict)}</p><table>{table}</table>"


class LabelEvaluation(Frozen):
    """Scores of the labels of the test split, compared with the simplest prediction.

    `scores[guesser][metric][label]`; None where a measure is not defined. `model` is the guesser
    that was trained. `confusion` counts the
    sequences of each class, in order, by their predicted class. `skill` is by how
    many percent the error (of classes the share of wrong ones, of numbers the mean absolute error,
    mean over labels) is below that of the simplest prediction; None where that has no error.
    """

    sequences: int
    model: str
    scores: dict[str, dict[str, dict[str, float | None]]]
    confusion: tuple[tuple[int, ...], ...] = ()
    best_baseline: str
    skill: float | None
    verdict: str

    @property
    def own_scores(self) -> dict[str, dict[str, float | None]]:
        """The scores of the model, by metric and label."""
        return self.scores[self.model]


class LabelAxis(Frozen):
    """The labels of a sequence, and the columns of its steps.

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
    """A record of the training; models that Python trained have no origin."""

    created: datetime
    seconds: float
    epochs: int
    best_epoch: int
    stopped: Ending
    refitted: bool
    windows: int
    versions: dict[str, str]
    origin: Origin | None = None


class MemberRecord(Frozen):
    """The pretrained network as a member of an ensemble.

    `shares` are its weights by target, `season_length` the steps of the season that it looks for,
    and `probe` is as in `Manifest`.
    """

    shares: tuple[float, ...]
    season_length: int = Field(ge=1)
    probe: tuple[float, ...]


class Manifest(Frozen):
    """Everything in a model file but the arrays.

    `lower` is what the forecasts of each feature are not below, None for no bound; empty for no
    bounds, as in older files. `intermittent` is whether most of the training values were 0. `name`
    and `description` are those of `ModelName`. `weights` are those of the members by target, of
    sum 1; empty for a median and in older files. `importance` is by how many percent the error
    rises where a covariate is permuted; empty where that was not measured. `future_errors` are the
    sizes of the errors of features in tests, scaled; empty where none has any. `probe` is what the
    pretrained network forecast of a fixed series, by which a later version knows whether it reads
    series as this one does; empty for trained networks. `member` is the pretrained network as a
    member of an ensemble; None where it is none.
    """

    format: int = Field(FORMAT, ge=1)
    name: str
    description: str
    config: Config
    features: tuple[str, ...]
    targets: tuple[str, ...]
    covariates: Covariates = NO_COVARIATES
    series: tuple[str, ...] = ()
    time: TimeAxis | None
    scaling: ScalingNumbers | None
    lower: tuple[float | None, ...] = ()
    intermittent: bool = False
    weights: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    importance: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    future_errors: tuple[float, ...] = ()
    probe: tuple[float, ...] = ()
    member: MemberRecord | None = None
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
        if self.lower and len(self.lower) != len(self.features):
            raise ValueError("there must be one lower bound per feature")
        self._check_scores()
        numbers = self.scaling
        if numbers is None:
            return self
        if not len(numbers.center) == len(numbers.scale) == len(self.features):
            raise ValueError("the scaler must have one number per feature")
        if not all(map(math.isfinite, (*numbers.center, *numbers.scale))) or 0 in numbers.scale:
            raise ValueError("the scaler's numbers must be finite, and its scale not 0")
        return self

    def _check_scores(self) -> None:
        """Refuse scores without a row of the model, or not of the values that are forecast."""
        evaluation = self.evaluation
        if evaluation is None:
            return
        names = set(self.labels.names if self.labels else self.targets)
        if not {evaluation.model, evaluation.best_baseline} <= evaluation.scores.keys():
            raise ValueError("the scores lack those of the model or of the best baseline")
        if not all(evaluation.scores.values()):
            raise ValueError("a forecast has no scores")
        rows = [row for scores in evaluation.scores.values() for row in scores.values()]
        if isinstance(evaluation, Evaluation):
            rows += [row for each in evaluation.intervals for row in (each.coverage, each.width)]
        if any(row.keys() != names for row in rows):
            raise ValueError("the scores are not those of the targets")

    @property
    def columns(self) -> Columns:
        """The columns that are read, by their roles."""
        own = tuple(name for name in self.features if name not in self.covariates.names)
        time = self.time.column if self.time else None
        return Columns(time, own, self.targets, self.covariates, self.series)

    @property
    def timesteps(self) -> int:
        """The lookback."""
        return self.config.window.timesteps or 1

    @property
    def context(self) -> int:
        """Rows of a series that a forecast reads at most."""
        return max(self.timesteps, CONTEXT) if self.member else self.timesteps

    @property
    def horizon(self) -> int:
        """The horizon that the model was trained for."""
        return self.config.window.horizon or 1

    @property
    def scaler(self) -> Scaling:
        """The scaling, where all series share one."""
        numbers = self.scaling
        if numbers is None:
            raise ValueError("each series has a scaling of its own")
        return self.make_scaler(np.array(numbers.center), np.array(numbers.scale))

    def make_scaler(self, center: Floats, scale: Floats) -> Scaling:
        """Return a scaling; its numbers have shape `(features,)` or `(n_series, features)`."""
        count = len(self.features) - len(self.covariates.names)
        lower = None
        if self.lower:
            lower = np.array([-np.inf if each is None else each for each in self.lower])
        return Scaling(self.config.scaler, center, scale, self.config.transform, count, lower)

    @property
    def target_places(self) -> list[int]:
        """The positions of the targets among the features."""
        return [self.features.index(name) for name in self.targets]

    @property
    def parameters(self) -> int:
        """Number of weights of the network."""
        return sum(layer.parameters for layer in self.layers)
