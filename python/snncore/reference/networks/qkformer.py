"""QKFormer (arXiv 2403.16552): three levels of tokens, the finer two with attention by a mask."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..attention import Kind
from ..network import Network, Residual
from .parts import Pixels, Row, check_count
from .scheme import Scheme
from .transformer import block, finished, parsed, transformer_scheme

KINDS: tuple[Kind, ...] = ("qk_token", "qk_token", "ssa")


def qkformer(
    size: str = "4-384",
    classes: int = 10,
    *,
    heads: int = 8,
    depths: Sequence[int] | None = None,
    pools: Sequence[int] = (0, 1, 1),
    kinds: Sequence[Kind] = KINDS,
    ratio: int = 4,
    scheme: Scheme | None = None,
    timesteps: int = 4,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
    in_channels: int = 3,
) -> Network:
    """Build QKFormer: levels of D/4, D/2 and D channels, spikes in the shortcuts, whose sums are counts.

    Each level begins with two 3x3 convolutions and neurons, beside a 1x1 convolution and a neuron. Spikes
    are pooled after the neuron, where the authors pool before it.

    Parameters
    ----------
    size
        Blocks and channels D of the last level: "4-384" for CIFAR; for ImageNet the authors have "10-384",
        "10-512" and "10-768".
    depths
        Blocks of each level; default (1, 1, rest), or from 8 blocks (1, 2, rest).
    pools
        How often each level halves the image, 0 to 2: (0, 1, 1) for CIFAR, (2, 1, 1) for ImageNet.
    kinds
        The attention of each level.
    classes, heads, ratio, scheme, timesteps, preprocess, labels, in_channels
        As for `snn_vit`.

    Raises
    ------
    ValueError
        A size or a list that does not fit.
    """
    blocks, channels = parsed(size)
    if blocks < 3 and depths is None:
        raise ValueError(f"three levels need 3 blocks or more, got size '{size}'")
    second = 2 if blocks >= 8 else 1
    depths = (1, second, blocks - 1 - second) if depths is None else depths
    for what, values in (("depths", depths), ("pools", pools), ("kinds", kinds)):
        check_count(what, values, 3)
    if sum(depths) != blocks or min(pools) < 0 or max(pools) > 2:
        raise ValueError(f"depths must add up to {blocks} and pools be 0, 1 or 2, got {depths} and {pools}")
    if channels % 8:
        raise ValueError(f"channels must be a multiple of 8, got {channels}")
    row = Row(in_channels, transformer_scheme() if scheme is None else scheme)
    for level in range(3):
        wide = channels // 4 * 2**level if level else channels // 4
        _embedding(row, str(level + 1), wide, pools[level], first=level == 0)
        options = {"heads": heads}
        for number in range(1, depths[level] + 1):
            block(row, f"{level + 1}_{number}", kinds[level], "spikes", ratio * wide, options)
    return finished(row, "spikes", classes, timesteps, preprocess, labels)


def _embedding(row: Row, suffix: str, channels: int, pools: int, *, first: bool) -> None:
    """Begin a level: the image's level has its first convolution before the two ways part."""
    if first:
        row.conv(f"{suffix}_0", channels // 2, first=True)
        if pools == 2:
            row.add(f"pool{suffix}", nn.MaxPool2d(3, stride=2, padding=1))
            pools = 1
    body = Row(row.channels, row.scheme)
    if not first:
        body.conv("1", channels)
    body.conv("2", channels)
    if pools:
        body.add("pool", nn.MaxPool2d(3, stride=2, padding=1))
    beside = Row(row.channels, row.scheme)
    beside.conv("", channels, 1, 2 if pools else 1)
    row.add(f"embedding{suffix}", Residual(body.done(), beside.done()))
    row.channels = channels
