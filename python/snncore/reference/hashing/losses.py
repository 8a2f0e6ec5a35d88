"""What hash networks are trained on.

`neighbour_loss`: of a batch of anchors, each with one of its neighbours, every anchor is to find its own
neighbour among those of all. With H = tanh(alpha z), B bits and N rows::

    CE(softmax over j of tau * h_i . h_p(j) / B, i)
      + balance      * |mean of h|^2                  bits are set as often as not,
      + decorrelate  * |H^T H / N - I|_F^2 / B        say different things,
      + quantise     * mean of (|h| - 1)^2            and are sure

`imitation_loss`: the teacher's values before their floor ("e2lsh": mean square), or its signs ("srp": cross
entropy weighted by the distance to the plane, since bits near it do not matter).
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

TAU, BALANCE, DECORRELATE, QUANTISE = 10.0, 0.1, 0.1, 0.01


def neighbour_loss(anchors: Tensor, neighbours: Tensor, alpha: float, tau: float = TAU) -> Tensor:
    """Loss of the logits [N, B] of anchors and of one neighbour of each."""
    h, p = torch.tanh(alpha * anchors), torch.tanh(alpha * neighbours)
    bits = h.shape[1]
    found = F.cross_entropy(tau * h @ p.T / bits, torch.arange(len(h)))
    both = torch.cat([h, p])
    correlation = both.T @ both / len(both) - torch.eye(bits)
    return (
        found
        + BALANCE * both.mean(0).square().sum()
        + DECORRELATE * correlation.square().sum() / bits
        + QUANTISE * (both.abs() - 1).square().mean()
    )


def imitation_loss(outputs: Tensor, targets: Tensor, target: Literal["e2lsh", "srp"]) -> Tensor:
    """Loss of outputs [N, functions] against the teacher's values, standardised for "e2lsh"."""
    if target == "e2lsh":
        return F.mse_loss(outputs, targets)
    weight = targets.abs() / targets.abs().mean()
    return F.binary_cross_entropy_with_logits(outputs, (targets >= 0).float(), weight)
