"""Int32 residual streams: the engine against the reference, gentle ones and such as saturate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import check, equal
from property.strategies import LIMIT31, Case, Draft, image_shape

import snncore
from snncore.reference.run import run


class StreamDraft(Draft):
    """Writers of streams and neurons that read them."""

    def constants(self, edges: list[Any], most: float) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Factors of sums, spikes and counts, C and n: together up to `most` in a channel."""
        channels = edges[0].channels
        n = self.rng.integers(1, 31, channels) if self.draw(st.booleans()) else np.zeros(channels, np.int64)
        c = np.trunc(np.clip(self.rng.uniform(-1, 1, channels) * most / 4 * 2.0**n, -LIMIT31, LIMIT31))
        each, factors = most / 2 / max(len(edges), 1), []
        for e in edges:
            if e.kind in ("sum", "stream"):
                f = np.floor(each / np.maximum(e.a_max, 1) * 2.0**n * self.rng.uniform(0.5, 1, channels))
                factors.append(np.clip(f, 0, LIMIT31))
            else:
                factors.append(np.floor(each / e.range[1] * self.rng.uniform(-1, 1, channels)))
        return [f.astype(np.int32) for f in factors], c.astype(np.int32), n.astype(np.int32)

    def write(self, inputs: list[str], streams: list[str]) -> str:
        most = self.one_of(10000.0, 10000.0, 1e6, 2.0**31 - 64)
        edges = [self.edge(x) for x in inputs] or [self.edge(streams[0])]
        factors, c, n = self.constants(edges, most)
        if not inputs:
            factors = []
        both = list(zip(inputs, factors, strict=True)) + [(x, None) for x in streams]
        both = list(self.draw(st.permutations(both)))
        return self.call(
            "residual_int", name=self.name("residual_int"), inputs=[x for x, _ in both],
            factors=[f for _, f in both], c=c, n=n, unit=self.one_of(1.0, 0.25 / 4096),
        )  # fmt: skip

    def enter(self, inputs: list[str]) -> str:
        """A neuron on a stream, perhaps beside a sum, or on a sum alone."""
        factors, c, n = self.constants([self.edge(x) for x in inputs], self.one_of(8000.0, 60000.0, 2.0**30))
        if self.draw(st.booleans()) and len(inputs) == 1:  # the stream as it is
            factors, c, n = [np.ones_like(c)], np.zeros_like(c), np.zeros_like(n)
        requant = self.call(
            "requant", name=self.name("requant"), inputs=inputs, factors=factors, c=c, n=n, wide=True
        )
        state = self.one_of("i8", "i16", "i32", "i4")
        unit = 8 if state == "i4" else -1
        return self._fire(requant, "W", state, unit, np.full(len(c), self.one_of(100.0, 5000.0)))

    def layer(self, x: str, channels: int) -> str:
        image = len(self.edge(x).shape) == 3
        return self.conv(x, channels, same=True) if image else self.linear(x, channels)

    def end(self, stream: str) -> Case:
        """The mean of the stream, through a float linear layer or not; or a neuron and what may follow."""
        if self.draw(st.booleans()):
            return self.finish(self.enter([stream]))
        channels = self.edge(stream).channels
        y = self.call(
            "readout", name="readout1", x=stream, mode=self.one_of("mean", "sum", "last"),
            scale=self.rng.uniform(1e-6, 1e-3, self.one_of(1, channels)), bias=self.rng.normal(size=channels),
        )  # fmt: skip
        self.case.totals.append(y)
        if self.draw(st.booleans()):
            y = self.call("linear", name="head", x=y, **self.real_weight((3, channels)))
        self.call("output", name="y", edge=y)
        return self.case


@st.composite
def streams(draw: Any) -> Case:
    """Spikes or pixels into a stream; blocks that read it and write to it; an end."""
    d = StreamDraft(draw)
    image = draw(st.booleans())
    x = d.input(d.one_of("b1", "b1", "u8"), image_shape(draw) if image else (draw(st.integers(1, 70)),))
    channels = d.edge(x).channels if draw(st.booleans()) else draw(st.integers(1, 70))
    first = [d.layer(x, channels)]
    if d.edge(x).kind == "spike" and d.edge(x).channels == channels and draw(st.booleans()):
        first = draw(st.sampled_from([[x], [x, *first], [*first, d.layer(x, channels)]]))
    stream = d.write(first, [])
    for _ in range(draw(st.integers(1, 3))):
        y = d.layer(d.enter([stream]), channels)
        kind = d.one_of("add", "add", "add", "two streams", "beside", "anew")
        if kind == "beside":
            stream = d.write([d.layer(d.enter([stream, y]), channels)], [stream])
        elif kind == "anew":
            stream = d.write([y], [])
        elif kind == "two streams":
            stream = d.write([y], [stream, stream]) if draw(st.booleans()) else d.write([], [stream, stream])
        else:
            stream = d.write([y], [stream])
    return d.end(stream)


