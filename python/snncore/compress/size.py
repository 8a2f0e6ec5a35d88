"""How large a network is by the count that papers report: the weights' bits, and 32 for everything else.

    size = sum over quantised layers of weights * bits  +  32 * (all other parameters)

Other parameters are unquantised weights, biases, and the gain and shift of batch normalisation; its running
statistics and the scales of quantised layers are not counted. A MB is 10^6 bytes. Source: Wei et al.,
"QP-SNN", ICLR 2025 (arXiv 2502.05905), equation 16. A `.snn` file is another thing: it holds one scale and
the folded constants of each channel, and says its own size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_FLOAT_BITS = 32


@dataclass(frozen=True)
class SizedLayer:
    """Parameters of one module; `bits` are those of its weights, `other` values have 32."""

    name: str
    kind: str  #: class of the module
    weights: int
    bits: int
    other: int

    @property
    def total_bits(self) -> int:
        """All bits of the layer."""
        return self.weights * self.bits + self.other * _FLOAT_BITS


@dataclass(frozen=True)
class ModelSize:
    """The size of a network, layer by layer."""

    layers: tuple[SizedLayer, ...]

    @property
    def bytes(self) -> float:
        """All bits, by eight."""
        return sum(layer.total_bits for layer in self.layers) / 8

    @property
    def mb(self) -> float:
        """In units of 10^6 bytes."""
        return self.bytes / 1e6

    @property
    def parameters(self) -> int:
        """Number of parameters, of whatever bits."""
        return sum(layer.weights + layer.other for layer in self.layers)

    def weights_of(self, bits: int) -> int:
        """Count the weights that have `bits` bits."""
        return sum(layer.weights for layer in self.layers if layer.bits == bits)


def model_size(module: Any) -> ModelSize:
    """Count a torch network whose quantised layers have a `quantizer`, as those of `snncore.reference` do.

    Parameters
    ----------
    module
        A `torch.nn.Module`; only the shapes of its parameters matter, so it may lie on the device "meta".

    Raises
    ------
    ValueError
        `module` is no torch module, or has no parameters.
    """
    if not hasattr(module, "named_modules"):
        raise ValueError(f"model_size: expected a torch module, received {type(module).__name__}")
    layers = [_sized(name, part) for name, part in module.named_modules()]
    counted = tuple(layer for layer in layers if layer.weights + layer.other)
    if not counted:
        raise ValueError(f"model_size: {type(module).__name__} has no parameters")
    return ModelSize(counted)


def size_mb(module: Any) -> float:
    """Give the size of a torch network in MB (10^6 bytes): `model_size`."""
    return model_size(module).mb


def _sized(name: str, part: Any) -> SizedLayer:
    own = {role: int(values.numel()) for role, values in part.named_parameters(recurse=False)}
    quantizer = getattr(part, "quantizer", None)
    weights = own.pop("weight", 0)
    bits = _FLOAT_BITS if quantizer is None else int(quantizer.bits)
    return SizedLayer(name, type(part).__name__, weights, bits, sum(own.values()))
