"""SpikingJelly's parallel neurons against the reference.

They hand the sum over time to a matrix product, which adds in an order of its own: on dyadic weights, where
every order is exact, all spikes are equal; on others a spike may differ only where h is within rounding of 0.
"""

from __future__ import annotations

import pytest
import torch
from frameworks import against

pytest.importorskip("spikingjelly")
from spikingjelly.activation_based import neuron

from snncore.reference import psn

T = against.STEPS


def compare(ours, theirs, x, weight):
    spikes, h = ours
    differ = spikes != theirs.detach().reshape(spikes.shape)
    bound = T * 2.0**-23 * (weight.abs().max() * x.abs().sum(0) + 1)
    assert (h.abs() <= bound)[differ].all()
    return differ


def weights(shape, dyadic, seed):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return torch.round(values * 8) / 8 if dyadic else values


@pytest.mark.parametrize("kind", ["parallel", "masked", "sliding"])
def test_psn(kind):
    for dyadic, x in zip((True, False), against.inputs(8), strict=True):
        if kind == "sliding":
            module = neuron.SlidingPSN(k=4, step_mode="m")
            module.weight.data, module.bias.data = weights((4,), dyadic, 1), torch.tensor(-0.5)
            weight = module.weight.detach()
            ours = psn.sliding(x, weight, module.bias.detach())
        else:
            module = (
                neuron.PSN(T)
                if kind == "parallel"
                else neuron.MaskedPSN(k=3, T=T, lambda_init=1.0, step_mode="m")
            )
            module.weight.data, module.bias.data = weights((T, T), dyadic, 2), weights((T, 1), dyadic, 3)
            weight = module.weight.detach()
            if kind == "masked":
                weight = psn.band(weight, 3)
            ours = psn.parallel(x, weight, module.bias.detach())
        differ = compare(ours, module(x), x, weight)
        assert differ.numel() >= 1000
        assert 0 < ours[0].mean() < 1
        if dyadic:
            assert not differ.any()
            assert (ours[1] == 0).any()


def test_sliding_step_by_step():
    x = next(iter(against.inputs(9)))
    module = neuron.SlidingPSN(k=4, step_mode="s")
    module.weight.data = weights((4,), True, 4)
    outs = torch.stack([module(now) for now in x])
    assert torch.equal(outs.detach(), psn.sliding(x, module.weight.detach(), module.bias.detach())[0])
