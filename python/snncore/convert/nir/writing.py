"""From a model to a NIR graph. Needs the package `nir`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore._core import Error, version
from snncore.convert.parts import Parts, parts_of
from snncore.model import Model, check_model

from .graph import Edge, from_tree, unique
from .order import in_order
from .tree import read
from .undo import Unsayable, node_of, rule_of_lif, rule_of_neuron

Attrs = dict[str, Any]


def to_nir(model: Model, *, dt: float | None = None) -> Any:
    """Write a model as a `nir.NIRGraph`; ``nir.write(path, graph)`` makes a file of it.

    The reverse of `from_nir`, for what NIR can say: float weights, neurons that fire above a threshold,
    pooling by the mean, sums, delays, loops. What it cannot say (dt, the kind of reset, readouts over time)
    is put into the graph's metadata, where `from_nir` finds it. A sum has no order in NIR: three terms or
    more may be added in another one.

    Parameters
    ----------
    model
        A model of float weights.
    dt
        Seconds that a step stands for. Default: that of the NIR file which the model came from, else 1e-4,
        which most exporters use.

    Raises
    ------
    snncore.Error
        Layers that NIR has no node for, all of them named.
    ValueError
        dt is not above 0.
    ImportError
        No package nir.
    """
    check_model("to_nir", model)
    if dt is None:
        dt = float(model.metadata["provenance"].get("dt", 1e-4))
    if not (np.isfinite(dt) and dt > 0):
        raise ValueError(f"to_nir: expected dt above 0, in seconds, received {dt!r}")
    parts = parts_of(model)
    writer = _Writer(parts, float(dt), implied=True)
    graph = writer.run()
    if writer.late and (writer.reasons or _cuts(graph, float(dt)) != writer.cut):
        writer = _Writer(parts, float(dt), implied=False)
        graph = writer.run()
    if writer.reasons:
        raise Error(f"to_nir: NIR cannot say {', '.join(writer.reasons)}")
    return graph


def _cuts(graph: Any, dt: float) -> set[Edge]:
    """Tell which edges of a graph would be read one step late."""
    plain = from_tree(*read(graph))
    steps = {
        n.name: round(float(n.values["delay"].flat[0]) / dt)
        for n in plain.nodes.values()
        if n.kind == "Delay"
    }
    ordered = in_order(plain, steps)
    new = set(ordered.nodes) - set(plain.nodes)
    before, found = ordered.before(), set()
    for source, reader in ordered.edges:
        if source in new and ordered.nodes[source].kind == "Delay":
            (neuron,) = before[source]
            found.add((neuron, ordered.after()[reader][0] if reader in new else reader))
    return found


class _Writer:
    """Makes NIR nodes of ours. With `implied`, a loop's delay of one step is left to the reader."""

    def __init__(self, parts: Parts, dt: float, *, implied: bool) -> None:
        import nir

        self.nir, self.parts, self.dt, self.implied = nir, parts, dt, implied
        self.nodes: dict[str, Any] = {}
        self.edges: set[Edge] = set()
        self.names: dict[str, str] = {}  # of an edge of ours: the NIR node
        self.sums: dict[str, list[str]] = {}  # edges that are several nodes added, or another one passed on
        self.images: dict[str, list[int]] = {}  # flattened edges: the image's [H, W, C]
        self.cut: set[Edge] = set()
        self.late: set[str] = set()  # edges of delays that are left out
        self.facts: dict[str, Any] = {"dt": dt, "producer": f"snncore {version()}"}
        self.resets: set[str] = set()
        self.reasons: list[str] = []

    def run(self) -> Any:
        """Give the graph."""
        for port in self.parts.document["inputs"]:
            self._input(port)
        ours = self.parts.nodes
        for node in ours:
            self._name(node)
        for node in ours:
            self._node(node)
        for node in ours:
            if node["outputs"][0] in self.names:
                self._join(node["inputs"], self.names[node["outputs"][0]])
        for port in self.parts.document["outputs"]:
            self._output(port)
        self._check_readouts()
        reset = self._reset()
        if reset is not None:
            self.facts["reset"] = reset
        self.facts["timesteps"] = self.parts.document["timesteps"]
        return self.nir.NIRGraph(self.nodes, sorted(self.edges), metadata=self.facts, type_check=False)

    def _refuse(self, node: Attrs, why: str) -> None:
        self.reasons.append(f"'{node['name']}' ({node['op']}: {why})")

    def _image(self, edge: str) -> list[int]:
        """Give a shape as NIR has it: channels first."""
        shape = self.parts.shape(edge)
        return [shape[-1], *shape[:-1]]

    def _join(self, inputs: Iterable[str], reader: str) -> None:
        for edge in inputs:
            for source in self._sources(edge):
                pair = (self.names[source], reader)
                if pair in self.edges:
                    self.reasons.append(f"'{pair[0]}' twice in a sum")
                self.edges.add(pair)
                if edge in self.late or self._through_late(edge, source):
                    self.cut.add(pair)

    def _through_late(self, edge: str, source: str) -> bool:
        """Tell whether `source` reaches a sum only through a delay that is left out."""
        return any(
            source in self._sources(e) and (e in self.late or self._through_late(e, source))
            for e in self.sums.get(edge, ())
            if e != source
        )

    def _sources(self, edge: str) -> list[str]:
        if edge not in self.sums:
            return [edge]
        return [source for e in self.sums[edge] for source in self._sources(e)]

    def _input(self, port: Attrs) -> None:
        edge = self.parts.document["graph"]["edges"][port["edge"]]
        if edge["dtype"] not in ("f32", "b1"):
            self.reasons.append(f"'{port['name']}' (an input of raw pixels or counts)")
        name = self._unique(port["name"])
        self.names[port["edge"]] = name
        self.nodes[name] = self.nir.Input({"input": np.array(self._image(port["edge"]))})
        same = self.facts.setdefault("input_dtype", edge["dtype"]) == edge["dtype"]
        self.facts["input_dtype"] = edge["dtype"] if same else "f32"

    def _output(self, port: Attrs) -> None:
        name = self._unique(port["name"])
        shape = np.array(self._image(port["edge"]))
        self.nodes[name] = self.nir.Output({"output": shape})
        self._join([port["edge"]], name)

    def _check_readouts(self) -> None:
        """Refuse outputs of which some have a readout: a graph says so for all together."""
        read = {node["outputs"][0] for node in self.parts.nodes if node["op"] == "readout"}
        edges = [port["edge"] for port in self.parts.document["outputs"]]
        if not read.isdisjoint(edges) and not read.issuperset(edges):
            self.reasons.append("outputs of which only some have a readout")
        for node in self.parts.nodes:
            if not read.isdisjoint(node["inputs"]):
                self._refuse(node, "a layer behind a readout")

    def _unique(self, name: str) -> str:
        taken = {*self.nodes, *self.names.values()}
        return unique(name.replace("/", "_"), taken)  # a slash makes a group in HDF5

    def _name(self, node: Attrs) -> None:
        """Name what becomes a node; sums, readouts and implied delays do not."""
        op, edge = node["op"], node["outputs"][0]
        written = {e: n["op"] for n in self.parts.nodes for e in n["outputs"]}
        back = op == "delay" and node["inputs"][0] not in self.names and node["attrs"]["steps"] == 1
        if self.implied and back and written[node["inputs"][0]] in ("lif", "if", "neuron"):
            self.late.add(edge)
        if op in ("add", "readout") or edge in self.late:
            self.sums[edge] = list(node["inputs"])
        else:
            self.names[edge] = self._unique(node["name"])
        if op in ("add", "readout", "delay", "lif", "if", "neuron"):
            self._pass_image(node)
        if op == "flatten":
            self.images[edge] = self.parts.shape(node["inputs"][0])

    def _pass_image(self, node: Attrs) -> None:
        for source in node["inputs"]:
            if source in self.images:
                self.images[node["outputs"][0]] = self.images[source]

    def _node(self, node: Attrs) -> None:
        make = getattr(self, f"_{node['op']}", None)
        if make is None:
            self._refuse(node, "no such node")
            return
        made = make(node, node["attrs"])
        if made is not None:
            self.nodes[self.names[node["outputs"][0]]] = made

    def _weight(self, node: Attrs) -> NDArray[Any] | None:
        weight = self.parts.floats(node)
        if weight is None:
            self._refuse(node, "quantised weights")
        return weight

    def _linear(self, node: Attrs, attrs: Attrs) -> Any:
        weight = self._weight(node)
        if weight is None:
            return None
        if node["inputs"][0] in self.images:
            h, w, c = self.images[node["inputs"][0]]
            weight = weight.reshape(-1, h, w, c).transpose(0, 3, 1, 2).reshape(len(weight), -1)
        bias = self.parts.tensor(node, "bias")
        weight = np.array(weight)
        return self.nir.Linear(weight) if bias is None else self.nir.Affine(weight, np.array(bias))

    def _conv2d(self, node: Attrs, attrs: Attrs) -> Any:
        weight = self._weight(node)
        padding = self._padding(node, attrs)
        if weight is None or padding is None:
            return None
        bias = self.parts.tensor(node, "bias")
        return self.nir.Conv2d(
            input_shape=tuple(self.parts.shape(node["inputs"][0])[:2]),
            weight=np.ascontiguousarray(weight.transpose(0, 3, 1, 2)),
            stride=tuple(attrs["stride"]),
            padding=padding,
            dilation=tuple(attrs["dilation"]),
            groups=attrs["groups"],
            bias=np.zeros(len(weight), np.float32) if bias is None else np.array(bias),
        )

    def _padding(self, node: Attrs, attrs: Attrs) -> Any:
        top, bottom, left, right = attrs["padding"]
        if top == bottom and left == right:
            return (top, left)
        if "dilation" in attrs and tuple(attrs["stride"]) == (1, 1):
            weight = self.parts.tensor(node, "weight")
            kernel = (1, 1) if weight is None else weight.shape[1:3]
            spans = [d * (k - 1) for d, k in zip(attrs["dilation"], kernel, strict=True)]
            if [n for s in spans for n in (s // 2, s - s // 2)] == attrs["padding"]:
                return "same"
        self._refuse(node, "unequal padding")
        return None

    def _avgpool2d(self, node: Attrs, attrs: Attrs) -> Any:
        padding = self._padding(node, attrs)
        if padding is None:
            return None
        sizes = {"kernel_size": attrs["kernel"], "stride": attrs["stride"], "padding": padding}
        return self.nir.AvgPool2d(**{name: np.array(pair) for name, pair in sizes.items()})

    def _flatten(self, node: Attrs, attrs: Attrs) -> Any:
        return self.nir.Flatten({"input": np.array(self._image(node["inputs"][0]))}, 0, -1)

    def _delay(self, node: Attrs, attrs: Attrs) -> Any:
        edge = node["outputs"][0]
        if edge in self.late:
            return None
        return self.nir.Delay(np.full(self._image(edge), attrs["steps"] * self.dt))

    def _add(self, node: Attrs, attrs: Attrs) -> None:
        return None

    def _readout(self, node: Attrs, attrs: Attrs) -> None:
        if self.facts.setdefault("readout", attrs["mode"]) != attrs["mode"]:
            self._refuse(node, "readouts that differ")
        read = self.parts.document["graph"]["edges"][node["inputs"][0]]
        if read["dtype"] == "i32":
            self._refuse(node, "integer sums")
            return
        scale, bias = (self.parts.tensor(node, role) for role in ("scale", "bias"))
        unit = 1 / int(read.get("unit", "1/1").removeprefix("1/"))
        if (scale is not None and np.any(scale != unit)) or (bias is not None and np.any(bias)):
            self._refuse(node, "a readout with a scale or bias of its own")

    def _lif(self, node: Attrs, attrs: Attrs) -> Any:
        edge = node["outputs"][0]
        try:
            if node["op"] == "neuron":
                tensors = {role: self._values(node, role) for role in node["tensors"]}
                rule = rule_of_neuron(attrs, tensors)
            else:
                rule = rule_of_lif(attrs)
            kind, values, reset = node_of(rule, self.dt)
        except Unsayable as why:
            self._refuse(node, str(why))
            return None
        if reset is not None:
            self.resets.add(reset)
        shape = self._image(edge)  # in full: other readers do not spread numbers
        return getattr(self.nir, kind)(**{n: np.broadcast_to(v, shape).copy() for n, v in values.items()})

    _if = _neuron = _lif

    def _values(self, node: Attrs, role: str) -> NDArray[np.float64]:
        """Give a parameter so that it spreads over [C, H, W] or [F], channels first."""
        values = self.parts.tensor(node, role)
        assert values is not None
        edge = node["outputs"][0]
        if values.size > 1 and edge in self.images:
            h, w, c = self.images[edge]
            values = values.reshape(h, w, c).transpose(2, 0, 1).ravel()
        elif values.ndim == 3:
            values = values.transpose(2, 0, 1)
        elif values.size > 1 and len(self.parts.shape(edge)) == 3:
            values = values.reshape(-1, 1, 1)
        return values.astype(np.float64)

    def _reset(self) -> str | None:
        if not self.resets:
            return None
        if "subtract" not in self.resets:
            return "value" if "value" in self.resets else "zero"
        if len(self.resets) > 1:
            self.reasons.append("neurons of different resets")
        return "subtract"
