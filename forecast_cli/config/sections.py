"""The sections of the configuration: data, split, window, training."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from .layers import Frozen
from .registries import LOSSES, Loss
from .settings import setting

Positive = Annotated[int, Field(ge=1)]


def _names(value: Any) -> Any:
    """Return a single name as a list of one."""
    return (value,) if isinstance(value, str) else value


def _date(value: Any) -> Any:
    """Return a date of TOML or of Python as ISO 8601."""
    return value.isoformat() if isinstance(value, date) else value


def _levels(value: Any) -> Any:
    """Return levels in order, each once; a single one as a list of one."""
    several = value if isinstance(value, list | tuple) else (value,)
    return (
        tuple(sorted(set(several))) if all(isinstance(v, int | float) for v in several) else value
    )


def _check_delimiter(text: str) -> str:
    """Refuse what cannot be between cells."""
    if len(text) != 1 or not text.isascii() or text in '"\r\n\0':
        raise ValueError("must be one character, such as ; or a tab")
    return text


# As Keras has them.
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


Level = Annotated[float, Field(ge=1, lt=100)]


Levels = Annotated[tuple[Level, ...], Field(min_length=1), BeforeValidator(_levels)]


_data = partial(setting, group="Data")
_series = partial(setting, group="Many series")
_covariates = partial(setting, group="Covariates")
_labels = partial(setting, group="Labelled sequences")
_samples = partial(setting, group="Splits, scaling, windows")
_training = partial(setting, group="Training")


# fmt: off
class Dialect(Frozen):
    """How a table is written, as in `Data`; what is None is detected."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    na: tuple[str, ...] = ()
    header: int | None = None
    no_header: bool | None = None
    skip_rows: int | None = None
    skip_footer: int | None = None
    max_size: float = 2.0
    query: str | None = None


