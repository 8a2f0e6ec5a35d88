"""Attention maps of one bit in a network, and factors of steps: the engine against the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import snnfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from property.engine import Builder, check, equal
from property.strategies import Case
from property.test_tokens import TokenDraft

import snncore
from snncore.reference.maps import MapProduct, MapScores, fired_maps
from snncore.reference.run import run

VARIANTS = st.sampled_from(["qk", "kv"])


@st.composite
def maps(draw: Any) -> Case:
    """Scores, the map's neuron or spikes of a layer, what the map selects, and a neuron."""
    d = TokenDraft(draw)
    heads, channels = d.begin()
    options = {"variant": draw(VARIANTS), "heads": heads}
    scores = d.sum("map_scores", x=d.spikes(channels), y=d.spikes(channels), **options)
    fired = d.neuron([scores]) if draw(st.booleans()) else d.float_neuron(scores)
    if draw(st.integers(0, 3)) == 0:
        return d.end(fired)
    product = d.sum("map_product", maps=fired, x=d.spikes(channels), **options)
    if draw(st.booleans()):
        return d.end(d.float_neuron(product))
    return d.end(d.neuron([product, *d.one_of([], ["x"], [d.conv("x", channels, same=True)])]))


@given(maps())
def test_maps(case: Case) -> None:
    check(case)


@given(VARIANTS, st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.integers(0, 2**31))
def test_the_reference_is_that_of_the_layers(
    variant: Any, heads: int, dim: int, side: int, seed: int
) -> None:
    """What `reference.run` and the modules of a network compute, which order their maps otherwise."""
    rng = torch.Generator().manual_seed(seed)
    x, y, z = (torch.randint(0, 2, (2, heads * dim, side, side), generator=rng) for _ in range(3))
    scores = MapScores(variant, heads)(x, y)
    turned = scores if variant == "qk" else scores.transpose(-1, -2)  # [N, heads, a, b]
    map_ = fired_maps(scores[None])[0]
    selected = MapProduct(variant, heads)(map_, z)
    from snncore.reference import ops

    pair = (x, y) if variant == "qk" else (y, x)
    ours = ops.map_scores(*(t[None] for t in pair), variant=variant, heads=heads)
    assert torch.equal(ours[0], turned.movedim(-1, 1))
    bits = (map_ if variant == "qk" else map_.transpose(-1, -2)).movedim(-1, 1)
    assert torch.equal(ops.map_product(bits[None], z[None], variant=variant, heads=heads)[0], selected)


@settings(max_examples=30)
@given(VARIANTS, st.integers(1, 16), st.sampled_from([0.02, 0.3, 0.9]), st.integers(0, 2**31))
def test_the_map_neuron_is_exact(variant: Any, steps: int, density: float, seed: int) -> None:
    """As `from_torch` makes it: halves of halves, and no bit is lost."""
    x = np.random.default_rng(seed).random((steps, 2, 12, 3, 4)) < density
    b = Builder()
    b.input("x", "b1", x.shape[2:], layout="TNCHW")
    scores = b.map_scores("scores", "x", "x", variant=variant, heads=2)
    unit = {"state": "i32", "theta0": 2 ** max(12, steps)}
    b.output("map", b.lif("map", scores, decay=0.5, input_gain=0.5, threshold=1.0, reset="subtract", **unit))
    model = b.build(steps)
    result = model.run(x, record=["scores.sum"])
    sums = torch.from_numpy(result.states["scores.sum"]).to(torch.int64)
    equal(result.outputs != 0, fired_maps(sums).numpy() != 0, "map")


def test_the_largest_counts() -> None:
    """Everything fires, in more heads than one; a token and a channel that do not."""
    x = np.ones((2, 1, 390, 17, 17), np.bool_)
    x[:, :, :, 3, 5] = x[:, :, 130] = False
    for variant in ("qk", "kv"):
        for b in (Builder(), snnfile.Builder()):
            b.input("x", "b1", x.shape[2:], layout="TNCHW")
            b.map_scores("s", "x", "x", variant=variant, heads=3)
            channels = 289 if variant == "qk" else 130
            ones = np.ones(channels, np.int32)
            b.requant("current", ["s"], [ones], 0 * ones, 0 * ones)
            b.lif_int("map", "current", theta=2 * ones, state="i32", leak_param=9)
            b.map_product("p", "map", "x", variant=variant, heads=3)
            ones = np.ones(390, np.int32)
            b.requant("current2", ["p"], [ones], 0 * ones, 0 * ones)
            b.output("y", b.lif_int("n", "current2", theta=2 * ones, state="i32", leak_param=9))
            built = b.build(2)
            if isinstance(b, Builder):
                recorded = built.run(x, record=["s.sum", "p.sum"], threads=2)
                assert (
                    np.unique(recorded.states["s.sum"]).tolist()
                    == {
                        "qk": [0, 129, 130],
                        "kv": [0, 288],
                    }[variant]
                )
            else:
                expected = run(built.to_bytes(), x)
        for name in "sp":
            equal(recorded.states[f"{name}.sum"], expected.sums[name], name)
        equal(recorded.outputs, expected.outputs["y"], "spikes")


