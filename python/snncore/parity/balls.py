"""Numbers with a bound on their error: what float32 may make of an expression, in any order of its sums.

A `Ball` is a value computed in float64 and a radius. An operation adds to the radius what one rounding to
float32 can do, ``u = 2^-24`` of the result's size, so every float32 evaluation of the same expression, fused
or not, ends within the radius. A sum of n products in any order ends within ``gamma(n)`` times the sum of
their sizes (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: One rounding to float32, relative; a little more than 2^-24, for what float64 itself rounds.
U = 2.0**-24 * (1 + 2.0**-20)
#: One rounding below the smallest normal float32.
TINY = 2.0**-149

#: What a term of a sum may be rounded by beside the additions: product, folding of a batch norm, cast.
FOLDED = 3
#: Roundings of a term in ``(x - mean) / sqrt(var + eps) * gamma + beta``, however it is arranged.
BATCH_NORM = 8


def gamma(n: Any) -> Any:
    """Bound n roundings, relative: ``n u / (1 - n u)``."""
    return n * U / (1 - n * U)


@dataclass(frozen=True)
class Ball:
    """`mid` and `rad`, float64 tensors of one shape; ``|x - mid| <= rad`` for every float32 evaluation."""

    mid: Tensor
    rad: Tensor

    @classmethod
    def exact(cls, values: Any) -> Ball:
        """Wrap values that both sides hold, bit for bit."""
        mid = torch.as_tensor(values).double()
        return cls(mid, torch.zeros_like(mid))

    @property
    def size(self) -> Tensor:
        """The largest absolute value inside."""
        return self.mid.abs() + self.rad

    def map(self, moved: Callable[[Tensor], Tensor]) -> Ball:
        """Rearrange or pick elements."""
        return Ball(moved(self.mid), moved(self.rad))

    def __add__(self, other: Any) -> Ball:
        b = _ball(other)
        return _rounded(self.mid + b.mid, self.rad + b.rad)

    def __sub__(self, other: Any) -> Ball:
        b = _ball(other)
        return _rounded(self.mid - b.mid, self.rad + b.rad)

    def __mul__(self, other: Any) -> Ball:
        b = _ball(other)
        return _rounded(self.mid * b.mid, self.size * b.rad + b.mid.abs() * self.rad)

    def __truediv__(self, other: Any) -> Ball:
        b = _ball(other)
        least = b.mid.abs() - b.rad
        rad = (self.mid.abs() * b.rad + b.mid.abs() * self.rad) / (b.mid.abs() * least)
        return _rounded(self.mid / b.mid, torch.where(least > 0, rad, torch.inf))

    def at_least(self, floor: Ball) -> Ball:
        """Give ``max(self, floor)``, which no rounding touches."""
        return Ball(torch.maximum(self.mid, floor.mid), torch.maximum(self.rad, floor.rad))


def _ball(value: Any) -> Ball:
    return value if isinstance(value, Ball) else Ball.exact(value)


def _rounded(mid: Tensor, rad: Tensor) -> Ball:
    return Ball(mid, rad + U * (mid.abs() + rad) + TINY)


def weighted(
    x: Ball, weight: Tensor, bias: Tensor | None, product: Callable[[Tensor, Tensor], Tensor]
) -> Ball:
    """Sum products and a bias, in any order; `product(x, weight)` is the linear map.

    The radius is ``gamma(n + 3) * (sum |w| |x| + |b|)`` for the n terms that are not zero: adding a zero
    rounds nothing.
    """
    w = weight.double()
    mid, size = product(x.mid, w), product(x.size, w.abs())
    terms = product((x.size > 0).double(), (w != 0).double())
    if bias is not None:
        b = bias.double().view(-1, *[1] * (2 if mid.dim() == 4 else 0))
        mid, size, terms = mid + b, size + b.abs(), terms + 1
    return Ball(mid, product(x.rad, w.abs()) + gamma(terms + FOLDED) * size)


def batch_normed(x: Ball, bn: Any) -> Ball:
    """Apply a batch norm with running statistics to [N, C, ...], folded into the layer before it or not."""
    shape = (1, -1, *[1] * (x.mid.dim() - 2))
    mean, var = bn.running_mean.double(), bn.running_var.double()
    scale = 1 / torch.sqrt(var + bn.eps)
    scale = (scale if bn.weight is None else scale * bn.weight.double()).view(shape)
    shift = (torch.zeros_like(mean) if bn.bias is None else bn.bias.double()).view(shape)
    moved = mean.view(shape) * scale
    size = x.size * scale.abs() + moved.abs() + shift.abs()
    return Ball(x.mid * scale - moved + shift, x.rad * scale.abs() + gamma(BATCH_NORM) * size)
