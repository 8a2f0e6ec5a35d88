"""`Index` at its edges: wrong arguments, threads, files, memory. Random cases are in property/."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import snncore
from snncore import Index

RNG = np.random.default_rng(12)
DIM = 16


def clustered(count: int, dim: int = DIM) -> np.ndarray:
    centres = RNG.integers(0, 200, (20, dim))
    return (centres[RNG.integers(0, 20, count)] + RNG.integers(0, 30, (count, dim))).astype(np.float32)


def made(count: int = 2000, **options: Any) -> tuple[Index, np.ndarray]:
    X = clustered(count)
    index = Index(DIM, **{"bits": 128, "encoder": "srp", "key_bits": 10, **options})
    index.fit(X).add(None, X)
    return index, X


def test_ties_go_to_the_vector_that_came_first() -> None:
    index, X = made(200, store="f32")
    index.upsert([7], X[3:4])
    index.add([1000, 999], X[[3, 3]])
    ids, distances = index.search(X[3:4], k=4)
    assert ids.tolist() == [[3, 7, 1000, 999]]
    assert distances.tolist() == [[0, 0, 0, 0]]


def test_what_is_missing_is_minus_one() -> None:
    index, X = made(5)
    ids, distances = index.search(X[:2], k=7)
    assert (ids[:, 5:] == -1).all() and np.isinf(distances[:, 5:]).all()
    assert sorted(ids[0, :5].tolist()) == [0, 1, 2, 3, 4]
    assert index.search(X[:0])[0].shape == (0, 10)
    assert index.search(X[:1], k=2, filter=[])[0].tolist() == [[-1, -1]]
    assert index.search(X[:1], k=2, filter=[4, 99])[0].tolist() == [[4, -1]]


def test_removed_vectors_are_never_found() -> None:
    index, X = made()
    gone = set(range(0, 2000, 3))
    assert index.remove(np.array(sorted(gone))) == len(gone)
    for plan in ("scan", "multi_table", "mih"):
        assert not gone & set(index.search(X[:50], k=50, plan=plan)[0].ravel().tolist())
    assert 0 not in index and 1 in index


def test_ids_may_be_any_of_64_bits() -> None:
    index, X = made(3)
    far = 2**64 - 1
    index.upsert(np.array([far], dtype=np.uint64), X[:1] + 500)
    assert far in index
    assert index.search(X[:1] + 500, k=1)[0].astype(np.uint64).tolist() == [[far]]


@pytest.mark.parametrize("plan", ["scan", "multi_table", "mih"])
def test_threads_do_not_change_the_answer(plan: Any) -> None:
    index, X = made(6000)
    one = index.search(X[:100] + 1, k=20, plan=plan)
    for threads in (2, 5):
        many = index.search(X[:100] + 1, k=20, plan=plan, threads=threads)
        np.testing.assert_array_equal(many[0], one[0])
        np.testing.assert_array_equal(many[1], one[1])
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: index.search(X[:100] + 1, k=20, plan=plan)[0], range(6)):
            np.testing.assert_array_equal(found, one[0])


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_an_encoder_that_is_fitted_already(metric: Any) -> None:
    X = clustered(500)
    index = Index(DIM, 64, metric, "itq", 3).fit(X)
    given = snncore.encoders.fit("itq", index.embed(X), 64, seed=3)
    other = Index(DIM, 64, metric, given).fit(X)
    np.testing.assert_array_equal(other.encode(X), index.encode(X))
    assert other.encoder == "itq"
    with pytest.raises(ValueError, match="128 bits, received one of"):
        Index(DIM, 128, metric, given).fit(X)


def test_stats() -> None:
    index, X = made(3000, store="f32")
    stats = index.stats()
    assert (stats.vectors, stats.removed) == (3000, 0)
    assert stats.bytes["vectors"] >= X.nbytes
    assert stats.bytes["codes"] >= 2 * 3000 * 16
    index.search(X[:10], plan="multi_table", probes=3)
    after = index.stats()
    assert after.queries == 10 and after.candidates > 0
    assert after.total_bytes == sum(after.bytes.values())


def test_a_file_is_one_sentence_away_from_its_reader(tmp_path: Path) -> None:
    index, _X = made()
    path = tmp_path / "i.snn"
    index.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["i.snn"]
    whole = path.read_bytes()
    for bad in (whole[:-1], whole + b"\0", whole[: len(whole) // 2], b"", b"x" * 100):
        path.write_bytes(bad)
        with pytest.raises(snncore.FormatError) as refused:
            Index.open(path)
        assert "\n" not in str(refused.value) and "i.snn" in str(refused.value)
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 4
    path.write_bytes(flipped)
    Index.open(path)
    with pytest.raises(snncore.FormatError, match="checksum"):
        Index.open(path, verify=True)
    with pytest.raises(snncore.Error):
        Index.open(tmp_path / "none.snn")
    with pytest.raises(snncore.FormatError, match="model"):
        snncore.load(tmp_path / "i.snn")
    with pytest.raises(snncore.Error):
        index.save(tmp_path / "no" / "folder.snn")


SAVER = """
import sys
import numpy as np
from snncore import Index
X = np.random.default_rng(0).random((20000, 64), dtype=np.float32)
index = Index(64, 128, encoder="srp", store="f32", tables=0)
index.fit(X[:500])
index.add(None, X)
index.save(sys.argv[1])
print("saved", flush=True)
while True:
    index.save(sys.argv[1])
