"""The ops as functions, against a few lines of NumPy each. Random cases are in property/."""

from typing import Any

import nets
import numpy as np
import pytest

import snncore
import snncore.functional as F

RNG = np.random.default_rng(5)


def spikes(*shape: int) -> np.ndarray:
    return RNG.random(shape) < 0.4


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2}, {"groups": 2}], ids=str
)
def test_conv2d_of_spikes_is_exact(bits: int, options: dict[str, Any]) -> None:
    x = spikes(3, 6, 9, 9)
    q = nets.codes(RNG, (4, 6 // options.get("groups", 1), 3, 3), bits)
    expected = nets.conv2d(x.astype(np.int64), 2 * q.astype(np.int64) + 1, **options)
    sums = F.conv2d(x, q, encoding="odd", bits=bits, **options)
    assert sums.dtype == np.int32
    np.testing.assert_array_equal(sums, expected)
    np.testing.assert_array_equal(
        F.conv2d(snncore.pack(x, axis=1), q, encoding="odd", bits=bits, **options), expected
    )


def test_conv2d_of_pixels_is_exact_and_pads_with_the_zero_point() -> None:
    x = RNG.integers(0, 256, (2, 3, 7, 7), dtype=np.uint8)
    q = nets.codes(RNG, (5, 3, 3, 3), 8)
    zero_point = [100, 0, 255]
    shifted = x.astype(np.int64) - np.array(zero_point).reshape(3, 1, 1)
    expected = nets.conv2d(shifted, 2 * q.astype(np.int64) + 1, padding=1)
    got = F.conv2d(x, q, encoding="odd", bits=8, padding=1, zero_point=zero_point)
    np.testing.assert_array_equal(got, expected)


def test_conv2d_of_floats() -> None:
    x, w = RNG.normal(size=(2, 3, 6, 6)).astype(np.float32), RNG.normal(size=(4, 3, 3, 3)).astype(np.float32)
    bias = RNG.normal(size=4)
    expected = nets.conv2d(x.astype(np.float64), w.astype(np.float64), padding=1) + bias.reshape(4, 1, 1)
    np.testing.assert_allclose(
        F.conv2d(x, w, bias=bias, padding=1), expected, rtol=1e-4, atol=1e-5
    )  # 27 terms


def test_linear() -> None:
    x, q = spikes(5, 130), RNG.integers(-7, 8, (9, 130)).astype(np.int8)
    expected = x.astype(np.int64) @ q.T.astype(np.int64)
    np.testing.assert_array_equal(F.linear(x, q, encoding="sym", bits=4), expected)
    np.testing.assert_array_equal(F.linear(x, q.astype(np.float32)), expected)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_lif_of_floats(reset: Any) -> None:
    x = RNG.normal(0.3, 0.5, (12, 2, 3, 4, 4)).astype(np.float32)
    v, expected = np.zeros(x.shape[1:], np.float32), []
    for frame in x:
        h = np.float32(0.75) * v + frame
        expected.append(h >= 1)
        v = np.where(h >= 1, 0 if reset == "zero" else h - np.float32(1), h).astype(np.float32)
    got = F.lif(x, decay=0.75, reset=reset)
    np.testing.assert_array_equal(got.numpy(), np.array(expected))
    np.testing.assert_array_equal(
        F.lif(x.reshape(12, 2, 48), decay=0.75, reset=reset).numpy().reshape(x.shape), expected
    )


def test_lif_int_of_any_currents() -> None:
    x = RNG.integers(-3000, 3000, (10, 2, 7))
    theta = RNG.integers(100, 2000, 7)
    v, fired, kept = np.zeros((2, 7), np.int64), [], []
    for frame in x:
        h = np.clip((v * 20000 + 2**14 >> 15) + frame, -32768, 32767)
        fired.append(h >= theta)
        v = np.where(h >= theta, 0, h)
        kept.append(v)
    bits, membranes = F.lif_int(x, theta=theta, leak="q15", leak_param=20000)
    np.testing.assert_array_equal(bits.numpy(), fired)
    np.testing.assert_array_equal(membranes, kept)


def test_lif_int_saturates() -> None:
    x = np.full((5, 1, 1), 30000)
    bits, membranes = F.lif_int(x, theta=32767, leak="none")
    assert bits.numpy().ravel().tolist() == [False, True, False, True, False]
    assert membranes.ravel().tolist() == [30000, 0, 30000, 0, 30000]
    _, low = F.lif_int(-x, theta=32767, leak="none", state="i8")
    assert low.ravel().tolist() == [-127] * 5


def test_lif_int_of_images_in_any_order_of_memory() -> None:
    x = RNG.integers(-900, 900, (5, 2, 70, 6, 7))
    theta, psi = RNG.integers(100, 800, 70), RNG.integers(0, 800, 70)
    options: dict[str, Any] = {"theta": theta, "psi": psi, "reset": "subtract", "leak_param": 20000}
    vectors = np.ascontiguousarray(np.moveaxis(x, 2, -1)).reshape(5, 2 * 6 * 7, 70).astype(np.int16)
    bits, membranes = F.lif_int(vectors, **options)
    fired = np.moveaxis(bits.numpy().reshape(5, 2, 6, 7, 70), -1, 2)
    kept = np.moveaxis(membranes.reshape(5, 2, 6, 7, 70), -1, 2)
    orders = [
        x,
        np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 2, -1)), -1, 2),
        x[:, :, :, ::-1].copy()[:, :, :, ::-1],
    ]
    for values in orders:
        for dtype in (np.int16, np.int32, np.int64):
            bits, membranes = F.lif_int(values.astype(dtype, order="K"), **options)
            assert (bits.shape, bits.axis) == (x.shape, 2)
            np.testing.assert_array_equal(bits.numpy(), fired)
            np.testing.assert_array_equal(membranes, kept)
            assert F.lif_int(values.astype(dtype, order="K"), membranes=False, threads=2, **options) == bits


