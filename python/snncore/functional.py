"""The ops as functions on arrays and `BitTensor`: the same kernels a model runs.

For tests, benches and people who build their own loop. Spikes may be bool arrays or `BitTensor`; images are
[N, C, H, W], vectors [N, C]. Attention products, neurons and searches run directly; every other call builds
and plans a model of one op, so a loop that needs speed builds a `Model` instead. All functions raise
ValueError with the op, what was expected and what came. Threads may call them at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore.attention import attention, attention_apply, attention_map
from snncore.bits import BitTensor, pack
from snncore.builder import Encoding, GraphBuilder, Pair
from snncore.lif import lif, lif_int
from snncore.lsh import BinaryIndex

__all__ = [
    "add",
    "attention",
    "attention_apply",
    "attention_map",
    "avgpool2d",
    "conv2d",
    "hamming_topk",
    "lif",
    "lif_int",
    "linear",
    "maxpool2d",
]

Array: TypeAlias = ArrayLike | BitTensor


def conv2d(
    x: Array,
    weight: ArrayLike,
    *,
    encoding: Encoding = "f32",
    bits: int | None = None,
    bias: ArrayLike | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    zero_point: int | Sequence[int] = 0,
    threads: int | None = None,
) -> NDArray[Any]:
    """Convolve.

    Parameters
    ----------
    x
        [N, C_in, H, W]: bool or `BitTensor` (spikes), uint8 (raw pixels), float32 (with float32 weights).
    weight
        [C, C_in / groups, kh, kw]: float32, or int8 codes with `encoding` and `bits` as in
        `GraphBuilder.conv2d`.
    bias
        [C], with float32 weights only.
    zero_point
        Raw pixels: what is subtracted from them, one number or one a channel.

    Returns
    -------
    ndarray
        [N, C, H', W']: float32 for float32 weights, exact int32 sums of codes otherwise.
    """
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return _synapse("conv2d", x, weight, encoding, bits, bias, options, zero_point, threads)


def linear(
    x: Array,
    weight: ArrayLike,
    *,
    encoding: Encoding = "f32",
    bits: int | None = None,
    bias: ArrayLike | None = None,
    zero_point: int | Sequence[int] = 0,
    threads: int | None = None,
) -> NDArray[Any]:
    """Multiply [N, F] by the transpose of `weight` [C, F]: [N, C]. Otherwise as `conv2d`."""
    return _synapse("linear", x, weight, encoding, bits, bias, {}, zero_point, threads)


def maxpool2d(
    x: Array, kernel: Pair, stride: Pair | None = None, padding: Pair = 0, *, threads: int | None = None
) -> BitTensor | NDArray[np.float32]:
    """OR spikes [N, C, H, W] over windows, or take the largest of float32 values, padding left out."""
    builder, edge, value = _one_input("maxpool2d", x)
    builder.output("y", builder.maxpool2d("maxpool2d", edge, kernel, stride, padding))
    pooled = _per_step(builder, value, threads)
    return pooled if getattr(value, "dtype", None) == np.float32 else pack(pooled, axis=1)


def avgpool2d(
    x: Array, kernel: Pair, stride: Pair | None = None, padding: Pair = 0, *, threads: int | None = None
) -> NDArray[np.float32]:
    """Mean of spikes or float32 values [N, C, H, W] over windows; padding counts as zeros."""
    builder, edge, value = _one_input("avgpool2d", x)
    builder.output("y", builder.avgpool2d("avgpool2d", edge, kernel, stride, padding))
    return _per_step(builder, value, threads)


def add(*xs: Array, threads: int | None = None) -> NDArray[np.float32]:
    """Sum of two or more arrays of one shape, [N, C, H, W] or [N, C]; spikes count as 0 and 1."""
    builder = GraphBuilder()
    values = tuple(_array("add", x) for x in xs)
    edges = [_input(builder, "add", f"x{i}", value) for i, value in enumerate(values)]
    builder.output("y", builder.add("add", edges))
    return _per_step(builder, values, threads)


def hamming_topk(
    queries: Array, codes: Array, k: int, *, threads: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find the `k` nearest of `codes` [N, bits] for each of `queries` [Q, bits], both bool or `BitTensor`.

    The codes are laid out anew in every call; to search the same codes more than once keep a
    `snncore.BinaryIndex`, whose `search` this is.

    Returns
    -------
    ids, distances
        int64 and int32, both [Q, k]: nearest first, ties in the order of the codes. Where N is below k the
        rest are -1 and 2^31 - 1.
    """
    shapes = [x.shape if isinstance(x, BitTensor) else np.shape(x) for x in (queries, codes)]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "hamming_topk: expected queries [Q, bits] and codes [N, bits], "
            f"received {list(shapes[0])} and {list(shapes[1])}"
        )
    index = BinaryIndex(shapes[1][1])
    index.add(codes)
    return index.search(queries, k, threads=threads)


