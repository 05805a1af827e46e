"""Check a network before ONNX Runtime reads it: arithmetic on arrays in the file, and nothing else.

ONNX Runtime's own parser is not asked: constants may name other files, operators other code, and
loops need not end. What it understands otherwise than this reader is refused here, such as a field
that occurs twice.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

from ..core.errors import ModelFileError

# What networks are made of: the exports of all layers, heads, ensembles and effects, and operators
# like them. None reads files, draws random numbers or holds text.
OPERATORS = frozenset((
    "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "Ceil",
    "Celu", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "Cos", "CumSum", "Div", "Elu",
    "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor", "GRU", "Gather", "GatherElements",
    "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "Greater", "GreaterOrEqual", "HardSigmoid",
    "HardSwish", "Identity", "IsInf", "IsNaN", "LSTM", "LayerNormalization", "LeakyRelu", "Less",
    "LessOrEqual", "Log", "LogSoftmax", "Loop", "MatMul", "Max", "Mean", "Min", "Mish", "Mul",
    "Neg", "Not", "Or", "Pad", "Pow", "RNN", "Range", "Reciprocal", "ReduceL1", "ReduceL2",
    "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu",
    "Reshape", "ReverseSequence", "Round", "ScatterElements", "ScatterND", "Selu", "Shape",
    "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax", "Softplus", "Softsign", "Split", "Sqrt",
    "Squeeze", "Sub", "Sum", "Tanh", "Tile", "TopK", "Transpose", "Unsqueeze", "Where", "Xor",
))  # fmt: skip
# Where these operators are from.
DOMAINS = ("", "ai.onnx")
# The fields of each message that may occur, by their numbers in onnx.proto; and those that may
# occur more than once. Left out are functions, training, external and sparse arrays.
MODEL, GRAPH = {1, 2, 3, 5, 6, 7, 8, 14}, {1, 2, 5, 10, 11, 12, 13}
NODE, ATTRIBUTE = {1, 2, 3, 4, 5, 6, 7}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20}
TENSOR = {1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 14}
REPEATED = {
    "model": {8, 14}, "graph": {1, 5, 11, 12, 13}, "node": {1, 2, 5}, "attribute": {7, 8, 9},
    "array": {1, 4, 5, 7, 10, 11},
}  # fmt: skip
FIELDS = {"model": MODEL, "graph": GRAPH, "node": NODE, "attribute": ATTRIBUTE, "array": TENSOR}
# Element types: 32-bit and 64-bit numbers, integers and truth values.
FLOAT, INT32, INT64, BOOL, DOUBLE = 1, 6, 7, 9, 11
TYPES = {FLOAT, INT32, INT64, BOOL, DOUBLE}
# The types of results that are not that of the first input.
RESULTS = dict.fromkeys(["Shape", "Size", "ArgMax", "ArgMin"], INT64) | dict.fromkeys(
    (
        "And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual",
        "Not", "Or", "Xor",
    ), BOOL
)  # fmt: skip
# More fields than the largest network has, deeper loops, longer windows, and wider pools.
MOST_FIELDS, DEEPEST, MOST_ROUNDS, WIDEST = 1_000_000, 3, 10_000_000, 100_000
Fields = dict[int, list[Any]]


def check_graph(onnx: bytes) -> None:
    """Refuse a graph that is not made of known operators on arrays within it.

    Raises:
        ModelFileError: It is refused; the message names what is not allowed.
    """
    try:
        _Reader().check_model(onnx)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelFileError(
            f"The network of the model is refused: {error}.",
            "Use model files from sources that you trust, or train again.",
        ) from None


def count_weights(onnx: bytes) -> int:
    """Return how many floating-point numbers a graph holds, which `check_graph` has accepted."""
    reader, count = _Reader(), 0
    (graph,) = reader.message("model", onnx)[7]
    for each in reader.message("graph", graph).get(5, []):
        tensor = reader.message("array", each)
        if int(tensor[2][0]) == FLOAT:
            count += prod(number for part in tensor.get(1, []) for number in _integers(part))
    return count


class _Reader:
    """Reads a graph, and counts what it has read."""

    def __init__(self) -> None:
        self.left = MOST_FIELDS

    def check_model(self, data: bytes) -> None:
        """Check a ModelProto."""
        model = self.message("model", data)
        for number in model.get(8, []):
            domain = _text(dict(self.fields(number)).get(1, b""))
            if domain not in (*DOMAINS, "ai.onnx.ml"):
                raise ValueError(f"it needs operators of {domain[:50]!r}")
        (graph,) = model[7]
        self.check_graph(graph, {}, 0)

    def fields(self, data: bytes) -> Iterator[tuple[int, Any]]:
        """Yield the number and value of each field of a message."""
        at, end = 0, len(data)
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise ValueError(f"it has more than {MOST_FIELDS:,} parts")
            key, at = _varint(data, at)
            kind = key & 7
            if kind == 2:
                size, at = _varint(data, at)
            elif kind == 0:
                number, at = _varint(data, at)
                yield key >> 3, number
                continue
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise ValueError("it is no ONNX graph")
            begin, at = at, at + size
            if at > end:
                raise ValueError("it is truncated")
            yield key >> 3, data[begin:at]

    def message(self, what: str, data: bytes) -> Fields:
        """Return the fields of a message by number; refuse unknown and repeated ones."""
        found: Fields = {}
        for number, value in self.fields(data):
            if number in found:
                found[number].append(value)
            else:
                found[number] = [value]
        if found.keys() - FIELDS[what]:
            raise ValueError(f"its {what} has fields that are not allowed")
        if any(len(each) > 1 and number not in REPEATED[what] for number, each in found.items()):
            raise ValueError(f"its {what} has a field twice")
        return found

    def check_graph(self, data: bytes, outer: dict[str, int], depth: int) -> list[int]:
        """Check a GraphProto; return the element types of its outputs, 0 where unknown.

        Args:
            data: The graph.
            outer: The types of values around it.
            depth: In how many loops it is.
        """
        if depth > DEEPEST:
            raise ValueError(f"it has loops within loops, more than {DEEPEST} deep")
        graph, types = self.message("graph", data), dict(outer)
        for given in graph.get(11, []):
            name, kind = self.declared(given)
            types[name] = kind
        counts: dict[str, int | None] = {}
        for tensor in graph.get(5, []):
            name, types[name], counts[name] = self.check_tensor(tensor)
        if depth and not graph.get(1):
            raise ValueError("it has a loop that does nothing")
        for node in graph.get(1, []):
            self.check_node(node, types, counts, depth)
        return [types.get(self.declared(each)[0], 0) for each in graph.get(12, [])]

    def declared(self, data: bytes) -> tuple[str, int]:
        """Return the name and the element type of a ValueInfoProto; 0 where it has none."""
        info = dict(self.fields(data))
        kind = dict(self.fields(info.get(2, b"")))
        tensor = dict(self.fields(kind.get(1, b"")))
        if set(kind) - {1, 6} or tensor.get(1, FLOAT) not in TYPES:
            raise ValueError("it takes or returns something other than arrays of numbers")
        return _text(info[1]), int(tensor.get(1, 0))

    def check_tensor(self, data: bytes) -> tuple[str, int, int | None]:
        """Check a TensorProto; return its name, its element type, and its value if one integer."""
        tensor = self.message("array", data)
        kind = int(tensor[2][0])
        if kind not in TYPES or tensor.get(14, [0]) != [0]:
            raise ValueError("it has an array that is not of numbers in the file")
        shape = [number for each in tensor.get(1, []) for number in _integers(each)]
        if prod(shape) > len(data) or min(shape, default=0) < 0:
            raise ValueError(f"an array of shape {tuple(shape[:9])} has only {len(data):,} bytes")
        value = None
        if kind == INT64 and prod(shape) == 1:
            raw = tensor.get(9, [b""])[0]
            several = [number for each in tensor.get(7, []) for number in _integers(each)]
            value = int.from_bytes(raw, "little", signed=True) if raw else sum(several)
        return _text(tensor.get(8, [b""])[0]), kind, value

    def check_node(
        self, data: bytes, types: dict[str, int], counts: dict[str, int | None], depth: int
    ) -> None:
        """Check a NodeProto, and note the types of its results."""
        node = self.message("node", data)
        operator = _text(node[4][0])
        domain = _text(node.get(7, [b""])[0])
        if operator not in OPERATORS or domain not in DOMAINS:
            operator = f"{domain}.{operator}" if domain else operator
            raise ValueError(f"operator {operator[:50]!r} is not allowed")
        inputs = [_text(each) for each in node.get(1, [])]
        attributes = dict(self.attribute(each) for each in node.get(5, []))
        given = [types.get(name, 0) for name in inputs]
        results = [RESULTS.get(operator, given[0] if given else 0)]
        if operator == "Loop":
            rounds = counts.get(inputs[0])
            if not inputs[0] or (rounds is not None and rounds > MOST_ROUNDS):
                raise ValueError(f"it has a loop of more than {MOST_ROUNDS:,} rounds")
            results = self.check_graph(attributes["body"][6][0], types, depth + 1)[1:]
        elif any(6 in each for each in attributes.values()):
            raise ValueError(f"operator {operator} has a graph of its own")
        elif operator == "Div" and given[:1] not in ([FLOAT], [DOUBLE]):
            raise ValueError("it divides integers")
        elif operator == "Where":
            results = given[1:2]
        elif operator == "Cast":
            results = [int(attributes["to"][3][0])]
        elif operator in ("Constant", "ConstantOfShape"):
            held = attributes.get("value", {}).get(5)
            results = [self.check_tensor(held[0])[1] if held else FLOAT]
        outputs = [_text(each) for each in node.get(2, [])]
        results += results[-1:] * (len(outputs) - len(results))
        types.update(zip(outputs, results, strict=False))

    def attribute(self, data: bytes) -> tuple[str, Fields]:
        """Return an AttributeProto by its name; refuse impossible sizes."""
        fields = self.message("attribute", data)
        name = _text(fields[1][0])
        if name in ("strides", "dilations", "kernel_shape", "hidden_size", "group"):
            sizes = [number for each in fields.get(8, []) for number in _integers(each)]
            sizes += fields.get(3, [])
            if not all(0 < size <= WIDEST for size in sizes):
                raise ValueError(f"its {name} cannot be {sizes[:9]}")
        return name, fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an integer of variable length, and the place after it."""
    value = data[at]
    at += 1
    if value < 128:
        return value, at
    value, shift = value & 127, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("it is no ONNX graph")


def _integers(value: Any) -> list[int]:
    """Return repeated 64-bit integers: one, or several in a packed field."""
    found, at = [], 0
    if isinstance(value, int):
        found = [value]
    else:
        while at < len(value):
            number, at = _varint(value, at)
            found.append(number)
    return [number - 2**64 if number >= 2**63 else number for number in found]


def _text(value: bytes) -> str:
    return str(value, "utf-8")
