"""QP-SNN's VGG-16 (arXiv 2502.05905, table 9), T = 4, random weights: dense, quantised, and pruned too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import snncore
from harness import MissingError, Subject

try:
    import torch
    from torch import nn

    from snncore.compress import size_mb
    from snncore.reference import Network
    from snncore.reference.networks import Scheme, float_snn, qp_snn, vgg16
    from workloads import twins
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
        found = [twins.eager("torch-f32", self.dense.net, self.image)]
        if compiled:
            found.append(twins.compiled(self.dense.net, self.image))
        return [*found, twins.eager("torch-f32-pruned", pruned.net, self.image)]


def _built(scheme: Scheme, narrower: int, rates: list[float] | None = None) -> Built:
    net = vgg16(
        10, scheme=scheme, timesteps=4, width=1 / narrower, compress_rate=rates, preprocess=PREPROCESS
    )
    return Built(twins.normalised(net, CALIBRATION))
