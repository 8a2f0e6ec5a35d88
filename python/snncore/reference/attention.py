"""Spiking attention of several families, made of a few operations with ordinary neurons between them.

Tokens are the pixels of an image [N, D, H, W]; a linear layer of tokens is a 1x1 convolution. Queries, keys
and values are rows of convolution, batch normalisation and neuron, each, that read the same spikes::

    ssa          LIF(scale * (Q K^T) V)                 per head; Spikformer
    sdsa         Q * LIF(sum_n K * V)                   Spike-driven Transformer; `erosion`: its event form
    saccadic     V * saccade(|Q|, |K|)                  SNN-ViT, `Saccade`
    qk_token     K * LIF(sum_c Q)                       QKFormer, a row of tokens
    qk_channel   K * LIF(sum_n Q)                       QKFormer, a row of channels
    map_qk       LIF(scale * lambda * A V)              A = soft LIF(Q K^T) per head; BESTformer, `maps`
    map_kv       LIF(scale * lambda * Q A)              A = soft LIF(K^T V) per head; BESTformer, ImageNet

``*`` between spikes is AND, sums are exact counts. `erosion` is a 3x3 maximum over the spikes of K, of V and
of their product.

Sources: Zhou et al., "Spikformer" (arXiv 2209.15425); Yao et al., "Spike-driven Transformer" (2307.01694);
"Spiking Vision Transformer with Saccadic Attention" (2502.12677); Zhou et al., "QKFormer" (2403.16552);
"Binary Event-Driven Spiking Transformer" (2501.05904).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from .maps import MapProduct, MapScores, StepGain, Variant, map_neuron
from .modules import Conv2d, Quantizer
from .network import Call, Composite, Network
from .neurons import LIF
from .saccades import MODES, WITH_KEYS, Mode, Saccade, flip_rate

Kind = Literal["ssa", "sdsa", "saccadic", "qk_token", "qk_channel", "map_qk", "map_kv"]
Over = Literal["channels", "tokens", "all"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_VARIANTS: dict[Kind, Variant] = {"map_qk": "qk", "map_kv": "kv"}
_SUMMED: tuple[Kind, ...] = ("ssa", *_VARIANTS)


class HeadSums(nn.Module):
    """``(q k^T) v`` of every head, exact: spikes [N, D, H, W] thrice -> counts [N, D, H, W], 0..H*W*D/heads.

    Channel c belongs to head ``c // (D / heads)``. The product that is smaller comes first.
    """

    def __init__(self, heads: int = 1) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Compute the sums."""
        shape = (len(q), self.heads, q.shape[1] // self.heads, -1)
        queries, keys, values = (x.reshape(shape) for x in (q, k, v))  # [N, head, d, token]
        if queries.shape[-1] > queries.shape[-2]:
            sums = (values @ keys.transpose(-1, -2)) @ queries
        else:
            sums = values @ (keys.transpose(-1, -2) @ queries)
        return sums.reshape(q.shape)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"heads={self.heads}"


class Count(nn.Module):
    """How many spikes there are, of [N, D, H, W], or how many that two inputs share.

    `over` "channels" counts those of each head: [N, heads, H, W]; "tokens" those of a channel: [N, D, 1, 1];
    "all" those of a head and all tokens: [N, heads, 1, 1].
    """

    def __init__(self, over: Over, heads: int = 1) -> None:
        super().__init__()
        if over not in get_args(Over):
            raise ValueError(f"over must be one of {', '.join(get_args(Over))}, got {over!r}")
        self.over: Over = over
        self.heads = heads

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Count."""
        shared = x if y is None else x * y
        if self.over == "tokens":
            return shared.sum((2, 3), keepdim=True)
        of_heads = _in_groups(shared, self.heads).sum(2)
        return of_heads if self.over == "channels" else of_heads.sum((2, 3), keepdim=True)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"over={self.over!r}, heads={self.heads}"


class Mask(nn.Module):
    """Spikes [N, D, H, W] where a mask fires: [N, G, H, W], each for D / G channels, or [N, D, 1, 1]."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Compute x AND mask."""
        return (_in_groups(x, mask.shape[1]) * mask.unsqueeze(2)).flatten(1, 2)


def _in_groups(x: Tensor, groups: int) -> Tensor:
    """Shape [N, D, H, W] as [N, groups, D / groups, H, W]."""
    return x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])


