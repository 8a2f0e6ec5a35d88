"""The PyTorch path: modules to train, quantisers, and the definitions that the engine is compared with.

Importing this package needs torch (``pip install snncore[torch]``); nothing else of snncore does.
"""

from .attention import Attention, Count, HeadSums, Mask, attention_neuron, flip_rates, saccades
from .binary import BinaryQuantizer, anneal, annealing, binary, binary_codes
from .channels import channel_groups, keep_channels, top_channels
from .losses import dual_regulation_loss, per_step_cross_entropy, rate_loss
from .membranes import MembraneQuantizer, QuantizedLIF, calibrate_membranes
from .modules import ChannelMap, Conv2d, Linear, Quantizer, WeightQuantizer
from .network import Branches, Composite, Network, Residual, Unrolled
from .neurons import IF, LIF
from .quantize import rescaw, rescaw_codes, symmetric, symmetric_codes
from .saccades import Saccade, decoupled_threshold, fixations, flip_rate

__all__ = [
    "IF",
    "LIF",
    "Attention",
    "BinaryQuantizer",
    "Branches",
    "ChannelMap",
    "Composite",
    "Conv2d",
    "Count",
    "HeadSums",
    "Linear",
    "Mask",
    "MembraneQuantizer",
    "Network",
    "QuantizedLIF",
    "Quantizer",
    "Residual",
    "Saccade",
    "Unrolled",
    "WeightQuantizer",
    "anneal",
    "annealing",
    "attention_neuron",
    "binary",
    "binary_codes",
    "calibrate_membranes",
    "channel_groups",
    "decoupled_threshold",
    "dual_regulation_loss",
    "fixations",
    "flip_rate",
    "flip_rates",
    "keep_channels",
    "per_step_cross_entropy",
    "rate_loss",
    "rescaw",
    "rescaw_codes",
    "saccades",
    "symmetric",
    "symmetric_codes",
    "top_channels",
]
