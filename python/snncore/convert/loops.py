"""A recurrent neuron as calls: a delay that reads it, layers on the way back, a sum, the neuron."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from .calls import Call, Shape, Unsupported
from .dialects import Loop, Times

#: Elements of a vector that come back by factors of their own: a matrix of so many squared, most of them 0.
_MOST_FACTORS = 4096


class Ends(NamedTuple):
    """What a loop is called, and what it reads."""

    name: str  #: of the neuron's node
    value: str  #: what fx calls the result
    source: str  #: what fx calls the input
    features: Shape  #: of the input


#: Gives the kind and options of a layer, of its features before and shape after.
LayerOf = Callable[[Any, Shape, Shape], tuple[str, dict[str, Any]]]


def unrolled(loop: Loop, ends: Ends, layer_of: LayerOf) -> tuple[list[Call], Shape]:
    """Give the calls, and the features of what the neuron fires.

    Raises
    ------
    Unsupported
        A layer without counterpart, or a part that does not fit another.
    """
    ahead, summed = _planned(loop.ahead, ends.features, layer_of)
    body, fired = _planned(loop.body, summed, layer_of)
    back, returned = _planned(loop.back, fired, layer_of)
    if returned != summed:
        raise Unsupported(f"{list(returned)} comes back to a sum of {list(summed)}")
    if loop.neuron.counts and (loop.late == "spikes" or not back):
        raise Unsupported("counts of spikes come back; expected one spike a step, or a layer on the way")
    writer = _Writer(ends)
    spikes = "f32" if loop.neuron.fire == "none" else "b1"
    if loop.late == "spikes" or not back:
        came = writer.layers(back, "recurrent", writer.delay(ends.value, fired, spikes))
    else:
        came = writer.delay(f"{ends.value}.recurrent{len(back) - 1}", summed, "f32")
    total = writer.add("add", "sum", [writer.layers(ahead, "ahead", ends.source), came])
    current = writer.layers(body, "body", total)
    writer.calls.append(Call("neuron", ends.name, ends.value, [current], options={"neuron": loop.neuron}))
    if loop.late == "currents":
        writer.layers(back, "recurrent", ends.value)
    return writer.calls, fired


class _Layer(NamedTuple):
    kind: str
    module: nn.Module
    options: dict[str, Any]


def _planned(modules: Sequence[nn.Module], features: Shape, layer_of: LayerOf) -> tuple[list[_Layer], Shape]:
    """Say what modules one behind the other are, without those that change nothing; and what they give."""
    found = []
    for given in modules:
        module = _matrix(given, features)
        after = _after(module, features)
        kind, options = layer_of(module, features, (1, *after))
        if kind != "drop":
            found.append(_Layer(kind, module, options))
        features = after
    return found, features


class _Writer:
    """Collects calls; a name is that of the neuron and what the call is for."""

    def __init__(self, ends: Ends) -> None:
        self.ends = ends
        self.calls: list[Call] = []

    def add(
        self, kind: str, what: str, inputs: list[str], module: nn.Module | None = None,
        options: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        value = f"{self.ends.value}.{what}"
        self.calls.append(Call(kind, f"{self.ends.name}.{what}", value, inputs, module, options or {}))
        return value

    def delay(self, source: str, shape: Shape, dtype: str) -> str:
        return self.add("delay", "back", [source], options={"shape": shape, "dtype": dtype})

    def layers(self, layers: Sequence[_Layer], what: str, x: str) -> str:
        """Add layers one behind the other; gives what the last one makes."""
        for i, (kind, module, options) in enumerate(layers):
            x = self.add(kind, f"{what}{i}", [x], module, options)
        return x


def _after(module: nn.Module, features: Shape) -> Shape:
    try:
        return tuple(module(torch.zeros(1, *features)).shape[1:])
    except (RuntimeError, ValueError, IndexError) as why:
        raise Unsupported(f"{type(module).__name__} on the way does not take {list(features)}") from why


def _matrix(module: nn.Module, features: Shape) -> nn.Module:
    """Write factors as a layer that has weights."""
    if not isinstance(module, Times):
        return module
    factors = np.broadcast_to(module.factor.float().numpy(), features)
    values = torch.from_numpy(factors.copy())
    if len(features) == 3:
        if (values != values[:, :1, :1]).any():
            raise Unsupported("factors that differ from pixel to pixel come back")
        layer: nn.Module = nn.Conv2d(features[0], features[0], 1, groups=features[0], bias=False)
        layer.weight = nn.Parameter(values[:, :1, :1].unsqueeze(1))
        return layer
    if features[0] > _MOST_FACTORS:
        raise Unsupported(f"factors of more than {_MOST_FACTORS} neurons come back")
    layer = nn.Linear(features[0], features[0], bias=False)
    layer.weight = nn.Parameter(torch.diag(values))
    return layer
