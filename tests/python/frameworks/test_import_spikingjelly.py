"""Whole SpikingJelly networks: converted, and compared spike by spike with SpikingJelly's own run."""

from __future__ import annotations

import pytest
import torch
from frameworks.networks import check, dyadic, images
from torch import nn

pytest.importorskip("spikingjelly")
from spikingjelly.activation_based import functional, layer, neuron, surrogate

import snncore


def cnn(make, mode="m"):
    net = nn.Sequential(
        layer.Conv2d(3, 8, 3, padding=1, bias=False), layer.BatchNorm2d(8), make(), layer.MaxPool2d(2),
        layer.Conv2d(8, 12, 3, padding=1), make(), layer.AvgPool2d(2),
        layer.Flatten(), layer.Linear(12 * 4, 20), make(), layer.Linear(20, 10), make(),
    )  # fmt: skip
    functional.set_step_mode(net, mode)
    return dyadic(net, gain=2.2)


NEURONS = [
    neuron.IFNode,
    neuron.LIFNode,
    lambda: neuron.LIFNode(v_reset=None),
    lambda: neuron.LIFNode(decay_input=False, v_threshold=0.75),
    lambda: neuron.IFNode(v_reset=None),
    lambda: neuron.ParametricLIFNode(init_tau=2.0),
    lambda: neuron.LIFNode(v_reset=-0.25),
]


@pytest.mark.parametrize("make", NEURONS)
@pytest.mark.parametrize("mode", ["m", "s"])
def test_cnn(make, mode):
    net = cnn(make, mode)
    x = images(5, 3, (3, 8, 8))
    check(snncore.from_spikingjelly(net, x), net, x)


def dyadic_psn(module):
    for parameter in module.parameters():
        torch.manual_seed(7)
        parameter.data = torch.round(torch.randn(parameter.shape) * 8) / 8
    return module


@pytest.mark.parametrize(
    "make",
    [
        lambda: neuron.PSN(5),
        lambda: neuron.MaskedPSN(k=2, T=5, lambda_init=1.0, step_mode="m"),
        lambda: neuron.MaskedPSN(k=3, T=5, lambda_init=0.5, step_mode="m"),
        lambda: neuron.SlidingPSN(k=3, step_mode="m"),
    ],
)
def test_parallel_neurons(make):
    net = cnn(neuron.IFNode)
    net[5], net[11] = dyadic_psn(make()), dyadic_psn(make())
    x = images(5, 3, (3, 8, 8))
    model = snncore.from_spikingjelly(net, x)
    assert [layer.neuron for layer in model.layers if layer.neuron].count("psn") == 2
    check(model, net, x)


def test_one_frame_for_all_steps():
    net = cnn(neuron.LIFNode, "s")
    x = images(None, 4, (3, 8, 8))
    model = snncore.from_spikingjelly(net, x, timesteps=4)
    assert model.timesteps == 4
    check(model, net, x)


class Sew(nn.Module):
    """A SEW block: the spikes of two layers, added to the block's input."""

    def __init__(self):
        super().__init__()
        self.conv1 = layer.SeqToANNContainer(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        self.sn1 = neuron.IFNode(step_mode="m")
        self.conv2 = layer.SeqToANNContainer(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        self.sn2 = neuron.IFNode(step_mode="m")

    def forward(self, x):
        return self.sn2(self.conv2(self.sn1(self.conv1(x)))) + x


class SewNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = layer.Conv2d(2, 6, 3, padding=1, step_mode="m")
        self.sn = neuron.LIFNode(step_mode="m")
        self.block1, self.block2 = Sew(), Sew()
        self.pool = layer.AdaptiveAvgPool2d(1, step_mode="m")
        self.head = layer.Linear(6, 5, step_mode="m")

    def forward(self, x):
        x = self.block2(self.block1(self.sn(self.stem(x))))
        return self.head(self.pool(x).flatten(2)).mean(0)


def test_sew_resnet_blocks():
    net = dyadic(SewNet())
    x = images(4, 2, (2, 8, 8))
    check(snncore.from_spikingjelly(net, x), net, x)


def test_what_is_not_known_is_named():
    net = nn.Sequential(layer.Linear(4, 4), neuron.QIFNode(), neuron.EIFNode())
    with pytest.raises(snncore.Error, match=r"1 \(QIFNode\): unknown to snncore; 2 \(EIFNode\)"):
        snncore.from_spikingjelly(net, torch.zeros(2, 1, 4))
    with pytest.raises(ValueError, match="timesteps is not given"):
        snncore.from_spikingjelly(nn.Sequential(layer.Linear(4, 4), neuron.IFNode()), torch.zeros(1, 4))
    with pytest.raises(ValueError, match=r"does not run on an example of shape \[1, 5\]"):
        snncore.from_spikingjelly(nn.Sequential(layer.Linear(4, 4), neuron.IFNode()), torch.zeros(2, 1, 5))


def test_state_is_left_reset():
    net = cnn(neuron.LIFNode)
    x = images(3, 1, (3, 8, 8))
    net(x)
    model = snncore.from_spikingjelly(net, x)
    first = snncore.verify(model, net, x.numpy())
    assert first.equal and snncore.verify(model, net, x.numpy()).equal
    assert all(not isinstance(m.v, torch.Tensor) for m in net.modules() if isinstance(m, neuron.LIFNode))


def test_step_modes_that_differ():
    net = nn.Sequential(layer.Linear(4, 4), neuron.IFNode(), layer.Linear(4, 4), neuron.IFNode())
    functional.set_step_mode(net, "m")
    net[1].step_mode = "s"
    with pytest.raises(ValueError, match="neurons of one step mode, but '1' has 's' and '3' has 'm'"):
        snncore.from_spikingjelly(net, torch.zeros(2, 1, 4))


def test_surrogates_that_give_no_spikes():
    net = nn.Sequential(layer.Linear(4, 4), neuron.IFNode(surrogate_function=surrogate.ATan(spiking=False)))
    with pytest.raises(snncore.Error, match=r"1 \(IFNode\): needs a surrogate_function with spiking=True"):
        snncore.from_spikingjelly(net, torch.zeros(2, 1, 4))


@pytest.mark.parametrize("mode", ["s", "m"])
def test_one_of_several_steps_or_samples_is_no_output(mode):
    class Picked(nn.Sequential):
        def forward(self, x):
            return super().forward(x)[0]

    net = Picked(layer.Linear(4, 4), neuron.IFNode())
    functional.set_step_mode(net, mode)
    with pytest.raises(snncore.Error, match=r"getitem \(getitem\): unknown to snncore"):
        snncore.from_spikingjelly(net, torch.zeros(3, 2, 4))
