"""The pretrained network in Keras: it weighs the members, moves their sum and gives quantiles.

`pretraining/` trains it on simulated series; its weights are in the ONNX file that forecasts.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import numpy_helper

from ..baselines.pretrained.features import NAMES, OF_MEMBER, OF_SERIES, ORIGINS
from ..baselines.pretrained.members import SHARPNESS
from ..baselines.pretrained.network import INPUTS, MEDIAN, QUANTILES
from ..core.windows import Floats

# Units of the layer that reads the errors of a member, of the one that reads the series, of the
# dense layers after them, and numbers that stand for a member.
UNITS, CONTEXT, DENSE, EMBEDDING = 32, 48, 64, 8
# What is added to sizes before their logarithm, and past errors that the whole counts as.
LEAST, PRIOR_COUNT = 0.02, 2.0
# How fast the weights of steps fade towards the middle, where the start and the end of a horizon
# are looked at.
SLOPE = 6.0
# The inputs, of any number of series, members and steps ahead.
SHAPES: dict[str, tuple[int | None, ...]] = {
    "members": (None, ORIGINS, None, OF_MEMBER),
    "series": (None, ORIGINS, OF_SERIES),
    "sizes": (None, None),
    "past": (None, ORIGINS, None, None),
    "known": (None, ORIGINS, None),
    "ahead": (None, None, None),
    "names": (None,),
}
SIGNATURE = [
    tf.TensorSpec(SHAPES[name], "int32" if name == "names" else "float32", name) for name in INPUTS
]


class Combination(keras.Model):  # type: ignore[misc]
    """A learned combination of the members, with quantiles.

    One recurrent layer reads the past errors of each member, another the series. Where forecasts
    lie is seen as well: what goes up does not go on as what goes down. Members get logits at the
    first and at the last step ahead, between which those of the other steps lie; without what is
    learned, weights are the inverse fourth power of the mean squared errors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names = self.add_weight(
            shape=(NAMES, EMBEDDING), initializer="random_normal", name="members"
        )
        self.errors = keras.layers.LSTM(UNITS, name="errors")
        self.context = keras.layers.LSTM(CONTEXT, name="series")
        self.logits = _dense(DENSE, 2, "logits")
        self.quantiles = _dense(DENSE, len(QUANTILES), "quantiles")

    def call(self, inputs: list[Any]) -> Any:
        """Return the quantiles, shape `(series, horizon, len(QUANTILES))`, in the unit of `ahead`.

        Args:
            inputs: Of `inputs_of`.
        """
        members, series, sizes, past, known, ahead, names = inputs
        context = self.context(self._of_origins(members, series))
        place = _places(ahead)
        prior = _prior_logits(sizes)
        states = self._states(members, tf.gather(self.names, names))
        seen = [states, prior[..., None] / SHARPNESS, _positions(ahead, prior)]
        seen.append(tf.repeat(context[:, None], tf.shape(prior)[1], axis=1))
        logits = self.logits(tf.concat(seen, axis=-1)) + prior[..., None]
        weights = tf.nn.softmax(logits[..., :1] * (1.0 - place) + logits[..., 1:] * place, axis=1)
        point = tf.reduce_sum(weights * ahead, axis=1)
        errors = tf.reduce_sum(weights[:, None] * past, axis=2)
        size, bias, count = _past_size(errors, known)
        apart = tf.sqrt(tf.reduce_sum(weights * (ahead - point[:, None]) ** 2, axis=1) + 1e-6)
        end = tf.broadcast_to(_at_end(point)[:, None], tf.shape(point))
        own = [tf.broadcast_to(place, tf.shape(point)), tf.math.log(size)]
        own += [tf.math.log(apart + LEAST) - tf.math.log(size), bias / size]
        own.append(tf.math.log(1.0 + count))
        own += [_squashed(each) for each in (point / size, point, end / size, end)]
        steps = tf.repeat(context[:, None], tf.shape(point)[1], axis=1)
        found = self.quantiles(tf.concat([tf.stack(own, axis=-1), steps], axis=-1))
        return _in_order(point, size, found)

    def _of_origins(self, members: Any, series: Any) -> Any:
        """What the layer that reads the series sees of each origin."""
        small = _squashed(members)
        parts = [_squashed(series), tf.reduce_mean(small, axis=2), tf.reduce_min(small, axis=2)]
        return tf.concat([*parts, tf.math.reduce_std(small, axis=2)], axis=-1)

    def _states(self, members: Any, own: Any) -> Any:
        """What is known of each member, shape `(series, members, UNITS + EMBEDDING)`."""
        series, many = tf.shape(members)[0], tf.shape(members)[2]
        large = tf.math.log(tf.abs(members) + LEAST)
        apart = large - tf.reduce_mean(large, axis=2, keepdims=True)
        names = tf.broadcast_to(own, (series, ORIGINS, many, EMBEDDING))
        read = tf.concat([_squashed(members), apart, names], axis=-1)
        read = tf.reshape(
            tf.transpose(read, (0, 2, 1, 3)), (-1, ORIGINS, 2 * OF_MEMBER + EMBEDDING)
        )
        states = tf.reshape(self.errors(read), (-1, many, UNITS))
        return tf.concat([states, names[:, 0]], axis=-1)


