"""`snncore.functional` on single arrays."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

from snncore import functional, pack
from snncore.reference import integer, ops

SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(1, 6)


def frames(x: np.ndarray) -> torch.Tensor:
    """[N, ...] as one step: [1, N, ...]."""
    return torch.tensor(x.astype(np.float32) if x.dtype == np.float32 else x.astype(np.int64))[None]


@given(SEEDS, st.sampled_from([1, 2, 4, 8]), st.integers(1, 130), SIDES, SIDES, st.booleans())
def test_conv2d(seed: int, bits: int, channels: int, height: int, width: int, from_pixels: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256 if from_pixels else 2, (2, channels, height, width))
    x = x.astype(np.uint8 if from_pixels else np.bool_)
    q = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (7, channels, 3, 3)).astype(np.int8)
    y = functional.conv2d(x, q, encoding="odd", bits=bits, padding=1, zero_point=9)
    zero = 9 if from_pixels else 0
    m = torch.tensor(2 * q.astype(np.int64) + 1)
    equal(y, ops.conv2d(frames(x) - zero, m, padding=(1, 1, 1, 1))[0], "sums")
    if not from_pixels:
        equal(functional.conv2d(pack(x, axis=1), q, encoding="odd", bits=bits, padding=1), y, "packed")


@given(SEEDS, st.sampled_from([2, 4, 8]), st.integers(1, 300), st.integers(1, 70))
def test_linear(seed: int, bits: int, features: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.random((3, features)) < 0.3
    q = rng.integers(1 - 2 ** (bits - 1), 2 ** (bits - 1), (channels, features)).astype(np.int8)
    y = functional.linear(x, q, encoding="sym", bits=bits)
    equal(y, ops.linear(frames(x), torch.tensor(q.astype(np.int64)))[0], "sums")


@given(SEEDS, st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_real_weights(seed: int, features: int, channels: int, with_bias: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, features)).astype(np.float32)
    w = rng.normal(size=(channels, features)).astype(np.float32)
    bias = rng.normal(size=channels).astype(np.float32) if with_bias else None
    y = functional.linear(x, w, bias=bias)
    equal(
        y, ops.linear(frames(x), torch.tensor(w), None if bias is None else torch.tensor(bias))[0], "values"
    )


@given(SEEDS, st.integers(1, 130), SIDES, SIDES)
def test_pools_and_add(seed: int, channels: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.random((2, channels, height + 1, width + 1)) < 0.2
    equal(functional.maxpool2d(x, 2).numpy(), ops.maxpool2d(frames(x), (2, 2))[0], "maxpool2d")
    values = np.round(rng.normal(size=x.shape), 1).astype(np.float32)
    equal(
        functional.maxpool2d(values, 3, stride=2, padding=1),
        ops.maxpool2d(frames(values), (3, 3), (2, 2), (1, 1, 1, 1))[0],
        "maxpool2d of values",
    )
    equal(
        functional.avgpool2d(x, 2), ops.avgpool2d(frames(x), (2, 2))[0].numpy() / np.float32(4), "avgpool2d"
    )
    other = rng.normal(size=x.shape).astype(np.float32)
    equal(functional.add(x, other), x.astype(np.float32) + other, "add")


@given(
    seed=SEEDS,
    state=st.sampled_from(["i8", "i16", "i32"]),
    leak=st.sampled_from([("none", 0), ("q15", 30000), ("half_floor", 0), ("shift", 3), ("tz12", 4000)]),
    reset=st.sampled_from(["zero", "subtract"]),
    leak_at_store=st.booleans(),
    dtype=st.sampled_from(["i1", "i2", "i4", "i8"]),
    reach=st.sampled_from([100, 20000, 60000, 2**31]),
    shape=st.one_of(st.tuples(st.integers(1, 140)), st.tuples(st.integers(1, 70), SIDES, st.integers(1, 20))),
    channels_last=st.booleans(),
)
def test_lif_int(
    seed: int,
    state: Any,
    leak: Any,
    reset: Any,
    leak_at_store: bool,
    dtype: str,
    reach: int,
    shape: tuple[int, ...],
    channels_last: bool,
) -> None:
    rng = np.random.default_rng(seed)
    limits = np.iinfo(dtype)
    x = rng.integers(max(-reach, limits.min), min(reach - 1, limits.max), (4, 2, *shape), dtype=dtype)
    if channels_last:
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 2, -1)), -1, 2)
    most = min(reach, 2**31 - 1 if state == "i32" else 32767)
    theta = rng.integers(-most, most, shape[0], endpoint=True)
    psi = np.abs(theta) if reset == "subtract" else None
    options: Any = {"state": state, "leak": leak[0], "leak_param": leak[1], "reset": reset}
    spikes, membranes = functional.lif_int(x, theta=theta, psi=psi, leak_at_store=leak_at_store, **options)
    p = integer.IntegerLif(
        torch.tensor(theta), torch.tensor(np.abs(theta)), leak_at_store=leak_at_store, **options
    )
    steps = integer.integer_lif(torch.tensor(x.astype(np.int64)), p)
    equal(spikes.numpy(), steps.spikes, "spikes")
    equal(membranes, steps.membranes, "membranes")
    alone = functional.lif_int(
        x, theta=theta, psi=psi, leak_at_store=leak_at_store, membranes=False, **options
    )
    equal(alone.numpy(), steps.spikes, "spikes alone")


@given(SEEDS, st.sampled_from([0.5, 0.9, 1.0]), st.sampled_from(["zero", "subtract"]), st.booleans())
def test_lif(seed: int, decay: float, reset: Any, strict: bool) -> None:
    x = np.random.default_rng(seed).normal(size=(4, 2, 70)).astype(np.float32)
    spikes = functional.lif(x, decay=decay, reset=reset, strict=strict, threshold=0.7, input_gain=0.9)
    steps = integer.float_lif(
        torch.tensor(x), decay=decay, reset=reset, strict=strict, threshold=0.7, input_gain=0.9
    )
    equal(spikes.numpy(), steps.spikes, "spikes")
