"""W4: (Q K^T) V with binary Q, K and V, T = 4, 8 heads, 48 wide, no soft-max, exact integers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import snncore
from harness import Call, Case, Options, Subject
from peer_runners import ours, subjects
from workloads.data import STEPS, spikes

HEADS, WIDTH = 8, 48


def cases(name: str, options: Options) -> Iterator[Case]:
    for density in options.densities:
        yield Case(name, "attention", density, _subjects(density, options))


def _subjects(density: int, options: Options) -> list[Subject]:
    shape = (STEPS, 1, HEADS, options.tokens, WIDTH)
    q, k, v = (spikes(shape, density, seed) for seed in range(3))
    wide_q, wide_k, wide_v = (x.astype(np.float32) for x in (q, k, v))
    expected = wide_q @ (wide_k.swapaxes(-1, -2) @ wide_v)
    found = [_ours(q, k, v, expected, packing) for packing in ("outside", "inside")]
    found += subjects("attention_ops", "torch_subjects", q, k, v, expected)
    return found + subjects("attention_ops", "onnx_subjects", q, k, v, expected)


def _ours(q: np.ndarray, k: np.ndarray, v: np.ndarray, expected: np.ndarray, packing: str) -> Subject:
    bits = [snncore.pack(x) for x in (q, k, v)]

    def prepare(threads: int) -> Call:
        attention = ours.function("attention", threads)
        if packing == "outside":
            return lambda: attention(*bits)
        return lambda: attention(*(snncore.pack(x) for x in (q, k, v)))

    return Subject("snncore", prepare, lambda y: bool(np.array_equal(y, expected)), packing)
