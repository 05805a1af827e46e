"""The whole configuration of a model: frozen, validated, the same in flags, files and Python."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
