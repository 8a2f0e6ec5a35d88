"""The integer neuron against its table of vectors, exact rational arithmetic and the stated error bound."""

from fractions import Fraction
from math import ceil, floor, log2

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from snncore.reference import ops
from snncore.reference.integer import IntegerLif, integer_lif, leak


def ints(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)


def over_time(*values: int) -> Tensor:
    """One neuron: [T, N = 1, C = 1]."""
    return ints(*values).view(-1, 1, 1)


def requant(a: Tensor, m: int, c: int, n: int) -> Tensor:
    return ops.requant([(a, ints(m))], [], ints(c), ints(n))


# ---- vectors


@pytest.mark.parametrize(("reset", "last"), [("zero", 0), ("subtract", 64)])
def test_profile_w(reset: str, last: int) -> None:
    current = requant(over_time(20, 40, 40), m=1024, c=0, n=4)
    assert current.flatten().tolist() == [1280, 2560, 2560]
    steps = integer_lif(current, IntegerLif(theta=ints(4096), psi=ints(4096), reset=reset))
    assert steps.spikes.flatten().tolist() == [False, False, True]
    assert steps.membranes.flatten().tolist() == [1280, 3200, last]
    before = integer_lif(current, IntegerLif(theta=ints(32767)))
    assert before.membranes.flatten().tolist() == [1280, 3200, 4160]


def test_negative_sums_round_half_up() -> None:
    assert requant(over_time(-1, -3, 3), m=1, c=0, n=1).flatten().tolist() == [0, -1, 2]


def test_saturation_below() -> None:
    # The first current takes V to -32768, where the second step starts.
    p = IntegerLif(theta=ints(0), leak_param=32767)
    steps = integer_lif(over_time(-32768, -32768), p)
    assert leak(ints(-32768), "q15", 32767).tolist() == [-32767]
    assert steps.membranes.flatten().tolist() == [-32768, -32768]
    assert not steps.spikes.any()
    assert steps.saturations.integrate == 1
    narrow = integer_lif(over_time(-32768), IntegerLif(theta=ints(0), state="i8"))
    assert narrow.membranes.flatten().tolist() == [-127]


def test_saturation_above_with_subtraction() -> None:
    p = IntegerLif(theta=ints(32767), psi=ints(4096), leak="none", leak_param=0, reset="subtract")
    steps = integer_lif(over_time(30000, 10000), p)
    assert steps.spikes.flatten().tolist() == [False, True]
    assert steps.membranes.flatten().tolist() == [30000, 28671]
    assert steps.saturations.integrate == 1


def test_profile_x() -> None:
    theta = table_of_thresholds(Fraction(1), Fraction(3, 10), Fraction(1), steps=3, strict=True)
    assert theta.flatten().tolist() == [3, 3, 2]
    p = IntegerLif(theta=theta, profile="X", leak="half_floor", leak_param=0)
    silent = integer_lif(over_time(0, 0, 0) << 2, p)
    assert not silent.spikes.any()
    assert not silent.membranes.any()
    fired = integer_lif(over_time(0, 1) << 2, p)
    assert fired.spikes.flatten().tolist() == [False, True]
    assert fired.membranes.flatten().tolist() == [0, 0]


def test_profile_x_refuses_more_steps_than_it_can_take() -> None:
    p = IntegerLif(theta=ints(3, 3).view(2, 1), profile="X", leak="half_floor", leak_param=0)
    with pytest.raises(ValueError, match="2 steps"):
        integer_lif(over_time(0, 0, 0), p)


# ---- leaks


def test_table_of_leaks_at_one_half() -> None:
    v = ints(-5, -3, -1, 1, 3, 5)
    assert leak(v, "q15", 16384).tolist() == [-2, -1, 0, 1, 2, 3]
    assert leak(v, "half_floor").tolist() == [-3, -2, -1, 0, 1, 2]
    assert leak(v, "shift", 1).tolist() == [-2, -1, 0, 1, 2, 3]
    assert leak(v, "tz12", 2048).tolist() == [-2, -1, 0, 0, 1, 2]
    assert leak(v, "none").tolist() == v.tolist()


def test_leaks_on_every_int16() -> None:
    v = torch.arange(-32768, 32768)
    assert torch.equal(leak(v, "q15", 16384), leak(v, "shift", 1))
    assert torch.equal(leak(v, "q15", 16384), (v + 1) >> 1)
    assert torch.equal(leak(v, "tz12", 2048), torch.div(v, 2, rounding_mode="trunc"))
    assert torch.equal(leak(v, "tz12", 4096), v)
    assert torch.equal(leak(v, "q15", 0), torch.zeros_like(v))


