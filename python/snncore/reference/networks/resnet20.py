"""ResNet-20 of QP-SNN (arXiv 2502.05905, table 10): widths 128/256/512, shortcuts without weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..network import Network
from .blocks import basic_block
from .parts import Pixels, Row, checked_channels, kept, network, scaled
from .scheme import Scheme

STREAM = (64, 128, 256, 512)  #: the stem, and what each stage gives
BLOCKS = 3  #: in a stage


def resnet20(
    classes: int = 10,
    *,
    scheme: Scheme | None = None,
    timesteps: int = 2,
    width: float = 1.0,
    compress_rate: Sequence[float] | None = None,
    channels: tuple[Sequence[int], Sequence[int]] | None = None,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
) -> Network:
    """Build ResNet-20 for images [3, H, W] (32x32 for CIFAR), with a global average before the classifier.

    Where a stage begins, its shortcut takes every second pixel and pads channels with zeros (`ChannelMap`).

    Parameters
    ----------
    classes, scheme, timesteps, width, preprocess, labels
        As for `vgg16`.
    compress_rate
        The authors' list, 12 rates or more: of the stem, of what the blocks of stage 1 give, of stage 2; then
        of the inner channels of the nine blocks. Stage 3 keeps what it gives. ``[0.1] + [0.3] * 3 + [0.6] *
        16`` is theirs: entries after the twelfth are not used.
    channels
        Instead of `width` and `compress_rate`: 4 widths of the stem and the stages, 9 inner ones.

    Raises
    ------
    ValueError
        A list of another length, a rate outside 0..1.
    """
    stream, inner = widths(width, compress_rate) if channels is None else channels
    stream = checked_channels("channels of stem and stages", stream, len(STREAM))
    inner = checked_channels("inner channels", inner, BLOCKS * 3)
    row = Row(3, scheme or Scheme())
    row.conv("", stream[0], first=True)
    for stage in range(3):
        for block in range(BLOCKS):
            stride = 2 if stage > 0 and block == 0 else 1
            wide = inner[BLOCKS * stage + block]
            basic_block(row, f"{stage + 1}_{block + 1}", wide, stream[stage + 1], stride, "zero_padded")
    row.add("average", nn.AdaptiveAvgPool2d(1))
    row.classifier(row.channels, classes)
    return network(row, timesteps, preprocess, labels)


def widths(width: float, compress_rate: Sequence[float] | None) -> tuple[list[int], list[int]]:
    """Widths of the stem and the stages, and of the nine blocks inside, by the authors' list."""
    stream = scaled(STREAM, width)
    inner = [n for n in stream[1:] for _ in range(BLOCKS)]
    if compress_rate is None:
        return stream, inner
    if len(compress_rate) < 12:
        raise ValueError(f"compress_rate must have 12 entries or more, got {len(compress_rate)}")
    return kept(stream, [*compress_rate[:3], 0.0]), kept(inner, compress_rate[3:12])