def _prior_logits(sizes: Any) -> Any:
    """Of the members before anything is learned, shape `(series, members)`."""
    return -0.5 * SHARPNESS * (sizes - tf.reduce_mean(sizes, axis=1, keepdims=True))


def _positions(ahead: Any, prior: Any) -> Any:
    """Where the forecast of each member lies at the start and at the end of the horizon.

    From the level, from the mean by the prior weights, and from that in units of the spread; then
    that mean and the spread themselves. Shape `(series, members, 10)`.
    """
    weights = tf.nn.softmax(prior, axis=1)
    found = []
    for at in (_at_start(ahead), _at_end(ahead)):
        mean = tf.reduce_sum(weights * at, axis=1, keepdims=True)
        away = at - mean
        spread = tf.sqrt(tf.reduce_sum(weights * away**2, axis=1, keepdims=True) + 1e-4)
        same = (tf.broadcast_to(each, tf.shape(at)) for each in (mean, spread))
        found += [at, away, away / spread, *same]
    return _squashed(tf.stack(found, axis=-1))


def _at_start(ahead: Any) -> Any:
    """The mean over the first steps ahead, the last axis."""
    return tf.reduce_sum(ahead * tf.nn.softmax(-SLOPE * _places(ahead)), axis=-1)


def _at_end(ahead: Any) -> Any:
    """The mean over the last steps ahead, the last axis."""
    return tf.reduce_sum(ahead * tf.nn.softmax(SLOPE * _places(ahead)), axis=-1)


def _dense(units: int, outputs: int, name: str) -> keras.Sequential:
    """Two layers, of which the last begins at zero."""
    last = keras.layers.Dense(outputs, kernel_initializer="zeros")
    return keras.Sequential([keras.layers.Dense(units, _gelu), last], name=name)


def _gelu(values: Any) -> Any:
    return keras.activations.gelu(values, approximate=True)


def _squashed(values: Any) -> Any:
    return tf.sign(values) * tf.math.log(1.0 + 3.0 * tf.abs(values))


def _places(ahead: Any) -> Any:
    """The steps ahead from 0 to 1, shape `(horizon,)`."""
    horizon = tf.shape(ahead)[-1]
    return (tf.range(horizon, dtype="float32") + 0.5) / tf.cast(horizon, "float32")


def _past_size(errors: Any, known: Any) -> tuple[Any, Any, Any]:
    """The mean absolute and the mean signed error of the combination, and how many are known.

    Returns:
        Each of shape `(series, horizon)`; steps with few past errors borrow from all steps.
    """
    size = tf.abs(errors) * known
    count = tf.reduce_sum(known, axis=1)
    whole = tf.reduce_sum(size, (1, 2)) / (tf.reduce_sum(known, (1, 2)) + 1e-6)
    some = tf.reduce_sum(size, axis=1) + PRIOR_COUNT * whole[:, None]
    bias = tf.reduce_sum(errors * known, axis=1) / (count + PRIOR_COUNT)
    return some / (count + PRIOR_COUNT) + LEAST, bias, count


def _in_order(point: Any, size: Any, found: Any) -> Any:
    """The quantiles, which never cross, from what was learned of them."""
    middle = (point + 0.5 * size * found[..., MEDIAN])[..., None]
    wide = size[..., None]
    up = tf.cumsum(tf.nn.softplus(found[..., MEDIAN + 1 :] + 0.3), axis=-1) * wide
    down = tf.cumsum(tf.nn.softplus(found[..., :MEDIAN][..., ::-1] + 0.3), axis=-1) * wide
    return tf.concat([middle - down[..., ::-1], middle, middle + up], axis=-1)


