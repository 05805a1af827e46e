"""The sections of the configuration: data, split, window, training."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .layers import Frozen
from .registries import LOSSES, Loss

Positive = Annotated[int, Field(ge=1)]


def _names(value: Any) -> Any:
    """A single name stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def _date(value: Any) -> Any:
    """A date of TOML or of Python as ISO 8601."""
    return value.isoformat() if isinstance(value, date) else value


def _levels(value: Any) -> Any:
    """A single level stands for a list of one; they stand in order, each once."""
    several = value if isinstance(value, list | tuple) else (value,)
    return (
        tuple(sorted(set(several))) if all(isinstance(v, int | float) for v in several) else value
    )


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


Level = Annotated[float, Field(ge=1, lt=100)]


Levels = Annotated[tuple[Level, ...], Field(min_length=1), BeforeValidator(_levels)]


class Dialect(Frozen):
    """How a text is written; what is None is found.

    Args:
        encoding: Of the text.
        delimiter: Between the cells.
        decimal: The decimal mark.
        thousands: What stands between thousands.
        na: More markers of missing values.
        query: SQL that makes the table out of a database.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    na: tuple[str, ...] = ()
    query: str | None = None


class Data(Frozen):
    """Which columns are read, and how.

    `time` is None to find the time column, "none" for no time column: rows are steps; a time whose
    parts stand in columns of their own is their names, like "year,month,day,hour".

    `series` names the columns that tell several series apart. `layout` `long`: a row is a step of
    one series; `columns`: each column is a series; `rows`: each row is one, its columns the steps.
    Covariates may be patterns; those of text, and those named in `categorical`, are categories.
    `calendar_features` are made of the times. `calendar` says which days are open: an exchange, a
    country, or `data` to learn it.

    With `label` the task is another one: sequences are mapped to numbers or classes (`task`). In
    layout `rows`, `step_features` columns are one step.
    """

    column: Names = ()
    target: Names = ()
    past_covariates: Names = ()
    future_covariates: Names = ()
    static_covariates: Names = ()
    categorical: Names = ()
    calendar_features: Names = ()
    time: str | None = None
    freq: str | None = None
    calendar: str | None = None
    season_length: Positive | None = None
    date_format: str | None = None
    dayfirst: bool | None = None
    timezone: str | None = None
    resample: str | None = None
    aggregate: Literal["mean", "sum", "last", "first", "min", "max"] | None = None
    duplicates: Literal["error", "first", "last", "mean", "sum"] = "error"
    missing: Literal["error", "interpolate", "ffill", "season", "drop", "mask"] = "error"
    na: Names = ()
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    query: str | None = None
    label: Names = ()
    task: Literal["regression", "classification"] | None = None
    layout: Literal["long", "columns", "rows"] | None = None
    series: Names = ()
    step_features: Positive | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = [name for name in ("task", "step_features") if getattr(self, name)]
        if given and not self.label:
            raise ValueError(f"{given[0]} is for sequences with a label: name it with --label")
        _check_layout(self)
        if self.categorical and not self.covariates:
            raise ValueError("categorical says which covariates are names: there are none")
        if self.step_features and self.layout != "rows":
            raise ValueError("step_features goes with layout rows: so many columns are one step")
        if self.aggregate and not self.resample:
            raise ValueError("aggregate says how rows become one step of resample: give that too")
        if self.resample and (self.freq or self.duplicates != "error"):
            raise ValueError("resample makes steps of one row each: freq and duplicates do nothing")
        if len(set(self.label)) < len(self.label):
            raise ValueError(f"label names {self.label[0]} twice: name each column once")
        both = {*self.label, *self.series} & {*self.column}
        both |= {*self.label} & {*self.series}
        if both and self.label:
            raise ValueError(f"column {min(both)} cannot be a step, a label and a name at once")
        if self.calendar and (self.resample or self.freq not in (None, "B")):
            what = "resample" if self.resample else f"freq {self.freq}"
            raise ValueError(f"calendar makes steps of open days: {what} would be another one")
        if self.date_format and self.dayfirst is not None:
            raise ValueError("date_format says where the day stands: leave dayfirst out")
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"{self.decimal} cannot be the decimal mark and between thousands")
        if self.time == "none":
            for name in ("resample", "calendar_features", "calendar"):
                if getattr(self, name):
                    raise ValueError(f"{name} needs times, and time is none")
            if self.duplicates != "error":
                raise ValueError("duplicates needs times, and time is none")
        if self.target and self.label:
            raise ValueError("target is for forecasts; what a sequence maps to is its label")
        return self

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that stand in the table."""
        return (*self.past_covariates, *self.future_covariates, *self.static_covariates)

    @property
    def dialect(self) -> Dialect:
        """How the table is written."""
        return Dialect(**{name: getattr(self, name) for name in Dialect.model_fields})

    @property
    def date_reading(self) -> dict[str, Any]:
        """How the time column is read, by the names of `parse_dates`."""
        names = ("date_format", "dayfirst", "timezone")
        return {name: getattr(self, name) for name in names}

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to forecast: `target`, or every column where none is named."""
        return self.target or self.column


def _check_layout(data: Data) -> None:
    """Refuse what a table whose columns or rows are series cannot have."""
    if data.label or data.layout in (None, "long"):
        return
    if data.covariates or data.target:
        what = "covariates" if data.covariates else "target"
        raise ValueError(f"layout {data.layout} has one value a step, and no place for {what}")
    if data.layout == "columns" and data.series:
        raise ValueError("layout columns: the columns themselves name the series")
    if data.layout == "rows":
        for name in ("time", "resample", "calendar_features", "calendar"):
            if getattr(data, name):
                raise ValueError(f"layout rows has no times for {name}: the columns are the steps")


class Split(Frozen):
    """How much of the table's end is kept for validation and test.

    Below 1 it is a fraction of the rows, else a number of steps, 0 for none; `test` may also
    be the date on which the test split begins.
    """

    validation: float | int = Field(0.1, ge=0)
    test: Annotated[float | int | str, BeforeValidator(_date)] = 0.2


class Window(Frozen):
    """The shape of a sample: `timesteps` rows in, `horizon` rows out; None: chosen by rule."""

    timesteps: Positive | None = None
    horizon: Positive | None = None
    mode: Literal["many-to-one", "many-to-many"] | None = None


class Training(Frozen):
    """How the weights are found.

    `patience` 0 trains all epochs and keeps the last weights. `loss` None: the mean squared error,
    cross-entropy for classes. `quantile` is what the pinball loss forecasts. `ema` keeps a moving
    average of the weights, of this momentum, and forecasts with that; `average` forecasts with
    the mean of the weights after the last so many epochs. `time_budget` is how many seconds the
    training of all networks may take; epochs are left out where they would not fit.
    """

    epochs: Positive = 100
    batch_size: Positive = 32
    steps_per_epoch: Positive | None = None
    learning_rate: float = Field(0.001, gt=0)
    schedule: Literal["constant", "cosine", "exponential", "plateau"] = "constant"
    weight_decay: float | None = Field(None, ge=0)
    optimizer: Literal["adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "adagrad", "lion"] = (
        "adam"
    )
    loss: Loss | None = None
    quantile: float | None = Field(None, gt=0, lt=1)
    patience: int = Field(10, ge=0)
    clip: float | None = Field(None, gt=0)
    ema: float | None = Field(None, gt=0, lt=1)
    average: Positive | None = None
    time_budget: float | None = Field(None, gt=0, allow_inf_nan=False)
    seed: int = Field(0, ge=0)
    refit: bool = False

    @model_validator(mode="before")
    @classmethod
    def _of_the_last(cls, said: Any) -> Any:
        """What is averaged is of the last epochs, so none is chosen as the best."""
        averaged = isinstance(said, dict) and said.get("average")
        return {"patience": 0} | said if averaged else said

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.quantile is not None and not LOSSES[self.loss or "mse"].takes_quantile:
            raise ValueError('quantile needs loss = "pinball"')
        if self.average and self.patience:
            raise ValueError(
                f"average is of the last epochs, and patience {self.patience} keeps the best one: "
                "patience is 0"
            )
        if self.average and self.ema:
            raise ValueError("ema averages the weights already: leave average out")
        return self
