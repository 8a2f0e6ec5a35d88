"""The PyTorch path: modules to train, quantisers, and the definitions that the engine is compared with.

Importing this package needs torch (``pip install snncore[torch]``); nothing else of snncore does.
"""

from .binary import BinaryQuantizer, anneal, annealing, binary, binary_codes
from .channels import channel_groups, keep_channels, top_channels
from .losses import dual_regulation_loss, per_step_cross_entropy, rate_loss
from .membranes import MembraneQuantizer, QuantizedLIF, calibrate_membranes
from .modules import ChannelMap, Conv2d, Linear, Quantizer, WeightQuantizer
from .network import Network, Residual, Unrolled
from .neurons import IF, LIF
from .quantize import rescaw, rescaw_codes, symmetric, symmetric_codes

__all__ = [
    "IF",
    "LIF",
    "BinaryQuantizer",
    "ChannelMap",
    "Conv2d",
    "Linear",
    "MembraneQuantizer",
    "Network",
    "QuantizedLIF",
    "Quantizer",
    "Residual",
    "Unrolled",
    "WeightQuantizer",
    "anneal",
    "annealing",
    "binary",
    "binary_codes",
    "calibrate_membranes",
    "channel_groups",
    "dual_regulation_loss",
    "keep_channels",
    "per_step_cross_entropy",
    "rate_loss",
    "rescaw",
    "rescaw_codes",
    "symmetric",
    "symmetric_codes",
    "top_channels",
]
