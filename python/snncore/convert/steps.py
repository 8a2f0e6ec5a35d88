"""Forwards that loop over the time steps: the step of each value, and whether all steps do the same."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection, Hashable
from typing import Any

import torch
from torch import fx


class Steps:
    """Of a recorded forward in which each neuron is called once a step, if it loops; else of one step.

    A value is known by its part in a step: what it is computed by, from which parts of that step and of those
    before. In a loop that can be converted all steps have the parts of the first.
    """

    def __init__(self, graph: fx.Graph, neurons: Collection[str], frames: int | None) -> None:
        """Read a graph; `neurons`: their paths; `frames`: steps of the input, None: it has no time axis."""
        self.loops = False  #: several steps, or the one step of an input with a time axis
        self.later: set[str] = set()  #: names of values of the second step and after
        self.same: dict[str, str] = {}  #: by the name of a value computed again: that of the first time
        self.problem = ""  #: why steps are not alike; empty: they are
        self._neurons, self._frames = neurons, frames
        self._calls: Counter[str] = Counter()
        self._step: dict[fx.Node, int] = {}  # of values that belong to one
        self._part: dict[fx.Node, int] = {}
        self._known: dict[Hashable, int] = {}
        self._first: dict[tuple[int, int | None], fx.Node] = {}  # by part and step
        for node in graph.nodes:
            if node.op != "output":
                self._place(node)
        self.count = max(self._step.values(), default=0) + 1  #: of steps
        self.loops = self.loops or self.count > 1
        if self.loops:
            self._compare()

    def is_part(self, node: fx.Node) -> bool:
        """Tell whether a value belongs to one step of a loop."""
        return self.loops and node in self._step

    def is_all(self, stack: fx.Node) -> bool:
        """Tell whether a call of `torch.stack` gives one part of all steps, in order, time first."""
        values, *dims = stack.args
        dim = dims[0] if dims else stack.kwargs.get("dim", 0)
        if not self.loops or dim != 0:
            return False
        nodes = [value for value in values if isinstance(value, fx.Node)]  # type: ignore[union-attr]
        steps = [self._step.get(node) for node in nodes]
        return steps == list(range(self.count)) and len({self._part[node] for node in nodes}) == 1

    def _place(self, node: fx.Node) -> None:
        step = self._step_of(node)
        key = (node.op, node.target, self._form(self._arguments(node, step), step))
        if self._is_frame(node):
            self.loops, key = True, ("frame", "", ())
        self._part[node] = self._known.setdefault(key, len(self._known))
        if step is not None:
            self._step[node] = step
        first = self._first.setdefault((self._part[node], step), node)
        if first is not node:
            self.same[node.name] = first.name

    def _step_of(self, node: fx.Node) -> int | None:
        if self._is_frame(node):
            return int(node.args[1]) % self._frames  # type: ignore[arg-type, operator]
        if node.target is torch.stack:
            return None
        steps = [self._step[value] for value in node.all_input_nodes if value in self._step]
        if self._is_neuron(node):
            steps.append(self._calls[str(node.target)])
            self._calls[str(node.target)] += 1
        return max(steps, default=None)

    def _is_frame(self, node: fx.Node) -> bool:
        if self._frames is None or node.target is not operator.getitem:
            return False
        source, index = node.args
        return isinstance(source, fx.Node) and source.op == "placeholder" and isinstance(index, int)

    def _arguments(self, node: fx.Node, step: int | None) -> list[Any]:
        """Give what a call is told, without the states that a neuron hands on to its next step."""
        given = [*node.args, *node.kwargs.items()]
        if not self._is_neuron(node):
            return given
        first, *states = [*node.args, *node.kwargs.values()]
        behind = node.meta.get("parts", 1) - len(states)  # where in what a call gives its states begin
        kept = [
            state
            for place, state in enumerate(states)
            if not self._hands_on(node, step or 0, state, behind + place)
        ]
        return [first, *kept]

    def _hands_on(self, node: fx.Node, step: int, state: Any, place: int) -> bool:
        """Tell whether a state is that of a neuron at rest, or what its step before left."""
        if step == 0:
            return state is None or (isinstance(state, fx.Node) and self._is_rest(state))
        if not isinstance(state, fx.Node) or state.target is not operator.getitem:
            return False
        call, index = state.args
        if not isinstance(call, fx.Node) or index != place:
            return False
        return call.target == node.target and self._step.get(call) == step - 1

    def _is_neuron(self, node: fx.Node) -> bool:
        return node.op == "call_module" and node.target in self._neurons

    def _is_rest(self, state: fx.Node) -> bool:
        """Tell whether a value is what a neuron starts from: an attribute of one, or zeros."""
        owner = str(state.target).rpartition(".")[0]
        return state.op == "get_attr" and (owner in self._neurons or bool(state.meta.get("zero")))

    def _form(self, value: Any, step: int | None) -> Hashable:
        """Write an argument relative to a step."""
        if isinstance(value, fx.Node):
            own = self._step.get(value)
            return ("value", self._part[value], None if own is None or step is None else step - own)
        if isinstance(value, (list, tuple)):
            return tuple(self._form(each, step) for each in value)
        return repr(value)

    def _compare(self) -> None:
        if self._frames is not None and self.count != self._frames:
            self.problem = f"{self.count} of {self._frames} steps are taken"
        parts: list[dict[int, fx.Node]] = [{} for _ in range(self.count)]
        for (part, step), node in self._first.items():
            if step is not None:
                parts[step][part] = node
        for step, values in enumerate(parts[1:], 1):
            self.later.update(node.name for node in values.values())
            odd = [values[part] for part in values if part not in parts[0]]
            odd += [parts[0][part] for part in parts[0] if part not in values]
            if odd and not self.problem:
                self.problem = f"step {step} does not do what the first step does (at '{odd[0].name}')"
