"""The weight binarisers of Q-SNN and BESTformer: standardised, one bit; Q-SNN with a power-of-two scale.

For the latent weights of one output channel::

    w2   = (w - mean(w)) / std(w)               std with divisor N - 1
    s    = 2^round(log2(mean|w2|))              half to even; takes no gradient
    w_hat = s * sign(w2)                        sign(0) = +1, since a code has one bit

Only the signs and the scale survive: `w_hat` is ``s * m`` with m = +1 or -1, the codes of `odd` at 1 bit. A
channel whose weights are all equal has w2 = 0 and s = 1, and takes no gradient. BESTformer has s = 1: batch
normalisation behind every layer takes the scale.

The gradient of Q-SNN's sign is that of a tanh which grows steeper while training goes on::

    dw_hat / dw2 = s * k * t * (1 - tanh(t * w2)^2)
    t = 10^(2 e / E - 1)                        0.1 at epoch 0, towards 10 at epoch E
    k = max(1 / t, 1)

That of BESTformer's is the identity, dw_hat / dw2 = 1. In both, mean and standard deviation are
differentiated. Subtracting the mean is the weight half of the authors'
Weight-Spike Dual Regulation: it balances the two signs in each channel. Source: Wei et al., "Q-SNNs", ACM
Multimedia 2024 (arXiv 2406.13672); "Binary Event-Driven Spiking Transformer", IJCAI 2025 (arXiv 2501.05904);
and the behaviour of their public code, of which BESTformer's leaves a weight at the mean 0 where ours is +1:
`weights_at_mean` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from snncore.compress.codes import rows_of

_STEEPEST = 10.0
_FLATTEST = 0.1

Scale = Literal["power_of_two", "one"]
Gradient = Literal["tanh", "identity"]


class _Sign(torch.autograd.Function):
    """Forward: +1 or -1. Backward: the gradient of ``k * tanh(t * w)``."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, k: float, t: float) -> Tensor:
        ctx.save_for_backward(w)
        ctx.shape_of_tanh = (k, t)
        return torch.where(w >= 0, 1.0, -1.0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (w,) = ctx.saved_tensors
        k, t = ctx.shape_of_tanh
        return grad * (k * t) * (1.0 - torch.tanh(t * w).square()), None, None


def standardised(w: Tensor) -> Tensor:
    """Give each output channel mean 0 and standard deviation 1: float32 rows [C_out, rest]."""
    rows = rows_of(w.float(), "channel")
    if rows.shape[1] < 2:
        raise ValueError(f"a binary layer needs 2 weights in a channel, got the shape {tuple(w.shape)}")
    centred = rows - rows.mean(dim=1, keepdim=True)
    variance = centred.square().sum(dim=1, keepdim=True) / (rows.shape[1] - 1)
    # Rounding may leave something of a flat channel, and the square root has no gradient at 0.
    flat = (rows == rows[:, :1]).all(dim=1, keepdim=True)
    return torch.where(flat, 0.0, centred) / torch.where(flat, 1.0, variance).sqrt()


class _StraightSign(torch.autograd.Function):
    """Forward: +1 or -1. Backward: the identity."""

    @staticmethod
    def forward(ctx: Any, w: Tensor) -> Tensor:
        return torch.where(w >= 0, 1.0, -1.0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


def straight_sign(w: Tensor) -> Tensor:
    """Give +1 or -1, whose gradient is that of `w`."""
    signs: Tensor = _StraightSign.apply(w)  # type: ignore[no-untyped-call]
    return signs


def power_of_two_scale(rows: Tensor) -> Tensor:
    """Give s of standardised rows: float32 [C_out], detached; 1 for a row of zeros."""
    size = rows.detach().abs().mean(dim=1)
    return torch.where(size > 0, torch.exp2(torch.log2(size.clamp_min(1e-30)).round()), 1.0)


def _scale_of(rows: Tensor, scale: Scale) -> Tensor:
    return power_of_two_scale(rows) if scale == "power_of_two" else torch.ones(len(rows))


def binary_codes(w: Tensor, scale: Scale = "power_of_two") -> tuple[Tensor, Tensor]:
    """Return codes ``q`` (int8, 0 or -1, shape of `w`) and ``s`` (float64 [C_out]).

    The weight is ``s * (2 q + 1)``.
    """
    rows = standardised(w.detach())
    q = torch.where(rows >= 0, 0, -1).to(torch.int8)
    return q.reshape(w.shape), _scale_of(rows, scale).double()


def binary(
    w: Tensor, k: float = 1.0, t: float = 1.0, scale: Scale = "power_of_two", gradient: Gradient = "tanh"
) -> Tensor:
    """Return the binarised weight, shape and dtype of `w`; `k` and `t` shape the gradient of a tanh."""
    rows = standardised(w)
    signs: Tensor = _Sign.apply(rows, k, t) if gradient == "tanh" else straight_sign(rows)  # type: ignore[no-untyped-call]
    return (signs if scale == "one" else signs * power_of_two_scale(rows)[:, None]).view_as(w).to(w.dtype)


@dataclass
class BinaryQuantizer:
    """The binariser as the `quantizer` of a layer: Q-SNN's; BESTformer's has `scale` "one", "identity".

    `anneal` changes `k` and `t`, which a `gradient` "tanh" has, while training goes on.
    """

    k: float = 10.0
    t: float = _FLATTEST
    scale: Scale = "power_of_two"
    gradient: Gradient = "tanh"
    bits: ClassVar[int] = 1
    encoding: ClassVar[Literal["odd", "sym"]] = "odd"

    def __post_init__(self) -> None:
        for what, value, known in (("scale", self.scale, Scale), ("gradient", self.gradient, Gradient)):
            if value not in get_args(known):
                raise ValueError(f"{what} must be one of {', '.join(get_args(known))}, got {value!r}")

    def __call__(self, w: Tensor) -> Tensor:
        """Return the weight the layer computes with: shape and dtype of `w`."""
        return binary(w, self.k, self.t, self.scale, self.gradient)

    def codes(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Codes q (int8, shape of `w`) and scale (float64 [C_out])."""
        return binary_codes(w, self.scale)


@torch.no_grad()
def weights_at_mean(net: nn.Module) -> dict[str, int]:
    """Count, by binary layer, the weights exactly at the mean of their channel, where there are any.

    They become +1; code that takes ``torch.sign`` has 0 there and computes something else.
    """
    found = {}
    for name, module in net.named_modules():
        if isinstance(getattr(module, "quantizer", None), BinaryQuantizer):
            weight: Any = module.weight
            found[name] = int((standardised(weight) == 0).sum())
    return {name: count for name, count in found.items() if count}


def annealing(epoch: float, epochs: float) -> tuple[float, float]:
    """Give (k, t) of an epoch 0..epochs."""
    if not 0 <= epoch <= epochs or epochs <= 0:
        raise ValueError(f"epoch must lie in 0..{epochs} and epochs be positive, got {epoch}")
    t = float(_FLATTEST * (_STEEPEST / _FLATTEST) ** (epoch / epochs))
    return max(1.0 / t, 1.0), t


def anneal(net: nn.Module, epoch: float, epochs: float) -> None:
    """Set the estimator of every binary layer of `net` for an epoch: call it before each.

    The authors' script leaves the 1x1 convolutions of shortcuts at k = 10, t = 0.2; here they follow, too.
    """
    k, t = annealing(epoch, epochs)
    for module in net.modules():
        quantizer = getattr(module, "quantizer", None)
        if isinstance(quantizer, BinaryQuantizer):
            quantizer.k, quantizer.t = k, t
