"""Float32 arithmetic on parameters, as the frameworks do it before the first step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def f32(value: ArrayLike) -> Floats:
    """Round to float32."""
    return np.asarray(value, dtype=np.float32)


def product(a: ArrayLike, b: ArrayLike) -> Floats:
    """Multiply in float32."""
    return f32(f32(a) * f32(b))


def one_minus(value: ArrayLike) -> Floats:
    """Subtract from one in float32."""
    return f32(np.float32(1) - f32(value))


def unit(value: ArrayLike) -> Floats:
    """Clamp to 0..1."""
    return f32(np.clip(f32(value), 0, 1))


def decay_of(time: ArrayLike, dt: ArrayLike = 1.0) -> Floats:
    """Give exp(-dt / time), rounded once; torch's own float32 exp may end one bit beside it."""
    return f32(np.exp(-f32(dt).astype(np.float64) / f32(time)))
