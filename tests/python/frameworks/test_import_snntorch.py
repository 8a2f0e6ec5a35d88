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


def test_a_loop_over_one_frame_says_its_steps():
    net, x = dyadic(Loop(static=True)), images(None, 4, (30,))
    model = snncore.from_snntorch(net, x)
    assert model.timesteps == 5
    check(model, net, x)
    with pytest.raises(
        ValueError, match="from_snntorch: the module loops over 5 steps by itself, timesteps is 4"
    ):
        snncore.from_snntorch(net, x, timesteps=4)


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


class Looping(nn.Module):
    """A loop over the steps that a test gives, with a pool and a layer that come twice in a step."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.pool, self.twice, self.fc = nn.MaxPool2d(2), nn.Conv2d(4, 4, 1), nn.Linear(16, 6)
        self.lif1, self.lif2, self.lif3 = (snntorch.Leaky(beta=0.5, threshold=0.25) for _ in range(3))

    def forward(self, x):
        return self.loop(self, x)

    def step(self, x, mems):
        mem1, mem2, mem3 = mems
        spk1, mem1 = self.lif1(self.pool(self.twice(self.conv1(x))), mem1)
        spk2, mem2 = self.lif2(self.pool(self.twice(self.conv2(spk1))), mem2)
        spk3, mem3 = self.lif3(self.fc(spk2.flatten(1)), mem3)
        return spk3, (mem1, mem2, mem3)

    def rest(self):
        return tuple(lif.init_leaky() for lif in (self.lif1, self.lif2, self.lif3))


def steps(order=range, between=lambda mems: mems, rest=lambda mems: mems, give=torch.stack):
    def loop(net, x):
        mems, spikes = rest(net.rest()), []
        for step in order(len(x)):
            spk, mems = net.step(x[step], between(mems))
            spikes.append(spk)
        return give(spikes)

    return loop


ZEROS = (torch.zeros(3, 4, 4, 4), torch.zeros(3, 4, 2, 2), torch.zeros(3, 6))


@pytest.mark.parametrize(
    "loop", [steps(), steps(rest=lambda _: ZEROS), steps(give=lambda s: torch.stack(s, dim=0))]
)
def test_modules_without_state_may_come_twice_in_a_step(loop):
    x = images(5, 3, (1, 8, 8))
    net = dyadic(Looping(loop))
    check(snncore.from_snntorch(net, x), net, x)


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        (steps(between=lambda mems: tuple(m * 0.5 for m in mems)), "step 1 does not do what the first step"),
        (steps(rest=lambda mems: tuple(m + 0.25 for m in mems)), "step 1 does not do what the first step"),
        (steps(order=lambda n: reversed(range(n))), "step 4 does not do what the first step"),
        (steps(order=lambda n: [0] * n), "step 1 does not do what the first step"),
        (steps(order=lambda n: range(n - 2)), "3 of 5 steps are taken"),
        (steps(give=lambda spikes: torch.stack(spikes[::-1])), "stack"),
        (steps(give=lambda spikes: torch.stack(spikes[:2])), "stack"),
        (steps(give=lambda spikes: torch.stack(spikes, dim=1)), "stack"),
        (steps(give=lambda spikes: spikes[0]), "is of one step: return torch.stack"),
        (steps(give=lambda spikes: spikes[-1]), "is of one step: return torch.stack"),
        (steps(give=sum), "step 1 does not do what the first step"),
    ],
)
def test_loops_that_are_not_one_step_again_and_again(loop, why):
    with pytest.raises(snncore.Error, match=f"from_snntorch: .*{why}"):
        snncore.from_snntorch(dyadic(Looping(loop)), images(5, 3, (1, 8, 8)))


def test_membranes_are_no_output():
    class Membranes(Loop):
        def forward(self, x):
            return super().forward(x)[::-1]

    with pytest.raises(snncore.Error, match="is a neuron's state: return spikes"):
        snncore.from_snntorch(Membranes(static=False), images(5, 3, (30,)))


def test_spikes_that_are_none():
    net = nn.Sequential(nn.Linear(6, 4), snntorch.Leaky(beta=0.5, init_hidden=True, spike_grad=torch.sigmoid))
    with pytest.raises(snncore.Error, match=r"1 \(Leaky\): spike_grad must give 1 above 0"):
        snncore.from_snntorch(net, torch.zeros(3, 2, 6))


@pytest.mark.parametrize("static", [True, False])
def test_a_value_computed_twice_in_a_step(static):
    class Twice(Loop):
        def forward(self, x):
            mem1, (syn2, mem2), spikes = self.lif1.init_leaky(), self.lif2.init_synaptic(), []
            for step in range(5):
                now = x if static else x[step]
                self.fc1(now)
                spk1, mem1 = self.lif1(self.fc1(now), mem1)
                self.fc2(spk1)
                spk2, syn2, mem2 = self.lif2(self.fc2(spk1), syn2, mem2)
                spikes.append(spk2)
            return torch.stack(spikes)

    net = dyadic(Twice(static))
    x = images(None if static else 5, 4, (30,))
    check(snncore.from_snntorch(net, x, timesteps=5), net, x)
