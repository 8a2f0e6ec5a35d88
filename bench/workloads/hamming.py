"""W6: exact Hamming top-10, 1,000 queries on a million random codes of 256 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import snncore
from harness import Call, Case, Options, Subject
from peer_runners import ours, subjects

K = 10
Equal = Callable[[np.ndarray, np.ndarray], bool]


def cases(name: str, options: Options) -> Iterator[Case]:
    yield Case(name, f"k{K}-{options.bits}", None, _subjects(options))


def _subjects(options: Options) -> list[Subject]:
    count, queries = (3000, 20) if options.quick else (1_000_000, 1000)
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (count, options.bits // 8), dtype=np.uint8)
    asked = rng.integers(0, 256, (queries, options.bits // 8), dtype=np.uint8)
    # 32 queries are checked against a full sort; the rest of an answer by its own distances.
    checked = np.arange(min(32, queries))
    truth = np.stack([_nearest(base, q) for q in asked[checked]])

    def equal(ids: np.ndarray, distances: np.ndarray) -> bool:
        """Distances are those of the nearest; ids are at these distances, whichever of a tie was taken."""
        ids, distances = np.asarray(ids, np.int64), np.asarray(distances, np.int64)
        real = np.stack([_distances(base[row], q) for row, q in zip(ids, asked, strict=False)])
        return bool(
            np.array_equal(real, distances) and np.array_equal(distances[: len(truth)], truth[: len(ids)])
        )

    found = [_ours(base, asked, options.bits, equal, packing) for packing in ("outside", "inside")]
    return found + subjects("search_ops", "all_subjects", base, asked, K, equal)


def _distances(codes: np.ndarray, query: np.ndarray) -> np.ndarray:
    return np.bitwise_count(codes ^ query).sum(axis=-1, dtype=np.int64)


def _nearest(base: np.ndarray, query: np.ndarray) -> np.ndarray:
    return np.sort(np.partition(_distances(base, query), K)[:K])


def _ours(base: np.ndarray, asked: np.ndarray, bits: int, equal: Equal, packing: str) -> Subject:
    """Outside: codes in an index, queries packed. Inside: both laid out anew in every call."""

    def packed(codes: np.ndarray) -> snncore.BitTensor:
        return snncore.BitTensor.from_words(codes.view(np.uint64), (len(codes), bits))

    codes, queries = packed(base), packed(asked)

    def outside(threads: int) -> Call:
        if not hasattr(snncore, "BinaryIndex"):
            topk = ours.function("hamming_topk", threads)
            return lambda: topk(queries, codes, K)
        index = snncore.BinaryIndex(bits)
        index.add(codes)
        return lambda: index.search(queries, K, threads=threads)

    def inside(threads: int) -> Call:
        unpacked = np.unpackbits(asked, axis=1, bitorder="little")
        topk = ours.function("hamming_topk", threads)
        return lambda: topk(snncore.pack(unpacked), codes, K)

    return Subject("snncore", outside if packing == "outside" else inside, lambda y: equal(*y), packing)
