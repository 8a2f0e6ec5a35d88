"""Float networks with membrane shortcuts become integer ones; what carries streams, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import snncore
from snncore.compress.copying import Copy
from snncore.compress.graph import Graph
from snncore.convert.parts import parts_of


def network(seed: int, blocks: int = 3, weights: str = "f32") -> snncore.Model:
    """Spikes into a stem, blocks whose sums neurons and the next sum read, neurons and a linear layer."""
    rng = np.random.default_rng(seed)
    b = snncore.GraphBuilder()

    def conv(name: str, x: str, inputs: int) -> str:
        weight = rng.normal(size=(6, inputs, 3, 3)) / np.sqrt(3 * inputs)
        return b.conv2d(name, x, weight.astype(np.float32), bias=rng.normal(size=6) * 0.2, padding=1)

    stream = conv("stem", b.input("x", "b1", [2, 5, 5]), 2)
    for i in range(blocks):
        y = conv(f"conv{i}", b.lif(f"lif{i}", stream, threshold=0.6, reset="subtract"), 6)
        stream = b.add(f"add{i}", [y, stream] if i % 2 else [stream, y])
    x = b.flatten("flat", b.lif("last", stream, threshold=0.6))
    b.output("y", b.readout("y", b.linear("head", x, rng.normal(size=(4, 150)).astype(np.float32))))
    return b.build(4)


def spikes(count: int) -> np.ndarray:
    return np.random.default_rng(9).random((4, count, 2, 5, 5)) < 0.4


@pytest.mark.parametrize("seed", range(3))
def test_quantized_streams(seed: int) -> None:
    model, x = network(seed), spikes(64)
    small, report = snncore.quantize(model, bits=8, calibration=x, layout="TNCHW")
    ops = [node["op"] for node in parts_of(small).nodes]
    assert ops.count("residual") == 3 and "add" not in ops  # the stem, and all sums but the last
    assert all(row.reason is None for row in report.layers)
    names = ["lif0", "lif1", "lif2", "last"]
    before, after = (m.run(x, layout="TNCHW", record=names) for m in (model, small))
    same = [(before.spikes[n].numpy() == after.spikes[n].numpy()).mean() for n in names]
    assert same[0] > 0.99 and min(same) > 0.95, same


def test_pruned_streams() -> None:
    """Channels leave every writer of a stream together, and all that reads it."""
    pytest.importorskip("torch")
    from snncore.reference.run import run

    model, x = snncore.quantize(network(5), bits=8)[0], spikes(16)
    small, _ = snncore.prune(model, ratio=0.5, criterion="magnitude", calibration=x, layout="TNCHW")
    widths = {n["name"]: parts_of(small).shape(n["outputs"][0])[-1] for n in parts_of(small).nodes}
    assert widths["stem"] == widths["conv1"] == widths["add1"] == widths["last"] < 6
    got = small.run(x, layout="TNCHW")
    assert np.array_equal(got, run(small.to_bytes(), x, "TNCHW").outputs["y"].numpy())


def gates() -> snncore.Model:
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [2, 2, 2])
    one: dict[str, Any] = {"encoding": "sym", "bits": 8, "scale": [1.0]}
    q = b.conv2d("q", x, np.ones((2, 2, 1, 1), np.int8), **one)
    gate = b.saccade("gate", q, mode="v2_joint_static", threshold=[1.0, 2.0], mix=np.eye(2))
    spikes = b.lif("lif", b.conv2d("next", gate, np.ones((3, 2, 1, 1), np.int8), **one))
    b.output("y", b.readout("y", b.linear("head", b.flatten("flat", spikes), np.ones((2, 12), np.float32))))
    return b.build(2)


def test_others_say_what_they_cannot() -> None:
    stream = snncore.quantize(network(0), bits=8)[0]
    pytest.importorskip("onnx")
    with pytest.raises(snncore.Error, match=r"^to_onnx: 'stem.stream' \(residual\) has no form in ONNX$"):
        snncore.to_onnx(stream)
    with pytest.raises(snncore.Error, match=r"^to_onnx: 'gate' \(saccade\) has no form in ONNX$"):
        snncore.to_onnx(gates())


def copy(model: snncore.Model) -> snncore.Model:
    """Node by node, as `quantize` does with what it leaves alone."""
    facts = {key: model.metadata[key] for key in ("labels", "preprocess", "provenance")}
    return Copy(Graph(model)).model(facts)


def test_copies() -> None:
    for model in (gates(), snncore.quantize(network(1), bits=8)[0]):
        copied = copy(model)
        assert parts_of(copied).nodes == parts_of(model).nodes
        assert parts_of(copied).tensors.keys() == parts_of(model).tensors.keys()
        for name, values in parts_of(model).tensors.items():
            assert np.array_equal(parts_of(copied).tensors[name], values), name


def test_a_pruned_network_keeps_its_saccade() -> None:
    """Its heads are as many as its steps: neither the thresholds nor the weights are channels."""
    x = np.random.default_rng(1).random((2, 8, 2, 2, 2)) < 0.5
    pruned, _ = snncore.prune(gates(), ratio=0.34, criterion="magnitude")
    widths = {n["name"]: parts_of(pruned).shape(n["outputs"][0])[-1] for n in parts_of(pruned).nodes}
    assert widths["gate"] == 2 and widths["next"] < 3
    pruned.run(x, layout="TNCHW")
