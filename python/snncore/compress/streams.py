"""Which channels belong together: everything that reads and writes one stream keeps the same ones.

Only `conv2d` and `linear` make new channels. All other operations work on each channel alone, so that what
they read and write shares one index set: a neuron, the pool behind it, all branches of a shortcut, a loop.
Around attention, maps, counts and masks, which take channels together by heads, all stay.
A flattened image is h * w times the channels of that image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .graph import FIRING, TOKENS, WEIGHTED, Graph, Node


@dataclass
class Stream:
    """Edges that share one set of channels; `reason` says why they keep all of them, or is None."""

    channels: int
    edges: list[str] = field(default_factory=list)
    writers: list[Node] = field(default_factory=list)  #: conv2d and linear nodes
    neurons: list[Node] = field(default_factory=list)
    reason: str | None = None

    @property
    def name(self) -> str:
        """The first layer that writes it."""
        return str(self.writers[0]["name"])

    @property
    def members(self) -> list[str]:
        """Layers with weights and neurons."""
        return [node["name"] for node in (*self.writers, *self.neurons)]


class Streams:
    """The streams of a graph, by edge."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._parent = {edge: edge for edge in graph.edges}
        self._channels = _channels(graph)
        self._reasons: dict[str, str] = {}
        for node in graph.nodes:
            self._visit(node)
        self._freeze_ends()
        self.by_edge = self._collect()

    def __iter__(self) -> Iterator[Stream]:
        """Give the streams that layers with weights write, in the order of the graph."""
        written = {id(s): s for s in self.by_edge.values() if s.writers}
        return iter(written.values())

    def places(self, edge: str, kept: NDArray[np.intp]) -> NDArray[np.intp]:
        """Say where kept channels lie on the last axis of an edge."""
        shape = self.graph.parts.shape(edge)
        channels = self.by_edge[edge].channels
        repeats = shape[0] // channels if len(shape) == 1 else 1
        places: NDArray[np.intp] = np.add.outer(np.arange(repeats) * channels, kept).ravel()
        return places

    def _visit(self, node: Node) -> None:
        made = node["outputs"][0]
        if node["op"] in TOKENS:
            for edge in (*node["inputs"], made):
                self._freeze(edge, f"'{node['name']}' ({node['op']}) takes its channels together, by heads")
            return
        if node["op"] not in (*WEIGHTED, "readout"):
            for edge in node["inputs"]:
                self._join(node, edge, made)
            return
        source = node["inputs"][0]
        groups = node["attrs"].get("groups", 1)
        if groups > 1 and groups == self._channels[source] == self._channels[made]:
            self._join(node, source, made)  # each channel by itself
        elif groups > 1:
            for edge in (source, made):
                self._freeze(edge, f"'{node['name']}' is a convolution of {groups} groups")
        if node["op"] in WEIGHTED and self.graph.edges[source]["dtype"] == "f32":
            self._freeze(source, f"'{node['name']}' reads real values of it, which no silent neuron makes 0")

    def _join(self, node: Node, a: str, b: str) -> None:
        if self._channels[a] == self._channels[b]:
            self._parent[self._root(a)] = self._root(b)
            return
        few, many = sorted((self._channels[a], self._channels[b]))
        for edge in (a, b):
            self._freeze(
                edge,
                f"'{node['name']}' joins {few} channels with {many}, which cannot share one index set",
            )

    def _freeze_ends(self) -> None:
        document = self.graph.document
        for port in document["inputs"]:
            self._freeze(port["edge"], f"it is joined with the input '{port['name']}'")
        for node in self.graph.nodes:
            if node["op"] == "readout":
                self._freeze(node["inputs"][0], f"the readout '{node['name']}' reads it")
            if node["op"] in FIRING and self.graph.edges[node["outputs"][0]]["dtype"] != "b1":
                self._freeze(node["inputs"][0], f"'{node['name']}' gives counts or its membrane, not spikes")
        for port in document["outputs"]:
            self._freeze(port["edge"], f"it is the output '{port['name']}'")

    def _freeze(self, edge: str, reason: str) -> None:
        self._reasons.setdefault(edge, reason)

    def _root(self, edge: str) -> str:
        while self._parent[edge] != edge:
            self._parent[edge] = self._parent[self._parent[edge]]
            edge = self._parent[edge]
        return edge

    def _collect(self) -> dict[str, Stream]:
        streams: dict[str, Stream] = {}
        by_edge = {}
        for edge in self.graph.edges:
            root = self._root(edge)
            stream = by_edge[edge] = streams.setdefault(root, Stream(self._channels[root]))
            stream.edges.append(edge)
            stream.reason = stream.reason or self._reasons.get(edge)
        for node in self.graph.nodes:
            stream = by_edge[node["outputs"][0]]
            if node["op"] in WEIGHTED:
                stream.writers.append(node)
            elif node["op"] in FIRING:
                stream.neurons.append(node)
        for stream in streams.values():
            if not stream.neurons:
                stream.reason = stream.reason or "no neuron fires for it"
        ordered = [e for n in self.graph.nodes for e in n["outputs"]]
        return {edge: by_edge[edge] for edge in dict.fromkeys([*ordered, *by_edge])}


def _channels(graph: Graph) -> dict[str, int]:
    """Count the channels of each edge; of a flattened image, those of the image."""
    return {
        edge: graph.images[edge][-1] if edge in graph.images else graph.parts.shape(edge)[-1]
        for edge in graph.edges
    }
