"""Codes that read real values: the float32 weights that they stand for, stored as codes."""

from __future__ import annotations

import numpy as np
import pytest
from nets import codes

import snncore
from snncore.convert.parts import parts_of

SHAPES = {"linear": (6, 9), "conv2d": (6, 3, 3, 3)}


def network(kind: str, weight: np.ndarray, bias: np.ndarray | None, **described: object) -> snncore.Model:
    """f32, the layer, neurons and the mean of another layer, float32 too."""
    b = snncore.GraphBuilder()
    x = b.input("x", "f32", [9] if kind == "linear" else [3, 5, 5])
    y = getattr(b, kind)("layer", x, weight, bias=bias, **described)
    y = b.lif("lif", y, threshold=0.3)
    if kind == "conv2d":
        y = b.flatten("flat", y)
    head = np.random.default_rng(0).normal(size=(2, 6 if kind == "linear" else 54)).astype(np.float32)
    b.output("y", b.readout("y", b.linear("head", y, head)))
    return b.build(3)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize(("encoding", "bits"), [("odd", 1), ("odd", 4), ("sym", 2), ("sym", 8)])
@pytest.mark.parametrize("each", [False, True])
def test_the_same_bits_as_float_weights(kind: str, encoding: str, bits: int, each: bool) -> None:
    rng = np.random.default_rng(bits)
    q = codes(rng, SHAPES[kind], bits)
    q = np.maximum(q, 1 - 2 ** (bits - 1)) if encoding == "sym" else q
    scale = rng.uniform(0.01, 0.3, 6 if each else 1)
    m = q.astype(np.float64) if encoding == "sym" else 2.0 * q + 1
    real = (scale.reshape(-1, *[1] * (q.ndim - 1)) * m).astype(np.float32)
    bias = rng.normal(size=6)
    coded = network(kind, q, bias, encoding=encoding, bits=bits, scale=scale)
    plain = network(kind, real, bias)
    x = rng.normal(size=(4, *coded.inputs[0].shape)).astype(np.float32)
    assert np.array_equal(coded.run(x), plain.run(x))
    assert {row.name: row.weight_bits for row in coded.layers}["layer"] == bits
    assert np.array_equal(snncore.load(coded.to_bytes()).run(x), plain.run(x))
    parts = parts_of(coded)
    assert np.array_equal(parts.floats(parts.nodes[0]), parts_of(plain).floats(parts.nodes[0]))


def test_the_reference_and_other_formats() -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    q = np.maximum(codes(rng, SHAPES["linear"], 8), -127)
    model = network("linear", q, rng.normal(size=6), encoding="sym", bits=8, scale=rng.uniform(0.01, 0.03, 6))
    x = rng.normal(size=(4, 9)).astype(np.float32)
    assert snncore.verify(model, None, x).equal


@pytest.mark.parametrize("format_", ["onnx", "nir"])
def test_exported_as_float_weights(format_: str) -> None:
    pytest.importorskip(format_)
    rng = np.random.default_rng(3)
    q = np.maximum(codes(rng, SHAPES["linear"], 8), -127)
    model = network("linear", q, None, encoding="sym", bits=8, scale=rng.uniform(0.01, 0.03, 6))
    x = rng.normal(size=(4, 9)).astype(np.float32)
    read, write = getattr(snncore, f"from_{format_}"), getattr(snncore, f"to_{format_}")
    assert np.array_equal(read(write(model)).run(x, layout="NC"), model.run(x))  # NIR has steps


def test_scales_that_float32_does_not_hold() -> None:
    q = np.ones(SHAPES["linear"], np.int8)
    with pytest.raises((ValueError, snncore.Error), match="scale makes weights that float32 does not hold"):
        network("linear", q, None, encoding="sym", bits=8, scale=[1e300])


def test_nothing_is_folded_into_codes() -> None:
    b = snncore.GraphBuilder()
    y = b.linear(
        "layer", b.input("x", "f32", [2]), np.ones((2, 2), np.int8), encoding="sym", bits=8, scale=[0.5]
    )
    ones, zeros = np.ones(2), np.zeros(2)
    with pytest.raises((ValueError, snncore.Error), match="a batch norm must follow a conv2d or linear"):
        b.batch_norm("bn", y, ones, zeros, zeros, ones)
