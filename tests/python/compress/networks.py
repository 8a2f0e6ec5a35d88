"""Small float networks; on dyadic ones every integer constant is exact, so that spikes must be the same."""

from __future__ import annotations

import numpy as np

import snncore
from snncore.neuron import Neuron

STEPS = 4


def dyadic(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Weights k / 128, |k| <= 127, whose largest magnitude in each channel is 127 / 128: 8 bits hold them."""
    w = rng.integers(-56, 60, shape)
    w.reshape(shape[0], -1)[:, 0] = 127
    return (w / 128).astype(np.float32)


def image_net(*neurons: Neuron, seed: int = 0, dtype: str = "b1", steps: int = STEPS) -> snncore.Model:
    """[2, 6, 6] to conv, neuron, max-pool, conv, neuron, flatten, linear: the mean of 5 values."""
    rng = np.random.default_rng(seed)
    first, second = neurons
    b = snncore.GraphBuilder()
    x = b.input("x", dtype, [2, 6, 6], layout="TNCHW")
    x = b.conv2d("conv1", x, dyadic(rng, 4, 2, 3, 3), bias=rng.integers(0, 9, 4) / 64, padding=1)
    x = b.maxpool2d("pool", b.neuron("n1", x, first), 2)
    x = b.conv2d("conv2", x, dyadic(rng, 6, 4, 3, 3), padding=1)
    x = b.flatten("flat", b.neuron("n2", x, second))
    x = b.linear("head", x, dyadic(rng, 5, 54), bias=rng.integers(-9, 9, 5) / 8)
    b.output("y", b.readout("y", x))
    return b.build(steps, labels=list("abcde"), provenance={"name": "dyadic"})


def spikes(
    samples: int = 16, shape: tuple[int, ...] = (2, 6, 6), steps: int = STEPS, seed: int = 1
) -> np.ndarray:
    return np.random.default_rng(seed).random((steps, samples, *shape)) < 0.4
