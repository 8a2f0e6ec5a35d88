"""Pruning before fine-tuning: channels taken out of a trained `Network`, with everything they own.

Keeping the channels `idx` of a convolution keeps those rows of its weight and bias and of the batch
normalisation behind it (gain, shift and running statistics), and those columns of whatever reads them, the
classifier's too. Convolutions whose results are added to one residual stream must keep the same channels:
`channel_groups` names them. Where a `ChannelMap` starts a new stream, the smaller one says which channel goes
where, so nothing shifts against the others.

The smaller network computes what the large one would with the removed channels silent, as long as weights are
float. A quantiser takes its scale from the weights that stay, so quantised ones change a little: fine-tune.
Source: Wei et al., "QP-SNN", ICLR 2025 (arXiv 2502.05905), section 4.3 and algorithm 1; the authors' loader
copies convolutions only and leaves the rest at its initial values.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from snncore.compress.ratios import is_share

from .modules import ChannelMap
from .network import Network, Residual
from .neurons import LIF


def channel_groups(net: Network) -> list[tuple[str, ...]]:
    """List the convolutions of `net` by layer name; those of one tuple must keep the same channels.

    Raises
    ------
    ValueError
        A layer through which channels cannot be followed; the message names it.
    """
    walk = _Grouping()
    walk.row(net.layers, None)
    return walk.groups()


def keep_channels(net: Network, keep: Mapping[str, Sequence[int]]) -> Network:
    """Return a copy of `net` with only some channels, to be fine-tuned; `net` stays as it is.

    Parameters
    ----------
    net
        Of `snncore.reference` layers, such as those of `snncore.reference.networks`.
    keep
        By the name of a convolution, the output channels that stay, in any order; they keep the order they
        had. One member of a group (`channel_groups`) speaks for all. What is not named keeps everything.

    Raises
    ------
    ValueError
        An unknown name, an index out of range or given twice, no channel at all, members of a group that
        disagree, a convolution whose result is added to the input itself; the message names the layer.
    """
    walk = _Grouping()
    walk.row(net.layers, None)
    sets = _resolved(walk, keep)
    small = copy.deepcopy(net)
    _Removal(sets).row(small.layers, None)
    return small


def top_channels(
    scores: Sequence[float] | Tensor, rate: float, firing_rates: Sequence[float] | Tensor | None = None
) -> list[int]:
    """Give the ``int(n * (1 - rate))`` channels of the highest scores, ascending.

    Of equal scores the higher firing rate is kept, then the lower channel.
    """
    values = _numbers("scores", scores)
    ties = torch.zeros_like(values) if firing_rates is None else _numbers("firing_rates", firing_rates)
    if len(ties) != len(values):
        raise ValueError(f"firing_rates must have {len(values)} entries as scores has, got {len(ties)}")
    if not is_share(rate) or rate == 1:
        raise ValueError(f"rate must lie in 0..1 and below 1, got {rate!r}")
    count = int(len(values) * (1 - rate))
    if count == 0:
        raise ValueError(f"rate {rate} leaves none of {len(values)} channels")
    order = torch.argsort(ties, descending=True, stable=True)
    best = order[torch.argsort(values[order], descending=True, stable=True)][:count]
    return sorted(best.tolist())


def _numbers(what: str, given: Sequence[float] | Tensor) -> Tensor:
    values = torch.as_tensor(given, dtype=torch.float64)
    if values.dim() != 1 or not bool(values.isfinite().all()):
        raise ValueError(f"{what} must be finite numbers, one a channel, got shape {tuple(values.shape)}")
    return values


#: Layers that handle every channel alike.
_CHANNELWISE = (
    LIF,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
    nn.Flatten,
)


def _refused(path: str, layer: nn.Module) -> ValueError:
    return ValueError(f"'{path}' ({type(layer).__name__}): channels cannot be followed through this layer")


class _Grouping:
    """Walks the rows with the name of the convolution that wrote the value; None: the network's input."""

    def __init__(self) -> None:
        self.channels: dict[str, int] = {}  # of every convolution
        self.leader: dict[str, str] = {}
        self.fixed: dict[str, str] = {}  # leader of a group that cannot shrink: where it meets the input

    def row(self, layers: nn.Module, writer: str | None, prefix: str = "") -> str | None:
        for name, layer in layers.named_children():
            writer = self._layer(layer, writer, prefix + name)
        return writer

    def _layer(self, layer: nn.Module, writer: str | None, path: str) -> str | None:
        if isinstance(layer, Residual):
            body = self.row(layer.body, writer, f"{path}.body.")
            return self._joined(body, self.row(layer.shortcut, writer, f"{path}.shortcut."), layer, path)
        if isinstance(layer, nn.Conv2d):
            if layer.groups != 1:
                raise ValueError(f"'{path}': expected a convolution of one group, received {layer.groups}")
            if isinstance(layer, ChannelMap):
                return _FOLLOWS
            self.channels[path] = layer.out_channels
            self.leader[path] = path
            return path
        if isinstance(layer, nn.Linear):
            return None
        if not isinstance(layer, (*_CHANNELWISE, nn.BatchNorm2d, nn.BatchNorm1d)):
            raise _refused(path, layer)
        return writer

    def _joined(self, body: str | None, shortcut: str | None, layer: Residual, path: str) -> str | None:
        if body == _FOLLOWS:
            raise _refused(f"{path}.body", layer.body)
        if shortcut == _FOLLOWS:
            return body
        if body is None or shortcut is None:
            for writer in (body, shortcut):
                if writer is not None:
                    self.fixed[self._find(writer)] = path
            return body if shortcut is None else shortcut
        first, second = self._find(shortcut), self._find(body)
        self.leader[second] = first
        if second in self.fixed:
            self.fixed[first] = self.fixed[second]
        return first

    def _find(self, path: str) -> str:
        while self.leader[path] != path:
            path = self.leader[path]
        return path

    def groups(self) -> list[tuple[str, ...]]:
        members: dict[str, list[str]] = {}
        for path in self.channels:
            members.setdefault(self._find(path), []).append(path)
        return [tuple(paths) for paths in members.values()]

    def why_fixed(self, path: str) -> str | None:
        return self.fixed.get(self._find(path))


