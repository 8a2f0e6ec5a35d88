"""Graphs of hnswlib and usearch, as large as faiss's: 16 links, 100 candidates while building."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .subject import BEAMS, Built, File, Ids, Options, Rows, Search, Setting

LINKS, BUILDING = 16, 100


def hnswlib(base: Rows, o: Options) -> Built:
    import hnswlib as library

    dim = base.shape[1]
    index = library.Index("l2", dim)
    index.init_index(len(base), M=LINKS, ef_construction=BUILDING, random_seed=o.seed)
    index.set_num_threads(o.threads)
    index.add_items(base)

    def searching(opened: Any) -> Search:
        return lambda Q, k: opened.knn_query(Q, k)[0].astype(np.int64)

    def settings() -> Iterator[Setting]:
        for beam in BEAMS:
            index.set_ef(beam)
            yield Setting({"ef": beam}, searching(index))

    def opened(path: str) -> Search:
        other = library.Index("l2", dim)
        other.load_index(path)
        other.set_num_threads(o.threads)
        return searching(other)

    return Built(_file_bytes(index.save_index), settings(), file=File("read", index.save_index, opened))


def usearch(base: Rows, o: Options) -> Built:
    from usearch.index import Index

    index = Index(ndim=base.shape[1], metric="l2sq", dtype="f32", connectivity=LINKS, expansion_add=BUILDING)
    index.add(np.arange(len(base)), base, threads=o.threads)
    compared = 0

    def searching(opened: Any) -> Search:
        def search(Q: Rows, k: int) -> Ids:
            nonlocal compared
            found = opened.search(Q, k, threads=o.threads)
            compared += found.computed_distances
            return found.keys.reshape(len(Q), -1).astype(np.int64)

        return search

    def settings() -> Iterator[Setting]:
        for beam in BEAMS:
            index.expansion_search = beam
            yield Setting({"ef": beam}, searching(index))

    def opened(path: str) -> Search:
        return searching(Index.restore(path, view=True))

    return Built(
        _file_bytes(index.save), settings(), lambda: compared, file=File("mapped", index.save, opened)
    )


def _file_bytes(save: Callable[[str], Any]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        save(str(path))
        return path.stat().st_size
