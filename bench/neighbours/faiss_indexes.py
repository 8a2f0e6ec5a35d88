"""Indexes of faiss.

Those of codes choose candidates, which faiss's `knn_L2sqr_by_idx` ranks by exact distances, in C++ and into
arrays made before: it is the loop of `IndexRefineFlat`, which takes no index of binary codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import snncore

from .subject import (
    BEAMS,
    RERANKS,
    TABLES,
    Build,
    Built,
    File,
    Ids,
    Options,
    Rows,
    Search,
    Setting,
    key_bits_of,
    sample_of,
)

LISTS_PROBED = (1, 4, 16, 64)
#: Flipped bits of a key, and what is ranked: with two flips a million codes take long.
FLIPS = {0: RERANKS[1:], 1: RERANKS[1:], 2: (200,)}


def _faiss(o: Options) -> Any:
    import faiss

    faiss.omp_set_num_threads(o.threads)
    return faiss


class _Ranking:
    """The nearest k of each query's candidates by exact distances."""

    def __init__(self, faiss: Any, base: Rows) -> None:
        self.faiss, self.base = faiss, base
        self.ids = np.empty((0, 0), np.int64)
        self.distances = np.empty((0, 0), np.float32)

    def __call__(self, queries: Rows, candidates: Ids, k: int) -> Ids:
        shape = (len(queries), k)
        if self.ids.shape != shape:
            self.ids, self.distances = np.empty(shape, np.int64), np.empty(shape, np.float32)
        at = self.faiss.swig_ptr
        count = candidates.shape[1]
        n, dim = self.base.shape
        self.faiss.knn_L2sqr_by_idx(
            at(queries), at(self.base), at(candidates), dim, len(queries), n, count, k,
            at(self.distances), at(self.ids), count,
        )  # fmt: skip
        return self.ids


def _ranked(faiss: Any, base: Rows, codes: Callable[[Rows, int], Ids], rerank: int, **params: Any) -> Setting:
    ranking = _Ranking(faiss, base)
    return Setting(
        {**params, "rerank": rerank},
        lambda Q, k: ranking(Q, codes(Q, rerank), k),
        lambda Q: codes(Q, rerank),
    )


def _file(faiss: Any, index: Any) -> File:
    return File(
        "read", lambda path: faiss.write_index(index, path), lambda path: _searching(faiss.read_index(path))
    )


def _searching(index: Any) -> Search:
    return lambda Q, k: index.search(Q, k)[1]


def _bytes(faiss: Any, index: Any) -> int:
    binary = isinstance(index, faiss.IndexBinary)
    return len(faiss.serialize_index_binary(index) if binary else faiss.serialize_index(index))


def faiss_flat(base: Rows, o: Options) -> Built:
    faiss = _faiss(o)
    index = faiss.IndexFlatL2(base.shape[1])
    index.add(base)
    settings = iter([Setting({}, _searching(index))])
    return Built(base.nbytes, settings, always_compared=len(base), file=_file(faiss, index))


def faiss_lsh(base: Rows, o: Options) -> Built:
    faiss = _faiss(o)
    index = faiss.IndexLSH(base.shape[1], o.bits, True, False)
    index.train(sample_of(base))
    index.add(base)
    settings = (_ranked(faiss, base, lambda Q, r: index.search(Q, r)[1], rerank) for rerank in RERANKS)
    return Built(_bytes(faiss, index) + base.nbytes, settings, always_compared=len(base))


def faiss_binary(kind: str) -> Build:
    """Faiss's binary indexes on the codes of our `itq`, which none of theirs makes."""

    def build(base: Rows, o: Options) -> Built:
        faiss = _faiss(o)
        # One that keeps nothing: it only encodes.
        encoder = snncore.Index(base.shape[1], o.bits, encoder="itq", seed=o.seed, tables=0, store=None)
        encoder.fit(sample_of(base))
        index = (
            faiss.IndexBinaryFlat(o.bits)
            if kind == "flat"
            else faiss.IndexBinaryMultiHash(o.bits, TABLES, key_bits_of(base))
        )
        index.add(encoder.encode(base).view(np.uint8))

        def codes(Q: Rows, count: int) -> Ids:
            found: Ids = index.search(encoder.encode(Q).view(np.uint8), count)[1]
            return found

        def settings() -> Iterator[Setting]:
            if kind == "flat":
                yield from (_ranked(faiss, base, codes, rerank) for rerank in RERANKS)
                return
            for flips, reranks in FLIPS.items():
                index.nflip = flips  # heeded by the setting that is taken next, not by earlier ones
                yield from (_ranked(faiss, base, codes, rerank, nflip=flips) for rerank in reranks)

        size = _bytes(faiss, index) + base.nbytes
        if kind == "flat":
            return Built(size, settings(), always_compared=len(base))
        return Built(size, settings(), lambda: faiss.cvar.indexBinaryHash_stats.ndis)

    return build


def faiss_ivf(base: Rows, o: Options) -> Built:
    faiss = _faiss(o)
    lists = int(4 * len(base) ** 0.5)
    quantizer = faiss.IndexFlatL2(base.shape[1])
    index = faiss.IndexIVFFlat(quantizer, base.shape[1], lists)
    index.train(sample_of(base, 40 * lists))
    index.add(base)

    def settings() -> Iterator[Setting]:
        for probes in LISTS_PROBED:
            index.nprobe = probes
            yield Setting({"nprobe": probes}, _searching(index))

    return Built(
        _bytes(faiss, index), settings(), lambda: faiss.cvar.indexIVF_stats.ndis, file=_file(faiss, index)
    )


def faiss_hnsw(base: Rows, o: Options) -> Built:
    faiss = _faiss(o)
    index = faiss.IndexHNSWFlat(base.shape[1], 16)
    index.hnsw.efConstruction = 100
    index.add(base)

    def settings() -> Iterator[Setting]:
        for beam in BEAMS:
            index.hnsw.efSearch = beam
            yield Setting({"ef": beam}, _searching(index))

    return Built(
        _bytes(faiss, index), settings(), lambda: faiss.cvar.hnsw_stats.ndis, file=_file(faiss, index)
    )
