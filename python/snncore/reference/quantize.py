"""Weight quantisers: float weights to integer codes, with a straight-through gradient for training.

`rescaw` is the ReScaW quantiser of Wei et al., "QP-SNN", ICLR 2025 (arXiv 2502.05905), equations 9-10. With
``s = 2^bits - 1`` and a rescaling coefficient ``gamma``::

    u     = round(s/2 * (clamp(W / gamma, -1, 1) + 1))      0..s, float32, half to even
    W_hat = gamma * (2 u / s - 1) = delta * m,   m = 2 u - s (odd),   delta = gamma / s

At one bit the code is ``u = [W >= 0]``. Files hold ``q = u - 2^(bits-1)``, so ``m = 2 q + 1``.

`symmetric` is the usual quantiser around zero: ``q = round(W / scale)``, ``scale = max|W| / (2^(bits-1) -
1)``.

The fake-quantised weights are ``float32(delta * m)`` (or ``float32(scale * q)``) with the product taken in
float64, so they are exactly what the codes and scales say.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Gamma = Literal["mean", "max", "percentile"]
Granularity = Literal["channel", "layer"]
Ste = Literal["code", "paper"]

# A channel of zeros has gamma 0; the smallest normal float keeps its codes defined (m = +1 or q = 0).
_TINY = torch.finfo(torch.float32).tiny


class _StraightThrough(torch.autograd.Function):
    """Forward: the quantised weight. Backward: the gradient of the weight is ``grad * gain``."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, quantised: Tensor, gain: Tensor | None) -> Tensor:
        ctx.save_for_backward(gain)
        return quantised.view_as(w)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (gain,) = ctx.saved_tensors
        return (grad if gain is None else grad * gain), None, None


def _straight_through(w: Tensor, quantised: Tensor, gain: Tensor | None = None) -> Tensor:
    return _StraightThrough.apply(w, quantised, gain)  # type: ignore[no-any-return,no-untyped-call]


def _check_bits(bits: int, allowed: tuple[int, ...]) -> None:
    if bits not in allowed:
        raise ValueError(f"bits must be one of {allowed}, got {bits}")


def _rows(w: Tensor, granularity: Granularity) -> Tensor:
    """Return the groups that share one scale as rows: [C_out, rest] or [1, all]."""
    if granularity == "channel":
        return w.flatten(1)
    if granularity == "layer":
        return w.reshape(1, -1)
    raise ValueError(f"granularity must be 'channel' or 'layer', got {granularity!r}")


def rescaw_gamma(
    w: Tensor,
    bits: int,
    gamma: Gamma = "mean",
    granularity: Granularity = "channel",
    factor: bool = False,
) -> Tensor:
    """Return the rescaling coefficient, float32 [C_out] or [1], detached.

    ``"mean"`` is the mean of |W| (the paper's default), ``"max"`` its maximum, ``"percentile"`` the larger of
    the magnitudes of the 1st and 99th percentile. `factor` multiplies by ``(2^bits - 1) / 2^(bits-1)``, the
    form of the authors' transformer code: it clips far fewer weights at 4 and 8 bits (16 % instead of 46 % on
    the end codes at 4).
    """
    rows = _rows(w.detach().float(), granularity)
    if gamma == "mean":
        value = rows.abs().mean(dim=1)
    elif gamma == "max":
        value = rows.abs().amax(dim=1)
    elif gamma == "percentile":
        ends = torch.tensor([0.01, 0.99], dtype=rows.dtype, device=rows.device)
        value = torch.quantile(rows, ends, dim=1).abs().amax(dim=0)
    else:
        raise ValueError(f"gamma must be 'mean', 'max' or 'percentile', got {gamma!r}")
    if factor:
        value = value * ((2**bits - 1) / 2 ** (bits - 1))
    return value.clamp_min(_TINY)


def rescaw_codes(
    w: Tensor,
    bits: int,
    gamma: Gamma = "mean",
    granularity: Granularity = "channel",
    factor: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return codes ``q`` (int8, shape of `w`) and ``delta`` (float64, [C_out] or [1]).

    The weight is ``delta * (2 q + 1)``.
    """
    _check_bits(bits, (1, 2, 4, 8))
    rows = _rows(w.detach().float(), granularity)
    scale = rescaw_gamma(w, bits, gamma, granularity, factor)
    top = 2**bits - 1
    if bits == 1:
        u = (rows >= 0).float()
    else:
        u = torch.round((top / 2) * ((rows / scale[:, None]).clamp(-1.0, 1.0) + 1.0))
    q = (u - 2 ** (bits - 1)).to(torch.int8)
    return q.reshape(w.shape), scale.double() / top


def rescaw(
    w: Tensor,
    bits: int,
    gamma: Gamma = "mean",
    granularity: Granularity = "channel",
    factor: bool = False,
    ste: Ste = "code",
) -> Tensor:
    """Return the ReScaW fake-quantised weight, float32, shape of `w`, with a straight-through gradient.

    ``ste="code"`` is the authors' code: gradient ``1 / gamma`` on every weight. ``ste="paper"`` is the text:
    gradient 1 where ``|W / gamma| <= 1``, else 0. `gamma` itself takes no gradient.
    """
    q, delta = rescaw_codes(w, bits, gamma, granularity, factor)
    quantised = (_rows(q, granularity).double().mul_(2.0).add_(1.0) * delta[:, None]).float()
    scale = rescaw_gamma(w, bits, gamma, granularity, factor)
    if ste == "code":
        gain = (1.0 / scale).reshape(-1, *[1] * (w.dim() - 1))
    elif ste == "paper":
        gain = (_rows(w.detach(), granularity).abs() <= scale[:, None]).to(w.dtype).view_as(w)
    else:
        raise ValueError(f"ste must be 'code' or 'paper', got {ste!r}")
    return _straight_through(w, quantised, gain)


def symmetric_codes(w: Tensor, bits: int = 8, granularity: Granularity = "layer") -> tuple[Tensor, Tensor]:
    """Return codes ``q`` (int8, shape of `w`, |q| < 2^(bits-1)) and ``scale`` (float64, [C_out] or [1]).

    The weight is ``scale * q``.
    """
    _check_bits(bits, (2, 4, 8))
    rows = _rows(w.detach().float(), granularity)
    top = 2 ** (bits - 1) - 1
    scale = (rows.abs().amax(dim=1) / top).clamp_min(_TINY)
    q = torch.round(rows / scale[:, None]).clamp(-top, top).to(torch.int8)
    return q.reshape(w.shape), scale.double()


def symmetric(w: Tensor, bits: int = 8, granularity: Granularity = "layer") -> Tensor:
    """Return the symmetric fake-quantised weight, float32, shape of `w`; the gradient passes unchanged."""
    q, scale = symmetric_codes(w, bits, granularity)
    return _straight_through(w, (_rows(q, granularity).double() * scale[:, None]).float())
