"""The layers of a network, as configuration; the names are Keras's own."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

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


NUMBER = r"\d+(\.\d*)?(e-?\d+)?"
REGULARIZERS = {"l1": 1, "l2": 1, "l1_l2": 2}
CONSTRAINTS = {"max_norm": 1, "min_max_norm": 2, "non_neg": 0, "unit_norm": 0}


def split_term(text: str) -> tuple[str, tuple[float, ...]]:
    """A regularizer or constraint as typed: its name, and its numbers.

    >>> split_term("l1_l2:0.01,0.1")
    ('l1_l2', (0.01, 0.1))
    """
    name, _, numbers = text.partition(":")
    return name, tuple(float(number) for number in numbers.split(",") if number)


def _check_term(text: str, known: dict[str, int]) -> str:
    if re.fullmatch(rf"\w+(:{NUMBER}(,{NUMBER})*)?", text):
        name, numbers = split_term(text)
        if known.get(name) == len(numbers):
            return text
    forms = [
        ":".join([name, *[",".join(["x"] * count)] * bool(count)]) for name, count in known.items()
    ]
    raise ValueError(f"it should look like one of {', '.join(forms)}, with numbers for x")


def _regularizer(text: str) -> str:
    return _check_term(text, REGULARIZERS)


def _constraint(text: str) -> str:
    return _check_term(text, CONSTRAINTS)


Regularizer = Annotated[str, AfterValidator(_regularizer)]
Constraint = Annotated[str, AfterValidator(_constraint)]


class Frozen(BaseModel):
    """A part of the configuration: unknown keys are refused, nothing changes after."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Recurrent(Frozen):
    """What the recurrent layers have in common.

    `return_sequences` and `return_state` are no settings: they follow from the place of the layer
    in the stack. `residual` adds the layer's input to its output, projected where the widths
    differ. `merge_mode` says how the two directions are merged, "concat" where it is None.
    """

    type: Literal["lstm", "gru", "rnn"]
    units: Positive = 50
    activation: Activation = "tanh"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer | None = None
    recurrent_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None
    activity_regularizer: Regularizer | None = None
    kernel_constraint: Constraint | None = None
    recurrent_constraint: Constraint | None = None
    bias_constraint: Constraint | None = None
    dropout: Fraction = 0.0
    recurrent_dropout: Fraction = 0.0
    seed: int | None = None
    go_backwards: bool = False
    unroll: bool = False
    bidirectional: bool = False
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None = None
    residual: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.merge_mode and not self.bidirectional:
            raise ValueError("merge_mode needs bidirectional = true: there is nothing to merge")
        if self.bidirectional and self.go_backwards:
            raise ValueError("go_backwards does nothing where bidirectional reads both ways")
        return self


class Lstm(Recurrent):
    """A long short-term memory layer."""

    type: Literal["lstm"] = "lstm"
    recurrent_activation: Activation = "sigmoid"
    unit_forget_bias: bool = True
    implementation: Literal[1, 2] = 2
    use_cudnn: bool | Literal["auto"] = "auto"


class Gru(Recurrent):
    """A gated recurrent unit layer."""

    type: Literal["gru"] = "gru"
    recurrent_activation: Activation = "sigmoid"
    reset_after: bool = True
    implementation: Literal[1, 2] = 2
    use_cudnn: bool | Literal["auto"] = "auto"


class Rnn(Recurrent):
    """A fully connected recurrent layer, Keras's SimpleRNN."""

    type: Literal["rnn"] = "rnn"


def cudnn_obstacle(layer: Lstm | Gru | Rnn) -> str | None:
    """Why a layer cannot run on a GPU by cuDNN's fused kernel; None where it can.

    Source: the conditions in the documentation of Keras's LSTM and GRU layers.
    """
    if isinstance(layer, Rnn):
        return "cuDNN has no kernel for SimpleRNN layers of Keras"
    wanted = {
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "recurrent_dropout": 0.0,
        "unroll": False,
        "use_bias": True,
        "reset_after": True,
    }
    for name, value in wanted.items():
        held = getattr(layer, name, value)
        if held != value:
            return f"{name} is {held}, not {value}"
    return "use_cudnn is off" if layer.use_cudnn is False else None


class Dense(Frozen):
    """A dense layer: after the recurrent ones on the last state, before them on every step."""

    type: Literal["dense"] = "dense"
    units: Positive = 10
    activation: Activation = "linear"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None
    activity_regularizer: Regularizer | None = None
    kernel_constraint: Constraint | None = None
    bias_constraint: Constraint | None = None


class Convolution(Frozen):
    """A causal convolution over the steps: step t sees steps up to t alone."""

    type: Literal["conv"] = "conv"
    filters: Positive = 32
    kernel_size: Positive = 3
    dilation_rate: Positive = 1
    activation: Activation = "relu"
    use_bias: bool = True


class Normalization(Frozen):
    """A layer normalisation over the features of each step or state."""

    type: Literal["norm"] = "norm"
    epsilon: float = Field(1e-3, gt=0)


Layer = Annotated[
    Lstm | Gru | Rnn | Dense | Convolution | Normalization, Field(discriminator="type")
]


class Network(Frozen):
    """The stack of layers, in order; a dense layer `horizon x targets` always comes last.

    `anchor` and `window_scale` normalise each window by its own level and spread, and undo that
    in the forecast. The anchor is the last value, the mean, or, for the forecast, the same phase of
    the season before (`season_length`, filled in from the data). `skip` adds a linear map from
    the window to the horizon, which begins at zero.
    """

    layers: tuple[Layer, ...] = (Lstm(),)
    anchor: Literal["none", "last", "mean", "season"] = "none"
    window_scale: Literal["none", "std", "mad"] = "none"
    skip: Literal["none", "linear"] = "none"
    season_length: Positive = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        recurrent = [isinstance(layer, Recurrent) for layer in self.layers]
        if not any(recurrent):
            raise ValueError("a network needs at least one layer of type lstm, gru or rnn")
        last = len(recurrent) - recurrent[::-1].index(True)
        if any(isinstance(layer, Convolution) for layer in self.layers[last:]):
            raise ValueError(
                "a conv layer needs steps to run over: put it before the last recurrent layer"
            )
        return self
