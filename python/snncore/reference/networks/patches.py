"""Patch embedding of spiking transformers: stages of convolutions, each with a neuron and, perhaps, a pool.

A stage is the sum of its branches, each a convolution with its own batch normalisation, then the neuron, then
a 3x3 maximum of spikes with stride 2. `split` gives the stages of SPS (one 3x3 branch) and of GL-SPS (one for
each dilation) at D/8, D/4, D/2 and D channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from ..network import Branches, Residual
from .parts import Row

CIFAR_POOLS = (False, False, True, True)  #: 32x32 pixels to 8x8 tokens
IMAGENET_POOLS = (True, True, True, True)  #: 224x224 pixels to 14x14 tokens


@dataclass(frozen=True)
class Branch:
    """One convolution of a stage."""

    kernel: int = 3
    dilation: int = 1


@dataclass(frozen=True)
class Stage:
    """One stage: what it gives, the convolutions it adds, and whether its spikes are pooled."""

    channels: int
    branches: tuple[Branch, ...] = (Branch(),)
    pool: bool = False


def split(
    channels: int, pools: Sequence[bool] = CIFAR_POOLS, dilations: Sequence[int] = (1,)
) -> tuple[Stage, ...]:
    """Give the stages of SPS, or with dilations (1, 2) of GL-SPS, that end in D = `channels`."""
    last = len(pools) - 1
    if not pools or channels % 2**last:
        raise ValueError(
            f"channels must be a multiple of {2 ** max(last, 0)} for {len(pools)} stages, got {channels}"
        )
    if not dilations or min(dilations) < 1:
        raise ValueError(f"dilations must be whole numbers from 1, got {list(dilations)}")
    branches = tuple(Branch(dilation=d) for d in dilations)
    return tuple(Stage(channels // 2 ** (last - i), branches, bool(pool)) for i, pool in enumerate(pools))


def patch_embedding(row: Row, stages: Sequence[Stage], *, membranes: bool, position: bool = True) -> None:
    """Append the stages and, with `position`, the branch that tells where a patch is (RPE).

    Without `membranes` the branch is convolution, batch normalisation and neuron, whose spikes are added to
    those of the last stage. With `membranes` the last stage ends without a neuron: its real values, plus
    neuron, convolution and batch normalisation of them, begin the stream of the blocks. If that stage is
    pooled, its neuron and the pool come first and what the branch makes of the spikes is the stream alone,
    since a maximum is of spikes here.
    """
    for number, stage in enumerate(stages, 1):
        last = membranes and number == len(stages)
        _stage(row, str(number), stage, first=number == 1)
        if not last or stage.pool:
            row.add(f"lif{number}", row.scheme.make_neuron())
        if stage.pool:
            row.add(f"pool{number}", nn.MaxPool2d(3, stride=2, padding=1))
    pooled = stages[-1].pool
    if membranes and pooled:
        row.conv("_rpe", row.channels, fires=False)
    elif position:
        branch = Row(row.channels, row.scheme)
        if membranes:
            branch.add("lif", row.scheme.make_neuron())
        branch.conv("", row.channels, fires=not membranes)
        row.add("rpe", Residual(branch.done()))


def _stage(row: Row, suffix: str, stage: Stage, *, first: bool) -> None:
    """Append the convolutions of a stage, without its neuron."""
    if not stage.branches:
        raise ValueError(f"stage {suffix} must have one branch or more")
    if len(stage.branches) == 1:
        (only,) = stage.branches
        row.conv(suffix, stage.channels, only.kernel, first=first, fires=False, dilation=only.dilation)
        return
    rows: dict[str, nn.Sequential] = {}
    for branch in stage.branches:
        part = Row(row.channels, row.scheme)
        part.conv("", stage.channels, branch.kernel, first=first, fires=False, dilation=branch.dilation)
        rows[f"k{branch.kernel}d{branch.dilation}"] = part.done()
    if len(rows) != len(stage.branches):
        raise ValueError(f"stage {suffix} has two branches of one kernel and dilation")
    row.add(f"stage{suffix}", Branches(rows))
    row.channels = stage.channels
