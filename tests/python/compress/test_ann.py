from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import snncore  # noqa: E402


def network(seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.AvgPool2d(2),
        nn.Conv2d(6, 8, 3), nn.ReLU6(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(32, 20), nn.ReLU(),
        nn.Linear(20, 4),
    )  # fmt: skip
    net[1].running_mean.uniform_(-0.3, 0.3)
    net[1].running_var.uniform_(0.5, 2.0)
    return net


def samples(count=64, seed=1):
    return torch.rand(count, 2, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 0.5


def test_more_steps_agree_more():
    net, x = network(), samples(128)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert net.training
    targets = net.eval()(x).argmax(1)
    net.train()
    model, report = snncore.convert_ann(
        net, x[:1], x, timesteps=(4, 32, 256), targets=targets, percentile=100
    )
    assert net.training and net[2].inplace
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert [row.timesteps for row in report.steps] == [4, 32, 256]
    agreements = [row.agreement for row in report.steps]
    assert agreements == [row.accuracy for row in report.steps] and report.accuracy == 1.0
    assert agreements[-1] >= 0.98 and agreements[-1] >= agreements[0]
    assert model.timesteps == report.timesteps
    # outputs are those of the network, in its own units, up to the rounding of rates
    with torch.no_grad():
        theirs = net.eval()(x).numpy()
    ours = model.run(x.numpy(), timesteps=1024)
    assert np.abs(ours - theirs).max() < 0.02 * np.ptp(theirs)
    assert list(report.thresholds) == ["neuron1", "neuron2", "neuron3"]
    assert json.loads(report.to_json())["steps"][0]["timesteps"] == 4
    assert f"the model takes T = {report.timesteps}" in str(report) and "ReLU" in str(report)


def test_a_rate_is_a_rectified_sum_rounded_to_the_nearest():
    """One neuron for each input, threshold 1: T * rate = clamp(round half up(T * x), 0, T)."""
    eye = nn.Sequential(nn.Linear(33, 33, bias=False), nn.ReLU(), nn.Linear(33, 33, bias=False))
    with torch.no_grad():
        eye[0].weight.copy_(torch.eye(33))
        eye[2].weight.copy_(torch.eye(33))
    x = torch.arange(-8, 25).float()[None] / 16
    ones = torch.ones(4, 33)  # activations of 1: thresholds of 1
    model, report = snncore.convert_ann(eye, x, ones, timesteps=8)
    assert report.thresholds == {"neuron1": 1.0}
    rates = model.run(x.numpy())[0] * 8
    np.testing.assert_array_equal(rates, np.clip(np.floor(8 * x[0].numpy() + 0.5), 0, 8))


def test_it_becomes_integers():
    net, x = network().eval(), samples(128)
    model, _ = snncore.convert_ann(net, x[:1], x, timesteps=32)
    pixels = {"zero_point": 64, "scale": 1 / 128}
    small, report = snncore.quantize(model, calibration=x.numpy(), preprocess=pixels, strict=True)
    assert report.label_agreement >= 0.95
    assert {row.neuron for row in report.layers} == {"neuron1", "neuron2", "neuron3", None}
    pytest.importorskip("safetensors")
    assert snncore.verify(small, None, x[:4].numpy()).equal  # the amounts subtracted, too


def test_notes():
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))
    with torch.no_grad():
        net[0].weight.fill_(-1.0)
        net[0].bias.fill_(-9.0)
    _, report = snncore.convert_ann(net, samples(1), samples().abs(), timesteps=2, agreement=1.0)
    assert report.thresholds == {"neuron1": 1.0}
    assert any("not active on calibration data" in note for note in report.notes)
    assert any("an OR of spikes" in note for note in report.notes)
    hard, report = snncore.convert_ann(network(), samples(1), samples(), timesteps=1, agreement=1.0)
    assert hard.timesteps == 1 and "was not reached" in str(report)


def test_a_maximum_before_the_activation_is_exact():
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3))
    model, report = snncore.convert_ann(net, samples(1), samples(), timesteps=8, agreement=0.0)
    assert [layer.op for layer in model.layers][:3] == ["conv2d", "maxpool2d", "neuron"]
    assert not any("an OR of spikes" in note for note in report.notes)


class Shortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.first, self.second = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        x = self.first(self.a(x))
        return self.c(self.second(self.b(x) + x))


SHARED = nn.ReLU()
TWICE = nn.Sequential(nn.Linear(4, 4), SHARED, nn.Linear(4, 4), SHARED)
PLAIN = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3))


@pytest.mark.parametrize(
    ("module", "x", "options", "message"),
    [
        (TWICE, torch.ones(2, 4), {}, "'1' is called 2 times"),
        (nn.Linear(4, 3), torch.ones(2, 4), {}, r"expected a network with nn\.ReLU modules"),
        (Shortcut(), torch.ones(2, 4), {}, "'add' adds activations of two layers"),
        (PLAIN, torch.ones(0, 4), {}, r"calibration: expected samples of shape \[N, 4\], received \[0, 4\]"),
        (PLAIN, torch.ones(2, 5), {}, r"calibration: expected samples of shape \[N, 4\], received \[2, 5\]"),
        (PLAIN, torch.full((2, 4), float("nan")), {}, "calibration: expected finite values"),
        (PLAIN, torch.ones(2, 4), {"timesteps": 0}, "timesteps: expected numbers of 1 to 4096, received 0"),
        (PLAIN, torch.ones(2, 4), {"timesteps": ()}, "timesteps: expected numbers"),
        (PLAIN, torch.ones(2, 4), {"percentile": 101}, "percentile: expected above 0 to 100"),
        (PLAIN, torch.ones(2, 4), {"agreement": 99}, "agreement: expected a share of 0 to 1"),
        (PLAIN, torch.ones(2, 4), {"targets": [1]}, r"targets: expected 2 labels, received \[1\]"),
        ("net.pt", torch.ones(2, 4), {}, "expected a torch module, received str"),
    ],
)  # fmt: skip
def test_bad_calls(module, x, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        snncore.convert_ann(module, torch.ones(1, 4), x, **options)
    assert "\n" not in str(caught.value)


def test_what_does_not_spike_is_said():
    with pytest.raises(snncore.Error, match=r"convert_ann: these have no counterpart: 1 \(Tanh\): unknown"):
        snncore.convert_ann(
            nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.ReLU()), torch.ones(1, 4), torch.ones(2, 4)
        )
    with pytest.raises(snncore.Error, match=r"2, 9 \(ReLU\): an activation that .*snncore\.convert_ann"):
        snncore.from_torch(network(), samples(1), timesteps=2)


def test_rates_at_the_end_are_said():
    torch.manual_seed(0)
    x = torch.rand(64, 20) * 3
    rectified = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 10), nn.ReLU())
    _, report = snncore.convert_ann(rectified, x[:1], x, timesteps=(8,))
    worth = list(report.thresholds.values())[-1]
    assert f"outputs are rates of spikes: times {worth:g} they are" in " ".join(report.notes)
    _, report = snncore.convert_ann(rectified[:-1], x[:1], x, timesteps=(8,))
    assert not any("rates of spikes" in note for note in report.notes)
