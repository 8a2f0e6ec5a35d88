"""The networks of W7 in PyTorch, float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, MissingError, Subject, fastest
from peer_runners.torch_ops import F, torch, with_threads
from workloads import networks

Array = NDArray[Any]


def lif(x: torch.Tensor) -> torch.Tensor:
    """[T, C, H, W]: decay 1/2, threshold 1, reset to zero."""
    v = torch.zeros_like(x[0])
    fired = []
    for current in x:
        v = v * 0.5 + current
        s = (v >= 1.0).to(x.dtype)
        v = v * (1 - s)
        fired.append(s)
    return torch.stack(fired)


class Synapse(torch.nn.Module):
    """A convolution or linear layer with its bias."""

    def __init__(self, layer: networks.Layer) -> None:
        super().__init__()
        scale = 2.0**-layer.shift
        self.weight = torch.nn.Parameter(torch.from_numpy(layer.values * np.float32(scale)))
        self.bias = torch.nn.Parameter(torch.from_numpy((layer.offsets * scale).astype(np.float32)))
        self.stride = layer.stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.weight.ndim == 2:
            return F.linear(x, self.weight, self.bias)
        return F.conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.weight.shape[2] // 2)


class Block(torch.nn.Module):
    def __init__(self, block: networks.Block) -> None:
        super().__init__()
        self.first, self.second = Synapse(block.first), Synapse(block.second)
        self.shortcut = torch.nn.Identity() if block.shortcut is None else Synapse(block.shortcut)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return lif(self.second(lif(self.first(x))) + self.shortcut(x))


class Stack(torch.nn.Module):
    """A `networks.Network` on pixels less their zero point, [1, 3, H, W]: logits [1, 10]."""

    def __init__(self, network: networks.Network) -> None:
        super().__init__()
        self.body = torch.nn.ModuleList(
            torch.nn.MaxPool2d(2)
            if isinstance(part, str)
            else Synapse(part)
            if isinstance(part, networks.Layer)
            else Block(part)
            for part in network.body
        )
        self.head = Synapse(network.head)
        self.average = network.global_average

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = image.expand(networks.STEPS, -1, -1, -1)
        for part in self.body:
            x = lif(part(x)) if isinstance(part, Synapse) else part(x)
        x = x.mean(dim=(2, 3)) if self.average else x.flatten(1)
        return self.head(x).mean(dim=0, keepdim=True)


def compile_or_missing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile; a machine without a C++ compiler has no such peer."""
    import shutil

    if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
        raise MissingError("torch.compile needs a C++ compiler")
    torch._dynamo.reset()
    compiled: Callable[..., Any] = torch.compile(function, dynamic=False)
    return compiled


def torch_subjects(network: networks.Network, image: Array, quick: bool) -> list[Subject]:
    stack = Stack(network).eval()
    x = torch.from_numpy(image).float() - networks.ZERO_POINT
    wide = Stack(network).eval().to(memory_format=torch.channels_last)
    wide_x = x.contiguous(memory_format=torch.channels_last)

    def eager(threads: int) -> Call:
        return fastest([with_threads(threads, stack, x), with_threads(threads, wide, wide_x)])

    def compiled(threads: int) -> Call:
        torch.set_num_threads(threads)
        return with_threads(threads, compile_or_missing(stack), x)

    found = [Subject("torch-f32", eager, lambda y: True)]
    if not quick:
        found.append(Subject("torch-compile", compiled, lambda y: True))
    return found
