"""Recurrent neurons of every framework, against the framework's own run, in sequence and in stream mode."""

from __future__ import annotations

import operator

import numpy as np
import pytest
import torch
from frameworks.networks import check, dyadic, images
from torch import nn

import snncore
from snncore.convert.dialects import dialect
from snncore.convert.frameworks import run_framework

STEPS = 9


def compare(framework, net, x, loops=1):
    """Sequence mode and `verify`; then the last neurons step by step, with state that is saved on the way."""
    convert = getattr(snncore, f"from_{framework}")
    model = convert(net, x)
    assert sum(layer.op == "delay" for layer in model.layers) == loops
    report = check(model, net, x)
    steps = convert(net, x, readout=None)
    _, spikes = run_framework(dialect(framework), net, x.float(), True, len(x))[:2]
    expected = list(spikes.values())[-1].numpy()
    session = steps.stream(batch=x.shape[1])
    for t, now in enumerate(x.numpy()):
        if t == len(x) // 2:
            blob, session = session.save_state(), steps.stream(batch=x.shape[1])
            session.load_state(blob)
        np.testing.assert_array_equal(session.step(now)[0], expected[t])
    return report


def says(framework, net, x, match):
    with pytest.raises(snncore.Error, match=match) as caught:
        getattr(snncore, f"from_{framework}")(net, x)
    assert "\n" not in str(caught.value)


# ---- snnTorch ----


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("delay", [True, False])
def test_rleaky(reset, delay):
    snntorch = pytest.importorskip("snntorch")
    lif = snntorch.RLeaky(
        0.5, linear_features=12, init_hidden=True, reset_mechanism=reset, reset_delay=delay, threshold=2.0
    )
    net = dyadic(
        nn.Sequential(nn.Linear(20, 12), lif, nn.Linear(12, 5), snntorch.Leaky(0.5, init_hidden=True))
    )
    compare("snntorch", net, images(STEPS, 3, (20,)))


@pytest.mark.parametrize("factor", [1.0, -0.5, "each"])
def test_one_to_one(factor):
    snntorch = pytest.importorskip("snntorch")
    factor = torch.arange(-6, 6) / 8 if factor == "each" else factor
    lif = snntorch.RLeaky(0.5, V=factor, all_to_all=False, init_hidden=True)
    net = dyadic(nn.Sequential(nn.Linear(20, 12), lif))
    compare("snntorch", net, images(STEPS, 3, (20,)))


@pytest.mark.parametrize("factor", [None, 0.25, "each"])
def test_images_come_back(factor):
    snntorch = pytest.importorskip("snntorch")
    if factor is None:
        lif = snntorch.RLeaky(0.5, conv2d_channels=6, kernel_size=3, init_hidden=True, threshold=2.0)
    else:
        factor = torch.arange(-3, 3).view(6, 1, 1) / 4 if factor == "each" else factor
        lif = snntorch.RLeaky(0.5, V=factor, all_to_all=False, init_hidden=True)
    net = dyadic(nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), lif, nn.Flatten(), nn.Linear(6 * 25, 4),
                               snntorch.Leaky(0.5, init_hidden=True)))  # fmt: skip
    compare("snntorch", net, images(STEPS, 2, (1, 5, 5)))


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_rsynaptic(reset):
    snntorch = pytest.importorskip("snntorch")
    lif = snntorch.RSynaptic(0.5, 0.5, linear_features=12, init_hidden=True, reset_mechanism=reset)
    compare("snntorch", dyadic(nn.Sequential(nn.Linear(20, 12), lif)), images(STEPS, 3, (20,)))


def test_a_forward_that_loops():
    snntorch = pytest.importorskip("snntorch")

    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.lif = nn.Linear(20, 12), snntorch.RLeaky(0.5, linear_features=12)

        def forward(self, x):
            spk, mem = self.lif.init_rleaky()
            spikes = []
            for step in range(STEPS):
                spk, mem = self.lif(self.fc(x[step]), spk, mem)
                spikes.append(spk)
            return torch.stack(spikes)

    net, x = dyadic(Loop()), images(STEPS, 3, (20,))
    check(snncore.from_snntorch(net, x), net, x)


# ---- SpikingJelly ----


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_recurrent_container(mode, bias):
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import layer, neuron

    inside = nn.Sequential(nn.Linear(10, 14), nn.BatchNorm1d(14), nn.Dropout(0.5), neuron.LIFNode(tau=2.0))
    net = nn.Sequential(
        layer.Linear(20, 10, step_mode=mode),
        layer.LinearRecurrentContainer(inside, 10, 14, bias, step_mode=mode),
        layer.Linear(14, 5, step_mode=mode),
        neuron.IFNode(step_mode=mode),
    )
    report = compare("spikingjelly", dyadic(net), images(STEPS, 3, (20,)))
    assert len(report.layers) == 2


@pytest.mark.parametrize(
    "function", [operator.add, torch.add, lambda y, x: y + x, lambda y, x: torch.add(x, y)]
)
def test_element_wise_recurrent_container(function):
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import layer, neuron

    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        layer.ElementWiseRecurrentContainer(neuron.IFNode(v_reset=None), function),
        layer.ElementWiseRecurrentContainer(
            nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), neuron.LIFNode()), function
        ),
    )
    compare("spikingjelly", dyadic(net), images(STEPS, 2, (1, 5, 5)), loops=2)


