"""The entries of one block of a .net file, checked one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore import FormatError

from ..hdf5 import Tree

#: Whole numbers as blocks hold them.
Integers = NDArray[np.int32]


class Fields:
    """Entries of a group; every message names the block, what was expected and what came."""

    def __init__(self, tree: Tree, label: str) -> None:
        self.tree, self.label = tree, label

    def __contains__(self, key: str) -> bool:
        return key in self.tree

    def inside(self, key: str) -> Fields:
        """Give a group of this group."""
        tree = self.tree[key]
        if not isinstance(tree, dict):
            raise FormatError(f"{self.label}: expected a group '{key}', received values")
        return Fields(tree, self.label)

    def text(self, key: str) -> str:
        """Give a word, which may stand in an array of one."""
        value = self._get(key)
        while isinstance(value, list) and len(value) == 1:
            (value,) = value
        if not isinstance(value, str):
            raise FormatError(f"{self.label}: expected a word for '{key}', received {_kind(value)}")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """Give one whole number."""
        values = np.unique(self.integers(key, low, high))
        if values.size != 1:
            raise FormatError(f"{self.label}: expected one number for '{key}', received {values.size}")
        return int(values[0])

    def integers(self, key: str, low: int, high: int) -> Integers:
        """Give an array of whole numbers, whatever dtype they are stored in."""
        values = self._get(key)
        if not isinstance(values, (np.ndarray, np.generic)) or np.asarray(values).dtype.kind not in "fiub":
            raise FormatError(f"{self.label}: expected numbers for '{key}', received {_kind(values)}")
        array = np.asarray(values)
        if array.size == 0 or not np.isfinite(array).all():
            raise FormatError(f"{self.label}: '{key}' is empty or not finite")
        if (array != np.trunc(array)).any():
            raise FormatError(
                f"{self.label}: '{key}' holds fractions; export whole numbers, as the 8-bit hook "
                "(neuron.quantize_8bit) of a block makes them"
            )
        if array.min() < low or array.max() > high:
            raise FormatError(
                f"{self.label}: expected '{key}' within {low} to {high}, received {array.min():g} to "
                f"{array.max():g}"
            )
        return array.astype(np.int32)

    def shape(self, key: str) -> tuple[int, ...]:
        """Give a shape."""
        return tuple(int(n) for n in np.atleast_1d(self.integers(key, 1, 1 << 24)).ravel())

    def pair(self, key: str, low: int, default: int) -> tuple[int, int]:
        """Give one number or (vertical, horizontal)."""
        if key not in self.tree:
            return default, default
        values = self.integers(key, low, 65535).ravel()
        if values.size > 2:
            raise FormatError(
                f"{self.label}: expected one or two numbers for '{key}', received {values.size}"
            )
        return int(values[0]), int(values[-1])

    def _get(self, key: str) -> Any:
        if key not in self.tree:
            raise FormatError(f"{self.label}: '{key}' is missing")
        return self.tree[key]


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a group"
    if isinstance(value, (list, str)):
        return "text"
    return f"{np.asarray(value).dtype} of shape {list(np.shape(value))}"
