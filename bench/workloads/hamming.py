"""W6: exact Hamming top-10, 1,000 queries or one on a million codes of 256 bits: random, or clustered.

With one query `snncore-read` is the time that reading the codes takes. Clustered codes lie around a thousand
centres, one bit in ten flipped, and so do the queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import snncore
from harness import Call, Case, Options, Subject
from peer_runners import ours, subjects

K, CENTRES = 10, 1000
Equal = Callable[[np.ndarray, np.ndarray], bool]


def cases(name: str, options: Options) -> Iterator[Case]:
    codes = "-clustered" if options.clustered else ""
    queries = "" if options.queries == 1000 else f"-q{options.queries}"
    yield Case(name, f"k{K}-{options.bits}{codes}{queries}", None, _subjects(options))


def _subjects(options: Options) -> list[Subject]:
    count, queries = (3000, 20) if options.quick else (1_000_000, 1000)
    queries = min(queries, options.queries)
    rng = np.random.default_rng(0)
    make = _clustered if options.clustered else _random
    base, asked = make(rng, count, queries, options.bits // 8)
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
    if queries == 1:
        found.append(_read(base, options.bits))
    return found + subjects("search_ops", "all_subjects", base, asked, K, equal)


def _random(rng: np.random.Generator, count: int, queries: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    base = rng.integers(0, 256, (count, width), dtype=np.uint8)
    return base, rng.integers(0, 256, (queries, width), dtype=np.uint8)


def _clustered(
    rng: np.random.Generator, count: int, queries: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    centres = rng.integers(0, 256, (CENTRES, width), dtype=np.uint8)
    both = np.empty((count + queries, width), np.uint8)
    for first in range(0, len(both), 10_000):
        part = both[first : first + 10_000]
        noise = np.packbits(rng.random((len(part), 8 * width), dtype=np.float32) < 0.1, axis=1)
        part[:] = centres[rng.integers(0, CENTRES, len(part))] ^ noise
    return both[:count], both[count:]


def _distances(codes: np.ndarray, query: np.ndarray) -> np.ndarray:
    return np.bitwise_count(codes ^ query).sum(axis=-1, dtype=np.int64)


def _nearest(base: np.ndarray, query: np.ndarray) -> np.ndarray:
    return np.sort(np.partition(_distances(base, query), K)[:K])


def _read(base: np.ndarray, bits: int) -> Subject:
    """Counting the bits of all codes, in one thread: one query can be no faster than reading them."""
    codes = snncore.BitTensor.from_words(base.view(np.uint64), (len(base), bits))
    total = int(np.bitwise_count(base).sum(dtype=np.int64))
    return Subject("snncore-read", lambda threads: codes.popcount, lambda y: int(y) == total)


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
