"""Membrane shortcuts of torch networks: int32 streams where the weights are coded, float32 sums elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import nn

import snncore
from snncore.convert.parts import parts_of
from snncore.reference import LIF, Conv2d, Linear, Network, Residual, WeightQuantizer
from snncore.reference.run import run

EIGHT = WeightQuantizer("symmetric", 8)


def conv(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, quantizer: Any = EIGHT
) -> list[nn.Module]:
    bn = nn.BatchNorm2d(outputs)
    layer = Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, quantizer=quantizer)
    return [layer, bn]


def network(last: bool, quantizer: Any, head: Any = None) -> Network:
    """A stem, two blocks with membrane shortcuts, one that halves the image, and a head."""
    torch.manual_seed(3)

    def block(inputs: int, outputs: int, stride: int) -> Residual:
        body = [
            LIF(threshold=0.5), *conv(inputs, outputs, 3, stride, quantizer),
            LIF(threshold=0.5), *conv(outputs, outputs, 3, 1, quantizer),
        ]  # fmt: skip
        bypass = None
        if stride > 1:
            bypass = nn.Sequential(LIF(threshold=0.5), *conv(inputs, outputs, 1, stride, quantizer))
        return Residual(nn.Sequential(*body), bypass)

    layers = [
        *conv(3, 8, quantizer=quantizer), block(8, 8, 1), block(8, 8, 1), block(8, 12, 2), block(12, 12, 1),
        *([LIF(threshold=0.5)] if last else []),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(12, 5, quantizer=head),
    ]  # fmt: skip
    net = Network(
        nn.Sequential(*layers), timesteps=4, preprocess={"zero_point": [120, 128, 9], "scale": 1 / 64}
    )
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.3, 1.5)
            nn.init.normal_(module.weight)  # of either sign
            nn.init.normal_(module.bias, std=0.3)
    return net.eval()


def pixels(count: int = 24) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("head", [None, EIGHT], ids=["float head", "coded head"])
def test_the_mean_of_a_stream(head: Any) -> None:
    net, images = network(False, EIGHT, head), pixels()
    model = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    ops = [node["op"] for node in parts_of(model).nodes]
    assert ops.count("residual") == 5 and ops[-2:] == ["readout", "linear"] and "add" not in ops
    agree(model, net, images)


def test_neurons_at_the_end() -> None:
    net, images = network(True, EIGHT, EIGHT), pixels()
    model = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    assert (
        sum(node["op"] == "residual" for node in parts_of(model).nodes) == 4
    )  # the last sum goes to a neuron
    agree(model, net, images)


def agree(model: snncore.Model, net: Network, images: torch.Tensor) -> None:
    """The engine is its reference, bit for bit, and the torch network up to a few spikes."""
    neurons = [n["name"] for n in parts_of(model).nodes if n["op"] == "lif"]
    got = model.run(images.numpy(), record=neurons)
    expected = run(model.to_bytes(), images.numpy(), record=neurons)
    assert np.array_equal(got.outputs, expected.outputs["logits"].numpy())
    ours = model.stream(batch=len(images))
    for _ in range(4):
        logits = ours.step(images.numpy())
    assert np.array_equal(logits, got.outputs)
    with torch.no_grad():
        spikes, logits = net.spikes(net.normalise(images)), net(net.normalise(images)).numpy()
    shares = []
    for name, theirs in zip(neurons, spikes.values(), strict=True):
        mine = got.spikes[name].numpy()
        assert np.array_equal(mine, expected.spikes[name].numpy()), name
        shares.append(float((mine == (theirs.numpy() != 0)).mean()))
    assert min(shares) > 0.99, shares
    assert np.abs(logits - got.outputs).max() < 0.1 * np.abs(logits).max()


def test_float_stays_float() -> None:
    net, images = network(False, None), pixels()
    model = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    ops = [node["op"] for node in parts_of(model).nodes]
    assert ops.count("add") == 4 and "residual" not in ops
    with torch.no_grad():
        expected = net(net.normalise(images)).numpy()
    np.testing.assert_allclose(model.run(images.numpy()), expected, atol=0.2)


def test_one_neuron_alone_reads_the_sum() -> None:
    """As before there were streams: a sum that one neuron reads goes straight into it."""
    body = nn.Sequential(*conv(4, 4), LIF(), *conv(4, 4))
    net = nn.Sequential(*conv(3, 4), LIF(), Residual(body), LIF(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = snncore.from_torch(net.eval(), torch.zeros(2, 1, 3, 6, 6, dtype=torch.bool))
    ops = [node["op"] for node in parts_of(model).nodes]
    assert "residual" not in ops and ops.count("requant") == 3


def test_profile_x_needs_sums() -> None:
    with pytest.raises(ValueError, match="profile X takes sums, received a stream: take profile W"):
        snncore.from_torch(network(False, EIGHT), torch.zeros(1, 3, 8, 8), profile="X")


def test_vectors() -> None:
    """A stream of features: the head reads it as it is, one value for all steps."""
    torch.manual_seed(1)
    layers = [Linear(20, 12, quantizer=EIGHT)]
    layers += [Residual(nn.Sequential(LIF(threshold=0.3), Linear(12, 12, quantizer=EIGHT))) for _ in range(2)]
    net = nn.Sequential(*layers, Linear(12, 3)).eval()
    x = torch.rand(4, 8, 20) < 0.5
    model = snncore.from_torch(net, torch.zeros(4, 1, 20, dtype=torch.bool))
    assert [n["op"] for n in parts_of(model).nodes][-2:] == ["readout", "linear"]
    got = model.run(x.numpy(), layout="TNC")
    assert np.array_equal(got, run(model.to_bytes(), x.numpy(), "TNC").outputs["logits"].numpy())
    with torch.no_grad():
        value = x.float()
        for layer in net:
            if isinstance(layer, Residual):
                neuron, weights = layer.body
                value = value + weights(neuron(value))
            else:
                value = layer(value)
    np.testing.assert_allclose(got, value.mean(0).numpy(), atol=0.05)
