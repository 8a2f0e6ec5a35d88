"""What ann.py asks of an index: built once, searched with several settings, saved and opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]
Search = Callable[[Rows, int], Ids]


class Options(NamedTuple):
    bits: int
    threads: int
    seed: int


class Setting(NamedTuple):
    params: dict[str, Any]
    search: Search
    codes_only: Callable[[Rows], Any] | None = None  # the same candidates without exact distances


class File(NamedTuple):
    how: str  # "mapped" or "read"
    save: Callable[[str], Any]
    open: Callable[[str], Search]


class Built(NamedTuple):
    bytes: int
    settings: Iterator[Setting]
    compared: Callable[[], int] | None = None  # vectors or codes so far; None: not told, or the next
    always_compared: int | None = None  # by every query
    sections: dict[str, int] = {}  # noqa: RUF012 - nobody changes it
    file: File | None = None
    note: str = ""


Build = Callable[[Rows, Options], Built]

#: Exact distances per query, the same numbers for everyone whose codes choose candidates.
RERANKS = (20, 50, 100, 200, 500)
#: Vectors that encoders are fitted to, at most.
SAMPLE = 100_000
#: Lists of candidates of a graph's search.
BEAMS = (10, 20, 40, 80, 160)


#: Of those who have hash tables.
TABLES = 8


def key_bits_of(base: Rows) -> int:
    """Give bits of a table's key: as many as leave some vectors in a bucket."""
    return min(16, int(np.log2(len(base))) - 3)


def sample_of(base: Rows, count: int = SAMPLE) -> Rows:
    return base[np.linspace(0, len(base) - 1, min(len(base), count)).astype(int)]
