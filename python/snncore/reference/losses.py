"""What networks of quantised weights and membranes are trained with.

Weight-Spike Dual Regulation (Q-SNN) trains on the loss of each step and pulls firing rates to one half, where
a spike carries the most information::

    L   = 1/T * sum_t CE(outputs[t], labels) + weight * L_f
    L_f = mean over the inner neuron layers of (rate - 1/2)^2

A layer's rate is the share of ones in its spikes, over steps, samples and neurons. The first and the last
recorded layer are left out, so the mean is over L - 2 of them. Source: Wei et al., "Q-SNNs", ACM Multimedia
2024 (arXiv 2406.13672), and the behaviour of its public code, whose weight is 5e-3.

Rates near one half are no gift to an engine that skips what did not fire: measure before choosing this loss.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


def per_step_cross_entropy(outputs: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Mean over the steps of the cross entropy of `outputs` [T, N, classes] against `labels` [N]."""
    if outputs.dim() != 3 or labels.shape != outputs.shape[1:2]:
        raise ValueError(
            f"expected outputs [T, N, classes] and labels [N], got {tuple(outputs.shape)} and "
            f"{tuple(labels.shape)}"
        )
    steps = outputs.shape[0]
    # Every step has the same number of samples, so the mean of the means is the mean over all.
    return F.cross_entropy(outputs.flatten(0, 1), labels.repeat(steps), label_smoothing=label_smoothing)


def rate_loss(spikes: Mapping[str, Tensor], target: float = 0.5) -> Tensor:
    """L_f of the spikes of all neuron layers, in order, as `Network.unroll` gives them."""
    inner = list(spikes.values())[1:-1]
    if not inner:
        raise ValueError(f"rate_loss needs three neuron layers or more, got {len(spikes)}")
    return torch.stack([(layer.mean() - target) ** 2 for layer in inner]).mean()


def dual_regulation_loss(
    outputs: Tensor,
    spikes: Mapping[str, Tensor],
    labels: Tensor,
    weight: float = 5e-3,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Per-step cross entropy plus `weight` times `rate_loss`."""
    return per_step_cross_entropy(outputs, labels, label_smoothing) + weight * rate_loss(spikes)
