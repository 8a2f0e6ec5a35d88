"""Whole snnTorch networks: Sequential with hidden states, one step a forward, and a loop over the steps."""

from __future__ import annotations

import pytest
import torch
from frameworks.networks import check, dyadic, images
from torch import nn

snntorch = pytest.importorskip("snntorch")

import snncore

RESETS = ["subtract", "zero"]


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("delay", [True, False])
def test_sequential(reset, delay):
    def leaky(**more):
        return snntorch.Leaky(beta=0.5, init_hidden=True, reset_mechanism=reset, reset_delay=delay, **more)

    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), leaky(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1), leaky(), nn.Flatten(), nn.Linear(8 * 16, 10), leaky(output=True),
    )  # fmt: skip
    net = dyadic(net)
    x = images(6, 3, (1, 8, 8))
    check(snncore.from_snntorch(net, x), net, x)


class Loop(nn.Module):
    """As in snnTorch's tutorials: states are made and passed on by hand."""

    def __init__(self, static):
        super().__init__()
        self.static = static
        self.fc1, self.lif1 = nn.Linear(30, 40), snntorch.Leaky(beta=0.75)
        self.fc2, self.lif2 = nn.Linear(40, 10), snntorch.Synaptic(alpha=0.5, beta=0.5)

    def forward(self, x):
        mem1 = self.lif1.init_leaky()
        syn2, mem2 = self.lif2.init_synaptic()
        spikes, membranes = [], []
        for step in range(5):
            now = x if self.static else x[step]
            spk1, mem1 = self.lif1(self.fc1(now), mem1)
            spk2, syn2, mem2 = self.lif2(self.fc2(spk1), syn2, mem2)
            spikes.append(spk2)
            membranes.append(mem2)
        return torch.stack(spikes, dim=0), torch.stack(membranes, dim=0)


@pytest.mark.parametrize("static", [True, False])
def test_a_forward_that_loops(static):
    net = dyadic(Loop(static))
    x = images(None if static else 5, 4, (30,))
    model = snncore.from_snntorch(net, x, timesteps=5)
    assert [layer.op for layer in model.layers] == ["linear", "neuron", "linear", "neuron", "readout"]
    check(model, net, x)


def test_learned_betas_and_thresholds():
    lif = snntorch.Leaky(beta=torch.rand(20) / 2 + 0.5, threshold=torch.rand(20) + 0.25, init_hidden=True)
    net = dyadic(nn.Sequential(nn.Linear(12, 20), lif))
    x = images(7, 5, (12,))
    check(snncore.from_snntorch(net, x), net, x)


@pytest.mark.parametrize("reset", RESETS)
def test_lapicque(reset):
    def lapicque():
        return snntorch.Lapicque(R=2.0, C=1.0, init_hidden=True, reset_mechanism=reset)

    net = dyadic(nn.Sequential(nn.Linear(30, 20), lapicque(), nn.Linear(20, 10), lapicque()))
    x = images(7, 3, (30,))
    check(snncore.from_snntorch(net, x), net, x)


def test_inner_modules_are_reset():
    """snntorch.utils.reset looks at the outermost modules only."""
    inner = nn.Sequential(nn.Linear(30, 20), snntorch.Leaky(0.5, init_hidden=True))
    net = dyadic(nn.Sequential(inner, nn.Linear(20, 10), snntorch.Leaky(0.5, init_hidden=True)))
    x = images(7, 3, (30,))
    net(x[0])
    check(snncore.from_snntorch(net, x), net, x)
    assert not inner[1].mem.any()


@pytest.mark.filterwarnings("ignore:Inhibition")
def test_what_is_not_known_is_named():
    net = nn.Sequential(nn.Linear(4, 4), snntorch.Leaky(0.5, init_hidden=True, inhibition=True))
    with pytest.raises(snncore.Error, match=r"from_snntorch: .* 1 \(Leaky\): needs inhibition=False"):
        snncore.from_snntorch(net, torch.zeros(2, 1, 4))
