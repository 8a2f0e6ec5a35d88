"""A stage of patch embedding, branches of different dilation and their sum: the engine against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

import snncore
from snncore.reference.run import run

#: Bits of the weights: counted, looked up, gathered.
CODES = st.sampled_from([(1, "odd"), (4, "sym"), (8, "sym")])
SIZES = st.integers(1, 9)


@given(
    st.integers(0, 2**32 - 1), SIZES, SIZES, st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True),
    CODES, st.booleans(), st.booleans(),
)  # fmt: skip
def test_a_stage_is_the_sum_of_its_branches(
    seed: int, height: int, width: int, dilations: list[int], coded: tuple[int, str], pixels: bool, pool: bool
) -> None:
    """Odd sizes, images smaller than a kernel, every border; whole numbers: PyTorch rounds nothing."""
    rng = np.random.default_rng(seed)
    channels, outputs = int(rng.integers(1, 70)), int(rng.integers(1, 40))
    bits, encoding = (8, "sym") if pixels else coded
    b = snncore.GraphBuilder()
    shape = (channels, height, width)
    zero = [int(z) for z in rng.integers(0, 256, channels)]
    options: dict[str, Any] = {"zero_point": zero, "scale": 1.0} if pixels else {}
    x = b.input("x", "u8" if pixels else "b1", shape, **options)
    rows, weights = [], []
    for d in dilations:
        low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1))
        codes = rng.integers(low, high, (outputs, channels, 3, 3)).astype(np.int8)
        weights.append(2.0 * codes + 1 if encoding == "odd" else codes.astype(np.float64))
        given = {"encoding": encoding, "bits": bits, "scale": [1.0], "padding": (d,) * 4, "dilation": (d, d)}
        rows.append(b.conv2d(f"d{d}", x, codes, **given))
    threshold = 4096.0 if pixels else 1.0
    y = b.lif("lif", b.add("stage", rows) if len(rows) > 1 else rows[0], threshold=threshold)
    b.output("y", b.maxpool2d("pool", y, 3, 2, padding=1) if pool else y)
    model = b.build(1)
    frames = rng.integers(0, 256, (2, *shape), dtype=np.uint8) if pixels else rng.random((2, *shape)) < 0.4
    values = torch.from_numpy(frames).double() - (torch.tensor(zero).view(-1, 1, 1) if pixels else 0)
    total = sum(
        torch.nn.functional.conv2d(values, torch.from_numpy(w), padding=d, dilation=d)
        for d, w in zip(dilations, weights, strict=True)
    )
    fired = (total >= threshold).double()
    if pool:
        fired = torch.nn.functional.max_pool2d(fired, 3, 2, 1)
    for threads in (1, 2):
        y = np.asarray(model.run(frames, threads=threads)).reshape(fired.shape)
        equal(y, fired, f"{threads} threads")
    equal(run(model.to_bytes(), frames, record=[]).outputs["y"].reshape(fired.shape), fired, "reference")
