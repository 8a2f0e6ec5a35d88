"""The sums of parallel spiking neurons, as ONNX nodes: added in the order that docs/format.md gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .body import FLOAT, INT, Body, Value
from .scans import frame_shape, scan


def _all_steps(body: Body, x: Value, steps: Value, weight: Value) -> Value:
    """Weigh all steps, for each; `weight` is [T of x, T, 1, ...]. Another number of steps is an error."""
    size = body.op("Shape", weight, dtype=INT, start=1, end=2)
    first = _zeros(body, x, size)

    def step(inner: Body, now: list[Value], states: list[Value]) -> tuple[list[Value], list[Value]]:
        frame, column = now
        return [states[0] + column * frame], []

    (h,) = scan(body, step, [first], x, weight)
    return h


def _last_steps(body: Body, x: Value, steps: Value, weight: Value) -> Value:
    """Weigh the last k steps, the present one last; `weight` is [k]."""
    taps = body.op("Shape", weight, dtype=INT)
    earlier = body.op("Concat", _zeros(body, x, taps - body.constant([1])), x, axis=0)
    states = [_zeros(body, x, steps), body.constant([0])]

    def step(inner: Body, now: list[Value], states: list[Value]) -> tuple[list[Value], list[Value]]:
        h, start = states
        sequence, size = inner.value(earlier.name, FLOAT), inner.value(steps.name, INT)
        frames = inner.op("Slice", sequence, start, start + size, inner.constant([0]))
        return [h + now[0] * frames, start + 1], []

    h, _ = scan(body, step, states, weight)
    return h


def _zeros(body: Body, x: Value, frames: Value) -> Value:
    """Give frames [frames, N, ...] like those of x."""
    shape = body.op("Concat", frames, frame_shape(body, x), axis=0)
    return body.op("Expand", body.constant([0], FLOAT), shape)


#: From x [T, N, ...], T and the weights to sums [T, N, ...]; of all steps, or of the last k.
SUMS: Final[Mapping[str, Callable[[Body, Value, Value, Value], Value]]] = {
    "all": _all_steps,
    "last": _last_steps,
}
