"""What a run leaves out changes nothing: with the skips and without them, the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal
from property.test_saccade import MODES, numbers

import snncore
from snncore import _core
from snncore.reference.run import run
from snncore.reference.saccade import SCALED

SEEDS = st.integers(0, 2**32 - 1)
#: Bits of the weights: counted, looked up, gathered.
WEIGHTS = st.sampled_from([1, 2, 4, 8])


@contextmanager
def nothing_skipped() -> Iterator[None]:
    _core.set_skips(False)
    try:
        yield
    finally:
        _core.set_skips(True)


def block(rng: np.random.Generator, shape: tuple[int, int, int], mode: str, bits: int) -> snncore.Model:
    """One saccadic attention and its projection; how often patches are looked at is drawn."""
    channels, heads, steps = shape[0], int(rng.choice([1, 2, 4])), int(rng.integers(1, 5))
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", shape)

    def layer(name: str, source: str, outputs: int) -> str:
        low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1))
        codes = rng.integers(low, high, (outputs, channels, 1, 1)).astype(np.int8)
        scale = rng.uniform(0.5, 2.0, outputs) / (2.0**bits * np.sqrt(channels))
        y = b.conv2d(name, source, codes, encoding="odd" if bits == 1 else "sym", bits=bits, scale=scale)
        zero, one = np.zeros(outputs), np.ones(outputs)
        return b.batch_norm(f"{name}.bn", y, one, rng.normal(size=outputs) / 4, zero, one)

    def row(name: str) -> str:
        return b.lif(f"{name}.lif", layer(name, x, channels), threshold=float(rng.uniform(0.1, 0.6)))

    q, v = b.count("queries", row("q"), over="channels", heads=heads), row("v")
    k = b.count("keys", row("k"), over="all", heads=heads) if mode in SCALED else None
    scale = channels / heads * rng.uniform(0, 1.5) * (channels if k else 1)
    gate = b.saccade("gate", q, k, mode=mode, **numbers(rng, mode, steps, scale))
    y = b.lif("after", layer("projection", b.mask("mask", v, gate), channels), threshold=0.3)
    b.output("gate", gate)
    b.output("y", y)
    return b.build(steps)


@given(SEEDS, st.sampled_from(MODES), WEIGHTS, st.integers(1, 3), st.booleans())
def test_a_saccadic_attention(seed: int, mode: str, bits: int, batch: int, static: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (4 * int(rng.integers(1, 40)), int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    model = block(rng, shape, mode, bits)
    frames = (batch, *shape) if static else (model.timesteps, batch, *shape)
    x = rng.random(frames) < rng.choice([0.02, 0.2, 0.6])
    x &= rng.random((*frames[:-3], 1, *shape[1:])) < rng.choice([0.3, 1.0])  # silent patches
    layout = "NCHW" if static else "TNCHW"
    found = model.run(x, layout=layout)
    with nothing_skipped():
        whole = model.run(x, layout=layout)
    expected = run(model.to_bytes(), x, layout, record=[]).outputs
    for name in ("gate", "y"):
        assert np.array_equal(found[name], whole[name]), name
        equal(found[name], expected[name], name)


@given(SEEDS, WEIGHTS, st.integers(1, 3))
def test_a_layer_of_silent_rows(seed: int, bits: int, kernel: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 140)), int(rng.integers(kernel, 9)), int(rng.integers(kernel, 9)))
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", shape)
    low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1))
    codes = rng.integers(low, high, (int(rng.integers(1, 70)), shape[0], kernel, kernel)).astype(np.int8)
    y = b.conv2d("conv", x, codes, encoding="odd" if bits == 1 else "sym", bits=bits, scale=[0.1])
    b.output("y", b.lif("lif", y, threshold=0.2))
    model = b.build(3)
    rows = rng.random((3, 2, 1, *shape[1:])) < rng.random()
    x_in = (rng.random((3, 2, *shape)) < 0.3) & rows
    found = model.run(x_in, layout="TNCHW", record=["conv.sum"])
    with nothing_skipped():
        whole = model.run(x_in, layout="TNCHW", record=["conv.sum"])
        plain = model.run(x_in, layout="TNCHW")
    assert np.array_equal(found.outputs, whole.outputs)
    assert np.array_equal(found.states["conv.sum"], whole.states["conv.sum"])
    assert np.array_equal(model.run(x_in, layout="TNCHW"), plain)
