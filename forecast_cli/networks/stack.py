"""The stack of Keras layers that a configuration describes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..config.layers import (
    Convolution,
    Dense,
    Frozen,
    Layer,
    Mask,
    Normalization,
    Recurrent,
    split_term,
)
from .window_normalization import as_weights, last_known

# The Keras layer of each cell in `forecast_cli.config.registries`.
KERAS_CELLS: dict[str, type[keras.layers.Layer]] = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "rnn": keras.layers.SimpleRNN,
}
REGULARIZERS = {
    "l1": keras.regularizers.L1,
    "l2": keras.regularizers.L2,
    "l1_l2": keras.regularizers.L1L2,
}
CONSTRAINTS = {
    "max_norm": keras.constraints.MaxNorm,
    "min_max_norm": keras.constraints.MinMaxNorm,
    "non_neg": keras.constraints.NonNeg,
    "unit_norm": keras.constraints.UnitNorm,
}


def celu(values: Any) -> Any:
    """Keras's celu, in operators that ONNX has."""
    return ops.maximum(values, 0.0) + ops.minimum(ops.exp(ops.minimum(values, 0.0)) - 1.0, 0.0)


def gelu(values: Any) -> Any:
    """Keras's gelu, in operators that ONNX has."""
    return 0.5 * values * (1.0 + ops.erf(values / 2.0**0.5))


EXPORTABLE = {"celu": celu, "gelu": gelu}


