"""Attention maps of one bit: counts between pairs, a neuron that keeps what it did not spend, counts again.

Of queries, keys and values in {0, 1}, per head of d channels and N tokens::

    qk   score[n, m] = sum_c Q[c, n] K[c, m]   0..d     z[c, n] = sum_m A[n, m] V[c, m]   0..N
    kv   score[i, j] = sum_n K[i, n] V[j, n]   0..N     z[j, n] = sum_i A[i, j] Q[i, n]   0..d

A is what the map's neuron makes of the scores: tau 2, threshold 1, soft reset, no scale::

    h[t] = (v[t-1] + score[t]) / 2      A[t] = h[t] >= 1      v[t] = h[t] - A[t]

Since a sign stands between the two products, the variants are different functions. In integers, with
U = 2^t h[t], there is no division (`fired_maps`); U stays below ``score * 2^T``, so float32 has the same bits
as long as that is at most 2^24.

Source: "Binary Event-Driven Spiking Transformer", IJCAI 2025 (arXiv 2501.05904), and its public code.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from .network import Timed
from .neurons import LIF

Variant = Literal["qk", "kv"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def map_neuron() -> LIF:
    """Make the neuron of a map: tau 2, fires at 1, soft reset.

    ``LIF(decay=0.0, threshold=k)`` in its place is a map without memory: ``score >= k``.
    """
    return LIF(decay=0.5, input_gain=0.5, threshold=1.0, reset="subtract")


def fired_maps(scores: Tensor, threshold: int = 1) -> Tensor:
    """Fire in integers, as the definition for an engine: scores int64 [T, ...] to maps 0 or 1 int64, alike.

    ``U <- U + score[t] * 2^(t-1)``; fires where ``U >= threshold * 2^t``, which then is subtracted; t = 1..T.
    """
    if scores.is_floating_point():
        raise ValueError(f"fired_maps counts in integers, received {scores.dtype}")
    u = torch.zeros_like(scores[0])
    maps = []
    for t, score in enumerate(scores):
        u = u + (score << t)
        fired = u >= threshold << (t + 1)
        u = torch.where(fired, u - (threshold << (t + 1)), u)
        maps.append(fired)
    return torch.stack(maps).to(scores.dtype)


class _OfHeads(nn.Module):
    """What both products share: the variant, and heads cut out of the channels, c belongs to c // d."""

    def __init__(self, variant: Variant, heads: int = 1) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
        self.variant: Variant = variant
        self.heads = heads

    def _cut(self, x: Tensor) -> Tensor:
        """Shape [N, D, H, W] as [N, heads, d, tokens]."""
        return x.reshape(len(x), self.heads, x.shape[1] // self.heads, -1)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"variant={self.variant!r}, heads={self.heads}"


class MapScores(_OfHeads):
    """Count what pairs share: spikes [N, D, H, W] twice, exact.

    Variant "qk", of queries and keys: [N, heads, tokens, tokens]; "kv", of keys and values: [N, heads, d, d].
    """

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute the scores."""
        first, second = self._cut(x), self._cut(y)
        if self.variant == "qk":
            return first.transpose(-1, -2) @ second
        return first @ second.transpose(-1, -2)


class MapProduct(_OfHeads):
    """Count what a map selects: maps shaped as `MapScores` has them, spikes [N, D, H, W] to counts, exact.

    The spikes are the values in variant "qk", the queries in "kv".
    """

    def forward(self, maps: Tensor, x: Tensor) -> Tensor:
        """Compute the sums."""
        spikes, turned = self._cut(x), maps.transpose(-1, -2)
        sums = spikes @ turned if self.variant == "qk" else turned @ spikes
        return sums.reshape(x.shape)


class StepGain(Timed):
    """One trained factor for each step and head (lambda), which begins at 1: [T, (N,) D, H, W] to alike."""

    def __init__(self, timesteps: int, heads: int = 1) -> None:
        super().__init__()
        if timesteps < 1 or heads < 1:
            raise ValueError(f"timesteps and heads must be at least 1, got {timesteps} and {heads}")
        self.gain = nn.Parameter(torch.ones(timesteps, heads))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply; a run of fewer steps uses the first factors."""
        steps, heads = self.gain.shape
        if len(x) > steps:
            raise ValueError(f"this gain knows {steps} steps, got {len(x)}")
        factors = self.gain[: len(x)].repeat_interleave(x.shape[-3] // heads, dim=1)
        return x * factors.reshape(len(x), *[1] * (x.dim() - 4), -1, 1, 1)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"timesteps={len(self.gain)}, heads={self.gain.shape[1]}"
