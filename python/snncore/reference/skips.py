"""Saccadic attention and its projection computed only where something is looked at.

A token that is never looked at needs neither its values nor the projection: what the projection makes of
silence is the same for all. A token last looked at in step t needs its values up to t. `skipping` computes
that and `Attention` followed by the projection gives the same numbers for every input: the skips of an engine
change nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .attention import Attention
from .saccades import WITH_KEYS


@torch.no_grad()
def skipping(attention: Attention, projection: nn.Sequential, x: Tensor) -> Tensor:
    """Run a saccadic `attention` and its `projection` (layers without neurons) in evaluation mode.

    Spikes float32 [T, N, D, H, W] to real values, alike.
    """
    if attention.kind != "saccadic":
        raise ValueError(f"only saccadic attention looks at some tokens, got kind {attention.kind!r}")
    steps, heads = len(x), attention.heads
    gate = attention.gate(*_counts(attention, x))
    looked = gate.permute(0, 1, 3, 4, 2).reshape(steps, -1, heads)  # [T, token of any sample, head]
    tokens = x.permute(0, 1, 3, 4, 2).reshape(steps, -1, x.shape[2])
    silent: Tensor = projection(torch.zeros(1, x.shape[2], 1, 1, dtype=x.dtype)).flatten()
    y = silent.expand_as(tokens).clone()
    last = (looked.amax(2) * torch.arange(1, steps + 1)[:, None]).amax(0)  # the last step, from 1; 0: never
    for until in range(1, steps + 1):
        chosen = torch.nonzero(last == until).flatten()
        if len(chosen) == 0:
            continue
        values = _row(attention, "v", tokens[:until, chosen, :, None, None])[..., 0, 0]
        values = values.reshape(until, len(chosen), heads, -1) * looked[:until, chosen, :, None]
        shown = looked[:until, chosen].amax(2).bool()  # zero rows are what silence gives
        y[:until, chosen] = y[:until, chosen].masked_scatter(
            shown[..., None], projection(values.flatten(2)[shown][:, :, None, None]).flatten(1)
        )
    images: Tensor = y.reshape(*x.shape[:2], *x.shape[3:], -1)
    return images.permute(0, 1, 4, 2, 3)


def _counts(attention: Attention, x: Tensor) -> list[Tensor]:
    counted = {"q": attention.queries}
    if attention.mode in WITH_KEYS:
        counted["k"] = attention.keys
    found = []
    for name, count in counted.items():
        frames: Tensor = count(_row(attention, name, x).flatten(0, 1))
        found.append(frames.reshape(len(x), -1, *frames.shape[1:]))
    return found


def _row(attention: Attention, name: str, x: Tensor) -> Tensor:
    """Run convolution, batch normalisation and neuron of one row."""
    conv, bn, lif = attention.get_submodule(name).children()
    frames: Tensor = bn(conv(x.flatten(0, 1)))
    spikes: Tensor = lif(frames.reshape(len(x), -1, *frames.shape[1:]))
    return spikes
