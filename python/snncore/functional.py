"""The ops as functions on arrays and `BitTensor`: the same kernels a model runs.

For tests, benches and people who build their own loop. Spikes may be bool arrays or `BitTensor`; images are
[N, C, H, W], vectors [N, C]. Every call builds and plans a model of one op, the attention products aside, so
a loop that needs speed builds a `Model` instead. All functions raise ValueError with the op, what was
expected and what came. Threads may call them at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore.attention import attention, attention_apply, attention_map
from snncore.bits import BitTensor, pack
from snncore.builder import Encoding, GraphBuilder, Leak, Pair, Profile, Reset, State
from snncore.lsh import BinaryIndex
from snncore.model import Model

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
    values = _floats("lif", x)
    builder = GraphBuilder()
    edge = builder.input("x", "f32", _sample_shape("lif", values, time=True))
    options: dict[str, Any] = {
        "input_gain": input_gain,
        "threshold": threshold,
        "reset": reset,
        "strict": strict,
    }
    builder.output("y", builder.lif("lif", edge, decay=decay, **options))
    return _recorded_spikes(builder.build(timesteps=len(values)), values, "lif", threads)


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
) -> tuple[BitTensor, NDArray[Any]]:
    """Run integer neurons from zero state over all steps of `x`, as docs/format.md defines `lif`.

    Parameters
    ----------
    x
        Integer currents [T, N, C, H, W] or [T, N, C]; the largest less the smallest is below 2^31.
    theta, psi
        int32 [C], or one number for all channels.
    profile
        "U" or "W".

    Returns
    -------
    BitTensor, ndarray
        Spikes and membranes after reset, the shape of `x`.
    """
    currents = np.asarray(x)
    if currents.dtype.kind not in "iu":
        raise ValueError(f"lif_int: expected integer currents, received {currents.dtype}")
    if profile not in ("U", "W"):
        raise ValueError(f"lif_int: expected profile 'U' or 'W', received {profile!r}")
    shape = _sample_shape("lif_int", currents, time=True)
    image = currents.reshape(*currents.shape[:2], *_as_image(shape))
    builder = GraphBuilder()
    planes, current = _current(builder, image)
    edge = builder.lif_int(
        "lif",
        current,
        theta=_per_channel(theta, shape[0]),
        psi=None if psi is None else _per_channel(psi, shape[0]),
        profile=profile,
        state=state,
        leak=leak,
        leak_param=leak_param,
        reset=reset,
        leak_at_store=leak_at_store,
    )
    builder.output("y", edge)
    result = builder.build(timesteps=len(image)).run(
        planes, layout="TNCHW", threads=threads, record=["lif", "lif.v"]
    )
    spikes = result.spikes["lif"].numpy().reshape(currents.shape)
    return pack(spikes, axis=2), result.states["lif.v"].reshape(currents.shape)


def maxpool2d(
    x: Array, kernel: Pair, stride: Pair | None = None, padding: Pair = 0, *, threads: int | None = None
) -> BitTensor:
    """OR spikes [N, C, H, W] over windows."""
    builder, edge, value = _one_input("maxpool2d", x)
    builder.output("y", builder.maxpool2d("maxpool2d", edge, kernel, stride, padding))
    return pack(_per_step(builder, value, threads), axis=1)


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


def _current(builder: GraphBuilder, x: NDArray[Any]) -> tuple[dict[str, BitTensor], str]:
    """Build an integer current [T, N, C, H, W] from spikes: the bits of x - min, times powers of two."""
    low, high = int(x.min()), int(x.max())
    width = max(1, (high - low).bit_length())
    if width > 31 or low < -(2**31) or high >= 2**31:
        raise ValueError(
            f"lif_int: expected 32-bit currents that span less than 2^31, received {low} to {high}"
        )
    offset = x.astype(np.int64) - low
    planes = {f"bit{j}": pack((offset >> j) & 1 != 0, axis=2) for j in range(width)}
    shape = x.shape[2:]
    edges = [builder.input(name, "b1", shape, layout="TNCHW") for name in planes]
    channels = shape[0]
    plus_one = np.zeros((channels, 1, 1, 1), np.int8)  # encoding odd: code 0 is +1
    edges[0] = builder.conv2d("sum", edges[0], plus_one, encoding="odd", bits=1, scale=1.0, groups=channels)
    factors = [np.full(channels, 1 << j, np.int32) for j in range(width)]
    zeros = np.zeros(channels, np.int32)
    return planes, builder.requant("current", edges, factors, zeros + np.int32(low), zeros)


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
    shape = _sample_shape(op, value, time=False)
    if isinstance(value, BitTensor) or value.dtype == np.bool_:
        return builder.input(name, "b1", shape)
    if value.dtype == np.float32:
        return builder.input(name, "f32", shape)
    points = [zero_point] * shape[0] if isinstance(zero_point, int) else zero_point
    return builder.input(name, "u8", shape, zero_point=points, scale=1.0)


def _sample_shape(op: str, value: BitTensor | NDArray[Any], *, time: bool) -> tuple[int, ...]:
    axes = "T, N, " if time else "N, "
    shape = tuple(value.shape)[2 if time else 1 :]
    if len(shape) not in (1, 3):
        raise ValueError(f"{op}: expected [{axes}C, H, W] or [{axes}C], received {list(value.shape)}")
    return shape


def _as_image(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) == 3 else (*shape, 1, 1)


def _floats(op: str, x: ArrayLike) -> NDArray[np.float32]:
    values = np.asarray(x)
    if values.dtype != np.float32:
        raise ValueError(f"{op}: expected float32, received {values.dtype}")
    return values


def _per_channel(value: ArrayLike, channels: int) -> NDArray[Any]:
    return np.broadcast_to(np.asarray(value), (channels,))


def _per_step(builder: GraphBuilder, value: Any, threads: int | None) -> NDArray[np.float32]:
    only_step: NDArray[np.float32] = builder.build(timesteps=1).run(value, threads=threads)[0]
    return only_step


def _recorded_spikes(model: Model, x: NDArray[np.float32], name: str, threads: int | None) -> BitTensor:
    layout = "TNCHW" if x.ndim == 5 else "TNC"
    return model.run(x, layout=layout, threads=threads, record=name).spikes[name]