def test_containers_that_are_not_known():
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import layer, neuron

    def add(y, x):
        return y + x

    softmax, narrow = (
        nn.Sequential(nn.Softmax(-1), neuron.IFNode()),
        nn.Sequential(nn.Linear(6, 3), neuron.IFNode()),
    )
    wrong = {
        "element_wise_function must be an addition": layer.ElementWiseRecurrentContainer(
            neuron.IFNode(), lambda y, x: x - y
        ),
        "sub_module must be a neuron with": layer.LinearRecurrentContainer(nn.Linear(6, 6), 6, 6),
        "unknown to snncore": layer.LinearRecurrentContainer(softmax, 6, 6),
        r"\[3\] comes back to a sum of \[6\]": layer.ElementWiseRecurrentContainer(narrow, add),
    }
    for match, container in wrong.items():
        with pytest.raises((snncore.Error, ValueError), match=match) as caught:
            snncore.from_spikingjelly(nn.Sequential(nn.Linear(6, 6), container), torch.zeros(3, 2, 6))
        assert "\n" not in str(caught.value)


# ---- sinabs ----


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("single", [True, False])
def test_lif_recurrent(bias, single):
    """A bias comes back from the second step on; counts come back through a layer."""
    pytest.importorskip("sinabs")
    import sinabs.activation as activation
    from sinabs import layers

    tau = torch.tensor(1 / np.log(2), dtype=torch.float64)
    lif = layers.LIFRecurrent(
        tau_mem=tau, rec_connect=nn.Linear(12, 12, bias), norm_input=False,
        spike_fn=activation.SingleSpike if single else activation.MultiSpike,
    )  # fmt: skip
    assert lif.alpha_mem_calculated.item() == 0.5
    net = dyadic(nn.Sequential(nn.Linear(20, 12), lif), gain=0.5)
    sinabs_equal(net, images(STEPS, 3, (20,)))


def sinabs_equal(net, x):
    model = snncore.from_sinabs(net, x, readout=None)
    theirs = run_framework(dialect("sinabs"), net, x, True, len(x))[0].numpy()
    assert theirs.any() and len(np.unique(theirs)) > 1
    np.testing.assert_array_equal(model.run(x.numpy()), theirs)
    session = model.stream(batch=x.shape[1])
    for now, expected in zip(x.numpy(), theirs, strict=True):
        np.testing.assert_array_equal(session.step(now)[0], expected)


@pytest.mark.parametrize("kind", ["image", "vector", "chain", "same"])
def test_iaf_recurrent(kind):
    pytest.importorskip("sinabs")
    import sinabs.activation as activation
    from sinabs import layers

    back = {
        "image": nn.Conv2d(4, 4, 3, padding=1),
        "vector": nn.Linear(16, 16),
        "chain": nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Linear(8, 16)),
        "same": nn.Identity(),
    }[kind]
    iaf = layers.IAFRecurrent(rec_connect=back, spike_fn=activation.SingleSpike)
    if kind == "image":
        sinabs_equal(dyadic(nn.Sequential(iaf), gain=0.5), images(STEPS, 2, (4, 5, 5)))
    else:
        sinabs_equal(dyadic(nn.Sequential(nn.Linear(20, 16), iaf), gain=0.5), images(STEPS, 2, (20,)))


def test_what_sinabs_has_besides():
    pytest.importorskip("sinabs")
    from sinabs import layers

    x = torch.zeros(3, 2, 4)
    adaptive = layers.ALIFRecurrent(10.0, 10.0, rec_connect=nn.Identity())
    says("sinabs", nn.Sequential(adaptive), x, r"0 \(ALIFRecurrent\): unknown to snncore")
    counts = layers.IAFRecurrent(rec_connect=nn.Identity())
    says("sinabs", nn.Sequential(counts), x, r"0 \(IAFRecurrent\): counts of spikes come back")


def test_exp_leak():
    pytest.importorskip("sinabs")
    from sinabs import layers

    leak = layers.ExpLeak(tau_mem=1 / np.log(2), norm_input=False)
    net = dyadic(nn.Sequential(nn.Linear(20, 12), layers.IAF(), nn.Linear(12, 6), leak))
    sinabs_equal(net, images(STEPS, 3, (20,)))


# ---- Norse ----


def recurrent_weights(cell, seed=0):
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in (cell.input_weights, cell.recurrent_weights):
            weight.copy_(torch.randint(-64, 97, weight.shape, generator=rng) / 256)
    return cell


@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("autapses", [False, True])
def test_norse(time, autapses):
    norse = pytest.importorskip("norse.torch")
    p = norse.LIFParameters(
        tau_syn_inv=torch.tensor(512.0), tau_mem_inv=torch.tensor(256.0), v_th=torch.tensor(0.25)
    )
    kind = norse.LIFRecurrent if time else norse.LIFRecurrentCell
    plain = norse.LIF if time else norse.LIFCell
    net = norse.SequentialState(
        nn.Linear(20, 16),
        recurrent_weights(kind(16, 12, p=p, autapses=autapses, dt=2**-10)),
        nn.Linear(12, 5),
        plain(p=p, dt=2**-10),
    )
    net = dyadic(net)
    compare("norse", net, images(STEPS, 3, (20,)))


def test_norse_cells_and_time_do_not_mix():
    norse = pytest.importorskip("norse.torch")
    net = norse.SequentialState(norse.LIF(), norse.LIFCell())
    says("norse", net, torch.zeros(2, 1, 4), "stand in one network")
    net = norse.SequentialState(norse.LSNNRecurrentCell(4, 4))
    says("norse", net, torch.zeros(2, 1, 4), r"0 \(LSNNRecurrentCell\): unknown to snncore")
