"""What of a network is quantised, and which neuron it has."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from snncore.compress.codes import Gamma, Granularity

from ..binary import BinaryQuantizer
from ..membranes import Form, MembraneQuantizer, QuantizedLIF
from ..modules import ChannelMap, Conv2d, Linear, Quantizer, WeightQuantizer
from ..network import Composite, Network
from ..neurons import LIF
from ..quantize import Ste

#: The first convolution and the classifier: one scale a layer, the largest magnitude at code 127.
EIGHT_BITS = WeightQuantizer("symmetric", 8, granularity="layer")

Ends = Literal["float", "int8"]


def _default_neuron() -> LIF:
    return LIF(decay=0.5, threshold=1.0, strict=True)


@dataclass(frozen=True)
class Scheme:
    """How a network is quantised.

    Attributes
    ----------
    hidden
        Of every convolution but the first, those of shortcuts too; None: float32.
    ends
        Of the convolutions that read the image and the classifier; None: float32.
    neuron
        Each neuron layer is a copy of it.
    """

    hidden: Quantizer | None = None
    ends: Quantizer | None = None
    neuron: LIF = field(default_factory=_default_neuron)

    def make_neuron(self) -> LIF:
        """Make the neuron of one layer."""
        return copy.deepcopy(self.neuron)

    def applied(self, net: Network) -> Network:
        """Return a copy of `net` with these quantisers and neurons and the parameters that it has.

        So a quantised network is trained from its float parent, and a pruned one at other bits. Convolutions
        before the first neuron and every `Linear` are the ends. The neuron after a sum of attention stays.

        Raises
        ------
        ValueError
            A layer with weights that is none of `snncore.reference`; the message names it.
        """
        changed = copy.deepcopy(net)
        _Application(self).row(changed.layers)
        return changed


def float_snn(neuron: LIF | None = None) -> Scheme:
    """Nothing quantised: the parent that quantised networks are trained from."""
    return Scheme(None, None, neuron or _default_neuron())


def qp_snn(
    bits: int = 4,
    *,
    ends: Ends = "float",
    gamma: Gamma = "mean",
    granularity: Granularity = "channel",
    factor: bool = False,
    ste: Ste = "code",
    neuron: LIF | None = None,
) -> Scheme:
    """QP-SNN: ReScaW weights of `bits` bits (`rescaw` has the other options), float membranes.

    The first convolution and the classifier are float32 in the paper; `ends` "int8" quantises them, too,
    which a network needs that shall run in integers throughout. The neuron has decay 0.5 and threshold 1 and
    fires above it (`strict`), as the authors' code does; the paper prints "at or above".
    """
    hidden = WeightQuantizer("rescaw", bits, granularity, gamma, factor, ste)
    return Scheme(hidden, _ends(ends), neuron or _default_neuron())


def q_snn(
    membrane_bits: int = 2,
    *,
    form: Form = "linear",
    alpha: float | None = 1.0,
    ends: Ends = "int8",
) -> Scheme:
    """Q-SNN, the authors' "1w-8u", "1w-4u", "1w-2u": 1-bit weights and membranes of 8, 4 or 2 bits.

    `form` and `alpha` are those of `MembraneQuantizer`: the paper's networks have "tanh" with alpha None, the
    engine's integer neurons are "linear".
    """
    neuron = QuantizedLIF(
        MembraneQuantizer(membrane_bits, form, alpha), decay=0.5, threshold=1.0, strict=True
    )
    return Scheme(BinaryQuantizer(), _ends(ends), neuron)


def _ends(ends: Ends) -> Quantizer | None:
    if ends not in ("float", "int8"):
        raise ValueError(f"ends must be 'float' or 'int8', got {ends!r}")
    return EIGHT_BITS if ends == "int8" else None


@dataclass
class _Application:
    """Walks the rows of a network and replaces what its scheme says."""

    scheme: Scheme
    fired: bool = False  # whether a neuron has been met: what comes before reads the image

    def row(self, layers: nn.Module, prefix: str = "") -> None:
        for name, layer in list(layers.named_children()):
            path = f"{prefix}{name}"
            if isinstance(layer, Composite):
                self.composite(layer, f"{path}.")
            elif isinstance(layer, LIF):
                setattr(layers, name, self.scheme.make_neuron())
                self.fired = True
            elif isinstance(layer, ChannelMap):
                layer.coded = self.scheme.hidden is not None
            elif isinstance(layer, Conv2d):
                layer.quantizer = self.scheme.hidden if self.fired else self.scheme.ends
            elif isinstance(layer, Linear):
                layer.quantizer = self.scheme.ends
            elif isinstance(layer, (nn.Conv2d, nn.Linear)):
                raise ValueError(
                    f"'{path}': expected a {type(layer).__name__} of snncore.reference, received one of torch"
                )

    def composite(self, layer: nn.Module, prefix: str) -> None:
        """Go on in the rows; neurons that are no part of a row, such as those of attention, stay."""
        fired = self.fired
        for name, part in layer.named_children():
            if isinstance(part, nn.ModuleDict):
                self.composite(part, f"{prefix}{name}.")
            elif isinstance(part, nn.Sequential):
                before, self.fired = self.fired, fired
                self.row(part, f"{prefix}{name}.")
                self.fired = self.fired or before
