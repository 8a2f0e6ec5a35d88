"""The saccadic neuron of SNN-ViT: counts of spikes to patches that are looked at, in float64.

Source: Wang et al., "Spiking Vision Transformer with Saccadic Attention", ICLR 2025 (arXiv 2502.12677),
equations 8 and 11. There is no membrane and no reset: one lower-triangular matrix mixes the steps, then a
threshold of its own at each of them.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor

Mode = Literal["v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic"]

#: The modes that weigh the steps before, and those that scale q by the counts of K.
JOINT: Final = ("v1_joint", "v2_joint_static")
SCALED: Final = ("v1_joint", "v2_dec_dynamic")


def saccade(
    q: Tensor, kappa: Tensor | None, *, mode: Mode, threshold: Tensor, mix: Tensor | None = None
) -> Tensor:
    """Spikes int64 ``[T, N, h, H, W]`` of counts `q` of that shape and `kappa` ``[T, N, h, 1, 1]``.

    ``threshold`` float64 [T'], T' >= T; ``mix`` float64 [T', T']. Every product and every sum is rounded
    once, in this order:

    - ``v1_joint``: ``sum_{j <= t} (mix[t, j] * kappa[j]) * q[j] >= threshold[t]``, from +0, j ascending
    - ``v2_joint_static``: ``sum_{j <= t} mix[t, j] * q[j] >= threshold[t]``
    - ``v2_dec_static``: ``q[t] >= threshold[t]``
    - ``v2_dec_dynamic``: ``q[t] * kappa[t] >= threshold[t]``
    """
    if len(q) > len(threshold):
        raise ValueError(f"saccade weighs {len(threshold)} steps, received {len(q)}")
    counts = q.double()
    scale = None if mode not in SCALED or kappa is None else kappa.double()
    spikes = []
    for t in range(len(q)):
        if mix is None:
            reached = counts[t] if scale is None else counts[t] * scale[t]
        else:
            reached = torch.zeros_like(counts[t])
            for j in range(t + 1):
                weight = mix[t, j] if scale is None else mix[t, j] * scale[j]
                reached = reached + weight * counts[j]
        spikes.append(reached >= threshold[t])
    return torch.stack(spikes).to(torch.int64)


def decoupled(mix: Tensor, threshold: Tensor) -> Tensor:
    """Thresholds w of the decoupled form: ``mix @ w = threshold``, by forward substitution in float64.

    It replaces each past count by its own threshold, so the two forms agree for every input only where `mix`
    is diagonal.
    """
    w = torch.zeros_like(threshold)
    for t in range(len(threshold)):
        w[t] = (threshold[t] - (mix[t, :t] * w[:t]).sum()) / mix[t, t]
    return w
