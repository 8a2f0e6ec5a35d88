"""Spiking transformers, small, from PyTorch to the engine: integers exactly, floats where nothing rounds."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from qat.settled import PIXELS, images, settle  # noqa: E402

from snncore.reference import (  # noqa: E402
    LIF,
    Attention,
    BinaryQuantizer,
    Conv2d,
    Network,
    Residual,
    Saccade,
    StepGain,
)
from snncore.reference.networks import (  # noqa: E402
    qkformer,
    snn_vit,
    spike_driven_transformer,
    spikformer,
    transformer_scheme,
)
from snncore.reference.saccades import MODES  # noqa: E402

NETWORKS = {
    "snn_vit": lambda **k: snn_vit("2-16", 7, **k),
    **{mode: lambda mode=mode, **k: snn_vit("1-16", 7, mode=mode, heads=2, **k) for mode in MODES},
    "spikformer": lambda **k: spikformer("2-16", 7, heads=2, **k),
    "spike_driven": lambda **k: spike_driven_transformer("2-16", 7, **k),
    "erosion": lambda **k: spike_driven_transformer("1-16", 7, erosion=True, **k),
    "position": lambda **k: spike_driven_transformer("1-16", 7, pools=(True, True, False, False), **k),
    "qkformer": lambda **k: qkformer("3-32", 7, heads=2, **k),
    "channels": lambda **k: qkformer("3-32", 7, heads=2, kinds=("qk_channel", "qk_token", "ssa"), **k),
}


def settled(build, bits, size=16):
    torch.manual_seed(1)
    pixels = {**PIXELS, "size": [size, size]}
    neuron = LIF(decay=0.5, threshold=1.0)
    net = build(scheme=transformer_scheme(bits, neuron), timesteps=3, preprocess=pixels)
    settle(net, net.normalise(torch.from_numpy(images(12, size, seed=1))))
    return net


@pytest.mark.parametrize("bits", [8, 1, 32])
@pytest.mark.parametrize("name", NETWORKS)
def test_engine_equals_the_reference(name, bits):
    net = settled(NETWORKS[name], bits)
    m = snncore.from_torch(net, torch.zeros(2, 3, 16, 16))
    x = images(3, 16)
    assert snncore.verify(m, None, x).equal
    fired = {k: v.numpy() != 0 for k, v in net.spikes(net.normalise(torch.from_numpy(x))).items()}
    ours = m.run(x, record=list(fired)[:2]).spikes
    assert all((ours[k].numpy() == fired[k]).mean() > 0.97 for k in ours)


def test_streams_are_integers_of_coded_weights_only():
    ops = {}
    for bits in (8, 32):
        m = snncore.from_torch(settled(NETWORKS["position"], bits), torch.zeros(1, 3, 16, 16))

        ops[bits] = [n["op"] for n in json.loads(m._core.document())["graph"]["nodes"]]
    # the patches, the branch of positions, attention; what the MLP adds goes into the last neuron
    assert ops[8].count("residual") == 3 and "add" not in ops[8]
    assert ops[32].count("add") == 3 and "residual" not in ops[32]
    assert {"count", "mask"} <= set(ops[8]) & set(ops[32])


def dyadic(net, seed=0):
    """Weights, gains and shifts in eighths, statistics that divide by a power of two."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
                m.weight.copy_(torch.randint(-4, 5, m.weight.shape, generator=rng) / 8)
                if m.bias is not None:
                    m.bias.zero_()
            if isinstance(m, torch.nn.BatchNorm2d):
                m.eps = 2.0**-20
                m.running_var.fill_(1.0 - 2.0**-20)
                m.running_mean.copy_(torch.randint(-2, 3, m.running_mean.shape, generator=rng) / 4)
                m.weight.copy_(torch.randint(2, 5, m.weight.shape, generator=rng) / 4)
                m.bias.copy_(torch.randint(0, 4, m.bias.shape, generator=rng) / 4)
    return net.eval()


