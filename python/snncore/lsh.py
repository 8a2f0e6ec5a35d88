"""Nearest neighbours of binary codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.arguments import thread_count, whole
from snncore.bits import BitTensor, pack


class BinaryIndex:
    """Binary codes, and the nearest of them by Hamming distance.

    Every search looks at all codes and is exact; the answer is the same on every CPU and for any number of
    threads. Codes are laid out for that once, by `add`. Threads may search at the same time; `add` needs the
    index for itself.

    Parameters
    ----------
    bits
        The length of a code, 1 to 65,536.

    Raises
    ------
    ValueError
        Another number of bits.

    Examples
    --------
    >>> index = snncore.BinaryIndex(bits=256)
    >>> index.add(codes)
    >>> ids, distances = index.search(queries, k=10)
    """

    __slots__ = ("_core",)

    def __init__(self, bits: int) -> None:
        if not 1 <= whole("BinaryIndex: bits", bits) <= 65536:
            raise ValueError(f"BinaryIndex: expected 1 to 65536 bits, received {bits}")
        self._core = _core.BinaryIndex(bits)

    @property
    def bits(self) -> int:
        """The length of a code."""
        return self._core.bits

    def __len__(self) -> int:
        return len(self._core)

    def __repr__(self) -> str:
        return f"BinaryIndex(bits={self.bits}, codes={len(self)})"

    def add(self, codes: ArrayLike | BitTensor) -> None:
        """Append codes. Their ids count on from the codes that are there, the first being 0.

        Parameters
        ----------
        codes
            [n, bits]: `BitTensor` or bool.

        Raises
        ------
        ValueError
            Another shape or type; the index stays as it was.
        """
        self._core.add(_packed_rows("codes", codes, self.bits))

    def search(
        self, queries: ArrayLike | BitTensor, k: int = 10, *, threads: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Find the k nearest codes of each query.

        Parameters
        ----------
        queries
            [q, bits]: `BitTensor` or bool. Many at once are faster than one at a time: all of them share one
            pass over the codes.
        k
            How many.
        threads
            1 to 256; default as in `Model.run`.

        Returns
        -------
        ids, distances
            int64 and int32, both [q, k]: nearest first, among equally near codes the one added first. With
            fewer than k codes the rest are -1 and 2^31 - 1.

        Raises
        ------
        ValueError
            Another shape or type, or `k` or `threads` out of range.
        """
        if not 1 <= k < 2**31:
            raise ValueError(f"BinaryIndex: expected k of 1 to {2**31 - 1}, received {k}")
        workers = thread_count("BinaryIndex", threads)
        return self._core.search(_packed_rows("queries", queries, self.bits), k, workers)


def _packed_rows(what: str, rows: ArrayLike | BitTensor, bits: int) -> _core.BitTensor:
    if not isinstance(rows, BitTensor):
        rows = np.asarray(rows)
        if rows.dtype != np.bool_:
            raise ValueError(f"BinaryIndex: expected {what} as bool or a BitTensor, received {rows.dtype}")
    if rows.ndim != 2 or rows.shape[1] != bits:
        raise ValueError(f"BinaryIndex: expected {what} of shape [n, {bits}], received {list(rows.shape)}")
    if not isinstance(rows, BitTensor):
        rows = pack(rows)
    elif rows.axis != 1:
        rows = pack(rows.numpy())
    return rows._core
