"""Neurons on arrays of currents, without a model around them.

Part of `snncore.functional`. Currents are images [T, N, C, H, W] or vectors [T, N, C]. Vectors, and images
whose memory is in the order T, N, H, W, C (a transposed view of such an array), are read as they lie; images
in the order of their axes cost a transposition of the spikes besides.
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.arguments import thread_count
from snncore.bits import BitTensor
from snncore.builder import Leak, Profile, Reset, State

__all__ = ["lif", "lif_int"]

_INT32 = np.iinfo(np.int32)
# What the kernels read, and the narrowest of it that holds other types; wider ones are looked at first.
_HELD: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(name): np.dtype(held)
    for name, held in {"i1": "i1", "u1": "i2", "i2": "i2", "u2": "i4", "i4": "i4"}.items()
}


def lif(
    x: ArrayLike,
    *,
    decay: float = 0.5,
    input_gain: float = 1.0,
    threshold: float = 1.0,
    reset: Reset = "zero",
    strict: bool = False,
    threads: int | None = None,
) -> BitTensor:
    """Run float32 neurons from zero state over all steps of `x`, as `GraphBuilder.lif` defines them.

    Parameters
    ----------
    x
        float32 currents [T, N, C, H, W] or [T, N, C].

    Returns
    -------
    BitTensor
        Spikes, the shape of `x`.
    """
    values = np.asarray(x)
    if values.dtype != np.float32:
        raise ValueError(f"lif: expected float32, received {values.dtype}")
    values, channels_last = _as_it_lies("lif", values)
    spikes = _core.lif(
        values,
        channels_last,
        decay=decay,
        input_gain=input_gain,
        threshold=threshold,
        reset=reset,
        strict=strict,
        threads=thread_count("lif", threads),
    )
    return BitTensor(spikes, 2)


@overload
def lif_int(
    x: ArrayLike,
    *,
    theta: ArrayLike,
    psi: ArrayLike | None = None,
    state: State = "i16",
    leak: Leak = "q15",
    leak_param: int = 0,
    reset: Reset = "zero",
    leak_at_store: bool = False,
    profile: Profile = "W",
    threads: int | None = None,
    membranes: Literal[True] = True,
) -> tuple[BitTensor, NDArray[Any]]: ...


@overload
def lif_int(
    x: ArrayLike,
    *,
    theta: ArrayLike,
    psi: ArrayLike | None = None,
    state: State = "i16",
    leak: Leak = "q15",
    leak_param: int = 0,
    reset: Reset = "zero",
    leak_at_store: bool = False,
    profile: Profile = "W",
    threads: int | None = None,
    membranes: Literal[False],
) -> BitTensor: ...


def lif_int(
    x: ArrayLike,
    *,
    theta: ArrayLike,
    psi: ArrayLike | None = None,
    state: State = "i16",
    leak: Leak = "q15",
    leak_param: int = 0,
    reset: Reset = "zero",
    leak_at_store: bool = False,
    profile: Profile = "W",
    threads: int | None = None,
    membranes: bool = True,
) -> tuple[BitTensor, NDArray[Any]] | BitTensor:
    """Run integer neurons from zero state over all steps of `x`, as docs/format.md defines `lif`.

    Parameters
    ----------
    x
        Integer currents [T, N, C, H, W] or [T, N, C], of any type, within 32 bits. int8, int16 and int32 are
        read where they are; int16 is the fastest.
    theta, psi
        int32 [C], or one number for all channels.
    profile
        "U" or "W", which compute the same; "U" refuses currents that a state i8 or i16 would clip.
    membranes
        False: keep the spikes only. Membranes take 32 times the memory of the spikes, and most of the time.

    Returns
    -------
    BitTensor, ndarray
        Spikes and, int32, membranes after reset, the shape of `x`; without `membranes` the spikes alone.
    """
    currents, channels_last = _as_it_lies("lif_int", _currents(np.asarray(x)))
    spikes, kept = _core.lif_int(
        currents,
        channels_last,
        theta=_constants("theta", theta),
        psi=None if psi is None else _constants("psi", psi),
        profile=profile,
        state=state,
        leak=leak,
        leak_param=_index("leak_param", leak_param),
        reset=reset,
        leak_at_store=leak_at_store,
        threads=thread_count("lif_int", threads),
        membranes=membranes,
    )
    bits = BitTensor(spikes, 2)
    if kept is None:
        return bits
    return bits, np.moveaxis(kept, -1, 2) if channels_last else kept


def _as_it_lies(op: str, x: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """Give `x` in the order of memory, and whether the channels are last there; copy what has no order."""
    if x.ndim not in (3, 5):
        raise ValueError(f"{op}: expected [T, N, C, H, W] or [T, N, C], received {list(x.shape)}")
    if x.flags.c_contiguous and x.flags.aligned:
        return x, False
    turned = np.moveaxis(x, 2, -1)
    if x.ndim == 5 and turned.flags.c_contiguous and turned.flags.aligned:
        return turned, True
    return np.require(x, requirements=("C", "A")), False


def _currents(x: NDArray[Any]) -> NDArray[Any]:
    if x.dtype.kind not in "iu":
        raise ValueError(f"lif_int: expected integer currents, received {x.dtype}")
    held = _HELD.get(x.dtype)
    if held is None:
        _check_int32("x", x)
        held = np.dtype("i4")
    return x if x.dtype == held else x.astype(held)


def _constants(name: str, values: Any) -> NDArray[np.int32]:
    """Take one number, or one for each channel."""
    if isinstance(values, int) and not isinstance(values, bool) and _INT32.min <= values <= _INT32.max:
        return np.array([values], np.int32)  # the usual case, without array arithmetic
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise ValueError(f"lif_int: {name}: expected integers, received {array.dtype}")
    if array.ndim > 1:
        raise ValueError(f"lif_int: {name}: expected one number or [C], received {list(array.shape)}")
    _check_int32(name, array)
    return np.ascontiguousarray(np.atleast_1d(array), dtype=np.int32)


def _index(name: str, value: int) -> int:
    if not isinstance(value, int | np.integer) or not _INT32.min <= value <= _INT32.max:
        raise ValueError(f"lif_int: {name}: expected a 32-bit integer, received {value!r}")
    return int(value)


def _check_int32(name: str, x: NDArray[Any]) -> None:
    if x.size == 0 or np.can_cast(x.dtype, np.int32):
        return
    low, high = int(x.min()), int(x.max())
    if low < _INT32.min or high > _INT32.max:
        raise ValueError(
            f"lif_int: {name}: expected 32-bit integers, -2^31 to 2^31 - 1, received {low} to {high}"
        )
