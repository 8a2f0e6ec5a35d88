"""A `Composite` as calls: what its flow makes of one value, layer by layer.

A framework's attention becomes the composite that `snncore.reference` has for it, with the framework's own
weights and neurons; the neurons keep the names that they have in the framework's module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from snncore.reference import Composite, Count, HeadSums

from .calls import Call, Shape, Unsupported
from .dialects import Times
from .loops import Ends

#: Gives the kind and options of a layer or neuron, of its features before and shape after.
PartOf = Callable[[Any, Shape, Shape], tuple[str, dict[str, Any]]]


def flattened(module: nn.Module, composite: Composite, ends: Ends, part_of: PartOf) -> list[Call]:
    """Give the calls of `composite`, whose neurons are those of `module`; the last one's value is the result.

    A neuron that stands in several rows of layers is a neuron in each, with the row before its name.

    Raises
    ------
    Unsupported
        A layer without counterpart.
    """
    writer = _Writer(module, composite.eval(), ends, part_of)
    result = composite.flow(ends.source, writer.call)
    last = writer.calls[-1]
    assert last.value == result
    return [*writer.calls[:-1], replace(last, value=ends.value)]


class _Writer:
    """Answers a flow's calls: a value is the name that a call's result has."""

    def __init__(self, module: nn.Module, composite: Composite, ends: Ends, part_of: PartOf) -> None:
        self.ends, self.part_of = ends, part_of
        self.paths = {part: path for path, part in composite.named_modules()}
        self.own = {part: path for path, part in module.named_modules()}
        rows = composite.named_modules(remove_duplicate=False)
        self.times = Counter(part for _, part in rows if part in self.own)
        self.features = {ends.source: ends.features}
        self.counted: set[str] = set()  # sums of spikes
        self.scales: dict[str, torch.Tensor] = {}  # of values that a factor is still to be multiplied with
        self.calls: list[Call] = []

    def call(self, layer: Any, *values: str) -> str:
        """Add a layer, a row of layers, or a sum of two values."""
        if layer is torch.add:
            return self._add("add", "add", list(values), self.features[values[0]])
        return self._layer(layer, self.paths[layer], list(values))

    def _layer(self, layer: nn.Module, path: str, values: list[str]) -> str:
        if isinstance(layer, nn.Sequential):
            (value,) = values
            for name, child in layer.named_children():
                value = self._layer(child, f"{path}.{name}", [value])
            return value
        if isinstance(layer, Times):
            self.scales[values[0]] = layer.factor
            return values[0]
        if layer in self.own:
            return self._neuron(layer, path, values[0])
        after = _after(layer, [self.features[value] for value in values])
        kind, options = self._part(layer, path, self.features[values[0]], after)
        made = self._add(kind, path, values, after, layer, options)
        if isinstance(layer, (Count, HeadSums)):
            self.counted.add(made)
        return made

    def _neuron(self, neuron: nn.Module, path: str, value: str) -> str:
        features = self.features[value]
        kind, options = self._part(neuron, self.own[neuron], features, features)
        if kind == "psn" and value in self.counted:
            raise Unsupported(f"'{self.own[neuron]}' reads counts of spikes, which a parallel neuron cannot")
        if value in self.scales:
            rule = options["neuron"]
            gain = rule.values("input_gain") * self.scales[value].numpy()
            options = {"neuron": replace(rule, input_gain=gain)}
        row, own = path.rpartition(".")[0], self.own[neuron]
        name = f"{row}.{own}" if self.times[neuron] > 1 else own
        return self._add(kind, name, [value], features, neuron, options)

    def _part(self, layer: nn.Module, name: str, features: Shape, after: Shape) -> tuple[str, dict[str, Any]]:
        try:
            return self.part_of(layer, features, (1, *after))
        except Unsupported as why:
            raise Unsupported(f"its '{name}' ({type(layer).__name__}): {why}") from why

    def _add(
        self, kind: str, name: str, inputs: list[str], after: Shape, module: nn.Module | None = None,
        options: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        value = f"{self.ends.value}.{name}"
        self.features[value] = after
        path = f"{self.ends.name}.{name}" if self.ends.name else name
        self.calls.append(Call(kind, path, value, inputs, module, options or {}))
        return value


def _after(layer: nn.Module, features: list[Shape]) -> Shape:
    with torch.no_grad():
        return tuple(layer(*(torch.zeros(1, *shape) for shape in features)).shape[1:])
