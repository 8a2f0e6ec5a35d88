"""Networks of `snncore.reference` as PyTorch runs them fastest in float32, and random statistics for them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from harness import Call, MissingError, Subject, fastest

try:
    import torch
    from torch import Tensor, nn

    from peer_runners.torch_ops import with_threads
    from snncore.reference import LIF, Network
except ImportError as problem:
    raise MissingError("this needs torch: the networks are built and compared in it") from problem


def normalised(net: Network, images: int) -> Network:
    """Let batch normalisation take its statistics from so many random images."""
    assert net.preprocess is not None
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of what it sees
            module.reset_running_stats()
    shape = (images, 3, *net.preprocess["size"])
    with torch.no_grad():
        net(net.normalise(torch.randint(0, 256, shape, dtype=torch.uint8)))
    return net.eval()


def twin(net: Network) -> Network:
    """Copy a network for speed: batch normalisation folded, neurons without what training needs."""
    made = copy.deepcopy(net).eval()
    for row in [m for m in made.modules() if isinstance(m, nn.Sequential)]:
        _fold(row)
    for part in list(made.modules()):
        for name, layer in part.named_children():
            if isinstance(layer, LIF):
                setattr(part, name, _Lif(layer))
    return made.requires_grad_(False)


def _fold(row: nn.Sequential) -> None:
    before = ""
    for name, layer in list(row.named_children()):
        if isinstance(layer, nn.BatchNorm2d):
            folded = torch.nn.utils.fusion.fuse_conv_bn_eval(row.get_submodule(before), layer)
            setattr(row, before, folded)
            delattr(row, name)
            continue
        before = name


class _Lif(LIF):
    """The same spikes, in whole tensors."""

    def __init__(self, like: LIF) -> None:
        if type(like) is not LIF:
            raise ValueError(f"the twin has leaky neurons, got {like}")
        super().__init__(
            decay=like.decay,
            input_gain=like.input_gain,
            threshold=like.threshold,
            strict=like.strict,
            reset=like.reset,
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.input_gain != 1.0:
            x = x * self.input_gain
        v = None
        fired = []
        for current in x:
            h = current if v is None else torch.add(current, v, alpha=self.decay)
            spikes = h > self.threshold if self.strict else h >= self.threshold
            v = h.masked_fill(spikes, 0.0) if self.reset == "zero" else h - spikes * self.threshold
            fired.append(spikes)
        return torch.stack(fired).to(x.dtype)


def values(net: Network, image: np.ndarray) -> Tensor:
    return net.normalise(torch.from_numpy(image))


def folds(net: Network, image: np.ndarray) -> Callable[[Any], bool]:
    """Say whether the twin is the module: compared in float64, where no rounding decides about a spike."""
    exact, x = copy.deepcopy(net).double(), values(net, image).double()
    with torch.inference_mode():
        expected = exact(x)
        same = torch.allclose(twin(exact)(x), expected, rtol=1e-9, atol=1e-9)
    return lambda y: same and y.shape == expected.shape and bool(y.isfinite().all())


def eager(peer: str, net: Network, image: np.ndarray) -> Subject:
    x = values(net, image)
    forms = [
        (twin(net).to(memory_format=form), x.contiguous(memory_format=form))
        for form in (torch.contiguous_format, torch.channels_last)
    ]

    def prepare(threads: int) -> Call:
        return fastest([with_threads(threads, made, shown) for made, shown in forms])

    return Subject(peer, prepare, folds(net, image))


def compiled(net: Network, image: np.ndarray) -> Subject:
    def prepare(threads: int) -> Call:
        from peer_runners.networks_ops import compile_or_missing

        torch.set_num_threads(threads)
        return with_threads(threads, compile_or_missing(twin(net)), values(net, image))

    return Subject("torch-compile", prepare, folds(net, image))
