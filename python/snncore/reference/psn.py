"""Parallel spiking neurons: a weighted sum over time instead of a membrane, and no reset.

For inputs ``x[0..T-1]``, with sums in float32 from +0 in ascending order of the steps, then the bias::

    h[t] = sum_j weight[t, j] * x[j] + bias[t]        s[t] = 1 if h[t] >= 0 else 0

A masked neuron is one whose weights are zero outside a band. A sliding neuron has one row of k weights, the
last of which meets the present: ``h[t] = sum_j weight[j] * x[t - k + 1 + j] + bias``, without the steps
before 0. Only that one needs no look ahead.

Source: Fang et al., "Parallel Spiking Neurons", NeurIPS 2023 (arXiv 2304.12760).
"""

from __future__ import annotations

import torch
from torch import Tensor


def parallel(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Run inputs [T, N, ...] with weights [T, T] and biases [T]: (spikes, h), both like `x`."""
    rows = []
    for row, offset in zip(weight, bias.flatten(), strict=True):
        h = torch.zeros_like(x[0])
        for factor, now in zip(row, x, strict=True):
            h = h + factor * now
        rows.append(h + offset)
    h = torch.stack(rows)
    return (h >= 0).float(), h


def band(weight: Tensor, k: int) -> Tensor:
    """Return weights [T, T] that see the present and the k - 1 steps before it."""
    return torch.tril(torch.triu(weight, -(k - 1)))


def sliding(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Run inputs [T, N, ...] with weights [k] and one bias: (spikes, h), both like `x`."""
    k, rows = len(weight), []
    for t in range(len(x)):
        h = torch.zeros_like(x[0])
        for j in range(max(0, k - 1 - t), k):
            h = h + weight[j] * x[t - k + 1 + j]
        rows.append(h + bias)
    h = torch.stack(rows)
    return (h >= 0).float(), h
