"""Channels taken out: the smaller network is the large one with those channels silent."""

from __future__ import annotations

import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from qat.settled import PIXELS, images, settle  # noqa: E402

from snncore.reference import ChannelMap, Network, channel_groups, keep_channels, top_channels  # noqa: E402
from snncore.reference.networks import (  # noqa: E402
    qp_snn,
    resnet19,
    resnet20,
    sew_resnet18,
    vgg16,
    vggsnn,
)

NETS = {
    "vgg16": (vgg16, {}, (3, 32)),
    "vggsnn": (vggsnn, {"size": 16}, (2, 16)),
    "resnet20": (resnet20, {}, (3, 16)),
    "resnet19": (resnet19, {}, (3, 16)),
    "sew_resnet18": (sew_resnet18, {}, (3, 32)),
}


def made(name, **options):
    build, more, (channels, size) = NETS[name]
    torch.manual_seed(4)
    net = build(5, width=1 / 8, timesteps=2, **more, **options)
    x = torch.from_numpy(images(6, size, channels)).float() / 64 - 2
    return settle(net, x), x


def every_other(net):
    """About two thirds of the channels of every group but the last one's."""
    keep = {}
    for group in channel_groups(net)[:-1]:
        channels = net.layers.get_submodule(group[0]).out_channels
        keep[group[-1]] = [c for c in range(channels) if c % 3 != 1]
    return keep


def silenced(net, keep):
    """The dense network with a current far below 0 where a channel is to go, in all writers of its stream."""
    import copy

    net = copy.deepcopy(net)
    modules = dict(net.layers.named_modules())
    for group in channel_groups(net):
        for member in group:
            kept = next((keep[g] for g in group if g in keep), None)
            if kept is None:
                continue
            bn = modules[member.replace("conv", "bn")]
            gone = [c for c in range(bn.num_features) if c not in kept]
            with torch.no_grad():
                bn.weight[gone] = 0.0
                bn.bias[gone] = -100.0  # whatever a shortcut adds
    return net


@pytest.mark.parametrize("name", NETS)
def test_equal_to_the_dense_network_with_those_channels_silent(name):
    net, x = made(name)
    keep = every_other(net)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    small = keep_channels(net, keep)
    dense = silenced(net, keep).unroll(x)
    ours = small.unroll(x)
    torch.testing.assert_close(ours.outputs, dense.outputs, atol=1e-4, rtol=1e-4)
    assert sum(p.numel() for p in small.parameters()) < 0.6 * sum(p.numel() for p in net.parameters())
    for name_of, spikes in ours.spikes.items():  # the channels that are left, spike by spike
        assert spikes.sum() == dense.spikes[name_of].sum()
        assert spikes.shape[2] <= dense.spikes[name_of].shape[2]
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_the_smaller_network_trains_and_converts():
    net, _ = made("resnet20", scheme=qp_snn(4, ends="int8"), preprocess={**PIXELS, "size": [16, 16]})
    small = keep_channels(net, every_other(net))
    maps = [m for m in small.modules() if isinstance(m, ChannelMap)]
    assert all(m.weight.shape[1] == m.in_channels and m.quantizer is not None for m in maps)
    x = torch.from_numpy(images(6, 16))
    small.train()(small.normalise(x)).sum().backward()
    assert all(p.grad is not None for p in small.parameters())
    m = snncore.from_torch(small.eval(), torch.zeros(1, 3, 16, 16))
    assert snncore.verify(m, None, x.numpy()).equal


def test_streams_are_groups():
    groups = channel_groups(resnet20(width=1 / 32))
    assert groups[0] == ("conv",) and len(groups) == 1 + 9 + 3
    assert ("block1_1.body.conv2", "block1_2.body.conv2", "block1_3.body.conv2") in groups
    first = channel_groups(resnet19(width=1 / 32))[0]
    assert first == ("conv", "block1_1.body.conv2", "block1_2.body.conv2", "block1_3.body.conv2")
    stage2 = channel_groups(resnet19(width=1 / 32))[5]
    assert stage2[:2] == ("block2_1.body.conv2", "block2_1.shortcut.conv")


def test_the_best_channels():
    assert top_channels([3, 1, 2, 5, 4], 0.4) == [0, 3, 4]
    assert top_channels([1, 1, 1, 1], 0.5) == [0, 1]
    assert top_channels([1, 1, 1, 1], 0.5, [0.1, 0.3, 0.2, 0.3]) == [1, 3]
    assert len(top_channels(torch.rand(64), 0.1)) == 57
    for scores, rate, more, why in (
        ([1, 2], 1.0, None, "rate must lie in 0..1"),
        ([1, 2], -0.1, None, "rate must lie in 0..1"),
        ([1, 2], float("nan"), None, "rate must lie in 0..1"),
        ([1, 2], "half", None, "rate must lie in 0..1 and below 1, got 'half'"),
        ([1, 2], 0.9, None, "leaves none of 2"),
        ([float("nan")], 0.1, None, "finite numbers"),
        ([1, 2], 0.5, [1], "firing_rates must have 2 entries"),
    ):
        with pytest.raises(ValueError, match=why):
            top_channels(scores, rate, more)


def test_wrong_arguments():
    net = resnet20(width=1 / 16)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    conv2 = "block1_{}.body.conv2"
    for keep, why in (
        ({"conv9": [0]}, "keep names 'conv9'; the convolutions of this network are conv, block1_1"),
        ({"conv": []}, "'conv' must keep one channel or more"),
        ({"conv": [0, 0]}, r"must be different numbers of 0\.\.3"),
        ({"conv": [0, 4]}, r"must be different numbers of 0\.\.3"),
        ({"conv": [0.5]}, "expected a list of channel numbers, received torch.float32"),
        ({"conv": "all"}, "expected a list of channel numbers, received str"),
        ({"conv": [[0], [1]]}, "expected a list of channel numbers"),
        ({conv2.format(1): [0], conv2.format(2): [1]}, "one residual stream and must keep the same"),
    ):
        with pytest.raises(ValueError, match=why):
            keep_channels(net, keep)
    after = net.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    layers = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 3, groups=2))
    with pytest.raises(ValueError, match="'0': expected a convolution of one group, received 2"):
        channel_groups(Network(layers, timesteps=1))
    layers = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 3), torch.nn.PixelShuffle(2))
    with pytest.raises(ValueError, match=r"'1' \(PixelShuffle\): channels cannot be followed"):
        channel_groups(Network(layers, timesteps=1))


def test_a_stream_that_begins_at_the_input():
    from snncore.reference import LIF, Residual

    body = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 1), LIF(), torch.nn.Conv2d(5, 3, 1))
    net = Network(torch.nn.Sequential(Residual(body), LIF()), timesteps=2)
    assert channel_groups(net) == [("0.body.0",), ("0.body.2",)]
    assert keep_channels(net, {"0.body.0": [1, 3]}).layers[0].body[2].in_channels == 2
    with pytest.raises(ValueError, match=r"'0.body.2' is added to the input in '0'"):
        keep_channels(net, {"0.body.2": [1]})
