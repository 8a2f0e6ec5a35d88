"""Networks whose float32 sums are exact, so that every order of summation gives the same spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

import snncore


def dyadic(net: nn.Module, seed: int = 0, gain: float = 1.0) -> nn.Module:
    """Make weights multiples of 2^-8, and batch norms that change nothing but signs and halves."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, (nn.Conv2d, nn.Linear)):
                width = max(16, int(256 * gain / part.weight[0].numel() ** 0.5))
                part.weight.copy_(
                    torch.randint(-width, width * 3 // 2, part.weight.shape, generator=rng) / 256
                )
                if part.bias is not None:
                    part.bias.copy_(torch.randint(0, 65, part.bias.shape, generator=rng) / 256)
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.eps = 0.0
                part.running_var.fill_(1.0)
                part.running_mean.copy_(torch.randint(-8, 9, part.running_mean.shape, generator=rng) / 256)
                part.weight.copy_(2.0 ** torch.randint(-1, 2, part.weight.shape, generator=rng))
                part.bias.copy_(torch.randint(0, 65, part.bias.shape, generator=rng) / 256)
    return net.eval()


def images(steps: int | None, samples: int, shape: tuple[int, ...], seed: int = 1) -> torch.Tensor:
    """Dyadic pixels in -1..2, [T, N, ...] or [N, ...]."""
    rng = torch.Generator().manual_seed(seed)
    full = (samples, *shape) if steps is None else (steps, samples, *shape)
    return torch.randint(-16, 33, full, generator=rng) / 16


def check(model: snncore.Model, net: Any, x: torch.Tensor) -> snncore.parity.VerifyReport:
    """Every spike and output equal, in layers that are neither silent nor always on; a saved file, too."""
    report = snncore.verify(model, net, x.numpy())
    assert report.equal, str(report)
    assert report.label_agreement == 1.0
    names = list(report.layers)
    result = model.run(x.numpy(), record=names)
    rates = [float(np.mean(result.spikes[n].numpy())) for n in names]
    assert all(rate > 0 for rate in rates) and min(rates, default=0.5) < 0.9, (
        f"too quiet or too loud: {rates}"
    )
    again = snncore.load(model.to_bytes()).run(x.numpy(), threads=2)
    np.testing.assert_array_equal(again, result.outputs)
    return report


def settled(net: nn.Module, x: torch.Tensor, seed: int = 0) -> nn.Module:
    """Weights in sixteenths, and batch norms that make x, [T, N, ...], fire often enough in every layer.

    They move by sixteenths and divide by powers of two, of what the very layer before them gives.
    """
    rng = torch.Generator().manual_seed(seed)

    def settle(norm: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        axes = [axis for axis in range(inputs[0].dim()) if axis != inputs[0].dim() - _feature_axes(norm)]
        mean, spread = inputs[0].mean(axes), inputs[0].std(axes, correction=0).clamp_min(2.0**-3)
        norm.eps = 0.0
        norm.running_mean.copy_(torch.round(mean * 16) / 16)
        norm.running_var.copy_(4.0 ** torch.round(torch.log2(spread)))
        norm.weight.copy_(2.0 ** torch.randint(0, 2, mean.shape, generator=rng))
        norm.bias.copy_(torch.randint(8, 25, mean.shape, generator=rng) / 16)

    hooks = []
    with torch.no_grad():
        for part in net.eval().modules():
            if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                part.weight.copy_(torch.randint(-4, 5, part.weight.shape, generator=rng) / 16)
                if part.bias is not None:
                    part.bias.copy_(torch.randint(-8, 9, part.bias.shape, generator=rng) / 16)
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                hooks.append(part.register_forward_pre_hook(settle))
        net(x.float())
    for hook in hooks:
        hook.remove()
    for part in net.modules():
        if hasattr(part, "reset"):
            part.reset()
    return net


def _feature_axes(norm: nn.Module) -> int:
    return 3 if isinstance(norm, nn.BatchNorm2d) else 2
