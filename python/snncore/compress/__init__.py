"""Models made smaller without training: pure functions from a model to a model and a report."""

from .prune_report import PrunedStream, PruneReport
from .pruning import prune
from .quantizing import quantize
from .report import QuantizedLayer, QuantizeReport
from .size import ModelSize, model_size, size_mb

__all__ = [
    "ModelSize",
    "PruneReport",
    "PrunedStream",
    "QuantizeReport",
    "QuantizedLayer",
    "model_size",
    "prune",
    "quantize",
    "size_mb",
]
