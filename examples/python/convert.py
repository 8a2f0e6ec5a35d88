"""From a PyTorch network to a .snn file, with proof that the spikes are the same. Needs snncore[torch]."""

import tempfile
from pathlib import Path

import torch
from torch import nn

import snncore
from snncore.reference import LIF, Conv2d, Linear, Network, WeightQuantizer

pixels = WeightQuantizer("symmetric", bits=8)
hidden = WeightQuantizer("rescaw", bits=4, factor=True)
network = Network(
    nn.Sequential(
        Conv2d(3, 32, 3, padding=1, bias=False, quantizer=pixels),
        nn.BatchNorm2d(32),
        LIF(decay=0.5, threshold=1.0, reset="zero"),
        nn.MaxPool2d(2),
        Conv2d(32, 64, 3, padding=1, bias=False, quantizer=hidden),
        nn.BatchNorm2d(64),
        LIF(decay=0.5, threshold=1.0, reset="zero"),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        Linear(64, 10, quantizer=pixels),
    ),
    timesteps=4,
    preprocess={"zero_point": [125, 123, 114], "scale": 1 / 64, "size": [32, 32]},
)
# ... train it here, then:
model = snncore.from_torch(network, torch.zeros(1, 3, 32, 32))
path = Path(tempfile.mkdtemp()) / "net.snn"
model.save(path)
print(model.summary())

images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
print(snncore.verify(model, None, images))  # the integer reference: every spike, bit for bit
print(snncore.verify(model, network, images))  # the float network: where rounding makes the first difference
