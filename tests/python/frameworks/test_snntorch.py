"""snnTorch's own modules against the reference."""

from __future__ import annotations

import itertools

import pytest
import torch
from frameworks import against

snntorch = pytest.importorskip("snntorch")

from snncore.presets import snntorch as preset

MECHANISMS = ["subtract", "zero", "none"]


def walk(module, x, states):
    """Step by step; `states` counts what the module returns beside its spikes, the membrane last."""
    values = [torch.zeros_like(x[0]) for _ in range(states)]
    steps = []
    for now in x:
        out, *values = module(now, *values)
        steps.append((out, values[-1], values[0]))
    outs, vs, currents = (torch.stack(s).detach() for s in zip(*steps, strict=True))
    return outs, vs, currents if states == 2 else None


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("snntorch") == preset.VERSION


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("delay", [True, False])
def test_leaky(mechanism, delay):
    def framework(x, beta, th):
        module = snntorch.Leaky(beta, th, reset_mechanism=mechanism, reset_delay=delay)
        return walk(module, x, 1)

    against.check(
        [
            (preset.leaky(b, th, mechanism, delay), lambda x, b=b, th=th: framework(x, b, th))
            for b, th in itertools.product([0.5, 0.9, 1.0, 1.5], [1.0, 0.6])
        ]
    )


def test_leaky_with_a_beta_and_a_threshold_for_each_neuron():
    rng = torch.Generator().manual_seed(1)
    beta = torch.rand(against.NEURONS, generator=rng)
    th = torch.rand(against.NEURONS, generator=rng) + 0.25
    for x in against.inputs(2):
        answer = walk(snntorch.Leaky(beta, th), x, 1)
        against.compare(preset.leaky(beta.numpy(), th.numpy()), x, answer)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_rleaky_without_recurrence(mechanism):
    def framework(x, beta, th):
        module = snntorch.RLeaky(beta, V=0.0, all_to_all=False, threshold=th, reset_mechanism=mechanism)
        return walk_rleaky(module, x)

    def walk_rleaky(module, x):
        spikes = mem = torch.zeros_like(x[0])
        outs, vs = [], []
        for now in x:
            spikes, mem = module(now, spikes, mem)
            outs.append(spikes.detach())
            vs.append(mem.detach())
        return torch.stack(outs), torch.stack(vs), None

    against.check(
        [
            (preset.rleaky(b, th, mechanism), lambda x, b=b, th=th: framework(x, b, th))
            for b, th in itertools.product([0.5, 0.9], [1.0, 0.6])
        ]
    )


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("delay", [True, False])
def test_synaptic(mechanism, delay):
    def framework(x, alpha, beta, th):
        module = snntorch.Synaptic(alpha, beta, th, reset_mechanism=mechanism, reset_delay=delay)
        return walk(module, x, 2)

    against.check(
        [
            (
                preset.synaptic(a, b, th, mechanism, delay),
                lambda x, a=a, b=b, th=th: framework(x, a, b, th),
            )
            for a, b, th in itertools.product([0.5, 0.8], [0.5, 0.9], [1.0, 0.6])
        ]
    )


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_lapicque(mechanism):
    cases = []
    for beta, th, dt in itertools.product([0.5, 0.9], [0.5, 0.3], [1.0, 2.0]):
        module = snntorch.Lapicque(beta, time_step=torch.tensor(dt), threshold=th, reset_mechanism=mechanism)
        n = preset.lapicque(module.R.item(), module.C.item(), dt, th, mechanism)
        cases.append((n, lambda x, m=module: walk(m, x, 1)))
    # 1 / C is no dyadic number: the threshold is hit where it is itself such a number.
    module = snntorch.Lapicque(R=1.0, C=2.0, threshold=0.5, reset_mechanism=mechanism)
    cases.append((preset.lapicque(1.0, 2.0, 1.0, 0.5, mechanism), lambda x: walk(module, x, 1)))
    against.check(cases)
