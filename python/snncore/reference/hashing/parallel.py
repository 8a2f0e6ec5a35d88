"""Many small networks side by side, as one product of stacked matrices.

Each maps a vector to the values of its hash functions: ``W3 relu(W2 relu(W1 x + b1) + b2) + b3``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

Granularity = Literal["shared", "table", "function"]


class ParallelNetworks(nn.Module):
    """Networks of three layers, one for each table, one for each function, or one trunk for all.

    Parameters
    ----------
    dim
        Length of a vector.
    tables, functions
        Hash tables, and the functions of each.
    hidden
        Units of both hidden layers of one network.
    granularity
        "table": `tables` networks of `functions` outputs. "function": a network for each output. "shared":
        one network of all outputs.
    """

    def __init__(
        self, dim: int, tables: int, functions: int, hidden: tuple[int, int], granularity: Granularity
    ) -> None:
        super().__init__()
        outputs = tables * functions
        self.networks = {"shared": 1, "table": tables, "function": outputs}[granularity]
        widths = (dim, *hidden, outputs // self.networks)
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(self.networks, a, b) * (2 / a) ** 0.5) for a, b in pairwise(widths)
        )
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(self.networks, 1, width)) for width in widths[1:]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, dim] to [n, tables * functions]."""
        y = x.expand(self.networks, *x.shape)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            y = torch.baddbmm(bias, torch.relu(y) if layer else y, weight)
        return y.transpose(0, 1).flatten(1)

    def macs(self) -> int:
        """Multiply-adds of one vector."""
        return sum(weight.numel() for weight in self.weights)

    def size(self) -> int:
        """Numbers that the networks hold."""
        return sum(p.numel() for p in self.parameters())
