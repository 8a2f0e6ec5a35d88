"""Small networks for tests, and the same arithmetic in NumPy, written from docs/format.md."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import snncore

STEPS = 4


def codes(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """All codes of the encoding `odd`."""
    return rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape).astype(np.int8)


def image_net(timesteps: int = STEPS, layout: str | None = None) -> snncore.Model:
    """Pixels [3, 8, 8], conv 8 bit, lif, conv 4 bit, lif, max-pool, linear 4 bit, mean: 5 logits."""
    rng = np.random.default_rng(1)
    b = snncore.GraphBuilder()
    x = b.input("image", "u8", [3, 8, 8], zero_point=[120, 128, 110], scale=1 / 64, layout=layout)
    stem = codes(rng, (8, 3, 3, 3), 8)
    x = b.conv2d("stem", x, stem, encoding="odd", bits=8, scale=rng.uniform(0.001, 0.003, 8), padding=1)
    x = b.lif("stem.lif", x)
    block = codes(rng, (10, 8, 3, 3), 4)
    x = b.conv2d(
        "block", x, block, encoding="odd", bits=4, scale=[0.02], bias=rng.normal(0, 0.1, 10), padding=1
    )
    x = b.lif("block.lif", x, reset="subtract")
    x = b.flatten("flat", b.maxpool2d("pool", x, 2))
    x = b.linear(
        "head", x, codes(rng, (5, 160), 4), encoding="odd", bits=4, scale=[0.01], bias=rng.normal(0, 1, 5)
    )
    b.output("logits", b.readout("mean", x))
    return b.build(
        timesteps,
        labels=["ant", "bee", "cat", "dog", "elk"],
        preprocess={"size": [8, 8], "crop": "center", "color": "rgb"},
        provenance={"name": "image net"},
    )


def pixels(samples: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (samples, 3, 8, 8), dtype=np.uint8)


class VectorNet:
    """Spikes [70], linear 2 bit, requant, 9 lif, linear sym 8 bit, mean of 3: model and NumPy twin."""

    def __init__(self) -> None:
        rng = np.random.default_rng(2)
        self.q1, self.q2 = codes(rng, (9, 70), 2), rng.integers(-127, 128, (3, 9)).astype(np.int8)
        self.M, self.C, self.n = rng.integers(1, 50, 9), rng.integers(-99, 99, 9), rng.integers(0, 5, 9)
        self.theta = rng.integers(20, 300, 9)
        self.scale, self.bias = np.array([0.5, 0.25, 2.0]), np.array([1.0, -1.0, 0.0])

    def model(self, timesteps: int = STEPS) -> snncore.Model:
        b = snncore.GraphBuilder()
        x = b.input("spikes", "b1", [70])
        x = b.linear("fc1", x, self.q1, encoding="odd", bits=2, scale=1.0)
        x = b.requant("current", [x], [self.M], self.C, self.n)
        x = b.lif_int("lif", x, theta=self.theta, leak="half_floor")
        x = b.linear("fc2", x, self.q2, encoding="sym", bits=8, scale=1.0)
        b.output("y", b.readout("out", x, scale=self.scale, bias=self.bias))
        return b.build(timesteps)

    def expected(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Outputs [N, 3], spikes and membranes [T, N, 9], sums [N, 3] for spikes [T, N, 70]."""
        v = np.zeros((x.shape[1], 9), np.int64)
        sums = np.zeros((x.shape[1], 3), np.int64)
        half = np.where(self.n > 0, 1 << np.maximum(self.n - 1, 0), 0)
        spikes, membranes = [], []
        for frame in x:
            total = frame.astype(np.int64) @ (2 * self.q1.astype(np.int64) + 1).T
            current = (total * self.M + self.C + half) >> self.n
            h = np.clip((v >> 1) + np.clip(current, -32768, 32767), -32768, 32767)
            fired = h >= self.theta
            v = np.where(fired, 0, h)
            sums += fired.astype(np.int64) @ self.q2.astype(np.int64).T
            spikes.append(fired)
            membranes.append(v)
        y = (sums * self.scale / len(x) + self.bias).astype(np.float32)
        return y, np.array(spikes), np.array(membranes), sums

    @staticmethod
    def spikes(samples: int = 3, steps: int = STEPS, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).random((steps, samples, 70)) < 0.4


def two_inputs_net() -> snncore.Model:
    """An image and a vector in, logits and spikes out."""
    rng = np.random.default_rng(3)
    b = snncore.GraphBuilder()
    image = b.flatten("flat", b.input("image", "b1", [2, 4, 4]))
    first = b.linear("fc1", image, codes(rng, (6, 32), 4), encoding="odd", bits=4, scale=1.0)
    second = b.linear(
        "fc2", b.input("more", "b1", [7]), codes(rng, (6, 7), 4), encoding="odd", bits=4, scale=1.0
    )
    ones = np.ones(6, np.int32)
    current = b.requant("current", [first, second], [ones, ones], 0 * ones, 0 * ones)
    hidden = b.lif_int("lif", current, theta=20 * ones, leak="none")
    b.output("spikes", hidden)
    b.output("rate", b.readout("rates", hidden))
    return b.build(STEPS)


def conv2d(
    x: np.ndarray, w: np.ndarray, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1
) -> Any:
    """Cross-correlation of [N, C, H, W] in the dtype of its arguments."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    span = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    windows = sliding_window_view(x, span, axis=(2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation]
    parts = zip(np.split(windows, groups, axis=1), np.split(w, groups), strict=True)
    return np.concatenate([np.einsum("nchwij,ocij->nohw", part, kernels) for part, kernels in parts], axis=1)
