"""The network as configuration: a stack of layers, a head, and how windows are read."""

from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .layers import Convolution, Frozen, Layer, Lstm, Mask, Positive, Recurrent
from .registries import CELLS
from .settings import setting

_network = partial(setting, group="Network")

Anchor = Literal["none", "last", "mean", "season"]
Head = Literal["last", "sequence", "encoder-decoder", "recursive", "segments"]


class Network(Frozen):
    """A stack of layers in order, and the head that makes forecasts of their states.

    Args:
        layers: From the window to the states.
        head: `last` forecasts from the last state; `sequence` at every step, and learns from all
            of them; `encoder-decoder` hands the states over to a second stack that runs over the
            horizon; `recursive` forecasts one step and is fed back; `segments` decodes the horizon
            by segments, all at once.
        decoder: What the second stack reads: `repeat`, the last output at every step, or
            `teacher`, the previous value: the actual one in training, its own in a forecast. None
            is `repeat`.
        segment: The window is cut into segments of so many steps; the layers run over segments.
        channels: `independent`: one network for all columns, each read by itself.
        anchor: Each window is read relative to its last value or its mean, and so is the
            forecast; `season`: the forecast is relative to the same phase of the season before.
        window_scale: Each window is read in units of its own spread; `usual`: in units of the
            usual spread of the training windows, the same for all.
        padding: The left padding of a series that is shorter than the window: `mask`, missing
            steps that are skipped; `first`, its first value, repeated.
        skip: `linear` adds a linear map from window to horizon, which begins at zero.
        embedding: The length of the vector that is learned for each category; None: one-hot where
            there are few, else about the square root of their number.
        season_length: Steps in the season of `anchor=season`, and of the pretrained network; filled
            in from the data.
        usual_spread: The spread of `window_scale=usual`, scaled; filled in from the data.
        pretrained: Whether it is the network that was trained on simulated series beforehand, of
            which no other setting changes anything; filled in by a preset.
        finetuned: Whether that network is trained further on the training rows.
    """

    # fmt: off
    layers: tuple[Layer, ...] = (Lstm.model_construct(),)
    head: Head = _network(
        "last", "How a forecast is made of the states.",
    )
    decoder: Literal["repeat", "teacher"] | None = _network(
        None, "Input of the decoder of encoder-decoder: the last output, repeated, or the previous "
        "value.", shown="repeat",
    )
    segment: Positive | None = _network(
        None, "Cut the window into segments of N steps; the layers run over segments.",
        metavar="N", shown="steps",
    )
    channels: Literal["joint", "independent"] = _network(
        "joint", "Read several columns together, or each by itself with one network for all.",
    )
    anchor: Anchor = _network(
        "none", "Read each window relative to its own level, and forecast relative to it.",
    )
    window_scale: Literal["none", "std", "mad", "usual"] = _network(
        "none", "Read each window in units of its own spread, or (usual) of the typical spread of "
        "training windows.",
    )
    padding: Literal["mask", "first"] = _network(
        "mask", "Left padding of a series shorter than the window: missing steps, or its first "
        "value.",
    )
    skip: Literal["none", "linear"] = _network(
        "none", "Add a linear map from the window to the horizon.",
    )
    embedding: Positive | None = setting(
        None, "Length of the vector learned for each category.", group="Covariates", metavar="N",
        shown="one-hot where there are few",
    )
    # fmt: on
    season_length: Positive = 1
    usual_spread: Annotated[float, Field(gt=0)] = 1.0
    pretrained: bool = False
    finetuned: bool = False

    @property
    def recurrent(self) -> tuple[Recurrent, ...]:
        """The recurrent layers alone."""
        return tuple(layer for layer in self.layers if isinstance(layer, Recurrent))

    @property
    def stateful(self) -> bool:
        """Whether the state is carried over from one window to the next."""
        return any(layer.stateful for layer in self.recurrent)

    @property
    def masked(self) -> bool:
        """Whether steps may be missing."""
        return any(isinstance(layer, Mask) for layer in self.layers)

    @property
    def takes_short(self) -> bool:
        """Whether it reads series that are shorter than its window."""
        return self.masked or self.padding == "first" or self.pretrained

    @property
    def hands_over(self) -> bool:
        """Whether the head decodes from the final states of the recurrent layers."""
        return self.head in ("encoder-decoder", "segments")

    @property
    def relative(self) -> str:
        """Which settings read a window relative to itself, or as a whole; empty where none does."""
        return " and ".join(
            f"{name} {value}"
            for name, value in (
                ("anchor", self.anchor),
                ("window_scale", self.window_scale),
                ("skip", self.skip),
                ("segment", self.segment),
            )
            if value not in ("none", None)
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_network(self)
        return self


def check_network(network: Network) -> None:
    """Refuse settings of the network that do not go together.

    Raises:
        ValueError: Two settings contradict each other.
    """
    if not network.recurrent:
        raise ValueError(f"a network needs at least one layer of type {', '.join(CELLS)}")
    _check_stack(network)
    _check_returns(network)
    _check_head(network)
    _check_stateful(network)


def _check_stack(network: Network) -> None:
    layers = network.layers
    last = max(at for at, layer in enumerate(layers) if isinstance(layer, Recurrent))
    after = any(isinstance(layer, Convolution) for layer in layers[last:])
    if after and network.head != "sequence":
        raise ValueError(
            "a conv layer needs steps to run over: put it before the last recurrent layer"
        )
    if any(isinstance(layer, Mask) for layer in layers[1:]):
        raise ValueError("the mask layer must be the first layer")
    if network.masked and any(isinstance(layer, Convolution) for layer in layers):
        raise ValueError("a conv layer cannot skip missing steps: leave out that or the mask layer")
    if network.masked and network.anchor == "season":
        raise ValueError(
            "`anchor=season` needs a complete season, and a mask layer allows missing steps"
        )
    if not network.masked and any(layer.zero_output_for_mask for layer in network.recurrent):
        raise ValueError("`zero_output_for_mask` has no effect without a mask layer")


def _check_returns(network: Network) -> None:
    """Refuse settings that contradict the position of a layer in the stack."""
    for number, layer in enumerate(network.recurrent, start=1):
        last = number == len(network.recurrent)
        steps = not last or network.head == "sequence"
        if layer.return_sequences not in (None, steps):
            why = (
                f"`head={network.head}` requires it"
                if last
                else "the next recurrent layer needs steps to run over"
            )
            raise ValueError(
                f"`return_sequences` of recurrent layer {number} must be {steps}: {why}"
            )
        if layer.return_state not in (None, network.hands_over):
            why = "uses the states" if network.hands_over else "does not use the states"
            raise ValueError(
                f"`return_state` of recurrent layer {number} must be {network.hands_over}: "
                f"`head={network.head}` {why}"
            )


def _check_head(network: Network) -> None:
    head = network.head
    if network.decoder and head != "encoder-decoder":
        raise ValueError(f"`decoder` needs `head=encoder-decoder`; head {head} has none")
    if head == "segments" and network.segment is None:
        raise ValueError("`head=segments` needs `segment`: the steps in one segment")
    if head == "sequence" and network.relative:
        raise ValueError(
            f"`head=sequence` forecasts at every step, and {network.relative} would show it "
            "later steps"
        )
    if head == "sequence" and any(
        layer.bidirectional or layer.go_backwards for layer in network.recurrent
    ):
        raise ValueError(
            "`head=sequence` forecasts at every step, and a layer that reads backwards would show "
            "it later steps"
        )
    if head == "encoder-decoder" and any(layer.residual for layer in network.recurrent):
        raise ValueError("`residual` is for one stack; an encoder-decoder has two")
    if head == "segments" and any(isinstance(layer, Convolution) for layer in network.layers):
        raise ValueError("`head=segments` decodes step by step, which a conv layer cannot")


def _check_stateful(network: Network) -> None:
    if not network.stateful:
        return
    if not all(layer.stateful for layer in network.recurrent):
        raise ValueError("`stateful` must be the same for all recurrent layers")
    if network.hands_over:
        raise ValueError(f"stateful networks do not support `head={network.head}`")
    if network.relative or network.channels == "independent":
        what = network.relative or "channels independent"
        raise ValueError(f"stateful networks do not support per-window settings ({what})")
    if any(isinstance(layer, Convolution) for layer in network.layers):
        raise ValueError(
            "stateful networks do not support conv layers, which begin again with each window"
        )


def cudnn_obstacle(layer: Recurrent) -> str | None:
    """Return why a layer cannot use cuDNN's fused kernel on a GPU; None where it can.

    Source: the conditions in the documentation of Keras's LSTM and GRU layers.
    """
    if not CELLS[layer.type].cudnn:
        return f"cuDNN has no kernel for {CELLS[layer.type].keras} layers of Keras"
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
    if getattr(layer, "implementation", 2) == 1 and layer.dropout:
        return "implementation is 1, which needs another dropout for each gate"
    return "use_cudnn is off" if getattr(layer, "use_cudnn", True) is False else None
