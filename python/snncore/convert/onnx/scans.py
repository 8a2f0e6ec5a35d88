"""Loops over time inside a function: Scan, and the two forms of a value with a time axis.

Outside a function a value is [T*N, ...], so that Conv and its like see one batch; inside it is [T, N, ...].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import onnx
from onnx import helper

from .body import INT, Body, Value, onnx_type

Step: TypeAlias = Callable[[Body, list[Value], list[Value]], tuple[Sequence[Value], Sequence[Value]]]


def split(body: Body, x: Value, steps: Value) -> Value:
    """[T*N, ...] to [T, N, ...]; `steps` holds T, int64 [1]."""
    rest = body.op("Shape", x, dtype=INT, start=1)
    shape = body.op("Concat", steps, body.constant([-1]), rest, axis=0)
    return body.op("Reshape", x, shape)


def merge(body: Body, x: Value) -> Value:
    """[T, N, ...] to [T*N, ...]."""
    rest = body.op("Shape", x, dtype=INT, start=2)
    return body.op("Reshape", x, body.op("Concat", body.constant([-1]), rest, axis=0))


def frame_shape(body: Body, sequence: Value) -> Value:
    """Give the shape [N, ...] of one step."""
    return body.op("Shape", sequence, dtype=INT, start=1)


def scan(body: Body, step: Step, states: Sequence[Value], *sequences: Value) -> list[Value]:
    """Run `step` over the first axis: last states, then what each step put out, stacked.

    ``step(body, now, states)`` gives the next states and the outputs of one step; `now` are the frames of the
    sequences, all of one length.
    """
    inner = body.child()
    held = [inner.value(f"{inner.prefix}state{k}", s.dtype) for k, s in enumerate(states)]
    now = [inner.value(f"{inner.prefix}x{k or ''}", s.dtype) for k, s in enumerate(sequences)]
    later, outputs = step(inner, now, held)
    results = [v.named(f"{inner.prefix}out{k}") for k, v in enumerate([*later, *outputs])]
    graph = helper.make_graph(
        inner.nodes, "step", [_untyped(v) for v in (*held, *now)], [_untyped(v) for v in results]
    )
    names = [f"{inner.prefix}result{k}" for k in range(len(results))]
    given = [s.name for s in (*states, *sequences)]
    body.nodes.append(helper.make_node("Scan", given, names, body=graph, num_scan_inputs=len(sequences)))
    return [Value(body, name, v.dtype) for name, v in zip(names, results, strict=True)]


def _untyped(value: Value) -> onnx.ValueInfoProto:
    """Name the dtype; the shape is that of what comes."""
    return helper.make_tensor_value_info(value.name, onnx_type(value.dtype), None)
