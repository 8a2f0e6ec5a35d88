"""Prints what BESTformer's published sizes weigh, and what training keeps in memory, recomputing or not.

    python recipes/bestformer_sizes.py

Sizes are counted from the definitions: weights of one or eight bits, 32 for all else. Memory is what a
forward pass of "N-96" keeps for the backward pass, of 16 images, two steps, 64 tokens.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from snncore.compress import model_size
from snncore.reference import Network
from snncore.reference.networks import IMAGENET_POOLS, bestformer, bestformer_scheme

IMAGENET: dict[str, Any] = {"classes": 1000, "kind": "map_kv", "pools": IMAGENET_POOLS}
SIZES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("CIFAR-10", "4-384", {}),
    ("CIFAR-100", "4-384", {"classes": 100}),
    ("ImageNet", "8-512", IMAGENET),
)


def sizes() -> list[tuple[str, str, str, int, int, float]]:
    """Data, size, form of the ends, parameters, those of one bit, MB."""
    rows: list[tuple[str, str, str, int, int, float]] = []
    for data, size, options in SIZES:
        for ends in ("float", "int8"):
            with torch.device("meta"):
                net = bestformer(size, scheme=bestformer_scheme(1, ends=ends), **options)
            counted = model_size(net)
            rows.append((data, size, ends, counted.parameters, counted.weights_of(1), counted.mb))
    return rows


def kept_bytes(net: Network, x: Tensor) -> int:
    """Bytes that a forward pass keeps for the backward pass, each storage once, without the parameters."""
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    kept: dict[int, tuple[int, Tensor]] = {}

    def keep(values: Tensor) -> Tensor:
        storage = values.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), values)  # alive, so that no address comes twice
        return values

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda values: values):
        net(x)
    return sum(size for size, _ in kept.values())


def memory(blocks: int) -> tuple[float, float]:
    """MB that are kept without and with recomputation."""
    torch.manual_seed(0)
    options: dict[str, Any] = {"heads": 4, "timesteps": 2, "pools": (True, True, False, False)}
    x = torch.randn(16, 3, 32, 32)
    made = [bestformer(f"{blocks}-96", recompute=again, **options) for again in (False, True)]
    plain, again = (kept_bytes(net.train(), x) / 1e6 for net in made)
    return plain, again


def main() -> int:
    print(f"{'data':<10} {'size':<6} {'ends':<6} {'parameters':>11} {'of 1 bit':>11} {'MB':>6}")
    for data, size, ends, parameters, bits, mb in sizes():
        print(f"{data:<10} {size:<6} {ends:<6} {parameters:>11,} {bits:>11,} {mb:6.3f}")
    print(f"\n{'blocks':<10} {'MB kept':>8} {'recomputed':>11}")
    for blocks in (2, 4, 8):
        plain, again = memory(blocks)
        print(f"{blocks:<10} {plain:8.1f} {again:11.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
