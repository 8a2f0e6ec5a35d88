"""The saccadic neuron: the engine against the reference, and the identities of its forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

import snncore
from snncore.reference.run import run
from snncore.reference.saccade import JOINT, SCALED, decoupled, saccade

MODES = ("v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic")
SEEDS = st.integers(0, 2**32 - 1)


def sums(b: snncore.GraphBuilder, name: str, x: str, weight: np.ndarray) -> str:
    return b.conv2d(name, x, weight.astype(np.int8), encoding="sym", bits=8, scale=[1.0])


def network(
    rng: np.random.Generator, shape: tuple[int, int, int], heads: int, mode: str, steps: int, runs: int
) -> snncore.Model:
    """Integer sums of spikes as q and kappa, the gate, and what a layer makes of it."""
    channels, height, width = shape
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", shape)
    q = sums(b, "q", x, rng.integers(-3, 4, (heads, channels, 1, 1)))
    k = sums(b, "k", x, rng.integers(-1, 3, (heads, channels, height, width))) if mode in SCALED else None
    scale = 40.0 if k else 3.0
    gate = b.saccade("gate", q, k, mode=mode, **numbers(rng, mode, steps, scale))
    head = sums(b, "head", gate, rng.integers(-9, 10, (4, heads, 1, 1)))
    b.output("gate", gate)
    b.output("y", b.lif("lif", head, threshold=3.0))
    return b.build(runs)


def numbers(rng: np.random.Generator, mode: str, steps: int, scale: float) -> dict[str, Any]:
    """Thresholds, some of which sums of integers meet exactly, and weights for the joint modes."""
    whole = rng.random() < 0.5
    threshold = rng.normal(size=steps) * scale
    mix = np.tril(rng.normal(size=(steps, steps)))
    if whole:
        threshold, mix = np.round(threshold), np.round(2 * mix)
    return {"threshold": threshold} | ({"mix": mix} if mode in JOINT else {})


@given(SEEDS, st.sampled_from(MODES), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_every_way_to_run(seed: int, mode: str, steps: int, batch: int, static: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 9)), int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    heads = int(rng.choice([1, 2, 5, 63, 64, 65, 130]))
    runs = int(rng.integers(1, steps + 1))
    model = network(rng, shape, heads, mode, steps, runs)
    x = rng.random((batch, *shape) if static else (runs, batch, *shape)) < 0.5
    layout = "NCHW" if static else "TNCHW"
    expected = run(model.to_bytes(), x, layout, record=["gate", "lif"])
    for threads in (1, 2):
        result = model.run(x, layout=layout, threads=threads, record=["gate", "lif"])
        equal(result.spikes["gate"].numpy(), expected.spikes["gate"], "gate")
        equal(result.spikes["lif"].numpy(), expected.spikes["lif"], "spikes behind it")
    session = model.stream(batch=batch, threads=1 + seed % 2, record=["gate"])
    for t in range(runs):
        step = session.step(x if static else x[t])
        equal(step.spikes["gate"].numpy()[0], expected.spikes["gate"][t], f"gate, step {t}")
        if t == runs // 2:
            blob = session.save_state()
            session = model.stream(batch=batch, record=["gate"])
            session.load_state(blob)
    session.reset()
    equal(session.step(x if static else x[0]).spikes["gate"].numpy()[0], expected.spikes["gate"][0], "reset")


@given(SEEDS, st.sampled_from(MODES))
def test_leading_block(seed: int, mode: str) -> None:
    """A run of fewer steps is the beginning of one of all."""
    rng = np.random.default_rng(seed)
    model = network(rng, (5, 3, 2), 2, mode, 4, 4)
    x = rng.random((4, 2, 5, 3, 2)) < 0.5
    whole = model.run(x, layout="TNCHW", record=["gate"]).spikes["gate"].numpy()
    for steps in (1, 2, 3):
        part = model.run(x[:steps], layout="TNCHW", record=["gate"]).spikes["gate"].numpy()
        equal(part, whole[:steps], f"{steps} steps")


@pytest.mark.parametrize("mode", MODES)
def test_more_steps_are_refused(mode: str) -> None:
    rng = np.random.default_rng(1)
    model = network(rng, (2, 2, 2), 1, mode, 3, 3)
    x = np.ones((4, 1, 2, 2, 2), bool)
    with pytest.raises(snncore.Error, match=r"^saccade 'gate': weighs 3 steps, asked for 4$"):
        model.run(x, layout="TNCHW")
    session = model.stream()
    for _ in range(3):
        session.step(x[0])
    with pytest.raises(snncore.Error, match=r"^saccade 'gate' weighs 3 steps: call reset\(\) first$"):
        session.step(x[0])
    session.reset()
    session.step(x[0])
    with pytest.raises(ValueError, match=r"^saccade 'gate': weighs 3 steps, timesteps is 4$"):
        network(rng, (2, 2, 2), 1, mode, 3, 4)


@given(SEEDS, st.integers(1, 4), st.integers(1, 20), st.integers(1, 70))
def test_explicit_and_reassociated(seed: int, steps: int, tokens: int, dim: int) -> None:
    """V1: row sums of the map Q' K'^T, mixed in time, and the form without a map: the same spikes.

    Whole numbers in float64, so that neither order rounds.
    """
    rng = np.random.default_rng(seed)
    q, k = (rng.random((steps, tokens, dim)) < 0.5 for _ in range(2))
    mix = np.tril(rng.integers(-3, 4, (steps, steps))).astype(np.float64)
    most = tokens * dim * dim
    threshold = rng.integers(-most // 4, most + 1, steps).astype(np.float64)
    counts, others = q.sum(2), k.sum(2)
    salience = np.einsum("tn,tm->tnm", counts, others).sum(2).astype(np.float64)
    explicit = np.einsum("tj,jn->tn", mix, salience) >= threshold[:, None]
    kappa = torch.from_numpy(others.sum(1))[:, None, None, None, None]
    gate = saccade(
        torch.from_numpy(counts).view(steps, 1, 1, tokens, 1),
        kappa,
        mode="v1_joint",
        threshold=torch.from_numpy(threshold),
        mix=torch.from_numpy(mix),
    )
    equal(gate.view(steps, tokens).bool(), explicit, "gate")


@given(SEEDS, st.integers(1, 4), st.booleans())
def test_static_with_and_without_keys(seed: int, steps: int, constant: bool) -> None:
    """A static gate is the same beside a row of keys; and V1's, where as many keys fire in every step.

    Then V of V1 is V of the static gate times their number, a power of two, so that nothing rounds.
    """
    rng = np.random.default_rng(seed)
    channels, side = int(rng.integers(1, 70)), 4
    given = numbers(rng, "v2_joint_static", steps, channels / 3)
    b = snncore.GraphBuilder()
    x, keys = (b.input(name, "b1", (channels, side, side)) for name in ("x", "keys"))
    q = b.count("q", x, over="channels")
    b.output("static", b.saccade("static", q, mode="v2_joint_static", **given))
    alone = b.build(steps)
    alpha = 8.0 if constant else 1.0
    given["threshold"] = given["threshold"] * alpha
    k = b.count("k", keys, over="all")
    b.output("v1", b.saccade("v1", q, k, mode="v1_joint", **given))
    spikes = {"x": rng.random((steps, 2, channels, side, side)) < 0.4}
    spikes["keys"] = np.zeros_like(spikes["x"])
    spikes["keys"][..., :1, :2, :] = constant
    expected = np.asarray(alone.run(spikes, layout="TNCHW"))
    found = b.build(steps).run(spikes, layout="TNCHW", record=[]).outputs
    equal(found["static"], expected, "static")
    if constant:
        equal(found["v1"], expected, "V1")


def spikes_of(q: np.ndarray, mode: str, **given: Any) -> np.ndarray:
    """The engine's gate of counts [T, tokens], which a layer of ones makes of as many spikes."""
    steps, tokens = q.shape
    most = int(q.max()) + 1
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [most, 1, tokens])
    b.output("y", b.saccade("gate", sums(b, "q", x, np.ones((1, most, 1, 1))), mode=mode, **given))
    spikes = np.arange(most)[None, :, None] < q[:, None, :]
    result: np.ndarray = b.build(steps).run(spikes[:, None, :, None], layout="TNCHW")
    return np.asarray(result).reshape(steps, tokens) != 0