@pytest.mark.parametrize(("decay", "largest"), [(0.5, 1), (0.9, 4), (0.95, 10), (0.98, 25)])
def test_where_q15_sticks(decay: float, largest: int) -> None:
    v = torch.arange(-200, 200)
    still = v[leak(v, "q15", floor(decay * 2**15 + 0.5)) == v]
    assert still.max() == largest


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 32767))
def test_q15_on_wide_states_is_the_rounded_product(v: int, p: int) -> None:
    assert leak(ints(v), "q15", p).item() == floor(Fraction(v * p, 2**15) + Fraction(1, 2))


# ---- the step, in plain Python


def plain_store(v: int, p: IntegerLif) -> int:
    """Give what comes back of `v` at the next step."""
    if p.load is None:
        return max(-127, min(127, v)) if p.state == "i8" else v
    most = len(p.load) // 2
    exact = Fraction(v * most, 2**p.unit_bits) + (Fraction(1, 2) if p.unit_bits else 0)
    return int(p.load[max(-most, min(most, floor(exact))) + most])


def plain_lif(current: list[int], theta: int, psi: int, p: IntegerLif) -> tuple[list[bool], list[int]]:
    """Compute the same with Python's integers, one neuron at a time."""

    def sat(x: int) -> int:
        lo, hi = (-(2**31), 2**31 - 1) if p.state == "i32" else (-(2**15), 2**15 - 1)
        return max(lo, min(hi, x))

    v, spikes, membranes = 0, [], []
    for i in current:
        left = v if p.leak_at_store else leak(ints(v), p.leak, p.leak_param).item()
        h = sat(left + sat(i))
        s = h >= theta
        v = (0 if s else h) if p.reset == "zero" else sat(h - (psi if s else 0))
        if p.leak_at_store:
            v = leak(ints(v), p.leak, p.leak_param).item()
        v = plain_store(sat(v), p)
        spikes.append(s)
        membranes.append(v)
    return spikes, membranes


CURRENT = st.one_of(
    st.integers(-200, 200),
    st.integers(-40000, 40000),
    st.sampled_from([-(2**31), -32768, 0, 32767, 2**31 - 1]),
)


@given(
    current=st.lists(CURRENT, min_size=1, max_size=6),
    theta=st.one_of(st.integers(-300, 300), st.sampled_from([-32767, 32767])),
    psi=st.one_of(st.integers(0, 300), st.just(32767)),
    state=st.sampled_from(["i8", "i16", "i32"]),
    kind=st.sampled_from(["none", "q15", "half_floor", "shift", "tz12"]),
    param=st.integers(1, 15),
    reset=st.sampled_from(["zero", "subtract"]),
    at_store=st.booleans(),
)
def test_step_against_plain_python(current, theta, psi, state, kind, param, reset, at_store) -> None:
    param = {"q15": 2185 * param, "tz12": 273 * param}.get(kind, param)
    p = IntegerLif(ints(theta), ints(psi), "W", state, kind, param, reset, at_store)
    steps = integer_lif(over_time(*current), p)
    spikes, membranes = plain_lif(current, theta, psi, p)
    assert steps.spikes.flatten().tolist() == spikes
    assert steps.membranes.flatten().tolist() == membranes


@given(
    current=st.lists(CURRENT, min_size=1, max_size=6),
    theta=st.one_of(st.integers(-300, 5000), st.sampled_from([-32767, 32767])),
    state=st.sampled_from(["i2", "i4"]),
    unit_bits=st.integers(0, 12),
    load=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=15, max_size=15),
    reset=st.sampled_from(["zero", "subtract"]),
    at_store=st.booleans(),
)
def test_codes_against_plain_python(current, theta, state, unit_bits, load, reset, at_store) -> None:
    most = 1 if state == "i2" else 7
    table = torch.tensor([*load[:most], 0, *load[most : 2 * most]])
    p = IntegerLif(
        ints(theta), ints(max(theta, 0)), state=state, leak_param=20000, reset=reset, leak_at_store=at_store,
        load=table, unit_bits=unit_bits,
    )  # fmt: skip
    steps = integer_lif(over_time(*current), p)
    spikes, membranes = plain_lif(current, theta, max(theta, 0), p)
    assert steps.spikes.flatten().tolist() == spikes
    assert steps.membranes.flatten().tolist() == membranes


@given(st.lists(st.integers(-(2**17), 2**17), min_size=1, max_size=6), st.integers(-32767, 32767))
def test_saturation_never_alters_the_spike_of_its_step(current: list[int], theta: int) -> None:
    narrow = integer_lif(over_time(*current), IntegerLif(theta=ints(theta)))
    assert narrow.spikes[0].item() == (current[0] >= theta)


