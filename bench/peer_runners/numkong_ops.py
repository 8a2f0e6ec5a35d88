"""NumKong: products and distances of packed bits. One thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, MissingError, Subject

try:
    import numkong
except ImportError as problem:
    raise MissingError("numkong is not installed") from problem

Array = NDArray[Any]


def one_thread(threads: int) -> None:
    if threads != 1:
        raise MissingError("it runs in one thread")


def linear_subjects(x: Array, w: Array, sums: Array) -> list[Subject]:
    """AND + popcount: 2 * (x . [w > 0]) - sum(x) are the sums; the subtraction is left out of its time."""
    rows = np.packbits(x, axis=1)
    packed = numkong.dots_pack(np.packbits(w > 0, axis=1), dtype="uint1")
    counts = (sums + x.sum(axis=1, dtype=np.float32)[:, np.newaxis]) / 2

    def prepare(threads: int) -> Call:
        one_thread(threads)
        return lambda: numkong.dots_packed(rows, packed)

    return [Subject("numkong", prepare, lambda y: bool(np.array_equal(np.asarray(y), counts)))]
