"""Windows over few channels, of which the engine gathers whole lines: the engine against the reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from property.engine import equal

import snncore
from snncore.reference.run import run


@dataclass(frozen=True)
class Layer:
    """A convolution of spikes; `inputs` are those of a group."""

    inputs: int
    kernel: int
    groups: int = 1
    stride: int = 1
    dilation: int = 1
    float32: bool = False
    steps: int = 3

    def model(self, rng: np.random.Generator, height: int, width: int) -> snncore.Model:
        b = snncore.GraphBuilder()
        x = b.input("x", "b1", (self.inputs * self.groups, height, width))
        outputs = int(rng.integers(1, 5)) * self.groups
        shape = (outputs, self.inputs, int(rng.integers(1, 4)), self.kernel)
        codes = rng.integers(-127, 128, shape).astype(np.int8)
        weights = (
            {"weight": (codes / 64).astype(np.float32), "encoding": "f32", "bits": 32}
            if self.float32
            else {"weight": codes, "encoding": "sym", "bits": 8, "scale": [1 / 64]}
        )
        padding = tuple(int(p) for p in rng.integers(0, 4, 4))
        y = b.conv2d(
            "conv",
            x,
            **weights,
            groups=self.groups,
            stride=(int(rng.integers(1, 3)), self.stride),
            dilation=self.dilation,
            padding=padding,
        )
        b.output("y", b.lif("lif", y, threshold=float(rng.uniform(0.5, 3))))
        return b.build(self.steps)


FEW = [Layer(i, k) for i, k in product((1, 2, 3, 5, 8, 12, 16, 21, 22, 32, 33), (1, 2, 3, 4, 5, 7))]
#: Inputs of a group that lie in two words, and groups of whole words.
GROUPED = [Layer(i, k, groups=g) for i, k, g in ((1, 3, 70), (3, 3, 30), (5, 5, 15), (7, 2, 20), (64, 2, 2))]
GAPS = [Layer(i, k, stride=s, dilation=d) for i, k, s, d in product((2, 7, 16), (2, 3), (1, 2, 3), (1, 2))]
CODED = [*FEW, *GROUPED, *GAPS]


@pytest.mark.parametrize(
    "layer",
    [*CODED, *(replace(layer, float32=True) for layer in CODED), *(replace(layer, steps=1) for layer in FEW)],
)
def test_lines_of_a_window(layer: Layer) -> None:
    rng = np.random.default_rng([ord(c) for c in repr(layer)])
    for density in (0.005, 0.05, 0.5):
        height, width = (int(n) for n in rng.integers(8, 40, 2))
        model = layer.model(rng, height, width)
        x = rng.random((layer.steps, 1, layer.inputs * layer.groups, height, width)) < density
        expected = run(model.to_bytes(format_version=1), x, "TNCHW", record=["lif"])
        for threads in (1, 2):
            got = model.run(x, layout="TNCHW", threads=threads, record=["lif"])
            equal(got.spikes["lif"].numpy(), expected.spikes["lif"], f"density {density}, {threads} threads")
