"""BESTformer, small, from PyTorch to the engine: maps of one bit, factors of steps, coupled streams."""

from __future__ import annotations

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from qat.settled import PIXELS, images, settle  # noqa: E402

from snncore.reference import LIF, StepGain  # noqa: E402
from snncore.reference.maps import fired_maps  # noqa: E402
from snncore.reference.networks import bestformer, bestformer_scheme  # noqa: E402
from snncore.reference.run import run  # noqa: E402


def network(size="2-32", kind="map_qk", seed=0, steps=3, ends="int8", heads=2, scale=0.5, **options):
    torch.manual_seed(seed)
    net = bestformer(
        size, 7, kind=kind, heads=heads, scale=scale, timesteps=steps, pools=(True, True, False, False),
        scheme=bestformer_scheme(1, ends=ends), preprocess={**PIXELS, "size": [16, 16]}, **options,
    )  # fmt: skip
    for m in net.modules():
        if isinstance(m, StepGain):
            m.gain.data.uniform_(0.5, 2.0)
    settle(net, net.normalise(torch.from_numpy(images(12, 16, seed=1))))
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.bias.data += 0.5  # neurons of tau 2 fire rarely otherwise
    return net


def converted(net):
    return snncore.from_torch(net, torch.zeros(1, 3, 16, 16))


def fired(net, pixels):
    with torch.no_grad():
        return net.spikes(net.normalise(torch.from_numpy(pixels)))


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["1-16", "2-24", "3-40"]),
    st.sampled_from(["map_qk", "map_kv"]),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 5),
    st.sampled_from(["coupled", "residual"]),
    st.integers(0, 2**31),
)
def test_engine_equals_the_reference(size, kind, heads, steps, rule, seed):
    model = converted(network(size, kind, seed, steps, heads=heads, rule=rule))
    pixels = images(2, 16, seed=seed % 97)
    assert snncore.verify(model, None, pixels).equal
    whole = model.run(pixels, threads=2)
    session = model.stream(batch=2)
    for _ in range(steps):
        step = session.step(pixels)
    assert np.array_equal(step, whole)


@pytest.mark.parametrize("kind", ["map_qk", "map_kv"])
def test_against_the_network(kind):
    """Maps fire as the integers of the definition say; most spikes are those of the float network."""
    net = network(kind=kind)
    model, pixels = converted(net), images(6, 16)
    spikes = fired(net, pixels)
    names = [name for name in spikes if name.endswith(".map")]
    assert names == ["blocks.rows.attention1.attention.map", "blocks.rows.attention2.attention.map"]
    run = model.run(pixels, record=[*names, *(n.replace(".map", ".scores.sum") for n in names)])
    for name in names:
        scores = torch.from_numpy(run.states[name.replace(".map", ".scores.sum")]).long()
        assert np.array_equal(run.spikes[name].numpy(), fired_maps(scores).numpy() != 0)
        assert 0.01 < run.spikes[name].numpy().mean() < 0.99
    report = snncore.verify(model, net, pixels)
    first = [one for one in report.parity if one.name.startswith("blocks.rows.attention1") and one.spikes]
    assert len(first) == 6  # one flipped spike is heard by all layers behind it
    assert all(one.different_spikes / one.spikes < 0.03 for one in first), report


@pytest.mark.parametrize("profile", ["W", "U"])
def test_a_map_without_memory(profile):
    net = network("1-16")
    for block in net.modules():
        if hasattr(block, "map"):
            block.map = LIF(decay=0.0, threshold=2.0)
    model = snncore.from_torch(net, torch.zeros(1, 3, 16, 16), profile=profile)
    assert snncore.verify(model, None, images(2, 16)).equal


@pytest.mark.parametrize("kind", ["map_qk", "map_kv"])
@pytest.mark.parametrize("ends", ["int8", "float"])
def test_the_published_scale(kind, ends):
    """Nothing fires behind maps, so batch normalisation divides by sqrt(eps); what fires later saturates."""
    net = network("5-32", kind, steps=4, scale=0.125, ends=ends)
    dead = {
        name
        for name, m in net.named_modules()
        if isinstance(m, torch.nn.BatchNorm2d) and not m.running_var.any()
    }
    pixels = images(2, 16)
    pixels = pixels if ends == "int8" else pixels.astype(np.float32) / 64 - 2
    report = snncore.verify(converted(net), None, pixels)
    assert dead and report.equal
    for m in net.modules():
        if isinstance(m, StepGain):
            m.gain.data.fill_(16.0)
    model = converted(net)
    gates = [f"blocks.rows.attention{i}.attention.gate" for i in range(1, 6)]
    spikes = model.run(pixels, record=gates).spikes
    assert all(spikes[gate].numpy().any() for gate in gates)
    result = run(model.to_bytes(), pixels)
    assert result.saturations["blocks.couple_9"].integrate > 0
    assert snncore.verify(model, None, pixels).equal


@pytest.mark.parametrize("classes", [10, 200])
def test_heads_of_codes_stay_codes(classes):
    """The logits are those of float32 heads with the same numbers; the file has a byte for each weight."""
    torch.manual_seed(0)
    options = {
        "heads": 2,
        "timesteps": 2,
        "pools": (True, True, False, False),
        "preprocess": {**PIXELS, "size": [16, 16]},
    }
    net = bestformer("1-32", classes, scheme=bestformer_scheme(1, ends="int8"), **options)
    settle(net, net.normalise(torch.from_numpy(images(12, 16, seed=1))))
    model, pixels = converted(net), images(4, 16)
    heads = [row for row in model.layers if row.op == "linear"]
    assert [row.weight_bits for row in heads] == [8, 8]
    assert all(row.bytes < 1.6 * 32 * classes + 100 for row in heads)
    report = snncore.verify(model, None, pixels)
    assert report.equal and report.max_abs_difference == 0
    for m in net.modules():
        if isinstance(m, torch.nn.Linear):
            codes, scale = m.quantizer.codes(m.weight)
            m.weight.data = (codes.double() * scale.view(-1, 1)).float()
            m.quantizer = None
    plain = converted(net)
    assert np.array_equal(plain.run(pixels), model.run(pixels))
    assert plain.file_bytes - model.file_bytes > 2 * 32 * classes * 2.5


def test_float_ends():
    model = converted(network(ends="float"))
    x = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)
    assert snncore.verify(model, None, x).equal


def test_negative_factors_are_named():
    net = network("1-16")
    for m in net.modules():
        if isinstance(m, StepGain):
            m.gain.data[1, 0] = -0.5
    with pytest.raises(ValueError, match=r"step_gain '.*gain': factors must be finite and at least 0"):
        converted(net)
    net = network("1-16", steps=2)
    with pytest.raises(snncore.Error, match="has factors for 2 steps, asked for 3"):
        converted(net).run(images(1, 16), timesteps=3)
