"""The parity report of float networks with random weights: rates, membranes, the bound of a difference."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("spikingjelly")
from spikingjelly.activation_based import functional, layer, neuron

import snncore
from snncore.parity.bound import margin_of, trace_of_module
from snncore.parity.report import Difference
from snncore.parity.sides import Subject, engine, module_side

STEPS, SAMPLES = 5, 3
#: So high that no neuron fires: then the membrane kept is the one that is compared.
NEVER = 1e6


def randomised(net, seed):
    """Weights as torch draws them; batch norms that have seen data."""
    rng = torch.Generator().manual_seed(seed)

    def uniform(like, low, high):
        return low + (high - low) * torch.rand(like.shape, generator=rng)

    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.running_mean.copy_(uniform(part.running_mean, -0.5, 0.5))
                part.running_var.copy_(uniform(part.running_var, 0.1, 1.5))
                part.weight.copy_(uniform(part.weight, -1, 4))
                part.bias.copy_(uniform(part.bias, -0.3, 1.0))
    return net.eval()


def cnn(make, seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(
        layer.Conv2d(3, 8, 3, padding=1, bias=False), layer.BatchNorm2d(8), make(), layer.MaxPool2d(2),
        layer.Conv2d(8, 12, 3, padding=1), layer.BatchNorm2d(12), make(), layer.AvgPool2d(2),
        layer.Flatten(), layer.Linear(12 * 9, 10), make(),
    )  # fmt: skip
    functional.set_step_mode(net, "m")
    return randomised(net, seed)


def images(seed=0):
    return torch.randn(STEPS, SAMPLES, 3, 12, 12, generator=torch.Generator().manual_seed(seed))


MAKERS = {
    "if": lambda th: neuron.IFNode(v_threshold=th),
    "lif": lambda th: neuron.LIFNode(v_threshold=th),
    "subtract": lambda th: neuron.LIFNode(v_threshold=th, v_reset=None, decay_input=False),
    "value": lambda th: neuron.LIFNode(v_threshold=th, v_reset=-0.25),
    "plif": lambda th: neuron.ParametricLIFNode(init_tau=3.0, v_threshold=th),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_report_of_a_cnn(kind):
    net, x = cnn(lambda: MAKERS[kind](1.0)), images()
    model = snncore.from_spikingjelly(net, x)
    report = snncore.verify(model, net, x.numpy())
    assert report.label_agreement >= 0.995 and [p.name for p in report.parity] == list(report.layers)
    ours = model.run(x.numpy(), record=list(report.layers)).spikes
    for part in report.parity:
        assert part.rate_ours == pytest.approx(float(ours[part.name].numpy().mean()))
        assert part.rate_theirs == pytest.approx(part.rate_ours, abs=2e-3)
        assert part.note == "" and part.membrane is not None
        assert part.membrane_while_equal < 1e-4
    assert report.parity[0].rate_ours > 0.05 and report.max_membrane_difference.value > 0
    if report.first_difference is not None:
        assert report.margin.within, str(report)


def between(net, x, position):
    """Make one layer's threshold the larger of two membranes that differ between the sides by rounding."""
    model = snncore.from_spikingjelly(net, x)
    report = snncore.verify(model, net, x.numpy())
    name = report.layers[position]
    ours = model.run(x.numpy(), record=[f"{name}.v"]).states[f"{name}.v"][0]
    subject = Subject(model)
    theirs = module_side(subject, net, x.numpy(), True).membranes[name][0]
    apart = np.where(np.maximum(ours, theirs) > 0.5, np.abs(ours - theirs), 0)
    place = np.unravel_index(int(apart.argmax()), apart.shape)
    assert apart[place] > 0
    return float(max(ours[place], theirs[place])), bool(ours[place] > theirs[place]), place, ours.shape[1:]


@pytest.mark.parametrize("position", [0, 1])
def test_a_difference_that_rounding_makes_is_within_the_bound(position):
    x = images()
    net = cnn(lambda: neuron.IFNode(v_threshold=NEVER))
    neurons = [part for part in net if isinstance(part, neuron.IFNode)]
    for part in neurons[:position]:
        part.v_threshold = 1.0
    threshold, ours_fires, place, shape = between(net, x, position)
    neurons[position].v_threshold = threshold
    sample, *where = place
    one = x[:, sample : sample + 1]
    report = snncore.verify(snncore.from_spikingjelly(net, x), net, one.numpy())
    first, margin = report.first_difference, report.margin
    assert first is not None and first.step == 0 and first.layer == report.layers[position]
    ours, theirs = (side[0].reshape(shape) for side in report.rasters[first.layer])
    assert ours[tuple(where)] == ours_fires != theirs[tuple(where)]
    assert margin.threshold == pytest.approx(threshold) and margin.within
    assert 0 < margin.distance <= margin.bound < 1e-4
    facts = json.loads(report.to_json())
    assert facts["margin"]["within"] is True and facts["margin"]["bound"] == margin.bound
    assert "within bound: yes, |h - theta| = " in str(report)
    pair = report.picture()
    assert pair.sample == 0 and pair.first == (first.layer, 0)
    assert (pair.arrays[f"{first.layer}.ours"] != pair.arrays[f"{first.layer}.theirs"]).any()


