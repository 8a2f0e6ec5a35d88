"""Encoders against NumPy: integer ones exactly, float ones up to rounding, for random sizes and values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import snncore
from snncore import encoders

Shapes = st.tuples(st.integers(1, 24), st.integers(1, 90), st.sampled_from((64, 128, 192)))
Seeds = st.integers(0, 2**32 - 1)
KINDS = ("srp", "itq", "e2lsh", "cross_polytope")


def vectors(seed: int, count: int, dim: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (3 * random.normal(size=(count, dim)) + random.normal(size=dim)).astype(np.float32)


def hadamard(size: int) -> NDArray[np.int64]:
    matrix = np.ones((1, 1), np.int64)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def unpacked(words: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    return snncore.BitTensor.from_words(words, (*words.shape[:-1], bits)).numpy()


@given(Shapes, Seeds, st.sampled_from(KINDS))
def test_bits_are_the_signs_of_the_logits_for_any_number_of_threads(shape, seed, kind) -> None:
    count, dim, bits = shape
    X = vectors(seed, count + 2, dim)
    encoder = encoders.fit(kind, X, bits, seed=seed)
    codes = encoder.encode(X)
    assert codes.shape == (count + 2, bits)
    assert np.array_equal(codes.numpy(), encoder.logits(X) >= 0)
    many = np.tile(X, (40, 1))
    assert np.array_equal(encoder.encode(many, threads=3).words, encoder.encode(many).words)
    assert np.array_equal(encoder.logits(many, threads=3), np.tile(encoder.logits(X), (40, 1)))


@given(Shapes, Seeds)
def test_itq_is_a_product_up_to_rounding(shape, seed) -> None:
    count, dim, bits = shape
    X = vectors(seed, count + 2, dim)
    encoder = encoders.fit("itq", X, bits, seed=seed, iterations=5)
    arrays = {name: array.astype(np.float64) for name, array in encoder.tensors().items()}
    centred = X - arrays["mean"]
    expected = centred @ arrays["projection"]
    sizes = np.linalg.norm(centred, axis=1)[:, None] * np.linalg.norm(arrays["projection"], axis=0)
    limit = 1e-4 * sizes + 1e-5 * np.linalg.norm(X, axis=1)[:, None]  # the subtraction rounds, too
    assert (np.abs(encoder.logits(X) - expected) <= limit).all()
    sure = np.abs(expected) > limit
    assert np.array_equal(encoder.encode(X).numpy()[sure], (expected >= 0)[sure])


@given(Shapes, Seeds)
def test_srp_of_integers_is_exact(shape, seed) -> None:
    count, dim, bits = shape
    X = np.random.default_rng(seed).integers(-9, 10, (count, dim))
    encoder = encoders.fit("srp", X, bits, seed=seed, center=False)
    size = max(64, 1 << (dim - 1).bit_length())
    signs = 1 - 2 * unpacked(encoder.tensors()["signs"], size).astype(np.int64)
    projections = []
    for rounds in signs:
        y = np.pad(X, ((0, 0), (0, size - dim)))
        for diagonal in rounds:
            y = (y * diagonal) @ hadamard(size)
        projections.append(y)
    expected = np.concatenate(projections, axis=1)[:, :bits]
    assert np.array_equal(encoder.encode(X).numpy(), expected >= 0)


@given(Shapes, Seeds, st.sampled_from(("int8", "sign")), st.booleans())
def test_quantised_weights_are_exact(shape, seed, weights, network) -> None:
    count, dim, bits = shape
    random = np.random.default_rng(seed)
    X = vectors(seed, count + 2, dim)
    t = encoders.fit("itq", X, bits, seed=seed, iterations=1, weights=weights).tensors()
    kind = "mlp" if network else "itq"
    if network:
        for name, inputs, outputs in (("hidden", dim, 64), ("residual", 64, bits)):
            t[name] = random.integers(-127, 128, (inputs, outputs)).astype(np.int8)
        t |= {
            "hidden_scale": random.normal(size=64).astype(np.float32) / 10,
            "hidden_bias": random.normal(size=64).astype(np.float32) * 100,
            "residual_scale": random.normal(size=bits).astype(np.float32),
        }
    encoder = encoders.from_tensors(kind, dim, bits, t)

    def product(x: NDArray[np.int64], name: str, outputs: int) -> NDArray[np.float32]:
        w = t[name] if t[name].dtype == np.int8 else 2 * unpacked(t[name], outputs).astype(np.int64) - 1
        return (x @ w.astype(np.int64)).astype(np.float32)

    q = np.rint(np.clip((X - t["mean"]) * t["input_scale"], -127, 127)).astype(np.int64)
    expected = product(q, "projection", bits) * t["projection_scale"] + t["bias"]
    if network:
        h = product(q, "hidden", 64) * t["hidden_scale"] + t["hidden_bias"]
        h = np.rint(np.clip(h, 0, 255)).astype(np.int64)
        expected = expected + product(h, "residual", bits) * t["residual_scale"]
    assert np.array_equal(encoder.logits(X), expected)


@given(Shapes, Seeds, st.sampled_from(KINDS), st.data())
def test_tensors_make_the_encoder_again_and_nothing_else(shape, seed, kind, data) -> None:
    count, dim, bits = shape
    X = vectors(seed, count + 2, dim)
    encoder = encoders.fit(kind, X, bits, seed=seed, iterations=1)
    tensors = encoder.tensors()
    again = encoders.from_tensors(kind, dim, bits, tensors)
    assert np.array_equal(again.logits(X), encoder.logits(X))
    name = data.draw(st.sampled_from(sorted(tensors)))
    damage = data.draw(st.sampled_from(("missing", "other type", "other shape", "not finite", "another")))
    if damage == "missing":
        del tensors[name]
    elif damage == "other type":
        tensors[name] = tensors[name].astype(np.int8)
    elif damage == "other shape":
        tensors[name] = tensors[name][..., :-1]
    elif damage == "not finite" and tensors[name].dtype == np.float32:
        tensors[name].flat[0] = np.nan
    else:
        tensors["other"] = np.zeros(3, np.float32)
    with pytest.raises(snncore.FormatError, match="encoder"):
        encoders.from_tensors(kind, dim, bits, tensors)
