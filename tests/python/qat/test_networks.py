"""The papers' networks: their shapes, and each of them, small, in the engine."""

from __future__ import annotations

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from qat.settled import PIXELS, frames, images, settle  # noqa: E402

from snncore.reference import (  # noqa: E402
    LIF,
    ChannelMap,
    Network,
    Residual,
    anneal,
    dual_regulation_loss,
    keep_channels,
    rate_loss,
)
from snncore.reference.networks import (  # noqa: E402
    float_snn,
    q_snn,
    qp_snn,
    resnet19,
    resnet20,
    sew_resnet18,
    vgg16,
    vggsnn,
)

IMAGE_NETS = {
    "vgg16": (vgg16, 32),
    "resnet20": (resnet20, 16),
    "resnet19": (resnet19, 16),
    "sew_resnet18": (sew_resnet18, 32),
}
SCHEMES = {
    "qp4": qp_snn(4, ends="int8", factor=True),
    "qp8": qp_snn(8, ends="int8", gamma="max"),
    "qp2-ends-float": qp_snn(2),
    "q8": q_snn(8),
    "q4": q_snn(4),
    "q2": q_snn(2),
    "float": float_snn(),
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", IMAGE_NETS)
def test_engine_and_integer_reference_agree(name, scheme):
    build, size = IMAGE_NETS[name]
    torch.manual_seed(1)
    pixels = {**PIXELS, "size": [size, size]}
    net = build(7, scheme=SCHEMES[scheme], width=1 / 16, timesteps=3, preprocess=pixels)
    x = images(4, size)
    settle(net, net.normalise(torch.from_numpy(images(12, size, seed=1))))
    m = snncore.from_torch(net, torch.zeros(1, 3, size, size))
    assert snncore.verify(m, None, x).equal
    fired = {k: v.numpy() != 0 for k, v in net.spikes(net.normalise(torch.from_numpy(x))).items()}
    rates = [s.mean() for s in fired.values()]
    assert min(rates) > 0.01 and max(rates) < 0.99, rates
    # The float network is another matter: a neuron within rounding of its threshold may differ, and in a
    # network of random weights a spike more changes everything behind it. So, the layers near the input.
    first = list(fired)[:3]
    ours = m.run(x, record=first).spikes
    equal = [(ours[k].numpy() == fired[k]).mean() for k in first]
    # Membranes of 127 units, and of three codes, round more of what comes near an edge.
    limits = {"q8": (0.99, 0.95, 0.9), "q2": (0.999, 0.97, 0.9)}.get(scheme, (0.999, 0.99, 0.98))
    assert all(e > limit for e, limit in zip(equal, limits, strict=True)), equal


@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize("scheme", [qp_snn(4, ends="int8"), q_snn(2)], ids=["qp4", "q2"])
def test_event_frames(scheme, pool):
    torch.manual_seed(2)
    net = vggsnn(5, scheme=scheme, width=1 / 16, size=16, timesteps=3, pool=pool)
    x = frames(3, 4, 16)
    settle(net, torch.from_numpy(x).float())
    m = snncore.from_torch(net, torch.zeros(3, 1, 2, 16, 16, dtype=torch.bool))
    assert snncore.verify(m, None, x).equal
    assert (m.run(x).argmax(1) == net(torch.from_numpy(x).float()).argmax(1).numpy()).mean() >= 0.75


def convolutions(net):
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    return [m for m in net.modules() if isinstance(m, kinds) and not isinstance(m, ChannelMap)]


def test_the_shapes_of_the_papers():
    with torch.device("meta"):
        assert len(convolutions(vgg16())) == 14 and vgg16(size=64).layers.fc.in_features == 2048
        assert len(convolutions(vggsnn())) == 9 and vggsnn().layers.fc.in_features == 4608
        assert len(convolutions(resnet20())) == 20
        assert len(convolutions(resnet19())) == 18 + 2  # two shortcuts
        assert len(convolutions(sew_resnet18())) == 18 + 3
        net = resnet20(compress_rate=[0.1] + [0.35] * 3 + [0.75] * 16)
    blocks = [b for b in net.layers if isinstance(b, Residual)]
    assert net.layers.conv.out_channels == int(64 * 0.9)
    assert [b.body.conv2.out_channels for b in blocks] == [83] * 3 + [166] * 3 + [512] * 3
    assert [b.body.conv1.out_channels for b in blocks] == [83, 32, 32] + [64] * 3 + [128] * 3
    assert [type(b.shortcut[0]) if len(b.shortcut) else None for b in blocks][::3] == [ChannelMap] * 3
    assert sum(isinstance(m, LIF) for m in net.modules()) == 19


def test_a_zero_padded_shortcut_is_option_a():
    shortcut = ChannelMap.zero_padded(5, 8, 2, coded=True)
    x = torch.randn(3, 5, 6, 6)
    expected = torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 2))
    assert torch.equal(shortcut(x), expected)
    assert not list(shortcut.parameters()) and not shortcut.state_dict()
    q, scale = shortcut.quantizer.codes(shortcut.weight)
    assert torch.equal(q.double() * scale, shortcut.weight.double())
    with pytest.raises(ValueError, match=r"source must hold -1..4, got \[5\]"):
        ChannelMap([0, 5], 5)


