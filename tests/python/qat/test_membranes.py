"""Quantised membranes: codes, dynamics, gradients, batch invariance, and the engine's states."""

from __future__ import annotations

import math

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
from snncore.reference import (  # noqa: E402
    LIF,
    Conv2d,
    Linear,
    MembraneQuantizer,
    Network,
    QuantizedLIF,
    WeightQuantizer,
    calibrate_membranes,
)


def test_codes_of_two_bits():
    r = torch.tensor([-10, -1, -0.55, -0.54, 0, 0.54, 0.55, 0.99])
    assert MembraneQuantizer(2, "tanh").codes(r).tolist() == [-1, -1, -1, 0, 0, 0, 1, 1]
    edge = math.atanh(0.5)
    assert MembraneQuantizer(2, "tanh").codes(torch.tensor([edge - 1e-4, edge + 1e-4])).tolist() == [0, 1]


@pytest.mark.parametrize(("bits", "low", "high"), [(8, -127, 97), (4, -7, 5), (2, -1, 1)])
def test_the_codes_that_occur_below_a_threshold_of_one(bits, low, high):
    codes = MembraneQuantizer(bits, "tanh").codes(torch.linspace(-20, 0.99999, 100_000))
    assert (codes.min(), codes.max()) == (low, high)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_linear_is_a_saturating_store(bits):
    q = MembraneQuantizer(bits)
    r = torch.linspace(-3, 3, 1001)
    n = 2 ** (bits - 1) - 1
    expected = np.rint(np.clip(r.numpy() / np.float32(1.5), -1, 1) * n)
    np.testing.assert_array_equal(q.codes(r, 1.5).numpy(), expected)
    np.testing.assert_allclose(q(r, 1.5).numpy(), expected * 1.5 / n, rtol=1e-6)


def test_dynamic_alpha_and_a_silent_tensor():
    q = MembraneQuantizer(4, "tanh", None)
    r = torch.tensor([0.1, -0.2])
    assert q.codes(r).tolist()[1] == -7
    assert torch.equal(q(torch.zeros(5)), torch.zeros(5))


def reference_run(x, bits, alpha, decay=0.5, threshold=1.0):
    """The rule, written once more in NumPy and float64."""
    n, v = 2 ** (bits - 1) - 1, np.zeros_like(x[0])
    spikes = []
    for current in x:
        h = decay * v + current
        s = h > threshold
        r = np.where(s, 0.0, h)
        v = alpha / n * np.rint(n * np.clip(np.tanh(r) / alpha, -1, 1))
        spikes.append(s)
    return np.stack(spikes)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("alpha", [1.0, 0.6])
def test_the_neuron_is_the_rule(bits, alpha):
    x = np.random.default_rng(bits).normal(0.3, 1.0, (6, 3, 500))
    lif = QuantizedLIF(MembraneQuantizer(bits, "tanh", alpha), strict=True)
    ours = lif(torch.from_numpy(x).float()).numpy() != 0
    assert (ours != reference_run(x, bits, alpha)).mean() < 1e-3  # float32 against float64 at a step's edge
    v, stepped = None, []
    for current in torch.from_numpy(x).float():
        s, v = lif.step(current, v)
        stepped.append(s.numpy() != 0)
    np.testing.assert_array_equal(ours, np.stack(stepped))


def test_many_bits_train_as_a_float_neuron_does():
    """Gradients flow through reset, clamp and rounding: close to those of LIF where nothing saturates."""
    torch.manual_seed(0)
    x = (torch.randn(4, 2, 50) * 0.6).requires_grad_()
    weights = torch.randn(4, 2, 50)
    (plain,) = torch.autograd.grad((LIF()(x) * weights).sum(), x)
    (ours,) = torch.autograd.grad((QuantizedLIF(MembraneQuantizer(8))(x) * weights).sum(), x)
    assert torch.nn.functional.cosine_similarity(plain.flatten(), ours.flatten(), 0) > 0.97


def test_the_gradient_of_one_step_back_by_hand():
    q, (x0, x1) = MembraneQuantizer(4, "tanh"), (0.4, 0.7)
    x = torch.tensor([[[x0]], [[x1]]], requires_grad=True)
    spikes = QuantizedLIF(q)(x)
    (grad,) = torch.autograd.grad(spikes[1].sum(), x)
    v = float(q(torch.tensor(x0)))
    slope = 1 - abs(0.5 * v + x1 - 1)
    # r = h (1 - s): dr/dh = 1 - h ds/dh; Q' is the derivative of tanh.
    back = slope * 0.5 * (1 - math.tanh(x0) ** 2) * (1 - x0 * (1 - abs(x0 - 1)))
    assert grad.flatten().tolist() == pytest.approx([back, slope], rel=1e-5)


