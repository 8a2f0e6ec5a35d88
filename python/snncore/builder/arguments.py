"""From what callers hand over to what the engine takes: windows, weights, arrays of one type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore.arguments import integer

Pair: TypeAlias = int | Sequence[int]
Encoding: TypeAlias = Literal["f32", "odd", "sym"]


def pair(value: Pair, layer: str, what: str) -> tuple[int, int]:
    """Take one number or two."""
    numbers: list[Any] = list(value) if np.ndim(value) else [value]  # type: ignore[arg-type]
    if len(numbers) not in (1, 2):
        raise ValueError(f"'{layer}': expected one or two numbers for {what}, received {value!r}")
    first, last = (integer(f"'{layer}': {what}", number) for number in (numbers[0], numbers[-1]))
    return first, last


def sides(padding: Pair, layer: str) -> tuple[int, int, int, int]:
    """Take one number, (vertical, horizontal) or (top, bottom, left, right)."""
    if isinstance(padding, Iterable) and len(padding) == 4:
        top, bottom, left, right = (integer(f"'{layer}': padding", number) for number in padding)
        return top, bottom, left, right
    vertical, horizontal = pair(padding, layer, "padding (or four)")
    return vertical, vertical, horizontal, horizontal


def window(layer: str, kernel: Pair, stride: Pair | None, padding: Pair) -> dict[str, Any]:
    """Give the arguments of a pool; `stride` is `kernel` unless given."""
    return {
        "kernel": pair(kernel, layer, "kernel"),
        "stride": pair(kernel if stride is None else stride, layer, "stride"),
        "padding": sides(padding, layer),
    }


def weight_arguments(
    layer: str,
    weight: ArrayLike,
    encoding: str,
    bits: int | None,
    scale: ArrayLike | None,
    bias: ArrayLike | None,
) -> dict[str, Any]:
    """Give the arguments of a layer of weights; refuse an array that is not what `encoding` says."""
    array = np.asarray(weight)
    values: NDArray[Any]
    if encoding == "f32":
        if bits not in (None, 32) or scale is not None:
            raise ValueError(f"'{layer}': expected neither bits nor scale with float32 weights")
        if array.dtype.kind != "f":
            raise ValueError(f"'{layer}': expected float32 weights (encoding 'f32'), received {array.dtype}")
        values = np.ascontiguousarray(array, dtype=np.float32)
    else:
        if bits is None:
            raise ValueError(f"'{layer}': expected bits (1, 2, 4 or 8) with encoding '{encoding}'")
        if array.dtype != np.int8:
            raise ValueError(
                f"'{layer}': expected int8 codes with encoding '{encoding}', received {array.dtype}"
            )
        values = np.ascontiguousarray(array)
    return {
        "weight": values,
        "encoding": encoding,
        "bits": 32 if bits is None else bits,
        "scale": optional_row(scale, layer, "scale"),
        "bias": optional_row(bias, layer, "bias"),
    }


def doubles(values: ArrayLike) -> NDArray[np.float64]:
    """Make float64, at least [1]."""
    return np.ascontiguousarray(values, dtype=np.float64)


def optional_doubles(values: ArrayLike | None) -> NDArray[np.float64] | None:
    """Make float64, at least [1], where there is something."""
    return None if values is None else doubles(values)


def row(values: ArrayLike, layer: str, what: str) -> NDArray[np.float64]:
    """Make float64 [C], at least [1]; refuse rows of them."""
    array = np.ascontiguousarray(np.atleast_1d(values), dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"'{layer}': expected one axis for {what}, received shape {list(array.shape)}")
    return array


def optional_row(values: ArrayLike | None, layer: str, what: str) -> NDArray[np.float64] | None:
    """Make float64 [C], at least [1], where there is something."""
    return None if values is None else row(values, layer, what)


def floats(values: ArrayLike) -> NDArray[np.float32]:
    """Make float32, at least [1]."""
    return np.ascontiguousarray(np.atleast_1d(values), np.float32)


def int32(values: ArrayLike, layer: str, what: str) -> NDArray[np.int32]:
    """Make int32, at least [1]; refuse reals and what 32 bits do not hold."""
    array = np.asarray(values)
    bounds = np.iinfo(np.int32)
    if array.dtype.kind not in "iu" or (
        array.size and (array.min() < bounds.min or array.max() > bounds.max)
    ):
        raise ValueError(f"'{layer}': expected 32-bit integers for {what}, received {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.int32)


def optional_int32(values: ArrayLike | None, layer: str, what: str) -> NDArray[np.int32] | None:
    """Make int32, at least [1], where there is something."""
    return None if values is None else int32(values, layer, what)


def int32_rows(values: ArrayLike, layer: str, what: str, channels: ArrayLike) -> NDArray[np.int32]:
    """Take [C], or [T, C] row by row, of as many channels as there are in `channels`."""
    array, count = int32(values, layer, what), np.size(channels)
    if array.ndim == 2 and array.shape[1] != count:
        raise ValueError(f"'{layer}': expected [T, {count}] for {what}, received {list(array.shape)}")
    return array.ravel()
