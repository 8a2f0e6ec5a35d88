"""Models made smaller without training: pure functions from a model to a model and a report."""

from .quantizing import quantize
from .report import QuantizedLayer, QuantizeReport
from .size import ModelSize, model_size, size_mb

__all__ = ["ModelSize", "QuantizeReport", "QuantizedLayer", "model_size", "quantize", "size_mb"]