class Attention(Composite):
    """One attention of a `kind`: spikes or counts [N, channels, H, W] to spikes, alike, in a `Network`.

    Parameters
    ----------
    kind
        One of `KINDS`; the module's text says what each computes.
    channels, heads
        D, which `heads` divides.
    neuron
        Of the rows of queries, keys and values. The neuron after a sum is another: `attention_neuron`.
    quantizer
        Of the weights of the rows; None: float32.
    scale
        Of kinds "ssa", "map_qk" and "map_kv": what multiplies the sums.
    threshold
        Of the neuron after a sum; of the saccadic neuron the first threshold, in relative counts.
    erosion
        Of kind "sdsa".
    mode, timesteps
        Of kind "saccadic": what decides, and T. T of "map_qk" and "map_kv", too, which have a factor a step.
    map_neuron
        Of kinds "map_qk" and "map_kv": makes the neuron of the map.
    """

    def __init__(
        self,
        kind: Kind,
        channels: int,
        *,
        heads: int = 1,
        neuron: Callable[[], LIF] = LIF,
        quantizer: Quantizer | None = None,
        scale: float = 0.125,
        threshold: float = 0.5,
        erosion: bool = False,
        mode: Mode = "v2_joint_static",
        timesteps: int = 4,
        map_neuron: Callable[[], LIF] = map_neuron,
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        if heads < 1 or channels % heads:
            raise ValueError(f"heads must divide the {channels} channels, got {heads}")
        if erosion and kind != "sdsa":
            raise ValueError(f"erosion belongs to kind 'sdsa', got kind {kind!r}")
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
        self.kind: Kind = kind
        self.channels, self.heads, self.mode = channels, heads, mode
        for name in _rows(kind, mode):
            setattr(self, name, _row(channels, neuron, quantizer))
        if kind == "ssa":
            self.sums = HeadSums(heads)
        elif kind == "saccadic":
            self.queries = Count("channels", heads)
            if mode in WITH_KEYS:
                self.keys = Count("all", heads)
            width = channels // heads
            self.gate: nn.Module = Saccade(timesteps, width, mode=mode, threshold=threshold)
        elif kind in _VARIANTS:
            self.scores = MapScores(_VARIANTS[kind], heads)
            self.map = map_neuron()
            self.product = MapProduct(_VARIANTS[kind], heads)
            self.gain = StepGain(timesteps, heads)
        else:
            self.count = Count("channels", heads) if kind == "qk_token" else Count("tokens")
        if kind != "saccadic":
            self.gate = attention_neuron(scale if kind in _SUMMED else 1.0, threshold)
        if kind not in _SUMMED:
            self.mask = Mask()
        self.erode = nn.MaxPool2d(3, stride=1, padding=1) if erosion else None

    def flow(self, x: Any, call: Call) -> Any:
        """Rows first, then what the kind makes of them."""
        rows = [call(getattr(self, name), x) for name in _rows(self.kind, self.mode)]
        return _FLOWS[self.kind](self, call, *rows)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"kind={self.kind!r}, channels={self.channels}, heads={self.heads}"


def attention_neuron(scale: float = 1.0, threshold: float = 0.5) -> LIF:
    """Make the neuron after a sum of attention, tau 2: ``v <- (v + scale * sum) / 2``, fires at `threshold`.

    A power of two is an exact `scale`.
    """
    return LIF(decay=0.5, input_gain=0.5 * scale, threshold=threshold)


def saccades(net: Network) -> dict[str, Saccade]:
    """Name the saccadic neurons of a network, as its spikes are named."""
    return {name: m for name, m in net.layers.named_modules() if isinstance(m, Saccade)}


@torch.no_grad()
def flip_rates(net: Network, x: Tensor) -> dict[str, float]:
    """Give, for each saccadic neuron of `net`, the share of decisions that decoupling would change on x.

    Everything before the neuron runs as it is; `flip_rate` compares the two forms on what reaches it.
    """
    spikes = net.spikes(x)
    rates = {}
    for name, neuron in saccades(net).items():
        attention = net.layers.get_submodule(name.rpartition(".")[0])
        counts = {}
        for row, count in (("q", "queries"), ("k", "keys")):
            if f"{name.removesuffix('gate')}{row}.lif" in spikes:
                fired = spikes[f"{name.removesuffix('gate')}{row}.lif"]
                frames = attention.get_submodule(count)(fired.flatten(0, 1))
                counts[row] = frames.unflatten(0, (len(fired), -1))
        rates[name] = flip_rate(neuron, counts["q"], counts.get("k"))
    return rates


def _rows(kind: Kind, mode: Mode) -> str:
    """Name the rows that there are: with a static gate, keys play no part."""
    if kind == "saccadic":
        return "qkv" if mode in WITH_KEYS else "qv"
    return "qk" if kind in ("qk_token", "qk_channel") else "qkv"


def _row(channels: int, neuron: Callable[[], LIF], quantizer: Quantizer | None) -> nn.Sequential:
    conv = Conv2d(channels, channels, 1, bias=False, quantizer=quantizer)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(channels), lif=neuron()))


def _ssa(a: Attention, call: Call, q: Any, k: Any, v: Any) -> Any:
    return call(a.gate, call(a.sums, q, k, v))


def _sdsa(a: Attention, call: Call, q: Any, k: Any, v: Any) -> Any:
    if a.erode is None:
        return call(a.mask, q, call(a.gate, call(a.count, k, v)))
    shared = call(a.mask, call(a.erode, k), call(a.erode, v))
    return call(a.mask, q, call(a.gate, call(a.count, call(a.erode, shared))))


def _saccadic(a: Attention, call: Call, q: Any, *rows: Any) -> Any:
    keys = [call(a.keys, k) for k in rows[:-1]]
    return call(a.mask, rows[-1], call(a.gate, call(a.queries, q), *keys))


def _qk(a: Attention, call: Call, q: Any, k: Any) -> Any:
    return call(a.mask, k, call(a.gate, call(a.count, q)))


def _maps(a: Attention, call: Call, q: Any, k: Any, v: Any) -> Any:
    pairs, last = ((q, k), v) if a.kind == "map_qk" else ((k, v), q)
    return call(a.gate, call(a.gain, call(a.product, call(a.map, call(a.scores, *pairs)), last)))


_FLOWS: dict[Kind, Callable[..., Any]] = {
    "ssa": _ssa,
    "sdsa": _sdsa,
    "saccadic": _saccadic,
    "qk_token": _qk,
    "qk_channel": _qk,
    "map_qk": _maps,
    "map_kv": _maps,
}
