"""A model built again through `GraphBuilder`, with what a plan says as integers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snncore.builder import GraphBuilder, Leak, Profile, State
from snncore.convert.streams import is_stream
from snncore.model import Model, load

from .copying import Copy
from .graph import WEIGHTED, Graph, Node
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
    profiles: Mapping[str, Profile],
    metadata: Mapping[str, Any],
) -> Model:
    """Build the model.

    Parameters
    ----------
    graph, plan
        The float model, and what becomes integer.
    coded
        For each layer of `plan.coded` the weight as `GraphBuilder` takes it, in the user's order of axes.
    states, profiles
        For each neuron of `plan.rules` its state and its profile.
    metadata
        labels, preprocess and provenance of the new model.
    """
    built = _Maker(graph, plan, coded, states, profiles).model(metadata)
    return _with_drops(built, {n: r.drop for n, r in plan.rules.items() if r.drop != 1})


def weight_of(graph: Graph, node: Node) -> NDArray[np.float32]:
    """Give a float weight in the user's order."""
    weight: NDArray[np.float32] = graph.user_weight(node, graph.values(node)["weight"])
    return weight


class _Maker(Copy):
    """A copy with what the plan says as integers."""

    def __init__(
        self,
        graph: Graph,
        plan: Plan,
        coded: Mapping[str, Mapping[str, Any]],
        states: Mapping[str, State],
        profiles: Mapping[str, Profile],
    ) -> None:
        super().__init__(graph)
        self.plan, self.coded = plan, coded
        self.states, self.profiles = states, profiles
        self.sums: set[str] = set()  # edges of the old model that are integer sums in the new one
        self.streams: set[str] = set()  # and those that are int32 streams

    def add(self, node: Node) -> None:
        """Add a node; integer sums that others than one neuron read become a stream."""
        super().add(node)
        made, op = node["outputs"][0], node["op"]
        if node["name"] in self.coded or (op == "add" and self.sums.intersection(node["inputs"])):
            self.sums.add(made)
            readers = [reader["op"] for reader in self.graph.readers[made]]
            if op in WEIGHTED and is_stream(op, readers):
                self.edges[made] = self.builder.residual(f"{node['name']}.stream", self.edges[made])
                self.streams.add(made)

    def _add(self, node: Node, inputs: list[str]) -> str:
        readers = [reader["op"] for reader in self.graph.readers[node["outputs"][0]]]
        if not self.sums.intersection(node["inputs"]) or not is_stream("add", readers):
            return super()._add(node, inputs)
        self.streams.add(node["outputs"][0])
        return _continued(self.builder, node, inputs, [e in self.streams for e in node["inputs"]])

    def input(self, port: Mapping[str, Any]) -> None:
        pixels = self.plan.pixels.get(port["edge"])
        if pixels is None:
            return super().input(port)
        self.edges[port["edge"]] = self.builder.input(
            port["name"],
            "u8",
            self.shape(port["edge"]),
            zero_point=pixels.zero_point,
            scale=pixels.scale,
            layout=port["layout"],
        )
        return None

    def weight(self, node: Node) -> dict[str, Any]:
        coded = self.coded.get(node["name"])
        return (
            super().weight(node) if coded is None else {**coded, "bias": self.graph.values(node).get("bias")}
        )

    def neuron(self, node: Node, x: str) -> str:
        rule = self.plan.rules.get(node["name"])
        return super().neuron(node, x) if rule is None else self._integer(node, x, rule)

    def _integer(self, node: Node, x: str, rule: Rule) -> str:
        name, gain = node["name"], float(rule.gain[0])
        if not rule.plain:
            channels = self.shape(node["outputs"][0])[0]
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
            profile="W" if rule.drop != 1 else self.profiles[name],
            state=state,
            leak=_leak(rule.decay, state),
            theta0=_theta0(rule.drop, state),
        )


def _continued(builder: GraphBuilder, node: Node, inputs: list[str], held: list[bool]) -> str:
    """Write what is no stream yet to the streams among the inputs."""
    new = [x for x, stream in zip(inputs, held, strict=True) if not stream]
    old = [x for x, stream in zip(inputs, held, strict=True) if stream]
    name = node["name"]
    parts = [*new, *old[1:]]
    x = parts[0] if len(parts) == 1 else builder.add(f"{name}.sum", parts)
    return builder.residual(name, x, old[0] if old else None)


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
    data = bytearray(model.to_bytes(format_version=1))
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    for name, drop in drops.items():
        begin, end = header[f"{name}.psi"]["data_offsets"]
        psi = np.frombuffer(data[start + begin : start + end], "<i4")
        data[start + begin : start + end] = np.floor(psi * drop + 0.5).astype("<i4").tobytes()
    return load(bytes(data))
