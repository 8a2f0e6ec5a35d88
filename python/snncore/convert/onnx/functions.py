"""The local functions of domain `snncore`: one for every operation that is not an ONNX operator already.

A call's attributes say which function it is and what it holds; the body follows from them (`function`), so
that a reader can make the same one and compare. A change of a body is a new `VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from onnx import helper

from .body import BOOL, DOUBLE, FLOAT, INT, Body, Value
from .parallel import SUMS
from .rules import Attrs, Parameters, rule_of
from .scans import frame_shape, merge, scan, split

DOMAIN: Final = "snncore"
VERSION: Final = 1
OPSET: Final = 17

Builder: TypeAlias = Callable[[Attrs], onnx.FunctionProto]


def function(stem: str, attrs: Attrs) -> onnx.FunctionProto:
    """Make the function that a call of `stem` with these attributes needs."""
    return FUNCTIONS[stem](attrs)


def stem_of(name: str) -> str:
    """Give the kind of a function by its name: what stands before the variant."""
    return name.split("__", 1)[0]


def _made(
    name: str, attrs: Attrs, body: Body, inputs: Sequence[str], results: Mapping[str, Value]
) -> onnx.FunctionProto:
    for output, value in results.items():
        value.named(output)
    return helper.make_function(
        DOMAIN,
        name,
        list(inputs),
        list(results),
        body.nodes,
        [helper.make_opsetid("", OPSET)],
        attributes=sorted(attrs),
    )


# ---- neurons


def _zero(body: Body, dtype: np.dtype[Any]) -> Value:
    return body.constant([0], dtype)


def _neurons(op: str) -> Builder:
    """Neurons over a sequence: inputs x [T*N, ...], steps, parameters."""

    def build(attrs: Attrs) -> onnx.FunctionProto:
        rule, body = rule_of(op, attrs), Body()
        p = Parameters(body, rule.order, rule.dtype)
        x = split(body, body.value("x", rule.dtype), body.value("steps", INT))
        shape = frame_shape(body, x)
        first = [
            body.op("Expand", p[rule.initial[s]] if s in rule.initial else _zero(body, rule.dtype), shape)
            for s in rule.states
        ]

        def step(inner: Body, now: list[Value], states: list[Value]) -> tuple[list[Value], list[Value]]:
            inside = Parameters(inner, rule.order, rule.dtype)
            y, later = rule.step(inner, now[0], dict(zip(rule.states, states, strict=True)), inside)
            p.used.update(inside.used)
            return [later[s] for s in rule.states], [y]

        *_, y = scan(body, step, first, x)
        return _made(f"{op}__{rule.variant}", attrs, body, ["x", "steps", *p.inputs], {"y": merge(body, y)})

    return build


def _neuron_steps(op: str) -> Builder:
    """One step of neurons, for loops: inputs x [N, ...], states, parameters; outputs y, the next states."""

    def build(attrs: Attrs) -> onnx.FunctionProto:
        rule, body = rule_of(op, attrs), Body()
        p = Parameters(body, rule.order, rule.dtype)
        states = {s: body.value(s, rule.dtype) for s in rule.states}
        y, later = rule.step(body, body.value("x", rule.dtype), states, p)
        results = {"y": y, **{f"next_{s}": later[s] for s in rule.states}}
        return _made(f"{op}_step__{rule.variant}", attrs, body, ["x", *rule.states, *p.inputs], results)

    return build


def _psn(attrs: Attrs) -> onnx.FunctionProto:
    """Parallel spiking neurons: weighted sums over time."""
    reach, body = attrs["reach"], Body()
    steps = body.value("steps", INT)
    x = split(body, body.value("x", FLOAT), steps)
    h = SUMS[reach](body, x, steps, body.value("weight", FLOAT)) + body.value("bias", FLOAT)
    y = merge(body, (h >= 0).to(FLOAT))
    return _made(f"psn__{reach}", attrs, body, ["x", "steps", "weight", "bias"], {"y": y})


# ---- integers


def _requant(attrs: Attrs) -> onnx.FunctionProto:
    """Make sums, float32 (a) or float64 (d), and spikes or counts (s) a current, int64; input `d` is 2^n."""
    kinds, body = attrs["kinds"], Body()
    inputs = [f"x{j}" for j in range(len(kinds))]
    factors = [f"factor{j}" for j in range(len(kinds))]
    terms = [
        body.value(x, DOUBLE if kind == "d" else FLOAT).to(INT) * body.value(f, INT)
        for x, f, kind in zip(inputs, factors, kinds, strict=True)
    ]
    divisor = body.value("d", INT)
    total = body.value("c", INT) + divisor / 2
    for term, kind in zip(terms, kinds, strict=True):
        total = total + term if kind != "s" else total
    current = total.floor_divide(divisor)
    for term, kind in zip(terms, kinds, strict=True):
        current = current + term if kind == "s" else current
    return _made(f"requant__{kinds}", attrs, body, [*inputs, *factors, "c", "d"], {"y": current})


def _conv2d(attrs: Attrs) -> onnx.FunctionProto:
    """Convolve to sums that float32 could round: several that it cannot, added in float64."""
    body, parts, geometry = Body(), int(attrs["parts"]), ("strides", "pads", "dilations", "group")
    x, total = body.value("x", FLOAT), None
    for k in range(parts):
        part = body.op("Conv", x, body.value(f"w{k}", FLOAT))
        for name in geometry:
            body.refer(name, name)
        total = part.to(DOUBLE) if total is None else total + part.to(DOUBLE)
    assert total is not None
    return _made(f"conv2d__{parts}", attrs, body, ["x", *(f"w{k}" for k in range(parts))], {"y": total})


# ---- pools


def _padded(body: Body) -> Value:
    """Pad with zeros: ONNX' pools refuse padding as wide as their window, and MaxPool pads with -inf."""
    return body.op("Pad", body.value("x", FLOAT), body.attribute("value_ints", "border", INT))