_FOLLOWS = "<channel map>"  # what a ChannelMap gives: whatever it is added to decides


def _resolved(walk: _Grouping, keep: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Check what the caller wants, and say for every convolution what it keeps."""
    unknown = [name for name in keep if name not in walk.channels]
    if unknown:
        known = ", ".join(walk.channels)
        raise ValueError(f"keep names '{unknown[0]}'; the convolutions of this network are {known}")
    wanted = {name: _checked(name, indices, walk.channels[name]) for name, indices in keep.items()}
    sets: dict[str, Tensor] = {}
    for group in walk.groups():
        given = [name for name in group if name in wanted]
        for name in given[1:]:
            if not torch.equal(wanted[name], wanted[given[0]]):
                raise ValueError(
                    f"'{given[0]}' and '{name}' write to one residual stream and must keep the same channels"
                )
        if not given:
            continue
        meets_input = walk.why_fixed(group[0])
        if meets_input is not None and len(wanted[given[0]]) < walk.channels[given[0]]:
            raise ValueError(
                f"'{given[0]}' is added to the input in '{meets_input}', which keeps its channels"
            )
        sets.update(dict.fromkeys(group, wanted[given[0]]))
    return sets


def _checked(name: str, indices: Sequence[int], channels: int) -> Tensor:
    try:
        found = torch.as_tensor(indices)
    except (TypeError, ValueError, RuntimeError) as why:
        kind = type(indices).__name__
        raise ValueError(f"'{name}': expected a list of channel numbers, received {kind}") from why
    if found.numel() == 0:
        raise ValueError(f"'{name}' must keep one channel or more, received none")
    if found.dim() != 1 or found.is_floating_point() or found.dtype == torch.bool:
        raise ValueError(f"'{name}': expected a list of channel numbers, received {found.dtype}")
    unique: Tensor = torch.unique(found.to(torch.int64))  # sorted
    if len(unique) != len(found) or unique[0] < 0 or unique[-1] >= channels:
        raise ValueError(f"'{name}': channels must be different numbers of 0..{channels - 1}")
    return unique


@dataclass(frozen=True)
class _Live:
    """Which of the `count` channels that a value had are still there."""

    index: Tensor
    count: int


class _Removal:
    """Walks the rows and makes layers smaller in place."""

    def __init__(self, keep: Mapping[str, Tensor]) -> None:
        self.keep = keep

    def row(
        self, layers: nn.Module, live: _Live | None, prefix: str = "", target: _Live | None = None
    ) -> _Live | None:
        """Follow `live` through a row; `target` is what a `ChannelMap` in it has to give."""
        for name, layer in list(layers.named_children()):
            if isinstance(layer, ChannelMap):
                setattr(layers, name, _remapped(layer, live, target))
                live = target
            else:
                live = self._layer(layer, live, prefix + name)
        return live

    def _layer(self, layer: nn.Module, live: _Live | None, path: str) -> _Live | None:
        if isinstance(layer, Residual):
            body = self.row(layer.body, live, f"{path}.body.")
            return self.row(layer.shortcut, live, f"{path}.shortcut.", body) or body
        if isinstance(layer, nn.Conv2d):
            rows = self.keep.get(path, torch.arange(layer.out_channels))
            now = _Live(rows, layer.out_channels)
            _select(layer, rows, None if live is None else live.index)
            layer.in_channels, layer.out_channels = layer.weight.shape[1], layer.weight.shape[0]
            return now
        if live is not None and isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm1d)):
            _select(layer, live.index, None)
            layer.num_features = len(live.index)
        elif isinstance(layer, nn.Linear):
            return self._linear(layer, live)
        return live

    @staticmethod
    def _linear(layer: nn.Linear, live: _Live | None) -> _Live:
        outputs = _Live(torch.arange(layer.out_features), layer.out_features)
        if live is not None:  # a flattened image has its pixels side by side for each channel
            pixels = layer.in_features // live.count
            columns = (live.index[:, None] * pixels + torch.arange(pixels)).flatten()
            _select(layer, outputs.index, columns)
            layer.in_features = layer.weight.shape[1]
        return outputs


#: Of a convolution, a linear layer or a batch normalisation: what has one entry for each output.
_ROLES = ("weight", "bias", "running_mean", "running_var")


def _select(layer: nn.Module, rows: Tensor, columns: Tensor | None) -> None:
    for role in _ROLES:
        old: Any = getattr(layer, role, None)
        if old is None:
            continue
        new = old.detach()[rows.to(old.device)]
        if columns is not None and role == "weight":
            new = new[:, columns.to(old.device)]
        # memory_format: indexing must not lose the order that training chose
        new = new.clone(memory_format=torch.preserve_format)
        setattr(layer, role, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)


def _remapped(layer: ChannelMap, live: _Live | None, target: _Live | None) -> ChannelMap:
    """Let the map say where the channels that are left go."""
    inputs = range(layer.in_channels) if live is None else live.index.tolist()
    outputs = range(layer.out_channels) if target is None else target.index.tolist()
    position = {channel: i for i, channel in enumerate(inputs)}
    source = [position.get(layer.source[o], -1) for o in outputs]
    stride = layer.stride[0] if isinstance(layer.stride, tuple) else int(layer.stride)
    new = ChannelMap(source, len(position), stride, coded=layer.coded)
    return new.to(layer.weight.device)
