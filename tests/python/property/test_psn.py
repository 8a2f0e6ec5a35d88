"""Parallel spiking neurons: the engine against the reference, whole sequences and streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

import snncore
from snncore.reference.run import run

SHAPES = st.sampled_from([(1,), (5,), (33,), (70,), (2, 3, 3), (33, 2, 1)])


def network(rng: np.random.Generator, shape: tuple[int, ...], **psn: Any) -> snncore.Model:
    """A layer of float weights, the neurons, and a readout behind another layer."""
    builder = snncore.GraphBuilder()
    x = builder.input("x", "f32", shape)
    if len(shape) == 3:
        weight = rng.normal(size=(4, shape[0], 3, 3)).astype(np.float32)
        x = builder.conv2d("layer", x, weight=weight, padding=1)
    else:
        x = builder.linear("layer", x, weight=rng.normal(size=(9, *shape)).astype(np.float32))
    x = builder.psn("psn", x, **psn)
    if len(shape) == 3:
        x = builder.flatten("flat", x)
    features = int(np.prod(builder.shape(x)))
    x = builder.linear("head", x, weight=rng.normal(size=(3, features)).astype(np.float32))
    builder.output("y", builder.readout("mean", x, mode="mean"))
    return builder.build(timesteps=4)


@given(st.integers(0, 2**32 - 1), SHAPES, st.integers(1, 6), st.booleans())
def test_parallel(seed: int, shape: tuple[int, ...], steps: int, static: bool) -> None:
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(steps, steps)), rng.normal(size=steps)
    model = network(rng, shape, weight=np.tril(weight) if seed % 2 else weight, bias=bias)
    x = rng.normal(size=(2, *shape) if static else (steps, 2, *shape)).astype(np.float32)
    layout = ("" if static else "T") + ("NCHW" if len(shape) == 3 else "NC")
    if static and steps != 4:
        with pytest.raises(
            snncore.Error, match=f"psn 'psn': weighs all of {steps} steps at once, asked for 4"
        ):
            model.run(x, layout=layout)
        return
    expected = run(model.to_bytes(), x, layout, record=["psn", "psn.v"])
    for threads in (1, 2):
        result = model.run(x, layout=layout, threads=threads, record=["psn", "psn.v"])
        equal(result.spikes["psn"].numpy(), expected.spikes["psn"], "spikes")
        equal(result.states["psn.v"], expected.membranes["psn"], "h")
        equal(result.outputs, expected.outputs["y"], "output")


@given(st.integers(0, 2**32 - 1), SHAPES, st.integers(1, 5), st.integers(1, 7))
def test_sliding(seed: int, shape: tuple[int, ...], taps: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    model = network(rng, shape, weight=rng.normal(size=taps), bias=rng.normal(size=1))
    x = rng.normal(size=(steps, 2, *shape)).astype(np.float32)
    layout = "TNCHW" if len(shape) == 3 else "TNC"
    expected = run(model.to_bytes(), x, layout, record=["psn", "psn.v"])
    result = model.run(x, layout=layout, record=["psn", "psn.v"])
    equal(result.spikes["psn"].numpy(), expected.spikes["psn"], "spikes")
    equal(result.states["psn.v"], expected.membranes["psn"], "h")
    equal(result.outputs, expected.outputs["y"], "output")
    session = model.stream(batch=2, record=["psn", "psn.v"])
    blob = None
    for t in range(steps):
        step = session.step(x[t])
        equal(step.spikes["psn"].numpy()[0], expected.spikes["psn"][t], f"spikes, step {t}")
        equal(step.states["psn.v"][0], expected.membranes["psn"][t], f"h, step {t}")
        if t == steps // 2:  # another session goes on from here
            blob = session.save_state()
            session = model.stream(batch=2, record=["psn", "psn.v"])
            session.load_state(blob)
    equal(step.outputs, expected.outputs["y"], "output")


def test_what_cannot_be() -> None:
    rng = np.random.default_rng(0)
    for weight, bias, message in [
        (np.ones((2, 3)), np.ones(2), r"tensor 'weight' must be F32 \[T, T\] or \[k\], .* is \[2, 3\]"),
        (np.ones((2, 2)), np.ones(3), "bias"),
        (np.ones(2), np.ones(2), "bias"),
        (np.array([np.nan]), np.ones(1), "finite"),
    ]:
        with pytest.raises((ValueError, snncore.Error), match=message):
            network(rng, (3,), weight=weight, bias=bias)
    model = network(rng, (3,), weight=np.ones((4, 4)), bias=np.ones(4))
    with pytest.raises(snncore.Error, match="psn 'psn': weighs all of 4 steps at once, asked for 1"):
        model.stream()
