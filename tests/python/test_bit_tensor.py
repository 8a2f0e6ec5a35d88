"""Packing and unpacking."""

import pickle

import numpy as np
import pytest

import snncore
from snncore import BitTensor, pack


@pytest.mark.parametrize("channels", [1, 2, 63, 64, 65, 127, 128, 129, 200])
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.float32, np.int64, np.float64])
def test_numpy_gives_back_what_was_packed(channels: int, dtype: type) -> None:
    bits = np.random.default_rng(channels).random((3, channels)) < 0.5
    packed = pack(bits.astype(dtype))
    assert packed.shape == (3, channels)
    assert packed.size == bits.size
    assert packed.words.shape == (3, -(-channels // 64))
    assert packed.popcount() == bits.sum()
    assert packed.numpy().dtype == np.bool_
    np.testing.assert_array_equal(packed.numpy(), bits)


def test_bit_i_of_word_j_is_element_64_j_plus_i() -> None:
    bits = np.zeros(130, bool)
    bits[[0, 63, 64, 129]] = True
    np.testing.assert_array_equal(pack(bits).words, np.array([1 | 1 << 63, 1, 2], np.uint64))


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -4])
def test_any_axis_can_be_packed(axis: int) -> None:
    bits = np.random.default_rng(0).random((2, 70, 3, 5)) < 0.5
    packed = pack(bits, axis=axis)
    assert packed.shape == bits.shape
    assert packed.axis == axis % 4
    np.testing.assert_array_equal(packed.numpy(), bits)
    np.testing.assert_array_equal(np.asarray(packed), bits)
    assert packed.numpy().flags["C_CONTIGUOUS"]


def test_every_value_that_is_not_zero_is_a_set_bit() -> None:
    values = np.array([0.0, -0.0, 1.0, -0.5, np.nan, np.inf, 1e-45], np.float32)
    assert pack(values).numpy().tolist() == [False, False, True, True, True, True, True]
    assert pack(np.array([0, 1, 255], np.uint8)).popcount() == 2


def test_arrays_of_any_strides_are_accepted() -> None:
    bits = np.random.default_rng(0).random((6, 140)) < 0.5
    for view in (bits[::2], bits[:, ::-2], bits.T, np.asfortranarray(bits)):
        np.testing.assert_array_equal(pack(view).numpy(), view)


def test_words_are_read_only_and_outlive_their_tensor() -> None:
    words = pack(np.ones((2, 65), bool)).words
    assert not words.flags.writeable
    assert words.tolist() == [[2**64 - 1, 1]] * 2


def test_words_can_be_taken_as_they_are() -> None:
    packed = pack(np.random.default_rng(0).random((2, 70, 3)) < 0.5, axis=1)
    again = BitTensor.from_words(packed.words, packed.shape, axis=1)
    assert again == packed
    assert again.popcount() == packed.popcount()


def test_words_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[3, 2\]"):
        BitTensor.from_words(np.zeros((3, 1), np.uint64), (3, 65))


def test_bits_past_the_end_of_a_row_are_refused() -> None:
    with pytest.raises(ValueError, match="past its 63 elements"):
        BitTensor.from_words(np.full((1, 1), 2**63, np.uint64), (1, 63))


def test_equality_is_of_shape_and_bits() -> None:
    bits = np.random.default_rng(0).random((4, 4)) < 0.5
    assert pack(bits) == pack(bits, axis=0)
    assert pack(bits) != pack(~bits)
    assert pack(bits) != pack(bits.reshape(2, 8))
    assert pack(bits) != 7


def test_a_tensor_can_be_pickled() -> None:
    packed = pack(np.random.default_rng(0).random((2, 70, 3)) < 0.5, axis=1)
    copy = pickle.loads(pickle.dumps(packed))
    assert copy == packed
    assert copy.axis == 1


def test_repr_says_shape_and_count() -> None:
    assert repr(pack([True, False, True])) == "BitTensor(shape=[3], axis=0, set=2/3)"


@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_does_not_exist_is_refused(axis: int) -> None:
    with pytest.raises(ValueError, match="axis"):
        pack(np.zeros((2, 2)), axis=axis)


def test_a_single_value_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one axis"):
        pack(np.float32(1))


def test_a_copy_is_never_avoided_silently() -> None:
    with pytest.raises(ValueError, match="copy"):
        snncore.pack([True]).__array__(copy=False)
