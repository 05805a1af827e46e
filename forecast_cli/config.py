"""The whole configuration of a model: frozen, validated, the same in flags, files and Python."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import UsageError, nearest

Activation = Literal[
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]
Initializer = Literal[
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "zeros",
]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]


class Frozen(BaseModel):
    """A part of the configuration: unknown keys are refused, nothing changes after."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(Frozen):
    """Which columns are read, and how.

    `time` is None to find the time column, "none" for no time column: rows are steps.
    """

    column: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    time: str | None = None
    freq: str | None = None
    season_length: Positive | None = None
    date_format: str | None = None
    timezone: str | None = None
    missing: Literal["error", "interpolate", "ffill", "drop"] = "error"
    na: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to forecast: `target`, or every column where none is named."""
        return self.target or self.column


class Split(Frozen):
    """How much of the table's end is kept for validation and test.

    Below 1 it is a fraction of the rows, else a number of steps, 0 for none; `test` may also
    be the date on which the test split begins.
    """

    validation: float | int = Field(0.1, ge=0)
    test: float | int | str = 0.2


class Window(Frozen):
    """The shape of a sample: `timesteps` rows in, `horizon` rows out; None: chosen by rule."""

    timesteps: Positive | None = None
    horizon: Positive | None = None
    mode: Literal["many-to-one", "many-to-many"] | None = None


class Recurrent(Frozen):
    """What the recurrent layers have in common; the names are Keras's own."""

    units: Positive = 50
    activation: Activation = "tanh"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    dropout: Fraction = 0.0
    recurrent_dropout: Fraction = 0.0
    go_backwards: bool = False
    unroll: bool = False
    bidirectional: bool = False


class Lstm(Recurrent):
    """A long short-term memory layer."""

    type: Literal["lstm"] = "lstm"
    recurrent_activation: Activation = "sigmoid"
    unit_forget_bias: bool = True


class Gru(Recurrent):
    """A gated recurrent unit layer."""

    type: Literal["gru"] = "gru"
    recurrent_activation: Activation = "sigmoid"
    reset_after: bool = True


class Rnn(Recurrent):
    """A fully connected recurrent layer, Keras's SimpleRNN."""

    type: Literal["rnn"] = "rnn"


class Dense(Frozen):
    """A hidden dense layer on the last state."""

    type: Literal["dense"] = "dense"
    units: Positive = 10
    activation: Activation = "linear"
    use_bias: bool = True


Layer = Annotated[Lstm | Gru | Rnn | Dense, Field(discriminator="type")]


class Network(Frozen):
    """The stack of layers, in order; a dense layer `horizon x targets` always comes last."""

    layers: tuple[Layer, ...] = (Lstm(),)


class Training(Frozen):
    """How the weights are found. `patience` 0 trains all epochs and keeps the last weights."""

    epochs: Positive = 100
    batch_size: Positive = 32
    steps_per_epoch: Positive | None = None
    learning_rate: float = Field(0.001, gt=0)
    optimizer: Literal["adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "adagrad", "lion"] = (
        "adam"
    )
    loss: Literal["mse", "mae", "huber", "log-cosh"] = "mse"
    patience: int = Field(10, ge=0)
    clip: float | None = Field(None, gt=0)
    seed: int = Field(0, ge=0)
    refit: bool = False


class Config(Frozen):
    """Everything that makes a model, apart from the data."""

    preset: Literal["classic"] = "classic"
    data: Data = Data()
    split: Split = Split()
    scaler: Literal["minmax", "standard", "robust", "none"] = "minmax"
    window: Window = Window()
    network: Network = Network()
    training: Training = Training()


