"""A network whose weights are an input of its graph, so that one graph serves many networks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

from ..core.errors import TrainingError
from ..core.windows import Floats, Ints
from .canonical_graph import graphs_within, make_canonical, replace_all
from .onnx_export import convert

# The name of the input. Whole numbers below the limit are exact in 32 bits, so that a graph can be
# asked where it holds which weight.
WEIGHTS, MOST = "weights", 2**24 - 1


@dataclass(frozen=True)
class WeightInputs:
    """A graph, and how the weights of a network become its input.

    Args:
        onnx: The graph; its last input has shape `(1, numbers)`.
        places: Shape `(numbers,)`: which of the weights each number is, -1 for none.
        constants: Shape `(numbers,)`: what the others are.
    """

    onnx: bytes
    places: Ints
    constants: Floats

    def row(self, weights: Floats) -> Floats:
        """Return the input, shape `(numbers,)`, of a network with `weights`, `(weights,)`."""
        own: Floats = np.where(self.places < 0, self.constants, weights[self.places])
        return own.astype(np.float32)


def flat_weights(network: keras.Model) -> Floats:
    """Return all weights of a network end to end, shape `(weights,)`."""
    parts = [np.ravel(each) for each in network.get_weights()]
    return np.concatenate(parts).astype(np.float32)


def with_flat_weights(network: keras.Model, weights: Floats) -> keras.Model:
    """Return the network with weights that `flat_weights` gave."""
    shapes = [each.shape for each in network.get_weights()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(weights, ends[:-1])
    network.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])
    return network


def export_weight_inputs(network: keras.Model) -> WeightInputs:
    """Export a network so that its graph takes the weights; those that it has do not matter.

    The graph is made of a network whose weights are their own numbers, 1, 2 and so on, and once
    more of one whose weights are less than 0: where both differ, there is a weight, and which one
    it is can be read.

    Raises:
        TrainingError: The graph holds numbers that are computed from several weights.
    """
    count = len(flat_weights(network))
    if count > MOST:
        raise _unsuitable(f"has {count:,} weights, more than {MOST:,}")
    numbers = np.arange(1, count + 1, dtype=np.float32)
    model, other = (_graph(with_flat_weights(network, sign * numbers)) for sign in (1, -1))
    found, others = list(_arrays(model.graph)), list(_arrays(other.graph))
    if len(found) != len(others):
        raise _unsuitable("has another graph where its weights are others")
    taken: list[tuple[GraphProto, TensorProto, Floats]] = []
    for (graph, tensor), (_, twin) in zip(found, others, strict=True):
        values, negative = (numpy_helper.to_array(each) for each in (tensor, twin))
        if values.shape != negative.shape:
            raise _unsuitable("has another graph where its weights are others")
        if not np.array_equal(values, negative):
            taken.append((graph, tensor, np.stack([values, negative])))
    places, constants = zip(*(_read(pair) for _, _, pair in taken), strict=True)
    _take_as_input(model.graph, [(graph, tensor) for graph, tensor, _ in taken])
    make_canonical(model)
    return WeightInputs(
        bytes(model.SerializeToString()), np.concatenate(places), np.concatenate(constants)
    )


def _graph(network: keras.Model) -> ModelProto:
    model: ModelProto = ModelProto.FromString(convert(network))
    return model


def _arrays(graph: GraphProto) -> Iterator[tuple[GraphProto, TensorProto]]:
    """Yield the arrays of a graph, and of those within it, with the graph that holds them."""
    for part in graphs_within(graph):
        for node in part.node:
            if node.op_type == "Constant" and node.attribute[0].t.data_type == TensorProto.FLOAT:
                node.attribute[0].t.name = node.output[0]
                yield part, node.attribute[0].t
        for each in part.initializer:
            if each.data_type == TensorProto.FLOAT:
                yield part, each


def _read(pair: Floats) -> tuple[Ints, Floats]:
    """Return which weight each number of an array is, -1 for none, and what the others are.

    Args:
        pair: The array with the weights 1, 2, ... and with -1, -2, ..., shape `(2, ...)`.

    Raises:
        TrainingError: Some are neither a weight nor constant.
    """
    values, negative = pair.reshape(2, -1)
    weight = (values == -negative) & (values != 0)
    if not (weight | (values == negative)).all() or not (values[weight] % 1 == 0).all():
        raise _unsuitable("computes with its weights before it reads a window")
    places = np.where(weight, values.astype(np.int64) - 1, -1)
    return places, np.where(weight, 0.0, values)


def _take_as_input(graph: GraphProto, taken: Sequence[tuple[GraphProto, TensorProto]]) -> None:
    """Replace arrays by parts of an input, in their order."""
    sizes = [int(np.prod(each.dims)) for _, each in taken]
    names = [each.name for _, each in taken]
    shapes = [list(each.dims) for _, each in taken]
    for part, tensor in taken:
        held = [each for each in part.initializer if each.name != tensor.name]
        replace_all(part.initializer, held)
        nodes = [each for each in part.node if tensor.name not in each.output]
        if len(nodes) < len(part.node):
            replace_all(part.node, nodes)
    graph.input.append(helper.make_tensor_value_info(WEIGHTS, TensorProto.FLOAT, [1, sum(sizes)]))
    parts = [f"{WEIGHTS}/{number}" for number in range(len(names))]
    constants = {f"{WEIGHTS}/sizes": sizes}
    constants |= {f"{each}/shape": shape for each, shape in zip(parts, shapes, strict=True)}
    graph.initializer.extend(
        numpy_helper.from_array(np.array(each, np.int64), name) for name, each in constants.items()
    )
    made = [helper.make_node("Split", [WEIGHTS, f"{WEIGHTS}/sizes"], parts, axis=1)]
    made += [
        helper.make_node("Reshape", [each, f"{each}/shape"], [name])
        for each, name in zip(parts, names, strict=True)
    ]
    replace_all(graph.node, [*made, *graph.node])


def _unsuitable(why: str) -> TrainingError:
    return TrainingError(
        f"The network {why}: there cannot be one for each series.",
        "Choose other layers, or leave out `per_series`.",
    )
