"""ResNet-19 of Q-SNN (arXiv 2406.13672, and its public code): 3/3/2 blocks, 128/256/512 channels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..network import Network
from .blocks import basic_block
from .parts import Pixels, Row, checked_channels, network, scaled
from .scheme import Scheme

STAGES = ((128, 3), (256, 3), (512, 2))  #: channels, blocks


def resnet19(
    classes: int = 10,
    *,
    scheme: Scheme | None = None,
    timesteps: int = 2,
    width: float = 1.0,
    channels: Sequence[int] | None = None,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
) -> Network:
    """Build ResNet-19 for images [3, H, W] (32x32 for CIFAR), with a global average before the classifier.

    Where a stage begins, its shortcut is a 1x1 convolution with batch normalisation, quantised like the rest.

    Parameters
    ----------
    classes, scheme, timesteps, width, preprocess, labels
        As for `vgg16`.
    channels
        3 widths of the stages, the first the stem's too, instead of `width`.

    Raises
    ------
    ValueError
        A list of another length.
    """
    wide = scaled([n for n, _ in STAGES], width) if channels is None else channels
    wide = checked_channels("channels", wide, len(STAGES))
    row = Row(3, scheme or Scheme())
    row.conv("", wide[0], first=True)
    for stage, (_, blocks) in enumerate(STAGES):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            suffix = f"{stage + 1}_{block + 1}"
            basic_block(row, suffix, wide[stage], wide[stage], stride, "convolution")
    row.add("average", nn.AdaptiveAvgPool2d(1))
    row.classifier(row.channels, classes)
    return network(row, timesteps, preprocess, labels)
