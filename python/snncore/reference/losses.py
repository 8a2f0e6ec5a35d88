"""What networks of quantised weights and membranes are trained with.

Weight-Spike Dual Regulation (Q-SNN) trains on the loss of each step and pulls firing rates to one half, where
a spike carries the most information::

    L   = 1/T * sum_t CE(outputs[t], labels) + weight * L_f
    L_f = mean over the inner neuron layers of (rate - 1/2)^2

A layer's rate is the share of ones in its spikes, over steps, samples and neurons. The first and the last
recorded layer are left out, so the mean is over L - 2 of them. Source: Wei et al., "Q-SNNs", ACM Multimedia
2024 (arXiv 2406.13672), and the behaviour of its public code, whose weight is 5e-3.

Rates near one half are no gift to an engine that skips what did not fire: measure before choosing this loss.

BESTformer's coupled information enhancement (CIE) gives its two heads different masters::

    L    = (1 - alpha) * CE(attention head, labels) + alpha * L_KD(MLP head, teacher)
    hard   L_KD = CE(head, argmax teacher)
    soft   L_KD = tau^2 * sum KL(softmax(teacher / tau) || softmax(head / tau)) / (samples * classes)

Source: "Binary Event-Driven Spiking Transformer", IJCAI 2025 (arXiv 2501.05904), and its public code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import Network

Distillation = Literal["hard", "soft"]


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


def cie_loss(
    heads: tuple[Tensor, Tensor],
    labels: Tensor,
    teacher: Tensor | None,
    *,
    distillation: Distillation = "hard",
    alpha: float = 0.5,
    tau: float = 1.0,
    label_smoothing: float = 0.0,
) -> Tensor:
    """CIE of two heads' logits [N, classes], each a mean over time; the second head's master is the teacher.

    `labels` are int64 [N] or shares of classes [N, classes]; `teacher` are logits [N, classes], or None: both
    heads learn from the labels.
    """
    if distillation not in get_args(Distillation):
        raise ValueError(f"distillation must be 'hard' or 'soft', got {distillation!r}")
    first, second = heads
    shapes = [list(logits.shape) for logits in (first, second, teacher) if logits is not None]
    if first.dim() != 2 or any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"expected logits [N, classes] of two heads and the teacher, got {shapes}")
    base = F.cross_entropy(first, labels, label_smoothing=label_smoothing)
    if teacher is None:
        other = F.cross_entropy(second, labels, label_smoothing=label_smoothing)
    elif distillation == "hard":
        other = F.cross_entropy(second, teacher.argmax(1))
    else:
        wanted, given = (F.log_softmax(logits / tau, dim=1) for logits in (teacher, second))
        total = F.kl_div(given, wanted, reduction="sum", log_target=True)
        other = total * (tau * tau / second.numel())
    return (1 - alpha) * base + alpha * other


@dataclass(frozen=True)
class CieLoss:
    """`cie_loss` of a network of two heads: ``loss(net, x, labels)`` asks the teacher about the same x.

    `teacher` is any module that gives logits [N, classes] of x; it must be in evaluation mode already, and
    takes no gradient.
    """

    teacher: nn.Module | None
    distillation: Distillation = "hard"
    alpha: float = 0.5
    tau: float = 1.0
    label_smoothing: float = 0.0

    def __call__(self, net: Network, x: Tensor, labels: Tensor) -> Tensor:
        """Run both and compare."""
        heads = [logits.mean(0) for logits in net.unroll(x).heads.values()]
        if len(heads) != 2:
            raise ValueError(f"CIE needs a network of two heads, got {len(heads)}")
        answers = None
        if self.teacher is not None:
            if self.teacher.training:
                raise ValueError("the teacher must be in evaluation mode: call its eval()")
            with torch.no_grad():
                answers = self.teacher(x)
        return cie_loss(
            (heads[0], heads[1]),
            labels,
            answers,
            distillation=self.distillation,
            alpha=self.alpha,
            tau=self.tau,
            label_smoothing=self.label_smoothing,
        )
