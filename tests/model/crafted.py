"""Model files made on purpose: a good one with other contents, and the hashes put right again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, load_from_string
from onnx.numpy_helper import from_array

GOLDEN = Path(__file__).parents[1] / "golden"
NETWORK, FLOAT, INT64, BOOL = (
    "network.onnx", TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL,
)  # fmt: skip
Entries = dict[str, bytes]


def read_entries(path: Path) -> Entries:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_model(
    path: Path, entries: Entries, *, like: Callable[[bytes], bytes] | None = None
) -> Path:
    """Write entries as a model file, the manifest with their hashes; `like` alters its text."""
    manifest = json.loads(entries["manifest.json"])
    manifest["sha256"] = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in entries.items()
        if name != "manifest.json"
    }
    text = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", like(text) if like else text)
        for name, data in entries.items():
            if name != "manifest.json":
                archive.writestr(name, data)
    return path


def with_leaf(entries: Entries, path: str, value: Any) -> Entries:
    """Entries whose manifest has another value at a place such as `time.last`."""
    manifest = json.loads(entries["manifest.json"])
    part = manifest
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in way:
        part = part[key]
    part[last] = value
    return entries | {"manifest.json": json.dumps(manifest).encode()}


def array_bytes(values: Any, **more: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **more)
    return buffer.getvalue()


def archive_of_arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    return buffer.getvalue()


def headed(shape: tuple[int, ...]) -> bytes:
    """The header of an array, and nothing behind it."""
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def altered_network(entries: Entries, alter: Callable[[ModelProto], None]) -> Entries:
    model = load_from_string(entries[NETWORK])
    alter(model)
    return entries | {NETWORK: model.SerializeToString()}


def info(name: str, kind: int = FLOAT, shape: Any = None) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def network(
    nodes: list[NodeProto],
    constants: dict[str, Any] | None = None,
    *,
    inputs: Any = (None, 13, 1),
    outputs: Any = (None, 3, 1),
    kinds: tuple[int, int] = (FLOAT, FLOAT),
) -> bytes:
    """A network from `window` to `out`, of the shapes of the golden model's."""
    held = [from_array(np.asarray(each), name) for name, each in (constants or {}).items()]
    graph = helper.make_graph(
        nodes, "g", [info("window", kinds[0], inputs)], [info("out", kinds[1], outputs)], held
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return bytes(model.SerializeToString())


def node(operator: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


# The last three steps of a window, as a forecast.
LAST = {"begin": [10], "end": [13], "axis": [1]}


def last_steps(source: str) -> NodeProto:
    return node("Slice", f"{source} begin end axis", "out")


def loop(body: list[NodeProto], results: str = "more same", trip: str = "many") -> NodeProto:
    """A loop over the window; its body has `round`, `go` and `held`."""
    more, same = results.split()
    graph: GraphProto = helper.make_graph(
        body,
        "body",
        [info("round", INT64, []), info("go", BOOL, []), info("held")],
        [info(more, BOOL, []), info(same)],
    )
    return helper.make_node("Loop", [trip, "yes", "window"], ["looped"], body=graph)


GO_ON = [node("Identity", "go", "more"), node("Neg", "held", "same")]
ENDLESS = {"many": np.array(2**62), "yes": np.array(True), **LAST}
COMPUTED = [
    node("Shape", "window", "sizes"), node("ReduceProd", "sizes", "size", keepdims=0),
    node("Mul", "size size", "square"), node("Mul", "square square", "fourth"),
    node("Mul", "fourth fourth", "eighth"), node("Mul", "eighth eighth", "many"),
]  # fmt: skip


def doubled(times: int) -> list[NodeProto]:
    """A window beside itself, twice as large each time."""
    names = ["window", *[f"d{number}" for number in range(times)]]
    return [node("Concat", f"{old} {old}", new, axis=0) for old, new in pairwise(names)]


def external(model: ModelProto) -> None:
    held = model.graph.initializer[0]
    held.ClearField("raw_data")
    held.data_location = TensorProto.EXTERNAL
    held.external_data.add(key="location", value="/etc/passwd")


def custom(model: ModelProto) -> None:
    model.opset_import.add(domain="evil", version=1)
    model.graph.node[0].domain = "evil"


def with_function(model: ModelProto) -> None:
    model.functions.add(name="F", domain="")


# Networks that are none, or not those of the golden model.
NETWORKS: dict[str, bytes] = {
    "no inputs": helper.make_model(
        helper.make_graph(
            [], "g", [], [info("a", FLOAT, [1, 3, 1])],
            [from_array(np.zeros((1, 3, 1), np.float32), "a")],
        ), opset_imports=[helper.make_opsetid("", 15)], ir_version=8,
    ).SerializeToString(),
    "two inputs": helper.make_model(
        helper.make_graph(
            [last_steps("window")], "g", [info("window", FLOAT, [None, 13, 1]), info("b")],
            [info("out", FLOAT, [None, 3, 1])],
            [from_array(np.array(each), name) for name, each in LAST.items()],
        ), opset_imports=[helper.make_opsetid("", 15)], ir_version=8,
    ).SerializeToString(),
    "input of rank 2": network([node("Identity", "window", "out")], inputs=(None, 3)),
    "other features": network([last_steps("window")], LAST, inputs=(None, 13, 2)),
    "other lookback": network([last_steps("window")], LAST, inputs=(None, 14, 1)),
    "output of rank 2": network([node("Flatten", "window", "out")], outputs=(None, 13)),
    "horizon 0": network(
        [last_steps("window")], LAST | {"end": [10]}, outputs=(None, 0, 1)
    ),
    "other horizon": network(
        [last_steps("window")], LAST | {"begin": [8]}, outputs=(None, 5, 1)
    ),
    "quantiles": network(
        [node("Slice", "window begin end axis", "s"), node("Unsqueeze", "s axis", "out")],
        LAST | {"axis": [1]}, outputs=(None, 3, 1, 1),
    ),
    "a horizon that it does not make": network([node("Identity", "window", "out")]),
    "integers in": network(
        [node("Cast", "window", "f", to=FLOAT), last_steps("f")], LAST, kinds=(INT64, FLOAT)
    ),
    "integers out": network(
        [node("Cast", "window", "f", to=INT64), last_steps("f")], LAST, kinds=(FLOAT, INT64)
    ),
    "text out": network(
        [node("Cast", "window", "f", to=TensorProto.STRING), last_steps("f")], LAST,
        kinds=(FLOAT, TensorProto.STRING),
    ),
    "integers divided by zero": network(
        [node("Shape", "window", "s"), node("Div", "s zero", "d"),
         node("Cast", "d", "f", to=FLOAT), node("Add", "window f", "a"), last_steps("a")],
        LAST | {"zero": [0, 0, 0]},
    ),
    "fails when run": network(
        [node("Gather", "window places", "out", axis=1)], {"places": [50, 51, 52]}
    ),
    "not a number": network(
        [node("Log", "below", "l"), node("Add", "window l", "a"), last_steps("a")],
        LAST | {"below": np.array([-1], np.float32)},
    ),
    "random": network([node("RandomNormalLike", "window", "r"), last_steps("r")], LAST),
    "endless": network([loop(GO_ON), last_steps("looped")], ENDLESS),
    "endless without end": network(
        [helper.make_node("Loop", ["", "yes", "window"], ["looped"],
                          body=loop(GO_ON).attribute[0].g), last_steps("looped")], ENDLESS,
    ),
    "endless and empty": network([loop([], "go held"), last_steps("looped")], ENDLESS),
    "endless by its shape": network(
        [*COMPUTED, loop(GO_ON), last_steps("looped")],
        {name: value for name, value in ENDLESS.items() if name != "many"},
    ),
    "doubles": network([*doubled(40), last_steps("d39")], LAST),
    "huge": network(
        [node("ConstantOfShape", "size", "c"), node("ReduceSum", "c", "s", keepdims=0),
         node("Add", "window s", "a"), last_steps("a")],
        LAST | {"size": [4_000_000_000]},
    ),
    "huge array": network([last_steps("window")], LAST)[:-8] + b"\xff" * 8,
    "a stride of zero": network(
        [node("AveragePool", "window", "p", kernel_shape=[1], strides=[0]), last_steps("p")], LAST
    ),
    "no graph": b"",
    "noise": bytes(range(256)) * 4,
}  # fmt: skip
ALTERED = {"external data": external, "a custom operator": custom, "a function": with_function}

# Entries that are not arrays, or not of the shape that the manifest describes.
ARRAYS: dict[str, tuple[str, bytes]] = {
    "empty": ("history.npy", b""),
    "scalar errors": ("errors.npy", array_bytes(np.float64(1))),
    "scalar units": ("units.npy", array_bytes(np.float64(1))),
    "an archive": ("errors.npy", archive_of_arrays()),
    "an archive of units": ("units.npy", archive_of_arrays()),
    "objects": ("history.npy", array_bytes(np.array([[{}]]), allow_pickle=True)),
    "records": ("history.npy", array_bytes(np.zeros((13, 1), [("a", "f8")]))),
    "text": ("history.npy", array_bytes(np.full((13, 1), "a"))),
    "integers": ("history.npy", array_bytes(np.zeros((13, 1), int))),
    "other rank": ("history.npy", array_bytes(np.zeros(13))),
    "other shape": ("naive.npy", array_bytes(np.zeros((2, 1, 2)))),
    "fewer numbers than it states": ("history.npy", headed((14, 1)) + bytes(8 * 13)),
    "terabytes": ("history.npy", headed((10**12, 1)) + bytes(8 * 13)),
    "a log that is none": ("epochs.json", b'{"a": 1}'),
    "a log of logs": ("epochs.json", b'[{"a": {"b": []}}]'),
    "a log nested deep": ("epochs.json", b"[" * 100_000 + b"]" * 100_000),
    "effects of nothing": (
        "effects.json",
        b'[{"terms": [{"block": {"kind": "levels", "name": "a", "place": 5, "count": 2},'
        b' "weights": [[1.0], [2.0]]}]}]',
    ),
}

# Places in the manifest with what cannot be there.
LEAVES: dict[str, tuple[str, Any]] = {
    "a time that is none": ("time.last", "yesterday"),
    "no time": ("time.last", "NaT"),
    "a time far away": ("time.last", "99999-01-01"),
    "a time with a zone": ("time.last", "2005-12-01T00:00:00+01:00"),
    "a time zone that is none": ("time.timezone", "Mars/Olympus"),
    "a time zone that is a path": ("time.timezone", "../../etc/passwd"),
    "a frequency that is none": ("time.freq", "xyz"),
    "an endless frequency": ("time.freq", "99999999999D"),
    "a style that is none": ("time.style", "%B@qq"),
    "a style that writes nothing": ("time.style", "now"),
    "a time of the split that is none": ("splits.test_begins", "soon"),
    "scores of another model": ("evaluation.model", "nobody"),
    "a baseline without scores": ("evaluation.best_baseline", "nobody"),
    "a score that is none": ("evaluation.scores.ensemble.mae", {"other": 1.0}),
    "a score that is text": ("evaluation.scores.ensemble.mae.value", "good"),
    "a baseline with empty scores": ("evaluation.scores.naive", {}),
    "calendar features that it does not read": ("config.data.calendar_features", ["month"]),
    "errors of the target": ("future_errors", [0.5]),
    "errors of more features": ("future_errors", [0.0, 0.0]),
    "an infinite score": ("evaluation.skill", float("inf")),
    "an ensemble of many": ("config.ensemble.size", int("9" * 400)),
    "an ensemble of a billion": ("config.ensemble.size", 10**9),
    "a horizon of a billion": ("config.window.horizon", 10**9),
    "a negative number of rows": ("config.window.timesteps", -5),
    "a date of training that is none": ("run.created", "once"),
    "a format that is none": ("format", "eight"),
    "no features": ("features", []),
    "a scale of zero": ("scaling.scale", [0.0]),
}


# The inputs of the pretrained network, with their ranks; its output is `out`.
READ = {"members": 4, "series": 3, "sizes": 2, "past": 4, "known": 3, "ahead": 3, "names": 1}
INT32 = TensorProto.INT32


def pretrained(nodes: list[NodeProto], constants: dict[str, Any] | None = None) -> bytes:
    """A network with the inputs of the pretrained one, and one output, `out`."""
    held = [from_array(np.asarray(each), name) for name, each in (constants or {}).items()]
    inputs = [
        info(name, INT32 if name == "names" else FLOAT, [None] * rank)
        for name, rank in READ.items()
    ]
    graph = helper.make_graph(nodes, "g", inputs, [info("out")], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return bytes(model.SerializeToString())


# The forecasts of members, shape (series, members, horizon), as quantiles: the first seven.
MEMBERS_AS_QUANTILES = [
    node("Slice", "ahead begin end axis", "some"),
    node("Transpose", "some", "out", perm=[0, 2, 1]),
]
SEVEN = {"begin": [0], "end": [7], "axis": [1]}
# Networks that are none, or not the pretrained one of their model.
PRETRAINED: dict[str, bytes] = {
    "a trained one": network([last_steps("window")], LAST),
    "no graph": b"",
    "noise": bytes(range(256)) * 4,
    "another network": pretrained(MEMBERS_AS_QUANTILES, SEVEN),
    "fewer quantiles": pretrained(MEMBERS_AS_QUANTILES, SEVEN | {"end": [6]}),
    "output of rank 1": pretrained([node("Shape", "ahead", "out")]),
    "not a number": pretrained(
        [*MEMBERS_AS_QUANTILES[:1], node("Transpose", "some", "made", perm=[0, 2, 1]),
         node("Log", "below", "l"), node("Add", "made l", "out")],
        SEVEN | {"below": np.array([-1], np.float32)},
    ),
    "fails when run": pretrained(
        [node("Gather", "ahead places", "out", axis=1)], {"places": [5000]}
    ),
    "endless by its shape": pretrained(
        [node("Identity", "ahead", "window"), *COMPUTED, loop(GO_ON),
         node("Identity", "looped", "out")],
        {"yes": np.array(True)},
    ),
    "huge": pretrained(
        [node("ConstantOfShape", "size", "c"), node("ReduceSum", "c", "s", keepdims=0),
         node("Add", "ahead s", "out")], {"size": [4_000_000_000]},
    ),
}  # fmt: skip

# Places in the manifest of a model of the pretrained network with what cannot be there.
LEAVES_OF_PRETRAINED: dict[str, tuple[str, Any]] = {
    "no probe": ("probe", []),
    "another probe": ("probe", [1.0] * 6),
    "a probe of fewer steps": ("probe", [100.0]),
    "a probe of text": ("probe", ["a"] * 6),
    "an endless probe": ("probe", [1e308] * 6),
    "a probe of many steps": ("probe", [100.0] * 100_000),
    "a horizon of a billion": ("config.window.horizon", 10**9),
    "a season of no steps": ("config.network.season_length", 0),
    "a season that is none": ("config.network.season_length", "a"),
    "other features": ("features", ["value", "other"]),
    "a trained network": ("config.network.pretrained", False),
}
# The same of a model that has it as a member.
LEAVES_OF_MEMBER: dict[str, tuple[str, Any]] = {
    "no weights": ("member.shares", []),
    "weights of more targets": ("member.shares", [0.5, 0.5]),
    "a weight above 1": ("member.shares", [1.5]),
    "a weight below 0": ("member.shares", [-0.5]),
    "a weight that is none": ("member.shares", [None]),
    "a weight of text": ("member.shares", ["half"]),
    "a weight that is a list": ("member.shares", [[0.5]]),
    "a weight that is not a number": ("member.shares", [float("nan")]),
    "an endless weight": ("member.shares", [float("inf")]),
    "a million weights": ("member.shares", [0.5] * 1_000_000),
    "weights by name": ("member.shares", {"value": 0.5}),
    "a season of no steps": ("member.season_length", 0),
    "a season of 400 digits": ("member.season_length", int("9" * 400)),
    "a season that is none": ("member.season_length", 1.5),
    "no probe": ("member.probe", []),
    "another probe": ("member.probe", [1.0] * 6),
    "a probe of text": ("member.probe", "abcdef"),
    "a probe that is not a number": ("member.probe", [float("nan")] * 6),
    "no member": ("member", None),
    "a member that is text": ("member", "pretrained"),
    "a member of other fields": ("member", {"path": "/etc/passwd"}),
    "a field more": ("member.path", "/etc/passwd"),
}
