"""What the spiking transformers share: schemes, blocks and the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from torch import nn

from ..attention import Attention, Kind
from ..binary import BinaryQuantizer
from ..modules import Quantizer, WeightQuantizer
from ..network import Network, Residual
from ..neurons import LIF
from .parts import Pixels, Row, network
from .scheme import EIGHT_BITS, Scheme

Rule = Literal["spikes", "membranes"]
Bits = Literal[1, 2, 4, 8, 32]

_WEIGHTS: dict[int, Quantizer | None] = {
    32: None,
    8: WeightQuantizer("symmetric", 8),
    4: WeightQuantizer("rescaw", 4, factor=True),
    2: WeightQuantizer("rescaw", 2, factor=True),
    1: BinaryQuantizer(),
}


def transformer_scheme(bits: Bits = 32, neuron: LIF | None = None) -> Scheme:
    """Give the weights of a spiking transformer so many bits, one scale a channel; the ends have 8, or 32.

    The neuron is that of the family unless given: tau 2, ``v <- (v + x) / 2``, fires at 1, back to 0.
    """
    if bits not in _WEIGHTS:
        raise ValueError(f"bits must be one of {', '.join(map(str, sorted(_WEIGHTS)))}, got {bits!r}")
    ends = None if bits == 32 else EIGHT_BITS
    return Scheme(_WEIGHTS[bits], ends, neuron or LIF(decay=0.5, input_gain=0.5, threshold=1.0))


def parsed(size: str) -> tuple[int, int]:
    """Read blocks and channels of a size such as "4-384"."""
    blocks, _, channels = size.partition("-")
    if not (blocks.isdecimal() and channels.isdecimal() and int(blocks) and int(channels)):
        raise ValueError(f"size must be blocks-channels, such as '4-384', got {size!r}")
    return int(blocks), int(channels)


def block(row: Row, suffix: str, kind: Kind, rule: Rule, hidden: int, options: dict[str, Any]) -> None:
    """Append ``attention`` and ``mlp``, each with a shortcut around it.

    Rule "spikes": convolution, batch normalisation, neuron; spikes are added, and counts go on. Rule
    "membranes": neuron, convolution, batch normalisation; real values are added.
    """
    for name, layers in block_rows(row.channels, row.scheme, kind, rule, hidden, options).items():
        row.add(f"{name}{suffix}", Residual(layers))


def block_rows(
    channels: int, scheme: Scheme, kind: Kind, rule: Rule, hidden: int, options: dict[str, Any]
) -> dict[str, nn.Sequential]:
    """Make the layers of ``attention`` and ``mlp`` of one block, without what is around them."""
    attention = _shortcut_row(channels, scheme, rule)
    attention.add(
        "attention",
        Attention(kind, channels, neuron=scheme.make_neuron, quantizer=scheme.hidden, **options),
    )
    attention.conv("", channels, 1, fires=rule == "spikes")
    mlp = _shortcut_row(channels, scheme, rule)
    mlp.conv("1", hidden, 1)
    mlp.conv("2", channels, 1, fires=rule == "spikes")
    return {"attention": attention.done(), "mlp": mlp.done()}


def _shortcut_row(channels: int, scheme: Scheme, rule: Rule) -> Row:
    part = Row(channels, scheme)
    if rule == "membranes":
        part.add("lif", scheme.make_neuron())
    return part


def finished(
    row: Row, rule: Rule, classes: int, timesteps: int, preprocess: Pixels, labels: Sequence[str]
) -> Network:
    """Append the head (a neuron first, if values are real): mean over tokens, linear layer; and finish."""
    if rule == "membranes":
        row.add("lif", row.scheme.make_neuron())
    row.add("average", nn.AdaptiveAvgPool2d(1))
    row.classifier(row.channels, classes)
    return network(row, timesteps, preprocess, labels)