@given(SEEDS, st.integers(1, 4))
def test_decoupled_where_nothing_mixes(seed: int, steps: int) -> None:
    """A diagonal matrix, positive: both forms fire alike; the thresholds lie between the counts."""
    rng = np.random.default_rng(seed)
    mix, threshold = np.diag(rng.uniform(0.1, 2, steps)), rng.uniform(0, 8, steps)
    q = rng.integers(0, 9, (steps, 11))
    w = decoupled(torch.from_numpy(mix), torch.from_numpy(threshold)).numpy()
    joint = spikes_of(q, "v2_joint_static", mix=mix, threshold=threshold)
    equal(joint, spikes_of(q, "v2_dec_static", threshold=w), "spikes")


def test_decoupled_differs() -> None:
    """The counterexample of two steps: no spikes at all, and what the decoupled form makes of it."""
    mix, threshold = np.array([[1.0, 0.0], [1.0, 1.0]]), np.ones(2)
    w = decoupled(torch.from_numpy(mix), torch.from_numpy(threshold)).numpy()
    assert w.tolist() == [1.0, 0.0]
    q = np.zeros((2, 1), np.int64)
    assert not spikes_of(q, "v2_joint_static", mix=mix, threshold=threshold).any()
    assert spikes_of(q, "v2_dec_static", threshold=w).ravel().tolist() == [False, True]


