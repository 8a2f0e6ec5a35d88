"""Layers of few channels: sums or factors that lanes of int16 do not hold, and shortcuts beside sums."""

from __future__ import annotations

import numpy as np
import pytest

import snncore

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("inputs", "low", "factor", "density", "least"),
    [(12, -7, 3, 0.4, 5), (12, -7, 40_000, 0.4, 5), (600, 7, 3, 1.0, 37_000)],
)
def test_sums_and_factors_that_int16_does_not_hold(
    inputs: int, low: int, factor: int, density: float, least: int
) -> None:
    rng = np.random.default_rng(inputs + factor)
    b = snncore.GraphBuilder()
    codes = rng.integers(low, 8, (8, inputs, 3, 3)).astype(np.int8)
    y = b.conv2d(
        "conv", b.input("x", "b1", (inputs, 8, 8)), codes, padding=1, encoding="sym", bits=4, scale=[1.0]
    )
    ones = np.ones(8, np.int32)
    y = b.requant("current", [y], [ones * factor], 0 * ones, ones * 3)
    y = b.lif_int("lif", y, theta=ones * (least * factor // 8), leak="half_floor")
    b.output("y", y)
    x = rng.random((2, 3, inputs, 8, 8)) < density
    model = b.build(timesteps=2)
    assert snncore.verify(model, None, x, layout="TNCHW").equal
    rows = model.run(x, layout="TNCHW", record="lif.v")  # neurons that keep membranes take rows of sums
    spikes = model.run(x, layout="TNCHW")
    assert 0 < spikes.mean() < 1
    assert np.array_equal(spikes, rows.outputs)


@pytest.mark.parametrize("channels", [5, 16, 40, 130])
@pytest.mark.parametrize("size", [7, 20])
@pytest.mark.parametrize("bits", [1, 4])
@pytest.mark.parametrize(("weight", "counts"), [(30, False), (70_000, False), (30, True)])
def test_shortcuts_of_spikes(channels: int, size: int, bits: int, weight: int, counts: bool) -> None:
    rng = np.random.default_rng(channels + size + bits + weight)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", (channels, size, size))
    low = -(1 << bits - 1)
    codes = rng.integers(low, -low, (channels, channels, 3, 3)).astype(np.int8)
    y = b.conv2d("conv", x, codes, padding=1, encoding="odd", bits=bits, scale=[1.0])
    inputs = [y, b.add("twice", [x, x]) if counts else x]
    factor = rng.integers(1, 30, channels).astype(np.int32)
    shortcut = rng.integers(-weight, weight + 1, channels).astype(np.int32)
    b.requant("current", inputs, [factor, shortcut], 0 * factor, np.full(channels, 3, np.int32))
    theta = np.full(channels, 60, np.int32)
    b.output("y", b.lif_int("lif", "current", theta=theta, leak="half_floor"))
    model = b.build(timesteps=4)
    x = rng.random((4, 2, channels, size, size)) < 0.3
    assert snncore.verify(model, None, x, layout="TNCHW").equal
    rows = model.run(x, layout="TNCHW", record="lif.v")  # neurons that keep membranes take rows of sums
    spikes = model.run(x, layout="TNCHW")
    assert 0 < spikes.mean() < 1
    assert np.array_equal(spikes, rows.outputs)
