"""What a value of an ONNX graph is to us, and the ground that all emitters stand on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snncore import Error, FormatError
from snncore.builder import GraphBuilder

from .loading import Network, Node

#: What an edge holds. "sum" and "current" are integers, the others have a value.
Kind = Literal["real", "spike", "count", "pixel", "sum", "current"]


@dataclass(frozen=True)
class Held:
    """An edge of the builder.

    `shape` is [C, H, W] or [F]. `timed`: the value is [T, N, ...] rather than [T*N, ...]; `still`: it is [N,
    ...], one for all steps. A count is worth 1 / `divisor`; `counted` says that the ONNX value is the count
    and not its worth.
    """

    edge: str
    kind: Kind
    shape: tuple[int, ...]
    timed: bool = False
    divisor: int = 1
    counted: bool = False
    still: bool = False

    @property
    def worth(self) -> Held:
        """The same, with its value in ONNX what it is worth."""
        return replace(self, counted=False)


@dataclass(frozen=True)
class Size:
    """The number of "steps" or "samples" as a value of the graph."""

    of: str


@dataclass(frozen=True)
class State:
    """A state of a loop: its first value (none of a delay's memory, which has `delay` frames), its place."""

    value: NDArray[Any] | None
    shape: tuple[int, ...]
    delay: int = 0
    index: int = -1


Anything = Held | Size | State | np.ndarray


class Ground:
    """The builder, and values by their ONNX names."""

    def __init__(self, network: Network, builder: GraphBuilder) -> None:
        self.network, self.builder = network, builder
        self.values: dict[str, Anything] = dict(network.constants)
        self.readers: dict[str, list[Node]] = {}
        self.ends: set[str] = set(network.outputs)
        self.steps: int | None = None  # where the graph fixes them
        self.done: set[str] = set()  # outputs of nodes that were taken together with an earlier one

    def know(self, nodes: Sequence[Node]) -> None:
        """Learn who reads what."""
        for node in nodes:
            for value in node.inputs:
                self.readers.setdefault(value, []).append(node)

    def bad(self, node: Node, why: str) -> FormatError:
        """Make the error of a node that contradicts itself."""
        return FormatError(f"{self.network.source}: {node.label}: {why}")

    def cannot(self, node: Node, why: str) -> Error:
        """Make the error of a node that has no counterpart."""
        return Error(f"{self.network.source}: {node.label}: {why}")

    def value(self, node: Node, index: int) -> Anything:
        """Give an input of a node."""
        if index >= len(node.inputs) or not node.inputs[index]:
            raise self.bad(node, f"input {index} is missing")
        if node.inputs[index] not in self.values:
            raise self.bad(node, f"reads '{node.inputs[index]}', which only a function of snncore's may")
        return self.values[node.inputs[index]]

    def held(self, node: Node, index: int = 0, *, timed: bool | None = False) -> Held:
        """Give an input that is an edge; `timed` None takes both forms."""
        value = self.value(node, index)
        if not isinstance(value, Held):
            raise self.cannot(node, f"input {index} does not come from an input of the network")
        if timed is not None and value.timed != timed:
            raise self.cannot(node, "time is an axis of its own here; layers take [T*N, ...]")
        return value

    def valued(self, node: Node, index: int = 0) -> Held:
        """Give an input of a float layer: counts must have been divided."""
        held = self.held(node, index, timed=None if node.op == "MatMul" else False)
        if held.counted and held.divisor != 1:
            raise self.bad(node, "reads counts; snncore.real makes them what they are worth")
        return held

    def whole(self, node: Node, index: int = 0) -> Held:
        """Give an input of a layer of integers: counts as they are."""
        held = self.held(node, index)
        if held.kind == "count" and held.divisor != 1 and not held.counted:
            raise self.bad(node, f"reads what counts are worth ('{held.edge}'), not counts")
        return held

    def moving(self, node: Node, index: int = 0) -> Held:
        """Give an input of a function over time."""
        held = self.held(node, index)
        if held.still:
            raise self.bad(
                node, f"reads one frame ('{held.edge}'); snncore.repeat makes it one for each step"
            )
        return held

    def alike(self, node: Node, terms: Sequence[Held]) -> None:
        """Check that values are added element by element."""
        if len({(t.shape, t.timed, t.still) for t in terms}) > 1:
            raise self.bad(node, "its inputs differ in their axes")

    def constant(self, node: Node, index: int) -> NDArray[Any]:
        """Give an input that is known."""
        value = self.value(node, index)
        if not isinstance(value, np.ndarray):
            raise self.cannot(node, f"input {index} is computed; a constant is possible")
        if value.size == 0:
            raise self.bad(node, f"input {index} is empty")
        return value

    def optional(self, node: Node, index: int) -> NDArray[Any] | None:
        """Give an input that may be left out."""
        missing = index >= len(node.inputs) or not node.inputs[index]
        return None if missing else self.constant(node, index)

    def put(self, node: Node, held: Anything, index: int = 0) -> None:
        """Name what a node gives."""
        self.values[node.outputs[index]] = held


def fixed(axes: Sequence[Any] | None) -> tuple[int, ...] | None:
    """Give axes that are all numbers above 0."""
    if axes is None or not all(isinstance(axis, int) and axis > 0 for axis in axes):
        return None
    return tuple(int(axis) for axis in axes)


def count(shape: Sequence[int]) -> int:
    """Give the number of elements."""
    return math.prod(shape)
