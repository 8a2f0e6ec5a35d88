"""A model built again through `GraphBuilder`, node by node and constant by constant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from snncore.builder import GraphBuilder
from snncore.model import Model
from snncore.neuron import Neuron

from .graph import FIRING, Graph, Node

#: Attributes of an integer `lif` or `if` that `GraphBuilder.lif_int` does not take.
_IMPLIED: Final = ("arith",)


class Copy:
    """Copies the nodes one by one; `edges` maps the old names of edges to the builder's.

    A subclass changes what it overrides; as it is, the copy computes what the original does, bit for bit.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = GraphBuilder()
        self.edges: dict[str, str] = {}

    def model(self, metadata: Mapping[str, Any]) -> Model:
        """Copy everything; `metadata` are labels, preprocess and provenance of the new model."""
        document = self.graph.document
        for port in document["inputs"]:
            self.input(port)
        for node in self.graph.nodes:
            self.add(node)
        for port in document["outputs"]:
            self.builder.output(port["name"], self.edges[port["edge"]])
        return self.builder.build(document["timesteps"], **metadata)

    def input(self, port: Mapping[str, Any]) -> None:
        """Add an input."""
        edge = self.graph.edges[port["edge"]]
        dtype = edge["dtype"]
        if dtype.startswith("u") and edge["unit"] != "pixel":
            dtype = f"count{dtype[1:]}"
        self.edges[port["edge"]] = self.builder.input(
            port["name"],
            dtype,
            self.shape(port["edge"]),
            zero_point=edge.get("zero_point"),
            scale=edge.get("scale"),
            layout=port["layout"],
        )

    def add(self, node: Node) -> None:
        """Add a node."""
        inputs = [self.edges.get(edge, "") for edge in node["inputs"]]
        if node["op"] in FIRING:
            made = self.neuron(node, inputs[0])
        else:
            method: Callable[[Node, list[str]], str] = getattr(self, f"_{node['op']}")
            made = method(node, inputs)
        self.edges[node["outputs"][0]] = made

    def shape(self, edge: str) -> list[int]:
        """Give [C, H, W] or [F]."""
        shape = self.graph.parts.shape(edge)
        return [shape[-1], *shape[:-1]]

    def weight(self, node: Node) -> dict[str, Any]:
        """Give weight and bias, and encoding, bits and scale of codes, as `GraphBuilder` takes them."""
        values, codes = self.graph.values(node), self.graph.parts.codes(node)
        if codes is None:
            weight = self.graph.user_weight(node, values["weight"])
            return {"weight": weight, "bias": values.get("bias")}
        return {
            "weight": self.graph.user_weight(node, codes.q.astype(np.int8)),
            "encoding": codes.encoding,
            "bits": codes.bits,
            "scale": values["scale"],
            "bias": values.get("bias"),
        }

    def neuron(self, node: Node, x: str) -> str:
        """Add neurons of any kind."""
        name, attrs = node["name"], node["attrs"]
        values: dict[str, Any] = self.graph.values(node)
        if node["op"] == "psn":
            return self.builder.psn(name, x, **values)
        if node["op"] == "cuba_lif":
            return self.builder.cuba_lif(name, x, **attrs, **values)
        if node["op"] == "neuron":
            rule: dict[str, Any] = dict(attrs)
            for role, given in values.items():
                rule[role] = self.graph.user_order(node["outputs"][0], given)
            return self.builder.neuron(name, x, Neuron(**rule))
        options = {key: value for key, value in attrs.items() if key not in _IMPLIED}
        make: Callable[..., str] = self.builder.lif_int if attrs["arith"] == "int" else self.builder.lif
        return make(name, x, **options, **values)

    def _conv2d(self, node: Node, inputs: list[str]) -> str:
        return self.builder.conv2d(node["name"], inputs[0], **self.weight(node), **node["attrs"])

    def _linear(self, node: Node, inputs: list[str]) -> str:
        return self.builder.linear(node["name"], inputs[0], **self.weight(node))

    def _requant(self, node: Node, inputs: list[str]) -> str:
        values = self.graph.values(node)
        factors = [values[f"{'M' if f'M.{j}' in values else 'K'}.{j}"] for j in range(len(inputs))]
        wide = node["attrs"]["wide"]
        return self.builder.requant(node["name"], inputs, factors, values["C"], values["n"], wide)

    def _residual(self, node: Node, inputs: list[str]) -> str:
        values = self.graph.values(node)
        factors = [values.get(f"M.{j}", values.get(f"K.{j}")) for j in range(len(inputs))]
        unit = node["attrs"]["unit"]
        return self.builder.residual_int(node["name"], inputs, factors, values["C"], values["n"], unit)

    def _saccade(self, node: Node, inputs: list[str]) -> str:
        q, *others = inputs
        options: dict[str, Any] = {**node["attrs"], **self.graph.values(node)}
        return self.builder.saccade(node["name"], q, others[0] if others else None, **options)

    def _maxpool2d(self, node: Node, inputs: list[str]) -> str:
        return self.builder.maxpool2d(node["name"], inputs[0], **node["attrs"])

    def _avgpool2d(self, node: Node, inputs: list[str]) -> str:
        return self.builder.avgpool2d(node["name"], inputs[0], **node["attrs"])

    def _add(self, node: Node, inputs: list[str]) -> str:
        return self.builder.add(node["name"], inputs)

    def _couple(self, node: Node, inputs: list[str]) -> str:
        return self.builder.couple(node["name"], *inputs)

    def _attention(self, node: Node, inputs: list[str]) -> str:
        return self.builder.attention(node["name"], *inputs, **node["attrs"])

    def _map_scores(self, node: Node, inputs: list[str]) -> str:
        return self.builder.map_scores(node["name"], *inputs, **node["attrs"])

    def _map_product(self, node: Node, inputs: list[str]) -> str:
        return self.builder.map_product(node["name"], *inputs, **node["attrs"])

    def _count(self, node: Node, inputs: list[str]) -> str:
        return self.builder.count(node["name"], *inputs, **node["attrs"])

    def _mask(self, node: Node, inputs: list[str]) -> str:
        return self.builder.mask(node["name"], *inputs)

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
            shape=self.shape(source),
            dtype=self.graph.edges[source]["dtype"],
        )

    def _readout(self, node: Node, inputs: list[str]) -> str:
        edge = node["inputs"][0]
        values = {role: self.graph.user_order(edge, v) for role, v in self.graph.values(node).items()}
        return self.builder.readout(node["name"], inputs[0], node["attrs"]["mode"], **values)
