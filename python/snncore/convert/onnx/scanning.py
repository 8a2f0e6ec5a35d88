"""Loops: the body of a Scan whose states are membranes and the memories of delays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .calls import Calls
from .functions import NEURONS, stem_of
from .held import Anything, Held, State
from .loading import Body, Node


class Loops(Calls):
    """Reads what `LoopWriter` writes: one step of every layer."""

    def op_scan(self, node: Node) -> None:
        """Add the layers of a loop."""
        body = node.attrs.get("body")
        if not isinstance(body, Body) or set(node.attrs) != {"body", "num_scan_inputs"}:
            raise self.cannot(node, "other directions or axes than the first, forward")
        scanned = int(node.attrs["num_scan_inputs"])
        kept = len(node.inputs) - scanned
        if len(body.inputs) != len(node.inputs) or len(body.outputs) != len(node.outputs) or not scanned > 0:
            raise self.bad(node, "its inputs and outputs are not those of its body")
        around, self.values = self.values, self._inside(node, body, kept)
        self.body = body
        self.makers = {output: inner for inner in body.nodes for output in inner.outputs}
        self.know(body.nodes)
        self.ends.update(body.outputs)
        for inner in body.nodes:
            self.emit(inner)
        inside, self.values = self.values, around
        for k, name in enumerate(body.outputs[kept:], kept):
            value = inside.get(name)
            if not isinstance(value, Held):
                raise self.bad(node, f"its output {k} is not that of a layer")
            self.put(node, replace(value, timed=True), k)

    def _inside(self, node: Node, body: Body, kept: int) -> dict[str, Anything]:
        """Give what a body sees: constants, states, and a step of the sequences."""
        values: dict[str, Anything] = {n: v for n, v in self.values.items() if isinstance(v, np.ndarray)}
        values.update(body.constants)
        for k, name in enumerate(body.inputs):
            given = self.value(node, k)
            if k < kept and isinstance(given, State):
                values[name] = replace(given, index=k)
            elif k >= kept and isinstance(given, Held) and given.timed:
                values[name] = replace(given, timed=False)
            else:
                raise self.cannot(node, f"input {k}; states of snncore's and sequences are possible")
        return values

    def emit(self, node: Node) -> None:
        """Add a node; see `Emitter`."""
        raise NotImplementedError

    def call_lif_step(self, node: Node) -> None:
        """Add neurons of a loop."""
        roles = self.roles(node)
        states = {role: self.value(node, k) for k, role in enumerate(roles)}
        held = {role: s for role, s in states.items() if isinstance(s, State)}
        given = {r: self.constant(node, k) for k, r in enumerate(roles) if k > 0 and r not in held}
        x = self.held(node)
        names = self.network.functions[node.op].output[1:]
        if [f"next_{role}" for role in held] != list(names) or len(node.outputs) != 1 + len(names):
            raise self.bad(node, "its states are not those of the loop")
        for state, later in zip(held.values(), node.outputs[1:], strict=True):
            self._returns(node, state, later)
            if state.shape != x.shape or state.value is None:
                raise self.bad(node, f"a state of {list(state.shape)}, expected {list(x.shape)}")
        op = stem_of(node.op).removesuffix("_step")
        if op == "neuron":
            initial = held.pop("v").value
            assert initial is not None
            given["initial"] = initial
        if any(np.any(state.value) for state in held.values()):
            raise self.bad(node, "a state that is not zero before the first step")
        self.put(node, self.neurons(node, op, x, given))

    call_if_step = call_cuba_lif_step = call_neuron_step = call_lif_step

    def _returns(self, node: Node, state: State, later: str) -> None:
        if state.index < 0 or self.body.outputs[state.index] != later:
            raise self.bad(node, f"'{later}' is not what the next step begins with")

    def call_delay_read(self, node: Node) -> None:
        """Add a delay, of an edge that may come later."""
        memory = self.value(node, 0)
        if not isinstance(memory, State) or memory.value is not None:
            raise self.bad(node, "reads no memory of a delay")
        writers = [
            n for n in self.body.nodes if stem_of(n.op) == "delay_write" and n.inputs[:1] == node.inputs
        ]
        if len(writers) != 1 or len(writers[0].inputs) != 2:
            raise self.bad(node, "nothing, or more than one node, writes its memory")
        self._returns(node, memory, writers[0].outputs[0])
        source = self.values.get(writers[0].inputs[1])
        if isinstance(source, Held):
            edge = self.builder.delay(node.name, source.edge, memory.delay)
            self.put(node, replace(source, edge=edge))
            return
        kind = self.ahead(node, writers[0].inputs[1], 0)
        dtype: Any = "b1" if kind == "spike" else "f32"
        name = self.makers[writers[0].inputs[1]].name
        edge = self.builder.delay(node.name, name, memory.delay, memory.shape, dtype)
        self.put(node, Held(edge, kind, memory.shape))

    def ahead(self, node: Node, value: str, depth: int) -> Any:
        """Tell what a node that comes later will hold."""
        maker = self.makers.get(value)
        if maker is None or depth > len(self.makers):
            raise self.bad(node, f"nothing in the loop gives '{value}'")
        stem = stem_of(maker.op).removesuffix("_step")
        if stem in NEURONS:
            if maker.attrs.get("fire") in ("count", "round"):
                raise self.cannot(node, "a loop that carries counts")
            return "real" if maker.attrs.get("fire") == "none" else "spike"
        if stem in ("delay_read", "MaxPool", "maxpool2d", "Flatten"):
            source = maker.inputs[0]
            if stem == "delay_read":
                source = next(
                    n.inputs[1] for n in self.body.nodes if n.op == "delay_write" and n.inputs[0] == source
                )
            return self.ahead(node, source, depth + 1)
        return "real"

    def call_delay_write(self, node: Node) -> None:
        """Nothing: `delay_read` has seen to it."""
