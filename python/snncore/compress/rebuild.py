"""A model built again through `GraphBuilder`, with what a plan says as integers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snncore.builder import GraphBuilder, Leak, Profile, State
from snncore.model import Model, load
from snncore.neuron import Neuron

from .graph import Graph, Node
from .plan import Plan
from .rules import UNITS, Rule

#: The threshold in membrane units of each state that has the spec's default: docs/format.md.
_THETA0: Final[Mapping[str, int]] = {"i16": UNITS, "i8": 64}
_INT16: Final = 32767


def rebuild(
    graph: Graph,
    plan: Plan,
    coded: Mapping[str, Mapping[str, Any]],
    states: Mapping[str, State],
    profile: Profile,
    metadata: Mapping[str, Any],
) -> Model:
    """Build the model.

    Parameters
    ----------
    graph, plan
        The float model, and what becomes integer.
    coded
        For each layer of `plan.coded` the weight as `GraphBuilder` takes it, in the user's order of axes.
    states
        For each neuron of `plan.rules` its state.
    profile
        Of the integer neurons.
    metadata
        labels, preprocess and provenance of the new model.
    """
    maker = _Maker(graph, plan, coded, states, profile)
    for port in graph.document["inputs"]:
        maker.input(port)
    for node in graph.nodes:
        maker.add(node)
    for port in graph.document["outputs"]:
        maker.builder.output(port["name"], maker.edges[port["edge"]])
    built = maker.builder.build(graph.document["timesteps"], **metadata)
    return _with_drops(built, {n: r.drop for n, r in plan.rules.items() if r.drop != 1})


def weight_of(graph: Graph, node: Node) -> NDArray[np.float32]:
    """Give a float weight in the user's order: [C, C_in/groups, kh, kw], or [C, F], F as C, H, W."""
    weight: NDArray[np.float32] = graph.values(node)["weight"]
    if node["op"] == "conv2d":
        return np.ascontiguousarray(weight.transpose(0, 3, 1, 2))
    image = graph.images.get(node["inputs"][0])
    if image is None:
        return weight
    return np.ascontiguousarray(weight.reshape(-1, *image).transpose(0, 3, 1, 2).reshape(len(weight), -1))


