"""The fixed-point neuron with a synaptic current: the rule of Loihi, as Lava 0.10 models it bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

HALF = 2**23


@dataclass(frozen=True)
class CubaSteps:
    """bool spikes, int64 membranes after reset and synaptic currents; the shape of the input."""

    spikes: Tensor
    membranes: Tensor
    currents: Tensor


def cuba_lif(
    x: Tensor, *, current_decay: int, decay: int, input_shift: int, theta: Tensor, bias: Tensor
) -> CubaSteps:
    """Run over time from i = v = 0; `x` is int64 ``[T, N, C, ...]``, `theta` and `bias` are ``[C]``.

    ``i <- wrap(trunc(i * current_decay / 2^12) + x * 2^input_shift)``, once around into -2^23 < i <= 2^23;
    ``v <- clamp(trunc(v * decay / 2^12) + i + bias, -2^23 + 1, 2^23 - 1)``;
    a spike, and v <- 0, where ``v >= theta``.

    `lava.proc.lif.models.PyLifModelBitAcc`: current_decay = 4096 - (du + 1), decay = 4096 - dv,
    input_shift = 6, theta = (vth << 6) + 1 (there v > vth << 6), bias = bias_mant << bias_exp.
    """
    per_channel = (-1, *[1] * (x.dim() - 3))
    theta, bias = theta.view(per_channel), bias.view(per_channel)
    i, v = torch.zeros_like(x[0]), torch.zeros_like(x[0])
    spikes, membranes, currents = [], [], []
    for current in x:
        i = _toward_zero(i * current_decay) + current * 2**input_shift
        i = torch.where(i > HALF, i - 2 * HALF, torch.where(i <= -HALF, i + 2 * HALF, i))
        v = (_toward_zero(v * decay) + i + bias).clamp(1 - HALF, HALF - 1)
        spike = v >= theta
        v = torch.where(spike, 0, v)
        spikes.append(spike)
        membranes.append(v)
        currents.append(i)
    return CubaSteps(torch.stack(spikes), torch.stack(membranes), torch.stack(currents))


def _toward_zero(product: Tensor) -> Tensor:
    return torch.div(product, 4096, rounding_mode="trunc")