@pytest.mark.parametrize("dtype", "bBhHiIlL")
def test_lif_int_of_any_integer_type(dtype: str) -> None:
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**31)), min(info.max, 2**31 - 1)
    x = RNG.integers(low, high, (6, 3, 40), endpoint=True).astype(dtype)
    bits, membranes = F.lif_int(x, theta=2000, leak="none", state="i32")
    expected, kept = F.lif_int(x.astype(np.int32), theta=2000, leak="none", state="i32")
    assert bits == expected
    assert membranes.dtype == np.int32
    np.testing.assert_array_equal(membranes, kept)
    foreign = F.lif_int(x.astype(np.dtype(dtype).newbyteorder()), theta=2000, leak="none", state="i32")[0]
    assert foreign == expected


def test_lif_int_takes_the_whole_range_of_32_bits() -> None:
    x = np.array([-(2**31), 2**31 - 1]).reshape(2, 1, 1)
    bits, membranes = F.lif_int(x, theta=2**31 - 1, leak="none", state="i32")
    assert bits.numpy().ravel().tolist() == [False, False]
    assert membranes.ravel().tolist() == [-(2**31), -1]


def test_lif_int_in_profile_u_computes_as_in_w() -> None:
    x = RNG.integers(-3000, 3000, (4, 2, 9))
    for left, right in zip(F.lif_int(x, theta=900, profile="U"), F.lif_int(x, theta=900), strict=True):
        np.testing.assert_array_equal(left, right)


def test_lif_of_images_in_any_order_of_memory() -> None:
    x = RNG.normal(0.3, 0.5, (4, 2, 70, 3, 5)).astype(np.float32)
    turned = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 2, -1)), -1, 2)
    assert F.lif(turned) == F.lif(x) == F.lif(x[..., ::-1].copy()[..., ::-1])


def test_maxpool2d() -> None:
    x = spikes(2, 70, 6, 6)
    expected = x.reshape(2, 70, 3, 2, 3, 2).any(axis=(3, 5))
    np.testing.assert_array_equal(F.maxpool2d(x, 2).numpy(), expected)
    assert F.maxpool2d(snncore.pack(x, axis=1), 2) == snncore.pack(expected, axis=1)


