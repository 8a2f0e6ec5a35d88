"""Does a model fire the same spikes as what it was made from? Compared step by step, neuron by neuron."""

from .comparing import TOLERANCE, verify
from .report import Difference, LayerParity, Margin, MembraneDifference, VerifyReport

__all__ = [
    "TOLERANCE",
    "Difference",
    "LayerParity",
    "Margin",
    "MembraneDifference",
    "VerifyReport",
    "verify",
]
