"""Checkpoints of the authors of BESTformer, read into our network: every size comes from the shapes.

Their names, for block l from 0; a norm has weight, bias, running_mean, running_var, num_batches_tracked::

    CIFAR      patch_embed.block{0..4}_conv.weight, patch_embed.block{0..4}_bn.*
    ImageNet   patch_embed.proj_conv.weight, .proj_bn.*, patch_embed.proj{1..4}_conv.weight, .proj{1..4}_bn.*
    both       block.{l}.attn.{q,k,v,proj}_conv.weight [D, D, 1], .attn.{q,k,v,proj}_bn.*
               block.{l}.attn.lambda_attn [T, 1, heads, 1, 1]
               block.{l}.mlp.mlp{1,2}_conv.weight, .mlp.mlp{1,2}_bn.*
               head.weight, head.bias      of attention's stream
               head2.weight, head2.bias    of the MLP's

The two layouts also differ in what the attention map is of and where the image is halved. Weights are latent
float32 values whose signs count; their code leaves one that stands at its channel's mean 0, ours makes it +1:
`weights_at_mean` counts such. Their neuron is ``v + (x - v) / 2``, ours rounds ``v / 2 + x / 2`` once, which
differs in the last bit of a membrane. Names and behaviour are those of the public code that the paper (arXiv
2501.05904) comes with; none of it is copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .attention import Kind
from .checkpoints import State, check_names, check_shapes, tensors_of
from .network import Network
from .networks import CIFAR_POOLS, IMAGENET_POOLS, Scheme, bestformer, bestformer_scheme

_CALLER = "load_bestformer"
_STEM = {"CIFAR": "patch_embed.block0_conv.weight", "ImageNet": "patch_embed.proj_conv.weight"}
_OF_LAYOUT: dict[str, tuple[Kind, tuple[bool, ...]]] = {
    "CIFAR": ("map_qk", CIFAR_POOLS),
    "ImageNet": ("map_kv", IMAGENET_POOLS),
}


def load_bestformer(
    state: State, *, kind: Kind | None = None, scheme: Scheme | None = None, **options: Any
) -> Network:
    """Make a network from a BESTformer state dict: blocks, channels, heads, steps, classes from the shapes.

    Parameters
    ----------
    state
        What ``torch.load(path, weights_only=True)`` gives: the state dict, or a mapping that holds it under
        "state_dict".
    kind
        "map_qk" or "map_kv"; default: that of the layout.
    scheme
        What is quantised; default: `bestformer_scheme`.
    options
        Passed to `bestformer`: `scale`, `threshold`, `pools`, `preprocess`, `labels`.

    Raises
    ------
    ValueError
        Names that are missing or left over, or a shape that does not fit; the message lists them.
    """
    found = tensors_of(_CALLER, state)
    layout = next((name for name, stem in _STEM.items() if stem in found), None)
    if layout is None:
        raise ValueError(f"{_CALLER}: expected {' or '.join(_STEM.values())} among the names, found neither")
    chosen, pools = _OF_LAYOUT[layout]
    arguments = {
        **_sizes(found, layout),
        "kind": kind or chosen,
        "scheme": scheme or bestformer_scheme(),
        "pools": pools,
        **options,
    }
    with torch.device("meta"):  # before anything is as large as the shapes say together
        plan = bestformer(**arguments)
    theirs = {name: _theirs(name, layout) for name in plan.state_dict()}
    check_names(_CALLER, set(theirs.values()), set(found))
    ours = {name: _shaped(name, found[of]) for name, of in theirs.items()}
    check_shapes(_CALLER, plan, ours, lambda name: theirs[name])
    net = bestformer(**arguments)
    net.load_state_dict(ours)
    return net.eval()


def _sizes(found: Mapping[str, Tensor], layout: str) -> dict[str, Any]:
    """Read the sizes off the tensors that say them."""
    numbers = {int(match[1]) for name in found if (match := re.match(r"block\.(\d+)\.", name))}
    colours = _axes(found, _STEM[layout], 4)[1]
    classes, channels = _axes(found, "head.weight", 2)
    steps, _, heads, _, _ = _axes(found, "block.0.attn.lambda_attn", 5)
    hidden = _axes(found, "block.0.mlp.mlp1_conv.weight", 4)[0]
    return {
        "size": f"{len(numbers)}-{channels}",
        "classes": classes,
        "heads": heads,
        "ratio": hidden // channels,
        "timesteps": steps,
        "in_channels": colours,
    }


def _axes(found: Mapping[str, Tensor], name: str, rank: int) -> list[int]:
    if name not in found:
        raise ValueError(f"{_CALLER}: the names are not those of this architecture: '{name}' is missing")
    shape = list(found[name].shape)
    if len(shape) != rank or 0 in shape:
        raise ValueError(f"{_CALLER}: '{name}' must have {rank} axes of 1 or more, has shape {shape}")
    return shape


def _theirs(name: str, layout: str) -> str:
    """Say what they call a parameter."""
    path, _, role = name.removeprefix("layers.").rpartition(".")
    part = path.removeprefix("blocks.")
    if part.startswith("heads."):
        return f"{'head' if 'attention' in part else 'head2'}.{role}"
    if not part.startswith("rows."):
        kind, number = re.fullmatch(r"(conv|bn)(\d)", path).groups()  # type: ignore[union-attr]
        before = int(number) - 1
        stage = f"block{before}" if layout == "CIFAR" else f"proj{before or ''}"
        return f"patch_embed.{stage}_{kind}.{role}"
    row, *layer = part.removeprefix("rows.").split(".")
    kind, number = re.fullmatch(r"(attention|mlp)(\d+)", row).groups()  # type: ignore[union-attr]
    block = f"block.{int(number) - 1}"
    if kind == "mlp":
        return f"{block}.mlp.mlp{layer[0][-1]}_{layer[0][:-1]}.{role}"
    if layer == ["attention", "gain"]:
        return f"{block}.attn.lambda_attn"
    of = f"{layer[1]}_{layer[2]}" if layer[0] == "attention" else f"proj_{layer[0]}"
    return f"{block}.attn.{of}.{role}"


def _shaped(name: str, values: Tensor) -> Tensor:
    """Give their tensor our shape: a linear layer of tokens is a 1x1 convolution, a gain has two axes."""
    if name.endswith(".gain") and values.dim() == 5:
        return values.reshape(values.shape[0], values.shape[2])
    return values.unsqueeze(-1) if name.endswith("conv.weight") and values.dim() == 3 else values
