"""A model without some of its channels: rows of layers that write them, columns of those that read them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snncore.convert.parts import Codes, Parts

from .graph import WEIGHTED, Graph, Node
from .streams import Streams

#: Tensors without an axis of channels.
_SHARED: Final = MappingProxyType(
    {
        "lif": ("load", "edges"),
        "if": ("load", "edges"),
        "psn": ("weight", "bias"),
        "saccade": ("mix", "threshold"),
    }
)

Kept = Mapping[str, NDArray[np.intp]]


@dataclass(frozen=True)
class EditedParts(Parts):
    """Parts whose tensors are named ``node.role`` and whose codes are not packed: made to be changed."""

    coded: dict[str, Codes]

    def codes(self, node: Node) -> Codes | None:
        """Give the weights of a node where they are codes."""
        return self.coded.get(node["name"])


def edited(graph: Graph) -> EditedParts:
    """Copy the parts; the graph's stay as they are."""
    document = copy.deepcopy(graph.document)
    tensors, coded = {}, {}
    for node, new in zip(graph.nodes, document["graph"]["nodes"], strict=True):
        for role, values in graph.values(node).items():
            new["tensors"][role] = f"{node['name']}.{role}"
            tensors[new["tensors"][role]] = values
        codes = graph.parts.codes(node) if node["op"] in WEIGHTED else None
        if codes is not None:
            coded[node["name"]] = codes
    return EditedParts(document, tensors, coded)


def cut(graph: Graph, streams: Streams, kept: Kept) -> EditedParts:
    """Leave out channels.

    Parameters
    ----------
    kept
        By the name of a stream the channels that stay, ascending; other streams keep all.
    """
    parts = edited(graph)
    knife = _Knife(graph, streams, kept)
    for edge, facts in parts.document["graph"]["edges"].items():
        channels = knife.places(edge)
        if channels is not None:
            facts["shape"] = [*facts["shape"][:-1], len(channels)]
    for node in parts.nodes:
        cut_node = knife.weighted if node["op"] in WEIGHTED else knife.element_wise
        cut_node(parts, node)
    return parts


class _Knife:
    def __init__(self, graph: Graph, streams: Streams, kept: Kept) -> None:
        self._graph, self._streams, self._kept = graph, streams, kept

    def places(self, edge: str) -> NDArray[np.intp] | None:
        """Say what stays of the last axis of an edge; None: everything."""
        stream = self._streams.by_edge[edge]
        if not stream.writers or stream.name not in self._kept:
            return None
        return self._streams.places(edge, self._kept[stream.name])

    def weighted(self, parts: EditedParts, node: Node) -> None:
        name = node["name"]
        rows, columns = self.places(node["outputs"][0]), self.places(node["inputs"][0])
        if node["attrs"].get("groups", 1) > 1 and rows is not None:
            node["attrs"]["groups"], columns = len(rows), None  # each channel by itself: one column
        codes = parts.coded.get(name)
        if codes is None:
            weight = parts.tensors[f"{name}.weight"]
            parts.tensors[f"{name}.weight"] = _taken(_taken(weight, rows, 0), columns, -1)
        else:
            q = _taken(_taken(codes.q, rows, 0), columns, -1)
            parts.coded[name] = Codes(q, codes.bits, codes.encoding)
        for role in ("scale", "bias"):
            if role in node["tensors"]:
                values = parts.tensors[f"{name}.{role}"]
                parts.tensors[f"{name}.{role}"] = values if values.size == 1 else _taken(values, rows, 0)

    def element_wise(self, parts: EditedParts, node: Node) -> None:
        edge = node["outputs"][0]
        places = self.places(edge)
        for role in node["tensors"].keys() - set(_SHARED.get(node["op"], ())):
            values = parts.tensors[f"{node['name']}.{role}"]
            if values.shape[-1] == self._graph.parts.shape(edge)[-1]:
                parts.tensors[f"{node['name']}.{role}"] = _taken(values, places, -1)


def _taken(values: NDArray[Any], places: NDArray[np.intp] | None, axis: int) -> NDArray[Any]:
    return values if places is None else values.take(places, axis)