def test_the_default_neuron():
    """Trace of the specification: 0.6 thrice gives 0.6, 0.9, 1.05, a spike, and 0 after it."""
    lif = qp_snn().make_neuron()
    x, v, seen = torch.full((1, 1), 0.6), None, []
    for _ in range(3):
        s, v = lif.step(x, v)
        seen.append((s.item(), v.item()))
    assert [s for s, _ in seen] == [0, 0, 1]
    assert [v for _, v in seen] == pytest.approx([0.6, 0.9, 0.0])
    assert lif.step(torch.ones(1, 1))[0].item() == 0  # strict: at the threshold it does not fire


def test_residual_rows_see_time():
    torch.manual_seed(0)
    lif = LIF()
    block = Residual(torch.nn.Sequential(torch.nn.Conv2d(2, 2, 1), lif), None)
    net = Network(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), LIF(), block), timesteps=4)
    x = torch.randn(2, 3, 4, 4)
    run = net.unroll(x)
    stem = net.layers[1](net.layers[0](x).expand(4, 2, 2, 4, 4))
    inner = lif(block.body[0](stem.flatten(0, 1)).unflatten(0, (4, 2)))
    assert torch.equal(run.outputs, inner + stem)
    assert list(run.spikes) == ["1", "2.body.1"] and torch.equal(run.spikes["2.body.1"], inner)
    torch.testing.assert_close(net(x), run.outputs.mean(0))
    static = Network(
        torch.nn.Sequential(Residual(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1)))), timesteps=2
    )
    assert torch.equal(static(x), static.layers[0].body(x) + x)
    assert static.unroll(x).outputs.shape == (2, 2, 3, 4, 4)
    mixed = Residual(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), LIF()))
    assert Network(torch.nn.Sequential(mixed), timesteps=2).unroll(x).outputs.shape == (2, 2, 3, 4, 4)
    hidden = torch.nn.Sequential(Residual(torch.nn.Sequential(torch.nn.Sequential(LIF()))))
    with pytest.raises(ValueError, match=r"layer '0.body.0' \(Sequential\) hides a neuron"):
        Network(hidden, timesteps=2)


@pytest.mark.parametrize(
    "scheme", [qp_snn(2), q_snn(4), q_snn(2, form="tanh", alpha=None)], ids=["qp2", "q4", "q2"]
)
def test_a_network_learns(scheme):
    """Two patterns, eight layers, sixty steps: quantised from the start, the loss falls."""
    torch.manual_seed(0)
    net = vggsnn(2, scheme=scheme, width=1 / 16, size=16, timesteps=2)
    labels = torch.arange(32) % 2
    signs = (labels * 2.0 - 1).view(-1, 1, 1, 1)
    x = torch.randn(32, 2, 16, 16) * 0.5 + signs * torch.randn(2, 1, 16)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for step in range(60):
        anneal(net, step, 60)
        run = net.train().unroll(x)
        loss = dual_regulation_loss(run.outputs, run.spikes, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10]), losses


def test_rates_go_to_one_half_where_the_loss_says_so():
    torch.manual_seed(0)
    net = resnet19(2, scheme=q_snn(4), width=1 / 32)
    x = torch.randn(8, 3, 8, 8)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    before = rate_loss(net.unroll(x).spikes).item()
    for _ in range(20):
        optimiser.zero_grad()
        rate_loss(net.unroll(x).spikes).backward()
        optimiser.step()
    assert rate_loss(net.unroll(x).spikes).item() < 0.5 * before


