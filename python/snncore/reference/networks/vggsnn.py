"""VGGSNN for event data: of QP-SNN (arXiv 2502.05905, table 11) and, with averages, of Q-SNN (2406.13672)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import nn

from ..network import Network
from . import vgg
from .parts import Pixels, network
from .scheme import Scheme

PLAN: vgg.Plan = (64, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512)
_POOLS: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


def vggsnn(
    classes: int = 10,
    *,
    scheme: Scheme | None = None,
    size: int = 48,
    timesteps: int = 10,
    width: float = 1.0,
    pool: Literal["max", "average"] = "max",
    compress_rate: Sequence[float] | None = None,
    channels: Sequence[int] | None = None,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
) -> Network:
    """Build VGGSNN for event frames [2, size, size].

    Parameters
    ----------
    classes, scheme, timesteps, width, preprocess, labels
        As for `vgg16`.
    size
        Pixels on a side, a multiple of 16.
    pool
        Of spikes between the stages: "max" is QP-SNN's, "average" Q-SNN's. The last one is an average.
    compress_rate
        7 rates: the share of channels that is pruned of each convolution but the last.
    channels
        8 numbers of channels, instead of `width` and `compress_rate`.

    Raises
    ------
    ValueError
        As for `vgg16`; an unknown pool.
    """
    if pool not in _POOLS:
        raise ValueError(f"pool must be 'max' or 'average', got {pool!r}")
    row = vgg.new_row(2, scheme)
    side = vgg.side_after(PLAN, size)
    vgg.features(PLAN, vgg.widths(PLAN, width, compress_rate, channels), _POOLS[pool], row, bias=True)
    row.classifier(row.channels * side * side, classes)
    return network(row, timesteps, preprocess, labels)
