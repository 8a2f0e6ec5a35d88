"""Learned hash codes: what training gives, when it is refused, and what imitation costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from snncore import encoders
from snncore.reference import hashing
from snncore.reference.hashing.mlp import Training

FAST = Training(epochs=2, batch=64)


def clusters(count: int, dim: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = 3 * random.normal(size=(20, dim))
    return (centres[random.integers(0, 20, count)] + random.normal(size=(count, dim))).astype(np.float32)


X = clusters(600, 24)


def test_nearest_is_a_sort_of_all_distances() -> None:
    base, queries = X[:200].round(), X[200:230].round()
    base[10:20] = base[:10]  # equal ones
    distances = ((queries[:, None].astype(float) - base[None]) ** 2).sum(2)
    expected = np.argsort(distances, axis=1, kind="stable")[:, :7]
    assert np.array_equal(hashing.nearest(base, queries, 7), expected)
    assert (hashing.nearest(base, base, 3, others=True) != np.arange(200)[:, None]).all()


def test_recall_is_a_count() -> None:
    base, queries = X[:500], X[500:]
    encoder = encoders.fit("itq", base, 64)
    truth = hashing.nearest(base, queries, 10)
    codes, asked = encoder.encode(base).numpy(), encoder.encode(queries).numpy()
    order = np.argsort((asked[:, None] != codes[None]).sum(2), axis=1, kind="stable")[:, :30]
    hits = [len(set(a) & set(b)) for a, b in zip(order.tolist(), truth.tolist(), strict=True)]
    assert hashing.recall(encoder, base, queries, truth, kept=30) == pytest.approx(sum(hits) / truth.size)
    assert hashing.recall(encoder, base, queries, truth, kept=500, asymmetric=True) == 1


@pytest.mark.parametrize("weights", ["float32", "int8", "sign"])
def test_an_mlp_is_kept_only_where_it_wins(weights) -> None:
    encoder = encoders.fit("mlp", X, 64, seed=1, hidden=64, weights=weights, training=FAST)
    assert encoder.note is not None
    ours, itq = (float(word.strip(",")) for word in encoder.note.split() if word.startswith(("0.", "1.")))
    assert encoder.kind == "itq" or ours > itq
    assert encoder.note.startswith({"mlp": "mlp kept", "itq": "itq instead of mlp"}[encoder.kind])
    again = encoders.fit("mlp", X, 64, seed=1, hidden=64, weights=weights, training=FAST)
    assert np.array_equal(again.encode(X).words, encoder.encode(X).words)


def test_training_that_ruins_codes_is_refused() -> None:
    ruin = replace(FAST, rate=100.0)
    encoder = encoders.fit("mlp", X, 64, hidden=64, training=ruin)
    assert encoder.kind == "itq"
    assert np.array_equal(encoder.encode(X).words, encoders.fit("itq", X, 64).encode(X).words)


def test_few_vectors_are_not_trained_on() -> None:
    encoder = encoders.fit("mlp", X[:50], 64)
    assert encoder.kind == "itq"
    assert encoder.note == "itq instead of mlp: 50 vectors are too few to train on"


def test_hidden_units_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="64 to 1024 hidden units, a multiple of 64, received 32"):
        encoders.fit("mlp", X, 64, hidden=32)


@pytest.mark.parametrize("granularity", ["shared", "table", "function"])
@pytest.mark.parametrize("target", ["e2lsh", "srp"])
def test_an_imitation_says_what_it_costs(target, granularity) -> None:
    llsh = hashing.fit_llsh(
        X, tables=3, functions=4, target=target, granularity=granularity, hidden=(32, 16), epochs=8
    )
    networks, outputs = {"shared": (1, 12), "table": (3, 4), "function": (12, 1)}[granularity]
    assert llsh.cost.macs == networks * (24 * 32 + 32 * 16 + 16 * outputs)
    assert llsh.cost.teacher_macs == 24 * 12
    assert 0.3 < llsh.cost.agreement <= 1
    assert "times as many as linear functions take" in str(llsh.cost)
    hashes = llsh.hashes(X[:5])
    assert hashes.shape == (5, 12)
    assert np.array_equal(
        hashes, np.floor(llsh.logits(X[:5])) if target == "e2lsh" else llsh.logits(X[:5]) >= 0
    )


@pytest.mark.parametrize("target", ["knn", "blend"])
def test_networks_learn_neighbours(target) -> None:
    llsh = hashing.fit_llsh(X, tables=4, functions=8, target=target, hidden=(32, 16), epochs=3)
    assert llsh.cost.agreement is None
    assert set(np.unique(llsh.hashes(X))) == {0, 1}


def test_blended_neighbours_are_mostly_true() -> None:
    blended = hashing.blended_neighbours(X, 10)
    truth = hashing.nearest(X, X, 10, others=True)
    assert blended.shape == (600, 10)
    assert (blended != np.arange(600)[:, None]).all()
    assert np.mean([np.isin(b, t).mean() for b, t in zip(blended, truth, strict=True)]) > 0.5


def test_other_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="expected target of e2lsh, srp, blend, knn, received 'lsh'"):
        hashing.fit_llsh(X, target="lsh")
    with pytest.raises(ValueError, match="at least 100 vectors"):
        hashing.fit_llsh(X[:10])
