"""One set of formulas, two array libraries: NumPy and torch round to the same codes."""

from __future__ import annotations

import numpy as np
import pytest

from snncore.compress import codes
from snncore.compress.weights import WeightCode

torch = pytest.importorskip("torch")
from snncore.reference import quantize as reference  # noqa: E402


def weights():
    rng = np.random.default_rng(0)
    for shape in ((8, 4, 3, 3), (5, 300), (4, 1, 1, 1)):
        w = rng.normal(0, 10.0 ** rng.uniform(-3, 2), shape).astype(np.float32)
        w[0] = 0.0
        yield w


@pytest.mark.parametrize("granularity", ["channel", "layer"])
@pytest.mark.parametrize("bits", codes.SYMMETRIC_BITS)
def test_symmetric(bits, granularity):
    for w in weights():
        made = WeightCode("symmetric", bits, granularity)(w)
        q, scale = reference.symmetric_codes(torch.from_numpy(w), bits, granularity)
        np.testing.assert_array_equal(made["weight"], q.numpy())
        np.testing.assert_array_equal(made["scale"], scale.numpy())
        assert abs(made["weight"].astype(int)).max() == 2 ** (bits - 1) - 1


@pytest.mark.parametrize("granularity", ["channel", "layer"])
@pytest.mark.parametrize("factor", [True, False])
@pytest.mark.parametrize("gamma", ["mean", "max", "percentile"])
@pytest.mark.parametrize("bits", codes.RESCAW_BITS)
def test_rescaw(bits, gamma, factor, granularity):
    for w in weights():
        made = WeightCode("rescaw", bits, granularity, gamma, factor)(w)
        q, delta = reference.rescaw_codes(torch.from_numpy(w), bits, gamma, granularity, factor)
        np.testing.assert_allclose(
            made["scale"], delta.numpy(), rtol=4e-6
        )  # means are added in another order
        rows = codes.rows_of(w, granularity)
        scale = (delta.numpy() * (2**bits - 1)).astype(np.float32)
        same = codes.rescaw_rows(np, rows, bits, scale).reshape(w.shape)
        np.testing.assert_array_equal(same, q.numpy())  # an equal scale: equal codes
        assert (made["weight"] != q.numpy()).mean() < 0.005


def test_by_hand():
    w = np.array([[0.0, 1.0, -1.0, 0.4]], np.float32)
    assert WeightCode("rescaw", 2, gamma="max", factor=False)(w)["weight"].tolist() == [[0, 1, -2, 0]]
    assert WeightCode("rescaw", 1, gamma="max", factor=False)(w)["weight"].tolist() == [[0, 0, -1, 0]]
    assert WeightCode("symmetric", 4)(w)["weight"].tolist() == [[0, 7, -7, 3]]
    assert WeightCode("rescaw", 2, factor=False)(w)["scale"].tolist() == [np.float32(0.6) / 3]
