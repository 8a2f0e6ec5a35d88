"""Operators that move axes or sum over them: vectors of images, time as an axis, readouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .held import Ground, Held, Size, count
from .loading import Node


class Shapes(Ground):
    """A method for each operator."""

    def mean(self, node: Node, x: Held, window: Mapping[str, Any]) -> Held:
        """Add a pool by the mean."""
        edge = self.builder.avgpool2d(node.name, x.edge, **window)
        shape = self.builder.shape(edge)
        if x.kind == "real":
            pooled = replace(x, edge=edge, shape=shape)
        else:
            divisor = x.divisor * window["kernel"][0] * window["kernel"][1]
            pooled = replace(x, edge=edge, shape=shape, kind="count", divisor=divisor)
        self.put(node, pooled)
        return pooled

    def op_identity(self, node: Node) -> None:
        """Pass on."""
        self.put(node, self.value(node, 0))

    def op_dropout(self, node: Node) -> None:
        """Pass on, but in training."""
        if len(node.inputs) > 2 and node.inputs[2] and self.constant(node, 2).any():
            raise self.cannot(node, "training_mode, which drops values")
        self.op_identity(node)

    def op_cast(self, node: Node) -> None:
        """Pass on: what an edge holds does not hang on the type."""
        if node.attrs.get("to") not in (1, 11):
            raise self.cannot(node, "a conversion to another type than float")
        self.put(node, self.value(node, 0))

    def op_flatten(self, node: Node) -> None:
        """Make vectors of images."""
        x, axis = self.held(node, timed=None), node.attrs.get("axis", 1)
        if axis != (2 if x.timed else 1):
            raise self.cannot(node, f"axis {axis}; [C, H, W] may become a vector")
        self.put(node, replace(self._flat(node, x), timed=False))

    def _flat(self, node: Node, x: Held) -> Held:
        if len(x.shape) == 1:
            return x
        edge = self.builder.flatten(node.name, x.edge)
        return replace(x, edge=edge, shape=(count(x.shape),))

    def op_reshape(self, node: Node) -> None:
        """Understand three: to vectors, to [T, N, ...] and to [T*N, ...]."""
        x, target = self.held(node, timed=None), [int(n) for n in self.constant(node, 1).ravel()]
        size, rank = count(x.shape), len(x.shape)
        tail = target[-rank:]
        lead = len(target) - rank
        if lead in (1, 2) and (tail == list(x.shape) or (rank == 1 and tail == [-1])):
            if lead == 2:
                self._check_split(node, x, target[0])
            self.put(node, replace(x, timed=lead == 2))
        elif rank == 3 and target[-1] in (-1, size) and len(target) == 2 + x.timed:
            self.put(node, self._flat(node, x))
        else:
            raise self.cannot(node, f"from {list(x.shape)} for each step to {target}")

    def _check_split(self, node: Node, x: Held, steps: int) -> None:
        """Check that the first axis is time: its size, or 0 (as it was)."""
        if x.timed and steps in (0, self.steps):
            return
        if steps <= 0 or x.timed:
            raise self.cannot(node, f"the first axis becomes {steps}, expected the number of steps")
        self.fix_steps(node, steps)

    def fix_steps(self, node: Node, steps: int) -> None:
        """Note the number of steps that the graph has been made for; 0 and -1 leave it open."""
        if steps > 0:
            if steps > 4096:
                raise self.bad(node, f"{steps} steps; up to 4096 are possible")
            if self.steps not in (None, steps):
                raise self.bad(node, f"{steps} steps, and {self.steps} before")
            self.steps = steps

    def op_reducemean(self, node: Node) -> None:
        """Read out over time, or pool the whole image."""
        self._reduce(node, "mean")

    def op_reducesum(self, node: Node) -> None:
        """Read out over time."""
        self._reduce(node, "sum")

    def _reduce(self, node: Node, mode: str) -> None:
        x = self.held(node, timed=None)
        axes = node.attrs.get("axes")
        given = self.optional(node, 1)
        axes = [int(a) for a in (given.ravel() if given is not None else axes or [])]
        rank = len(x.shape) + 1 + x.timed
        axes = sorted(a + rank if a < 0 else a for a in axes)
        keep = node.attrs.get("keepdims", 1)
        if x.timed and axes == [0] and not keep and len(x.shape) == 1:
            self.valued_readout(node, x, mode)
        elif mode == "mean" and not x.timed and axes == [2, 3] and len(x.shape) == 3:
            pooled = self.mean(node, x.worth, {"kernel": x.shape[1:]})
            if not keep:
                edge = self.builder.flatten(f"{node.name}.flatten", pooled.edge)
                self.put(node, replace(pooled, edge=edge, shape=x.shape[:1]))
        else:
            raise self.cannot(
                node, f"axes {axes}; over time, [T, N, F] to [N, F], or over an image are possible"
            )

    def valued_readout(self, node: Node, x: Held, mode: Any) -> None:
        """Add a readout of values: of counts what they are worth."""
        if x.counted and x.divisor != 1:
            raise self.bad(node, "reads counts; snncore.real makes them what they are worth")
        given: dict[str, Any] = {}
        if x.kind in ("spike", "count"):
            given = {"scale": [1.0 / x.divisor], "bias": np.zeros(x.shape)}
        edge = self.builder.readout(node.name, x.edge, mode, **given)
        self.put(node, Held(edge, "real", x.shape))

    def is_steps(self, node: Node, index: int) -> None:
        """Check that an input is the number of steps."""
        value = self.value(node, index)
        if isinstance(value, np.ndarray) and value.shape == (1,):
            self.fix_steps(node, int(value[0]))
        elif value != Size("steps"):
            raise self.bad(node, f"input {index} is not the number of steps")
