"""`Index(encoder="mlp")` from training to answers: what is fitted, what is said about it, what is found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snncore import Index, encoders
from snncore.reference import hashing

DIM, BITS = 24, 64


def curved(count: int, seed: int) -> np.ndarray:
    """A bent sheet of eight dimensions, which no linear projection flattens."""
    random = np.random.default_rng(seed)
    axes = np.random.default_rng(0).normal(size=(8, DIM))
    rows = 3 * np.tanh(random.normal(size=(count, 8)) @ axes) + 0.1 * random.normal(size=(count, DIM))
    return rows.astype(np.float32)


X, QUERIES = curved(2000, 1), curved(100, 2)
TRUTH = hashing.nearest(X, QUERIES, 10)


def found(index: Index, **options: Any) -> float:
    ids = index.search(QUERIES, 10, **options)[0]
    return float(
        np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids.tolist(), TRUTH.tolist(), strict=True)])
    )


def answers_alike(index: Index, other: Index) -> None:
    np.testing.assert_array_equal(other.encode(QUERIES), index.encode(QUERIES))
    for plan in ("scan", "multi_table", "mih"):
        for ours, theirs in zip(
            index.search(QUERIES, plan=plan), other.search(QUERIES, plan=plan, threads=3), strict=True
        ):
            np.testing.assert_array_equal(theirs, ours)


def test_it_is_trained_and_says_what_was_kept(tmp_path: Path) -> None:
    index = Index(DIM, BITS, encoder="mlp", store="f32", key_bits=8)
    assert index.encoder == "mlp" and index.note is None
    index.fit(X).add(None, X)
    index.compact()
    assert index.note is not None
    assert index.note.startswith({"mlp": "mlp kept", "itq": "itq instead of mlp"}[index.encoder])
    assert found(index, plan="scan", rerank=2000) == 1
    assert found(index, plan="scan", rerank=200) > 0.9
    assert found(index, plan="multi_table", probes=32, rerank=200) > 0.8
    index.save(tmp_path / "mlp.snn")
    opened = Index.open(tmp_path / "mlp.snn", verify=True)
    assert opened.encoder == index.encoder and opened.note is None
    answers_alike(index, opened)


def test_too_few_vectors_give_itq_and_say_so() -> None:
    index = Index(DIM, BITS, encoder="mlp", key_bits=8).fit(X[:50])
    assert index.encoder == "itq"
    assert index.note == "itq instead of mlp: 50 vectors are too few to train on"
    plain = Index(DIM, BITS, encoder="itq", key_bits=8).fit(X[:50])
    np.testing.assert_array_equal(index.encode(QUERIES), plain.encode(QUERIES))
    assert plain.note is None


def test_an_mlp_that_was_kept_is_the_encoder_of_its_index(tmp_path: Path) -> None:
    # As training leaves it: itq, and a network that corrects it a little.
    random = np.random.default_rng(3)
    network = {
        "hidden": random.normal(size=(DIM, 64)),
        "hidden_bias": random.normal(size=64),
        "residual": 0.01 * random.normal(size=(64, BITS)),
    }
    tensors = encoders.fit("itq", X, BITS).tensors()
    tensors |= {name: values.astype(np.float32) for name, values in network.items()}
    kept = encoders.from_tensors("mlp", DIM, BITS, tensors)
    kept.note = "mlp kept"
    index = Index(DIM, BITS, encoder=kept, store="f32", key_bits=8).fit(X)
    index.add(None, X)
    index.compact()
    assert index.encoder == "mlp" and index.note == kept.note
    bits = np.unpackbits(index.encode(X).view(np.uint8), axis=1, bitorder="little")
    given = kept.encode(X).numpy().astype(np.uint8)
    assert sorted(map(bytes, bits.T)) == sorted(map(bytes, given.T))  # the same bits, in another order
    assert found(index, plan="scan", rerank=200) > 0.9
    index.save(tmp_path / "mlp.snn")
    answers_alike(index, Index.open(tmp_path / "mlp.snn", verify=True))


@pytest.mark.parametrize("metric", ["cosine", "ip"])
def test_other_metrics_train_on_what_the_encoder_sees(metric: Any) -> None:
    index = Index(DIM, BITS, metric, "mlp", key_bits=8, store="f32").fit(X[:400])
    index.add(None, X[:400])
    distances = index.search(X[:20], 1, plan="scan", rerank=400)[1]
    lengths = np.linalg.norm(X[:400], axis=1)
    products = X[:20] @ X[:400].T
    wanted = 1 - products / lengths[:20, None] / lengths if metric == "cosine" else -products
    np.testing.assert_allclose(distances[:, 0], wanted.min(1), rtol=1e-5, atol=1e-5)
    assert index.note is not None