def _synapse(
    op: str,
    x: Array,
    weight: ArrayLike,
    encoding: Encoding,
    bits: int | None,
    bias: ArrayLike | None,
    options: dict[str, Any],
    zero_point: int | Sequence[int],
    threads: int | None,
) -> NDArray[Any]:
    builder, edge, value = _one_input(op, x, zero_point)
    add_op = builder.conv2d if op == "conv2d" else builder.linear
    if encoding == "f32":
        builder.output("y", add_op(op, edge, weight, bias=bias, **options))
        return _per_step(builder, value, threads)
    if bias is not None:
        raise ValueError(f"{op}: expected no bias with coded weights; their sums are integers")
    add_op(op, edge, weight, encoding=encoding, bits=bits, scale=1.0, **options)
    channels = builder.shape(op)[0]
    ones, zeros = np.ones(channels, np.int32), np.zeros(channels, np.int32)
    builder.output(
        "y", builder.lif_int("lif", builder.requant("requant", [op], [ones], zeros, zeros), theta=ones)
    )
    result = builder.build(timesteps=1).run(value, threads=threads, record=f"{op}.sum")
    sums: NDArray[Any] = result.states[f"{op}.sum"][0]
    return sums


def _one_input(op: str, x: Array, zero_point: int | Sequence[int] = 0) -> tuple[GraphBuilder, str, Array]:
    builder = GraphBuilder()
    value = _array(op, x)
    return builder, _input(builder, op, "x", value, zero_point), value


def _array(op: str, x: Array) -> BitTensor | NDArray[Any]:
    value = x if isinstance(x, BitTensor) else np.asarray(x)
    if not isinstance(value, BitTensor) and value.dtype not in (np.float32, np.uint8, np.bool_):
        raise ValueError(f"{op}: expected float32, uint8, bool or a BitTensor, received {value.dtype}")
    return value


def _input(
    builder: GraphBuilder,
    op: str,
    name: str,
    value: BitTensor | NDArray[Any],
    zero_point: int | Sequence[int] = 0,
) -> str:
    shape = _sample_shape(op, value)
    if isinstance(value, BitTensor) or value.dtype == np.bool_:
        return builder.input(name, "b1", shape)
    if value.dtype == np.float32:
        return builder.input(name, "f32", shape)
    points = [zero_point] * shape[0] if isinstance(zero_point, int) else zero_point
    return builder.input(name, "u8", shape, zero_point=points, scale=1.0)


def _sample_shape(op: str, value: BitTensor | NDArray[Any]) -> tuple[int, ...]:
    shape = tuple(value.shape)[1:]
    if len(shape) not in (1, 3):
        raise ValueError(f"{op}: expected [N, C, H, W] or [N, C], received {list(value.shape)}")
    return shape


def _per_step(builder: GraphBuilder, value: Any, threads: int | None) -> NDArray[np.float32]:
    only_step: NDArray[np.float32] = builder.build(timesteps=1).run(value, threads=threads)[0]
    return only_step