@given(streams())
def test_streams(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("sign", [1, -1])
def test_saturation(sign: int) -> None:
    """Writers of 2^30 each: the third reaches the end of int32, and so does the current of a neuron."""
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [1, 1, 1])
    one, zero = np.ones(1, np.int32), np.zeros(1, np.int32)
    stream, spikes = "", []
    for i in range(4):
        weight = np.full((1, 1, 1, 1), sign, np.int8)
        y = b.conv2d(f"conv{i}", x, weight, encoding="sym", bits=8, scale=[1.0])
        inputs, factors = ([y, stream], [one << 30, None]) if stream else ([y], [one << 30])
        stream = b.residual_int(f"r{i}", inputs, factors, zero, zero)
        current = b.requant(f"i{i}", [stream], [one], zero, zero, wide=True)
        spikes.append(b.lif_int(f"l{i}", current, theta=one, state="i32", leak="none", decay=1.0))
        b.output(f"y{i}", spikes[-1])
    b.output("mean", b.readout("mean", stream, "mean", scale=[1.0], bias=[0.0]))
    model = b.build(2)
    on = np.ones((1, 1, 1, 1), bool)
    recorded = model.run(on, record=["mean.sum", *(f"{s}.v" for s in spikes)])
    expected = run(model.to_bytes(), on)
    end = 2**31 - 1 if sign > 0 else -(2**31)
    assert recorded.states["mean.sum"].ravel().tolist() == [2 * end]
    equal(recorded.states["mean.sum"], expected.sums["mean"], "sum")
    assert expected.saturations["r3"].total == 2 and expected.saturations["r1"].total == 2 * (sign > 0)
    if sign < 0:  # both steps: H goes from -2^30 to -2^31 and stays
        assert recorded.states["l0.v"].ravel().tolist() == [-(2**30), -(2**31)]
        assert recorded.states["l3.v"].ravel().tolist() == [-(2**31), -(2**31)]


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_builder_folds(seed: int, pooled: bool) -> None:
    """Conv, batch norm, residual in real units: within one rounding a writer of the float64 network."""
    rng = np.random.default_rng(seed)
    channels, weights, norms = 5, [], []
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [3, 4, 2])
    spikes, stream = x, None
    for i in range(3):
        inputs = 3 if i == 0 else channels
        q, scale = rng.integers(-127, 128, (channels, inputs, 1, 1)), rng.uniform(0.001, 0.02, channels)
        bn = [rng.normal(size=channels) for _ in range(3)] + [rng.uniform(0.5, 2, channels)]
        y = b.conv2d(f"conv{i}", spikes, q.astype(np.int8), encoding="sym", bits=8, scale=scale)
        stream = b.residual(f"r{i}", b.batch_norm(f"bn{i}", y, *bn), stream)
        spikes = b.lif(f"lif{i}", stream, threshold=0.75)
        weights.append(q[:, :, 0, 0] * scale[:, None])
        norms.append(bn)
    assert stream is not None
    if pooled:
        head = rng.normal(size=(2, channels)).astype(np.float32)
        y = b.flatten("flat", b.avgpool2d("pool", stream, [4, 2]))
        y = b.linear("head", y, head, bias=[0.5, -1.0])
        b.output("y", b.readout("y", y))
    else:
        b.output("y", spikes)
    model = b.build(3)
    image = rng.random((3, 2, 3, 4, 2)) < 0.4
    names = [f"lif{i}" for i in range(3)]
    recorded = model.run(image, layout="TNCHW", record=names)
    expected = run(model.to_bytes(), image, "TNCHW", record=names)
    for name in names:
        equal(recorded.spikes[name].numpy(), expected.spikes[name], name)
    equal(recorded.outputs, expected.outputs["y"], "output")
    real, before = np.zeros(()), image.astype(np.float64)
    for i, (w, (gamma, beta, mean, var)) in enumerate(zip(weights, norms, strict=True)):
        y = np.einsum("oi,tnihw->tnohw", w, before)
        g = (gamma / np.sqrt(var + 1e-5))[:, None, None]
        real = real + (y - mean[:, None, None]) * g + beta[:, None, None]
        before = recorded.spikes[f"lif{i}"].numpy().astype(np.float64)
    if pooled:
        y = real.mean((0, 3, 4)) @ head.T.astype(np.float64) + [0.5, -1.0]
        bound = 3 * 0.51 * 0.75 / 4096 * float(abs(head).sum(1).max()) + 1e-5
        assert abs(recorded.outputs - y).max() <= bound