def test_a_scheme_is_applied_to_a_trained_network():
    torch.manual_seed(5)
    parent = resnet20(3, width=1 / 16, preprocess=PIXELS)
    small = keep_channels(parent, {"block1_1.body.conv1": [1, 3, 4]})
    for scheme in (qp_snn(4), qp_snn(2, ends="int8"), q_snn(4), float_snn()):
        made = resnet20(3, width=1 / 16, scheme=scheme)
        made.load_state_dict(parent.state_dict())
        applied = scheme.applied(parent)
        x = torch.randn(2, 3, 8, 8)
        assert torch.equal(applied.eval()(x), made.eval()(x)) and applied.preprocess == PIXELS
        coded = [m.coded for m in applied.modules() if isinstance(m, ChannelMap)]
        assert coded == [scheme.hidden is not None] * 3
        assert scheme.applied(small).layers.block1_1.body.conv1.out_channels == 3
    assert all(m.quantizer is None for m in parent.modules() if hasattr(m, "quantizer"))
    plain = Network(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), LIF()), timesteps=1)
    with pytest.raises(ValueError, match="'0': expected a Conv2d of snncore"):
        float_snn().applied(plain)


def test_wrong_arguments():
    for call, why in (
        (lambda: vgg16(compress_rate=[0.5] * 11), "compress_rate must have 12 entries, got 11"),
        (lambda: vgg16(compress_rate=[0.5] * 11 + [1.0]), "rates must lie in 0..1 and below 1, got 1.0"),
        (lambda: vgg16(width=1 / 64, compress_rate=[0.5] * 12), "leaves none of the 1 channels of layer 1"),
        (lambda: vgg16(channels=[8] * 13, compress_rate=[0.5] * 12), "not both"),
        (lambda: vgg16(size=40), "size must be a multiple of 32, got 40"),
        (lambda: vgg16(width=0), "width must be above 0"),
        (lambda: vggsnn(pool="median"), "pool must be"),
        (lambda: resnet20(compress_rate=[0.1] * 5), "12 entries or more, got 5"),
        (lambda: resnet20(channels=([1, 2], [3] * 9)), "channels of stem and stages must have 4 entries"),
        (lambda: resnet19(channels=[8, 0, 8]), "channels must be whole numbers from 1, got 0"),
        (lambda: sew_resnet18(channels=[8, 8, 8, 8, 2.5]), "whole numbers from 1, got 2.5"),
        (lambda: vggsnn(0), "classes must be at least 1, got 0"),
        (lambda: qp_snn(4, ends="int4"), "ends must be 'float' or 'int8'"),
        (lambda: qp_snn(3), r"bits must be one of \(1, 2, 4, 8\), got 3"),
        (lambda: qp_snn("4"), "bits must be one of .*, got '4'"),
        (lambda: vgg16(compress_rate=[-0.1] * 12), "rates must lie in 0..1 and below 1, got -0.1"),
        (lambda: vgg16(compress_rate=["half"] * 12), "rates must lie in 0..1 and below 1, got 'half'"),
        (lambda: vgg16(compress_rate=0.5), "compress_rate must have 12 entries, got 0.5"),
    ):
        with pytest.raises(ValueError, match=why):
            call()


def test_rasters_have_the_same_names_in_both():
    torch.manual_seed(0)
    net = resnet20(3, scheme=qp_snn(4, ends="int8"), width=1 / 32, preprocess={**PIXELS, "size": [8, 8]})
    names = [n["name"] for n in nodes(snncore.from_torch(net, torch.zeros(1, 3, 8, 8))) if n["op"] == "lif"]
    assert names == list(net.spikes(torch.zeros(1, 3, 8, 8)))
    assert names[:3] == ["lif", "block1_1.body.lif1", "lif1_1"]


def nodes(model):
    import json

    return json.loads(model._core.document())["graph"]["nodes"]


def test_pixels_of_a_map_are_never_rounded():
    """A zero-padded shortcut adds one threshold's worth of current exactly, whatever is beside it."""
    torch.manual_seed(3)
    net = resnet20(3, scheme=qp_snn(4, ends="int8"), width=1 / 16, preprocess={**PIXELS, "size": [8, 8]})
    settle(net, net.normalise(torch.from_numpy(images(8, 8))))
    m = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    from snncore.reference.run import read

    file = read(m.to_bytes())
    found = 0
    for node in file.document["graph"]["nodes"]:
        if node["op"] != "requant" or "M.1" not in node["tensors"]:
            continue
        factor, shift = (file.tensors[node["tensors"][role]] for role in ("M.1", "n"))
        np.testing.assert_array_equal((factor * 64).numpy(), 4096 << shift.numpy())
        found += 1
    assert found == 3
