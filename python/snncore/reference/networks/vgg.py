"""What VGG-16 and VGGSNN share: a plan of channels and pools, one neuron after each convolution."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from .parts import Row, check_count, checked_channels, kept, scaled
from .scheme import Scheme

Plan = tuple[int | str, ...]


def widths(
    plan: Plan, width: float, compress_rate: Sequence[float] | None, channels: Sequence[int] | None
) -> list[int]:
    """Channels of every convolution: given, or the plan's times `width`, less what pruning removes.

    `compress_rate` has one rate for each convolution but the last, which keeps all of its channels.
    """
    full = scaled([entry for entry in plan if isinstance(entry, int)], width)
    if channels is not None:
        if compress_rate is not None:
            raise ValueError("give compress_rate or channels, not both")
        return checked_channels("channels", channels, len(full))
    if compress_rate is None:
        return full
    check_count("compress_rate", compress_rate, len(full) - 1)
    return kept(full, [*compress_rate, 0.0])


def features(plan: Plan, channels: Sequence[int], pool: type[nn.Module], row: Row, *, bias: bool) -> None:
    """Append the plan's layers and the last 2x2 average; "M" is a pool of spikes over 2x2."""
    convs = pools = 0
    for entry in plan:
        if isinstance(entry, int):
            row.conv(str(convs + 1), channels[convs], first=convs == 0, bias=bias and convs == 0)
            convs += 1
        else:
            pools += 1
            row.add(f"pool{pools}", pool(2))
    row.add("average", nn.AvgPool2d(2))


def side_after(plan: Plan, size: int) -> int:
    """Pixels on a side of the image that reaches the classifier."""
    halvings = sum(not isinstance(entry, int) for entry in plan) + 1
    if size % 2**halvings:
        raise ValueError(f"size must be a multiple of {2**halvings}, got {size}")
    return int(size // 2**halvings)


def new_row(channels: int, scheme: Scheme | None) -> Row:
    """Begin a row that reads `channels`; without a scheme nothing is quantised."""
    return Row(channels, scheme or Scheme())
