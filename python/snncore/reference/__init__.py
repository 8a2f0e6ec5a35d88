"""The PyTorch path: modules to train, quantisers, and the definitions that the engine is compared with.

Importing this package needs torch (``pip install snncore[torch]``); nothing else of snncore does.
"""

from .modules import Conv2d, Linear, Network, WeightQuantizer
from .neurons import IF, LIF
from .quantize import rescaw, rescaw_codes, symmetric, symmetric_codes

__all__ = [
    "IF",
    "LIF",
    "Conv2d",
    "Linear",
    "Network",
    "WeightQuantizer",
    "rescaw",
    "rescaw_codes",
    "symmetric",
    "symmetric_codes",
]
