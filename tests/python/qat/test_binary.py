"""Q-SNN's binariser: its codes, its scale, its gradient, its engine form (q-snn specification)."""

from __future__ import annotations

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
from snncore.reference import BinaryQuantizer, Conv2d, anneal, annealing, binary, binary_codes  # noqa: E402

LAPLACE = torch.distributions.Laplace(0.0, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_weight_is_the_scale_times_the_code(seed):
    torch.manual_seed(seed)
    w = torch.randn(6, 4, 3, 3) * 10.0 ** torch.randint(-3, 3, (6, 1, 1, 1)) + torch.randn(6, 1, 1, 1)
    q, s = binary_codes(w)
    assert q.dtype == torch.int8 and set(q.unique().tolist()) == {-1, 0}
    assert torch.equal(binary(w), (s.view(-1, 1, 1, 1) * (2 * q + 1)).float())
    signs = torch.where(w >= w.flatten(1).mean(1).view(-1, 1, 1, 1), 1, -1)
    assert ((2 * q + 1) == signs).float().mean() > 0.995  # the mean's last bit


def test_the_scale_is_one_or_a_half_on_gaussian_and_laplace_weights():
    torch.manual_seed(0)
    for w in (torch.randn(500, 8, 3, 3) * 0.05, LAPLACE.sample((500, 8, 3, 3))):
        assert set(binary_codes(w)[1].unique().tolist()) <= {0.5, 1.0}
    heavy = torch.randn(200, 72) ** 5  # mean|w2| far below 2^-0.5
    assert set(binary_codes(heavy)[1].unique().tolist()) & {0.5, 0.25}


def test_by_hand():
    w = torch.tensor([[1.0, 3.0, 5.0, 7.0], [2.0, 2.0, 2.0, 2.0]])
    q, s = binary_codes(w)  # centred -3 -1 1 3, mean magnitude 2 of std 2.58: 0.77, log2 -0.37
    assert q.tolist() == [[-1, -1, 0, 0], [0, 0, 0, 0]] and s.tolist() == [1.0, 1.0]


def test_the_gradient_is_that_of_a_scaled_tanh_through_the_standardisation():
    torch.manual_seed(1)
    w = (torch.randn(3, 5, 3, 3) * 0.2).requires_grad_()
    grad = torch.randn(3, 5, 3, 3)
    k, t = annealing(30, 100)
    (ours,) = torch.autograd.grad(binary(w, k, t), w, grad)
    rows = w.reshape(3, -1)
    centred = rows - rows.mean(1, keepdim=True)
    smooth = k * torch.tanh(t * centred / rows.std(1, keepdim=True))
    scale = binary_codes(w)[1].float()[:, None]
    (theirs,) = torch.autograd.grad((smooth * scale).reshape(w.shape), w, grad)
    torch.testing.assert_close(ours, theirs)


def test_a_flat_channel_has_a_finite_gradient():
    w = torch.ones(2, 9, requires_grad=True)
    (grad,) = torch.autograd.grad(binary(w).sum(), w)
    assert torch.isfinite(grad).all()


def test_the_schedule():
    assert annealing(0, 300) == pytest.approx((10.0, 0.1))
    assert annealing(150, 300) == pytest.approx((1.0, 1.0))
    assert annealing(300, 300) == pytest.approx((1.0, 10.0))
    net = torch.nn.Sequential(Conv2d(2, 2, 1, quantizer=BinaryQuantizer()), torch.nn.Conv2d(2, 2, 1))
    anneal(net, 75, 300)
    assert (net[0].quantizer.k, net[0].quantizer.t) == annealing(75, 300)
    with pytest.raises(ValueError, match="epoch must lie in"):
        annealing(301, 300)


def test_the_folded_gain_is_that_of_the_norm_times_the_scale():
    from snncore.reference import LIF
    from snncore.reference.run import read

    pytest.importorskip("safetensors")
    torch.manual_seed(2)
    conv = Conv2d(6, 40, 3, bias=False, quantizer=BinaryQuantizer())
    with torch.no_grad():
        conv.weight[::2] **= 5  # heavy tails: scales below 1
    bn = torch.nn.BatchNorm2d(40)
    torch.nn.init.uniform_(bn.weight, -2, 2)
    torch.nn.init.uniform_(bn.running_var, 0.5, 20)
    net = torch.nn.Sequential(conv, bn, LIF(), torch.nn.Flatten()).eval()
    model = snncore.from_torch(net, torch.zeros(2, 1, 6, 5, 5, dtype=torch.bool))
    file = read(model.to_bytes())
    factor, shift = (
        file.tensors[n["tensors"][role]]
        for n in file.document["graph"]["nodes"]
        if n["op"] == "requant"
        for role in ("M.0", "n")
    )
    scale = binary_codes(conv.weight)[1]
    assert len(scale.unique()) > 1
    expected = (bn.weight.double() / torch.sqrt(bn.running_var.double() + bn.eps)).abs() * scale
    made = factor.double() / 2.0 ** shift.double() / 4096
    np.testing.assert_allclose(made.numpy(), expected.detach().numpy(), rtol=2**-10)


@pytest.mark.parametrize(("padding", "stride", "channels"), [(0, 1, 3), (1, 1, 70), (2, 2, 64), (1, 3, 5)])
def test_the_engine_sums_signs_as_integers_do(padding, stride, channels):
    """The packed form, 2 popcount(m & s) - popcount(s), against int64 sums."""
    torch.manual_seed(channels)
    conv = Conv2d(channels, 9, 3, padding=padding, stride=stride, bias=False, quantizer=BinaryQuantizer())
    q, s = conv.quantizer.codes(conv.weight)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [channels, 8, 8])
    x = b.conv2d(
        "conv", x, q.numpy(), encoding="odd", bits=1, scale=s.numpy(), padding=padding, stride=stride
    )
    b.output("y", b.lif("lif", x, threshold=1e3, decay=1.0, state="i32", theta0=1000))
    spikes = np.random.default_rng(0).random((2, channels, 8, 8)) < 0.4
    found = b.build(1).run(spikes, record=["lif.v"]).states["lif.v"]
    m = (2 * q + 1).to(torch.float64)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(spikes).double(), m, padding=padding, stride=stride
    ) * s.view(1, -1, 1, 1)
    np.testing.assert_array_equal(np.asarray(found).reshape(expected.shape), expected.numpy())
