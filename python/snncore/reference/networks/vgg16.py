"""VGG-16 of QP-SNN (arXiv 2502.05905, table 9): 13 convolutions, four pools, a final average, one linear."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..network import Network
from . import vgg
from .parts import Pixels, network
from .scheme import Scheme

PLAN: vgg.Plan = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512)


def vgg16(
    classes: int = 10,
    *,
    scheme: Scheme | None = None,
    size: int = 32,
    timesteps: int = 4,
    width: float = 1.0,
    compress_rate: Sequence[float] | None = None,
    channels: Sequence[int] | None = None,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
) -> Network:
    """Build VGG-16 for images [3, size, size].

    Parameters
    ----------
    classes
        Outputs of the classifier.
    scheme
        What is quantised; default: nothing.
    size
        Pixels on a side, a multiple of 32: 32 for CIFAR, 64 for TinyImageNet.
    timesteps
        T.
    width
        Multiplies every number of channels.
    compress_rate
        12 rates: the share of channels that is pruned of each convolution but the last.
    channels
        13 numbers of channels, instead of `width` and `compress_rate`.
    preprocess, labels
        As for `Network`.

    Raises
    ------
    ValueError
        A list of another length, a rate outside 0..1, a size that does not halve evenly.
    """
    row = vgg.new_row(3, scheme)
    side = vgg.side_after(PLAN, size)
    # The first convolution has a bias in the authors' code, which its batch normalisation takes away again.
    vgg.features(PLAN, vgg.widths(PLAN, width, compress_rate, channels), nn.MaxPool2d, row, bias=True)
    row.classifier(row.channels * side * side, classes)
    return network(row, timesteps, preprocess, labels)
