"""The products of attention without soft-max, on packed bits and in exact integers.

Part of `snncore.functional`. Queries, keys and values are spikes ``[T, N, heads, tokens, dim]``; the axes in
front of the last two may be any, their entries are independent heads. A `BitTensor` may be packed along
either of the last two axes, a bool array is packed first.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.arguments import thread_count, whole
from snncore.bits import BitTensor, pack

__all__ = ["attention", "attention_apply", "attention_map"]

Order: TypeAlias = Literal["auto", "kv_first", "qk_first"]

_ORDERS = {
    "auto": _core.AttentionOrder.AUTO,
    "kv_first": _core.AttentionOrder.KV_FIRST,
    "qk_first": _core.AttentionOrder.QK_FIRST,
}


def attention(
    q: ArrayLike | BitTensor,
    k: ArrayLike | BitTensor,
    v: ArrayLike | BitTensor,
    *,
    order: Order = "auto",
    threads: int | None = None,
) -> NDArray[np.int32]:
    """Compute ``(q k^T) v`` for every head: what spiking attention has where only scales follow.

    Parameters
    ----------
    q, k, v
        Spikes [T, N, heads, tokens, dim]: at most 65,535 tokens and a dim of 32,767.
    order
        Which product comes first. The answer is the same; ``kv_first`` takes tokens * dim^2 steps,
        ``qk_first`` tokens^2 * dim. ``auto`` takes ``kv_first`` where there are more tokens than dim.
    threads
        At most so many share the heads; little work stays in one.

    Returns
    -------
    ndarray
        int32, the shape of `q`, exact.
    """
    if order not in _ORDERS:
        raise ValueError(f"attention: expected order 'auto', 'kv_first' or 'qk_first', received {order!r}")
    return _core.attention(
        _heads("attention", "q", q),
        _heads("attention", "k", k),
        _heads("attention", "v", v),
        _ORDERS[order],
        thread_count("attention", threads),
    )


def attention_map(
    q: ArrayLike | BitTensor, k: ArrayLike | BitTensor, threshold: int, *, threads: int | None = None
) -> BitTensor:
    """Compare every score with a threshold: a binary attention map.

    Parameters
    ----------
    q, k
        As for `attention`.
    threshold
        Token n attends to token m where ``q[n] . k[m] >= threshold``.

    Returns
    -------
    BitTensor
        [T, N, heads, tokens, tokens], packed along the last axis.
    """
    least = min(max(whole("attention_map: threshold", threshold), 0), 2**31)  # counts are far below
    bits = _core.attention_map(
        _heads("attention_map", "q", q),
        _heads("attention_map", "k", k),
        least,
        thread_count("attention_map", threads),
    )
    return BitTensor(bits, len(bits.shape) - 1)


def attention_apply(
    chosen: ArrayLike | BitTensor, v: ArrayLike | BitTensor, *, threads: int | None = None
) -> NDArray[np.int32]:
    """Sum the values that each token attends to: ``chosen v`` for every head.

    Parameters
    ----------
    chosen
        Bits [T, N, heads, tokens, tokens], as `attention_map` gives them; packed along the last axis.
    v
        As for `attention`.

    Returns
    -------
    ndarray
        int32, the shape of `v`, exact.
    """
    bits = _bits("attention_apply", "chosen", chosen)
    if bits.axis != bits.ndim - 1:
        bits = pack(bits.numpy())
    return _core.attention_apply(
        bits._core, _heads("attention_apply", "v", v), thread_count("attention_apply", threads)
    )


def _bits(op: str, name: str, x: ArrayLike | BitTensor) -> BitTensor:
    if isinstance(x, BitTensor):
        return x
    values: NDArray[Any] = np.asarray(x)
    if values.dtype != np.bool_:
        raise ValueError(f"{op}: {name}: expected bool or a BitTensor, received {values.dtype}")
    return pack(values)


def _heads(op: str, name: str, x: ArrayLike | BitTensor) -> _core.HeadTensor:
    bits = _bits(op, name, x)
    if bits.axis < bits.ndim - 2:
        raise ValueError(
            f"{op}: {name}: expected bits packed along tokens or dim, the last two axes, "
            f"received axis {bits.axis}"
        )
    return _core.HeadTensor(bits._core, bits.axis == bits.ndim - 2)
