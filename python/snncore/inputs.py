"""From what a user hands over to what the engine takes: dtypes, layouts and shapes are checked here, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.bits import BitTensor
from snncore.infos import Port

#: One array, or one for each input: by name, or in the order of `Model.inputs`.
Inputs: TypeAlias = (
    ArrayLike | BitTensor | Mapping[str, ArrayLike | BitTensor] | tuple[ArrayLike | BitTensor, ...]
)
#: An array as the engine takes it.
CoreArray: TypeAlias = NDArray[np.float32] | NDArray[np.uint8] | NDArray[np.bool_] | _core.BitTensor

_DTYPES = (np.dtype(np.float32), np.dtype(np.uint8), np.dtype(np.bool_))


class Feed(NamedTuple):
    """Checked input arrays, and the layout in which each lies: a permutation of (T) N C H W."""

    arrays: list[CoreArray]
    layouts: tuple[str, ...]
    batch: int
    steps: int | None  #: None: no time axis


def feed(ports: Sequence[Port], x: Inputs, layout: str | None) -> Feed:
    """Check `x` against the inputs of a model.

    Raises
    ------
    ValueError
        With the input's name, what was expected and what came.
    """
    values = by_port(ports, x)
    each = [_check(port, value, layout) for port, value in zip(ports, values, strict=True)]
    if len(each) == 1:
        return each[0]
    _agree(ports, [fed.batch for fed in each], "samples")
    _agree(ports, [fed.steps for fed in each], "time steps")
    arrays = [array for fed in each for array in fed.arrays]
    return Feed(arrays, tuple(axes for fed in each for axes in fed.layouts), each[0].batch, each[0].steps)


def plan_layout(layouts: Sequence[str]) -> str:
    """Give the one layout to plan for; inputs of several layouts have those that the file says."""
    return layouts[0] if len(set(layouts)) == 1 else ""


def check_layout(port: Port, layout: str) -> None:
    """Refuse a layout that is not a permutation of the axes of this input; T and N may be left out."""
    axes = "CHW" if len(port.shape) == 3 else "C"
    if not isinstance(layout, str) or not _has_axes(layout, axes):
        raise ValueError(
            f"input '{port.name}': expected a layout of the axes {', '.join(axes)} and, where they exist, "
            f"T and N; received {layout!r}"
        )


def _has_axes(layout: str, axes: str) -> bool:
    return sorted(layout.replace("T", "", 1).replace("N", "", 1)) == sorted(axes)


def by_port(ports: Sequence[Port], x: Inputs) -> list[ArrayLike | BitTensor]:
    """Give what a user handed over for each input, in the order of `ports`; `feed` checks it.

    Raises
    ------
    ValueError
        Not one for each input.
    """
    if len(ports) == 1 and isinstance(x, (np.ndarray, BitTensor)):
        return [x]
    names = [port.name for port in ports]
    if isinstance(x, Mapping):
        if set(x) != set(names):
            raise ValueError(f"expected the inputs {_listed(names)}, received {_listed(map(str, x))}")
        return [x[name] for name in names]
    if isinstance(x, tuple):
        if len(x) != len(ports):
            raise ValueError(f"expected {len(ports)} inputs ({_listed(names)}), received a tuple of {len(x)}")
        return list(x)
    if len(ports) != 1:
        raise ValueError(f"expected a dict or tuple of the inputs {_listed(names)}, received one array")
    return [x]


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _agree(ports: Sequence[Port], counts: Sequence[int | None], what: str) -> None:
    if any(count != counts[0] for count in counts[1:]):
        each = ", ".join(
            f"'{port.name}' has {count or 'none'}" for port, count in zip(ports, counts, strict=True)
        )
        raise ValueError(f"inputs: expected the same number of {what}, received: {each}")


def _check(port: Port, value: ArrayLike | BitTensor, layout: str | None) -> Feed:
    array = value if isinstance(value, BitTensor) else _array(port, value)
    axes = port.layout if layout is None else layout
    counts = _counts(port.shape, axes, array.shape)
    if counts is None:
        check_layout(port, axes)
        raise ValueError(_wrong(port, array.shape, axes, named=layout is not None))
    core, core_axes = _packed(array, axes) if isinstance(array, BitTensor) else _dense(array, axes)
    return Feed([core], (core_axes,), *counts)


@lru_cache(maxsize=64)  # a session asks at every step
def _counts(wanted: tuple[int, ...], axes: str, shape: tuple[int, ...]) -> tuple[int, int | None] | None:
    """Count samples and steps; None: the shape is not one of these axes."""
    own = "CHW" if len(wanted) == 3 else "C"
    if not _has_axes(axes, own) or len(shape) != len(axes) or 0 in shape:
        return None
    sizes = dict(zip(axes, shape, strict=True))
    if tuple(sizes[axis] for axis in own) != wanted:
        return None
    return sizes.get("N", 1), sizes.get("T")


def _wrong(port: Port, shape: tuple[int, ...], axes: str, *, named: bool) -> str:
    if len(shape) != len(axes):
        return _wrong_rank(port, shape, axes, named=named)
    sizes = dict(zip(axes, shape, strict=True))
    if any(sizes[axis] != wanted for axis, wanted in zip("CHW", port.shape, strict=False)):
        return _wrong_shape(port, shape, axes)
    return f"input '{port.name}': expected at least one sample and step, received {list(shape)}"


def _array(port: Port, value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype not in _DTYPES:
        hint = "; convert it with .astype(numpy.float32)" if array.dtype.kind == "f" else ""
        raise ValueError(
            f"input '{port.name}': expected dtype float32 (values), uint8 (raw pixels) or bool (spikes), "
            f"received {array.dtype}{hint}"
        )
    return array


def _wrong_shape(port: Port, shape: tuple[int, ...], axes: str) -> str:
    sizes = dict(zip("CHW", map(str, port.shape), strict=False))
    expected = ", ".join(sizes.get(axis, axis) for axis in axes)
    return f"input '{port.name}': expected shape [{expected}] in layout {axes}, received {list(shape)}"


def _wrong_rank(port: Port, shape: tuple[int, ...], axes: str, *, named: bool) -> str:
    message = _wrong_shape(port, shape, axes)
    other = {-1: axes.replace("N", "", 1), 1: axes if "T" in axes else "T" + axes}.get(
        len(shape) - len(axes), axes
    )
    if named or len(other) != len(shape):
        return message
    what = "one sample" if len(other) < len(axes) else "frames over time"
    return f"{message}; for {what} pass layout={other!r}"


def _dense(array: NDArray[Any], axes: str) -> tuple[CoreArray, str]:
    if "N" not in axes:
        array, axes = array[np.newaxis], "N" + axes
    return np.ascontiguousarray(array), axes


def _packed(bits: BitTensor, axes: str) -> tuple[CoreArray, str]:
    """Give channel-packed rows in the order T N H W, whatever the layout; words move as they are."""
    if axes[bits.axis] != "C":
        return _dense(bits.numpy(), axes)
    if axes in ("TNHWC", "NHWC", "TNC", "NC"):  # as the engine reads it
        return bits._core, axes
    words, rows = bits.words, axes.replace("C", "")
    if "N" not in axes:
        words, rows, axes = words[np.newaxis], "N" + rows, "N" + axes
    order = [rows.index(axis) for axis in "TNHW" if axis in rows]
    words = np.ascontiguousarray(words.transpose([*order, len(order)]))
    return _core.BitTensor.from_words(words, [*words.shape[:-1], bits.shape[bits.axis]]), axes