@st.composite
def gains(draw: Any) -> Case:
    """Neurons behind a requant or a stream whose factors, offsets or both have a row for each step."""
    d = TokenDraft(draw)
    _, channels = d.begin()
    sums = [d.conv("x", channels, same=True) for _ in range(draw(st.integers(1, 2)))]
    inputs = [*sums, *d.one_of([], ["x"])]
    rows = d.case.timesteps + draw(st.integers(0, 2))

    def each(low: int, high: int) -> np.ndarray:
        shape = (rows, channels) if draw(st.booleans()) else (channels,)
        return d.rng.integers(low, high, shape).astype(np.int32)

    shortcuts = [d.rng.integers(-300, 300, channels).astype(np.int32) for _ in inputs[len(sums) :]]
    kind = d.one_of("lif_int", "cuba_lif", "stream")
    most = 10 if kind == "cuba_lif" else 40  # whose currents must fit 23 bits
    made = {"inputs": inputs, "factors": [*(each(0, most) for _ in sums), *shortcuts], "c": each(-200, 200)}
    made["n"] = d.rng.integers(0, 3, channels).astype(np.int32)
    if kind == "stream":
        stream = d.call("residual_int", name="stream", **made, unit=1.0)
        zeros = np.zeros(channels, np.int32)
        made = {"inputs": [stream], "factors": [each(0, 9)], "c": zeros, "n": zeros + 1}
    wide = kind == "stream" or draw(st.booleans())
    current = d.call("requant", name="current", **made, wide=wide)
    if kind == "cuba_lif":
        theta, bias = np.full(channels, 900, np.int32), np.zeros(channels, np.int32)
        options = {"current_decay": 1000, "decay": 3000, "input_shift": 0, "bias": bias}
        fired = d.call("cuba_lif", name="n", x=current, theta=theta, **options)
    else:
        state = d.one_of("i8", "i16", "i32")
        theta = np.full(channels, 100 if state == "i8" else 900, np.int32)
        fired = d.call("lif_int", name="n", x=current, theta=theta, state=state, leak_param=16384)
    d.case.neurons.append("n")
    return d.finish(fired)


@given(gains())
def test_factors_of_steps(case: Case) -> None:
    check(case)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**31))
def test_step_gain_is_what_it_says(steps: int, groups: int, seed: int) -> None:
    """Dyadic numbers, so that neither side rounds: the float neuron, step by step, and in a stream."""
    rng = np.random.default_rng(seed)
    gain = rng.integers(0, 9, (steps, groups)) / 4
    x = rng.random((steps, 2, 4, 3, 3)) < 0.5
    codes = rng.integers(-8, 9, (4 * groups, 4, 1, 1), dtype=np.int8)
    bias = rng.integers(-4, 5, 4 * groups) / 4
    b = Builder()
    b.input("x", "b1", (4, 3, 3), layout="TNCHW")
    sums = b.conv2d("c", "x", codes, encoding="sym", bits=8, scale=[0.25], bias=bias)
    b.output("y", b.lif("n", b.step_gain("g", sums, gain), decay=0.5, threshold=1.0, state="i32"))
    model = b.build(steps)
    factors = gain.repeat(4, axis=1)[:, None, :, None, None]
    real = np.einsum("oi,tnihw->tnohw", codes[:, :, 0, 0] / 4, x) + bias[:, None, None]
    v, spikes = 0.0, []
    for current in factors * real:
        h = v / 2 + current
        spikes.append(h >= 1)
        v = np.where(h >= 1, 0, h)
    equal(model.run(x) != 0, np.array(spikes), "spikes")
    session = model.stream(batch=2)
    for t, frame in enumerate(x):
        equal(session.step(frame)[0] != 0, spikes[t], f"step {t}")
    if steps > 1:
        with pytest.raises(snncore.Error, match=f"has factors for {steps} steps"):
            session.step(x[0])
        session.reset()
        equal(session.step(x[0])[0] != 0, spikes[0], "after reset")
        with pytest.raises(snncore.Error, match=f"has factors for {steps} steps, asked for {steps + 1}"):
            model.run(np.concatenate([x, x[:1]]))
    equal(model.run(x[:1]) != 0, np.array(spikes[:1]), "one step")
    copied = snncore.load(model.to_bytes())
    equal(copied.run(x), model.run(x), "a copy")