class Data(Frozen):
    """Which columns are read, and how."""

    column: Names = _data(
        (), "Column to forecast; repeat it for several, read together.", short="-c",
        metavar="NAME", shown="", common=True, examples=["Close"],
    )
    target: Names = _data(
        (), "Forecast only this one of the columns; repeatable.", metavar="NAME",
        shown="every column",
    )
    past_covariates: Names = _covariates(
        (), "Column that is known up to the forecast origin; repeatable, patterns too.",
        flag="--past-covariate", metavar="NAME", shown="", examples=["temperature"],
    )
    future_covariates: Names = _covariates(
        (), "Column that is known for the steps ahead too; repeatable, patterns too.",
        flag="--future-covariate", metavar="NAME", shown="", common=True, examples=["promotion"],
    )
    future_noise: float = _covariates(
        0.0, "Tests as if future covariates were forecasts: their error at the last step ahead, as "
        "a share of their standard deviation.", metavar="SHARE", constraints={"ge": 0},
        search=False, examples=[0.2],
    )
    static_covariates: Names = _covariates(
        (), "Column that is the same in all rows of a series.", flag="--static-covariate",
        metavar="NAME", shown="", examples=["region"],
    )
    categorical: Names = _covariates(
        (), "Covariate whose numbers are categories.", metavar="NAME", shown="those of text",
    )
    calendar_features: Names = _covariates(
        (), "Features computed from the times: auto, or minute, hour, dayofweek, day, dayofyear, "
        "week, month, quarter, weekend, holiday:KR.", metavar="NAME[,NAME...]", split=True,
        shown="", examples=["auto", "hour,dayofweek,holiday:KR"],
    )
    time: str | None = _data(
        None, "Time column; none: rows are steps; year,month,day,hour: its parts.",
        metavar="NAME", shown="detected", common=True, examples=["date", "none", "year,month"],
    )
    freq: str | None = _data(
        None, "Step between rows: 15min, h, D, B (business days), W, SMS (half-months), MS, BME "
        "(months by last business day), QS, YS, 445 (retail months).",
        metavar="ALIAS", shown="inferred", examples=["D", "h"],
    )
    calendar: str | None = _data(
        None, "Open days: an exchange (XNYS), a country (KR, US-NY), or data: learned from the "
        "table.", metavar="NAME", shown="business days where they fit", examples=["XNYS", "data"],
    )
    season_length: Positive | None = _data(
        None, "Steps in a season.", metavar="N", shown="by frequency", examples=[12],
    )
    date_format: str | None = _data(
        None, "How dates are written, e.g. %d/%m/%Y.", metavar="FORMAT", shown="detected",
        reread=True, examples=["%d/%m/%Y"],
    )
    dayfirst: bool | None = _data(
        None, "Whether 03/04/2020 is in April.", shown="detected", reread=True,
    )
    fiscal_start: Annotated[int, Field(ge=1, le=12)] | None = _data(
        None, "First month of the fiscal year, where dates are such as Q1 FY05, the fiscal year "
        "that ends in 2005.", metavar="MONTH", shown="", reread=True, examples=[10],
    )
    timezone: str | None = _data(
        None, "Time zone of the clock times, e.g. Europe/Berlin.", metavar="ZONE", shown="",
        reread=True, examples=["Europe/Berlin"],
    )
    day_zone: str | None = _data(
        None, "Time zone of the days, where it is not that of the clock times.", metavar="ZONE",
        shown="that of the times", reread=True, examples=["America/New_York"],
    )
    resample: str | None = _data(
        None, "Aggregate the rows to steps of this length: h, D, W, W-SAT (weeks that end on "
        "Saturdays), MS, QS-FEB (quarters that begin in February) ...", metavar="ALIAS",
        shown="", examples=["D"],
    )
    aggregate: Literal["mean", "sum", "last", "first", "min", "max"] | None = _data(
        None, "How rows become one step of `resample`.", shown="mean",
    )
    partial: Literal["drop", "keep"] = _data(
        "drop", "With `resample`: whether a first or last step with rows in a part of it is kept.",
        reread=True,
    )
    duplicates: Literal["error", "first", "last", "mean", "sum"] = _data(
        "error", "What to do with rows at the same time.", reread=True,
    )
    missing: Literal["error", "interpolate", "ffill", "season", "drop", "mask"] = _data(
        "error", "What to do with missing values.", reread=True, common=True,
    )
    max_filled: float = _data(
        0.05, "Largest share of the steps that may be filled, by `missing`.",
        constraints={"ge": 0, "le": 1}, metavar="SHARE", reread=True,
    )
    na: Names = _data(
        (), "Another marker of missing values; repeatable.", metavar="TEXT", shown="",
        reread=True, examples=["n/a"],
    )
    encoding: str | None = _data(
        None, "Text encoding.", metavar="NAME", shown="detected", reread=True,
        examples=["latin-1"],
    )
    delimiter: Annotated[str, AfterValidator(_check_delimiter)] | None = _data(
        None, "Delimiter between cells.", metavar="CHAR", shown="detected", reread=True,
        examples=[";"],
    )
    decimal: Literal[".", ","] | None = _data(
        None, "Decimal mark.", shown="detected", reread=True,
    )
    thousands: Annotated[str, Field(min_length=1, max_length=1)] | None = _data(
        None, "Thousands separator.", metavar="CHAR", shown="detected", reread=True,
    )
    header: Positive | None = _data(
        None, "Line that holds the names of the columns, counted from 1.", metavar="N",
        shown="detected", reread=True, examples=[4],
    )
    no_header: bool | None = _data(
        None, "There are no names: the columns are called 1, 2 and so on.", shown="no",
        reread=True,
    )
    skip_rows: Annotated[int, Field(ge=0)] | None = _data(
        None, "Lines above the header that are left out, such as titles.", metavar="N",
        shown="detected", reread=True, examples=[3],
    )
    skip_footer: Annotated[int, Field(ge=0)] | None = _data(
        None, "Lines at the end that are no rows, such as totals and notes.", metavar="N",
        shown="detected", reread=True, examples=[1],
    )
    max_size: float = _data(
        2.0, "Largest size of a compressed table when unpacked, in GB.", metavar="GB",
        constraints={"gt": 0}, reread=True,
    )
    query: str | None = _data(
        None, "SQL query whose result is the table, where DATA is a database.", metavar="SQL",
        shown="", reread=True,
    )
    label: Names = _labels(
        (), "Map each sequence to this column instead of forecasting.", metavar="NAME[,NAME...]",
        split=True, shown="",
    )
    task: Literal["regression", "classification"] | None = _labels(
        None, "Whether labels are numbers or classes.", shown="by the label",
    )
    layout: Literal["long", "columns", "rows", "years"] | None = _series(
        None, "long: a row is a step of one series; columns: each column is a series; rows: each "
        "row is one, its columns the steps; years: each row is a year, its columns the months or "
        "quarters.", shown="long",
    )
    series: Names = _series(
        (), "Columns that together name the series of a row.", metavar="NAME[,NAME...]",
        split=True, shown="", common=True, examples=["store,item"],
    )
    similar_names: Literal["error", "merge", "keep"] = _series(
        "error", "What to do with names of series that differ only in case or blanks.",
        reread=True,
    )
    step_features: Positive | None = _labels(
        None, "With `layout=rows`: columns for each step.", metavar="K", shown="1",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = [name for name in ("task", "step_features") if getattr(self, name)]
        if given and not self.label:
            raise ValueError(f"`{given[0]}` is for labelled sequences: give `label`")
        _check_layout(self)
        _check_covariates(self)
        if self.step_features and self.layout != "rows":
            raise ValueError("`step_features` needs `layout=rows`: the columns of one step")
        if self.aggregate and not self.resample:
            raise ValueError("`aggregate` needs `resample`")
        if self.partial == "keep" and not self.resample:
            raise ValueError("`partial` needs `resample`")
        if self.resample and (self.freq or self.duplicates != "error"):
            raise ValueError("`resample` determines the steps: leave out `freq` and `duplicates`")
        if len(set(self.label)) < len(self.label):
            raise ValueError(f"`label` names {self.label[0]} twice")
        both = {*self.label, *self.series} & {*self.column}
        both |= {*self.label} & {*self.series}
        if both and self.label:
            raise ValueError(f"column {min(both)} is in several of `column`, `label`, `series`")
        if self.calendar and (self.resample or self.freq not in (None, "B")):
            what = "`resample`" if self.resample else f"`freq={self.freq}`"
            raise ValueError(f"`calendar` makes steps of open days: leave out {what}")
        if self.date_format and self.dayfirst is not None:
            raise ValueError("`date_format` determines where the day stands: leave out `dayfirst`")
        if self.header and (self.no_header or self.skip_rows is not None):
            what = "no_header" if self.no_header else "skip_rows"
            raise ValueError(f"`header` counts the lines of the file: leave out `{what}`")
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"`decimal` and `thousands` are both {self.decimal}")
        if self.time == "none":
            for name in ("resample", "calendar_features", "calendar"):
                if getattr(self, name):
                    raise ValueError(f"`{name}` needs times, and `time` is none")
            if self.duplicates != "error":
                raise ValueError("`duplicates` needs times, and `time` is none")
        if self.target and self.label:
            raise ValueError("`target` is for forecasts, not for labelled sequences")
        return self

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that are columns of the table."""
        return (*self.past_covariates, *self.future_covariates, *self.static_covariates)

    @property
    def dialect(self) -> Dialect:
        """How the table is written."""
        return Dialect(**{name: getattr(self, name) for name in Dialect.model_fields})

    @property
    def date_reading(self) -> dict[str, Any]:
        """How the time column is read, by the names of `parse_dates`."""
        names = ("date_format", "dayfirst", "timezone", "day_zone", "fiscal_start")
        return {name: getattr(self, name) for name in names}

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to forecast: `target`, or every column where none is named."""
        return self.target or self.column