class Stack:
    """Layers one after the other; applied again, they share their weights.

    Args:
        layers: As configured.
        first: The place of the first of them in the whole network, from 1: part of their names.
        sequences: Whether the last recurrent layer gives an output at every step.
        states: Whether the recurrent layers give their states out.
        prefix: Of their names.
        masks: Where the input dropout of recurrent layers is to come from outside: the list to
            which their masks are added, inputs of the network. None where Keras draws it.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        first: int = 1,
        sequences: bool = False,
        states: bool = False,
        prefix: str = "",
        masks: list[Any] | None = None,
    ) -> None:
        count = sum(isinstance(layer, Recurrent) for layer in layers)
        place = 0
        self.blocks: list[Block] = []
        for number, layer in enumerate(layers, start=first):
            place += isinstance(layer, Recurrent)
            name = f"{prefix}{layer.type}_{number}"
            steps = sequences or place < count
            block = Block(layer, name, sequences=steps, states=states)
            if masks is not None and isinstance(layer, Recurrent) and layer.dropout:
                block.core = Thinned(block.core, f"{prefix}dropout_{place}", masks)
            self.blocks.append(block)

    def __call__(
        self, inputs: Any, *, mask: Any = None, initial: Sequence[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """Apply all layers.

        Args:
            inputs: Shape `(batch, timesteps, features)`.
            mask: Shape `(batch, timesteps)`, true where a step is to be read; None for all.
            initial: For each recurrent layer the states that it begins with; None for zeros.

        Returns:
            The output of the last layer, and the states of each recurrent one.
        """
        given = iter(initial or ())
        states = []
        for block in self.blocks:
            begin = next(given, None) if block.recurrent else None
            inputs, ended = block(inputs, mask=mask, initial=begin)
            states += [ended] if block.recurrent else []
        return inputs, states


class Block:
    """One layer of a stack, with what stands around it."""

    def __init__(self, layer: Layer, name: str, *, sequences: bool, states: bool) -> None:
        self.name = name
        self.recurrent = isinstance(layer, Recurrent)
        self.residual = isinstance(layer, Recurrent) and layer.residual
        self.states = self.recurrent and states
        self.core = make_layer(layer, name, sequences=sequences, states=self.states)
        self.projection: Any = None
        self.sum: Any = None

    def __call__(
        self, inputs: Any, *, mask: Any = None, initial: Sequence[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        if not self.recurrent:
            return self.core(inputs), []
        begin = {} if initial is None else {"initial_state": list(initial)}
        output = self.core(inputs, **({} if mask is None else {"mask": mask}), **begin)
        states = list(output[1:]) if self.states else []
        output = output[0] if self.states else output
        return (self._with_residual(inputs, output, mask) if self.residual else output), states

    def _with_residual(self, inputs: Any, output: Any, mask: Any) -> Any:
        """The output plus the input; only its last known step where the output is one state."""
        if len(output.shape) < len(inputs.shape):
            known = None if mask is None else as_weights(mask, inputs)
            inputs = last_known(inputs, known)[:, 0]
        width = output.shape[-1]
        if inputs.shape[-1] != width:
            self.projection = self.projection or keras.layers.Dense(
                width, use_bias=False, name=f"{self.name}_residual"
            )
            inputs = self.projection(inputs)
        self.sum = self.sum or keras.layers.Add(name=f"{self.name}_sum")
        return self.sum([inputs, output])


class Thinned:
    """A recurrent layer whose inputs are multiplied by a mask that is an input of the network.

    One mask serves all steps of a window, as in Keras's own layers, and both directions. Where
    Keras draws one for each gate (`implementation` 1), it serves all gates.

    Args:
        core: The layer.
        name: Of the mask.
        masks: The list to which the mask is added where it is made: shape `(1, features)`, for
            all samples of a call.
    """

    def __init__(self, core: Any, name: str, masks: list[Any]) -> None:
        self.core = core
        self.name = name
        self.masks = masks
        self.mask: Any = None

    def __call__(self, inputs: Any, **more: Any) -> Any:
        if self.mask is None:
            self.mask = keras.Input(batch_shape=(1, inputs.shape[-1]), name=self.name)
            self.masks.append(self.mask)
        return self.core(inputs * self.mask[:, None], **more)


def make_layer(layer: Layer, name: str, *, sequences: bool = False, states: bool = False) -> Any:
    """The Keras layer of a configured one.

    Args:
        layer: As configured.
        name: Its name.
        sequences: Whether a recurrent layer gives an output at every step.
        states: Whether it gives its states out.
    """
    if isinstance(layer, Recurrent):
        return _recurrent(layer, name, sequences=sequences, states=states)
    if isinstance(layer, Mask):
        return keras.layers.Identity(name=name)
    return NEIGHBOURS[type(layer)](**_arguments(layer), name=name)


def _causal(**arguments: Any) -> keras.layers.Layer:
    return keras.layers.Conv1D(padding="causal", **arguments)


NEIGHBOURS: dict[type[Frozen], Any] = {
    Dense: keras.layers.Dense,
    Convolution: _causal,
    Normalization: keras.layers.LayerNormalization,
}


def _recurrent(layer: Recurrent, name: str, *, sequences: bool, states: bool) -> Any:
    arguments = _arguments(layer)
    both, merge, _ = (arguments.pop(key) for key in ("bidirectional", "merge_mode", "residual"))
    activity = arguments.pop("activity_regularizer")
    if arguments.get("implementation") == 1 and layer.dropout:
        # Keras's way to cuDNN takes the four masks of the gates for one.
        arguments["use_cudnn"] = False
    arguments |= {"return_sequences": sequences, "return_state": states}
    cell = KERAS_CELLS[layer.type](**arguments, name=name)
    if both:
        name = f"bidirectional_{name}"
        cell = keras.layers.Bidirectional(cell, merge_mode=merge or "concat", name=name)
        for inner in (cell.forward_layer, cell.backward_layer):
            _mend(inner.cell, layer)
    # Keras's SimpleRNN swallows this argument, so it is set on the layer.
    cell.activity_regularizer = activity
    return cell


def _mend(cell: Any, layer: Recurrent) -> None:
    """Set what Keras forgets of a layer that it copies for the two directions."""
    if hasattr(cell, "implementation"):
        # With both dropouts Keras has to compute by gates, and does.
        if not (layer.dropout and layer.recurrent_dropout):
            cell.implementation = getattr(layer, "implementation", cell.implementation)
    elif layer.seed is not None:
        cell.seed, cell.seed_generator = layer.seed, keras.random.SeedGenerator(layer.seed)


def _arguments(layer: Frozen) -> dict[str, Any]:
    """The settings of a layer as Keras takes them."""
    arguments: dict[str, Any] = layer.model_dump(exclude={"type"})
    for name in ("activation", "recurrent_activation"):
        if arguments.get(name) in EXPORTABLE:
            arguments[name] = EXPORTABLE[arguments[name]]
    for name, value in arguments.items():
        if value is not None and name.endswith(("_regularizer", "_constraint")):
            kinds = REGULARIZERS if name.endswith("_regularizer") else CONSTRAINTS
            kind, numbers = split_term(value)
            arguments[name] = kinds[kind](*numbers)
    return arguments
