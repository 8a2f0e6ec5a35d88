"""`Index` against a dictionary of vectors, through any sequence of operations; and against sorting."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from snncore import Index

DIM = 5
IDS = st.integers(0, 40)
METRICS = st.sampled_from(["l2", "cosine", "ip"])


def rows(seed: int, count: int, dim: int = DIM) -> np.ndarray:
    """Small whole numbers: sums are exact, and many vectors are equal."""
    return np.random.default_rng(seed).integers(-3, 4, (count, dim)).astype(np.float32)


def distances(metric: str, query: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    if metric == "l2":
        return np.sqrt(((vectors - query) ** 2).sum(1, dtype=np.float32))
    if metric == "ip":
        return -(vectors @ query)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    return np.where(lengths > 0, 1 - vectors @ query / np.where(lengths > 0, lengths, 1), 1)


def same_results(index: Index, model: dict[int, np.ndarray], query: np.ndarray, **options: Any) -> None:
    """Compare ids by way of their distances: cosine's may differ in the last bits, and so the order."""
    k = 7
    ids, found = index.search(query[None], k=k, rerank=10**6, **options)
    order = list(model)
    wanted = distances(index.metric, query, np.array([model[i] for i in order]).reshape(-1, DIM))
    by_id = dict(zip(order, wanted, strict=True))
    there = min(k, len(order))
    assert (ids[0, there:] == -1).all() and np.isinf(found[0, there:]).all()
    got = ids[0, :there].tolist()
    assert len(set(got)) == there
    np.testing.assert_allclose(found[0, :there], [by_id[i] for i in got], atol=1e-6)
    np.testing.assert_allclose(found[0, :there], np.sort(wanted)[:there], atol=1e-6)
    if index.metric != "cosine":
        assert got == [order[i] for i in np.argsort(wanted, kind="stable")[:there]]


class AgainstDictionary(RuleBasedStateMachine):
    """A dictionary keeps the order of insertion, as slots do."""

    @initialize(
        metric=METRICS,
        store=st.sampled_from(["f32", "f16"]),
        tables=st.sampled_from([0, 8]),
        bytes_first=st.booleans(),
        seed=st.integers(0, 9),
    )
    def make(self, metric: str, store: str, tables: int, bytes_first: bool, seed: int) -> None:
        self.index = Index(
            DIM, 64, metric, "srp", seed, tables=tables, key_bits=8, store=store, bytes_first=bytes_first
        )
        self.index.fit(rows(seed, 50))
        self.model: dict[int, np.ndarray] = {}
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "index.snn"

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(ids=st.lists(IDS, max_size=12, unique=True), seed=st.integers(0, 10**6))
    def add(self, ids: list[int], seed: int) -> None:
        fresh = [i for i in ids if i not in self.model]
        X = rows(seed, len(fresh))
        self.index.add(fresh, X)
        self.model.update(zip(fresh, X, strict=True))

    @rule(ids=st.lists(IDS, max_size=12, unique=True), seed=st.integers(0, 10**6))
    def upsert(self, ids: list[int], seed: int) -> None:
        X = rows(seed, len(ids))
        self.index.upsert(ids, X)
        for i, x in zip(ids, X, strict=True):
            self.model.pop(i, None)
            self.model[i] = x

    @rule(ids=st.lists(IDS, max_size=12))
    def remove(self, ids: list[int]) -> None:
        there = {i for i in ids if i in self.model}
        assert self.index.remove(ids) == len(there)
        for i in there:
            del self.model[i]

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert self.index.ids.tolist() == list(self.model)

    @rule(mmap=st.booleans(), keep=st.booleans())
    def save_and_open(self, mmap: bool, keep: bool) -> None:
        self.index.save(self.path)
        opened = Index.open(self.path, mmap=mmap, verify=True)
        if keep:
            self.index = opened

    @rule(seed=st.integers(0, 10**6), plan=st.sampled_from(["auto", "scan", "multi_table", "mih"]))
    def search(self, seed: int, plan: Any) -> None:
        same_results(self.index, self.model, rows(seed, 1)[0], plan=plan, probes=256)

    @rule(seed=st.integers(0, 10**6), ids=st.lists(IDS, max_size=20), by_slot=st.booleans())
    def search_some(self, seed: int, ids: list[int], by_slot: bool) -> None:
        allowed: Any = ids
        if by_slot:
            allowed = np.isin(self.index.ids, np.array(ids, dtype=np.uint64))
        some = {i: x for i, x in self.model.items() if i in ids}
        same_results(self.index, some, rows(seed, 1)[0], filter=allowed)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def get(self, data: Any) -> None:
        ids = data.draw(st.lists(st.sampled_from(list(self.model)), max_size=5))
        np.testing.assert_array_equal(
            self.index.get(ids), np.array([self.model[i] for i in ids]).reshape(-1, DIM)
        )

    @invariant()
    def holds_what_the_dictionary_holds(self) -> None:
        if not hasattr(self, "index"):
            return
        assert len(self.index) == len(self.model)
        assert self.index.contains(np.arange(41)).tolist() == [i in self.model for i in range(41)]


AgainstDictionary.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAgainstDictionary = AgainstDictionary.TestCase


@given(
    st.integers(1, 600),
    st.sampled_from([64, 128, 320]),
    st.integers(0, 60),
    METRICS,
    st.integers(0, 10**6),
    st.integers(1, 3),
)
@settings(deadline=None)
def test_range_search_finds_the_whole_ball(
    count: int, bits: int, radius: int, metric: Any, seed: int, threads: int
) -> None:
    X, Q = rows(seed, count, 12), rows(seed + 1, 4, 12)
    index = Index(12, bits, metric, "srp", seed, key_bits=8, store=None)
    index.fit(X)
    index.add(None, X)
    if metric == "ip":  # queries are laid out otherwise than vectors
        order, codes = index.search(Q, k=count)
        wanted = [sorted(zip(d, i, strict=True)) for d, i in zip(codes, order, strict=True)]
        wanted = [[(int(d), int(i)) for d, i in w if d <= radius] for w in wanted]
    else:
        different = index.encode(Q)[:, None] ^ index.encode(X)[None]
        hamming = np.bitwise_count(different).sum(2)
        wanted = [sorted((int(d), i) for i, d in enumerate(row) if d <= radius) for row in hamming]
    for plan in ("auto", "scan"):
        first, ids, found = index.range_search(Q, radius, plan=plan, threads=threads)
        got = [
            list(zip(found[a:b].tolist(), ids[a:b].tolist(), strict=True))
            for a, b in itertools.pairwise(first)
        ]
        assert got == wanted