def test_a_difference_that_is_none_of_rounding_is_not_within():
    net, x = cnn(lambda: neuron.LIFNode()), images()
    model = snncore.from_spikingjelly(net, x)
    with torch.no_grad():
        net[4].weight += 1e-2
    report = snncore.verify(model, net, x.numpy())
    assert report.first_difference is not None and not report.margin.within
    assert report.margin.distance > 10 * report.margin.bound
    assert "within bound: NO" in str(report) and json.loads(report.to_json())["margin"]["within"] is False


@pytest.mark.parametrize("kind", MAKERS)
def test_the_bound_holds_for_any_neuron(kind):
    """Both sides' float32 membranes lie within the bound of the one computed in float64."""
    net, x = cnn(lambda: MAKERS[kind](1.0), seed=1), images(1)
    model = snncore.from_spikingjelly(net, x)
    subject = Subject(model)
    theirs = module_side(subject, net, x.numpy(), True)
    ours = engine(subject, x.numpy(), None, None, theirs.spikes, theirs.membranes)
    layers = trace_of_module(net, x, True, STEPS)
    rng = np.random.default_rng(0)
    checked, largest = 0, 0.0
    for name, fired in theirs.spikes.items():
        same = {n: s[:, 0] for n, s in theirs.spikes.items()}
        assert all((s == ours.spikes[n]).all() for n, s in theirs.spikes.items())
        silent = np.argwhere(~fired[:, 0].astype(bool))  # where none fired, the membrane kept is h
        for t, *where in rng.permutation(silent)[:8].tolist():
            margin = margin_of(layers, x[:, :1], same, Difference(t, name, [0, *where], 0, 0))
            assert 0 < margin.bound < 1e-3
            for side in (ours, theirs):
                error = abs(float(side.membranes[name][(t, 0, *where)]) - margin.h)
                assert error <= margin.bound
                largest = max(largest, error / margin.bound)
                checked += 1
    assert checked > 30 and largest > 0.005  # the bound says something


def random_row(make):
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(6, 20), make(), nn.Linear(20, 4), make())


def check_exposed(model, net, x):
    report = snncore.verify(model, net, x.numpy())
    assert report.equal, str(report)
    assert [p.note for p in report.parity] == ["", ""]
    assert 0 < report.max_membrane_difference.value < 1e-5 or report.max_membrane_difference.value == 0
    states = model.run(x.numpy(), record=[f"{p.name}.v" for p in report.parity]).states
    assert all(v.any() for v in states.values())
    assert all(p.rate_ours == p.rate_theirs for p in report.parity)
    assert report.parity[0].rate_ours > 0


def vectors():
    return torch.rand(7, 5, 6, generator=torch.Generator().manual_seed(2)) * 3


def test_snntorch_exposes_its_membranes():
    snntorch = pytest.importorskip("snntorch")
    net = random_row(lambda: snntorch.Leaky(beta=0.8, init_hidden=True))
    check_exposed(snncore.from_snntorch(net, vectors()), net, vectors())


@pytest.mark.parametrize("squeezed", [False, True])
def test_sinabs_exposes_its_membranes(squeezed):
    layers = pytest.importorskip("sinabs.layers")
    activation = pytest.importorskip("sinabs.activation")
    options = {"tau_mem": 5.0, "spike_fn": activation.SingleSpike}
    make = (
        (lambda: layers.LIFSqueeze(batch_size=5, **options)) if squeezed else (lambda: layers.LIF(**options))
    )
    net = random_row(make)
    with torch.no_grad():
        net[0].weight.mul_(5)
    before = [part.record_states for part in net.modules() if isinstance(part, layers.StatefulLayer)]
    check_exposed(snncore.from_sinabs(net, vectors()), net, vectors())
    assert before == [part.record_states for part in net.modules() if isinstance(part, layers.StatefulLayer)]


def test_norse_exposes_its_membranes():
    norse = pytest.importorskip("norse.torch")
    torch.manual_seed(0)
    net = norse.SequentialState(nn.Linear(6, 20), norse.LIFCell(), nn.Linear(20, 4), norse.LIFBoxCell())
    with torch.no_grad():
        net[0].weight.mul_(20)
        net[2].weight.mul_(20)
    check_exposed(snncore.from_norse(net, vectors()), net, vectors())


def test_watching_leaves_no_trace():
    net, x = cnn(lambda: neuron.LIFNode()), images()
    model = snncore.from_spikingjelly(net, x)
    snncore.verify(model, net, x.numpy())
    for part in net:
        if isinstance(part, neuron.LIFNode):
            assert part.store_v_seq is False and getattr(part, "v_seq", None) is None
            assert not isinstance(part.v, torch.Tensor)