def test_avgpool2d() -> None:
    x = spikes(2, 5, 6, 6)
    expected = x.reshape(2, 5, 2, 3, 2, 3).mean(axis=(3, 5))
    np.testing.assert_array_equal(F.avgpool2d(x, 3), expected.astype(np.float32))
    np.testing.assert_array_equal(F.avgpool2d(x.astype(np.float32), 3), expected.astype(np.float32))


def test_add() -> None:
    x, y, z = spikes(2, 5, 4, 4), spikes(2, 5, 4, 4), RNG.normal(size=(2, 5, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(F.add(x, y), x.astype(np.float32) + y)
    np.testing.assert_array_equal(F.add(x, y, z), (x.astype(np.float32) + y) + z)


def test_threads_do_not_change_the_answer() -> None:
    x, q = spikes(2, 40, 12, 12), nets.codes(RNG, (33, 40, 3, 3), 4)
    one = F.conv2d(x, q, encoding="odd", bits=4, padding=1)
    np.testing.assert_array_equal(F.conv2d(x, q, encoding="odd", bits=4, padding=1, threads=3), one)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: F.conv2d(np.zeros((1, 3, 8, 8)), np.zeros((1, 3, 1, 1), np.float32)), ["conv2d", "float64"]),
        (lambda: F.conv2d(np.zeros((3, 8), bool), np.zeros((1, 3, 1, 1), np.float32)), ["conv2d"]),
        (lambda: F.linear(np.zeros((1, 3), bool), np.zeros((1, 4), np.float32)), ["linear", "3", "4"]),
        (
            lambda: F.linear(
                np.zeros((1, 3), bool), np.zeros((1, 3), np.int8), encoding="odd", bits=1, bias=[1]
            ),
            ["bias"],
        ),
        (lambda: F.lif(np.zeros((1, 3), np.float32)), ["lif", "[T, N, C"]),
        (lambda: F.lif(np.zeros((1, 1, 3))), ["lif", "float64"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3)), theta=1), ["lif_int", "float64"]),
        (lambda: F.lif(np.zeros((1, 0, 3), np.float32)), ["lif", "[1, 0, 3]"]),
        (lambda: F.lif(np.zeros((1, 1, 3), np.float32), decay=1.5), ["lif", "decay", "1.5"]),
        (lambda: F.lif(np.zeros((1, 1, 3), np.float32), threshold=float("nan")), ["lif", "threshold"]),
        (lambda: F.lif(np.zeros((1, 1, 3), np.float32), threads=0), ["lif", "threads", "0"]),
        (lambda: F.lif_int(np.array([[[-(2**31) - 1, 0]]]), theta=1), ["lif_int", "2^31", "-2147483649"]),
        (lambda: F.lif_int(np.full((1, 1, 3), 2**63, np.uint64), theta=1), ["lif_int", "2^31"]),
        (lambda: F.lif_int(np.zeros((1, 3), int), theta=1), ["lif_int", "[T, N, C]", "[1, 3]"]),
        (lambda: F.lif_int(np.zeros((0, 1, 3), int), theta=1), ["lif_int", "at least one", "[0, 1, 3]"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=[1, 2]), ["lif_int", "theta", "3", "2"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1.5), ["lif_int", "theta", "float64"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=[[1]]), ["lif_int", "theta", "[1, 1]"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=2**40), ["lif_int", "theta", "2^31"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=40000), ["lif_int", "theta", "32767", "40000"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1, psi=1), ["lif_int", "psi"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1, reset="subtract"), ["lif_int", "psi"]),
        (
            lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1, leak_param=-1),
            ["lif_int", "leak_param", "-1"],
        ),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1, leak_param=2**70), ["lif_int", "leak_param"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1, threads=257), ["lif_int", "threads", "257"]),
        (lambda: F.lif_int(np.full((1, 1, 3), 40000), theta=1, profile="U"), ["lif_int", "U", "40000"]),
        (lambda: F.lif_int(np.zeros((1, 1, 3), int), theta=1, profile="X"), ["lif_int", "'X'"]),
        (lambda: F.add(np.zeros((1, 3), bool)), ["add"]),
    ],
)
def test_wrong_arguments(call: Any, words: list[str]) -> None:
    with pytest.raises(ValueError) as refused:
        call()
    assert [word for word in words if word not in str(refused.value)] == []
