"""Nearest neighbours of vectors, by way of binary codes."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core, encoders
from snncore.arguments import path_text, thread_count
from snncore.bits import BitTensor, pack
from snncore.encoders import Encoder
from snncore.index_arguments import choice, in_range, integers
from snncore.index_stats import IndexStats

MetricName = Literal["l2", "cosine", "ip"]
PlanName = Literal["auto", "scan", "multi_table", "mih"]
StoreName = Literal["f32", "f16", "i8"]

KEY_BITS = 16
MOST_TABLES = 8


class Index:
    """Vectors, a binary code for each, and the nearest vectors of a query.

    Codes choose candidates, exact distances rank them. Codes, Hamming distances and the order of results are
    the same on every CPU and for any number of threads. Threads may search at the same time; whatever changes
    the index needs it for itself.

    Parameters
    ----------
    dim
        Length of a vector.
    bits
        Length of a code: a multiple of 64, 64 to 1,024.
    metric
        "l2" (Euclidean distance), "cosine" (1 - cosine) or "ip" (minus the inner product): smaller is nearer.
    encoder
        How codes are made: "srp", "itq", "mlp" (needs PyTorch to fit), "e2lsh" or "cross_polytope", which
        `fit` fits; or an `Encoder` of `snncore.encoders`, fitted to what `embed` gives.
    seed
        Of the encoder's random numbers.
    tables, key_bits
        Hash tables, and the bits of a code that are a table's key (1 to 30). Together they take at most
        `bits`; `tables` is 8, or as many as fit. With 0 tables every search scans.
    store
        How vectors are kept: "f32", "f16" (values up to 65504, below 6e-5 less exact), "i8" (bytes on a grid
        over the range that `fit` saw) or None: only codes, distances are then those of codes.
    bytes_first
        Also keep vectors as bytes, which choose whose exact distances are computed: for vectors that are
        large or not in memory.

    Raises
    ------
    ValueError
        An option out of range.

    Examples
    --------
    >>> index = snncore.Index(dim=784, bits=256, encoder="itq")
    >>> index.fit(X)
    >>> index.add(ids, X)
    >>> ids, distances = index.search(Q, k=10)
    """

    __slots__ = ("_core", "_given")

    def __init__(
        self,
        dim: int,
        bits: int = 256,
        metric: MetricName = "l2",
        encoder: str | Encoder = "itq",
        seed: int = 0,
        *,
        tables: int | None = None,
        key_bits: int = KEY_BITS,
        store: StoreName | None = "f16",
        bytes_first: bool = False,
    ) -> None:
        in_range("seed", seed, 0, 2**64 - 1)
        for name, value in (("dim", dim), ("bits", bits), ("key_bits", key_bits)):
            in_range(name, value, 1, 2**31 - 1)
        if tables is None:
            tables = min(MOST_TABLES, bits // key_bits)
        in_range("tables", tables, 0, 1024)
        self._given = None if isinstance(encoder, str) else encoder
        self._core = _core.Index(
            dim,
            bits,
            choice(_core.Metric, "metric", metric),
            encoder if isinstance(encoder, str) else encoder.kind,
            seed,
            tables,
            key_bits,
            choice(_core.Store, "store", "none" if store is None else store),
            bytes_first,
        )

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, mmap: bool = True, verify: bool = False) -> Index:
        """Open a file that `save` wrote.

        Parameters
        ----------
        path
            The file.
        mmap
            Map it: nothing is read until it is needed, and processes share it. Else read it into memory.
        verify
            Also check a checksum of everything, which reads everything.

        Raises
        ------
        snncore.FormatError
            Not such a file, or a damaged one.
        snncore.Error
            It cannot be read.
        """
        index = cls.__new__(cls)
        index._core = _core.Index.open(path_text("Index.open", path), mmap, verify)
        index._given = None
        return index

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file, under a temporary name until it is complete.

        Raises
        ------
        snncore.Error
            It cannot be written, or the index is not fitted.
        """
        self._core.save(path_text("Index.save", path))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._core.options.dim

    @property
    def bits(self) -> int:
        """Length of a code."""
        return self._core.options.bits

    @property
    def metric(self) -> MetricName:
        """Which distance."""
        return self._core.options.metric.name  # type: ignore[return-value]

    @property
    def encoder(self) -> str:
        """How codes are made: the kind of the encoder; "itq" where an "mlp" did not find more."""
        return self._core.options.encoder

    @property
    def note(self) -> str | None:
        """What was decided while the encoder was fitted, in words: whether an "mlp" was kept, and why.

        None where nothing was to decide, or the index was opened from a file.
        """
        return None if self._given is None else self._given.note

    @property
    def tables(self) -> int:
        """Hash tables."""
        return self._core.options.tables

    @property
    def store(self) -> StoreName | None:
        """How vectors are kept."""
        name = self._core.options.store.name
        return None if name == "none" else name  # type: ignore[return-value]

    @property
    def fitted(self) -> bool:
        """Whether vectors can be added."""
        return self._core.fitted

    @property
    def ids(self) -> NDArray[np.uint64]:
        """The id of each slot; slots count the vectors in the order in which they came.

        A removed vector keeps its slot, and its id here, until the slots are compacted; `id in index` tells.
        """
        return self._core.ids()

    def __len__(self) -> int:
        return len(self._core)

    def __contains__(self, one: int) -> bool:
        return 0 <= one < 2**64 and self._core.contains(int(one))

    def __repr__(self) -> str:
        return (
            f"Index(dim={self.dim}, bits={self.bits}, metric={self.metric!r}, encoder={self.encoder!r}, "
            f"vectors={len(self)})"
        )

    def contains(self, ids: ArrayLike) -> NDArray[np.bool_]:
        """Tell for each id, [n], whether it is there."""
        return np.array([self._core.contains(int(one)) for one in integers(ids)], dtype=bool)

    def fit(self, X: ArrayLike) -> Index:
        """Fit the encoder; once, before anything is added.

        Parameters
        ----------
        X
            [n, dim], finite, up to 2^55: vectors like those that will be added, a few thousand at least.

        Returns
        -------
        Index
            This index.

        Raises
        ------
        ValueError
            Another shape, values that are not finite or too large, or an encoder that is not known.
        snncore.Error
            It is fitted already.
        """
        rows = self._rows("X", X)
        if self._given is None and self.encoder == "mlp" and not self.fitted:
            self._given = encoders.fit("mlp", self.embed(rows), self.bits, seed=self._core.options.seed)
        if self._given is None:
            self._core.fit(rows)
        else:
            self._core.fit_with(rows, self._given._core)
        return self

    def embed(self, X: ArrayLike) -> NDArray[np.float32]:
        """Give vectors as the encoder sees them: of length 1 for "cosine", and for "ip" with one more number.

        For "ip" that number makes all as long as the longest of `X`, so embed all that an encoder is fitted
        to at once.
        """
        return self._core.embed(self._rows("X", X))

    def add(self, ids: ArrayLike | None, X: ArrayLike, *, threads: int | None = None) -> None:
        """Add vectors under ids that are new.

        Parameters
        ----------
        ids
            [n], integers from 0 to 2^64 - 1; None counts on from the largest id so far.
        X
            [n, dim], finite, up to 2^55; up to 65504 where they are stored as "f16".
        threads
            1 to 256, default as in `Model.run`; the index is the same for any number.

        Raises
        ------
        ValueError
            Another shape, values that are not finite or too large, an id that is there or comes twice. The
            index stays as it was.
        snncore.Error
            The index is not fitted.
        """
        rows = self._rows("X", X)
        given = self._next_ids(len(rows)) if ids is None else integers(ids)
        self._core.add(given, rows, thread_count("Index", threads))

    def upsert(self, ids: ArrayLike, X: ArrayLike, *, threads: int | None = None) -> None:
        """Add vectors; those whose id is there are replaced, and count as new.

        Parameters, errors: as for `add`, but for ids that are there.
        """
        self._core.upsert(integers(ids), self._rows("X", X), thread_count("Index", threads))

    def remove(self, ids: ArrayLike) -> int:
        """Remove the vectors of those `ids` that are there; returns how many."""
        return self._core.remove(integers(ids))

    def compact(self) -> None:
        """Give back the place of removed vectors; it happens by itself when a fifth of a segment is dead."""
        self._core.compact()

    def get(self, ids: ArrayLike) -> NDArray[np.float32]:
        """Give the vectors of ids, [n, dim], as they are stored (on a cosine index of bytes: of length 1).

        Raises
        ------
        ValueError
            An id that is not there.
        snncore.Error
            Vectors are not stored.
        """
        return self._core.get(integers(ids))

    def encode(self, X: ArrayLike) -> NDArray[np.uint64]:
        """Give the codes of vectors, [n, bits / 64]: bit i is bit i % 64 of word i // 64.

        Bits that fill the tables evenly come first: an encoder that was given has them in another order.
        """
        return self._core.encode(self._rows("X", X))

    def search(
        self,
        Q: ArrayLike,
        k: int = 10,
        *,
        probes: int = 32,
        rerank: int | None = None,
        asymmetric: bool = False,
        plan: PlanName = "auto",
        filter: ArrayLike | BitTensor | None = None,  # noqa: A002 - the word for it
        threads: int | None = None,
        max_candidates: int | None = None,
        min_score: float = 0.0,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the k nearest vectors of each query.

        Parameters
        ----------
        Q
            [q, dim], finite, up to 2^55. Many at once are faster than one at a time.
        k
            How many.
        probes
            Of plan "multi_table": buckets for each table, on average; the likeliest of all tables come first.
        rerank
            How many of the nearest codes get exact distances; max(64, 10 k) unless given. 0: none, distances
            are those of codes.
        asymmetric
            Rank codes by how sure the query is of each bit, before anything is exact: fewer exact distances
            find as much.
        plan
            "scan" looks at all codes, "multi_table" at those in the likeliest buckets, "mih" at as few as
            prove what "scan" finds. "auto" scans few codes (10 million words) or those that a strict filter
            leaves, else takes the tables.
        filter
            Which vectors may be found: ids, an array of integers; or bool or a `BitTensor` [slots], in the
            order of `ids`.
        threads
            1 to 256, default as in `Model.run`. They share the queries, or the vectors where queries are
            fewer.
        max_candidates
            Of plan "multi_table": stop as soon as the buckets held so many codes; the one that is looked at
            is looked at to its end.
        min_score
            Of plan "multi_table": stop at a bucket that is less likely, 0 to 1. The query's own buckets have
            1, another has 1 less the share that the squared logits of the bits in which it differs have in
            those of a key, on average over the tables.

        Returns
        -------
        ids, distances
            int64 and float32, both [q, k]: nearest first, among equally near ones the one that came first.
            There are k wherever k vectors pass the filter; else the rest is -1 and infinity. An id above
            2^63 - 1 comes out negative: ``ids.astype(np.uint64)``; only distances tell 2^64 - 1 from none.

        Raises
        ------
        ValueError
            Another shape, values that are not finite or too large, or an option out of range.
        snncore.FormatError
            The file of the index turns out to be damaged.
        """
        in_range("k", k, 1, 2**31 - 1)
        in_range("probes", probes, 1, 2**31 - 1)
        in_range("rerank", 0 if rerank is None else rerank, 0, 2**31 - 1)
        in_range("max_candidates", 0 if max_candidates is None else max_candidates, 0, 2**31 - 1)
        if not 0 <= min_score <= 1:
            raise ValueError(f"Index: expected min_score of 0 to 1, received {min_score}")
        return self._core.search(
            self._rows("Q", Q),
            k,
            probes,
            -1 if rerank is None else rerank,
            asymmetric,
            choice(_core.Plan, "plan", plan),
            *self._filter(filter),
            thread_count("Index", threads),
            -1 if max_candidates is None else max_candidates,
            min_score,
        )

    def range_search(
        self,
        Q: ArrayLike,
        radius: int,
        *,
        plan: PlanName = "auto",
        filter: ArrayLike | BitTensor | None = None,  # noqa: A002 - the word for it
        threads: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Find all vectors whose code differs from the query's in at most `radius` bits: none is missed.

        Parameters
        ----------
        Q, filter, threads
            As for `search`.
        radius
            Bits, 0 to `bits`.
        plan
            "scan" looks at all codes; otherwise the tables are asked where they need fewer steps. The result
            is the same.

        Returns
        -------
        first, ids, distances
            int64 [q + 1], int64 and int32: those of query i are ``first[i]`` to ``first[i + 1]``, nearest
            first.

        Raises
        ------
        ValueError
            As for `search`.
        """
        in_range("radius", radius, 0, self.bits)
        return self._core.range_search(
            self._rows("Q", Q),
            radius,
            choice(_core.Plan, "plan", plan),
            *self._filter(filter),
            thread_count("Index", threads),
        )

    def stats(self) -> IndexStats:
        """Tell what the index holds, in bytes, and what its searches looked at."""
        stats = self._core.stats()
        return IndexStats(
            stats.vectors,
            stats.removed,
            stats.segments,
            dict(stats.bytes),
            stats.queries,
            stats.candidates,
            stats.buckets,
        )

    def _rows(self, what: str, rows: ArrayLike) -> NDArray[np.float32]:
        array = np.asarray(rows)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"Index: expected {what} as numbers, received {array.dtype}")
        if array.ndim != 2 or array.shape[1] != self.dim:
            raise ValueError(f"Index: expected {what} of shape [n, {self.dim}], received {list(array.shape)}")
        return np.ascontiguousarray(array, dtype=np.float32)

    def _next_ids(self, count: int) -> NDArray[np.uint64]:
        known = self.ids
        first = int(known.max()) + 1 if len(known) else 0
        if first + count > 2**64:
            raise ValueError(f"Index: no {count} ids are left behind {first - 1}: give ids of your own")
        return np.uint64(first) + np.arange(count, dtype=np.uint64) if count else np.zeros(0, np.uint64)

    def _filter(
        self, passing: ArrayLike | BitTensor | None
    ) -> tuple[NDArray[np.uint64] | None, NDArray[np.uint64] | None]:
        if passing is None:
            return None, None
        if not isinstance(passing, BitTensor):
            passing = np.asarray(passing)
            if passing.dtype != np.bool_:
                return integers(passing), None
        if passing.shape != (self._core.slots,):
            raise ValueError(
                f"Index: expected a filter of shape [{self._core.slots}], a bit for each slot, "
                f"received {list(passing.shape)}"
            )
        if not isinstance(passing, BitTensor):
            passing = pack(passing)
        return None, passing._core.words()
