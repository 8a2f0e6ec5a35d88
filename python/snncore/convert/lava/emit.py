"""From blocks to layers: sums of codes, the current they make, the fixed-point neuron behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from snncore.builder import GraphBuilder

from .blocks import Block
from .fields import Integers
from .weights import OnChip, coded, on_chip, plain

Readout: TypeAlias = Literal["mean", "sum", "last"]

#: Inputs of one `requant`.
_MOST_SUMS = 64
#: Codes of one block, all delays together.
_MOST_CODES = 1 << 26
#: A vector of values is brought to the neurons by as many weights squared; channels of an image, by one each.
_MOST_VALUES = 4096


class _Term(NamedTuple):
    """Weights that read what was fired so many steps ago."""

    weight: Integers
    edge: str
    steps: int


class Emitter:
    """Calls the builder, block by block; `edge` and `shape` are what the next block reads."""

    def __init__(self, *, layer_delay: bool, values: bool, zero_point: int) -> None:
        self.builder = GraphBuilder()
        self.wait = int(layer_delay)
        self.values, self.zero_point = values, zero_point
        self.edge, self.shape = "", ()  # type: str, tuple[int, ...]
        self.scored = ""  # what `average` leaves for a readout
        self.late: dict[tuple[str, int], str] = {}

    def input(self, shape: tuple[int, ...]) -> None:
        """Add the input: spikes, unless values are wanted."""
        axes = "NCHW" if len(shape) == 3 else "NC"
        if self.values:
            if shape[0] > _MOST_VALUES:
                raise ValueError(
                    f"block 0 (input): expected at most {_MOST_VALUES} channels, or values in a vector, "
                    f"received {shape[0]}; use input_dtype 'b1'"
                )
            points = [self.zero_point] * shape[0]
            self.edge = self.builder.input("input", "u8", shape, zero_point=points, scale=1.0, layout=axes)
        else:
            self.edge = self.builder.input("input", "b1", shape, layout="T" + axes)
        self.shape = shape

    def emit(self, block: Block) -> None:
        """Add one block."""
        _EMIT[block.kind](self, block)

    def output(self, readout: Readout | None) -> None:
        """Make the last edge the output, or what a readout makes of it."""
        if self.scored or readout is not None:
            self.edge = self.builder.readout("logits", self.scored or self.edge, readout or "mean")
        self.builder.output(self.edge, self.edge)

    def from_values(self, block: Block) -> None:
        """Add the neurons of an input block, whose bias is the input: a current that does not stay."""
        if block.neuron is None:
            return
        block = replace(block, neuron=replace(block.neuron, current_decay=0))
        channels, name = self.shape[0], f"{block.name}.value"
        if len(self.shape) == 3:
            ones = np.ones((channels, 1, 1, 1), np.int8)
            total = self.builder.conv2d(
                name, self.edge, ones, encoding="sym", bits=2, scale=1.0, groups=channels
            )
        else:
            total = self.builder.linear(
                name, self.edge, np.eye(channels, dtype=np.int8), encoding="sym", bits=2, scale=1.0
            )
        self._fire(block, [total], 1, 0)

    def dense(self, block: Block) -> None:
        """Add a dense block, recurrent ones too."""
        assert block.weight is not None
        self._take(block, (block.weight.shape[1],), "a flatten block before it")
        recurrent = block.weight_rec is not None
        back = [block.weight_rec] if block.weight_rec is not None else []
        try:
            held = on_chip(block.weight, *back)
        except ValueError as why:
            raise ValueError(f"{block.label}: {why}") from None
        terms = list(self._delayed(block, held.weights[0], _synaptic(block)))
        if recurrent:
            returned = self.builder.delay(f"{block.name}.back", block.name, 1, shape=block.shape)
            terms.append(_Term(held.weights[1], returned, 0))
        if held.shift and len(terms) > 1:
            raise ValueError(
                f"{block.label}: its smallest weight is one that Lava cannot hold exactly without a sign, "
                "which is not supported together with delays or recurrence"
            )

        def add(name: str, edge: str, codes: Integers, bits: int) -> str:
            return self.builder.linear(name, edge, codes, encoding="sym", bits=bits, scale=1.0)

        self._synapses(block, terms, held, add)

    def conv(self, block: Block) -> None:
        """Add a convolution, or a pool: one kernel for every channel by itself."""
        weight, groups = block.weight, block.window.groups
        assert weight is not None
        channels = weight.shape[1] * groups
        if block.kind == "pool":
            channels = groups = block.shape[0]
            _check_codes(block, weight.size * channels)
            weight = np.tile(weight, (channels, 1, 1, 1))
        self._take(block, (channels, *self.shape[1:3]), f"an image of {channels} channels")
        padding = _padding(block, self.shape[1:])
        kernel = [d * (k - 1) + 1 for d, k in zip(block.window.dilation, weight.shape[2:], strict=True)]
        sides = zip(self.shape[1:], padding[::2], padding[1::2], kernel, block.window.stride, strict=True)
        shape = (len(weight), *((n + a + b - k) // s + 1 for n, a, b, k, s in sides))
        if shape != block.shape:
            raise ValueError(
                f"{block.label}: its shape is {list(block.shape)}, but what comes in gives {list(shape)}"
            )
        delay = None if block.delay is None else block.delay.reshape(-1, 1, 1, 1)
        held = plain(weight)
        terms = list(self._delayed(block, held.weights[0], delay))

        def add(name: str, edge: str, codes: Integers, bits: int) -> str:
            return self.builder.conv2d(
                name, edge, codes, encoding="sym", bits=bits, scale=1.0, stride=block.window.stride,
                padding=padding, dilation=block.window.dilation, groups=groups,
            )  # fmt: skip

        self._synapses(block, terms, held, add)

    def flatten(self, block: Block) -> None:
        """Make a vector of an image."""
        if len(self.shape) == 3:
            self.edge, self.shape = self.builder.flatten(block.name, self.edge), (prod(self.shape),)

    def average(self, block: Block) -> None:
        """Sum groups of neighbouring neurons; the readout divides."""
        (features,), (classes,) = self.shape, block.shape
        if features % classes:
            raise ValueError(f"{block.label}: {features} neurons do not divide into {classes} groups")
        _check_codes(block, features * classes)
        each = features // classes
        groups = np.repeat(np.eye(classes, dtype=np.int8), each, axis=1)
        self.scored = self.builder.linear(
            block.name, self.edge, groups, encoding="sym", bits=2, scale=1.0 / each
        )

    def _take(self, block: Block, wanted: tuple[int, ...], what: str) -> None:
        if self.shape != wanted:
            raise ValueError(
                f"{block.label}: expected input of shape {list(wanted)} ({what}), received {list(self.shape)}"
            )

    def _delayed(self, block: Block, weight: Integers, delay: Integers | None) -> Iterator[_Term]:
        """Split weights by how late their spikes are."""
        if delay is None:
            yield _Term(weight, self.edge, self.wait)
            return
        steps = np.unique(np.broadcast_to(delay, weight.shape)[weight != 0])
        _check_codes(block, weight.size * max(len(steps), 1))
        for step in steps if len(steps) else [0]:
            yield _Term(np.where(delay == step, weight, 0), self.edge, self.wait + int(step))

    def _synapses(
        self, block: Block, terms: list[_Term], held: OnChip, add: Callable[[str, str, Integers, int], str]
    ) -> None:
        """Add the layers that sum, and the neuron behind them."""
        sums: list[str] = []
        for term in terms:
            edge = self._late(term.edge, term.steps)
            codes = coded(term.weight)
            for part in codes.parts:
                name = f"{block.name}.synapse" + (str(len(sums)) if sums else "")
                sums.append(add(name, edge, part, codes.bits))
        if len(sums) > _MOST_SUMS:
            raise ValueError(
                f"{block.label}: its delays and weights make {len(sums)} sums; expected at most {_MOST_SUMS}"
            )
        self._fire(block, sums, held.factor, held.shift)

    def _fire(self, block: Block, sums: list[str], factor: int, shift: int) -> None:
        neuron, channels = block.neuron, block.shape[0]
        assert neuron is not None
        zeros = np.zeros(channels, np.int32)
        current = self.builder.requant(
            f"{block.name}.current", sums, [np.full(channels, factor, np.int32)] * len(sums),
            zeros - (1 << shift >> 1), zeros + shift,  # down, not to nearest
        )  # fmt: skip
        bias = zeros if block.bias is None else zeros + (block.bias << 6)
        self.edge = self.builder.cuba_lif(
            block.name, current, current_decay=neuron.current_decay, decay=neuron.decay,
            theta=zeros + neuron.theta, bias=bias,
        )  # fmt: skip
        self.shape = block.shape

    def _late(self, edge: str, steps: int) -> str:
        if steps == 0:
            return edge
        if (edge, steps) not in self.late:
            self.late[edge, steps] = self.builder.delay(f"{edge}.late{steps}", edge, steps)
        return self.late[edge, steps]


def _padding(block: Block, sides: tuple[int, ...]) -> tuple[int, ...]:
    """Give top, bottom, left, right; SLAYER's pool adds the rest of side / kernel at the end."""
    assert block.weight is not None
    rests = (
        [n % k for n, k in zip(sides, block.weight.shape, strict=True)] if block.kind == "pool" else [0, 0]
    )
    return tuple(p + more for p, rest in zip(block.window.padding, rests, strict=True) for more in (0, rest))


def _synaptic(block: Block) -> Integers | None:
    """Spread the delays of a dense block over its weights: by output first, as Lava does, else by input."""
    assert block.weight is not None
    delay, (rows, columns) = block.delay, block.weight.shape
    if delay is None or delay.shape == (rows, columns):
        return delay
    if delay.size in (1, rows):
        return delay.reshape(-1, 1)
    return delay.reshape(1, columns)


def _check_codes(block: Block, codes: int) -> None:
    if codes > _MOST_CODES:
        raise ValueError(f"{block.label}: makes {codes} weights; expected at most {_MOST_CODES}")


_EMIT: dict[str, Callable[[Emitter, Block], None]] = {
    "input": Emitter.from_values,
    "dense": Emitter.dense,
    "dense_rec": Emitter.dense,
    "conv": Emitter.conv,
    "pool": Emitter.conv,
    "flatten": Emitter.flatten,
    "average": Emitter.average,
}
