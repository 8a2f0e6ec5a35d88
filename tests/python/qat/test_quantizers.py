"""ReScaW and the quantiser without rescaling: the integer identity, and both gradients."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from snncore.reference import rescaw, rescaw_codes  # noqa: E402


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("granularity", ["channel", "layer"])
@pytest.mark.parametrize("gamma", ["mean", "one"])
def test_float_form_is_integer_form(bits, granularity, gamma):
    torch.manual_seed(bits)
    w = torch.randn(7, 5, 3, 3) * 0.3
    rows = (w.flatten(1) if granularity == "channel" else w.view(1, -1)).double()
    g = rows.abs().mean(1, keepdim=True) if gamma == "mean" else torch.ones(len(rows), 1).double()
    s = 2**bits - 1
    u = torch.round(s / 2 * ((rows / g).clamp(-1, 1) + 1)) if bits > 1 else (rows >= 0).double()
    expected = (g * (2 * u / s - 1)).view_as(w)
    q, delta = rescaw_codes(w, bits, gamma, granularity)
    m = 2 * q.double() + 1
    made = delta.view(-1, 1, 1, 1) * m if granularity == "channel" else delta * m
    close = np.isclose(made.numpy(), expected.numpy(), rtol=1e-6)
    assert close.mean() > 0.999  # a tie of float32 may fall to the other side in float64
    assert torch.equal(rescaw(w, bits, gamma, granularity), made.float())


def test_without_rescaling_most_codes_stay_unused():
    """Equation 8 of the paper: weights in [-a, a] use about (a s + 1) / (s + 1) of the codes."""
    torch.manual_seed(0)
    w = torch.rand(64, 32, 3, 3) * 0.6 - 0.3
    used = [len(rescaw_codes(w, 8, gamma, "layer")[0].unique()) / 256 for gamma in ("one", "max")]
    assert used[0] == pytest.approx((0.3 * 255 + 1) / 256, abs=0.01) and used[1] == 1.0


@pytest.mark.parametrize("gamma", ["mean", "one"])
def test_both_straight_through_forms(gamma):
    w = torch.tensor([[0.5, -2.0, 0.1, 1.4]], requires_grad=True)
    for ste, expected in (("code", [1.0] * 4), ("paper", [1.0, 0.0, 1.0, 0.0])):  # mean |w| is 1 as well
        (grad,) = torch.autograd.grad(rescaw(w, 2, gamma, ste=ste).sum(), w)
        assert grad.flatten().tolist() == pytest.approx(expected)
    (grad,) = torch.autograd.grad(rescaw(w * 0.25, 2, "mean").sum(), w)
    assert grad.flatten().tolist() == pytest.approx([1.0] * 4)  # 1 / gamma, times 0.25
