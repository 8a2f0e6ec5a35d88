"""Make the stored networks of this folder: a `.snn` file, and an `.npz` with the input and the answer.

    python tests/python/golden/make_golden.py

Run it for a new network or a new format version, never to make a failing test pass: what is stored is what
programs in the field rely on. Needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import snncore
from snncore.reference.run import run

FOLDER = Path(__file__).parent


def codes(rng: np.random.Generator, shape: tuple[int, ...], encoding: str, bits: int) -> dict[str, Any]:
    lowest = -(2 ** (bits - 1)) + (encoding == "sym")
    q = rng.integers(lowest, 2 ** (bits - 1), shape).astype(np.int8)
    top = 2 ** (bits - 1) if encoding == "sym" else 2**bits
    scale = rng.uniform(0.5, 1.5, shape[0]) / top / np.sqrt(np.prod(shape[1:]) / 4)
    return {"weight": q, "encoding": encoding, "bits": bits, "scale": scale}


def batch_norm(b: snncore.GraphBuilder, rng: np.random.Generator, x: str) -> str:
    c = b.shape(x)[0]
    gamma = rng.uniform(0.5, 2, c) * rng.choice([-1, 1, 1, 1], c)
    return b.batch_norm(
        f"{x}.bn", x, gamma, rng.normal(0.2, 0.3, c), rng.normal(0, 0.1, c), rng.uniform(0.5, 2, c)
    )


def pixels_w(b: snncore.GraphBuilder, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """An image network, profile W: int16 and int8 membranes, both resets, both pools, 8 and 4 bits."""
    x = b.input("image", "u8", (3, 10, 9), zero_point=[125, 123, 114], scale=1 / 64)
    x = b.conv2d("conv1", x, **codes(rng, (16, 3, 3, 3), "odd", 8), padding=1)
    x = b.lif("lif1", batch_norm(b, rng, x), decay=0.5)
    x = b.conv2d("conv2", x, **codes(rng, (33, 16, 3, 3), "odd", 4), stride=(1, 2), padding=(0, 1, 1, 1))
    x = b.lif(
        "lif2", batch_norm(b, rng, x), decay=0.75, reset="subtract", state="i8", leak="tz12", strict=True
    )
    x = b.maxpool2d("maxpool", x, 2, stride=2, padding=(1, 0, 0, 1))
    x = b.conv2d(
        "conv3", x, **codes(rng, (24, 11, 1, 3), "sym", 4), padding=(0, 0, 2, 2), dilation=(1, 2), groups=3
    )
    x = b.lif("lif3", x, decay=0.9, leak_at_store=True, threshold=0.6, input_gain=0.5)
    x = b.flatten("flatten", b.avgpool2d("avgpool", x, 2))
    x = b.linear("head", x, **codes(rng, (5, int(np.prod(b.shape(x)))), "sym", 8), bias=rng.normal(size=5))
    b.output("logits", b.readout("readout", x, "mean"))
    return 3, rng.integers(0, 256, (2, 3, 10, 9)).astype(np.uint8)


def spikes_x(b: snncore.GraphBuilder, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Spike trains, 1-bit weights, profile X with int16 and int32 membranes."""
    x = b.input("events", "b1", (65, 4, 4), layout="TNCHW")
    x = b.conv2d("conv1", x, **codes(rng, (40, 65, 3, 3), "odd", 1), padding=1)
    x = b.lif("lif1", batch_norm(b, rng, x), profile="X", leak="half_floor", strict=True)
    x = b.linear("fc", b.flatten("flatten", x), **codes(rng, (30, 640), "odd", 8))
    x = b.lif("lif2", batch_norm(b, rng, x), profile="X", leak="half_floor")
    x = b.linear("head", x, **codes(rng, (4, 30), "odd", 2))
    b.output("logits", b.readout("readout", x, "sum"))
    return 4, rng.random((4, 2, 65, 4, 4)) < 0.3


def residual_u(b: snncore.GraphBuilder, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Profile U, an identity shortcut into the membrane, a sum of spikes, counts into 2-bit weights."""
    x = b.input("events", "b1", (20, 5, 5), layout="TNCHW")
    y = b.conv2d("conv1", x, **codes(rng, (20, 20, 3, 3), "odd", 2), padding=1)
    y = b.lif("lif1", b.add("join", [batch_norm(b, rng, y), x]), profile="U", state="i32", unit_bits=12)
    z = b.conv2d("conv2", y, **codes(rng, (20, 20, 1, 1), "sym", 2))
    z = b.lif("lif2", z, profile="U", decay=1.0, threshold=0.8, reset="subtract")
    x = b.flatten("flatten", b.avgpool2d("pool", b.add("sum", [x, y, z]), 5))
    x = b.linear("head", x, **codes(rng, (3, 20), "odd", 2))
    b.output("logits", b.readout("readout", x, "last"))
    b.output("spikes", "lif2")
    return 5, rng.random((5, 2, 20, 5, 5)) < 0.2


def float32(b: snncore.GraphBuilder, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Float weights and membranes: the order of every sum shows."""

    def weight(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    x = b.input("image", "f32", (3, 7, 7), zero_point=[120, 130, 110], scale=0.015)
    x = b.conv2d("conv1", x, weight(9, 3, 3, 3), bias=rng.normal(size=9), padding=1)
    x = b.lif("lif1", x, decay=0.9, threshold=0.7, input_gain=0.6)
    x = b.conv2d("conv2", b.maxpool2d("maxpool", x, 2), weight(18, 3, 3, 3), groups=3)
    x = b.lif("lif2", x, decay=0.5, reset="subtract", strict=True, threshold=0.3)
    x = b.linear("head", b.flatten("flatten", x), weight(4, 18), bias=rng.normal(size=4))
    b.output("logits", b.readout("readout", x, "mean"))
    return 4, rng.integers(0, 256, (2, 3, 7, 7)).astype(np.uint8)


NETWORKS: list[Callable[[snncore.GraphBuilder, np.random.Generator], tuple[int, np.ndarray]]] = [
    pixels_w,
    spikes_x,
    residual_u,
    float32,
]


def main() -> None:
    for seed, network in enumerate(NETWORKS):
        builder = snncore.GraphBuilder()
        timesteps, x = network(builder, np.random.default_rng(seed))
        model = builder.build(timesteps, provenance={"name": network.__name__})
        path = FOLDER / f"{network.__name__}.{model.metadata['format']}.snn"
        model.save(path)
        result = run(path, x)
        arrays = {"x": x} | {f"output:{name}": y.numpy() for name, y in result.outputs.items()}
        for name, spikes in result.spikes.items():
            arrays[f"spikes:{name}"] = spikes.numpy()
            arrays[f"v:{name}"] = (
                result.membranes[name].numpy().astype(np.float32 if network is float32 else np.int32)
            )
        arrays |= {f"sum:{name}": s.numpy() for name, s in result.sums.items() if s.dim() == 2}
        answers = FOLDER / f"{network.__name__}.npz"
        np.savez_compressed(answers, **arrays)
        rates = {name: round(float(s.float().mean()), 3) for name, s in result.spikes.items()}
        print(path.name, path.stat().st_size, answers.stat().st_size, "rates", rates)


if __name__ == "__main__":
    main()
