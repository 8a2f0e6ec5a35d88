"""ONNX, both ways. Needs ``snncore[onnx]``."""

from .calling import Call, neuron_call
from .reading import from_onnx
from .writing import to_onnx

__all__ = ["Call", "from_onnx", "neuron_call", "to_onnx"]
