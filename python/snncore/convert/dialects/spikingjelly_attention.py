"""SpikingJelly 2.0's attention as `snncore.reference.Attention`: its weights, its neurons, its names.

One convolution gives queries, keys and values behind each other, and one neuron fires all of them; here each
has a convolution of its own, whose weights are those rows. What the sums are multiplied with goes into the
neuron after them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from spikingjelly.activation_based import layer, neuron
from torch import Tensor, nn

from snncore.reference import Attention, Composite
from snncore.reference.attention import Kind

from . import Times

# Exact types: a subclass may compute something else.
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, layer.Conv1d, layer.Conv2d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, layer.BatchNorm1d, layer.BatchNorm2d)


class Projected(Attention):
    """An attention, a row of layers `proj` after it, and perhaps a neuron before and a shortcut around it."""

    def flow(self, x: Any, call: Callable[..., Any]) -> Any:
        """Rows, what the kind makes of them, and the projection."""
        before = call(self.before, x) if hasattr(self, "before") else x
        y = call(self.proj, super().flow(before, call))
        return call(torch.add, y, x) if hasattr(self, "before") else y


def self_attention(module: Any) -> Composite:
    """`SpikingSelfAttention`: ``(q k^T) v * scale``."""
    made = _of_tokens(module, "ssa", "qkv", module.qkv_conv_bn, module.qkv_lif)
    made.gate = nn.Sequential(
        OrderedDict(scale=Times(torch.tensor(float(module.scale))), lif=module.attn_lif)
    )
    return made


def qk_attention(module: Any) -> Composite:
    """`QKAttention`: keys where queries fire, in a token's head or a channel."""
    kind: Kind = "qk_token" if module.qka_type == "token" else "qk_channel"
    return _of_tokens(module, kind, "qk", module.qk_conv_bn, module.qk_lif)


def spike_driven_attention(module: Any) -> Composite:
    """`SpikeDrivenSelfAttention`: queries in the channels whose keys and values fire together."""
    made = _attention(module, "sdsa")
    made.before = module.shortcut_lif
    for row in "qkv":
        conv, bn, lif = (getattr(module, f"{row}_{part}") for part in ("conv", "bn", "lif"))
        setattr(made, row, _row(*_cut((conv, bn), 1)[0], lif))
    made.gate = module.attn_lif
    made.proj = _row(*_cut((module.proj_conv, module.proj_bn), 1)[0])
    return made


def _attention(module: Any, kind: Kind) -> Projected:
    for name, part in module.named_modules():
        if isinstance(part, neuron.BaseNode) and part.step_mode != "m":
            raise ValueError(f"its '{name}' has step_mode '{part.step_mode}'; expected 'm'")
    return Projected(kind, module.dim, heads=module.num_heads)


def _of_tokens(module: Any, kind: Kind, rows: str, joined: Any, fires: nn.Module) -> Projected:
    made = _attention(module, kind)
    for row, parts in zip(rows, _cut(joined, len(rows)), strict=True):
        setattr(made, row, _row(*parts, fires))
    made.gate = module.attn_lif
    made.proj = _row(*_cut(module.proj_conv_bn, 1)[0], module.proj_lif)
    return made


def _row(conv: nn.Module, bn: nn.Module | None, lif: nn.Module | None = None) -> nn.Sequential:
    layers = {"conv": conv, "bn": bn, "lif": lif}
    return nn.Sequential(OrderedDict((name, part) for name, part in layers.items() if part is not None))


def _cut(layers: Iterable[Any], parts: int) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Cut a 1x1 convolution, and the batch norm after it unless it was fused, along the output channels.

    The parts are layers of images, whether the given ones are or read tokens.
    """
    conv, *rest = found = list(layers)
    norms = [part for part in rest if type(part) is not nn.Identity]
    known = type(conv) in _CONVOLUTIONS and all(type(norm) in _NORMS for norm in norms)
    if not known or len(norms) > 1 or not _is_pointwise(conv):
        names = ", ".join(type(part).__name__ for part in found)
        raise ValueError(f"expected a convolution of kernel_size 1 and a batch norm, received {names}")
    norm = norms[0] if norms else None
    return [(_conv(conv, at, parts), None if norm is None else _norm(norm, at, parts)) for at in range(parts)]


def _is_pointwise(conv: Any) -> bool:
    sizes, padding = {*conv.kernel_size, *conv.stride, conv.groups}, conv.padding
    return sizes == {1} and (isinstance(padding, str) or set(padding) == {0})


def _conv(conv: Any, at: int, parts: int) -> nn.Conv2d:
    weight, bias = conv.weight.chunk(parts)[at], conv.bias
    made = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None)
    made.weight = _fixed(weight.reshape(*weight.shape[:2], 1, 1))
    if bias is not None:
        made.bias = _fixed(bias.chunk(parts)[at])
    return made


def _norm(bn: Any, at: int, parts: int) -> nn.BatchNorm2d:
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError("a batch norm has no running statistics")
    made = nn.BatchNorm2d(bn.num_features // parts, bn.eps, affine=bn.affine)
    for name, value in (("running_mean", bn.running_mean), ("running_var", bn.running_var)):
        setattr(made, name, value.chunk(parts)[at].detach())
    if bn.affine:
        made.weight, made.bias = _fixed(bn.weight.chunk(parts)[at]), _fixed(bn.bias.chunk(parts)[at])
    return made


def _fixed(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values.detach(), requires_grad=False)


COMPOSITES: dict[type[nn.Module], Callable[[Any], Composite]] = {
    layer.SpikingSelfAttention: self_attention,
    layer.QKAttention: qk_attention,
    layer.TokenQKAttention: qk_attention,
    layer.ChannelQKAttention: qk_attention,
    layer.SpikeDrivenSelfAttention: spike_driven_attention,
}

#: Modules that take tokens [T, N, C, L].
OF_TOKENS = (layer.SpikingSelfAttention, layer.QKAttention)