# The flat names of flags and of keyword arguments, and where each one's value goes.
SECTIONS: Mapping[str, type[Frozen]] = {
    "data": Data,
    "split": Split,
    "window": Window,
    "training": Training,
}
PLACES = {name: (section, name) for section, part in SECTIONS.items() for name in part.model_fields}
LAYER_TYPES = ("lstm", "gru", "rnn", "dense")
LAYER_SETTINGS = ("activation", "dropout", "recurrent_dropout", "bidirectional")
SHORTHAND = ("cell", "units", *LAYER_SETTINGS, "dense")


def configure(settings: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> Config:
    """Make a configuration from flat settings on top of a nested one.

    Args:
        settings: Flat, as flags and keyword arguments name them, e.g. `{"units": (64, 32)}`.
        base: Nested, as in a `forecast.toml`, e.g. `{"training": {"epochs": 5}}`.

    Raises:
        UsageError: A name is unknown, or a value cannot be right.

    >>> configure({"units": (64, 32), "epochs": 5}).network.layers[1].units
    32
    """
    nested = {
        name: dict(part) if isinstance(part, Mapping) else part
        for name, part in (base or {}).items()
    }
    shorthand = {name: settings[name] for name in SHORTHAND if name in settings}
    for name, value in settings.items():
        if name in shorthand:
            continue
        if name in ("preset", "scaler"):
            nested[name] = value
        elif name in PLACES:
            section, key = PLACES[name]
            nested.setdefault(section, {})[key] = value
        else:
            valid = [*PLACES, *SHORTHAND, "preset", "scaler"]
            raise UsageError(f'There is no setting "{name}".', nearest(name, valid))
    config = _validated(nested)
    return _validated(_with_shorthand(config, shorthand)) if shorthand else config


def _with_shorthand(config: Config, shorthand: Mapping[str, Any]) -> dict[str, Any]:
    """The nested configuration with `cell`, `units`, `dense` ... spelled out as layers."""
    layers = [layer.model_dump() for layer in config.network.layers]
    recurrent = [layer for layer in layers if layer["type"] != "dense"]
    dense = [layer for layer in layers if layer["type"] == "dense"]
    if "units" in shorthand:
        first = recurrent[0] if recurrent else {"type": "lstm"}
        recurrent = [first | {"units": units} for units in shorthand["units"]]
    if "cell" in shorthand:
        recurrent = [_as_cell(layer, shorthand["cell"]) for layer in recurrent]
    if "dense" in shorthand:
        dense = [{"type": "dense", "units": units} for units in shorthand["dense"]]
    changes = {name: shorthand[name] for name in LAYER_SETTINGS if name in shorthand}
    stack = [layer | changes for layer in recurrent] + dense
    return config.model_dump() | {"network": {"layers": stack}}


def _as_cell(layer: Mapping[str, Any], cell: str) -> dict[str, Any]:
    """The same layer with another kind of cell, without what only the former kind has."""
    if layer["type"] == cell:
        return dict(layer)
    return {name: layer[name] for name in Recurrent.model_fields if name in layer} | {"type": cell}


def _validated(nested: Mapping[str, Any]) -> Config:
    try:
        return Config.model_validate(nested)
    except ValidationError as error:
        raise UsageError(*_explain(error)) from None


def _explain(error: ValidationError) -> tuple[str, str]:
    """The first thing that is wrong, as message and hint."""
    first = error.errors(include_url=False)[0]
    # A layer's type stands in the path beside its number; nobody wrote it there.
    place = ".".join(str(part) for part in first["loc"] if part not in LAYER_TYPES)
    if first["type"] == "extra_forbidden":
        return f"The configuration has no {place}.", "docs/architecture.md lists its names."
    if first["type"] == "literal_error":
        valid = first["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return f'{place} "{first["input"]}" is unknown.', nearest(str(first["input"]), valid)
    return f"{place} = {first['input']!r} cannot be: {first['msg'].lower()}.", ""


def read_toml(path: Path) -> dict[str, Any]:
    """Read the nested configuration of a `forecast.toml`.

    Raises:
        UsageError: The file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{path} is not TOML: {error}.", "Mend that line.") from None
