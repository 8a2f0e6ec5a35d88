"""Q-SNN's neurons: thresholds on integers against the formula in float64 (arXiv 2406.13672)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

import snncore
from snncore.reference.run import read, run

INPUTS, OUTPUTS, STEPS, BATCH = 40, 33, 6, 20
MOST = {"i2": 1, "i4": 7, "i8": 127}


def network(
    rng: np.random.Generator, **neuron: Any
) -> tuple[snncore.Model, np.ndarray, np.ndarray, np.ndarray]:
    """Spikes into weights of +1 and -1 with a real scale and bias: (model, m, a, d)."""
    m = rng.choice([-1, 1], (OUTPUTS, INPUTS))
    a, d = rng.uniform(0.05, 0.3, OUTPUTS), rng.uniform(-0.4, 0.4, OUTPUTS)
    builder = snncore.GraphBuilder()
    x = builder.input("x", "b1", (INPUTS,))
    codes = ((m - 1) // 2).astype(np.int8)
    x = builder.linear("fc", x, weight=codes, encoding="odd", bits=1, scale=a, bias=d)
    builder.output("y", builder.lif("lif", x, **neuron))
    return builder.build(timesteps=STEPS), m, a, d


def keep(r: np.ndarray, most: int, quantiser: str, alpha: float, threshold: float) -> np.ndarray:
    """What is stored of the membranes `r`."""
    full = alpha if quantiser == "tanh" else alpha * threshold
    value = np.tanh(r) if quantiser == "tanh" else r
    return full / most * np.round(most * np.clip(value / full, -1, 1))


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["linear", "tanh"]),
    st.sampled_from([1.0, 0.75]),
    st.sampled_from([0.5, 0.75, 1.0]),
    st.sampled_from([1.0, 0.8]),
    st.booleans(),
)
def test_three_states_are_exact(
    seed: int, quantiser: str, alpha: float, decay: float, threshold: float, strict: bool
) -> None:
    rng = np.random.default_rng(seed)
    options = {"quantiser": quantiser, "alpha": alpha, "decay": decay, "threshold": threshold}
    model, m, a, d = network(rng, state="i2", profile="T", strict=strict, **options)
    x = rng.random((STEPS, BATCH, INPUTS)) < rng.uniform(0.05, 0.6)
    result = model.run(x, layout="TNC", record=["lif", "lif.v"])
    spikes, u = result.spikes["lif"].numpy(), np.zeros((BATCH, OUTPUTS))
    for t in range(STEPS):
        h = decay * u + (x[t].astype(np.float64) @ m.T * a + d)
        fired = h > threshold if strict else h >= threshold
        equal(spikes[t], fired, f"spikes of step {t}")
        u = keep(np.where(fired, 0, h), 1, quantiser, alpha, threshold)
        full = alpha if quantiser == "tanh" else alpha * threshold
        equal(result.states["lif.v"][t], np.round(u / full).astype(np.int32), f"codes of step {t}")
    expected = run(model.to_bytes(), x, "TNC")
    equal(spikes, expected.spikes["lif"], "reference")


@pytest.mark.parametrize("state", ["i2", "i4", "i8"])
@pytest.mark.parametrize("threshold", [1.0, 0.7])
def test_codes_of_tanh(state: str, threshold: float) -> None:
    """Fixed point, so nearly: a membrane is off by at most a few units of threshold / 4096, or one code."""
    rng = np.random.default_rng(3)
    model, m, a, d = network(rng, state=state, quantiser="tanh", threshold=threshold, strict=True)
    most, unit = MOST[state], threshold / 4096
    tensors = read(model.to_bytes())
    node = next(n for n in tensors.document["graph"]["nodes"] if n["name"] == "lif")
    load = tensors.tensors[node["tensors"]["load"]].numpy()
    levels = np.arange(-most, most + 1) / most
    np.testing.assert_array_equal(load, np.floor(0.5 * levels / unit + 0.5))
    edges = tensors.tensors[node["tensors"]["edges"]].numpy()
    for low, code in zip(edges, range(-most + 1, most + 1), strict=True):
        if -(2**14) < low < 4096:
            middle = (low + 1.5) * unit
            assert np.round(most * np.tanh(middle)) >= code > np.round(most * np.tanh(middle - 4 * unit))

    x = rng.random((STEPS, 200, INPUTS)) < 0.3
    result = model.run(x, layout="TNC", record=["lif"])
    expected = run(model.to_bytes(), x, "TNC")
    equal(result.spikes["lif"].numpy(), expected.spikes["lif"], "reference")
    u, fired = np.zeros((200, OUTPUTS)), []
    for t in range(STEPS):
        h = 0.5 * u + (x[t].astype(np.float64) @ m.T * a + d)
        fired.append(h > threshold)
        u = keep(np.where(fired[-1], 0, h), most, "tanh", 1.0, threshold)
    assert (np.stack(fired) == result.spikes["lif"].numpy()).mean() > 0.999


def test_the_two_bit_quantiser_switches_where_tanh_is_a_half() -> None:
    model = network(np.random.default_rng(0), state="i2", quantiser="tanh")[0]
    content = read(model.to_bytes())
    node = next(n for n in content.document["graph"]["nodes"] if n["name"] == "lif")
    edges = content.tensors[node["tensors"]["edges"]]
    r = np.array([-10, -1, -0.55, -0.54, 0, 0.54, 0.55, 0.99])
    codes = -1 + (np.round(r * 4096)[:, None] >= edges.numpy()).sum(1)
    assert codes.tolist() == [-1, -1, -1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "T"}, "profile T needs state i2, received i16"),
        ({"profile": "T", "state": "i2", "reset": "subtract"}, "profile T means reset 'zero'"),
        ({"quantiser": "tanh"}, "quantiser 'tanh' needs state i2, i4 or i8"),
        ({"quantiser": "sigmoid"}, "quantiser must be linear or tanh, received 'sigmoid'"),
        ({"alpha": 0.5}, "alpha belongs to quantiser 'tanh' and profile T"),
        ({"state": "i2", "quantiser": "tanh", "alpha": 2.0}, "alpha must be above 0 and at most 1"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(np.random.default_rng(0), **options)