def _check_covariates(data: Data) -> None:
    """Refuse settings of covariates where there are none."""
    if data.categorical and not data.covariates:
        raise ValueError("`categorical` names covariates, and there are none")
    if data.future_noise and not data.future_covariates:
        raise ValueError("`future_noise` needs `future_covariates`, and there are none")


def _check_layout(data: Data) -> None:
    """Refuse what a table whose columns or rows are series cannot have."""
    if data.label or data.layout in (None, "long"):
        return
    if data.covariates or data.target:
        what = "covariates" if data.covariates else "`target`"
        raise ValueError(f"`layout={data.layout}` has one value per step: leave out {what}")
    if data.layout == "columns" and data.series:
        raise ValueError("`layout=columns`: the columns name the series, leave out `series`")
    if data.layout == "years":
        for name in ("column", "series", "time"):
            if getattr(data, name):
                raise ValueError(f"`layout=years` is one series with its times: leave out `{name}`")
    if data.layout == "rows":
        if data.time not in (None, "none"):
            raise ValueError(
                "`layout=rows`: the names of the columns are the times, where they are such; leave "
                "out `time`"
            )
        for name in ("resample", "calendar_features", "calendar"):
            if getattr(data, name):
                raise ValueError(f"`layout=rows` has no times: leave out `{name}`")


class Split(Frozen):
    """How much of the table's end is kept for validation and test.

    Below 1 it is a fraction of the rows, else a number of steps, 0 for none; `test` may also
    be the date on which the test split begins.
    """

    validation: float | int = _samples(
        0.1, "Rows before the test split for validation: a fraction, steps, or 0.",
        constraints={"ge": 0}, metavar="SIZE", kind="size", examples=[0.1, 24],
    )
    test: Annotated[float | int | str, BeforeValidator(_date)] = _samples(
        0.2, "Rows at the end for the test: a fraction, steps, 0, or the date it begins at.",
        metavar="SIZE", kind="size", common=True, examples=[0.2, 24, "2024-01-01"],
    )


