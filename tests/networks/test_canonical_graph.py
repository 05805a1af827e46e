"""A graph is written in one way, in whatever order it was made."""

import random
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from forecast_cli.model.runtime import Runtime

pytestmark = pytest.mark.tf
GOLDEN = Path(__file__).parents[1] / "golden"
MODELS = ("format-2-labels", "format-5", "format-8")


def golden(name):
    with zipfile.ZipFile(GOLDEN / f"{name}.forecast") as archive:
        return onnx.load_from_string(archive.read("network.onnx"))


def made_canonical(model):
    from forecast_cli.networks.canonical_graph import make_canonical

    make_canonical(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def graphs_in(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs_in(attribute.g)


def used(node):
    """What a node needs; of the graphs within it everything, so that it may stand later."""
    inner = (part for each in node.attribute if each.HasField("g") for part in graphs_in(each.g))
    return {*node.input, *(name for part in inner for each in part.node for name in each.input)}


def shuffled(graph, draw):
    """Put nodes in another order in which they can run, and constants in any."""
    waiting, order = list(graph.node), []
    while waiting:
        missing = {name for node in waiting for name in node.output}
        ready = [node for node in waiting if not used(node) & missing]
        order.append(draw.choice(ready))
        waiting = [node for node in waiting if node is not order[-1]]
    for held, new in ((graph.node, order), (graph.initializer, list(graph.initializer))):
        if held is graph.initializer:
            draw.shuffle(new)
        copies = [type(each).FromString(each.SerializeToString()) for each in new]
        del held[:]
        held.extend(copies)


def renamed(model, draw):
    """Give what is between inputs and outputs other names, in an order of their own."""
    kept = {"", *(each.name for each in (*model.graph.input, *model.graph.output))}
    names = {}

    def rename(name):
        return name if name in kept else names.setdefault(name, f"x{draw.random()}")

    for graph in graphs_in(model.graph):
        graph.name = graph.doc_string = f"g{draw.random()}"
        for node in graph.node:
            node.name = f"n{draw.random()}"
            node.input[:] = list(map(rename, node.input))
            node.output[:] = list(map(rename, node.output))
        for each in (*graph.input, *graph.output, *graph.initializer):
            each.name = rename(each.name)


@pytest.mark.parametrize("name", MODELS)
def test_order_and_names_do_not_matter(name):
    expected = made_canonical(golden(name))
    assert made_canonical(onnx.load_from_string(expected)) == expected
    draw = random.Random(0)
    for _ in range(3):
        model = golden(name)
        for graph in graphs_in(model.graph):
            shuffled(graph, draw)
        renamed(model, draw)
        assert made_canonical(model) == expected


@pytest.mark.parametrize("name", MODELS)
def test_the_graph_computes_the_same(name):
    model = golden(name)
    before, after = Runtime(model.SerializeToString()), Runtime(made_canonical(model))
    shape = [3, *(each.dim_value for each in model.graph.input[0].type.tensor_type.shape.dim[1:])]
    windows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(before(windows), after(windows))


def loop(outputs, copies):
    """A loop that adds one, whose body gives its sum for several outputs, copied for some."""
    scalar = [("more", onnx.TensorProto.BOOL), *((name, onnx.TensorProto.FLOAT) for name in "abc")]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["more"]),
            helper.make_node("Add", ["x", "one"], ["a"]),
            *(helper.make_node("Identity", [source], [copy]) for source, copy in copies),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info("go", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, []),
        ],
        [helper.make_tensor_value_info(name, dict(scalar)[name], []) for name in outputs],
    )
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("Loop", ["times", "", "start"], ["last", "p", "q"], body=body)],
            "whole",
            [helper.make_tensor_value_info("start", onnx.TensorProto.FLOAT, [])],
            [
                helper.make_tensor_value_info("last", onnx.TensorProto.FLOAT, []),
                helper.make_tensor_value_info("q", onnx.TensorProto.FLOAT, [4]),
            ],
            [
                helper.make_tensor("times", onnx.TensorProto.INT64, [], [4]),
                helper.make_tensor("one", onnx.TensorProto.FLOAT, [], [1.0]),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
    )


def test_it_does_not_matter_which_output_is_a_copy():
    copies = [("a", "b"), ("a", "c")]
    variants = [
        loop(["more", *order], made)
        for order in ("abc", "bac", "cba")
        for made in (copies, copies[::-1], [("a", "b"), ("b", "c")])
    ]
    assert len({made_canonical(each) for each in variants}) == 1