# ---- accumulation


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 130),
    st.sampled_from([0, 0.3, 1]),
)
def test_bit_planes_give_the_dot_product(seed: int, bits: int, size: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    u = rng.integers(0, 2**bits, size)
    s = (rng.random(size) < density).astype(np.int64)
    top = 2**bits - 1
    m, q = 2 * u - top, u - 2 ** (bits - 1)
    planes = sum(2**k * int(np.sum((u >> k) & 1 & s)) for k in range(bits))
    dot = ops.linear(torch.tensor(s).view(1, 1, -1), torch.tensor(m).view(1, -1)).item()
    assert dot == int(m @ s)
    assert dot == 2 * planes - top * int(s.sum())
    assert dot == 2 * int(q @ s) + int(s.sum())


def test_sums_past_2_to_the_53_are_refused() -> None:
    x = torch.full((1, 1, 1), 2**53, dtype=torch.int64)
    with pytest.raises(ValueError, match="2\\^53"):
        ops.linear(x, torch.ones(1, 1, dtype=torch.int64))


# ---- profile X against rational arithmetic


def table_of_thresholds(a: Fraction, d: Fraction, theta: Fraction, steps: int, strict: bool) -> Tensor:
    """``Theta[k] = floor(2^F (theta - d (2 - 2^(1-k))) / a) + 1``, F = steps - 1; ceil(.) for >=."""
    rows = []
    for k in range(1, steps + 1):
        x = 2 ** (steps - 1) * (theta - d * (2 - Fraction(2, 2**k))) / a
        rows.append(floor(x) + 1 if strict else ceil(x))
    return ints(*rows).view(-1, 1)


RATIONAL = st.fractions(min_value=-2, max_value=2, max_denominator=1000)


@given(
    a=st.fractions(min_value=Fraction(1, 100), max_value=3, max_denominator=1000),
    d=RATIONAL,
    theta=st.fractions(min_value=Fraction(1, 10), max_value=3, max_denominator=100),
    sums=st.lists(st.integers(-40, 40), min_size=1, max_size=8),
    strict=st.booleans(),
)
def test_profile_x_is_the_real_network(a, d, theta, sums, strict) -> None:
    steps = len(sums)
    table = table_of_thresholds(a, d, theta, steps, strict)
    p = IntegerLif(theta=table, profile="X", state="i32", leak="half_floor", leak_param=0)
    spikes = integer_lif(over_time(*sums) << (steps - 1), p).spikes.flatten().tolist()
    u = Fraction(0)
    for total, spike in zip(sums, spikes, strict=True):
        u = u / 2 + a * total + d
        assert spike == (u > theta if strict else u >= theta)
        u = Fraction(0) if spike else u


# ---- profile W against real arithmetic


@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.3, 0.95),
    st.sampled_from([64, 4096]),
    st.sampled_from(["zero", "subtract"]),
)
def test_deviation_of_profile_w_is_bounded(seed: int, decay: float, theta0: int, reset: str) -> None:
    """Until the first spike that differs, ``|V * unit - U| <= E``, and E alone can make spikes differ."""
    rng = np.random.default_rng(seed)
    steps, neurons, a_max = 10, 120, 400
    a, d = rng.uniform(0.001, 0.02, neurons), rng.normal(0, 0.05, neurons)
    sums = torch.tensor(rng.integers(-a_max // 4, a_max // 2, (steps, 1, neurons)))
    unit, half = 1 / theta0, 0.5
    n = np.array([30 - max(0, ceil(log2(2**30 * x / unit / 2**13))) for x in a])
    m, c = np.floor(2.0**n * a / unit + half), np.floor(2.0**n * d / unit + half)
    p15 = floor(decay * 2**15 + half)
    tensors = [torch.tensor(v.astype(np.int64)) for v in (m, c, n)]
    current = ops.requant([(sums, tensors[0])], [], tensors[1], tensors[2])
    theta = torch.full((neurons,), theta0)
    p = IntegerLif(theta=theta, psi=theta, state="i32", leak_param=p15, reset=reset)
    ours = integer_lif(current, p)

    u_most = (a * a_max + abs(d)) / (1 - decay) + 1
    epsilon = unit * (0.5 + 0.5) + abs(m * unit / 2.0**n - a) * a_max + abs(c * unit / 2.0**n - d)
    epsilon = epsilon + abs(p15 / 2**15 - decay) * u_most
    bound = epsilon / (1 - decay) + 1e-9  # float64 roundings of the real neuron, below 1e-12 each
    u = np.zeros(neurons)
    alike = np.ones(neurons, bool)
    for t in range(steps):
        h = decay * u + a * sums[t, 0].numpy() + d
        fires, spikes = h >= 1, ours.spikes[t, 0].numpy()
        differs = alike & (fires != spikes)
        assert np.all(abs(h[differs] - 1) <= bound[differs])
        alike &= fires == spikes
        u = np.where(fires, 0 if reset == "zero" else h - 1, h)
        v = ours.membranes[t, 0].numpy() * unit
        assert np.all(abs(v - u)[alike] <= bound[alike])