class Window(Frozen):
    """The shape of a sample: `timesteps` rows in, `horizon` rows out; None: chosen by rule."""

    timesteps: Positive | None = _samples(
        None, "Lookback: steps of the input window.", short="-t", metavar="N",
        constraints={"le": 10_000_000},
        shown="2 seasons, at least 10", examples=[24],
    )
    horizon: Positive | None = _samples(
        None, "Steps ahead to forecast.", short="-H", metavar="N", shown="a season", common=True,
        search=False, examples=[5], constraints={"le": 1_000_000},
    )
    mode: Literal["many-to-one", "many-to-many"] | None = _samples(
        None, "many-to-one: one step, fed back; many-to-many: the whole horizon at once.",
        shown="many-to-many",
    )


class Training(Frozen):
    """How the network is trained; `loss` None: squared error, cross-entropy for classes."""

    epochs: Positive = _training(
        100, "Maximum number of passes over the training windows.", short="-e", metavar="N",
        common=True,
    )
    batch_size: Positive = _training(
        32, "Windows in a batch.", short="-b", metavar="N",
    )
    steps_per_epoch: Positive | None = _training(
        None, "Maximum number of batches in an epoch, drawn at random.", metavar="N", shown="all",
    )
    learning_rate: float = _training(
        0.001, "Step size of the optimizer.", constraints={"gt": 0}, short="--lr", metavar="X",
    )
    schedule: Literal["constant", "cosine", "exponential", "plateau"] = _training(
        "constant", "How the learning rate decreases from epoch to epoch.",
    )
    weight_decay: float | None = _training(
        None, "Decoupled weight decay in each step.", constraints={"ge": 0}, metavar="X",
        shown="the optimizer's own",
    )
    optimizer: Literal[
        "adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "adagrad", "lion"
    ] = _training("adam", "Optimizer.")
    loss: Loss | None = _training(
        None, "Loss; mape, smape, mase and owa are computed in original units.", shown="mse",
    )
    quantile: float | None = _training(
        None, "Quantile that the loss pinball forecasts, between 0 and 1.",
        constraints={"gt": 0, "lt": 1}, metavar="X", shown="0.5",
    )
    patience: int = _training(
        10, "Epochs without improvement before training stops and restores the best weights; "
        "0: all epochs, last weights.", constraints={"ge": 0}, metavar="N",
    )
    clip: float | None = _training(
        None, "Maximum norm of the gradient.", constraints={"gt": 0}, metavar="X",
    )
    ema: float | None = _training(
        None, "Forecast with an exponential moving average of the weights, of this momentum.",
        constraints={"gt": 0, "lt": 1}, metavar="X", shown="no",
    )
    average: Positive | None = _training(
        None, "Forecast with the mean of the weights after each of the last N epochs.",
        metavar="N", shown="no",
    )
    time_budget: float | None = _training(
        None, "Time limit for the training of all networks: 90s, 5m, 1h.",
        constraints={"gt": 0, "allow_inf_nan": False}, metavar="TIME", kind="seconds",
        shown="none", search=False, examples=["5m"],
    )
    seed: int = _training(
        0, "Random seed; with the same number of threads it gives the same model, to the bit.",
        constraints={"ge": 0}, metavar="N", search=False,
    )
    deterministic: bool = _training(
        False, "Train with one thread: slower, but the seed gives the same model, to the bit, with "
        "any number of threads of the machine.", search=False,
    )
    precision: Precision = _training(
        "float32", "Numbers that networks are trained with; the weights and the saved model are "
        "float32. The mixed ones are for GPUs with tensor cores, and not faster on a CPU.",
        search=False,
    )
    devices: Positive | None = _training(
        None, "GPUs of this machine that a network is trained on together; 1: the first one alone.",
        metavar="N", shown="all GPUs", search=False, examples=[2],
    )
    refit: bool = _training(
        False, "Train again on all rows, for the number of epochs found.", search=False,
    )
    per_series: bool = setting(
        False, "Train networks for each series on its own rows, instead of networks for all of "
        "them.", group="Many series", search=False,
    )
    # fmt: on

    @model_validator(mode="before")
    @classmethod
    def _of_the_last(cls, given: Any) -> Any:
        """Set no patience with `average`: the last epochs are averaged, none is the best."""
        averaged = isinstance(given, dict) and given.get("average")
        return {"patience": 0} | given if averaged else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.quantile is not None and not LOSSES[self.loss or "mse"].takes_quantile:
            raise ValueError("`quantile` needs `loss=pinball`")
        if self.average and self.patience:
            raise ValueError(
                f"`average` uses the last epochs, and `patience={self.patience}` the best one: "
                "give `patience=0`"
            )
        if self.average and self.ema:
            raise ValueError("`ema` averages the weights already: leave out `average`")
        return self
