"""The losses of Weight-Spike Dual Regulation."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from snncore.reference import dual_regulation_loss, per_step_cross_entropy, rate_loss  # noqa: E402


def layer(rate, size=100):
    spikes = torch.zeros(2, 5, size)
    spikes[..., : int(size * rate)] = 1.0
    return spikes


def test_rates_of_one_half_cost_nothing_and_the_ends_do_not_count():
    half = {"first": layer(0.0), "a": layer(0.5), "b": layer(0.5), "last": layer(1.0)}
    assert rate_loss(half) == 0
    uneven = {"first": layer(0.0), "a": layer(0.3), "b": layer(0.5), "last": layer(1.0)}
    assert rate_loss(uneven).item() == pytest.approx(0.04 / 2)  # L - 2 = 2 layers
    with pytest.raises(ValueError, match="three neuron layers or more, got 2"):
        rate_loss({"a": layer(0.5), "b": layer(0.5)})


def test_the_loss_of_each_step():
    torch.manual_seed(0)
    outputs, labels = torch.randn(3, 7, 5), torch.randint(0, 5, (7,))
    expected = sum(F.cross_entropy(outputs[t], labels) for t in range(3)) / 3
    torch.testing.assert_close(per_step_cross_entropy(outputs, labels), expected)
    spikes = {str(i): layer(0.3) for i in range(3)}
    total = dual_regulation_loss(outputs, spikes, labels, weight=0.1)
    torch.testing.assert_close(total, expected + 0.1 * 0.04)
    with pytest.raises(ValueError, match=r"expected outputs \[T, N, classes\]"):
        per_step_cross_entropy(outputs[0], labels)