def _pool(kind: str, name: str) -> Builder:
    def build(attrs: Attrs) -> onnx.FunctionProto:
        body = Body()
        y = body.op(kind, _padded(body))
        for attribute in ("kernel_shape", "strides"):
            body.refer(attribute, attribute)
        if name == "countpool2d":  # a mean of n values below 2^16 is off by less than 1 / (2 n)
            y = body.op("Round", y * body.attribute("value_int", "size", INT).to(FLOAT))
        return _made(name, attrs, body, ["x"], {"y": y})

    return build


# ---- time


def _input(attrs: Attrs) -> onnx.FunctionProto:
    """Turn what a caller has to [T*N, C, ...] or, without T, [N, C, ...]; pixels lose their zero point."""
    layout, dtype, body = attrs["layout"], attrs["dtype"], Body()
    order = "TNCHW" if "H" in layout else "TNC"
    order = order if "T" in layout else order[1:]
    x = body.value("x", {"f32": FLOAT, "b1": BOOL}.get(dtype, INT))
    x = x if dtype == "f32" else body.op("Cast", x, dtype=FLOAT, to=onnx.TensorProto.FLOAT)
    if layout != order:
        x = body.op("Transpose", x, perm=[layout.index(axis) for axis in order])
    axis = order.index("N")
    results = {"samples": body.op("Shape", x, dtype=INT, start=axis, end=axis + 1)}
    if "T" in layout:
        results["steps"] = body.op("Shape", x, dtype=INT, start=0, end=1)
        x = merge(body, x)
    if dtype == "u8":
        x = x - body.value("zero_point", FLOAT)
    inputs = ["x", "zero_point"] if dtype == "u8" else ["x"]
    return _made(f"input__{layout}_{dtype}", attrs, body, inputs, {"y": x, **results})


def _state(attrs: Attrs) -> onnx.FunctionProto:
    """Give the state [N, ...] of neurons in a loop before the first step."""
    body = Body()
    shape = body.op("Concat", body.value("samples", INT), body.attribute("value_ints", "shape", INT), axis=0)
    y = body.op("Expand", body.value("value", FLOAT), shape)
    return _made("state", attrs, body, ["samples", "value"], {"y": y})


def _memory(attrs: Attrs) -> onnx.FunctionProto:
    """Give the memory [steps, N, ...] of a delay in a loop before the first step."""
    body = Body()
    late, shape = (body.attribute("value_ints", name, INT) for name in ("delay", "shape"))
    size = body.op("Concat", late, body.value("samples", INT), shape, axis=0)
    return _made("delay_memory", attrs, body, ["samples"], {"y": body.op("Expand", _zero(body, FLOAT), size)})


def _batch(attrs: Attrs) -> onnx.FunctionProto:
    """[T, N, ...] to [T*N, ...]."""
    body = Body()
    return _made("batch", attrs, body, ["x"], {"y": merge(body, body.value("x", FLOAT))})


def _repeat(attrs: Attrs) -> onnx.FunctionProto:
    """One frame for all steps: [N, ...] to [T*N, ...]."""
    body = Body()
    x, steps = body.value("x", FLOAT), body.value("steps", INT)
    frame = body.op("Unsqueeze", x, body.constant([0]))
    shape = body.op("Concat", steps, body.op("Shape", x, dtype=INT), axis=0)
    return _made("repeat", attrs, body, ["x", "steps"], {"y": merge(body, body.op("Expand", frame, shape))})


