"""Attention, counts and masks in a network: the engine against the reference, in every way it can be run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import snnfile
from hypothesis import given
from hypothesis import strategies as st
from property.engine import Builder, check, equal
from property.strategies import Case, Draft

from snncore.neuron import Neuron
from snncore.reference.run import run

SIDES = st.integers(1, 9)
HEADS = st.sampled_from([1, 1, 2, 3, 4, 8])
HEAD_CHANNELS = st.one_of(st.integers(1, 9), st.sampled_from([16, 31, 33, 48, 63, 64, 65, 96, 127, 128, 130]))


class TokenDraft(Draft):
    """Several edges of spikes of one shape, from one input."""

    def begin(self) -> tuple[int, int]:
        """The input `x` of drawn heads; gives heads and channels."""
        heads, dim = self.draw(HEADS), self.draw(HEAD_CHANNELS)
        dim = min(dim, 384 // heads)
        self.input("b1", (heads * dim, self.draw(SIDES), self.draw(SIDES)))
        return heads, heads * dim

    def spikes(self, channels: int) -> str:
        """Spikes [channels, H, W]: of the input itself, late, or of a layer."""
        kind = self.one_of("itself", "delay", "layer") if channels == self.edge("x").channels else "layer"
        if kind == "itself":
            return "x"
        if kind == "delay":
            return self.call("delay", name=self.name("delay"), x="x", steps=1)
        return self.neuron([self.conv("x", channels, same=True)])

    def sum(self, method: str, **arguments: Any) -> str:
        name = self.call(method, name=self.name(method), **arguments)
        self.case.sums.append(name)
        return name

    def float_neuron(self, x: str) -> str:
        """A float neuron that reads a sum of spikes, scaled."""
        scale, rate = self.one_of(0.125, 0.1, 1.0), self.one_of(2.0, 1.5)
        rule = Neuron(
            charge=self.one_of("relax_divide", "decay"),
            rate=rate,
            input_gain=scale,
            threshold=self.one_of(0.5, 0.3),
            reset=self.one_of("zero", "subtract"),
        )
        name = self.call("neuron", name=self.name("neuron"), x=x, neuron=rule)
        self.case.neurons.append(name)
        return name

    def end(self, x: str) -> Case:
        """Any spikes to an output."""
        return self.finish(self.neuron([x]) if self.edge(x).kind == "sum" else x)


@st.composite
def attentions(draw: Any) -> Case:
    """Attention, perhaps with a shortcut or a convolution added to it, and a neuron."""
    d = TokenDraft(draw)
    heads, channels = d.begin()
    a = d.sum("attention", **{role: d.spikes(channels) for role in "qkv"}, heads=heads)
    if draw(st.booleans()):
        return d.end(d.float_neuron(a))
    more = d.one_of([], ["x"], [d.conv("x", channels, same=True)])
    return d.end(d.neuron([a, *more]))


@st.composite
def counts(draw: Any) -> Case:
    """A count of one or two edges, and a neuron."""
    d = TokenDraft(draw)
    heads, channels = d.begin()
    over = d.one_of("channels", "tokens", "all")
    pair = [d.spikes(channels) for _ in range(draw(st.integers(1, 2)))]
    options = {"over": over, "heads": 1 if over == "tokens" else heads}
    counted = d.sum("count", **dict(zip("xy", pair, strict=False)), **options)
    return d.end(d.float_neuron(counted) if draw(st.booleans()) else counted)


@st.composite
def masks(draw: Any) -> Case:
    """Spikes where a mask lets them through: of groups of channels, or of channels for all tokens."""
    d = TokenDraft(draw)
    heads, channels = d.begin()
    x = d.spikes(channels)
    if draw(st.booleans()):
        passes = d.neuron([d.sum("count", x=d.spikes(channels), over="tokens")])
    else:
        passes = d.spikes(draw(st.sampled_from([1, heads, channels])))
    return d.end(d.call("mask", name="mask1", x=x, mask=passes))


@given(attentions())
def test_attention(case: Case) -> None:
    check(case)


@given(counts())
def test_count(case: Case) -> None:
    check(case)


@given(masks())
def test_mask(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("heads", "side"), [(1, 14), (8, 14), (1, 24)])
def test_the_largest_sums(heads: int, side: int) -> None:
    """Everything fires: 8- and 16-bit counts would go round."""
    b = Builder()
    x = b.input("x", "b1", (512, side, side))
    sums = {
        "a": b.attention("a", x, x, x, heads=heads),
        "channels": b.count("channels", x, over="channels", heads=heads),
        "tokens": b.count("tokens", x, over="tokens"),
        "all": b.count("all", x, x, over="all", heads=heads),
    }
    for name in sums:
        b.output(name, b.lif(f"lif_{name}", name, threshold=2.0))
    tokens, dim = side * side, 512 // heads
    expected = {"a": tokens * dim, "channels": dim, "tokens": tokens, "all": tokens * dim}
    record = [f"{name}.sum" for name in sums]
    result = b.build(timesteps=1).run(np.ones((1, 512, side, side), np.bool_), record=record)
    for name, value in expected.items():
        assert np.unique(result.states[f"{name}.sum"]).tolist() == [value], name


@pytest.mark.parametrize("shape", [(384, 8, 8), (96, 3, 5)])
def test_many_samples(shape: tuple[int, ...]) -> None:
    """Heads of 48 and 12 channels in a batch, and the file of another writer."""
    rng = np.random.default_rng(7)
    x = rng.random((3, 5, *shape)) < 0.3
    models = []
    for b in (Builder(), snnfile.Builder()):
        b.input("x", "b1", shape, layout="TNCHW")
        b.attention("a", "x", "x", "x", heads=8)
        ones = np.ones(shape[0], np.int32)
        b.requant("current", ["a"], [ones], 0 * ones, 3 * ones)
        b.output("y", b.lif_int("lif", "current", theta=40 * ones, leak_param=16384))
        models.append(b.build(timesteps=3))
    expected = run(models[1].to_bytes(), x, record=["a.sum"])
    for threads in (1, 2):
        result = models[0].run(x, record=["a.sum"], threads=threads)
        equal(result.states["a.sum"], expected.sums["a"], "sums")
        equal(result.outputs, expected.outputs["y"], "spikes")
