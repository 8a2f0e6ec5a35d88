"""The operations against nested loops over single numbers."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snncore.reference import ops
from snncore.reference.integer import float_lif

GEOMETRY = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "size": st.tuples(st.integers(1, 5), st.integers(1, 5)),
        "kernel": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.tuples(*[st.integers(2, 3)] * 4),
        "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)),
        "groups": st.integers(1, 3),
    }
)


def plain_conv2d(x, w, bias, stride, padding, dilation, groups):
    """One image [C, H, W]; numbers of x's type, added in the order row, column, channel, then the bias."""
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (top, bottom), (left, right)))
    channels, depth, kh, kw = w.shape
    height = (x.shape[1] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    width = (x.shape[2] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((channels, height, width), x.dtype)
    for c, i, j in product(range(channels), range(height), range(width)):
        total = x.dtype.type(0)
        first = c // (channels // groups) * depth
        for r, s, k in product(range(kh), range(kw), range(depth)):
            at = x[first + k, i * stride[0] + r * dilation[0], j * stride[1] + s * dilation[1]]
            total = total + at * w[c, k, r, s]
        y[c, i, j] = total if bias is None else total + bias[c]
    return y


@given(GEOMETRY, st.booleans())
def test_conv2d(g, real: bool) -> None:
    rng = np.random.default_rng(g["seed"])
    depth, channels = int(rng.integers(1, 4)), int(rng.integers(1, 4)) * g["groups"]
    x, bias = rng.normal(size=(2, 1, depth * g["groups"], *g["size"])) * 9, None
    w = rng.normal(size=(channels, depth, *g["kernel"])) * 9
    if real:
        x, w, bias = x.astype(np.float32), w.astype(np.float32), rng.normal(size=channels).astype(np.float32)
    else:
        x, w = x.astype(np.int64), w.astype(np.int64)
    geometry = {key: g[key] for key in ("stride", "padding", "dilation", "groups")}
    given_bias = None if bias is None else torch.tensor(bias)
    y = ops.conv2d(torch.tensor(x), torch.tensor(w), given_bias, **geometry)
    for t in (0, 1):
        assert np.array_equal(y[t, 0].numpy(), plain_conv2d(x[t, 0], w, bias, **geometry))


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 5), st.booleans())
def test_real_linear_is_a_1x1_convolution(seed: int, features: int, channels: int, with_bias: bool) -> None:
    rng = np.random.default_rng(seed)
    x = torch.tensor(rng.normal(size=(2, 3, features)).astype(np.float32))
    w = torch.tensor(rng.normal(size=(channels, features)).astype(np.float32))
    bias = torch.tensor(rng.normal(size=channels).astype(np.float32)) if with_bias else None
    convolved = ops.conv2d(x[..., None, None], w[..., None, None], bias)
    assert torch.equal(ops.linear(x, w, bias), convolved[..., 0, 0])


@given(GEOMETRY)
def test_pools(g) -> None:
    rng = np.random.default_rng(g["seed"])
    x = torch.tensor(rng.integers(0, 2, (2, 2, 3, *g["size"])))
    window = {key: g[key] for key in ("kernel", "stride", "padding")}
    counts = ops.avgpool2d(x, **window)
    ones = torch.ones(3, 1, *g["kernel"], dtype=torch.int64)
    geometry = {key: g[key] for key in ("stride", "padding")}
    assert torch.equal(counts, ops.conv2d(x, ones, groups=3, **geometry))
    assert torch.equal(ops.maxpool2d(x, **window), (counts > 0).to(torch.int64))
    area = torch.tensor(float(g["kernel"][0] * g["kernel"][1]))
    assert torch.equal(ops.avgpool2d(x.float(), **window), counts.float() / area)


@given(GEOMETRY)
def test_largest_values(g) -> None:
    rng = np.random.default_rng(g["seed"])
    x = torch.tensor(rng.integers(-3, 4, (2, 2, 3, *g["size"])).astype(np.float32))
    sides = np.repeat(g["kernel"], 2)
    padding = tuple(int(p) for p in np.minimum(g["padding"], sides - 1))
    lacking = [g["kernel"][i] - g["size"][i] - sum(padding[2 * i : 2 * i + 2]) for i in (0, 1)]
    if max(lacking) > 0:
        return
    top, bottom, left, right = padding
    bordered = torch.nn.functional.pad(x, (left, right, top, bottom), value=-torch.inf)
    expected = torch.nn.functional.max_pool2d(bordered.flatten(0, 1), g["kernel"], g["stride"])
    assert torch.equal(ops.maxpool2d(x, g["kernel"], g["stride"], padding), expected.unflatten(0, (2, 2)))
    with pytest.raises(ValueError, match="padding of real values must be smaller than the kernel"):
        ops.maxpool2d(x, g["kernel"], g["stride"], (0, 0, 0, g["kernel"][1]))


def test_flatten_is_row_column_channel() -> None:
    x = torch.arange(2 * 3 * 4 * 5).view(1, 2, 3, 4, 5)
    flat = ops.flatten(x)
    assert flat[0, 0, :4].tolist() == [0, 20, 40, 1]  # channels of pixel (0, 0), then the next column
    assert torch.equal(ops.unflatten(flat, 4, 5), x.flatten(2))


@pytest.mark.parametrize(
    ("mode", "expected"), [("sum", 6 * 0.5 + 3 * 0.25), ("mean", 3.0 / 3 + 0.25), ("last", 1.75)]
)
def test_readout_of_integers(mode: ops.Mode, expected: float) -> None:
    x = torch.tensor([1, 2, 3]).view(3, 1, 1)
    scale, bias = torch.tensor([0.5], dtype=torch.float64), torch.tensor([0.25], dtype=torch.float64)
    assert ops.readout(ops.readout_sum(x, mode), 3, mode, scale, bias).item() == expected


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    st.sampled_from([0.3, 1.0]),
    st.sampled_from([0.7, 1.0]),
    st.sampled_from(["zero", "subtract"]),
    st.booleans(),
)
def test_float_lif(seed: int, decay: float, threshold: float, gain: float, reset: str, strict: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 1, 7)).astype(np.float32)
    x[0, 0, 0] = threshold / gain
    steps = float_lif(
        torch.tensor(x), decay=decay, threshold=threshold, input_gain=gain, reset=reset, strict=strict
    )
    k, g, theta = np.float32(decay), np.float32(gain), np.float32(threshold)
    for neuron in range(7):
        v = np.float32(0)
        for t in range(5):
            h = (k * v if decay != 1 else v) + (g * x[t, 0, neuron] if gain != 1 else x[t, 0, neuron])
            s = h > theta if strict else h >= theta
            v = (np.float32(0) if s else h) if reset == "zero" else h - (theta if s else np.float32(0))
            assert steps.spikes[t, 0, neuron] == bool(s)
            assert steps.membranes[t, 0, neuron].item() == v
