"""BESTformer (arXiv 2501.05904): weights and attention maps of one bit, two coupled streams, two heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from torch import nn

from ..attention import Kind
from ..binary import BinaryQuantizer
from ..coupled import Coupled, Rule
from ..network import Head, Network
from ..neurons import LIF
from .parts import Pixels, Row, network
from .patches import CIFAR_POOLS, Stage, patch_embedding
from .scheme import EIGHT_BITS, Ends, Scheme
from .transformer import block_rows, parsed

Bits = Literal[1, 32]


def bestformer_scheme(bits: Bits = 1, *, ends: Ends = "float", neuron: LIF | None = None) -> Scheme:
    """Give the weights 1 bit without a scale, or 32 bits: the twin in full precision.

    The convolution that reads the image and the heads are float32, as the authors have them, or "int8", which
    a network needs that shall run in integers throughout. The neuron is tau 2, ``v <- (v + x) / 2``, fires
    at 1, back to 0.
    """
    if bits not in (1, 32):
        raise ValueError(f"bits must be 1 or 32, got {bits!r}")
    if ends not in ("float", "int8"):
        raise ValueError(f"ends must be 'float' or 'int8', got {ends!r}")
    hidden = BinaryQuantizer(scale="one", gradient="identity") if bits == 1 else None
    return Scheme(
        hidden,
        EIGHT_BITS if ends == "int8" else None,
        neuron or LIF(decay=0.5, input_gain=0.5, threshold=1.0),
    )


def bestformer(
    size: str = "4-384",
    classes: int = 10,
    *,
    kind: Kind = "map_qk",
    heads: int = 8,
    rule: Rule = "coupled",
    recompute: bool = False,
    pools: Sequence[bool] = CIFAR_POOLS,
    ratio: int = 4,
    scale: float = 0.125,
    threshold: float = 0.5,
    scheme: Scheme | None = None,
    timesteps: int = 4,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
    in_channels: int = 3,
) -> Network:
    """Build BESTformer: tokens, blocks in two coupled streams, the mean of two heads.

    Published: "4-384" for CIFAR; "8-512" for ImageNet with kind "map_kv", `IMAGENET_POOLS` and 1,000 classes.

    Parameters
    ----------
    size
        Blocks and channels D.
    classes
        Outputs of each head; `Network.unroll` gives them apart, ``heads["blocks.heads.attention"]`` and
        ``heads["blocks.heads.mlp"]``.
    kind
        The attention: "map_qk" or "map_kv"; "saccadic" puts that of SNN-ViT into the block.
    heads
        Of attention.
    rule, recompute
        Of the streams: `snncore.reference.Coupled`.
    pools
        Which of the four stages behind the first convolution begin by halving the image.
    ratio
        Hidden channels of the MLP, over D.
    scale
        Of the sums of attention, beside a trained factor for each step and head.
    threshold
        Of the neuron behind those sums; of the saccadic neuron, in relative counts.
    scheme
        `bestformer_scheme` unless given.
    timesteps, preprocess, labels
        As for `Network`.
    in_channels
        2 for frames of events.

    Raises
    ------
    ValueError
        A size, kind or rule that does not fit.
    """
    blocks, channels = parsed(size)
    if channels % 8 or len(pools) != 4:
        raise ValueError(f"channels must be a multiple of 8 and pools 4, got {channels} and {len(pools)}")
    row = Row(in_channels, bestformer_scheme() if scheme is None else scheme)
    patch_embedding(row, _stages(channels, pools), membranes=True, position=False)
    options: dict[str, Any] = {"heads": heads, "threshold": threshold, "timesteps": timesteps}
    if kind != "saccadic":
        options["scale"] = scale
    rows: dict[str, nn.Sequential] = {}
    for number in range(1, blocks + 1):
        made = block_rows(channels, row.scheme, kind, "membranes", ratio * channels, options)
        rows |= {f"{name}{number}": layers for name, layers in made.items()}
    answers = {name: _head(channels, classes, row.scheme) for name in ("attention", "mlp")}
    row.add("blocks", Coupled(rows, answers, rule=rule, recompute=recompute))
    return network(row, timesteps, preprocess, labels)


def _stages(channels: int, pools: Sequence[bool]) -> list[Stage]:
    """Convolutions to D/8, D/4, D/2, D and D channels; behind each but the last a neuron, perhaps a pool."""
    widths = [channels // 8, channels // 4, channels // 2, channels]
    return [*(Stage(n, pool=bool(p)) for n, p in zip(widths, pools, strict=True)), Stage(channels)]


def _head(channels: int, classes: int, scheme: Scheme) -> Head:
    row = Row(channels, scheme)
    row.add("average", nn.AdaptiveAvgPool2d(1))
    row.classifier(channels, classes)
    return Head(row.layers)
