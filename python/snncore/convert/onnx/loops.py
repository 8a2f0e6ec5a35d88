"""Networks with loops: all layers in one Scan over time; its states are membranes and memories of delays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper

from snncore._core import Error
from snncore.convert.parts import Parts

from .body import FLOAT, onnx_type
from .functions import function
from .layers import Attrs, Writer
from .rules import call_attrs, rule_of


def has_loop(parts: Parts) -> bool:
    """Tell whether a node reads what a later one writes."""
    known = {port["edge"] for port in parts.document["inputs"]}
    for node in parts.nodes:
        if not known.issuperset(node["inputs"]):
            return True
        known.add(node["outputs"][0])
    return False


class State(NamedTuple):
    """What a loop keeps: its value before the first step, at the start of a step, and at its end."""

    first: str
    now: str
    later: str
    dtype: np.dtype[Any]


class LoopWriter(Writer):
    """Writes one step of every layer; values in the loop are [N, ...]."""

    def walk(self) -> None:
        """Write the loop, then what comes after it."""
        self.states: list[State] = []
        self.delays: list[tuple[str, str, Attrs]] = []
        frames = self._frames()
        inner = self.sheet.nodes = []
        after: list[Attrs] = []  # the loop: readouts and what is made of them
        written: set[str] = set()
        for node in self.parts.nodes:
            if node["op"] == "readout" or (node["op"] != "delay" and written.issuperset(node["inputs"])):
                after.append(node)
                written.update(node["outputs"])
            else:
                self.node(node)
        for memory, first, node in self.delays:
            given = [memory, self.values[node["inputs"][0]]]
            (later,) = self.sheet.call("delay_write", f"{node['name']}.write", given)
            self.states.append(State(first, memory, later, FLOAT))
        ends = [port["edge"] for port in self.parts.document["outputs"]] + list(self.recorded.values())
        read = [node["inputs"][0] for node in after if node["op"] == "readout"]
        self._close(frames, inner, [*(e for e in ends if e not in written), *read])
        for node in after:
            self.node(node)

    def _frames(self) -> dict[str, str]:
        """Give inputs as the loop reads them: from a name in it to [T, N, ...]."""
        frames = {}
        for port in self.parts.document["inputs"]:
            edge = port["edge"]
            given = [self.moving(edge), self.steps]
            (sequence,) = self.sheet.call("time_first", f"{port['name']}.frames", given)
            self.values[edge] = self.sheet.name(f"{port['name']}.frame")
            frames[self.values[edge]] = sequence
        return frames

    def _close(self, frames: dict[str, str], inner: list[onnx.NodeProto], kept: Iterable[str]) -> None:
        """End the loop's body; `kept` edges leave it, stacked."""
        edges = list(dict.fromkeys(kept))
        outs = [self.sheet.op("Identity", f"{edge}.step", [self.values[edge]]) for edge in edges]
        body = helper.make_graph(
            inner,
            "step",
            [*(_untyped(s.now, s.dtype) for s in self.states), *(_untyped(f, FLOAT) for f in frames)],
            [
                *(_untyped(s.later, s.dtype) for s in self.states),
                *(_untyped(out, self.dtype(edge)) for out, edge in zip(outs, edges, strict=True)),
            ],
        )
        self.sheet.nodes = self.sheet.graph
        lasts = [self.sheet.name(f"{s.now}.last") for s in self.states]
        stacked = [self.sheet.name(f"{edge}.sequence") for edge in edges]
        given = [*(s.first for s in self.states), *frames.values()]
        scan = helper.make_node(
            "Scan", given, [*lasts, *stacked], name="loop", body=body, num_scan_inputs=len(frames)
        )
        self.sheet.nodes.append(scan)
        for edge, value in zip(edges, stacked, strict=True):
            self.values[edge] = self.sheet.call("batch", f"{edge}.batch", [value])[0]

    def _lif(self, node: Attrs, attrs: Attrs) -> str:
        """Write one step of neurons, and their states."""
        stem, edge, attrs = f"{node['op']}_step", node["outputs"][0], call_attrs(node)
        rule, names = rule_of(node["op"], attrs), function(stem, attrs).input
        roles = names[1 + len(rule.states) :]
        now = [self.sheet.name(f"{node['name']}.{state}") for state in rule.states]
        given = [self.parameter(node, role, rule.dtype) for role in roles]
        x = self.values[node["inputs"][0]]
        y, *later = self.sheet.call(stem, node["name"], [x, *now, *given], **attrs)
        for state, inside, after in zip(rule.states, now, later, strict=True):
            role = rule.initial.get(state)
            name = f"{node['name']}.{state}.first"
            start = (
                self.sheet.constant(f"{name}.value", np.zeros(1, rule.dtype))
                if role is None
                else self.parameter(node, role, rule.dtype)
            )
            shape = self.user_shape(edge)
            (first,) = self.sheet.call("state", name, [self.samples, start], outside=True, shape=shape)
            self.states.append(State(first, inside, after, rule.dtype))
        return y

    def _psn(self, node: Attrs, attrs: Attrs) -> str:
        raise Error(
            f"to_onnx: '{node['name']}' (psn) weighs many steps at once, and a network with a loop is "
            "written step by step"
        )

    def _delay(self, node: Attrs, attrs: Attrs) -> str:
        shape = self.user_shape(node["outputs"][0])
        (first,) = self.sheet.call(
            "delay_memory",
            f"{node['name']}.first",
            [self.samples],
            outside=True,
            delay=[attrs["steps"]],
            shape=shape,
        )
        memory = self.sheet.name(f"{node['name']}.memory")
        self.delays.append((memory, first, node))
        return self.sheet.call("delay_read", node["name"], [memory])[0]


def _untyped(name: str, dtype: np.dtype[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type(dtype), None)