def test_ties_fire() -> None:
    q = np.array([[1, 2, 3], [1, 2, 3]])
    assert spikes_of(q, "v2_dec_static", threshold=[2.0, 3.0]).tolist() == [
        [False, True, True],
        [False, False, True],
    ]
    mix = np.array([[0.5, 0.0], [0.25, 0.25]])
    fired = spikes_of(q, "v2_joint_static", mix=mix, threshold=[1.0, 1.0])
    assert fired.tolist() == [[False, True, True], [False, True, True]]
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [1, 2, 2])
    pixels, whole = sums(b, "q", x, np.ones((1, 1, 1, 1))), sums(b, "k", x, np.ones((1, 1, 2, 2)))
    for name, threshold in (("at", 3.0), ("above", np.nextafter(3.0, 4.0))):
        b.output(name, b.saccade(name, pixels, whole, mode="v2_dec_dynamic", threshold=[threshold]))
    out = b.build(1).run(np.array([[[[1, 1], [1, 0]]]], bool), record=[]).outputs
    assert out["at"].ravel().tolist() == [1, 1, 1, 0] and not out["above"].any()


def test_negative_zero_and_silence() -> None:
    """A sum begins at +0, and a count of 0 weighs nothing, whatever the sign of its weight."""
    q = np.zeros((2, 1), np.int64)
    assert spikes_of(q, "v2_joint_static", mix=-np.tril(np.ones((2, 2))), threshold=[-0.0, 0.0]).all()


def test_what_cannot_be() -> None:
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [2, 2, 3])
    q, k = sums(b, "q", x, np.ones((2, 2, 1, 1))), sums(b, "k", x, np.ones((2, 2, 2, 3)))
    two, eye = np.ones(2), np.eye(2)
    for arguments, message in [
        ({"q": q, "mode": "v3", "threshold": two}, "attribute 'mode' must be v1_joint, .*, is 'v3'"),
        ({"q": q, "mode": "v1_joint", "threshold": two, "mix": eye}, "takes 2 inputs, has 1"),
        ({"q": q, "k": k, "mode": "v2_dec_static", "threshold": two}, "takes 1 input, has 2"),
        ({"q": q, "k": q, "mode": "v1_joint", "threshold": two, "mix": eye}, "for kappa an i32 sum"),
        ({"q": x, "mode": "v2_dec_static", "threshold": two}, r"an i32 sum \[H, W, heads\], is b1"),
        ({"q": q, "mode": "v2_joint_static", "threshold": two}, "tensor 'mix' is missing"),
        ({"q": q, "mode": "v2_dec_static", "threshold": two, "mix": eye}, "no use for a tensor 'mix'"),
        ({"q": q, "mode": "v2_joint_static", "threshold": two, "mix": eye[:1]}, r"expected mix \[T, T\]"),
        ({"q": q, "mode": "v2_joint_static", "threshold": two, "mix": np.eye(3)}, r"expected mix \[2, 2\]"),
        ({"q": q, "mode": "v2_joint_static", "threshold": two, "mix": np.ones((2, 2))}, "triangular, row 0"),
        ({"q": q, "mode": "v2_joint_static", "threshold": two, "mix": eye * np.nan}, "not finite"),
        ({"q": q, "mode": "v2_dec_static", "threshold": [np.inf]}, "tensor 'threshold' .* not finite"),
        ({"q": q, "mode": "v2_dec_static", "threshold": []}, "threshold is empty"),
        ({"q": q, "mode": "v2_dec_static", "threshold": np.ones(4097)}, "must have 1..4096 steps"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"^saccade 'gate': .*{message}"):
            b.saccade("gate", **arguments)
