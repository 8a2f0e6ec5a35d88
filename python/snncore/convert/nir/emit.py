"""Calls `GraphBuilder` for the nodes of an ordered graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import numpy as np

from snncore import Error
from snncore.builder import GraphBuilder
from snncore.neuron import Neuron

from .dialects import rule
from .graph import SPIKING, Graph, Node, unique
from .neurons import Framework, Step
from .shapes import Shape, integers, spread, window

Readout = Literal["mean", "sum", "last"]
#: What an edge holds: "real" float32, "spike" bits, "count" several of them.
Holds = Literal["real", "spike", "count"]

#: A vector is scaled by a diagonal matrix; beyond this that would be the largest layer of the network.
_WIDEST: Final = 4096
_LAYERS: Final = ("Linear", "Affine", "Conv1d", "Conv2d")


@dataclass(frozen=True)
class Plan:
    """An ordered graph with all that its nodes need."""

    graph: Graph
    shapes: Mapping[str, Shape]
    steps: Mapping[str, Step]  #: of neurons
    delays: Mapping[str, int]
    looped: frozenset[str] = frozenset()  #: neurons whose spikes come back one step late
    framework: Framework = "nir"


def lifted(shape: Shape) -> list[int]:
    """Give the shape as the builder has it: [C, L] is an image of one row."""
    return [shape[0], 1, shape[1]] if len(shape) == 2 else list(shape)


def check(plan: Plan) -> None:
    """Name everything at once that has no counterpart.

    Raises
    ------
    snncore.Error
        There is something.
    """
    reasons = []
    for node in plan.graph.nodes.values():
        reason = _missing(node, plan)
        if reason:
            reasons.append(f"{node.label} ({reason})")
    if reasons:
        raise Error(f"{plan.graph.source}: no counterpart for {', '.join(reasons)}")


def _missing(node: Node, plan: Plan) -> str | None:
    shape = plan.shapes[node.name]
    if node.kind == "Flatten" and len(shape) != 1:
        return f"flattening to {list(shape)}, not to a vector"
    if node.kind == "Scale":
        scale = np.asarray(spread(node, "scale", node.values["scale"], shape))
        if scale.ndim > 1:
            return "a factor for each pixel"
        if len(shape) == 1 and shape[0] > _WIDEST and not _follows_layer(node, plan.graph):
            return f"{shape[0]} values; up to {_WIDEST} where no layer comes before"
    if node.kind == "Threshold" and np.ndim(spread(node, "threshold", node.values["threshold"], shape)):
        return "thresholds that differ"
    return None


def _follows_layer(node: Node, graph: Graph) -> bool:
    """Tell whether a Scale alone reads a layer, and can be folded into it."""
    (source,) = graph.before()[node.name]
    return graph.nodes[source].kind in _LAYERS and len(graph.after()[source]) == 1


def add_neuron(plan: Plan, builder: GraphBuilder, node: Node, x: str) -> str:
    """Add neurons that do their step."""
    step, framework = plan.steps[node.name], plan.framework
    plain = step.synapse is None and not np.any(step.bias) and step.reset != "value" and framework == "nir"
    if plain and step.threshold is not None and not step.differs:
        return builder.lif(
            node.name,
            x,
            decay=float(step.decay),
            input_gain=float(step.gain),
            threshold=float(step.threshold),
            reset="subtract" if step.reset == "subtract" else "zero",
            strict=True,
        )
    step = Step(**{f.name: _lifted_values(getattr(step, f.name)) for f in fields(step)})
    return builder.neuron(
        node.name, x, Neuron(**rule(step, framework, node.label, looped=node.name in plan.looped))
    )


def _lifted_values(value: Any) -> Any:
    """Give values of [C, L] as those of an image of one row."""
    if isinstance(value, tuple):
        return tuple(map(_lifted_values, value))
    return value[:, np.newaxis] if isinstance(value, np.ndarray) and value.ndim == 2 else value


class Emitter:
    """Walks over the nodes; `edges` maps a node to its edge, `holds` says what is on it."""

    def __init__(self, plan: Plan, input_dtype: Literal["f32", "b1"], readout: Readout | None) -> None:
        self.builder = GraphBuilder()
        self.plan, self.input_dtype, self.readout = plan, input_dtype, readout
        self.before, self.after = plan.graph.before(), plan.graph.after()
        self.edges: dict[str, str] = {}
        self.holds: dict[str, Holds] = {}
        self.names = set(plan.graph.nodes)

    def run(self) -> GraphBuilder:
        """Emit everything."""
        for name, node in self.plan.graph.nodes.items():
            emit: Callable[[Node], Holds] = getattr(self, f"_{node.kind.lower()}", self._neuron)
            self.holds[name] = emit(node)
            self.edges.setdefault(name, name)
        return self.builder

    def _from(self, node: Node) -> str:
        (source,) = self.before[node.name]
        return self.edges[source]

    def _held(self, node: Node) -> Holds:
        (source,) = self.before[node.name]
        return self.holds[source]

    def _real(self, node: Node, source: str) -> str:
        """Give the edge of `source` as float32: spikes times one."""
        if self.holds[source] == "real":
            return self.edges[source]
        name = self._free(f"{node.name}.input")
        return self._times(name, self.edges[source], self.plan.shapes[source], np.ones(()), node)

    def _free(self, name: str) -> str:
        name = unique(name, self.names)
        self.names.add(name)
        return name

    def _times(self, name: str, x: str, shape: Shape, factor: Any, node: Node) -> str:
        """Multiply: channels by a convolution of one tap, a vector by a diagonal matrix."""
        factors = np.broadcast_to(np.asarray(factor, np.float32), shape[:1])
        if len(shape) > 1:
            taps = factors.reshape(-1, 1, 1, 1)
            return self.builder.conv2d(name, x, np.ascontiguousarray(taps), groups=shape[0])
        if shape[0] > _WIDEST:
            raise Error(f"{node.label}: {shape[0]} spikes as values; up to {_WIDEST} are possible")
        return self.builder.linear(name, x, np.diag(factors))

    def _input(self, node: Node) -> Holds:
        shape = lifted(self.plan.shapes[node.name])
        layout = "TNCHW" if len(shape) == 3 else "TNC"
        self.builder.input(node.name, self.input_dtype, shape, layout=layout)
        return "real" if self.input_dtype == "f32" else "spike"

    def _output(self, node: Node) -> Holds:
        (source,) = self.before[node.name]
        edge = self.edges[source]
        if self.plan.graph.nodes[source].kind == "Input":
            raise Error(f"{node.label}: nothing lies between it and '{source}'")
        if self.readout is not None:
            if len(self.plan.shapes[source]) != 1:
                raise ValueError(
                    f"from_nir: readout {self.readout!r} needs a vector, {node.label} is "
                    f"{list(self.plan.shapes[source])}"
                )
            edge = self.builder.readout(node.name, edge, self.readout)
        self.builder.output(node.name, edge)
        return "real"

    def _linear(self, node: Node) -> Holds:
        self.builder.linear(node.name, self._from(node), node.values["weight"], bias=self._bias(node))
        return "real"

    _affine = _linear

    def _bias(self, node: Node) -> Any:
        bias = node.values.get("bias")
        if bias is None or not bias.any():
            return None
        return np.broadcast_to(bias.ravel(), node.values["weight"].shape[:1])

    def _conv2d(self, node: Node) -> Holds:
        given = window(node)
        del given["kernel"]
        weight = node.values["weight"]
        if node.kind == "Conv1d":
            weight = weight[:, :, np.newaxis]
        groups = integers(node, "groups", 1)[0]
        self.builder.conv2d(
            node.name, self._from(node), weight, bias=self._bias(node), groups=groups, **given
        )
        return "real"

    _conv1d = _conv2d

    def _sumpool2d(self, node: Node) -> Holds:
        """Convolve each channel with ones: the sum of spikes stays whole in float32."""
        given = window(node)
        channels = self.plan.shapes[node.name][0]
        ones = np.ones((channels, 1, *given.pop("kernel")), np.float32)
        self.builder.conv2d(node.name, self._from(node), ones, groups=channels, **given)
        return "real"

    def _avgpool2d(self, node: Node) -> Holds:
        given = window(node)
        del given["dilation"]
        self.builder.avgpool2d(node.name, self._from(node), **given)
        return "real" if self._held(node) == "real" else "count"

    def _flatten(self, node: Node) -> Holds:
        self.builder.flatten(node.name, self._from(node))
        return self._held(node)

    def _scale(self, node: Node) -> Holds:
        shape = self.plan.shapes[node.name]
        scale = spread(node, "scale", node.values["scale"], shape)
        if not _follows_layer(node, self.plan.graph):
            self._times(node.name, self._from(node), shape, scale, node)
            return "real"
        one, zero = np.ones(shape[0]), np.zeros(shape[0])
        self.builder.batch_norm(node.name, self._from(node), one * scale, zero, zero, one, eps=0.0)
        return "real"

    def _sum(self, node: Node) -> Holds:
        sources = self.before[node.name]
        held = {self.holds[s] for s in sources}
        first, *rest = sources
        one_unit = "real" in held or held == {"spike"}
        edges = [self.edges[first] if one_unit else self._real(node, first), *(self.edges[s] for s in rest)]
        self.builder.add(node.name, edges)
        return "count" if held == {"spike"} else "real"

    def _delay(self, node: Node) -> Holds:
        (source,) = self.before[node.name]
        steps = self.plan.delays[node.name]
        if source in self.edges:
            self.builder.delay(node.name, self.edges[source], steps)
            return self.holds[source]
        held = self._ahead(source, ())
        if held == "count":
            raise Error(f"{node.label}: a cycle cannot be delayed where it carries counts ('{source}')")
        shape = lifted(self.plan.shapes[source])
        self.builder.delay(node.name, source, steps, shape=shape, dtype="b1" if held == "spike" else "f32")
        return held

    def _ahead(self, name: str, seen: tuple[str, ...]) -> Holds:
        """Tell what a node that comes later will hold."""
        if name in self.holds:
            return self.holds[name]
        kind = self.plan.graph.nodes[name].kind
        if kind not in ("Sum", "AvgPool2d", "Flatten", "Delay") or name in seen:
            return "spike" if kind in SPIKING or kind == "Threshold" else "real"
        held = {self._ahead(source, (*seen, name)) for source in self.before[name]}
        if "real" in held:
            return "real"
        return "count" if kind in ("Sum", "AvgPool2d") else held.pop()

    def _threshold(self, node: Node) -> Holds:
        """Compare: a neuron that keeps nothing."""
        (source,) = self.before[node.name]
        threshold = spread(node, "threshold", node.values["threshold"], self.plan.shapes[node.name])
        self.builder.lif(
            node.name, self._real(node, source), decay=0.0, threshold=float(threshold), strict=True
        )
        return "spike"

    def _neuron(self, node: Node) -> Holds:
        (source,) = self.before[node.name]
        add_neuron(self.plan, self.builder, node, self._real(node, source))
        return "spike" if node.kind in SPIKING else "real"
