"""ONNX, both ways. Needs ``snncore[onnx]``."""

from .reading import from_onnx
from .writing import to_onnx

__all__ = ["from_onnx", "to_onnx"]