def _time_first(attrs: Attrs) -> onnx.FunctionProto:
    """[T*N, ...] to [T, N, ...]: what a caller gets of an output without a readout."""
    body = Body()
    y = split(body, body.value("x", FLOAT), body.value("steps", INT))
    return _made("time_first", attrs, body, ["x", "steps"], {"y": y})


def _delay(attrs: Attrs) -> onnx.FunctionProto:
    """Give what x was some steps ago, zero before."""
    body = Body()
    steps = body.value("steps", INT)
    x = split(body, body.value("x", FLOAT), steps)
    late = body.op("Min", body.attribute("value_ints", "delay", INT), steps)
    silence = body.op("Concat", late, frame_shape(body, x), axis=0)
    zeros = body.op("Expand", _zero(body, FLOAT), silence)
    start, axis = body.constant([0]), body.constant([0])
    y = body.op("Slice", body.op("Concat", zeros, x, axis=0), start, steps, axis)
    return _made("delay", attrs, body, ["x", "steps"], {"y": merge(body, y)})


def _delay_read(attrs: Attrs) -> onnx.FunctionProto:
    """Give the oldest frame of a delay's memory [steps, N, ...]: what a loop reads."""
    body = Body()
    y = body.op("Gather", body.value("memory", FLOAT), body.constant(0), axis=0)
    return _made("delay_read", attrs, body, ["memory"], {"y": y})


def _delay_write(attrs: Attrs) -> onnx.FunctionProto:
    """Drop the oldest frame of a delay's memory, and put x behind the newest."""
    body = Body()
    zero = body.constant([0])
    newest = body.op("Unsqueeze", body.value("x", FLOAT), zero)
    all_ = body.op("Concat", body.value("memory", FLOAT), newest, axis=0)
    kept = body.op("Slice", all_, body.constant([1]), body.constant([2**31]), zero)
    return _made("delay_write", attrs, body, ["memory", "x"], {"next_memory": kept})


def _real(attrs: Attrs) -> onnx.FunctionProto:
    """Make counts what they are worth."""
    body = Body()
    y = body.value("x", FLOAT) / body.attribute("value_int", "divisor", INT).to(FLOAT)
    return _made("real", attrs, body, ["x"], {"y": y})


# ---- readouts


def _total(body: Body, sequence: Value, mode: str) -> Value:
    """Give the last step; or the sum over time: of integers any way, of reals in the order of time."""
    if mode == "last":
        return body.op("Gather", sequence, body.constant(-1), axis=0)
    if sequence.dtype == INT:
        return body.op("ReduceSum", sequence, body.constant([0]), keepdims=0)
    first = body.op("Expand", _zero(body, sequence.dtype), frame_shape(body, sequence))
    (total,) = scan(body, lambda inner, now, states: ([states[0] + now[0]], []), [first], sequence)
    return total


def _readout(attrs: Attrs) -> onnx.FunctionProto:
    """Over time: of integers in float64 with scale and bias, of reals in float32."""
    mode, kind, body = attrs["mode"], attrs["kind"], Body()
    steps = body.value("steps", INT)
    x = split(body, body.value("x", DOUBLE if kind == "d" else FLOAT), steps)
    if kind == "f32":
        y = _total(body, x, mode)
        y = y / steps.to(FLOAT) if mode == "mean" else y
        return _made(f"readout__f32_{mode}", attrs, body, ["x", "steps"], {"y": y})
    y = _total(body, x.to(INT), mode).to(DOUBLE) * body.value("scale", DOUBLE)
    bias = body.value("bias", DOUBLE)
    y = y / steps.to(DOUBLE) if mode == "mean" else y
    y = (y + (bias * steps.to(DOUBLE) if mode == "sum" else bias)).to(FLOAT)
    return _made(f"readout__{kind}_{mode}", attrs, body, ["x", "steps", "scale", "bias"], {"y": y})


NEURONS: Final = ("lif", "if", "cuba_lif", "neuron")

FUNCTIONS: Final[Mapping[str, Builder]] = {
    **{op: _neurons(op) for op in NEURONS},
    **{f"{op}_step": _neuron_steps(op) for op in NEURONS},
    "psn": _psn,
    "requant": _requant,
    "conv2d": _conv2d,
    "maxpool2d": _pool("MaxPool", "maxpool2d"),
    "avgpool2d": _pool("AveragePool", "avgpool2d"),
    "countpool2d": _pool("AveragePool", "countpool2d"),
    "input": _input,
    "state": _state,
    "delay_memory": _memory,
    "batch": _batch,
    "repeat": _repeat,
    "time_first": _time_first,
    "delay": _delay,
    "delay_read": _delay_read,
    "delay_write": _delay_write,
    "real": _real,
    "readout": _readout,
}
