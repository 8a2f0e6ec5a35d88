"""Which layers become integers, and why the others stay float.

Sums of coded weights are integers without a unit: they go to neurons (through sums of several layers, if
need be) and to readouts, nowhere else, and come from spikes, counts or pixels. So layers that are joined by
float32 values become integers together, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from .graph import NEURONS, WEIGHTED, Graph, Node
from .rules import UNITS, NoRule, Rule, rule_of


@dataclass(frozen=True)
class Pixels:
    """How raw pixels become an input's values: ``(pixel - zero_point[c]) * scale``."""

    zero_point: list[int]
    scale: float


@dataclass
class Plan:
    """What becomes integer. Names are those of nodes; `pixels` has the edges of inputs."""

    coded: set[str] = field(default_factory=set)  #: layers with weights
    rules: dict[str, Rule] = field(default_factory=dict)  #: neurons
    pixels: dict[str, Pixels] = field(default_factory=dict)  #: float32 inputs that take raw pixels now
    reasons: dict[str, str] = field(default_factory=dict)  #: layers with weights that stay float


def plan(graph: Graph, known: Mapping[str, Pixels]) -> Plan:
    """Decide for every layer; `known` are the inputs (edges) whose pixels are known."""
    pixels = dict(known)
    while True:
        made = _Groups(graph, pixels).plan()
        wasted = {e for e in pixels if not _all_coded(graph, e, made.coded)}
        if not wasted:
            return made
        pixels = {e: p for e, p in pixels.items() if e not in wasted}


def _all_coded(graph: Graph, edge: str, coded: set[str]) -> bool:
    """Whether all that read raw pixels, flattened or not, are layers with coded weights."""
    return all(
        n["name"] in coded or (n["op"] == "flatten" and _all_coded(graph, n["outputs"][0], coded))
        for n in graph.readers[edge]
    )


#: Why an operation on float32 values stays float; the others have reasons of their own.
_REAL_ONLY: Final = {
    "avgpool2d": "it averages real values, not spikes",
    "maxpool2d": "it takes the largest of real values, not spikes",
    "flatten": "it flattens real values, not spikes",
    "delay": "it delays real values, not spikes",
}

#: In membrane units. Coded weights may be a little larger than the real ones, and 2^31 is the end.
_LARGEST_CURRENT: Final = 2**28


class _Groups:
    """Joins nodes and inputs that float32 values connect, and looks for what keeps each group float."""

    def __init__(self, graph: Graph, pixels: dict[str, Pixels]) -> None:
        self.graph, self.pixels = graph, pixels
        self.ports = {_port_key(port["edge"]) for port in graph.document["inputs"]}
        self.leader: dict[str, str] = {}
        self.rules: dict[str, Rule] = {}
        for node in graph.nodes:
            for edge in node["inputs"]:
                if self._real(edge):
                    self._join(_key(node), self._source(edge))

    def plan(self) -> Plan:
        blocked: dict[str, tuple[str, str]] = {}
        for key, why in self._blockers():
            blocked.setdefault(self._find(key), (key, why))
        made = Plan(pixels=self.pixels)
        for node in self.graph.nodes:
            by = blocked.get(self._find(_key(node)))
            if node["op"] in NEURONS and by is None and node["name"] in self.rules:
                made.rules[node["name"]] = self.rules[node["name"]]
            elif node["op"] in WEIGHTED and by is None:
                made.coded.add(node["name"])
            elif node["op"] in WEIGHTED and by is not None:
                elsewhere = by[0] not in (_key(node), *self.ports)
                made.reasons[node["name"]] = f"{by[0]}: {by[1]}" if elsewhere else by[1]
        return made

    def _pixels_on(self, edge: str) -> Pixels | None:
        """Give what an edge of raw pixels, flattened or not, stands for."""
        writer = self.graph.writer.get(edge)
        if writer is None:
            return self.pixels.get(edge)
        return self._pixels_on(writer["inputs"][0]) if writer["op"] == "flatten" else None

    def _real(self, edge: str) -> bool:
        return self.graph.edges[edge]["dtype"] == "f32" and self._pixels_on(edge) is None

    def _source(self, edge: str) -> str:
        writer = self.graph.writer.get(edge)
        return _port_key(edge) if writer is None else _key(writer)

    def _find(self, key: str) -> str:
        while self.leader.get(key, key) != key:
            key = self.leader[key]
        return key

    def _join(self, a: str, b: str) -> None:
        self.leader[self._find(a)] = self._find(b)

    def _blockers(self) -> Iterator[tuple[str, str]]:
        for port in self.graph.document["inputs"]:
            if self._real(port["edge"]):
                text = "is float32; preprocess (zero_point and scale) would let it take raw pixels"
                yield _port_key(port["edge"]), f"its input '{port['name']}' {text}"
        for node in self.graph.nodes:
            why = self._why(node)
            if why is not None:
                yield _key(node), why

    def _why(self, node: Node) -> str | None:
        op, made = node["op"], node["outputs"][0]
        reads_real = [e for e in node["inputs"] if self._real(e)]
        if op in NEURONS:
            return self._why_neuron(node) if reads_real else None
        if made in self.graph.outputs and op in (*WEIGHTED, "add") and self._real(made):
            return "its values are an output; a readout over time would let it be integer"
        if op in WEIGHTED and any(edge in self.graph.writer for edge in reads_real):
            return "it reads real values, not spikes"
        if op == "readout" and reads_real and self._sum_before(reads_real[0]):
            return "it reads a sum of several layers"
        return _REAL_ONLY.get(op) if reads_real else None

    def _why_neuron(self, node: Node) -> str | None:
        try:
            rule = rule_of(node, self.graph.values(node))
        except NoRule as why:
            return str(why)
        if self._largest_current(node["inputs"][0]) * rule.largest_gain * UNITS >= _LARGEST_CURRENT:
            return "its current would not fit 32 bits"
        if not rule.plain and self._sum_before(node["inputs"][0]):
            return "it reads a sum, and its gain or bias would have to go into each of its terms"
        if np.any(rule.gain < 0) and len(self.graph.readers[node["inputs"][0]]) > 1:
            return "its gain is negative, and others read the same layer"
        self.rules[node["name"]] = rule
        return None

    def _largest_current(self, edge: str) -> float:
        """Bound the magnitude of a current: of layers on spikes, counts or pixels, and of their sums."""
        writer = self.graph.writer.get(edge)
        if writer is None or writer["op"] not in (*WEIGHTED, "add"):
            return self._largest(edge)
        if writer["op"] == "add":
            return sum(self._largest_current(e) for e in writer["inputs"])
        values = self.graph.values(writer)
        weight, bias = values["weight"], values.get("bias", np.zeros(1))
        sums = np.abs(weight.reshape(len(weight), -1)).sum(1, dtype=np.float64)
        return float(sums.max() * self._largest(writer["inputs"][0]) + np.abs(bias).max())

    def _largest(self, edge: str) -> float:
        described = self.graph.edges[edge]
        if described["dtype"] == "f32":  # pixels, or what keeps the layer float anyway
            known = self._pixels_on(edge)
            return 255 * known.scale if known else 0.0
        return float(described["range"][1]) / int(described["unit"].removeprefix("1/"))

    def _sum_before(self, edge: str) -> bool:
        writer = self.graph.writer.get(edge)
        return writer is not None and writer["op"] == "add"


def _port_key(edge: str) -> str:
    return f"input '{edge}'"


def _key(node: Mapping[str, Any]) -> str:
    return f"'{node['name']}' ({node['op']})"
