"""QP-SNN's VGG-16 (arXiv 2502.05905, table 9), T = 4, random weights: dense, quantised, and pruned too."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import snncore
from harness import Call, MissingError, Subject, fastest

try:
    import torch
    from torch import nn

    from peer_runners.torch_ops import with_threads
    from snncore.compress import size_mb
    from snncore.reference import LIF, Network
    from snncore.reference.networks import Scheme, float_snn, qp_snn, vgg16
except ImportError as problem:
    raise MissingError("this needs torch: the networks are built and compared in it") from problem

#: Of convolutions 1 to 7 and 8 to 12: the paper's smallest network for CIFAR-10, 9.6 % of the connections.
RATES = [0.49] * 7 + [0.8] * 5
#: A quarter of the connections: 54 % of the channels of all convolutions but the last go.
QUARTER = [0.54] * 12
PREPROCESS = {"zero_point": [128] * 3, "scale": 1 / 64, "size": [32, 32]}
#: Images for batch normalisation.
CALIBRATION = 32


@dataclass
class Built:
    """A network in PyTorch."""

    net: Network

    @property
    def weights(self) -> int:
        """Of convolutions and the classifier."""
        layers = (m for m in self.net.modules() if isinstance(m, (nn.Conv2d, nn.Linear)))
        return sum(layer.weight.numel() for layer in layers)

    @property
    def counted(self) -> float:
        """MB as the paper counts them."""
        return size_mb(self.net)

    def model(self) -> snncore.Model:
        return snncore.from_torch(self.net, torch.zeros(1, 3, 32, 32))


class Networks:
    """The pruned networks, the whole and the dense float32 network, and the picture that all are shown."""

    def __init__(self, bits: int, narrower: int) -> None:
        torch.manual_seed(0)
        self.narrower = narrower
        self.pruned = _built(qp_snn(bits, ends="int8"), narrower, RATES)
        self.quarter = _built(qp_snn(bits, ends="int8"), narrower, QUARTER)
        self.whole = _built(qp_snn(bits, ends="int8"), narrower)
        self.dense = _built(float_snn(), narrower)
        self.image = np.random.default_rng(5).integers(0, 256, (1, 3, 32, 32), dtype=np.uint8)

    def torch_subjects(self, compiled: bool) -> list[Subject]:
        """Give the dense twin, compiled as well, and what pruning alone gives in PyTorch."""
        pruned = _built(float_snn(), self.narrower, RATES)
        found = [_eager("torch-f32", self.dense.net, self.image)]
        if compiled:
            found.append(_compiled(self.dense.net, self.image))
        return [*found, _eager("torch-f32-pruned", pruned.net, self.image)]


def _built(scheme: Scheme, narrower: int, rates: list[float] | None = None) -> Built:
    net = vgg16(
        10, scheme=scheme, timesteps=4, width=1 / narrower, compress_rate=rates, preprocess=PREPROCESS
    )
    return Built(_normalised(net))


def _normalised(net: Network) -> Network:
    """Let batch normalisation take its statistics from random images."""
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of what it sees
            module.reset_running_stats()
    with torch.no_grad():
        net(net.normalise(torch.randint(0, 256, (CALIBRATION, 3, 32, 32), dtype=torch.uint8)))
    return net.eval()


class Twin(nn.Module):
    """The same network, faster in PyTorch: batch norm folded, the first layer once for all steps."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        parts: list[Any] = []
        for layer in net.layers:
            if isinstance(layer, nn.BatchNorm2d):
                parts[-1] = torch.nn.utils.fusion.fuse_conv_bn_eval(parts[-1], layer)
            else:
                parts.append(layer)
        self.parts, self.steps = nn.ModuleList(parts), net.timesteps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *rest = self.parts
        x = first(x).expand(self.steps, -1, -1, -1)
        for part in rest:
            x = _lif(x) if isinstance(part, LIF) else part(x)
        return x.mean(0, keepdim=True)


def _lif(x: torch.Tensor) -> torch.Tensor:
    """[T, C, H, W]: decay 1/2, a spike above 1, reset to zero."""
    v = torch.zeros_like(x[0])
    fired = []
    for current in x:
        v = v * 0.5 + current
        spikes = v > 1.0
        v = v.masked_fill(spikes, 0.0)
        fired.append(spikes)
    return torch.stack(fired).to(x.dtype)


def _values(net: Network, image: np.ndarray) -> torch.Tensor:
    return net.normalise(torch.from_numpy(image))


def _folds(net: Network, image: np.ndarray) -> Callable[[Any], bool]:
    """Say whether the twin is the module: compared in float64, where no rounding decides about a spike."""
    exact, x = copy.deepcopy(net).double(), _values(net, image).double()
    with torch.inference_mode():
        expected = exact(x)
        same = torch.allclose(Twin(exact)(x), expected, rtol=1e-9, atol=1e-9)
    return lambda y: same and y.shape == expected.shape and bool(y.isfinite().all())


def _eager(peer: str, net: Network, image: np.ndarray) -> Subject:
    x = _values(net, image)
    forms = [
        (Twin(net).eval().to(memory_format=form), x.contiguous(memory_format=form))
        for form in (torch.contiguous_format, torch.channels_last)
    ]

    def prepare(threads: int) -> Call:
        return fastest([with_threads(threads, twin, values) for twin, values in forms])

    return Subject(peer, prepare, _folds(net, image))


def _compiled(net: Network, image: np.ndarray) -> Subject:
    def prepare(threads: int) -> Call:
        from peer_runners.networks_ops import compile_or_missing

        torch.set_num_threads(threads)
        return with_threads(threads, compile_or_missing(Twin(net).eval()), _values(net, image))

    return Subject("torch-compile", prepare, _folds(net, image))
