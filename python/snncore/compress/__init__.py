"""Models made smaller without training: pure functions from a model to a model and a report."""

from .quantizing import quantize
from .report import QuantizedLayer, QuantizeReport

__all__ = ["QuantizeReport", "QuantizedLayer", "quantize"]