def loss(actual: Any, quantiles: Any) -> Any:
    """The mean of `losses`."""
    return tf.reduce_mean(losses(actual, quantiles))


def losses(actual: Any, quantiles: Any) -> Any:
    """The quantile loss of each series, shape `(series,)`; where errors are large it counts less.

    Args:
        actual: Shape `(series, horizon)`.
        quantiles: Shape `(series, horizon, len(QUANTILES))`.
    """
    away = actual[..., None] - quantiles
    level = tf.constant(QUANTILES)
    each = tf.reduce_mean(2.0 * tf.maximum(level * away, (level - 1.0) * away), axis=(1, 2))
    error = tf.reduce_mean(tf.abs(away[..., MEDIAN]), axis=1)
    return each / tf.sqrt(1.0 + tf.stop_gradient(error))


def read_weights(data: bytes) -> list[Floats]:
    """The weights in an ONNX file of the network, in the order of `Combination.weights`."""
    return [
        _of_keras(numpy_helper.to_array(tensor), kind)
        for tensor, kind in _tensors(onnx.load_from_string(data))
    ]


def replace_weights(data: bytes, weights: Sequence[Floats]) -> bytes:
    """An ONNX file of the network with other weights.

    Args:
        data: The file.
        weights: In the order of `Combination.weights`.
    """
    model = onnx.load_from_string(data)
    for (tensor, kind), each in zip(_tensors(model), weights, strict=True):
        array = _of_onnx(np.asarray(each, np.float32), kind)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))
    return bytes(model.SerializeToString())


def with_weights(network: Combination, weights: Sequence[Floats]) -> Combination:
    """Build the network, and give it weights in the order of `Combination.weights`."""
    # Any inputs build it: one series, two members, one step ahead.
    sizes = [[1 if size is None else size for size in each.shape] for each in SIGNATURE]
    network([tf.zeros(size, each.dtype) for size, each in zip(sizes, SIGNATURE, strict=True)])
    network.set_weights(list(weights))
    return network


def _tensors(model: onnx.ModelProto) -> Iterator[tuple[onnx.TensorProto, str]]:
    """The weights in the graph, in the order of Keras, each with what it is."""
    tensors = {each.name: each for each in model.graph.initializer}
    nodes = model.graph.node
    yield next(t for t in tensors.values() if tuple(t.dims) == (NAMES, EMBEDDING)), "names"
    recurrent = {tensors[each.input[1]].dims[1]: each for each in nodes if each.op_type == "LSTM"}
    for count in (4 * UNITS, 4 * CONTEXT):
        for place, kind in ((1, "kernel"), (2, "kernel"), (3, "bias")):
            yield tensors[recurrent[count].input[place]], kind
    for at, node in enumerate(nodes):
        if node.op_type != "MatMul" or node.input[1] not in tensors:
            continue
        kernel = tensors[node.input[1]]
        yield kernel, "dense"
        added = (name for n in nodes[at:] if n.op_type == "Add" for name in n.input)
        yield (
            next(
                tensors[n]
                for n in added
                if n in tensors and list(tensors[n].dims) == [kernel.dims[1]]
            ),
            "dense",
        )


def _of_keras(array: Floats, kind: str) -> Floats:
    """A tensor of ONNX as Keras has it: its gates are in another order, its biases in two parts."""
    if kind == "bias":
        both = array.reshape(2, -1).sum(axis=0)
        return np.concatenate([np.split(both, 4)[each] for each in (0, 2, 3, 1)])
    if kind == "kernel":
        gates = np.split(array[0], 4)
        return np.concatenate([gates[each] for each in (0, 2, 3, 1)]).T
    return array


def _of_onnx(array: Floats, kind: str) -> Floats:
    """The inverse of `_of_keras`."""
    if kind == "bias":
        gates = np.split(array, 4)
        own = np.concatenate([gates[each] for each in (0, 3, 1, 2)])
        return np.concatenate([own, np.zeros_like(own)])[None]
    if kind == "kernel":
        gates = np.split(array.T, 4)
        return np.concatenate([gates[each] for each in (0, 3, 1, 2)])[None]
    return array
