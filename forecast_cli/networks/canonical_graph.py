"""An ONNX graph in the one order that its structure has, however it was converted."""

from collections.abc import Iterable, Iterator
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, helper

Names = dict[str, str]


def make_canonical(model: ModelProto) -> None:
    """Give a graph the one order and the one set of names that its structure has.

    The conversion counts its names up within a process, sorts nodes by these names and visits sets,
    whose order is that of the hashes of a process. Here each node stands after those that it needs,
    as they are met from the outputs; what no output needs is left out. Inputs and outputs of the
    whole graph keep their names.
    """
    graph = model.graph
    _pass_copies(graph, {each.name for each in graph.output})
    _order_nodes(graph)
    _number_names(graph)
    _number_sizes(graph)


def _pass_copies(graph: GraphProto, kept: set[str]) -> None:
    """Take values where they are made instead of copies, which stand at one or the other use.

    A graph within another has an output once; it is copied for its second and third place.
    """
    own = {each.name for each in graph.input}
    own.update(name for node in graph.node for name in node.output)
    origins: Names = {}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in own and node.output[0] not in kept:
            origins[node.output[0]] = node.input[0]
    for copy, origin in origins.items():
        while origin in origins:
            origin = origins[origin]
        origins[copy] = origin
    _rename_inputs(graph, origins)
    taken: set[str] = set()
    for number, each in enumerate(graph.output):
        each.name = origins.get(each.name, each.name)
        if each.name in taken:
            copy = f"{each.name}/copy{number}"
            graph.node.append(helper.make_node("Identity", [each.name], [copy]))
            each.name = copy
        taken.add(each.name)
    for part in _graphs_in(graph.node):
        _pass_copies(part, set())


def _rename_inputs(graph: GraphProto, names: Names) -> None:
    """Let nodes, those of graphs within too, take other values."""
    for node in graph.node:
        node.input[:] = [names.get(each, each) for each in node.input]
    for part in _graphs_in(graph.node):
        _rename_inputs(part, names)


def _order_nodes(graph: GraphProto) -> None:
    """Put the nodes of a graph, and of the graphs within it, in the order of need."""
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    needs: list[list[int]] = []
    for node in graph.node:
        for part in _graphs_in([node]):
            _order_nodes(part)
        names = [*node.input, *_taken_from_outside(node)]
        needs.append([makers[name] for name in names if name in makers])
        node.attribute.sort(key=lambda each: each.name)
        if not node.domain:
            node.ClearField("domain")
    ends = [makers[each.name] for each in graph.output if each.name in makers]
    order = _sorted(ends, needs)
    replace_all(graph.node, [graph.node[place] for place in order])


def _sorted(ends: Iterable[int], needs: list[list[int]]) -> list[int]:
    """Return the places that the ends need, each after what it needs itself."""
    found: dict[int, None] = {}
    for end in ends:
        # Graphs are deeper than Python's stack.
        path = [(end, iter(needs[end]))]
        while path:
            place, rest = path[-1]
            following = next((each for each in rest if each not in found), None)
            if following is None:
                found.setdefault(place)
                path.pop()
            else:
                path.append((following, iter(needs[following])))
    return list(found)


def _taken_from_outside(node: NodeProto) -> Iterator[str]:
    """Yield what the graphs within a node take from the graph that it stands in."""
    for graph in _graphs_in([node]):
        own = {each.name for each in (*graph.input, *graph.initializer)}
        own.update(name for each in graph.node for name in each.output)
        for each in graph.node:
            names = (*each.input, *_taken_from_outside(each))
            yield from (name for name in names if name not in own)
        yield from (each.name for each in graph.output if each.name not in own)


def _graphs_in(nodes: Iterable[NodeProto]) -> Iterator[GraphProto]:
    """Yield the graphs of loops and conditions."""
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield attribute.g


def replace_all(held: Any, messages: Iterable[Any]) -> None:
    """Replace what a repeated field of a graph holds by copies, which may be of its own parts."""
    copies = [type(each).FromString(each.SerializeToString()) for each in messages]
    del held[:]
    held.extend(copies)


def graphs_within(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield a graph, and all within it."""
    yield graph
    for part in _graphs_in(graph.node):
        yield from graphs_within(part)


def _number_names(graph: GraphProto) -> None:
    """Number what is between the inputs and the outputs of a graph, in the order of its nodes."""
    kept = (*graph.input, *graph.output)
    names = {"": ""} | {each.name: each.name for each in kept}
    for part in graphs_within(graph):
        for node in part.node:
            for name in (*node.input, *node.output):
                names.setdefault(name, f"t{len(names)}")
        for name in (each.name for each in (*part.input, *part.output)):
            names.setdefault(name, f"t{len(names)}")
    for number, part in enumerate(list(graphs_within(graph))):
        part.name, part.doc_string = f"g{number}", ""
        _rename(part, names)


def _rename(graph: GraphProto, names: Names) -> None:
    """Give a graph the new names, and put the constants that it needs in their order."""
    for place, node in enumerate(graph.node):
        node.name = f"{graph.name}_{place}"
        node.input[:] = [names[each] for each in node.input]
        node.output[:] = [names[each] for each in node.output]
    constants = [each for each in graph.initializer if each.name in names]
    for held in (graph.input, graph.output, constants):
        for each in held:
            each.name = names[each.name]
    constants.sort(key=lambda each: (len(each.name), each.name))
    replace_all(graph.initializer, constants)
    del graph.value_info[:]


def _number_sizes(graph: GraphProto) -> None:
    """Number the sizes that are only known when the graph runs, whose names are counted too."""
    sizes: Names = {}
    for part in graphs_within(graph):
        for each in (*part.input, *part.output):
            for size in each.type.tensor_type.shape.dim:
                if size.HasField("dim_param"):
                    size.dim_param = sizes.setdefault(size.dim_param, f"s{len(sizes)}")
