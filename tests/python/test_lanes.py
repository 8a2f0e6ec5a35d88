"""Layers of few channels whose sums or factors are too large to stay in lanes of int16."""

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
