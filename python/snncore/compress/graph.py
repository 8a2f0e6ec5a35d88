"""A model's graph to look at: who writes an edge, who reads it, which layers come first and last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snncore.convert.parts import Parts, parts_of
from snncore.model import Model

Node = dict[str, Any]

WEIGHTED: Final = ("conv2d", "linear")
NEURONS: Final = ("lif", "if", "cuba_lif", "neuron")
#: All operations that have a neuron's output: spikes, counts, or a membrane.
FIRING: Final = (*NEURONS, "psn")

#: Operations on tokens, which take the channels of heads together.
TOKENS: Final = ("attention", "count", "mask", "map_scores", "map_product")


class Graph:
    """The nodes of a model, or of parts that are to become one, by edge."""

    def __init__(self, source: Model | Parts) -> None:
        self.parts: Parts = source if isinstance(source, Parts) else parts_of(source)
        self.document: dict[str, Any] = self.parts.document
        self.nodes: list[Node] = self.parts.nodes
        self.writer: dict[str, Node] = {edge: n for n in self.nodes for edge in n["outputs"]}
        self.readers: dict[str, list[Node]] = {edge: [] for edge in self.edges}
        for node in self.nodes:
            for edge in node["inputs"]:
                self.readers[edge].append(node)
        self.outputs: set[str] = {port["edge"] for port in self.document["outputs"]}
        self.images = self._images()

    @property
    def edges(self) -> dict[str, dict[str, Any]]:
        """Each edge as docs/format.md describes it."""
        edges: dict[str, dict[str, Any]] = self.document["graph"]["edges"]
        return edges

    def weighted(self) -> list[Node]:
        """Give the conv2d and linear nodes."""
        return [n for n in self.nodes if n["op"] in WEIGHTED]

    def values(self, node: Node) -> dict[str, NDArray[Any]]:
        """Give the tensors of a node, as the file holds them."""
        return {role: self.parts.tensors[name] for role, name in node["tensors"].items()}

    def user_weight(self, node: Node, weight: NDArray[Any]) -> NDArray[Any]:
        """Give weights or codes in the user's order: [C, C_in/groups, kh, kw], or [C, F], F as C, H, W."""
        if node["op"] == "conv2d":
            return np.ascontiguousarray(weight.transpose(0, 3, 1, 2))
        image = self.images.get(node["inputs"][0])
        if image is None:
            return weight
        pixels = weight.reshape(-1, *image).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(pixels.reshape(len(weight), -1))

    def ends(self) -> set[str]:
        """Name the layers with weights that come first, or last, on some way through the network."""
        ways: tuple[Callable[[Node], Iterable[Node]], ...] = (self._before, self._after)
        return {n["name"] for n in self.weighted() for way in ways if not self._weights_along(n, way)}

    def _before(self, node: Node) -> Iterable[Node]:
        return (self.writer[e] for e in node["inputs"] if e in self.writer)

    def _after(self, node: Node) -> Iterable[Node]:
        return (reader for e in node["outputs"] for reader in self.readers[e])

    def _weights_along(self, start: Node, way: Callable[[Node], Iterable[Node]]) -> bool:
        """Tell whether another layer with weights lies before, or after, this one."""
        seen, todo = {start["name"]}, list(way(start))
        while todo:
            node = todo.pop()
            if node["name"] in seen:
                continue
            if node["op"] in WEIGHTED:
                return True
            seen.add(node["name"])
            todo += way(node)
        return False

    def _images(self) -> dict[str, list[int]]:
        """Find vectors that are flattened images: [H, W, C]."""
        images: dict[str, list[int]] = {}
        for node in self.nodes:
            source, made = node["inputs"][0], node["outputs"][0]
            if node["op"] == "flatten":
                images[made] = self.parts.shape(source)
            elif node["op"] not in WEIGHTED and source in images:
                images[made] = images[source]
        return images

    def user_order(self, edge: str, values: NDArray[Any]) -> NDArray[Any]:
        """Give parameters [H, W, C], or [F] of a flattened image, channels first; others as they are."""
        if values.ndim == 3:
            return np.moveaxis(values, -1, 0)
        if edge in self.images and values.size == np.prod(self.images[edge]):
            values = values.reshape(self.images[edge]).transpose(2, 0, 1).ravel()
        return values
