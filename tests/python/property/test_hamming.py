"""`hamming_topk` and `BinaryIndex` against sorting all distances."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from snncore import BinaryIndex, functional, pack
from snncore.reference.hamming import hamming_topk

BITS = st.one_of(st.integers(1, 130), st.integers(1, 1100), st.sampled_from([8, 63, 64, 65, 256, 1024]))
COUNTS = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 128]), st.integers(1, 700))


@st.composite
def problems(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Queries and codes: random, near each other, all zeros or ones, or many times the same."""
    bits, count, queries = draw(BITS), draw(COUNTS), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    centre = rng.random(bits) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    flips = st.sampled_from([0.0, 0.01, 0.1, 0.5])
    codes = centre ^ (rng.random((count, bits)) < draw(flips))
    if draw(st.booleans()):
        codes = codes[rng.integers(0, max(1, count // 4), count)]
    return centre ^ (rng.random((queries, bits)) < draw(flips)), codes


def expected(queries: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    ids, distances = hamming_topk(torch.from_numpy(queries), torch.from_numpy(codes), k)
    return ids.numpy(), distances.numpy()


def same(found: tuple[np.ndarray, np.ndarray], wanted: tuple[np.ndarray, np.ndarray]) -> None:
    assert found[0].dtype == np.int64
    assert found[1].dtype == np.int32
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_array_equal(found[0], wanted[0])


@given(problems(), st.integers(1, 200), st.integers(1, 3))
def test_hamming_topk(problem: tuple[np.ndarray, np.ndarray], k: int, threads: int) -> None:
    queries, codes = problem
    wanted = expected(queries, codes, k)
    same(functional.hamming_topk(queries, codes, k, threads=threads), wanted)
    same(functional.hamming_topk(pack(queries), pack(codes, axis=0), k), wanted)


@given(problems(), st.integers(1, 50), st.data())
def test_codes_may_be_added_in_pieces(problem: tuple[np.ndarray, np.ndarray], k: int, data: Any) -> None:
    queries, codes = problem
    index = BinaryIndex(bits=codes.shape[1])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(codes)), max_size=3)))
    for piece in np.split(codes, cuts):
        index.add(piece)
    assert len(index) == len(codes)
    same(index.search(queries, k), expected(queries, codes, k))
