"""Attention products against their definitions: any packed axis, any order."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

from snncore import functional, pack
from snncore.reference import ops

SHAPES = st.tuples(
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 4), st.integers(1, 200), st.integers(1, 130)
)
SEEDS = st.integers(0, 2**32 - 1)
DENSITIES = st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])
ORDERS = st.sampled_from(["auto", "kv_first", "qk_first"])
AXES = st.sampled_from([None, -1, -2])


def spikes(rng: np.random.Generator, shape: tuple[int, ...], density: float) -> np.ndarray:
    return rng.random(shape) < density


def given_as(x: np.ndarray, axis: int | None) -> Any:
    return x if axis is None else pack(x, axis=axis)


def tensor(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x.astype(np.int64))


@given(SEEDS, SHAPES, DENSITIES, ORDERS, st.tuples(AXES, AXES, AXES), st.sampled_from([1, 2, 3]))
def test_attention(
    seed: int, shape: tuple[int, ...], density: float, order: Any, axes: tuple[Any, ...], threads: int
) -> None:
    rng = np.random.default_rng(seed)
    q, k, v = (spikes(rng, shape, density) for _ in range(3))
    packed = [given_as(x, axis) for x, axis in zip((q, k, v), axes, strict=True)]
    y = functional.attention(*packed, order=order, threads=threads)
    assert y.dtype == np.int32
    equal(y, ops.attention(tensor(q), tensor(k), tensor(v)), "attention")


@given(SEEDS, SHAPES, DENSITIES, st.data(), st.tuples(AXES, AXES), st.sampled_from([1, 3]))
def test_attention_map(
    seed: int, shape: tuple[int, ...], density: float, data: Any, axes: tuple[Any, ...], threads: int
) -> None:
    rng = np.random.default_rng(seed)
    q, k, v = (spikes(rng, shape, density) for _ in range(3))
    threshold = data.draw(st.integers(-1, shape[-1] + 1), "threshold")
    bits = functional.attention_map(given_as(q, axes[0]), given_as(k, axes[1]), threshold, threads=threads)
    expected = ops.attention_map(tensor(q), tensor(k), threshold)
    assert bits.shape == (*shape[:-1], shape[-2])
    equal(bits.numpy(), expected, "map")
    y = functional.attention_apply(bits, given_as(v, axes[1]), threads=threads)
    equal(y, ops.attention_apply(expected, tensor(v)), "applied")
    again = functional.attention_apply(pack(bits.numpy(), axis=-2), v)
    equal(again, ops.attention_apply(expected, tensor(v)), "applied, packed otherwise")


@given(SEEDS, st.integers(1, 3), st.integers(1, 20), st.integers(1, 20))
def test_the_reference_is_the_sum_it_says(seed: int, heads: int, tokens: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    q, k, v = (spikes(rng, (heads, tokens, dim), 0.4).astype(np.int64) for _ in range(3))
    expected = np.zeros((heads, tokens, dim), np.int64)
    for n in range(tokens):
        for m in range(tokens):
            score = (q[:, n] * k[:, m]).sum(axis=1)
            expected[:, n] += score[:, None] * v[:, m]
    equal(ops.attention(*(torch.tensor(x) for x in (q, k, v))).numpy(), torch.tensor(expected), "reference")


@pytest.mark.parametrize(("tokens", "dim"), [(1100, 70), (70, 1100), (300, 513), (65535, 3)])
def test_counts_that_need_wide_sums(tokens: int, dim: int) -> None:
    q, k, v = (np.ones((1, tokens, dim), np.bool_) for _ in range(3))
    q[0, tokens // 2] = False
    expected = np.where(q, tokens * dim, 0)
    for order in ("kv_first", "qk_first") if tokens < 65535 else ("kv_first",):
        y = functional.attention(q, k, v, order=order)
        np.testing.assert_array_equal(y, expected)
