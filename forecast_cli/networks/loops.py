"""The loops of recurrent layers in training: which are written out, and which XLA compiles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..config.sections import Training

# From here on the faster steps of XLA outweigh its compilation: multiply-adds in all epochs.
XLA_WORK = 2e10
# In fewer training steps of small batches the compilation takes longer than what it saves, about a
# millisecond a step.
XLA_STEPS = 3_000
# With less than this many states in a batch the loop over the steps of a window costs more than
# what happens in them: it is written out, and for longer windows that beats a loop in XLA.
LARGE_BATCH = 16384
LONGEST_UNROLLED_XLA = 12
LONGEST_UNROLLED = 64
# A step of a window that is written out takes XLA some 0.2 s to compile, and saves about 10 ns for
# each state in every training step: with so many states in all of these it pays.
UNROLLED_STATES = 1.5e7
# How many numbers the widest registers hold.
REGISTER = 16
# The share of the epochs that a training with patience has, roughly.
PATIENT = 0.3


def choose_loops(
    loops: Mapping[Any, int | None],
    training: Training,
    *,
    batch_size: int,
    steps: int,
    work: float,
    fixed: bool,
) -> tuple[bool, int]:
    """Return whether to compile with XLA, and up to how many steps a loop is written out.

    Args:
        loops: As of `find_loops`.
        training: How long it may be.
        batch_size: Windows of a batch.
        steps: Training steps in an epoch.
        work: Multiply-adds of one.
        fixed: Whether batches may have one shape.
    """
    if tf.config.list_physical_devices("GPU"):
        return False, 0
    longest = max((length or 0 for length in loops.values()), default=0)
    states = batch_size * max((max(layer.state_size) for layer in loops), default=1)
    steps *= training.epochs
    likely = steps * (PATIENT if training.patience else 1.0)
    large, pays = states >= LARGE_BATCH, likely * states >= UNROLLED_STATES
    xla = (
        fixed
        and work * steps > XLA_WORK
        and (large or steps >= XLA_STEPS)
        and (large or pays or not LONGEST_UNROLLED_XLA < longest <= LONGEST_UNROLLED)
    )
    return xla, LONGEST_UNROLLED if pays or not xla else LONGEST_UNROLLED_XLA


@contextmanager
def written_out(layers: Sequence[Any]) -> Iterator[None]:
    """Write the loops of these layers out meanwhile."""
    for layer in layers:
        layer.unroll = True
    try:
        yield
    finally:
        for layer in layers:
            layer.unroll = False


@contextmanager
def cells_for_xla(cells: Sequence[Any], size: Any) -> Iterator[None]:
    """Have XLA do less meanwhile in steps written out; what cells compute stays the same.

    Where no product of matrices comes between, XLA computes a state out of those of all steps
    before, its gradient out of those of all later ones, and again for each use: the more so, the
    longer the window. What it takes for a division it does once, and stores. A sigmoid costs it
    more than a tanh, and products with the zeros before the first step are not left out by it.

    Args:
        cells: Keras's recurrent cells.
        size: Known at run time alone, at least 0.
    """
    one = tf.cast(size >= 0, tf.float32)
    # Two layers may have one cell.
    distinct = list(dict.fromkeys(cells))
    sigmoids = [
        each for each in distinct
        if getattr(each, "recurrent_activation", None) is keras.activations.sigmoid
    ]  # fmt: skip
    for cell in distinct:
        plain = type(cell) is keras.layers.LSTMCell and not cell.dropout + cell.recurrent_dropout
        cell.call = partial(_call_lstm, cell, one) if plain else partial(_call, cell.call, one)
    for cell in sigmoids:
        cell.recurrent_activation = _sigmoid
    try:
        yield
    finally:
        for cell in distinct:
            del cell.call
        for cell in sigmoids:
            cell.recurrent_activation = keras.activations.sigmoid


def _call(real: Callable[..., Any], one: Any, *given: Any, **more: Any) -> tuple[Any, list[Any]]:
    """Call a cell; the last of its states is stored."""
    output, states = real(*given, **more)
    *first, last = states if isinstance(states, list | tuple) else [states]
    return output, [*first, keras.tree.map_structure(partial(_stored, one), last)]


def _call_lstm(
    cell: Any, one: Any, inputs: Any, states: Sequence[Any], training: bool = False
) -> tuple[Any, list[Any]]:
    """Take a step of an LSTM without dropout as Keras does; its cell state is stored."""
    output, carry = states
    gates = keras.ops.matmul(inputs, cell.kernel)
    before = tf.get_static_value(output)
    if before is None or before.any():
        gates += _product(one, output, tf.convert_to_tensor(cell.recurrent_kernel))
    if cell.use_bias:
        gates += cell.bias
    enter, keep, new, leave = tf.split(gates, 4, axis=1)
    enter, keep = cell.recurrent_activation(enter), cell.recurrent_activation(keep)
    carry = _stored(one, keep * carry + enter * cell.activation(new))
    output = cell.recurrent_activation(leave) * cell.activation(carry)
    return output, [output, carry]


def _stored(one: Any, state: Any) -> Any:
    """A state that is, as its gradient, a quotient by `one`."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def divided(state: Any) -> tuple[Any, Callable[[Any], Any]]:
        by = tf.cast(one, state.dtype)
        return state / by, lambda gradient: gradient / by

    return divided(state)


def _product(one: Any, output: Any, kernel: Any) -> Any:
    """The product of a batch and a matrix.

    The columns of a product are computed in whole registers, those that remain one by one. The
    gradient of a batch has as many columns as there are units, and transposed as many as there
    are windows: where units do not fill registers, it is computed like that. XLA would undo two
    transpositions with nothing between them.
    """
    if kernel.shape[0] % REGISTER == 0:
        return tf.matmul(output, kernel)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def product(output: Any, kernel: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        def gradients(gradient: Any) -> tuple[Any, Any]:
            transposed = tf.matmul(kernel, gradient, transpose_b=True) / tf.cast(one, kernel.dtype)
            return tf.transpose(transposed), tf.matmul(output, gradient, transpose_a=True)

        return tf.matmul(output, kernel), gradients

    return product(output, kernel)


def _sigmoid(values: Any) -> Any:
    return 0.5 * tf.tanh(0.5 * values) + 0.5


def find_loops(network: keras.Model) -> dict[Any, int | None]:
    """The recurrent layers, those inside of bidirectional ones too, and over how many steps."""
    loops: dict[Any, int | None] = {}
    for layer in network.layers:
        both = isinstance(layer, keras.layers.Bidirectional)
        inner = [layer.forward_layer, layer.backward_layer] if both else [layer]
        for each in inner:
            if isinstance(each, keras.layers.RNN):
                loops[each] = keras.tree.flatten(layer.input)[0].shape[1]
    return loops
