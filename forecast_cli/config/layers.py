"""The layers of a network, as configuration; the names are Keras's own."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from ..core.errors import UsageError
from .registries import DEFAULT_CELL, Cell
from .settings import setting

_network = partial(setting, group="Network")

# fmt: off
Activation = Literal[
    "celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus",
    "softsign", "swish", "tanh",
]
Initializer = Literal[
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
    "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal", "zeros",
]
# fmt: on
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
# Positions and numbers of a few steps or columns, as a model file may state them.
Small = Annotated[int, Field(ge=-10_000, le=10_000)]


NUMBER = r"\d+(\.\d*)?(e-?\d+)?"
REGULARIZERS = {"l1": 1, "l2": 1, "l1_l2": 2}
CONSTRAINTS = {"max_norm": 1, "min_max_norm": 2, "non_neg": 0, "unit_norm": 0}


def split_term(text: str) -> tuple[str, tuple[float, ...]]:
    """Split a regularizer or constraint as typed into its name and its numbers.

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
    raise ValueError(f"must be one of {', '.join(forms)}, with numbers for x")


Regularizer = Annotated[str, AfterValidator(partial(_check_term, known=REGULARIZERS))]
Constraint = Annotated[str, AfterValidator(partial(_check_term, known=CONSTRAINTS))]


class Frozen(BaseModel):
    """A part of the configuration: unknown keys are refused, nothing changes after.

    Its numbers are finite, as JSON has no others.
    """

    # Validators are built where something is validated, and defaults are made without them: a
    # prediction needs the one of the manifest alone.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to change anything."""
        raise UsageError(
            f"A configuration does not change: `{name}` cannot be set.",
            "Make another one with configure.",
        )

    def changed(self, **fields: Any) -> Self:
        """Return a copy with other fields, not validated again; a dict changes fields of a section.

        >>> Dense().changed(units=5).units
        5
        """
        sections = {
            name: getattr(self, name).changed(**each)
            for name, each in fields.items()
            if isinstance(each, dict) and isinstance(getattr(self, name), Frozen)
        }
        return self.model_copy(update=fields | sections)


class Typed(Frozen):
    """A layer; its type counts as set, but for that of a recurrent layer without one."""

    type: str

    @model_validator(mode="after")
    def _typed(self) -> Self:
        if self.type != DEFAULT_CELL:
            self.model_fields_set.add("type")
        return self


class Recurrent(Typed):
    """What the recurrent layers have in common.

    `return_sequences` and `return_state` follow from the place of the layer in the stack and from
    the head; where they are given they must agree with that. `residual` adds the layer's input to
    its output, projected where the widths differ. `merge_mode` says how the two directions are
    merged, "concat" where it is None.
    """

    # fmt: off
    type: Cell = _network(..., "Recurrent layer.", name="cell", shown="lstm")
    units: Positive = _network(
        50, "Units of each recurrent layer; several numbers make several layers.", kind="ints",
        short="-u", metavar="N[,N...]", examples=[64, (64, 32)],
        constraints={"le": 100_000},
    )
    activation: Activation = _network(
        "tanh", "Activation of the recurrent layers, e.g. relu.", kind="str", metavar="NAME",
    )
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
    dropout: Fraction = _network(
        0.0, "Fraction of a layer's inputs dropped in training.", metavar="SHARE", shown="0",
    )
    recurrent_dropout: Fraction = _network(
        0.0, "Fraction of the state dropped in training.", metavar="SHARE", shown="0",
    )
    seed: int | None = None
    return_sequences: bool | None = None
    return_state: bool | None = None
    go_backwards: bool = False
    stateful: bool = _network(
        False, "Carry the state over from window to window, in order.",
    )
    unroll: bool = False
    zero_output_for_mask: bool = False
    bidirectional: bool = _network(False, "Read every window in both directions.")
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None = None
    residual: bool = False
    # fmt: on

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.merge_mode and not self.bidirectional:
            raise ValueError("`merge_mode` needs `bidirectional=true`")
        if self.bidirectional and self.go_backwards:
            raise ValueError("`go_backwards` has no effect with `bidirectional=true`")
        if self.stateful and (self.bidirectional or self.go_backwards):
            raise ValueError("a stateful layer must read forwards")
        if self.bidirectional and self.zero_output_for_mask:
            raise ValueError(
                "`zero_output_for_mask` is determined by Keras in bidirectional layers"
            )
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


class Dense(Typed):
    """A dense layer: after the recurrent ones on the last state, before them on every step."""

    type: Literal["dense"] = "dense"
    units: Positive = _network(
        10,
        "Hidden dense layers before the output, by their units.",
        name="dense",
        kind="ints",
        metavar="N[,N...]",
        shown="none",
        examples=[(64, 32)],
    )
    activation: Activation = "linear"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None
    activity_regularizer: Regularizer | None = None
    kernel_constraint: Constraint | None = None
    bias_constraint: Constraint | None = None


class Convolution(Typed):
    """A causal convolution over the steps: step t sees steps up to t alone."""

    type: Literal["conv"] = "conv"
    filters: Positive = 32
    kernel_size: Positive = 3
    dilation_rate: Positive = 1
    activation: Activation = "relu"
    use_bias: bool = True


class Normalization(Typed):
    """A layer normalisation over the features of each step or state."""

    type: Literal["norm"] = "norm"
    epsilon: float = Field(1e-3, gt=0)


class Mask(Typed):
    """The recurrent layers skip the steps in which a value is missing; they keep their state."""

    type: Literal["mask"] = "mask"


LAYERS: Mapping[str, type[Typed]] = {
    each.model_fields["type"].default: each
    for each in (Lstm, Gru, Rnn, Dense, Convolution, Normalization, Mask)
}


def _kind(layer: Any) -> Any:
    """Return the type of a layer; without one it is recurrent, and a preset may choose its cell."""
    if isinstance(layer, Mapping):
        return layer.get("type", DEFAULT_CELL)
    return getattr(layer, "type", None)


Layer = Annotated[
    Annotated[Lstm, Tag("lstm")]
    | Annotated[Gru, Tag("gru")]
    | Annotated[Rnn, Tag("rnn")]
    | Annotated[Dense, Tag("dense")]
    | Annotated[Convolution, Tag("conv")]
    | Annotated[Normalization, Tag("norm")]
    | Annotated[Mask, Tag("mask")],
    Discriminator(_kind),
]
