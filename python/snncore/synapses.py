"""Synaptic operations of a run, counted and named as NeuroBench does.

For a convolution or linear layer `Dense` is every weight at every input value that it meets, not counting
borders; the effective ones are those whose weight and whose input are not zero: accumulates (`Effective_ACs`)
where the inputs are spikes, else multiply-accumulates (`Effective_MACs`). Biases are not counted. Source: Yik
et al., "The NeuroBench framework for benchmarking neuromorphic computing algorithms and systems", Nature
Communications 16, 1545 (2025). Here a layer whose input does not change over time counts once, as the engine
computes it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from snncore.bits import BitTensor
from snncore.compress.copying import Copy
from snncore.compress.graph import FIRING, Graph, Node
from snncore.infos import Port
from snncore.inputs import Inputs, by_port, feed
from snncore.model import Model
from snncore.profile import SynapticOperations

#: Operations whose output changes over time even where their input does not.
_MOVING: Final = (*FIRING, "saccade", "delay")
#: Samples whose values are held at a time.
_BATCH: Final = 8


@dataclass
class _Active:
    """How often each value of an edge was not zero, int64 [C, H, W] or [F], in so many frames."""

    often: NDArray[np.int64] | int = 0
    frames: int = 0

    def add(self, nonzero: NDArray[np.bool_], rank: int) -> None:
        """Add frames [..., C, H, W] or [..., F], which have `rank` axes each."""
        frames = nonzero.reshape(-1, *nonzero.shape[nonzero.ndim - rank :])
        self.often = self.often + frames.sum(axis=0, dtype=np.int64)
        self.frames += len(frames)


def fires(model: Model) -> list[str]:
    """Name the neuron layers that give spikes, not counts or membranes: those whose rate is known."""
    graph = Graph(model)
    return [
        node["name"]
        for node in graph.nodes
        if node["op"] in (*FIRING, "saccade") and graph.edges[node["outputs"][0]]["dtype"] == "b1"
    ]


def synaptic_operations(
    model: Model, x: Inputs, *, layout: str | None, threads: int | None, timesteps: int | None
) -> dict[str, SynapticOperations]:
    """Count those of ``model.run(x)``, all samples and steps, by the name of the convolution or linear layer.

    Runs a copy of the model whose outputs are the inputs of these layers. Errors: as `Model.run`.
    """
    run = _Run(model, x, layout)
    run.add_inputs()
    run.add_inner(layout=None if layout is None else run.fed.layouts[0], threads=threads, timesteps=timesteps)
    return {
        node["name"]: _count(run.graph, node, run.active[run.source(node)]) for node in run.graph.weighted()
    }


class _Run:
    """What a run feeds its layers with."""

    def __init__(self, model: Model, x: Inputs, layout: str | None) -> None:
        self.graph, self.ports = Graph(model), model.inputs
        arrays = (v.numpy() if isinstance(v, BitTensor) else v for v in by_port(self.ports, x))
        self.fed = feed(self.ports, tuple(arrays), layout)
        self.active = {self.source(node): _Active() for node in self.graph.weighted()}

    def source(self, node: Node) -> str:
        """Name what a layer reads; of a flattened image the image, which an output can be."""
        edge: str = node["inputs"][0]
        while (writer := self.graph.writer.get(edge)) is not None and writer["op"] == "flatten":
            edge = writer["inputs"][0]
        return edge

    def add_inputs(self) -> None:
        """Add what comes from outside."""
        edges = {port["name"]: port["edge"] for port in self.graph.document["inputs"]}
        for port, array, axes in self._fed():
            if (found := self.active.get(edges[port.name])) is not None:
                order = [axes.index(axis) for axis in "TNCHW" if axis in axes]
                found.add(_nonzero(port, array.transpose(order)), len(port.shape))

    def add_inner(self, **options: Any) -> None:
        """Add what the model computes, some samples at a time."""
        edges = [edge for edge in self.active if edge in self.graph.writer]
        if not edges:
            return
        watched, still = self._watched(edges), self._still()
        for first in range(0, self.fed.batch, _BATCH):
            rows = range(first, min(first + _BATCH, self.fed.batch))
            part = {port.name: array.take(rows, axes.index("N")) for port, array, axes in self._fed()}
            outputs = watched.run(part, **options)
            for edge, port in zip(edges, watched.outputs, strict=True):
                values = outputs[edge] if len(edges) > 1 else outputs
                once = edge in still and values.ndim == len(port.shape) + 2
                self.active[edge].add((values[:1] if once else values) != 0, len(port.shape))

    def _fed(self) -> Iterator[tuple[Port, NDArray[Any], str]]:
        for port, array, axes in zip(self.ports, self.fed.arrays, self.fed.layouts, strict=True):
            yield port, np.asarray(array), axes

    def _watched(self, edges: Iterable[str]) -> Model:
        """Copy the model; the outputs of the copy are these edges."""
        graph = Graph(self.graph.parts)
        graph.document = {**graph.document, "outputs": [{"name": edge, "edge": edge} for edge in edges]}
        return Copy(graph).model({})

    def _still(self) -> set[str]:
        """Name the edges that have one value for all steps."""
        still = {port["edge"] for port in self.graph.document["inputs"] if self.fed.steps is None}
        for node in self.graph.nodes:
            if node["op"] == "readout" or (node["op"] not in _MOVING and still.issuperset(node["inputs"])):
                still.update(node["outputs"])
        return still


def _nonzero(port: Port, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values [..., C, H, W] or [..., F] are not zero, of pixels: not the zero point."""
    zero: Any = 0
    if port.zero_point and (values.dtype == np.uint8 or port.dtype == "u8"):
        zero = np.reshape(port.zero_point, (-1, *[1] * (len(port.shape) - 1)))
        if values.dtype != np.uint8:  # to the nearest pixel, as the engine does
            values = np.floor(values.astype(np.float64) / port.scale + zero + 0.5).clip(0, 255)
    nonzero: NDArray[np.bool_] = values != zero
    return nonzero


