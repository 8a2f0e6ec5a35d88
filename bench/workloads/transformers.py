"""Spiking transformers with random weights, T = 4, and attention alone at any number of tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import snncore
from harness import MissingError, Subject

try:
    import torch

    from snncore.reference import Network
    from snncore.reference.networks import (
        IMAGENET_POOLS,
        bestformer,
        bestformer_scheme,
        qkformer,
        snn_vit,
        spike_driven_transformer,
        spikformer,
        transformer_scheme,
    )
    from workloads import twins
except ImportError as problem:
    raise MissingError("this needs torch: the networks are built and compared in it") from problem

NETWORKS: dict[str, Callable[..., Network]] = {
    "SNN-ViT": snn_vit,
    "Spike-driven Transformer": spike_driven_transformer,
    "Spikformer": spikformer,
    "QKFormer": qkformer,
    "BESTformer": bestformer,
}
#: Networks of 1-bit weights without a scale, whose ends are float32; others have 8 bits, too.
ONE_BIT = {"BESTformer": bestformer_scheme}
#: With random weights nothing fires behind the maps at the published scale of their sums, 0.125.
SCALE = 1.0
STEPS = 4
#: From so many pixels on the network is that for ImageNet.
LARGE = 128
LARGE_OPTIONS: dict[str, dict[str, Any]] = {name: {"pools": IMAGENET_POOLS} for name in NETWORKS} | {
    "QKFormer": {"pools": (2, 1, 1)},
    "BESTformer": {"pools": IMAGENET_POOLS, "kind": "map_kv", "classes": 1000},
}
#: Images for batch normalisation.
CALIBRATION = 8


@dataclass
class Transformer:
    """One of the networks at one size: of so many bits, and its float32 twin."""

    name: str
    size: str
    pixels: int = 32
    timesteps: int = STEPS
    scale: float = SCALE  #: of the sums behind BESTformer's maps
    ends: str = "float"  #: of a network with 1-bit weights, or "int8"

    @property
    def image(self) -> np.ndarray:
        return self.images(1)

    def images(self, count: int) -> np.ndarray:
        shape = (count, 3, self.pixels, self.pixels)
        return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)

    def has(self, bits: int) -> bool:
        return bits in (1, 32) or self.name not in ONE_BIT

    def network(self, bits: int) -> Network:
        torch.manual_seed(0)
        side = [self.pixels, self.pixels]
        one_bit = ONE_BIT.get(self.name)
        scheme = transformer_scheme(bits) if one_bit is None else one_bit(bits, ends=self.ends)
        net = NETWORKS[self.name](
            self.size,
            scheme=scheme,
            timesteps=self.timesteps,
            preprocess={"zero_point": [128] * 3, "scale": 1 / 64, "size": side},
            **({} if one_bit is None else {"scale": self.scale}),
            **(LARGE_OPTIONS[self.name] if self.pixels >= LARGE else {}),
        )
        return twins.normalised(net, CALIBRATION if self.pixels < LARGE else 1)

    def model(self, bits: int) -> snncore.Model:
        return snncore.from_torch(self.network(bits), torch.zeros(1, 3, self.pixels, self.pixels))

    def torch_subjects(self, compiled: bool) -> list[Subject]:
        net = self.network(32)
        found = [twins.eager("torch-f32", net, self.image)]
        return [*found, twins.compiled(net, self.image)] if compiled else found


def attention(kind: str, channels: int, heads: int, side: int, steps: int, rows: bool) -> snncore.Model:
    """Make attention of side * side tokens: with `rows` from spikes through 1-bit layers, else the rest."""
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    shape = (channels, side, side)

    def row(name: str) -> str:
        if not rows:
            return b.input(name, "b1", shape)
        codes = rng.integers(-1, 1, (channels, channels, 1, 1)).astype(np.int8)
        y = b.conv2d(f"{name}.conv", x, codes, encoding="odd", bits=1, scale=[channels**-0.5])
        return b.lif(name, y, threshold=0.5)

    x = b.input("x", "b1", shape) if rows else ""
    if kind == "ssa":
        sums = b.attention("sums", row("q"), row("k"), row("v"), heads=heads)
        y = b.lif("gate", sums, input_gain=0.125 / side, threshold=0.5)
    else:
        counts = b.count("queries", row("q"), over="channels", heads=heads)
        threshold = np.full(steps, 0.2 * channels / heads)
        gate = b.saccade("gate", counts, mode="v2_joint_static", threshold=threshold, mix=np.eye(steps))
        y = b.mask("mask", row("v"), gate)
    b.output("y", y)
    return b.build(steps)
