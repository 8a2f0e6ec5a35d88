"""What the networks share: widths, the rows of layers they are made of, and the network around a row."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence, Sized
from typing import Any

from torch import nn

from snncore.compress.ratios import is_share

from ..modules import Conv2d, Linear
from ..network import Network
from .scheme import Scheme

Pixels = Mapping[str, Any] | None


def scaled(channels: Sequence[int], width: float) -> list[int]:
    """Multiply every number of channels by `width`; at least 1 stays."""
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}")
    return [max(1, int(n * width)) for n in channels]


def kept(channels: Sequence[int], rates: Sequence[float]) -> list[int]:
    """Give what pruning leaves: ``int(n * (1 - rate))``, the rule that reproduces the paper's sizes."""
    outside = [rate for rate in rates if not is_share(rate) or rate == 1]
    if outside:
        raise ValueError(f"rates must lie in 0..1 and below 1, got {outside[0]!r}")
    left = [int(n * (1 - rate)) for n, rate in zip(channels, rates, strict=True)]
    if 0 in left:
        at = left.index(0)
        raise ValueError(f"rate {rates[at]} leaves none of the {channels[at]} channels of layer {at + 1}")
    return left


def check_count(what: str, values: Sequence[Any], expected: int) -> None:
    """Refuse a list of another length."""
    given = len(values) if isinstance(values, Sized) else repr(values)
    if given != expected:
        raise ValueError(f"{what} must have {expected} entries, got {given}")


def checked_channels(what: str, values: Sequence[int], expected: int) -> list[int]:
    """Give numbers of channels as they are; refuse a list of another length and what is no such number."""
    check_count(what, values, expected)
    wrong = [n for n in values if not isinstance(n, int) or n < 1]
    if wrong:
        raise ValueError(f"{what} must be whole numbers from 1, got {wrong[0]!r}")
    return list(values)


class Row:
    """A row of named layers in the making; `channels` is what the last convolution gives."""

    def __init__(self, channels: int, scheme: Scheme) -> None:
        self.channels, self.scheme = channels, scheme
        self.layers: OrderedDict[str, nn.Module] = OrderedDict()

    def add(self, name: str, layer: nn.Module) -> None:
        """Append a layer."""
        self.layers[name] = layer

    def conv(
        self,
        suffix: str,
        channels: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        first: bool = False,
        bias: bool = False,
        fires: bool = True,
        dilation: int = 1,
    ) -> None:
        """Append ``conv``, ``bn`` and, if it `fires`, ``lif``; `first` takes the quantiser of the ends.

        The image keeps its size but for `stride`.
        """
        quantizer = self.scheme.ends if first else self.scheme.hidden
        self.layers[f"conv{suffix}"] = Conv2d(
            self.channels,
            channels,
            kernel,
            stride=stride,
            padding=kernel // 2 * dilation,
            dilation=dilation,
            bias=bias,
            quantizer=quantizer,
        )
        self.layers[f"bn{suffix}"] = nn.BatchNorm2d(channels)
        if fires:
            self.layers[f"lif{suffix}"] = self.scheme.make_neuron()
        self.channels = channels

    def classifier(self, features: int, classes: int) -> None:
        """Append the flattening and the linear layer."""
        if classes < 1:
            raise ValueError(f"classes must be at least 1, got {classes}")
        self.layers["flatten"] = nn.Flatten()
        self.layers["fc"] = Linear(features, classes, quantizer=self.scheme.ends)

    def done(self) -> nn.Sequential:
        """Give the layers."""
        return nn.Sequential(self.layers)


def network(row: Row, timesteps: int, preprocess: Pixels, labels: Sequence[str]) -> Network:
    """Put a row into a network, with the initial weights of the authors' code.

    Convolutions are normal with variance 2 / (C_out * k * k), batch normalisation is the identity.
    """
    net = Network(row.done(), timesteps=timesteps, preprocess=preprocess, labels=labels)
    for module in net.modules():
        if isinstance(module, Conv2d) and isinstance(module.weight, nn.Parameter):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net