def small_net(membrane, seed=0, hidden=None):
    torch.manual_seed(seed)
    ends = WeightQuantizer("symmetric", 8, granularity="layer")
    layers = torch.nn.Sequential(
        Conv2d(3, 8, 3, padding=1, quantizer=ends),
        torch.nn.BatchNorm2d(8),
        QuantizedLIF(membrane, strict=True),
        Conv2d(8, 8, 3, padding=1, quantizer=hidden or WeightQuantizer("rescaw", 4)),
        torch.nn.BatchNorm2d(8),
        QuantizedLIF(membrane, strict=True),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        Linear(8, 4, quantizer=ends),
    )
    pixels = {"zero_point": [128, 128, 128], "scale": 1 / 64, "size": [8, 8]}
    net = Network(layers, timesteps=4, preprocess=pixels)
    net.train()
    net(net.normalise(images(16)))  # batch statistics
    return net.eval()


def images(count, seed=3):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8))


def test_a_sample_does_not_depend_on_its_batch_under_a_static_alpha():
    for alpha, same in ((1.0, True), (None, False)):
        net = small_net(MembraneQuantizer(2, "tanh", alpha))
        x = net.normalise(images(12))
        alone = torch.cat([net(x[i : i + 1]) for i in range(len(x))])
        assert torch.allclose(net(x), alone, atol=1e-6) == same


def test_calibration_gives_the_largest_tanh():
    net = small_net(MembraneQuantizer(4, "tanh", None))
    alphas = calibrate_membranes(net, net.normalise(images(8)))
    assert list(alphas) == ["layers.2", "layers.5"] and all(0.5 < a <= 1 for a in alphas.values())
    assert [m.membrane.alpha for m in net.modules() if isinstance(m, QuantizedLIF)] == list(alphas.values())
    assert all(m.peak is None for m in net.modules() if isinstance(m, QuantizedLIF))


@pytest.mark.parametrize("form", ["linear", "tanh"])
@pytest.mark.parametrize(("bits", "share"), [(2, 0.99), (4, 0.98), (8, 0.97)])
def test_membranes_are_states_of_the_engine(form, bits, share):
    net = small_net(MembraneQuantizer(bits, form, 1.0 if form == "linear" else 0.9))
    m = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    x = images(6, 5).numpy()
    assert snncore.verify(m, None, x).equal
    names = ["lif1", "lif2"]
    ours = m.run(x, record=names).spikes
    theirs = net.spikes(net.normalise(torch.from_numpy(x))).values()
    for name, spikes in zip(names, theirs, strict=True):
        assert (ours[name].numpy() == (spikes.numpy() != 0)).mean() > share
    assert f'"state":"i{bits}"' in m._core.document().replace(" ", "")


def test_what_the_engine_does_not_have():
    with pytest.raises(snncore.Error, match="a dynamic alpha depends on the other samples"):
        snncore.from_torch(small_net(MembraneQuantizer(4, "tanh", None)), torch.zeros(1, 3, 8, 8))
    net = small_net(MembraneQuantizer(4))
    for conv in net.layers:
        conv.quantizer = None
    with pytest.raises(ValueError, match="the weights before it must be coded, received float32"):
        snncore.from_torch(net, torch.zeros(1, 3, 8, 8))


def test_wrong_arguments():
    for arguments, why in (
        ((3,), "bits of a membrane"),
        ((4, "cube"), "form must be"),
        ((4, "tanh", 1.5), "alpha must lie"),
        ((4, "linear", None), "belongs to form 'tanh'"),
    ):
        with pytest.raises(ValueError, match=why):
            MembraneQuantizer(*arguments)
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), QuantizedLIF(MembraneQuantizer(4, "tanh", None)))
    net = Network(layers, timesteps=2).train()
    for samples, why in (
        (torch.zeros(2, 4, 8, 8), r"expected samples of 3 channels, received shape \(2, 4, 8, 8\)"),
        (torch.zeros(0, 3, 8, 8), r"one sample or more, received shape \(0, 3, 8, 8\)"),
        (torch.zeros(3, 8), "input must be"),
        ([[0.0]], "expected a tensor of one sample or more, received list"),
    ):
        with pytest.raises(ValueError, match=why):
            calibrate_membranes(net, samples)
    assert layers[1].membrane.alpha is None and layers[1].peak is None and net.training
    with pytest.raises(ValueError, match="expects currents"):
        QuantizedLIF(MembraneQuantizer(4))(torch.zeros(3))
