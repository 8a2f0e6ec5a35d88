"""The PyTorch path: modules to train, quantisers, and the definitions that the engine is compared with.

Importing this package needs torch (``pip install snncore[torch]``); nothing else of snncore does.
"""

from .attention import Attention, Count, HeadSums, Mask, attention_neuron, flip_rates, saccades
from .binary import BinaryQuantizer, anneal, annealing, binary, binary_codes, weights_at_mean
from .channels import channel_groups, keep_channels, top_channels
from .coupled import Coupled, Coupling, HeadMean
from .losses import CieLoss, cie_loss, dual_regulation_loss, per_step_cross_entropy, rate_loss
from .maps import MapProduct, MapScores, StepGain, map_neuron
from .membranes import MembraneQuantizer, QuantizedLIF, calibrate_membranes
from .modules import ChannelMap, Conv2d, Linear, Quantizer, WeightQuantizer
from .network import Branches, Composite, Head, Network, Residual, Timed, Unrolled
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
    "CieLoss",
    "Composite",
    "Conv2d",
    "Count",
    "Coupled",
    "Coupling",
    "Head",
    "HeadMean",
    "HeadSums",
    "Linear",
    "MapProduct",
    "MapScores",
    "Mask",
    "MembraneQuantizer",
    "Network",
    "QuantizedLIF",
    "Quantizer",
    "Residual",
    "Saccade",
    "StepGain",
    "Timed",
    "Unrolled",
    "WeightQuantizer",
    "anneal",
    "annealing",
    "attention_neuron",
    "binary",
    "binary_codes",
    "calibrate_membranes",
    "channel_groups",
    "cie_loss",
    "decoupled_threshold",
    "dual_regulation_loss",
    "fixations",
    "flip_rate",
    "flip_rates",
    "keep_channels",
    "map_neuron",
    "per_step_cross_entropy",
    "rate_loss",
    "rescaw",
    "rescaw_codes",
    "saccades",
    "symmetric",
    "symmetric_codes",
    "top_channels",
    "weights_at_mean",
]
