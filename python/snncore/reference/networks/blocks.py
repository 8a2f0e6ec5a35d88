"""The residual blocks: what is added, and when neurons fire."""

from __future__ import annotations

from typing import Literal

from torch import nn

from ..modules import ChannelMap
from ..network import Residual
from .parts import Row

Shortcut = Literal["zero_padded", "convolution"]


def basic_block(row: Row, suffix: str, inner: int, out: int, stride: int, shortcut: Shortcut) -> None:
    """Append ``block`` and its ``lif``: conv-bn-lif-conv-bn plus the spikes before it, then the neuron.

    A shortcut spike adds exactly 1 to the current.
    """
    body = Row(row.channels, row.scheme)
    body.conv("1", inner, stride=stride)
    body.conv("2", out, fires=False)
    bypass = None
    if stride != 1 or row.channels != out:
        bypass = _bypass(row, out, stride, shortcut)
    row.add(f"block{suffix}", Residual(body.done(), bypass))
    row.add(f"lif{suffix}", row.scheme.make_neuron())
    row.channels = out


def sew_block(row: Row, suffix: str, out: int, stride: int) -> None:
    """Append ``block``: conv-bn-lif-conv-bn-lif plus the counts before it; its output is counts of spikes.

    The ADD form of Fang et al., "Deep Residual Learning in Spiking Neural Networks" (arXiv 2102.04159).
    """
    body = Row(row.channels, row.scheme)
    body.conv("1", out, stride=stride)
    body.conv("2", out)
    bypass = None
    if stride != 1 or row.channels != out:
        other = Row(row.channels, row.scheme)
        other.conv("", out, 1, stride)
        bypass = other.done()
    row.add(f"block{suffix}", Residual(body.done(), bypass))
    row.channels = out


def _bypass(row: Row, out: int, stride: int, shortcut: Shortcut) -> nn.Sequential:
    if shortcut == "convolution":
        other = Row(row.channels, row.scheme)
        other.conv("", out, 1, stride, fires=False)
        return other.done()
    coded = row.scheme.hidden is not None
    other = Row(row.channels, row.scheme)
    other.add("map", ChannelMap.zero_padded(row.channels, out, stride, coded=coded))
    return other.done()
