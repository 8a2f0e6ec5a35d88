"""Prints the sizes of QP-SNN's and Q-SNN's networks, counted from their definitions, against the papers'.

    python recipes/qpsnn_sizes.py

Nothing is trained, and no weight is stored: shapes are enough.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from snncore.compress import size_mb
from snncore.reference import Network
from snncore.reference.networks import (
    Scheme,
    float_snn,
    q_snn,
    qp_snn,
    resnet19,
    resnet20,
    sew_resnet18,
    vgg16,
    vggsnn,
)

BITS = (8, 4, 2)


@dataclass(frozen=True)
class Entry:
    """One network of a paper's table, and the sizes in MB that are printed there."""

    data: str
    network: str
    build: Callable[..., Network]
    arguments: dict[str, Any]
    published: tuple[float, ...]  # at the bits of `schemes`
    schemes: tuple[Scheme, ...] = tuple(qp_snn(bits) for bits in BITS)
    names: tuple[str, ...] = tuple(f"{bits} bit" for bits in BITS)


def _vgg16(data: str, rates: Sequence[float], published: tuple[float, ...]) -> Entry:
    """Rates of the convolutions 1-7 and 8-12."""
    classes = {"CIFAR-10": 10, "CIFAR-100": 100, "TinyImageNet": 200}[data]
    size = 64 if data == "TinyImageNet" else 32
    arguments = {"size": size, "compress_rate": [rates[0]] * 7 + [rates[1]] * 5}
    return Entry(data, "VGG-16", vgg16, {"classes": classes, **arguments}, published)


def _resnet20(data: str, rates: Sequence[float], published: tuple[float, ...]) -> Entry:
    """Rates as the authors' code spreads them: [0.1] + [first] * 3 + [second] * 16."""
    compress_rate = [0.1] + [rates[0]] * 3 + [rates[1]] * 16
    arguments = {"classes": {"CIFAR-10": 10, "CIFAR-100": 100}[data], "compress_rate": compress_rate}
    return Entry(data, "ResNet20", resnet20, arguments, published)


def _vggsnn(rates: Sequence[float], published: tuple[float, ...]) -> Entry:
    """Rates of the convolutions 1-3 and 4-7."""
    return Entry(
        "DVS-CIFAR10", "VGGSNN", vggsnn, {"compress_rate": [rates[0]] * 3 + [rates[1]] * 4}, published
    )


#: QP-SNN (arXiv 2502.05905): table 1.
TABLE_1 = (
    _resnet20("CIFAR-10", (0.3, 0.6), (6.27, 3.16, 1.61)),
    _resnet20("CIFAR-10", (0.35, 0.75), (3.92, 1.98, 1.02)),
    _vgg16("CIFAR-10", (0.45, 0.51), (4.28, 2.16, 1.10)),
    _vgg16("CIFAR-10", (0.49, 0.80), (1.45, 0.74, 0.39)),
    _resnet20("CIFAR-100", (0.3, 0.6), (6.45, 3.35, 1.79)),
    _resnet20("CIFAR-100", (0.35, 0.75), (4.10, 2.17, 1.20)),
    _vgg16("CIFAR-100", (0.45, 0.70), (2.48, 1.35, 0.79)),
    _vgg16("CIFAR-100", (0.45, 0.78), (1.85, 1.04, 0.63)),
    _vgg16("TinyImageNet", (0.45, 0.51), (5.90, 3.78, 2.72)),
    _vgg16("TinyImageNet", (0.45, 0.62), (4.67, 3.17, 2.41)),
    _vggsnn((0.5, 0.7), (1.61, 0.90, 0.55)),
    _vggsnn((0.5, 0.8), (1.05, 0.62, 0.41)),
    _vggsnn((0.82, 0.93), (0.40, 0.29, 0.24)),
)

#: The same paper's dense networks, Q-SNN's ResNet-19 (arXiv 2406.13672), and SEW-ResNet-18 without pruning.
OTHERS = (
    Entry("CIFAR-10", "VGG-16", vgg16, {}, (58.88,), (float_snn(),), ("float",)),
    Entry("CIFAR-100", "ResNet20", resnet20, {"classes": 100}, (68.4,), (float_snn(),), ("float",)),
    Entry(
        "ImageNet",
        "SEW-ResNet18",
        sew_resnet18,
        {},
        (13.28, 7.71),
        (qp_snn(8), qp_snn(4)),
        ("8 bit", "4 bit"),
    ),
    Entry("CIFAR-10", "ResNet-19", resnet19, {}, (1.62,), (q_snn(8),), ("1w-8u",)),
    Entry("CIFAR-100", "ResNet-19", resnet19, {"classes": 100}, (1.67,), (q_snn(8),), ("1w-8u",)),
)


def sizes(entry: Entry) -> list[float]:
    """Ours, in MB, in the order of the published ones."""
    with torch.device("meta"):
        return [size_mb(entry.build(scheme=scheme, **entry.arguments)) for scheme in entry.schemes]


def main() -> int:
    print("sizes in MB, 10^6 bytes")
    print(f"{'data':<13} {'network':<13} {'weights':<8} {'ours':>8} {'paper':>8} {'apart':>8}")
    for entry in TABLE_1 + OTHERS:
        for name, ours, paper in zip(entry.names, sizes(entry), entry.published, strict=True):
            shown = f"{ours:8.3f} {paper:8.2f} {ours - paper:+8.3f}"
            print(f"{entry.data:<13} {entry.network:<13} {name:<8} {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
