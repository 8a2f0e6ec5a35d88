"""MNIST, 9,000 images and 1,000 queries: what the encoders must find (SNNCORE_DATA; `make verify-full`)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from snncore import encoders

pytestmark = pytest.mark.full
hashing = pytest.importorskip("snncore.reference.hashing")

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
    import hash_codes

    base, queries = hash_codes.mnist()
    return base, queries, hashing.nearest(base, queries, 10)


@pytest.mark.parametrize(
    ("kind", "asymmetric", "least"), [("srp", False, 0.90), ("itq", False, 0.970), ("itq", True, 0.988)]
)
def test_recall_after_ranking_100_again_at_128_bits(mnist, kind, asymmetric, least) -> None:
    base, queries, truth = mnist
    found = [
        hashing.recall(encoders.fit(kind, base, 128, seed=seed), base, queries, truth, asymmetric=asymmetric)
        for seed in SEEDS
    ]
    print(f"{kind}{', asymmetric' if asymmetric else ''}: {np.mean(found):.4f} {found}")
    assert np.mean(found) >= least


@pytest.mark.parametrize("weights", ["float32", "int8", "sign"])
def test_an_mlp_is_never_below_itq_on_the_hold_out(mnist, weights) -> None:
    encoder = encoders.fit("mlp", mnist[0], 128, weights=weights)
    ours, itq = (float(word.strip(",")) for word in encoder.note.split() if word.startswith(("0.", "1.")))
    print(encoder.note)
    assert encoder.kind == "itq" or ours > itq
