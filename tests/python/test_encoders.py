"""Encoders through Python: what is refused, and one digest on every level."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from bundled import levels

import snncore
from snncore import encoders

X = np.random.default_rng(1).normal(size=(300, 70)).astype(np.float32)

DIGEST = """
import hashlib
import numpy as np
from snncore import encoders

X = np.random.default_rng(1).normal(size=(300, 70)).astype(np.float32)
sha = hashlib.sha256()
for kind, weights in (("srp", "float32"), ("itq", "float32"), ("itq", "int8"), ("itq", "sign"),
                      ("e2lsh", "float32"), ("cross_polytope", "float32")):
    encoder = encoders.fit(kind, X, 128, seed=3, weights=weights)
    for name, tensor in sorted(encoder.tensors().items()):
        sha.update(tensor.tobytes())
    for threads in (1, 3):
        sha.update(encoder.encode(X, threads=threads).words.tobytes())
        sha.update(encoder.logits(X, threads=threads).tobytes())
print(sha.hexdigest())
"""


def test_fits_and_codes_are_the_same_bytes_on_every_level() -> None:
    digests = {
        level: subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"SNNCORE_ISA": level},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for level in levels()
    }
    assert len(set(digests.values())) == 1, digests


def test_a_seed_decides_and_the_input_stays() -> None:
    before = hashlib.sha256(X.tobytes()).digest()
    for kind in ("srp", "itq", "e2lsh", "cross_polytope"):
        one, same, other = (encoders.fit(kind, X, 64, seed=seed).encode(X).words for seed in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)
    assert hashlib.sha256(X.tobytes()).digest() == before


def test_one_vector_and_other_types_are_taken() -> None:
    encoder = encoders.fit("itq", X, 64)
    assert encoder.encode(X[0]).shape == (1, 64)
    assert encoder.encode(X[:0]).shape == (0, 64)
    assert np.array_equal(encoder.encode(X.astype(np.float64)).words, encoder.encode(X).words)
    assert repr(encoder) == "Encoder(kind='itq', dim=70, bits=64)"


def test_more_bits_than_components_are_more_rotations() -> None:
    flat = np.concatenate([X[:, :3], np.ones((len(X), 5), np.float32)], axis=1)
    projection = encoders.fit("itq", flat, 64).tensors()["projection"]
    assert np.linalg.matrix_rank(projection) == 3
    assert np.abs(projection[3:]).max() < 1e-6
    assert len(np.unique(projection, axis=1).T) == 64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encoders.fit("pca", X), "expected kind of srp, itq"),
        (lambda: encoders.fit("itq", X, 100), "64 to 1024 bits, a multiple of 64, received 100"),
        (lambda: encoders.fit("itq", X, 64, seed=-1), "seed"),
        (lambda: encoders.fit("itq", X, 64, iterations=-1), "0 to 1000 iterations, received -1"),
        (lambda: encoders.fit("itq", X, 64, weights="f8"), "expected weights of float32"),
        (lambda: encoders.fit("srp", X, 64, weights="int8"), "cannot be 'int8'"),
        (lambda: encoders.fit("itq", X, 64, hidden=64), "no option 'hidden'"),
        (lambda: encoders.fit("itq", X[:0], 64), "received none"),
        (lambda: encoders.fit("itq", np.ones((5, 3)), 64), "vectors that differ"),
        (lambda: encoders.fit("itq", np.full((5, 3), np.inf), 64), "finite"),
        (lambda: encoders.fit("itq", np.zeros((2, 2, 2)), 64), r"shape \[n, dim\]"),
        (lambda: encoders.fit("itq", ["a", "b"], 64), "expected numbers"),
        (lambda: encoders.fit("itq", X, 64).encode(X[:, 1:]), r"\[n, 70\], received f32 \[300, 69\]"),
        (lambda: encoders.fit("itq", X, 64).encode(X * np.nan), "finite"),
        (lambda: encoders.fit("itq", X, 64).encode(X, threads=0), "1 to 256 threads, received 0"),
        (lambda: encoders.fit("e2lsh", X, 64, width=-1), "width of 0 or more"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_tensors_of_other_types_are_refused() -> None:
    tensors = encoders.fit("itq", X, 64).tensors()
    with pytest.raises(snncore.FormatError, match="expected 'mean' as float32"):
        encoders.from_tensors("itq", 70, 64, tensors | {"mean": tensors["mean"].astype(np.float64)})
