"""Parallel spiking neurons in onnxruntime: float32 sums in the written order, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
for package in ("onnxruntime", "torch", "safetensors"):
    pytest.importorskip(package)

from convert.onnx_runs import run, same
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from property.test_psn import SHAPES

import snncore


def network(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    weight: np.ndarray,
    bias: np.ndarray,
    *,
    layout: str,
    behind: str,
    steps: int,
) -> snncore.Model:
    """Any values, or those of a layer whose sums are exact; the neurons; spikes, or a layer and a readout."""
    b = snncore.GraphBuilder()
    x = b.input("x", "f32", shape, layout=layout)
    if behind == "layer":
        kernel = (5, shape[0], 1, 1) if len(shape) == 3 else (5, shape[0])
        layer = b.conv2d if len(shape) == 3 else b.linear
        x = layer("layer", x, (rng.integers(-8, 9, kernel) / 8).astype(np.float32))
    if behind == "flatten" and len(shape) == 3:
        x = b.flatten("flat", x)
    x = b.psn("psn", x, weight=weight, bias=bias)
    if len(b.shape(x)) == 1:
        head = rng.integers(-8, 9, (3, *b.shape(x))) / 8
        b.output("y", b.readout("sum", b.linear("head", x, head.astype(np.float32)), "sum"))
    else:
        b.output("y", x)
    return b.build(steps)


def checked(model: snncore.Model, x: np.ndarray) -> onnx.ModelProto:
    proto = same(model, x, ["psn"])
    assert snncore.from_onnx(proto.SerializeToString()).to_bytes() == model.to_bytes()
    return proto


def values(rng: np.random.Generator, shape: tuple[int, ...], behind: str) -> np.ndarray:
    x = rng.normal(size=shape)
    return (np.round(x * 4) / 4 if behind == "layer" else x).astype(np.float32)


BEHIND = st.sampled_from(["input", "layer", "flatten"])


@given(st.integers(0, 2**32 - 1), SHAPES, st.integers(1, 6), st.booleans(), BEHIND)
def test_all_steps(seed: int, shape: tuple[int, ...], steps: int, static: bool, behind: str) -> None:
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(steps, steps)), rng.normal(size=steps)
    layout = ("" if static else "T") + ("NCHW" if len(shape) == 3 else "NC")
    model = network(rng, shape, weight, bias, layout=layout, behind=behind, steps=steps)
    checked(model, values(rng, (2, *shape) if static else (steps, 2, *shape), behind))


@given(st.integers(0, 2**32 - 1), SHAPES, st.integers(1, 5), st.integers(1, 7), BEHIND)
def test_last_steps(seed: int, shape: tuple[int, ...], taps: int, steps: int, behind: str) -> None:
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=taps), rng.normal(size=1)
    layout = "TNCHW" if len(shape) == 3 else "TNC"
    model = network(rng, shape, weight, bias, layout=layout, behind=behind, steps=4)
    checked(model, values(rng, (steps, 2, *shape), behind))


def test_the_order_of_the_sum_decides() -> None:
    """2^24 + 1 - 2^24 is 0 in this order and 1 in another; a bias of -1 makes it a spike at h = 0."""
    b = snncore.GraphBuilder()
    weight, x = np.ones((3, 3)), np.array([2.0**24, 1, -(2.0**24)], np.float32)
    b.output("y", b.psn("psn", b.input("x", "f32", [2], layout="TNC"), weight=weight, bias=np.full(3, -1)))
    model = b.build(3)
    x = np.stack([x, x[[0, 2, 1]]], -1)[:, np.newaxis]
    checked(model, x)
    np.testing.assert_array_equal(model.run(x), [[[0, 1]]] * 3)


def test_other_numbers_of_steps() -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(4, 4)), rng.normal(size=4)

    def made(layout: str, steps: int) -> snncore.Model:
        return network(rng, (3,), weight, bias, layout=layout, behind="input", steps=steps)

    with pytest.raises(snncore.Error, match=r"'psn' \(psn\) weighs all of 4 steps at once, asked for 5"):
        snncore.to_onnx(made("NC", 4), timesteps=5)
    proto = snncore.to_onnx(made("TNC", 4))
    for steps in (3, 5):
        with pytest.raises(Exception, match="Scan"):
            run(proto, values(rng, (steps, 1, 3), "input"))
    assert snncore.from_onnx(proto).run(values(rng, (4, 1, 3), "input")).shape == (1, 3)


def test_a_loop() -> None:
    b = snncore.GraphBuilder()
    x = b.add("sum", [b.input("x", "f32", [3], layout="TNC"), b.delay("late", "psn", 1, [3])])
    b.output("y", b.psn("psn", x, weight=[0.5, 1], bias=[-1]))
    with pytest.raises(snncore.Error, match=r"'psn' \(psn\) weighs many steps at once, and a network with a"):
        snncore.to_onnx(b.build(3))


def test_files_that_lie() -> None:
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.input("x", "f32", [3], layout="TNC")
    b.output("y", b.psn("psn", x, weight=rng.normal(size=(4, 4)), bias=rng.normal(size=4)))
    proto = snncore.to_onnx(b.build(4))
    for role, shape in [("weight", (3, 4)), ("weight", (4,)), ("weight", ()), ("bias", (3,)), ("bias", ())]:
        other = onnx.ModelProto()
        other.CopyFrom(proto)
        tensor = next(t for t in other.graph.initializer if t.name == f"psn.{role}")
        tensor.CopyFrom(numpy_helper.from_array(np.ones(shape, np.float32), tensor.name))
        with pytest.raises((ValueError, snncore.Error), match="psn") as caught:
            snncore.from_onnx(other)
        assert "\n" not in str(caught.value)
    (call,) = [n for n in proto.graph.node if n.name == "psn"]
    del call.attribute[:]
    call.attribute.append(helper.make_attribute("reach", "some"))
    with pytest.raises(snncore.FormatError, match="attributes are not those of such a function"):
        snncore.from_onnx(proto)
