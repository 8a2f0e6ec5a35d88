"""What the attention functions refuse, and their borders. Random cases are in property/."""

from typing import Any

import numpy as np
import pytest

import snncore
import snncore.functional as F

RNG = np.random.default_rng(6)


def spikes(*shape: int) -> np.ndarray:
    return RNG.random(shape) < 0.3


@pytest.mark.parametrize("order", ["auto", "kv_first", "qk_first"])
@pytest.mark.parametrize("shape", [(4, 1, 2, 70, 48), (3, 48, 70), (5, 7), (2, 3, 1, 1)])
def test_attention_is_the_product(order: Any, shape: tuple[int, ...]) -> None:
    q, k, v = spikes(*shape), spikes(*shape), spikes(*shape)
    scores = q.astype(np.int32) @ k.astype(np.int32).swapaxes(-1, -2)
    np.testing.assert_array_equal(F.attention(q, k, v, order=order), scores @ v)
    np.testing.assert_array_equal(F.attention(q, snncore.pack(k, -2), v, order=order, threads=2), scores @ v)
    chosen = F.attention_map(q, k, 2)
    np.testing.assert_array_equal(chosen.numpy(), scores >= 2)
    np.testing.assert_array_equal(F.attention_apply(chosen, v), (scores >= 2).astype(np.int32) @ v)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_empty_axes_give_empty_or_zero_results(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.bool_)
    assert F.attention(x, x, x).shape == shape
    assert F.attention_map(x, x, 1).shape == (*shape[:-1], shape[-2])
    assert F.attention_map(x, x, 1).popcount() == 0
    assert F.attention_apply(F.attention_map(x, x, 0), x).shape == shape


def test_the_threshold_may_be_any_number() -> None:
    x = np.ones((2, 70, 5), np.bool_)
    for low in (0, -1, -(10**30)):
        assert F.attention_map(x, x, low).numpy().all()
    assert F.attention_map(x, x, 5).numpy().all()
    for high in (6, 256, 65536, 10**30):
        assert F.attention_map(x, x, high).popcount() == 0


def test_refusals_say_what_was_expected() -> None:
    x = spikes(2, 6, 5)
    with pytest.raises(ValueError, match=r"attention: k: expected \[2, 6, 5\] as q, received \[2, 5, 6\]"):
        F.attention(x, spikes(2, 5, 6), x)
    with pytest.raises(ValueError, match=r"attention: q: expected bool or a BitTensor, received float64"):
        F.attention(np.zeros((2, 3)), x, x)
    with pytest.raises(ValueError, match=r"attention: expected order .* received 'fast'"):
        F.attention(x, x, x, order="fast")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"attention: v: expected bits packed along tokens or dim"):
        F.attention(x, x, snncore.pack(x, axis=0))
    with pytest.raises(ValueError, match=r"attention: expected \[..., tokens, dim\], received \[4\]"):
        F.attention(x[0, 0, :4], x[0, 0, :4], x[0, 0, :4])
    with pytest.raises(ValueError, match=r"at most 65535 tokens"):
        F.attention_map(*[np.zeros((65536, 1), np.bool_)] * 2, 1)
    with pytest.raises(TypeError, match=r"attention_map: threshold: expected a whole number, received 1.5"):
        F.attention_map(x, x, 1.5)
    with pytest.raises(ValueError, match=r"attention_map: expected 1 to 256 threads, received 0"):
        F.attention_map(x, x, 1, threads=0)
    with pytest.raises(ValueError, match=r"attention: expected 1 to 256 threads, received 5000"):
        F.attention(x, x, x, threads=5000)
    with pytest.raises(ValueError, match=r"attention_apply: chosen: expected \[2, 6, 6\] for v \[2, 6, 5\]"):
        F.attention_apply(spikes(2, 5, 6), x)
