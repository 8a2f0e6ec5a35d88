"""The weight quantisers' formulas, written once for NumPy (compression) and torch (training).

ReScaW is the quantiser of Wei et al., "QP-SNN", ICLR 2025 (arXiv 2502.05905), equations 9-10. With
``s = 2^bits - 1`` and a rescaling coefficient ``gamma``::

    u     = round(s/2 * (clamp(W / gamma, -1, 1) + 1))      0..s, float32, half to even
    W_hat = gamma * (2 u / s - 1) = delta * m,   m = 2 u - s (odd),   delta = gamma / s

At one bit the code is ``u = [W >= 0]``. Files hold ``q = u - 2^(bits-1)``, so ``m = 2 q + 1``.

Symmetric is the usual quantiser around zero: ``q = round(W / scale)``, ``scale = max|W| / (2^(bits-1) - 1)``.

Rows are float32 [groups, weights that share one scale]; `xp` is the module `numpy` or `torch` that they
belong to. Both round half to even, so equal rows and coefficients give equal codes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np

Gamma = Literal["mean", "max", "percentile", "one"]
Granularity = Literal["channel", "layer"]

#: Bits that each quantiser has.
RESCAW_BITS: Final = (1, 2, 4, 8)
SYMMETRIC_BITS: Final = (2, 4, 8)

# A channel of zeros has gamma 0; the smallest normal float32 keeps its codes defined (m = +1 or q = 0).
_TINY: Final = float(np.finfo(np.float32).tiny)


def _percentile(xp: Any, rows: Any) -> Any:
    low, high = (xp.quantile(rows, share, axis=1) for share in (0.01, 0.99))
    return xp.maximum(abs(low), abs(high))


#: The options for gamma, before `factor`: of magnitudes the mean (the paper's default) or the largest, or
#: the larger magnitude of the 1st and the 99th percentile; or 1, which is the quantiser without rescaling
#: (equations 4-6) that the paper compares with.
_GAMMAS: Final = MappingProxyType[str, Callable[[Any, Any], Any]](
    {
        "mean": lambda xp, rows: xp.mean(abs(rows), axis=1),
        "max": lambda xp, rows: xp.amax(abs(rows), axis=1),
        "percentile": _percentile,
        "one": lambda xp, rows: xp.ones_like(rows[:, 0]),
    }
)


def check_bits(bits: int, allowed: tuple[int, ...]) -> None:
    """Refuse a number of bits that a quantiser does not have."""
    if bits not in allowed:
        raise ValueError(f"bits must be one of {allowed}, got {bits!r}")


def rows_of(w: Any, granularity: Granularity) -> Any:
    """Give the groups that share one scale as rows: [C_out, rest], or [1, all]."""
    if granularity not in ("channel", "layer"):
        raise ValueError(f"granularity must be 'channel' or 'layer', got {granularity!r}")
    return w.reshape(w.shape[0] if granularity == "channel" else 1, -1)


def rescaw_gamma(xp: Any, rows: Any, bits: int, gamma: Gamma, factor: bool) -> Any:
    """Give the rescaling coefficient of each row, float32.

    `factor` multiplies by ``(2^bits - 1) / 2^(bits-1)``, the form of the authors' transformer code: it clips
    far fewer weights at 4 and 8 bits (16 % instead of 46 % on the end codes at 4).
    """
    if gamma not in _GAMMAS:
        raise ValueError(f"gamma must be 'mean', 'max', 'percentile' or 'one', got {gamma!r}")
    value = _GAMMAS[gamma](xp, rows)
    if factor:
        value = value * ((2**bits - 1) / 2 ** (bits - 1))
    return xp.clip(value, _TINY, None)


def rescaw_rows(xp: Any, rows: Any, bits: int, scale: Any) -> Any:
    """Give the codes q as float32: the weight is ``scale / (2^bits - 1) * (2 q + 1)``."""
    check_bits(bits, RESCAW_BITS)
    if bits == 1:
        return xp.where(rows >= 0, 0.0, -1.0)
    top = 2**bits - 1
    return xp.round((top / 2) * (xp.clip(rows / scale[:, None], -1.0, 1.0) + 1.0)) - 2 ** (bits - 1)


def symmetric_scale(xp: Any, rows: Any, bits: int) -> Any:
    """Give the scale of each row, float32: the largest magnitude gets the largest code."""
    check_bits(bits, SYMMETRIC_BITS)
    return xp.clip(xp.amax(abs(rows), axis=1) / (2 ** (bits - 1) - 1), _TINY, None)


def symmetric_rows(xp: Any, rows: Any, bits: int, scale: Any) -> Any:
    """Give the codes q as float32: the weight is ``scale * q``."""
    top = 2 ** (bits - 1) - 1
    return xp.clip(xp.round(rows / scale[:, None]), -top, top)
