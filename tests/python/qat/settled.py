"""Networks of random weights whose batch normalisation knows the data, so that their neurons fire."""

from __future__ import annotations

import numpy as np
import torch

PIXELS = {"zero_point": [125, 123, 114], "scale": 1 / 64}


def images(count, size, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, channels, size, size), dtype=np.uint8)


def frames(steps, count, size, seed=0):
    return np.random.default_rng(seed).random((steps, count, 2, size, size)) < 0.3


def settle(net, x):
    """Take the statistics of `x` in one pass, and gains and shifts that differ from channel to channel."""
    torch.manual_seed(7)
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for bn in norms:
        bn.momentum = 1.0
        torch.nn.init.uniform_(bn.weight, 0.6, 1.6)
        torch.nn.init.uniform_(bn.bias, 0.0, 0.6)
    with torch.no_grad():
        net.train()(x)
    return net.eval()
