"""Names within an ONNX graph that are the same in every run."""

from collections.abc import Iterator

from onnx import AttributeProto, GraphProto, ModelProto


def number_names(model: ModelProto) -> None:
    """Number what is between the inputs and the outputs of a graph, in the order of its nodes.

    The conversion counts its names up within a process and puts constants in the order of a set,
    which differs between runs. Inputs and outputs keep their names.
    """
    graph = model.graph
    kept = {each.name for each in (*graph.input, *graph.output)}
    names = {name: name for name in ("", *kept)}
    for part in _parts(graph):
        for node in part.node:
            for name in (*node.input, *node.output):
                names.setdefault(name, f"t{len(names)}")
        for name in (each.name for each in (*part.input, *part.output, *part.initializer)):
            names.setdefault(name, f"t{len(names)}")
    for number, part in enumerate(list(_parts(graph))):
        _rename(part, names, number)


def _parts(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield a graph, and those of its loops and conditions."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _parts(attribute.g)


def _rename(graph: GraphProto, names: dict[str, str], number: int) -> None:
    """Give a graph the new names, and put its constants in their order."""
    for place, node in enumerate(graph.node):
        node.name = f"n{number}_{place}"
        inputs, outputs = list(node.input), list(node.output)
        del node.input[:], node.output[:]
        node.input.extend(names[each] for each in inputs)
        node.output.extend(names[each] for each in outputs)
    for held in (graph.input, graph.output, graph.initializer):
        for each in held:
            each.name = names[each.name]
    constants = sorted(graph.initializer, key=lambda each: (len(each.name), each.name))
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(constants)
