"""SEW-ResNet-18 for ImageNet: Fang et al. (arXiv 2102.04159), the ADD form, as QP-SNN quantises it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..network import Network
from .blocks import sew_block
from .parts import Pixels, Row, checked_channels, network, scaled
from .scheme import Scheme

STREAM = (64, 64, 128, 256, 512)  #: the stem, and what each stage gives
BLOCKS = 2  #: in a stage


def sew_resnet18(
    classes: int = 1000,
    *,
    scheme: Scheme | None = None,
    timesteps: int = 4,
    width: float = 1.0,
    channels: Sequence[int] | None = None,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
) -> Network:
    """Build SEW-ResNet-18 for images [3, H, W] (224x224), with a global average before the classifier.

    A stem of 7x7 with stride 2 and a 3x3 maximum of spikes with stride 2. Blocks give counts: 0..2 after one
    block, one more after each further block of a stage.

    Parameters
    ----------
    classes, scheme, timesteps, width, preprocess, labels
        As for `vgg16`.
    channels
        5 widths, instead of `width`: of the stem and the four stages.

    Raises
    ------
    ValueError
        A list of another length.
    """
    wide = scaled(STREAM, width) if channels is None else channels
    wide = checked_channels("channels", wide, len(STREAM))
    row = Row(3, scheme or Scheme())
    row.conv("", wide[0], 7, 2, first=True)
    row.add("pool", nn.MaxPool2d(3, stride=2, padding=1))
    for stage in range(1, len(STREAM)):
        for block in range(BLOCKS):
            sew_block(row, f"{stage}_{block + 1}", wide[stage], 2 if stage > 1 and block == 0 else 1)
    row.add("average", nn.AdaptiveAvgPool2d(1))
    row.classifier(row.channels, classes)
    return network(row, timesteps, preprocess, labels)
