"""The fixed-point neuron of Loihi and Lava: engine against reference, and both against Lava's rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import check, equal
from property.strategies import Case, Draft

import snncore
from snncore.reference.cuba import cuba_lif
from snncore.reference.run import run

HALF = 2**23
DECAY = st.one_of(st.sampled_from([0, 1, 2048, 4095, 4096]), st.integers(0, 4096))


class CubaDraft(Draft):
    def cuba(self, x: str) -> str:
        """Currents up to the largest that the neuron takes, thresholds near what they reach."""
        e, shift = self.edge(x), self.draw(st.integers(0, 8))
        a_max = np.maximum(e.a_max, 1)
        most = HALF >> shift
        reach = self.one_of(50, most // 64, most)
        m = np.minimum(np.maximum(reach // a_max, 1), most // a_max)
        channels = len(m)
        if m.min() == 0:  # the sums alone are too large
            shift, m = 0, np.ones_like(m)
        zeros = np.zeros(channels, np.int32)
        requant = self.call(
            "requant", name="requant1", inputs=[x], factors=[m.astype(np.int32)], c=zeros, n=zeros, wide=False
        )
        scale = int(max(2, (a_max * m).max() << shift))
        theta = np.clip(self.rng.integers(1, scale + 1, channels), 1, HALF)
        bias = np.clip(self.rng.integers(-scale // 4, scale // 4 + 1, channels), -HALF, HALF)
        name = self.call(
            "cuba_lif", name="cuba1", x=requant, current_decay=self.draw(DECAY), decay=self.draw(DECAY),
            theta=theta.astype(np.int32), bias=bias.astype(np.int32), input_shift=shift,
        )  # fmt: skip
        self.case.neurons.append(name)
        return name


@st.composite
def cases(draw: Any) -> Case:
    d = CubaDraft(draw)
    if draw(st.booleans()):
        x = d.input("b1", (draw(st.integers(1, 70)),))
        return d.finish(d.cuba(d.linear(x)))
    x = d.input("b1", (draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(1, 6))))
    return d.finish(d.cuba(d.conv(x)))


@given(cases())
def test_networks(case: Case) -> None:
    check(case)


@given(cases())
def test_currents_are_recorded(case: Case) -> None:
    from property.engine import Builder

    model = case.build(Builder())
    ours = model.run(case.x, layout=case.layout, record=["cuba1.i", "cuba1.v"])
    theirs = run(model.to_bytes(), case.x, case.layout)
    equal(ours.states["cuba1.i"], theirs.currents["cuba1"], "currents")
    equal(ours.states["cuba1.v"], theirs.membranes["cuba1"], "membranes")


def lava(a: np.ndarray, du: int, dv: int, vth: int, bias_mant: np.ndarray, bias_exp: np.ndarray) -> Any:
    """Lava 0.10's bit-accurate rule in Python integers, neuron by neuron: spikes, currents, membranes."""

    def decayed(x: int, decay: int) -> int:
        product = abs(x) * (4096 - decay) >> 12
        return product if x >= 0 else -product

    spikes, us, vs = (np.zeros(a.shape, np.int64) for _ in range(3))
    for n in range(a.shape[1]):
        u = v = 0
        bias = int(bias_mant[n]) << int(bias_exp[n])
        for t in range(len(a)):
            u = decayed(u, du + 1) + (int(a[t, n]) << 6)
            u = u - 2**24 if u > 2**23 else u + 2**24 if u <= -(2**23) else u
            v = min(max(decayed(v, dv) + u + bias, -(2**23) + 1), 2**23 - 1)
            spikes[t, n] = v > vth << 6
            v = 0 if spikes[t, n] else v
            us[t, n], vs[t, n] = u, v
    return spikes, us, vs


@pytest.mark.parametrize("seed", range(12))
def test_two_thousand_steps_of_lava(seed: int) -> None:
    """Random weights, decays, thresholds and biases; some currents wrap, some membranes saturate."""
    rng = np.random.default_rng(seed)
    inputs, channels, steps = 40, 33, 2000
    du, dv, vth = (int(rng.integers(0, high)) for high in (4096, 4096, 131072))
    if seed % 3 == 0:
        du, dv, vth = int(rng.integers(0, 40)), 0, 131071  # long memory: i goes around, v meets its limits
    weight = (2 * rng.integers(-127, 128, (channels, inputs)) // 2).astype(np.int8)
    mant, exp = rng.integers(-4096, 4096, channels), rng.integers(0, 8, channels)
    x = rng.random((steps, 1, inputs)) < rng.choice([0.05, 0.3, 0.9])

    b = snncore.GraphBuilder()
    b.linear("w", b.input("x", "b1", (inputs,), layout="TNC"), weight, encoding="sym", bits=8, scale=1.0)
    gain, zeros = np.full(channels, 4, np.int32), np.zeros(channels, np.int32)  # weight exponent 2
    b.requant("current", ["w"], [gain], zeros, zeros)
    b.output("y", b.cuba_lif("n", "current", **snncore.presets.lava.lif(du, dv, vth, mant, exp)))
    result = b.build(timesteps=steps).run(x, record=["n", "n.i", "n.v"])

    a = x[:, 0].astype(np.int64) @ weight.T.astype(np.int64) * 4
    spikes, us, vs = lava(a, du, dv, vth, mant, exp)
    equal(result.spikes["n"].numpy()[:, 0], spikes != 0, "spikes")
    equal(result.states["n.i"][:, 0], us, "currents")
    equal(result.states["n.v"][:, 0], vs, "membranes")
    if seed % 3 == 0:
        assert (abs(np.diff(us, axis=0)) > 2**23).any() or (abs(vs) == 2**23 - 1).any(), "nothing wrapped"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"du": 4096}, "du must be whole numbers of 0 to 4,095, received 4096"),
        ({"dv": 0.5}, "dv must be whole numbers"),
        ({"vth": 2**17}, "vth must be whole numbers of 0 to 131,071"),
        ({"bias_mant": 4096, "bias_exp": 12}, "a bias is at most"),
    ],
)
def test_what_lava_does_not_have(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        snncore.presets.lava.lif(**{"du": 0, "dv": 0, "vth": 1, **options})


def test_wrap_and_saturation_by_hand() -> None:
    """i = 2^23 stays, one more goes around; v stops at 2^23 - 1, below a threshold of 2^23."""
    x = torch.tensor([2**17, 0, 1, -(2**17), -(2**17)]).view(-1, 1, 1)
    steps = cuba_lif(
        x, current_decay=4096, decay=4096, input_shift=6, theta=torch.tensor([2**23]), bias=torch.tensor([0])
    )
    assert steps.currents.flatten().tolist() == [2**23, 2**23, 64 - 2**23, 64, 64 - 2**23]
    assert steps.membranes.flatten().tolist() == [2**23 - 1, 2**23 - 1, 63, 127, 191 - 2**23]
    assert not steps.spikes.any()


def test_currents_too_large_are_refused() -> None:
    b = snncore.GraphBuilder()
    b.linear("w", b.input("x", "b1", (4,)), np.full((2, 4), 127, np.int8), encoding="sym", bits=8, scale=1.0)
    ones, zeros = np.ones(2, np.int32), np.zeros(2, np.int32)
    b.requant("current", ["w"], [ones * 400], zeros, zeros)
    b.output("y", b.cuba_lif("n", "current", current_decay=0, decay=0, theta=ones, bias=zeros))
    with pytest.raises(
        ValueError, match=r"cuba_lif 'n': currents may be as large as .* 131072, .* may reach 203200"
    ):
        b.build(timesteps=1)
