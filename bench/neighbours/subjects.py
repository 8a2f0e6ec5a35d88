"""Indexes to compare: each is built once and searched with several settings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import snncore

Ids = NDArray[np.int64]
Search = Callable[[NDArray[np.float32], int], Ids]


class Built(NamedTuple):
    bytes: int
    settings: Iterator[tuple[dict[str, Any], Search]]
    candidates: Callable[[], int] = lambda: 0  # compared since it was built


class Options(NamedTuple):
    bits: int
    threads: int
    seed: int


def exact_of(base: NDArray[np.float32], queries: NDArray[np.float32], lists: Ids, k: int) -> Ids:
    """Rank what a peer's codes chose by exact distances; -1 is no neighbour."""
    found = np.full((len(queries), k), -1, np.int64)
    for q, ids in enumerate(lists):
        ids = ids[ids >= 0]
        d = ((base[ids] - queries[q]) ** 2).sum(1)
        order = np.argsort(d, kind="stable")[:k]
        found[q, : len(order)] = ids[order]
    return found


def ours(encoder: str, plan: str) -> Callable[[NDArray[np.float32], Options], Built]:
    def build(base: NDArray[np.float32], o: Options) -> Built:
        tables = 0 if plan == "scan" else None
        index = snncore.Index(
            base.shape[1],
            o.bits,
            "l2",
            encoder,
            o.seed,
            tables=tables,
            key_bits=min(16, int(np.log2(len(base))) - 3),
            store="f32",
        )
        sample = base[np.linspace(0, len(base) - 1, min(len(base), 100_000)).astype(int)]
        index.fit(sample)
        index.add(None, base)

        def settings() -> Iterator[tuple[dict[str, Any], Search]]:
            for asymmetric in (False, True):
                for rerank in (20, 50, 100, 200, 500):
                    for probes in (1, 4, 16, 64) if plan == "multi_table" else (1,):
                        given: dict[str, Any] = {"rerank": rerank, "asymmetric": asymmetric}
                        if plan == "multi_table":
                            given["probes"] = probes
                        yield (
                            given,
                            lambda Q, k, g=given: index.search(Q, k, plan=plan, threads=o.threads, **g)[0],
                        )

        return Built(index.stats().total_bytes, settings(), lambda: index.stats().candidates)

    return build


def _faiss(o: Options) -> Any:
    import faiss

    faiss.omp_set_num_threads(o.threads)
    return faiss


def _faiss_bytes(faiss: Any, index: Any) -> int:
    binary = isinstance(index, faiss.IndexBinary)
    return len(faiss.serialize_index_binary(index) if binary else faiss.serialize_index(index))


def faiss_flat(base: NDArray[np.float32], o: Options) -> Built:
    faiss = _faiss(o)
    index = faiss.IndexFlatL2(base.shape[1])
    index.add(base)
    return Built(base.nbytes, iter([({}, lambda Q, k: index.search(Q, k)[1])]))


def faiss_lsh(base: NDArray[np.float32], o: Options) -> Built:
    faiss = _faiss(o)
    index = faiss.IndexLSH(base.shape[1], o.bits, True, False)
    index.train(base[:100_000])
    index.add(base)

    def settings() -> Iterator[tuple[dict[str, Any], Search]]:
        for rerank in (20, 50, 100, 200, 500, 1000):
            yield (
                {"rerank": rerank},
                lambda Q, k, r=rerank: exact_of(base, Q, index.search(Q, r)[1], k),
            )

    return Built(_faiss_bytes(faiss, index) + base.nbytes, settings())