def test_coupled_streams_have_one_unit() -> None:
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [2])
    weight = {"encoding": "sym", "bits": 8, "scale": [0.1]}
    y = b.linear("fc", x, np.ones((2, 2), np.int8), **weight)
    first = b.residual("first", y, unit=0.5)
    second = b.residual("second", b.linear("fc2", x, np.ones((2, 2), np.int8), **weight), unit=0.25)
    message = "residual 'both': streams that are added must have one unit, received 0.5.* and 0.25"
    with pytest.raises(ValueError, match=message):
        b.residual("both", first, second)
    with pytest.raises(ValueError, match="residual 'third': unit must be positive and finite, received -1"):
        b.residual("third", y, unit=-1.0)
    with pytest.raises(ValueError, match="residual 'fourth': 'fc' is not a stream"):
        b.residual("fourth", y, y)


def test_unit_of_the_first_neuron() -> None:
    """1/4096 of its threshold, wherever the stream is read first; nothing else: of threshold 1."""
    for threshold, unit in ((0.5, 0.5 / 4096), (None, 1 / 4096)):
        b = snncore.GraphBuilder()
        x = b.input("x", "b1", [2])
        weight = {"encoding": "sym", "bits": 8, "scale": [0.1]}
        y = b.residual("r0", b.linear("fc", x, np.ones((2, 2), np.int8), **weight))
        y = b.residual("r1", b.linear("fc2", x, np.ones((2, 2), np.int8), **weight), y)
        if threshold is None:
            b.output("y", b.readout("y", y))
        else:
            b.output("y", b.lif("lif", y, threshold=threshold))
        units = {
            n["attrs"]["unit"]
            for n in snncore.convert.parts.parts_of(b.build(1)).nodes[:4]
            if n["op"] == "residual"
        }
        assert units == {unit}


def test_reference_is_exact() -> None:
    """The definition, on numbers that one can check by hand."""
    from snncore.reference import ops

    a = torch.tensor([[[3, -3]]])
    two = torch.full((2,), 2)
    wrote, saturated = ops.residual(
        [torch.tensor([[[2**31 - 2, -5]]])], [(a, two)], [], torch.ones(2, dtype=torch.int64), two
    )
    assert wrote.tolist() == [[[2**31 - 1, -6]]] and saturated.tolist() == [[[True, False]]]
    most, zero = torch.full((2,), 2**31 - 1), torch.zeros(2, dtype=torch.int64)
    spikes = (torch.ones(1, 1, 2, dtype=torch.int64), torch.tensor([-7, 7]))
    wrote, saturated = ops.residual([torch.tensor([[[-5, 5]]])], [(a, most)], [spikes], zero, zero)
    assert wrote.tolist() == [[[2**31 - 1 - 12, -(2**31) + 12]]] and saturated.all()


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_written_saturates_first(sign: int) -> None:
    """A writer far past int32 goes to its end; the stream, of the other sign, is added to that."""
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [1, 1, 1])
    one, zero = np.ones(1, np.int32), np.zeros(1, np.int32)

    def writer(name: str, weight: int, factor: int, stream: str = "") -> str:
        y = b.conv2d(
            f"{name}.conv", x, np.full((1, 1, 1, 1), weight, np.int8), encoding="sym", bits=8, scale=[1.0]
        )
        inputs, factors = ([y, stream], [one * factor, None]) if stream else ([y], [one * factor])
        return b.residual_int(name, inputs, factors, zero, zero)

    stream = writer("r1", 100 * sign, 2**31 - 1, writer("r0", -sign, 1000))
    spikes = b.lif_int(
        "l", b.requant("i", [stream], [one], zero, zero, wide=True),
        theta=one, state="i32", leak="none", decay=1.0,
    )  # fmt: skip
    b.output("l", spikes)
    b.output("mean", b.readout("mean", stream, "mean", scale=[1.0], bias=[0.0]))
    model = b.build(2)
    recorded = model.run(np.ones((1, 1, 1, 1), bool), record=["mean.sum", "l"])
    end = 2**31 - 1 if sign > 0 else -(2**31)
    assert recorded.states["mean.sum"].ravel().tolist() == [2 * (end - 1000 * sign)]
    assert recorded.spikes["l"].numpy().ravel().tolist() == [sign > 0] * 2
    assert snncore.verify(model, None, np.ones((1, 1, 1, 1), bool)).equal
