"""Random spikes and weights, and what follows from them in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]

STEPS = 4


def spikes(shape: tuple[int, ...], density: int, seed: int = 0) -> NDArray[np.uint8]:
    """Bytes 0 and 1."""
    rng = np.random.default_rng(seed)
    return (rng.random(shape, dtype=np.float32) < density / 100).astype(np.uint8)


def weights(shape: tuple[int, ...], variant: str) -> tuple[NDArray[np.int8], dict[str, Any]]:
    """Values of the weights, and the arguments of `GraphBuilder.conv2d` and `linear` that say so."""
    rng = np.random.default_rng(1)
    if variant == "w1":
        codes = rng.integers(-1, 1, shape).astype(np.int8)
        return 2 * codes + 1, {"weight": codes, "encoding": "odd", "bits": 1, "scale": 1.0}
    bits = 8 if variant == "w8" else 4
    most = 2 ** (bits - 1) - 1
    codes = rng.integers(-most, most + 1, shape).astype(np.int8)
    if variant == "w4-pruned90":
        codes[np.random.default_rng(2).random(shape) < 0.9] = 0
    return codes, {"weight": codes, "encoding": "sym", "bits": bits, "scale": 1.0}


def conv_sums(x: Array, w: Array) -> NDArray[np.float32]:
    """Convolve [T, H, W, C] with [K, C, 3, 3], padding 1: [T, H, W, K], exact below 2^24."""
    padded = np.pad(x.astype(np.float32), ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))  # T H W C 3 3
    patches = windows.reshape(-1, w[0].size)
    sums: NDArray[np.float32] = patches @ w.reshape(len(w), -1).astype(np.float32).T
    return sums.reshape(*x.shape[:3], len(w))


def threshold(sums: Array) -> int:
    """Choose a threshold at which about a quarter of the neurons fire."""
    return max(1, round(float(sums.std())))


def lif_spikes(currents: Array, theta: float, floor: bool = True) -> NDArray[np.bool_]:
    """Neurons over the first axis: decay 1/2 (rounded down), reset to zero."""
    v = np.zeros(currents.shape[1:], currents.dtype)
    fired = np.zeros(currents.shape, bool)
    for t, current in enumerate(currents):
        h = (np.floor(v / 2) if floor else v / 2) + current
        fired[t] = h >= theta
        v = np.where(fired[t], 0, h)
    return fired
