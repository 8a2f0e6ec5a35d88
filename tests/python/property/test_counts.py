"""Counts into 1-bit weights, which are summed bit by bit: the engine against the reference."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

import snncore
from snncore.reference.run import run


@given(
    st.integers(0, 2**32 - 1), st.integers(2, 6), st.sampled_from([1, 2, 5]), st.sampled_from([1, 3]),
    st.booleans(),
)  # fmt: skip
def test_every_way_to_run(seed: int, bits: int, groups: int, kernel: int, static: bool) -> None:
    """Few bits go as planes, more as bytes; a second layer reads the sum of the first one's neurons."""
    rng = np.random.default_rng(seed)
    channels, outputs = groups * int(rng.integers(1, 40)), groups * int(rng.integers(1, 40))
    shape = (channels, int(rng.integers(1, 10)), int(rng.integers(1, 10)))
    steps, batch = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    b = snncore.GraphBuilder()

    def layer(name: str, source: str, inputs: int, kernel: int) -> str:
        codes = rng.integers(-1, 1, (outputs, inputs, kernel, kernel)).astype(np.int8)
        options = {"encoding": "odd", "bits": 1, "scale": rng.uniform(0.05, 0.2, outputs)}
        sums = b.conv2d(f"{name}.conv", source, codes, padding=kernel // 2, groups=groups, **options)
        return b.lif(name, sums, threshold=float(rng.uniform(0.1, 2.0)))

    x = b.input("x", f"count{bits}", shape)
    first = layer("first", x, channels // groups, kernel)
    both = b.add("both", [first, layer("second", first, outputs // groups, 1)])
    b.output("y", layer("third", both, outputs // groups, 1))
    model = b.build(steps)
    frames = (batch, *shape) if static else (steps, batch, *shape)
    values = rng.integers(0, 2**bits, frames) * (rng.random(frames) < rng.choice([0.02, 0.3, 1.0]))
    values, layout = values.astype(np.uint8), "NCHW" if static else "TNCHW"
    names = ["first", "second", "third"]
    expected = run(model.to_bytes(), values, layout, record=names)
    for threads in (1, 2):
        result = model.run(values, layout=layout, threads=threads, record=names)
        for name in names:
            equal(result.spikes[name].numpy(), expected.spikes[name], f"{name}, {threads} threads")
    session = model.stream(batch=batch, record=names)
    for t in range(steps):
        now = session.step(values if static else values[t])
        for name in names:
            equal(now.spikes[name].numpy()[0], expected.spikes[name][t], f"{name}, step {t}")
