"""Packed bits: 64 spikes in a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core

_PACKABLE = (np.dtype(np.bool_), np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.float32))


class BitTensor:
    """Packed bits with a logical shape.

    One axis is packed: its elements lie in 64-bit words, bit *i* of word *j* being element ``64 * j + i``;
    every row starts on a new word, and the bits past its end are zero. Made by `pack`, by
    `BitTensor.from_words` and by recording spikes. Immutable; threads may share it.
    """

    __slots__ = ("_axis", "_core")

    def __init__(self, core: _core.BitTensor, axis: int) -> None:
        self._core = core
        self._axis = axis

    @classmethod
    def from_words(cls, words: ArrayLike, shape: Sequence[int], axis: int = -1) -> BitTensor:
        """Take words that are packed already.

        Parameters
        ----------
        words
            uint64; the axes of `shape` without the packed one, then the words of a row.
        shape
            The logical shape.
        axis
            The packed axis of `shape`.

        Raises
        ------
        ValueError
            Another shape, or a set bit past the end of a row.
        """
        axis = _normal_axis(axis, len(shape))
        packed_last = [*shape[:axis], *shape[axis + 1 :], shape[axis]]
        return cls(
            _core.BitTensor.from_words(np.ascontiguousarray(words, dtype=np.uint64), packed_last), axis
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape."""
        *rest, packed = self._core.shape
        return (*rest[: self._axis], packed, *rest[self._axis :])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._core.shape)

    @property
    def size(self) -> int:
        """The number of bits, those that pad rows not counted."""
        return int(np.prod(self._core.shape, dtype=np.int64))

    @property
    def axis(self) -> int:
        """The packed axis, counted from the front."""
        return self._axis

    @property
    def words(self) -> NDArray[np.uint64]:
        """The packed words, read-only and without a copy; the packed axis has become the last one."""
        return self._core.words()

    @property
    def nbytes(self) -> int:
        """Bytes of the packed words."""
        return self.words.nbytes

    def numpy(self) -> NDArray[np.bool_]:
        """Unpack: a new bool array of `shape`."""
        return np.ascontiguousarray(np.moveaxis(self._core.unpack(), -1, self._axis))

    def popcount(self) -> int:
        """Count the set bits."""
        return self._core.popcount()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a BitTensor has to be unpacked, which is a copy")
        bits = self.numpy()
        return bits if dtype is None else bits.astype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __eq__(self, other: object) -> bool:
        """Say whether shapes and all bits are the same, whichever axis is packed."""
        if not isinstance(other, BitTensor):
            return NotImplemented
        if self.shape != other.shape:
            return False
        if self._axis == other._axis:
            return np.array_equal(self.words, other.words)
        return np.array_equal(self.numpy(), other.numpy())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return BitTensor.from_words, (np.array(self.words), self.shape, self._axis)

    def __repr__(self) -> str:
        return f"BitTensor(shape={list(self.shape)}, axis={self._axis}, set={self.popcount()}/{self.size})"


def pack(array: ArrayLike, axis: int = -1) -> BitTensor:
    """Pack an array into bits: every element that is not zero becomes a set bit.

    Parameters
    ----------
    array
        Any numeric array with at least one axis, a torch tensor on the CPU included. bool, uint8, int8 and
        float32 are read as they are, other types are compared with zero first.
    axis
        The axis to pack. A model reads spikes packed along the channels: ``axis=1`` of N C H W, ``axis=2`` of
        T N C H W.

    Raises
    ------
    ValueError
        No axes, or an `axis` that the array does not have.
    """
    values = np.asarray(array)
    axis = _normal_axis(axis, values.ndim)
    if values.dtype not in _PACKABLE:
        values = values != 0
    return BitTensor(_core.BitTensor.pack(np.ascontiguousarray(np.moveaxis(values, axis, -1))), axis)


def _normal_axis(axis: int, ndim: int) -> int:
    if ndim == 0:
        raise ValueError("pack: expected an array with at least one axis, received a single value")
    if not -ndim <= axis < ndim:
        raise ValueError(f"pack: expected an axis between {-ndim} and {ndim - 1}, received {axis}")
    return axis % ndim
