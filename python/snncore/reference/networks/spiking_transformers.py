"""SNN-ViT, Spikformer and the Spike-driven Transformer: one network, with the attention and rule of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..attention import Kind
from ..network import Network
from ..saccades import Mode
from .parts import Pixels, Row
from .patches import CIFAR_POOLS, Stage, patch_embedding, split
from .scheme import Scheme
from .transformer import Rule, block, finished, parsed, transformer_scheme


def snn_vit(
    size: str = "4-384",
    classes: int = 10,
    *,
    mode: Mode = "v2_joint_static",
    kind: Kind = "saccadic",
    heads: int = 1,
    threshold: float = 0.5,
    pools: Sequence[bool] = CIFAR_POOLS,
    dilations: Sequence[int] = (1, 2),
    stages: Sequence[Stage] | None = None,
    ratio: int = 4,
    scheme: Scheme | None = None,
    timesteps: int = 4,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
    in_channels: int = 3,
) -> Network:
    """Build SNN-ViT (arXiv 2502.12677): GL-SPS, saccadic attention, membranes in the shortcuts.

    Published sizes: "4-384" for CIFAR, "8-256", "8-384" and "8-512" for ImageNet, with `IMAGENET_POOLS` and
    1,000 classes. What the paper leaves open follows the Spike-driven Transformer; so published numbers of
    parameters are not reached.

    Parameters
    ----------
    size
        Blocks and channels D.
    classes
        Outputs of the classifier.
    mode
        What decides in the saccadic neuron: `snncore.reference.saccades`.
    kind, heads
        The attention: another kind is for comparisons, with the same rest.
    threshold
        Of the saccadic neuron at the start of training, in relative counts; of another kind's neuron.
    pools
        Which stages of the patch embedding halve the image; four, at D/8, D/4, D/2 and D channels.
    dilations
        Of the branches of each stage.
    stages
        The stages themselves, instead of `pools` and `dilations`; the last one has D channels.
    ratio
        Hidden channels of the MLP, over D.
    scheme
        `transformer_scheme` unless given.
    timesteps, preprocess, labels
        As for `Network`.
    in_channels
        2 for frames of events.

    Raises
    ------
    ValueError
        A size, mode or stages that do not fit.
    """
    options: dict[str, Any] = {"heads": heads, "threshold": threshold}
    if kind == "saccadic":
        options |= {"mode": mode, "timesteps": timesteps}
    stages = split(parsed(size)[1], pools, dilations) if stages is None else stages
    made = (scheme, timesteps, preprocess, labels, in_channels)
    return _transformer(size, classes, stages, kind, "membranes", options, ratio, *made)


def spikformer(
    size: str = "4-384",
    classes: int = 10,
    *,
    heads: int = 8,
    pools: Sequence[bool] = CIFAR_POOLS,
    stages: Sequence[Stage] | None = None,
    ratio: int = 4,
    scheme: Scheme | None = None,
    timesteps: int = 4,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
    in_channels: int = 3,
) -> Network:
    """Build Spikformer (arXiv 2209.15425): SPS, (Q K^T) V, spikes in the shortcuts, whose sums are counts.

    The authors' CIFAR network has 12 heads, those for ImageNet 8. Parameters are as for `snn_vit`.
    """
    stages = split(parsed(size)[1], pools) if stages is None else stages
    made = (scheme, timesteps, preprocess, labels, in_channels)
    return _transformer(size, classes, stages, "ssa", "spikes", {"heads": heads}, ratio, *made)


def spike_driven_transformer(
    size: str = "4-384",
    classes: int = 10,
    *,
    erosion: bool = False,
    pools: Sequence[bool] = CIFAR_POOLS,
    stages: Sequence[Stage] | None = None,
    ratio: int = 4,
    scheme: Scheme | None = None,
    timesteps: int = 4,
    preprocess: Pixels = None,
    labels: Sequence[str] = (),
    in_channels: int = 3,
) -> Network:
    """Build the Spike-driven Transformer (arXiv 2307.01694): SPS, K * V summed over tokens as a mask of Q.

    `erosion` is for event data. Membranes are in the shortcuts, and a neuron comes before the mean over
    tokens. Parameters are as for `snn_vit`.
    """
    stages = split(parsed(size)[1], pools) if stages is None else stages
    made = (scheme, timesteps, preprocess, labels, in_channels)
    return _transformer(size, classes, stages, "sdsa", "membranes", {"erosion": erosion}, ratio, *made)


def _transformer(
    size: str,
    classes: int,
    stages: Sequence[Stage],
    kind: Kind,
    rule: Rule,
    options: dict[str, Any],
    ratio: int,
    scheme: Scheme | None,
    timesteps: int,
    preprocess: Pixels,
    labels: Sequence[str],
    in_channels: int,
) -> Network:
    blocks, channels = parsed(size)
    if not stages or stages[-1].channels != channels:
        raise ValueError(f"the last stage must give the {channels} channels of size '{size}'")
    row = Row(in_channels, transformer_scheme() if scheme is None else scheme)
    patch_embedding(row, stages, membranes=rule == "membranes")
    for number in range(1, blocks + 1):
        block(row, str(number), kind, rule, ratio * channels, options)
    return finished(row, rule, classes, timesteps, preprocess, labels)
