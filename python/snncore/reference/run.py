"""Run a `.snn` file by the definitions: what the engine must answer, bit for bit.

The file is read with the `safetensors` package and `json`; nothing here comes from the library. The document
and every operation are described in docs/format.md.

>>> result = run("net.snn", images)  # doctest: +SKIP
>>> result.outputs["logits"], result.spikes["conv1.lif"], result.membranes["conv1.lif"], result.sums["head"]
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from torch import Tensor

from ..neuron import Neuron
from . import ops, psn
from .cuba import cuba_lif
from .document import complete
from .integer import IntegerLif, Saturations, Steps, float_lif, integer_lif
from .neuron import run as run_neuron
from .saccade import saccade

FORMATS = (1, 2)
NEURONS = ("lif", "if", "cuba_lif", "neuron", "psn")

Source = str | os.PathLike[str] | bytes


@dataclass(frozen=True)
class File:
    """A `.snn` file: the document, and tensors as int64, float32 or float64 (weights: the integers m)."""

    document: dict[str, Any]
    tensors: dict[str, Tensor]


@dataclass
class Result:
    """What a run gave.

    `outputs`: by output name, float32 ``[N, F]`` of a readout, ``[T, N, ...]`` of another edge. By node name:
    `spikes` bool and `membranes` (after reset) int64 or float32, ``[T, N, C, H, W]`` or ``[T, N, F]``;
    `currents` of neurons with a synaptic current, alike;
    `sums` int64, ``[N, F]`` of a readout of integers, ``[T, N, ...]`` of a convolution, linear layer,
    attention, count or map;
    `saturations` of the integer neurons and the streams.
    """

    outputs: dict[str, Tensor] = field(default_factory=dict)
    spikes: dict[str, Tensor] = field(default_factory=dict)
    membranes: dict[str, Tensor] = field(default_factory=dict)
    currents: dict[str, Tensor] = field(default_factory=dict)
    sums: dict[str, Tensor] = field(default_factory=dict)
    saturations: dict[str, Saturations] = field(default_factory=dict)


def run(
    source: Source,
    x: Any,
    layout: str | None = None,
    timesteps: int | None = None,
    record: Sequence[str] | None = None,
    batch: int = 8,
) -> Result:
    """Run the model in `source` (a path or the bytes of a file) on `x`.

    `x` is an array, or a mapping from input names to arrays: uint8 raw pixels, float32 normalised values,
    bool spikes. `layout` is a permutation of the axes T, N, C, H, W (default: the file's); without T one
    frame is repeated `timesteps` times (default: the file's). `record` holds ``"<neuron>"`` (spikes),
    ``"<neuron>.v"`` (membranes), ``"<neuron>.i"`` (currents), and ``"<node>.sum"`` of what has sums; None
    records everything. Samples are independent; they run `batch` at a time.
    """
    file = read(source)
    document = file.document
    arrays: dict[str, Tensor] = {}
    for port in document["inputs"]:
        given = x[port["name"]] if isinstance(x, Mapping) else x
        edge = document["graph"]["edges"][port["edge"]]
        values = _convert(port["name"], torch.as_tensor(given), edge, layout or port["layout"])
        if "T" not in (layout or port["layout"]):
            values = values.expand(timesteps or document["timesteps"], *values.shape[1:])
        elif timesteps not in (None, values.shape[0]):
            raise ValueError(f"input '{port['name']}' has {values.shape[0]} time steps, expected {timesteps}")
        arrays[port["edge"]] = values
    samples = {a.shape[1] for a in arrays.values()}
    if len(samples) != 1:
        raise ValueError(f"inputs differ in the number of samples: {sorted(samples)}")
    chunks = []
    for start in range(0, samples.pop(), batch):
        walk = _Walk(file, record)
        chunks.append(walk.run({name: a[:, start : start + batch] for name, a in arrays.items()}))
    return _joined(chunks)


def read(source: Source) -> File:
    """Read a file: its document, and its tensors with weight codes decoded to m."""
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    document = json.loads(header["__metadata__"]["snncore"])
    if document["kind"] != "model" or document["format"] not in FORMATS:
        raise ValueError(f"expected a model of format 1 or 2, got {document['kind']} of {document['format']}")
    tensors = {}
    for name, stored in load_tensors(data).items():
        if name in document["tensors"]:
            tensors[name] = _decode(stored, **document["tensors"][name])
        elif not name.startswith("pad."):
            tensors[name] = stored if stored.is_floating_point() else stored.to(torch.int64)
    if document["format"] > 1:
        complete(document, tensors)
    return File(document, tensors)


def _decode(stored: Tensor, shape: list[int], bits: int, encoding: str) -> Tensor:
    """Weight codes to m: odd m = 2q + 1, sym m = q. Element i is at bits i*b .. i*b+b-1; at b = 1 it is u."""
    if bits == 8:
        q = stored.to(torch.int64)
    else:
        count = int(torch.tensor(shape).prod())
        planes = stored.view(torch.uint8).to(torch.int64)[:, None] >> torch.arange(0, 8, bits)
        u = (planes & (2**bits - 1)).flatten()[:count]
        top = 2 ** (bits - 1)
        q = u - 1 if bits == 1 else torch.where(u >= top, u - 2 * top, u)
    m = 2 * q + 1 if encoding == "odd" else q
    return m.view(shape)


def _convert(name: str, x: Tensor, edge: dict[str, Any], layout: str) -> Tensor:
    """Put a caller's array in the order T, N, C, H, W (T of size 1 if it has none) and in the edge's type."""
    axes = "TNCHW" if len(edge["shape"]) == 3 else "TNC"
    if sorted(layout) not in (sorted(axes), sorted(axes[1:])):
        raise ValueError(f"input '{name}': layout must permute {axes} or {axes[1:]}, is '{layout}'")
    if x.dim() != len(layout):
        raise ValueError(f"input '{name}': expected the axes {layout}, received shape {tuple(x.shape)}")
    x = x.permute([layout.index(axis) for axis in axes if axis in layout])
    x = x if "T" in layout else x.unsqueeze(0)
    expected = edge["shape"][-1:] + edge["shape"][:-1]
    if list(x.shape[2:]) != expected:
        raise ValueError(f"input '{name}': expected {expected} for C, H, W, received {list(x.shape[2:])}")
    if edge["unit"] == "pixel":
        return _pixels(x, edge)
    if edge["dtype"] == "f32":
        return _reals(name, x, edge)
    if edge["dtype"] == "b1" and x.is_floating_point() and not ((x == 0) | (x == 1)).all():
        raise ValueError(f"input '{name}': spikes are 0 or 1")
    return (x != 0).to(torch.int64) if edge["dtype"] == "b1" else x.to(torch.int64)


def _pixels(x: Tensor, edge: dict[str, Any]) -> Tensor:
    """Return p - z of raw pixels p, or of real values: ``p = clamp(floor(x / scale + z + 1/2), 0, 255)``."""
    z = torch.tensor(edge["zero_point"]).view(-1, *[1] * (x.dim() - 3))
    if x.is_floating_point():
        x = torch.floor(x.double() / edge["scale"] + z + 0.5).nan_to_num(0.0).clamp(0, 255)
    return x.to(torch.int64) - z


def _reals(name: str, x: Tensor, edge: dict[str, Any]) -> Tensor:
    if x.dtype != torch.uint8:
        return x.to(torch.float32)
    if edge.get("zero_point") is None:
        raise ValueError(f"input '{name}': the file does not say how pixels become reals")
    z = torch.tensor(edge["zero_point"]).view(-1, *[1] * (x.dim() - 3))
    return (x.to(torch.int64) - z).float() * torch.tensor(edge["scale"], dtype=torch.float32)


def _user_shape(values: Tensor) -> NDArray[np.float32]:
    """Return a parameter of neurons as the reference takes it: [H, W, C] becomes [C, H, W]."""
    array: NDArray[np.float32] = values.numpy()
    return np.moveaxis(array, -1, 0) if array.ndim == 3 else array


def _joined(chunks: list[Result]) -> Result:
    """Put results for some samples each together; axis N is axis -2 of [N, F] and 1 of [T, N, ...]."""
    whole = Result()
    for kind in ("outputs", "spikes", "membranes", "currents", "sums"):
        for name, first in getattr(chunks[0], kind).items():
            axis = 0 if first.dim() == 2 else 1
            getattr(whole, kind)[name] = torch.cat([getattr(c, kind)[name] for c in chunks], axis)
    for name in chunks[0].saturations:
        whole.saturations[name] = Saturations()
        for c in chunks:
            whole.saturations[name].add(c.saturations[name])
    return whole


@dataclass
class _Node:
    name: str
    op: str
    inputs: list[str]
    output: str
    attrs: dict[str, Any]
    tensors: dict[str, Tensor]


class _Walk:
    """One walk through the graph. Edges hold ``[T, N, C, H, W]`` or ``[T, N, F]`` (F in the file's order)."""

    def __init__(self, file: File, record: Sequence[str] | None) -> None:
        self.file = file
        self.record = record
        self.edges: dict[str, dict[str, Any]] = file.document["graph"]["edges"]
        self.values: dict[str, Tensor] = {}
        self.images: dict[str, tuple[int, int]] = {}  # vectors that are flattened images: height, width
        self.steps = self.samples = 0
        self.result = Result()

    def run(self, inputs: dict[str, Tensor]) -> Result:
        self.values.update(inputs)
        self.steps, self.samples = next(iter(inputs.values())).shape[:2]
        nodes = [self._node(n) for n in self.file.document["graph"]["nodes"]]
        ends = {port["edge"] for port in self.file.document["outputs"]}
        back = {e for i, node in enumerate(nodes) for e in node.inputs if e in {n.output for n in nodes[i:]}}
        # What is read back starts as zeros; each walk makes at least one more step right.
        for _ in range(self.steps - 1 if back else 0):
            self._walk(nodes, ends | back | set(inputs))
        self._walk(nodes, ends)
        for port in self.file.document["outputs"]:
            self.result.outputs[port["name"]] = self._output(port["edge"])
        return self.result

    def _walk(self, nodes: list[_Node], kept: set[str]) -> None:
        last_use = {edge: i for i, node in enumerate(nodes) for edge in node.inputs}
        for i, node in enumerate(nodes):
            op: Callable[[_Node], Tensor] = getattr(self, "_" + ("lif" if node.op == "if" else node.op))
            self.values[node.output] = op(node)
            self._follow_image(node)
            self._check_range(node)
            if self.edges[node.output]["dtype"] == "b1" and node.op in NEURONS:
                self._keep(self.result.spikes, node, node.name, self.values[node.output] != 0)
            for edge in [e for e in node.inputs if last_use[e] == i and e not in kept]:
                self.values.pop(edge, None)

    def _node(self, n: dict[str, Any]) -> _Node:
        tensors = {role: self.file.tensors[name] for role, name in n["tensors"].items()}
        return _Node(n["name"], n["op"], n["inputs"], n["outputs"][0], n["attrs"], tensors)

    def _inputs(self, node: _Node) -> list[Tensor]:
        return [self.values[edge] for edge in node.inputs]

    def _real(self, edge: str) -> Tensor:
        """Return an edge as float32: spikes 0 or 1, counts times their unit."""
        value = self.values[edge]
        if value.dtype == torch.float32:
            return value
        return value.float() / torch.tensor(float(self._divisor(edge)))

    def _divisor(self, edge: str) -> int:
        unit: str = self.edges[edge]["unit"]
        return int(unit.removeprefix("1/"))

    def _user_order(self, edge: str, value: Tensor) -> Tensor:
        """Features of a flattened image in the order C, H, W."""
        return ops.unflatten(value, *self.images[edge]) if edge in self.images else value

    def _follow_image(self, node: _Node) -> None:
        if node.op == "flatten":
            height, width, _ = self.edges[node.inputs[0]]["shape"]
            self.images[node.output] = (height, width)
        elif node.op != "linear" and node.inputs[0] in self.images:
            self.images[node.output] = self.images[node.inputs[0]]

    def _check_range(self, node: _Node) -> None:
        """Integers must lie in the range that the file states for their edge."""
        edge, value = self.edges[node.output], self.values[node.output]
        stated = edge["range"]
        if stated is not None and edge["unit"] != "pixel" and value.numel():
            lo, hi = int(value.min()), int(value.max())
            if lo < stated[0] or hi > stated[1]:
                raise ValueError(f"{node.op} '{node.name}': {lo}..{hi} lies outside the stated {stated}")

    def _keep(self, where: dict[str, Tensor], node: _Node, name: str, value: Tensor) -> None:
        if self.record is None or name in self.record:
            where[node.name] = self._user_order(node.output, value)

    def _output(self, edge: str) -> Tensor:
        return self._user_order(edge, self._real(edge))

    def _weighted(self, node: _Node) -> tuple[Tensor, Tensor, Tensor | None]:
        """Input, weight and bias of a conv2d or linear, all integers or all float32."""
        weight, bias = node.tensors["weight"], node.tensors.get("bias")
        if weight.dtype != torch.int64:
            return self._real(node.inputs[0]), weight, bias
        x = self.values[node.inputs[0]]
        if self.edges[node.inputs[0]]["dtype"] == "f32":
            scale = node.tensors["scale"].double().view(-1, *[1] * (weight.dim() - 1))
            weight = (scale * weight).float()
        return x, weight, bias

    def _keep_sum(self, node: _Node, total: Tensor) -> Tensor:
        if total.dtype == torch.int64:
            self._keep(self.result.sums, node, f"{node.name}.sum", total)
        return total

    def _conv2d(self, node: _Node) -> Tensor:
        x, weight, bias = self._weighted(node)
        weight = weight.permute(0, 3, 1, 2)  # stored [C, kh, kw, C_in/groups]
        return self._keep_sum(node, ops.conv2d(x, weight, bias, **node.attrs))

    def _linear(self, node: _Node) -> Tensor:
        x, weight, bias = self._weighted(node)
        if x.dim() == 2:  # of a readout: one for all steps
            return ops.linear(x[None], weight, bias)[0]
        return self._keep_sum(node, ops.linear(x, weight, bias))

    def _requant(self, node: _Node) -> Tensor:
        sums, shortcuts = [], []
        for j, x in enumerate(self._inputs(node)):
            if f"M.{j}" in node.tensors:
                sums.append((x, node.tensors[f"M.{j}"]))
            else:
                shortcuts.append((x, node.tensors[f"K.{j}"]))
        current = ops.requant(sums, shortcuts, node.tensors["C"], node.tensors["n"])
        streams = [e for e in node.inputs if self.edges[e]["unit"] == "stream"]
        return ops.saturate32(current) if streams else current

    def _residual(self, node: _Node) -> Tensor:
        streams, sums, shortcuts = [], [], []
        for j, x in enumerate(self._inputs(node)):
            if f"M.{j}" in node.tensors:
                sums.append((x, node.tensors[f"M.{j}"]))
            elif f"K.{j}" in node.tensors:
                shortcuts.append((x, node.tensors[f"K.{j}"]))
            else:
                streams.append(x)
        stream, saturated = ops.residual(streams, sums, shortcuts, node.tensors["C"], node.tensors["n"])
        self.result.saturations[node.name] = Saturations(integrate=int(saturated.sum()))
        return stream

    def _saccade(self, node: _Node) -> Tensor:
        q, *others = self._inputs(node)
        kappa = others[0] if others else None
        spikes = saccade(q, kappa, mode=node.attrs["mode"], **node.tensors)
        self._keep(self.result.spikes, node, node.name, spikes != 0)
        return spikes

    def _lif(self, node: _Node) -> Tensor:
        x, a = self.values[node.inputs[0]], node.attrs
        if a["arith"] == "int":
            steps = self._integer_lif(x, node)
            self.result.saturations[node.name] = steps.saturations
        else:
            steps = float_lif(x, **{k: v for k, v in a.items() if k != "arith"})
        self._follow_image(node)
        self._keep(self.result.membranes, node, f"{node.name}.v", steps.membranes)
        return steps.spikes.to(torch.int64)

    @staticmethod
    def _integer_lif(x: Tensor, node: _Node) -> Steps:
        a = node.attrs
        parameters = IntegerLif(
            theta=node.tensors["theta"],
            psi=node.tensors.get("psi"),
            profile=a["profile"],
            state=a["state"],
            leak=a["leak"],
            leak_param=a["leak_param"],
            reset=a["reset"],
            leak_at_store=a["leak_at_store"],
            load=node.tensors.get("load"),
            unit_bits=a["unit_bits"],
            edges=node.tensors.get("edges"),
            gamma=node.tensors.get("gamma"),
        )
        return integer_lif(x, parameters)

    def _cuba_lif(self, node: _Node) -> Tensor:
        theta, bias = node.tensors["theta"], node.tensors["bias"]
        steps = cuba_lif(self.values[node.inputs[0]], theta=theta, bias=bias, **node.attrs)
        self._keep(self.result.membranes, node, f"{node.name}.v", steps.membranes)
        self._keep(self.result.currents, node, f"{node.name}.i", steps.currents)
        return steps.spikes.to(torch.int64)

    def _psn(self, node: _Node) -> Tensor:
        weight, bias = node.tensors["weight"], node.tensors["bias"]
        run = psn.parallel if weight.dim() == 2 else psn.sliding
        spikes, h = run(self.values[node.inputs[0]], weight, bias)
        self._follow_image(node)
        self._keep(self.result.membranes, node, f"{node.name}.v", h)
        return spikes.to(torch.int64)

    def _neuron(self, node: _Node) -> Tensor:
        options = node.attrs | {role: _user_shape(t) for role, t in node.tensors.items()}
        trace = run_neuron(Neuron(**options), self.values[node.inputs[0]].float())  # sums are rounded
        self._follow_image(node)
        self._keep(self.result.membranes, node, f"{node.name}.v", trace.v)
        if node.attrs["synapse"] != "none":
            self._keep(self.result.currents, node, f"{node.name}.i", trace.i)
        return trace.out if node.attrs["fire"] == "none" else trace.out.to(torch.int64)

    def _maxpool2d(self, node: _Node) -> Tensor:
        return ops.maxpool2d(self.values[node.inputs[0]], **node.attrs)

    def _avgpool2d(self, node: _Node) -> Tensor:
        return ops.avgpool2d(self.values[node.inputs[0]], **node.attrs)

    def _add(self, node: _Node) -> Tensor:
        integers = all(self.values[e].dtype == torch.int64 for e in node.inputs)
        return ops.add([self.values[e] if integers else self._real(e) for e in node.inputs])

    def _couple(self, node: _Node) -> Tensor:
        return ops.couple(*self._inputs(node))

    def _attention(self, node: _Node) -> Tensor:
        q, k, v = self._inputs(node)
        return self._keep_sum(node, ops.head_attention(q, k, v, **node.attrs))

    def _map_scores(self, node: _Node) -> Tensor:
        return self._keep_sum(node, ops.map_scores(*self._inputs(node), **node.attrs))

    def _map_product(self, node: _Node) -> Tensor:
        return self._keep_sum(node, ops.map_product(*self._inputs(node), **node.attrs))

    def _count(self, node: _Node) -> Tensor:
        return self._keep_sum(node, ops.count(*self._inputs(node), **node.attrs))

    def _mask(self, node: _Node) -> Tensor:
        return ops.mask(*self._inputs(node))

    def _flatten(self, node: _Node) -> Tensor:
        return ops.flatten(self.values[node.inputs[0]])

    def _delay(self, node: _Node) -> Tensor:
        if node.inputs[0] not in self.values:
            return self._silence(node.output)
        return ops.delay(self.values[node.inputs[0]], node.attrs["steps"])

    def _silence(self, edge: str) -> Tensor:
        shape = self.edges[edge]["shape"]
        dtype = torch.float32 if self.edges[edge]["dtype"] == "f32" else torch.int64
        return torch.zeros(self.steps, self.samples, *shape[-1:], *shape[:-1], dtype=dtype)

    def _readout(self, node: _Node) -> Tensor:
        x, mode = self.values[node.inputs[0]], node.attrs["mode"]
        total = ops.readout_sum(x, mode)
        self._follow_image(node)
        if total.dtype == torch.int64:
            self._keep(self.result.sums, node, f"{node.name}.sum", total)
        return ops.readout(total, self.steps, mode, node.tensors.get("scale"), node.tensors.get("bias"))