"""


def test_a_kill_while_saving_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "i.snn"
    for wait in (0.0, 0.003, 0.011, 0.04):
        with subprocess.Popen([sys.executable, "-c", SAVER, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None and child.stdout.readline() == b"saved\n"
            time.sleep(wait)
            child.kill()
        assert len(Index.open(path, verify=True)) == 20000


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda i: Index(0), ["dim", "0"]),
        (lambda i: Index(8, 100), ["64", "100"]),
        (lambda i: Index(8, metric="l1"), ["metric", "l2, cosine, ip", "l1"]),
        (lambda i: Index(8, store="f64"), ["store", "f64"]),
        (lambda i: Index(8, 64, tables=9, key_bits=8), ["tables * key_bits", "64", "9 * 8"]),
        (lambda i: i.add([1], np.zeros((1, 5))), ["X", "[n, 16]", "[1, 5]"]),
        (lambda i: i.add([9000], np.zeros((2, 16))), ["as many ids as vectors", "1 and 2"]),
        (lambda i: i.add([9000, 9000], np.zeros((2, 16))), ["once", "9000"]),
        (lambda i: i.add([1], np.zeros((1, 16))), ["id 1 ", "upsert"]),
        (lambda i: i.add([-1], np.zeros((1, 16))), ["ids", "-1"]),
        (lambda i: i.add([0.5], np.zeros((1, 16))), ["ids", "float64"]),
        (lambda i: i.add([9000], np.full((1, 16), np.nan)), ["finite", "row 0"]),
        (lambda i: i.search(np.zeros((1, 16)), k=1.5), ["k: expected a whole number", "1.5"]),
        (lambda i: i.search(np.zeros((1, 16)), min_score=np.nan), ["min_score of 0 to 1", "nan"]),
        (lambda i: i.search(np.full((1, 16), np.inf)), ["finite", "queries"]),
        (lambda i: i.search(np.full((1, 16), -1e30)), ["queries", "up to 2^55", "row 0"]),
        (lambda i: i.add([9000, 9001], np.eye(2, 16) * 1e5), ["65504", "float16", "row 0", "float32"]),
        (lambda i: i.search([["a"] * 16]), ["Q", "numbers"]),
        (lambda i: i.search(np.zeros((1, 16)), k=0), ["k", "0"]),
        (lambda i: i.search(np.zeros((1, 16)), probes=0), ["probes", "0"]),
        (lambda i: i.search(np.zeros((1, 16)), rerank=-1), ["rerank", "-1"]),
        (lambda i: i.search(np.zeros((1, 16)), plan="all"), ["plan", "scan", "all"]),
        (lambda i: i.search(np.zeros((1, 16)), threads=0), ["threads", "0"]),
        (lambda i: i.search(np.zeros((1, 16)), filter=[True, False]), ["filter", "[20]", "[2]"]),
        (lambda i: i.range_search(np.zeros((1, 16)), 129), ["radius", "128", "129"]),
        (lambda i: i.get([5000]), ["id 5000"]),
    ],
)
def test_wrong_arguments(call: Any, words: list[str]) -> None:
    index, _ = made(20)
    with pytest.raises((TypeError, ValueError)) as refused:
        call(index)
    assert [word for word in words if word not in str(refused.value)] == []
    assert len(index) == 20


def test_ids_count_on_up_to_the_last() -> None:
    index, X = made(20)
    index.add([2**64 - 3], X[:1])
    index.add(None, X[:1])
    assert index.ids.tolist()[-2:] == [2**64 - 3, 2**64 - 2]
    with pytest.raises(ValueError, match="no 2 ids are left behind 18446744073709551614"):
        index.add(None, X[:2])
    assert len(index) == 22


def test_the_order_of_calls() -> None:
    index = Index(4, store=None, encoder="srp")
    for call in (
        lambda: index.add([1], np.zeros((1, 4))),
        lambda: index.search(np.zeros((1, 4))),
        lambda: index.save("nowhere.snn"),
    ):
        with pytest.raises(snncore.Error, match="fit"):
            call()
    index.fit(np.eye(4))
    with pytest.raises(snncore.Error, match="already"):
        index.fit(np.eye(4))
    index.add([1], np.zeros((1, 4)))
    with pytest.raises(snncore.Error, match="not stored"):
        index.get([1])
    assert "vectors=1" in repr(index)
