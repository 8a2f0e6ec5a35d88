"""Attention, counts and masks in the rest of the package: files, tables, compression, other formats."""

from __future__ import annotations

import numpy as np
import pytest

import snncore
from snncore import GraphBuilder

SHAPE = (8, 3, 4)


def network(bits: int | None = None) -> snncore.Model:
    """A block of attention whose q also masks what comes of it."""
    rng = np.random.default_rng(5)

    def layer(name: str, x: str, channels: int, inputs: int) -> str:
        weight = rng.integers(-8, 8, (channels, inputs, 1, 1))
        if bits is None:
            return b.conv2d(name, x, (weight / 8).astype(np.float32))
        return b.conv2d(name, x, weight.astype(np.int8), encoding="odd", bits=bits, scale=[1 / 16])

    b = GraphBuilder()
    x = b.input("x", "b1", SHAPE, layout="TNCHW")
    q, k, v = (b.lif(f"{r}.lif", layer(r, x, 8, 8), threshold=0.5) for r in "qkv")
    a = b.lif("a.lif", b.attention("a", q, k, v, heads=2), input_gain=0.25, threshold=0.5)
    alive = b.lif("alive", b.count("c", q, over="channels", heads=2), threshold=2.0)
    y = b.lif("out.lif", layer("out", b.mask("m", a, alive), 6, 8))
    b.output("y", y)
    return b.build(3)


def frames() -> np.ndarray:
    return np.random.default_rng(6).random((3, 2, *SHAPE)) < 0.4


def test_a_file_carries_them_and_info_lists_them(tmp_path) -> None:
    model = network(4)
    path = tmp_path / "net.snn"
    model.save(path)
    again = snncore.load(path)
    rows = {layer.name: layer for layer in again.layers}
    assert [(rows[n].op, rows[n].shape) for n in "acm"] == [
        ("attention", SHAPE),
        ("count", (2, 3, 4)),
        ("mask", SHAPE),
    ]
    result = again.run(frames(), record=["a.sum", "c.sum", "q.lif", "k.lif", "v.lif", "alive", "a.lif"])
    assert result.outputs.any() and (result.outputs == model.run(frames())).all()
    q, k, v, a = (result.spikes[f"{r}.lif"].numpy().astype(int) for r in "qkva")
    by_head = [s.reshape(3, 2, 2, 4, 12) for s in (q, k, v)]
    expected = np.einsum("tnhdi,tnhdj,tnhcj->tnhci", *by_head).reshape(3, 2, *SHAPE)
    np.testing.assert_array_equal(result.states["a.sum"], expected)
    np.testing.assert_array_equal(result.states["c.sum"], by_head[0].sum(3).reshape(3, 2, 2, 3, 4))
    assert a.any()


def test_pruning_keeps_whole_heads() -> None:
    with pytest.raises(ValueError, match=r"'a' \(attention\) takes its channels together, by heads"):
        snncore.prune(network(4), criterion="magnitude", ratios={"q": 0.5})


def test_single_weights_can_go() -> None:
    small, _ = snncore.prune(
        network(), criterion="magnitude", ratios={"q": 0.0, "out": 0.0}, unstructured=True
    )
    assert [layer.op for layer in small.layers] == [layer.op for layer in network().layers]
    np.testing.assert_array_equal(small.run(frames()), network().run(frames()))


def test_float_layers_around_them_become_integer() -> None:
    """Multiples of 1/8 up to one that is the largest of each channel lose next to nothing in 8 bits."""
    model = network()
    small, _ = snncore.quantize(model, bits=8, ends=None, calibration=frames())
    assert {layer.weight_bits for layer in small.layers if layer.op == "conv2d"} == {8}
    theirs, ours = (m.run(frames(), record=["q.lif", "a.lif", "a.sum"]) for m in (model, small))
    for name, spikes in theirs.spikes.items():
        assert (ours.spikes[name].numpy() != spikes.numpy()).mean() < 0.05, name
    with pytest.raises(ValueError, match="'q' is quantised already"):
        snncore.quantize(small)


def test_onnx_refuses_in_one_sentence(tmp_path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(snncore.Error, match=r"to_onnx: 'a' \(attention\) has no form in ONNX"):
        snncore.to_onnx(network(), tmp_path / "net.onnx")


def test_nir_refuses_in_one_sentence() -> None:
    pytest.importorskip("nir")
    with pytest.raises(snncore.Error, match="attention"):
        snncore.to_nir(network())


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda b: b.attention("a", "x", "x", "x", heads=3),
            "attention 'a': attribute 'heads' must divide the 8",
        ),
        (lambda b: b.attention("a", "x", "small", "x"), r"attention 'a': k must have the shape \[3, 4, 8\]"),
        (
            lambda b: b.count("c", "x", over="time"),
            "count 'c': .*'over' must be channels, tokens or all, is 'time'",
        ),
        (
            lambda b: b.count("c", "x", over="tokens", heads=2),
            "count 'c': attribute 'heads' must be 1 over tokens",
        ),
        (lambda b: b.count("c", "x", "nobody", over="all"), "count 'c': there is no edge 'nobody'"),
        (lambda b: b.mask("m", "small", "x"), r"mask 'm': mask must be \[3, 4, G\] with a G that divides 2"),
        (lambda b: b.mask("m", "x", "real"), "mask 'm': mask must be spikes b1"),
    ],
)
def test_arguments_that_do_not_fit(call, expected: str) -> None:
    b = GraphBuilder()
    b.input("x", "b1", SHAPE)
    b.input("small", "b1", (2, 3, 4))
    b.input("real", "f32", SHAPE)
    with pytest.raises(ValueError, match=expected):
        call(b)