class _Maker:
    """Adds the nodes one by one; `edges` maps the old names of edges to the builder's."""

    def __init__(
        self,
        graph: Graph,
        plan: Plan,
        coded: Mapping[str, Mapping[str, Any]],
        states: Mapping[str, State],
        profile: Profile,
    ) -> None:
        self.graph, self.plan, self.coded = graph, plan, coded
        self.states, self.profile = states, profile
        self.builder = GraphBuilder()
        self.edges: dict[str, str] = {}

    def input(self, port: Mapping[str, Any]) -> None:
        edge = self.graph.edges[port["edge"]]
        pixels = self.plan.pixels.get(port["edge"])
        dtype = "u8" if pixels else edge["dtype"]
        if dtype.startswith("u") and pixels is None:
            dtype = f"count{dtype[1:]}"
        self.edges[port["edge"]] = self.builder.input(
            port["name"],
            dtype,
            self._shape(port["edge"]),
            zero_point=pixels.zero_point if pixels else edge.get("zero_point"),
            scale=pixels.scale if pixels else edge.get("scale"),
            layout=port["layout"],
        )

    def add(self, node: Node) -> None:
        method = getattr(self, f"_{'lif' if node['op'] == 'if' else node['op']}")
        self.edges[node["outputs"][0]] = method(node, [self.edges.get(e, "") for e in node["inputs"]])

    def _shape(self, edge: str) -> list[int]:
        shape = self.graph.parts.shape(edge)
        return [shape[-1], *shape[:-1]]

    def _weight(self, node: Node) -> dict[str, Any]:
        values = self.graph.values(node)
        coded = self.coded.get(node["name"])
        weight = {"weight": weight_of(self.graph, node)} if coded is None else coded
        return {**weight, "bias": values.get("bias")}

    def _conv2d(self, node: Node, inputs: list[str]) -> str:
        return self.builder.conv2d(node["name"], inputs[0], **self._weight(node), **node["attrs"])

    def _linear(self, node: Node, inputs: list[str]) -> str:
        return self.builder.linear(node["name"], inputs[0], **self._weight(node))

    def _lif(self, node: Node, inputs: list[str]) -> str:
        if node["name"] in self.plan.rules:
            return self._integer(node, inputs[0], self.plan.rules[node["name"]])
        options = {k: v for k, v in node["attrs"].items() if k != "arith"}
        return self.builder.lif(node["name"], inputs[0], **options)

    def _neuron(self, node: Node, inputs: list[str]) -> str:
        if node["name"] in self.plan.rules:
            return self._integer(node, inputs[0], self.plan.rules[node["name"]])
        options: dict[str, Any] = dict(node["attrs"])
        for role, values in self.graph.values(node).items():
            options[role] = self.graph.user_order(node["outputs"][0], values)
        return self.builder.neuron(node["name"], inputs[0], Neuron(**options))

    def _integer(self, node: Node, x: str, rule: Rule) -> str:
        name, gain = node["name"], float(rule.gain[0])
        if not rule.plain:
            channels = self._shape(node["outputs"][0])[0]
            one, zero = np.ones(channels), np.zeros(channels)
            x = self.builder.batch_norm(
                f"{name}.scaled", x, one * rule.gain, zero + rule.bias, zero, one, eps=0.0
            )
            gain = 1.0
        state = self.states[name]
        return self.builder.lif(
            name,
            x,
            decay=rule.decay,
            input_gain=gain,
            threshold=rule.threshold,
            reset=rule.reset,
            strict=rule.strict,
            profile="W" if rule.drop != 1 else self.profile,
            state=state,
            leak=_leak(rule.decay, state),
            theta0=_theta0(rule.drop, state),
        )

    def _maxpool2d(self, node: Node, inputs: list[str]) -> str:
        return self.builder.maxpool2d(node["name"], inputs[0], **node["attrs"])

    def _avgpool2d(self, node: Node, inputs: list[str]) -> str:
        return self.builder.avgpool2d(node["name"], inputs[0], **node["attrs"])

    def _add(self, node: Node, inputs: list[str]) -> str:
        return self.builder.add(node["name"], inputs)

    def _flatten(self, node: Node, inputs: list[str]) -> str:
        return self.builder.flatten(node["name"], inputs[0])

    def _delay(self, node: Node, inputs: list[str]) -> str:
        source, steps = node["inputs"][0], node["attrs"]["steps"]
        if source in self.edges:
            return self.builder.delay(node["name"], inputs[0], steps)
        return self.builder.delay(
            node["name"],
            self.graph.writer[source]["name"],
            steps,
            shape=self._shape(source),
            dtype=self.graph.edges[source]["dtype"],
        )

    def _readout(self, node: Node, inputs: list[str]) -> str:
        edge = node["inputs"][0]
        values = {role: self.graph.user_order(edge, v) for role, v in self.graph.values(node).items()}
        return self.builder.readout(node["name"], inputs[0], node["attrs"]["mode"], **values)


def _theta0(drop: float, state: State) -> int:
    """Give 0, which is the default, or the largest power of two that leaves room for a drop of several."""
    if _THETA0.get(state, 0) * drop <= _INT16:
        return 0
    return int(2.0 ** np.floor(np.log2(_INT16 / drop)))


def _leak(decay: float, state: State) -> Leak:
    """Choose "tz12" where the rounding of "q15" would leave small membranes of 8 bits that never decay."""
    if decay == 1:
        return "none"
    return "tz12" if state == "i8" and 0.5 / (1 - decay) > _THETA0[state] / 50 else "q15"


def _with_drops(model: Model, drops: Mapping[str, float]) -> Model:
    """Let neurons subtract another amount than their threshold: psi, in the bytes of the file.

    `GraphBuilder.lif` subtracts the threshold.
    """
    if not drops:
        return model
    data = bytearray(model.to_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    for name, drop in drops.items():
        begin, end = header[f"{name}.psi"]["data_offsets"]
        psi = np.frombuffer(data[start + begin : start + end], "<i4")
        data[start + begin : start + end] = np.floor(psi * drop + 0.5).astype("<i4").tobytes()
    return load(bytes(data))
