"""Exact Hamming search elsewhere. Slow ones take a part of the queries; their time is scaled up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, Subject
from peer_runners import subjects

Array = NDArray[Any]
#: Arguments: ids and distances, of the first queries.
Equal = Callable[[Array, Array], bool]

#: A slow subject answers this many queries of a thousand.
PART = 10


def all_subjects(base: Array, asked: Array, k: int, equal: Equal) -> list[Subject]:
    found = []
    for name in ("faiss_subjects", "usearch_subjects", "numkong_subjects", "numpy_subjects"):
        found += subjects("search_ops", name, base, asked, k, equal)
    return found


def faiss_subjects(base: Array, asked: Array, k: int, equal: Equal) -> list[Subject]:
    faiss = _package("faiss", "faiss-cpu")
    index = faiss.IndexBinaryFlat(8 * base.shape[1])
    index.add(base)

    def prepare(threads: int) -> Call:
        faiss.omp_set_num_threads(threads)
        return lambda: index.search(asked, k)

    return [Subject("faiss", prepare, lambda y: equal(y[1], y[0]))]


def usearch_subjects(base: Array, asked: Array, k: int, equal: Equal) -> list[Subject]:
    index = _package("usearch.index", "usearch")
    some = asked[:PART]

    def prepare(threads: int) -> Call:
        metric = index.MetricKind.Hamming
        return lambda: index.search(base, some, k, metric, exact=True, threads=threads)

    def right(matches: Any) -> bool:
        return equal(*np.atleast_2d(np.asarray(matches.keys), np.asarray(matches.distances)))

    return [Subject("usearch", prepare, right, scale=len(asked) / len(some))]


def numkong_subjects(base: Array, asked: Array, k: int, equal: Equal) -> list[Subject]:
    from peer_runners.numkong_ops import numkong, one_thread

    some = asked[:PART]
    packed = numkong.hammings_pack(base, dtype="uint1")

    def prepare(threads: int) -> Call:
        one_thread(threads)
        return lambda: _nearest(np.asarray(numkong.hammings_packed(some, packed)), k)

    return [Subject("numkong", prepare, lambda y: equal(*y), scale=len(asked) / len(some))]


def numpy_subjects(base: Array, asked: Array, k: int, equal: Equal) -> list[Subject]:
    some, words = asked[:PART], base.view(np.uint64)

    def call() -> tuple[Array, Array]:
        counts = [np.bitwise_count(words ^ q).sum(axis=1, dtype=np.uint16) for q in some.view(np.uint64)]
        return _nearest(np.stack(counts), k)

    return [Subject("numpy", lambda threads: call, lambda y: equal(*y), scale=len(asked) / len(some))]


def _nearest(distances: Array, k: int) -> tuple[Array, Array]:
    ids = np.argpartition(distances, k, axis=1)[:, :k]
    found = np.take_along_axis(distances, ids, axis=1)
    order = np.argsort(found, axis=1, kind="stable")
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(found, order, axis=1)


def _package(name: str, distribution: str) -> Any:
    import importlib

    from harness import MissingError

    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise MissingError(f"{distribution} is not installed") from problem