def _our_codes(base: NDArray[np.float32], o: Options) -> tuple[Any, Callable[[Any], NDArray[np.uint8]]]:
    encoder = snncore.encoders.fit("itq", base[:100_000], o.bits, seed=o.seed)

    def codes(rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(encoder.encode(rows)._core.words()).view(np.uint8)

    return encoder, codes


def faiss_binary(kind: str) -> Callable[[NDArray[np.float32], Options], Built]:
    """Faiss's binary indexes on the codes of our `itq`, which none of theirs makes."""

    def build(base: NDArray[np.float32], o: Options) -> Built:
        faiss = _faiss(o)
        _, codes = _our_codes(base, o)
        index = faiss.IndexBinaryFlat(o.bits) if kind == "flat" else faiss.IndexBinaryMultiHash(o.bits, 8, 16)
        index.add(codes(base))

        def settings() -> Iterator[tuple[dict[str, Any], Search]]:
            for flips in (0,) if kind == "flat" else (0, 1, 2):
                for rerank in (20, 50, 100, 200, 500):
                    given = {"rerank": rerank} | ({} if kind == "flat" else {"nflip": flips})

                    def search(Q: Any, k: int, r: int = rerank, f: int = flips) -> Ids:
                        if kind != "flat":
                            index.nflip = f
                        return exact_of(base, Q, index.search(codes(Q), r)[1], k)

                    yield given, search

        size = len(base) * o.bits // 8 if kind == "flat" else _faiss_bytes(faiss, index)
        return Built(size + base.nbytes, settings())

    return build


def faiss_ivf(base: NDArray[np.float32], o: Options) -> Built:
    faiss = _faiss(o)
    lists = int(4 * len(base) ** 0.5)
    quantizer = faiss.IndexFlatL2(base.shape[1])
    index = faiss.IndexIVFFlat(quantizer, base.shape[1], lists)
    index.train(base[: 40 * lists])
    index.add(base)

    def settings() -> Iterator[tuple[dict[str, Any], Search]]:
        for probes in (1, 4, 16, 64):

            def search(Q: Any, k: int, p: int = probes) -> Ids:
                index.nprobe = p
                return index.search(Q, k)[1]

            yield {"nprobe": probes}, search

    return Built(_faiss_bytes(faiss, index), settings())


def faiss_hnsw(base: NDArray[np.float32], o: Options) -> Built:
    faiss = _faiss(o)
    index = faiss.IndexHNSWFlat(base.shape[1], 16)
    index.hnsw.efConstruction = 100
    index.add(base)

    def settings() -> Iterator[tuple[dict[str, Any], Search]]:
        for ef in (10, 20, 40, 80, 160):

            def search(Q: Any, k: int, e: int = ef) -> Ids:
                index.hnsw.efSearch = e
                return index.search(Q, k)[1]

            yield {"ef": ef}, search

    return Built(_faiss_bytes(faiss, index), settings())


def hnswlib(base: NDArray[np.float32], o: Options) -> Built:
    import hnswlib as library

    index = library.Index("l2", base.shape[1])
    index.init_index(len(base), M=16, ef_construction=100, random_seed=o.seed)
    index.set_num_threads(o.threads)
    index.add_items(base)

    def settings() -> Iterator[tuple[dict[str, Any], Search]]:
        for ef in (10, 20, 40, 80, 160):

            def search(Q: Any, k: int, e: int = ef) -> Ids:
                index.set_ef(e)
                return index.knn_query(Q, k)[0].astype(np.int64)

            yield {"ef": ef}, search

    return Built(_file_bytes(index.save_index), settings())


def usearch(base: NDArray[np.float32], o: Options) -> Built:
    from usearch.index import Index

    index = Index(ndim=base.shape[1], metric="l2sq", dtype="f32", connectivity=16, expansion_add=100)
    index.add(np.arange(len(base)), base, threads=o.threads)

    def settings() -> Iterator[tuple[dict[str, Any], Search]]:
        for ef in (10, 20, 40, 80, 160):

            def search(Q: Any, k: int, e: int = ef) -> Ids:
                index.expansion_search = e
                return index.search(Q, k, threads=o.threads).keys.reshape(len(Q), -1).astype(np.int64)

            yield {"ef": ef}, search

    return Built(_file_bytes(index.save), settings())


def _file_bytes(save: Callable[[str], Any]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        save(str(path))
        return path.stat().st_size


SUBJECTS: dict[str, Callable[[NDArray[np.float32], Options], Built]] = {
    "snncore-srp-scan": ours("srp", "scan"),
    "snncore-itq-scan": ours("itq", "scan"),
    "snncore-srp-multi_table": ours("srp", "multi_table"),
    "snncore-itq-multi_table": ours("itq", "multi_table"),
    "snncore-mlp-scan": ours("mlp", "scan"),
    "faiss-flat": faiss_flat,
    "faiss-lsh": faiss_lsh,
    "faiss-binaryflat": faiss_binary("flat"),
    "faiss-multihash": faiss_binary("multihash"),
    "faiss-ivf": faiss_ivf,
    "faiss-hnsw": faiss_hnsw,
    "hnswlib": hnswlib,
    "usearch": usearch,
}
