"""Running whole files: read right, and independent of batch and of what comes later."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from property import strategies
from snnfile import Builder

import snncore
from snncore.reference import run
from snncore.reference.twin import torch_twin

ANY = st.one_of(
    strategies.convolutions(),
    strategies.linears(),
    strategies.pools(),
    strategies.adds(),
    strategies.residuals(),
    strategies.networks(),
    strategies.real_networks(),
)


def same(a: run.Result, b: run.Result, pick: Any = lambda v: v) -> None:
    for kind in ("spikes", "membranes"):
        for name, value in getattr(a, kind).items():
            assert torch.equal(pick(value), getattr(b, kind)[name]), f"{kind} of {name}"


@given(ANY)
def test_samples_are_independent(case: strategies.Case) -> None:
    data = case.build(Builder()).to_bytes()
    together = run.run(data, case.x, case.layout)
    single = run.run(data, case.x, case.layout, batch=1)
    same(together, single)
    assert all(torch.equal(v, single.outputs[k]) for k, v in together.outputs.items())
    assert all(torch.equal(v, single.sums[k]) for k, v in together.sums.items())
    assert all(v.total == single.saturations[k].total for k, v in together.saturations.items())


@given(ANY)
def test_the_past_does_not_depend_on_the_future(case: strategies.Case) -> None:
    data = case.build(Builder()).to_bytes()
    whole = run.run(data, case.x, case.layout)
    steps = case.timesteps - case.timesteps // 2
    x = case.x.take(range(steps), case.layout.index("T")) if "T" in case.layout else case.x
    half = run.run(data, x, case.layout, timesteps=steps)
    same(whole, half, lambda v: v[:steps])


def test_weight_codes_are_read_back() -> None:
    rng = np.random.default_rng(0)
    for bits, encoding in [
        (1, "odd"),
        (2, "odd"),
        (4, "odd"),
        (8, "odd"),
        (2, "sym"),
        (4, "sym"),
        (8, "sym"),
    ]:
        low = -(2 ** (bits - 1)) + (encoding == "sym")
        q = rng.integers(low, 2 ** (bits - 1), (5, 3, 3, 2)).astype(np.int8)
        b = Builder()
        b.input("x", "b1", (3, 4, 4))
        b.conv2d("conv", "x", q, encoding, bits)
        m = run.read(b.build(1).to_bytes()).tensors["conv.weight"]
        expected = 2 * q.astype(np.int64) + 1 if encoding == "odd" else q.astype(np.int64)
        assert np.array_equal(m.permute(0, 3, 1, 2).numpy(), expected), (bits, encoding)


def test_real_values_become_the_nearest_pixel() -> None:
    b = Builder()
    b.input("x", "u8", (2,), zero_point=[100, 0], scale=0.5)
    b.linear("head", "x", np.array([[1, 0], [0, 1]], np.int8), "sym", 8)
    b.output("y", b.readout("readout", "head", "sum"))
    data = b.build(1).to_bytes()
    x = np.array([[0.25, -3.0], [0.24, 1e9], [-0.25, np.nan], [-51.0, 0.75]], np.float32)
    pixels = run.run(data, x).sums["head"][0] + torch.tensor([100, 0])
    assert pixels.tolist() == [[101, 0], [100, 255], [100, 0], [0, 2]]
    raw = np.array([[3, 255]], np.uint8)
    assert run.run(data, raw).outputs["y"].tolist() == [[-97 * 0.5, 127.5]]


def test_a_flattened_image_is_shown_in_the_order_channel_row_column() -> None:
    b = Builder()
    b.input("x", "b1", (3, 2, 2))
    b.flatten("flat", "x")
    b.output("y", "flat")
    bias = np.arange(12.0)
    b.output("z", b.readout("readout", "flat", "sum", scale=np.ones(1), bias=bias))
    x = np.random.default_rng(1).random((1, 3, 2, 2)) < 0.5
    result = run.run(b.build(2).to_bytes(), x)
    assert np.array_equal(result.outputs["y"][0].numpy(), x.reshape(1, 12))
    assert np.array_equal(result.outputs["z"].numpy(), x.reshape(1, 12) * 2 + bias * 2)


def test_saturations_are_counted() -> None:
    b = Builder()
    b.input("x", "b1", (1,))
    b.linear("a", "x", np.full((1, 1), 127, np.int8), "sym", 8)
    m, zero = np.array([300]), np.array([0])
    b.requant("i", ["a"], [m], zero, zero)
    b.lif_int(
        "s",
        "i",
        np.array([32767]),
        psi=np.array([0]),
        state="i8",
        leak="none",
        leak_param=0,
        reset="subtract",
    )
    b.output("y", "s")
    seen = run.run(b.build(1).to_bytes(), np.ones((1, 1), bool)).saturations["s"]
    assert (seen.current, seen.integrate, seen.reset, seen.store) == (1, 0, 0, 1)  # 38,100 to 32,767 to 127


def subtracting_net(**options) -> snncore.Model:
    """A neuron whose spike takes half of the threshold away."""
    rng, ones, zeros = np.random.default_rng(0), np.ones(9, np.int32), np.zeros(9, np.int32)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", (20,))
    weight, head = rng.integers(-7, 8, (9, 20)).astype(np.int8), rng.integers(-7, 8, (3, 9)).astype(np.int8)
    x = b.linear("fc", x, weight=weight, encoding="sym", bits=4, scale=[2**-4])
    x = b.requant("current", [x], [64 * ones], zeros, zeros)
    x = b.lif_int("lif", x, theta=1024 * ones, reset="subtract", unit_bits=10, **options)
    x = b.linear("head", x, weight=head, encoding="sym", bits=4, scale=[1.0])
    b.output("y", b.readout("y", x, mode="sum"))
    return b.build(timesteps=5)


def test_the_float_twin_subtracts_what_the_file_says() -> None:
    model = subtracting_net(psi=512 * np.ones(9, np.int32), leak="none", decay=1.0)
    x = np.random.default_rng(1).random((64, 20)) < 0.4
    twin = torch_twin(model.to_bytes(), steps=5)
    assert np.array_equal(twin(torch.from_numpy(x).float()).numpy(), model.run(x))


def test_codes_have_no_float_twin() -> None:
    model = subtracting_net(psi=512 * np.ones(9, np.int32), state="i2", load=[-1024, 0, 1024])
    with pytest.raises(ValueError, match="lif 'lif' has membranes kept as codes, for which there is no"):
        torch_twin(model.to_bytes())
