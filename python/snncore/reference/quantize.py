"""Weight quantisers for training: float weights to integer codes, with a straight-through gradient.

The formulas of `rescaw` and `symmetric` are those of `snncore.compress.codes`.

The fake-quantised weights are ``float32(delta * m)`` (or ``float32(scale * q)``) with the product taken in
float64, so they are exactly what the codes and scales say.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snncore.compress import codes
from snncore.compress.codes import Gamma, Granularity, rows_of

Ste = Literal["code", "paper"]


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


def rescaw_gamma(
    w: Tensor,
    bits: int,
    gamma: Gamma = "mean",
    granularity: Granularity = "channel",
    factor: bool = False,
) -> Tensor:
    """Return the rescaling coefficient, float32 [C_out] or [1], detached: `codes.rescaw_gamma`."""
    scale: Tensor = codes.rescaw_gamma(torch, rows_of(w.detach().float(), granularity), bits, gamma, factor)
    return scale


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
    codes.check_bits(bits, codes.RESCAW_BITS)
    scale = rescaw_gamma(w, bits, gamma, granularity, factor)
    q = codes.rescaw_rows(torch, rows_of(w.detach().float(), granularity), bits, scale)
    return q.to(torch.int8).reshape(w.shape), scale.double() / (2**bits - 1)


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
    quantised = (rows_of(q, granularity).double().mul_(2.0).add_(1.0) * delta[:, None]).float()
    scale = rescaw_gamma(w, bits, gamma, granularity, factor)
    if ste == "code":
        gain = (1.0 / scale).reshape(-1, *[1] * (w.dim() - 1))
    elif ste == "paper":
        gain = (rows_of(w.detach(), granularity).abs() <= scale[:, None]).to(w.dtype).view_as(w)
    else:
        raise ValueError(f"ste must be 'code' or 'paper', got {ste!r}")
    return _straight_through(w, quantised, gain)


def symmetric_codes(w: Tensor, bits: int = 8, granularity: Granularity = "layer") -> tuple[Tensor, Tensor]:
    """Return codes ``q`` (int8, shape of `w`, |q| < 2^(bits-1)) and ``scale`` (float64, [C_out] or [1]).

    The weight is ``scale * q``.
    """
    rows = rows_of(w.detach().float(), granularity)
    scale = codes.symmetric_scale(torch, rows, bits)
    q = codes.symmetric_rows(torch, rows, bits, scale)
    return q.to(torch.int8).reshape(w.shape), scale.double()


def symmetric(w: Tensor, bits: int = 8, granularity: Granularity = "layer") -> Tensor:
    """Return the symmetric fake-quantised weight, float32, shape of `w`; the gradient passes unchanged."""
    q, scale = symmetric_codes(w, bits, granularity)
    return _straight_through(w, (rows_of(q, granularity).double() * scale[:, None]).float())