@pytest.mark.parametrize("kind", ["ssa", "sdsa", "saccadic", "qk_token", "qk_channel", "map_qk", "map_kv"])
@pytest.mark.parametrize("rule", ["spikes", "membranes"])
@pytest.mark.parametrize("quantizer", [None, BinaryQuantizer()], ids=["float", "1bit"])
def test_spikes_of_a_block_equal_the_float_network(quantizer, kind, rule):
    """Dyadic parameters: neither PyTorch nor integers round anything, so every spike must agree."""

    options = {"saccadic": {"mode": "v1_joint", "timesteps": 4}, "map_kv": {"scale": 1.0}}.get(kind, {})
    stem = OrderedDict(
        conv=Conv2d(2, 12, 3, padding=1, bias=False, quantizer=quantizer), bn=torch.nn.BatchNorm2d(12)
    )
    body = OrderedDict(lif=LIF()) if rule == "membranes" else OrderedDict()
    body["attention"] = Attention(kind, 12, heads=2, neuron=LIF, quantizer=quantizer, **options)
    body |= OrderedDict(conv=Conv2d(12, 12, 1, bias=False, quantizer=quantizer), bn=torch.nn.BatchNorm2d(12))
    if rule == "spikes":
        stem["lif"] = LIF()
        body["after"] = LIF()
    layers = OrderedDict(stem, block=Residual(torch.nn.Sequential(body)))
    if rule == "membranes":
        layers["last"] = LIF()
    layers |= OrderedDict(
        average=torch.nn.AvgPool2d(4), flatten=torch.nn.Flatten(), fc=torch.nn.Linear(12, 3)
    )
    net = dyadic(Network(torch.nn.Sequential(layers), timesteps=4))
    for m in net.modules():
        if isinstance(m, Saccade):  # softplus of this is not dyadic, but both sides hold the same number
            m.below.data.round_()
        if isinstance(m, StepGain):
            m.gain.data = torch.arange(1.0, m.gain.numel() + 1).reshape(m.gain.shape) / 4
    x = np.random.default_rng(0).random((4, 3, 2, 4, 4)) < 0.4
    m = snncore.from_torch(net, torch.zeros(4, 1, 2, 4, 4, dtype=torch.bool))
    theirs = net.spikes(torch.from_numpy(x).float())
    ours = m.run(x, record=list(theirs)).spikes
    for name, spikes in theirs.items():
        if name.endswith(".map"):  # heads come first in the module, channels in the engine
            spikes = spikes.movedim(-1 if kind == "map_qk" else -2, 2)
        assert np.array_equal(ours[name].numpy(), spikes.numpy() != 0), name
        if not name.endswith("after"):
            assert 0 < spikes.mean() < 1, name
    assert snncore.verify(m, None, x).equal


def changed(net, layer, by):
    """Give the same network with one parameter moved."""
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.get_parameter(layer).add_(by)
    return other


@pytest.mark.parametrize("mode", MODES)
def test_verify_hears_saccadic_neurons(mode):
    net = settled(NETWORKS[mode], 32)
    m, x = snncore.from_torch(net, torch.zeros(1, 3, 16, 16)), images(3, 16)
    report = snncore.verify(m, net, x)
    assert report.different_spikes == 0 and report.label_agreement == 1.0, str(report)
    gate = next(part for part in report.parity if part.name.endswith("gate"))
    assert gate.spikes > 0 and gate.membrane is None
    path = "layers.attention1.body.attention.gate"
    report = snncore.verify(m, changed(net, f"{path}.threshold", 0.3), x)
    assert report.first_difference.layer == gate.name
    assert "no bound is known for a Saccade" in report.margin_note
    report = snncore.verify(m, changed(net, "layers.mlp1.body.bn2.bias", 0.5), x)
    assert report.margin is not None and not report.margin.within, report.margin_note