def _count(graph: Graph, node: Node, active: _Active) -> SynapticOperations:
    often = np.asarray(active.often)
    codes = graph.parts.codes(node)
    stored = graph.values(node)["weight"] if codes is None else codes.m
    weight = graph.user_weight(node, stored != 0)
    if node["op"] == "linear":
        often, weight = often.reshape(-1, 1, 1), weight[:, :, np.newaxis, np.newaxis]
    kernel, attrs = weight.shape[2:], node["attrs"]
    grouped = weight.reshape(attrs.get("groups", 1), -1, *weight.shape[1:])
    by_input = grouped.sum(axis=1).reshape(-1, *kernel)  # weights that each input and place of a kernel has
    effective = int((by_input * _met(often, attrs, kernel)).sum())
    places = int(_met(np.ones_like(often), attrs, kernel).sum())
    spikes = graph.edges[node["inputs"][0]]["dtype"] == "b1"
    return {
        "Effective_MACs": 0 if spikes else effective,
        "Effective_ACs": effective if spikes else 0,
        "Dense": grouped.shape[1] * places * active.frames,
    }


def _met(often: NDArray[np.int64], attrs: dict[str, Any], kernel: tuple[int, ...]) -> NDArray[np.int64]:
    """Sum `often` [C, H, W] over the places where each weight of a kernel meets it: [C, kh, kw]."""
    if not attrs:  # of a linear layer
        return often
    top, bottom, left, right = attrs["padding"]
    (down, across), (dy, dx) = attrs["stride"], attrs["dilation"]
    padded = np.pad(often, ((0, 0), (top, bottom), (left, right)))
    spans = (dy * (kernel[0] - 1) + 1, dx * (kernel[1] - 1) + 1)
    windows = sliding_window_view(padded, spans, axis=(1, 2))[:, ::down, ::across, ::dy, ::dx]
    met: NDArray[np.int64] = windows.sum(axis=(1, 2))
    return met
