"""`BinaryIndex` and `hamming_topk` at their edges. Random cases are in property/."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import snncore
import snncore.functional as F
from snncore import BinaryIndex

RNG = np.random.default_rng(8)
FAR = 2**31 - 1


def codes(*shape: int) -> np.ndarray:
    return RNG.random(shape) < 0.5


def test_ties_go_to_the_code_that_was_added_first() -> None:
    index = BinaryIndex(bits=3)
    index.add([[False, True, True], [True, False, False]])
    index.add([[True, False, False], [False, False, False]])
    ids, distances = index.search([[False, False, False]], 4)
    assert ids.tolist() == [[3, 1, 2, 0]]
    assert distances.tolist() == [[0, 1, 1, 2]]


def test_what_is_missing_is_minus_one() -> None:
    index = BinaryIndex(bits=5)
    assert [a.tolist() for a in index.search(np.zeros((1, 5), bool), 2)] == [[[-1, -1]], [[FAR, FAR]]]
    index.add(np.ones((1, 5), bool))
    assert [a.tolist() for a in index.search(np.zeros((1, 5), bool), 2)] == [[[0, -1]], [[5, FAR]]]
    assert index.search(np.zeros((0, 5), bool), 2)[0].shape == (0, 2)
    index.add(np.zeros((0, 5), bool))
    assert len(index) == 1
    assert repr(index) == "BinaryIndex(bits=5, codes=1)"


@pytest.mark.parametrize("bits", [1, 65535, 65536])
def test_the_shortest_and_the_longest_codes(bits: int) -> None:
    base, query = codes(70, bits), codes(1, bits)
    base[-1] = ~query[0]
    ids, distances = F.hamming_topk(query, base, 70)
    expected = (base != query).sum(axis=1)
    order = np.argsort(expected, kind="stable")
    assert ids[0].tolist() == order.tolist()
    assert distances[0].tolist() == expected[order].tolist()


def test_threads_do_not_change_the_answer() -> None:
    base, queries = snncore.pack(codes(20000, 40)), snncore.pack(codes(70, 40))
    index = BinaryIndex(bits=40)
    index.add(base)
    for few in (queries, snncore.pack(queries.numpy()[:3])):
        one = index.search(few, 100)
        for threads in (2, 3, 7):
            many = index.search(few, 100, threads=threads)
            np.testing.assert_array_equal(many[0], one[0])
            np.testing.assert_array_equal(many[1], one[1])


def test_threads_may_search_at_the_same_time() -> None:
    index = BinaryIndex(bits=100)
    index.add(codes(3000, 100))
    queries = codes(40, 100)
    expected = index.search(queries, 9)[0]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: index.search(queries, 9)[0], range(8)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BinaryIndex(bits=0), ["1 to 65536", "0"]),
        (lambda: BinaryIndex(bits=2**70), ["1 to 65536"]),
        (lambda: BinaryIndex(bits=8).add(codes(3, 9)), ["codes", "[n, 8]", "[3, 9]"]),
        (lambda: BinaryIndex(bits=8).add(codes(8)), ["codes", "[n, 8]", "[8]"]),
        (lambda: BinaryIndex(bits=8).add(np.zeros((3, 8), np.uint8)), ["codes", "bool", "uint8"]),
        (lambda: BinaryIndex(bits=8).search(codes(3, 9), 1), ["queries", "[n, 8]", "[3, 9]"]),
        (lambda: BinaryIndex(bits=8).search(codes(3, 8), 0), ["k", "0"]),
        (lambda: BinaryIndex(bits=8).search(codes(3, 8), 2**40), ["k", str(2**40)]),
        (lambda: BinaryIndex(bits=8).search(codes(3, 8), 1, threads=0), ["1 to 256 threads", "0"]),
        (lambda: F.hamming_topk(codes(3, 8), codes(3, 9), 1), ["hamming_topk", "[3, 8]", "[3, 9]"]),
        (lambda: F.hamming_topk(codes(8), codes(3, 8), 1), ["hamming_topk", "[8]"]),
        (lambda: F.hamming_topk(codes(3, 8).astype(float), codes(3, 8), 1), ["queries", "float64"]),
    ],
)
def test_wrong_arguments(call: Any, words: list[str]) -> None:
    with pytest.raises(ValueError) as refused:
        call()
    assert [word for word in words if word not in str(refused.value)] == []


def test_codes_that_are_refused_leave_the_index_as_it_was() -> None:
    index = BinaryIndex(bits=8)
    index.add(codes(3, 8))
    with pytest.raises(ValueError):
        index.add(codes(3, 9))
    assert len(index) == 3
