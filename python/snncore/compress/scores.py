"""How much a channel matters, by what its neurons did on calibration data or by its weights.

``svs``
    The mean over samples of the rank of the time-averaged spike map [H, W]: how many directions a channel's
    spikes span (singular value of spikes: Wei et al., "QP-SNN", ICLR 2025, arXiv 2502.05905, equations 11 to
    13). The rank is that of the integer map T * mean, counted above ``max(H, W) * eps * largest singular
    value`` in float64: 1 for a constant map, 0 for an empty one, min(H, W) for a permutation. A neuron of a
    linear layer is a map of one pixel.
``sca``
    The mean over samples and steps of the L1 norm of the membrane before reset, in thresholds, since channels
    of integer neurons may have units of their own (the paper's baseline, equation 7). The engine records
    membranes after reset: where a spike subtracted, the amount is added back; where it put the membrane to a
    fixed value, the threshold is taken, the least that the membrane can have been.
``magnitude``
    The sum of the magnitudes of a channel's weights, over all layers that write it.
``dead``
    The share of steps in which a channel fires.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from snncore.model import Model
from snncore.recording import Result

from .calibration import Calibration
from .graph import Graph, Node
from .membranes import membrane_levels
from .streams import Stream

Criterion = Literal["svs", "sca", "magnitude", "dead"]
Doubles = NDArray[np.float64]


@dataclass
class Activity:
    """What the neurons of some streams did: each value is [C]."""

    rates: dict[str, Doubles] = field(default_factory=dict)  #: spikes a step and place, by neuron
    scores: dict[str, Doubles] = field(default_factory=dict)  #: of the criterion, by neuron

    def rate(self, stream: Stream) -> Doubles:
        """Add up the rates of a stream's neurons; without calibration data all are 0."""
        return _sum(stream, [self.rates.get(n["name"]) for n in stream.neurons])

    def score(self, stream: Stream) -> Doubles:
        """Add up the scores of a stream's neurons."""
        return _sum(stream, [self.scores.get(n["name"]) for n in stream.neurons])


def observe(
    graph: Graph,
    model: Model,
    streams: Sequence[Stream],
    data: Calibration,
    criterion: Criterion,
    threads: int | None,
) -> Activity:
    """Run the calibration data and watch the neurons of `streams`."""
    neurons = {n["name"]: n for s in streams for n in s.neurons}
    if criterion == "sca":
        levels = {name: membrane_levels(graph, node) for name, node in neurons.items()}
    record = [*neurons, *(f"{name}.v" for name in neurons if criterion == "sca")]
    seen = Activity()
    for x in data.batches():
        result = model.run(x, layout=data.layout, threads=threads, record=record)
        for name, node in neurons.items():
            spikes = as_maps(graph, node, result.spikes[name].numpy())
            share = spikes.shape[1] / data.samples
            rate = spikes.mean((0, 1, 3, 4), dtype=np.float64) * share
            seen.rates[name] = seen.rates.get(name, 0) + rate
            if criterion == "svs":
                score = ranks(spikes.sum(0)).mean(0)
            elif criterion == "sca":
                score = levels[name].norms(spikes, _membrane(graph, node, result)).mean(0)
            else:
                score = rate / share
            seen.scores[name] = seen.scores.get(name, 0) + score * share
    return seen


def as_maps(graph: Graph, node: Node, values: NDArray[Any]) -> NDArray[Any]:
    """Make [T, N, C, H, W] of what was recorded; vectors that are no flattened image have one pixel."""
    if values.ndim == 5:
        return values
    height, width, _ = graph.images.get(node["outputs"][0], (1, 1, 0))
    return values.reshape(*values.shape[:2], -1, height, width)


def ranks(maps: NDArray[Any]) -> NDArray[np.int64]:
    """Count the numerical rank of each integer map: [..., H, W] to [...]."""
    maps = maps.astype(np.float64)
    found = np.zeros(maps.shape[:-2], np.int64)
    filled = maps.any((-2, -1))
    if filled.any():
        values = np.linalg.svd(maps[filled], compute_uv=False)
        tolerance = max(maps.shape[-2:]) * np.finfo(np.float64).eps * values[:, :1]
        found[filled] = (values > tolerance).sum(-1)
    return found


def magnitudes(graph: Graph, stream: Stream) -> Doubles:
    """Add up the magnitudes of the real weights of each channel."""
    return _sum(stream, [real_weights(graph, n).reshape(stream.channels, -1).sum(1) for n in stream.writers])


def real_weights(graph: Graph, node: Node) -> Doubles:
    """Give the magnitudes of a layer's real weights, as they lie in the file: [C, ...]."""
    values, codes = graph.values(node), graph.parts.codes(node)
    if codes is None:
        return np.abs(values["weight"].astype(np.float64))
    scale = values["scale"].reshape(-1, *[1] * (codes.q.ndim - 1))
    real: Doubles = np.abs(codes.m * scale)
    return real


def _membrane(graph: Graph, node: Node, result: Result) -> NDArray[Any]:
    return as_maps(graph, node, result.states[f"{node['name']}.v"])


def _sum(stream: Stream, values: Sequence[Doubles | None]) -> Doubles:
    total = np.zeros(stream.channels)
    for given in values:
        total += 0.0 if given is None else given
    return total


#: How the scores of a stream are found.
SCORES: Final[Mapping[Criterion, Callable[[Graph, Activity, Stream], Doubles]]] = {
    "svs": lambda graph, seen, stream: seen.score(stream),
    "sca": lambda graph, seen, stream: seen.score(stream),
    "dead": lambda graph, seen, stream: seen.score(stream),
    "magnitude": lambda graph, seen, stream: magnitudes(graph, stream),
}
