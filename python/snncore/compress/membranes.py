"""Membranes before reset, in thresholds, from what the engine records: membranes after reset, and spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graph import Graph, Node

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """Where a neuron fires, and what a spike takes from its membrane: [C, H, W], or 1 where all are equal."""

    threshold: Doubles
    drop: Doubles | None  #: None: a spike sets the membrane to a fixed value
    recorded_before: bool = False  #: what is recorded is the membrane before reset

    def norms(self, spikes: NDArray[np.bool_], v: NDArray[Any]) -> Doubles:
        """Give the mean over steps of the L1 norm: [N, C]."""
        total = np.zeros(v.shape[1:3])
        unit = np.where(self.threshold == 0, 1.0, np.abs(self.threshold))
        for fired, after in zip(spikes, v.astype(np.float64), strict=True):
            before = after
            if not self.recorded_before:
                lifted = self.threshold if self.drop is None else after + self.drop
                before = np.where(fired, lifted, after)
            total += (np.abs(before) / unit).sum((-2, -1))
        return total / len(spikes)


def membrane_levels(graph: Graph, node: Node) -> Levels:
    """Read a neuron's threshold and reset.

    Raises
    ------
    ValueError
        It has no membrane in units of a threshold.
    """
    attrs, values, name = node["attrs"], graph.values(node), node["name"]
    if node["op"] == "psn" or attrs.get("profile") in ("T", "X"):
        what = "no membrane" if node["op"] == "psn" else f"membranes of profile {attrs['profile']}"
        raise ValueError(f"prune: criterion 'sca' compares membranes with a threshold; '{name}' has {what}")

    def level(role: str) -> Doubles:
        given = graph.user_order(node["outputs"][0], np.atleast_1d(values[role])).astype(np.float64)
        shape = graph.images.get(node["outputs"][0], (1, 1, 0))[:2]
        if given.ndim == 3 or given.size == 1:
            return given if given.ndim == 3 else given.reshape(1, 1, 1)
        pixels = shape if shape != (1, 1) and given.size % (shape[0] * shape[1]) == 0 else (1, 1)
        return given.reshape(-1, *pixels)

    if node["op"] == "neuron":
        threshold = level("threshold")
        untouched = attrs["reset"] == "none" or attrs["reset_step"] != "same"
        drop = level("drop" if "drop" in values else "threshold") if attrs["reset"] == "subtract" else None
        return Levels(threshold, drop, untouched)
    if node["op"] == "cuba_lif":
        return Levels(level("theta"), None)
    if attrs["arith"] == "int":
        return Levels(level("theta"), level("psi") if attrs["reset"] == "subtract" else None)
    threshold = np.full((1, 1, 1), float(attrs["threshold"]))
    return Levels(threshold, threshold if attrs["reset"] == "subtract" else None)
