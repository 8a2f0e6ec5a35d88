"""What a parity report says, against numbers computed by hand or in exact arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
nn = torch.nn

from snncore.parity.balls import Ball, U, batch_normed, gamma, weighted  # noqa: E402
from snncore.parity.bound import SingleNeuron  # noqa: E402
from snncore.reference import LIF, Linear, Network, WeightQuantizer  # noqa: E402
from snncore.reference.neuron import run as run_neuron  # noqa: E402


class Row(nn.Module):
    """[T, N, 3] through the identity, with other weights if asked for, into LIF neurons."""

    def __init__(self, scale=1.0, decay=0.5):
        super().__init__()
        self.fc, self.lif = nn.Linear(3, 3, bias=False), LIF(decay=decay)
        with torch.no_grad():
            self.fc.weight.copy_(torch.eye(3) * scale)

    def forward(self, x):
        return self.lif(self.fc(x))


X = np.zeros((3, 2, 3), np.float32)
X[0, 1] = [1.0, 0.75, 0.25]
X[1, 1] = [0.5, 0.75, 0.25]


def test_numbers_by_hand():
    """Halved weights: sample 1 fires at (0, 0) and at (1, 1) on our side only."""
    model = snncore.from_torch(Row(), torch.zeros(3, 2, 3))
    report = snncore.verify(model, Row(0.5), X)
    assert not report.equal and report.samples == 2
    (part,) = report.parity
    assert (part.name, part.neurons, part.spikes, part.different_spikes) == ("lif", 3, 18, 2)
    assert part.rate_ours == 2 / 18 and part.rate_theirs == 0.0
    first = report.first_difference
    assert (first.step, first.layer, first.index, first.ours, first.theirs) == (0, "lif", [1, 0], 1.0, 0.0)
    # Ours after reset: 0.5 of 0.375 + 0.75 is 1.125: fires. Theirs: 0.5 * 0.375 + 0.375 = 0.5625, kept.
    assert part.membrane.value == 0.5625 and (part.membrane.step, part.membrane.index) == (1, [1, 1])
    assert (part.membrane.ours, part.membrane.theirs) == (0.0, 0.5625)
    assert part.membrane_while_equal == 0.0
    assert report.max_membrane_difference == part.membrane
    assert report.margin.h == 0.5 and report.margin.distance == 0.5 and not report.margin.within
    assert report.raster_sample == 1
    np.testing.assert_array_equal(report.rasters["lif"][0], [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(report.rasters["lif"][1], np.zeros((3, 3)))
    assert report.rates().values == {"lif": 2 / 18}
    again = snncore.verify(model, Row(0.5), X, batch=1)
    assert again == report and again.to_json() == report.to_json()


def test_equal_sides():
    model = snncore.from_torch(Row(), torch.zeros(3, 2, 3))
    report = snncore.verify(model, Row(), X)
    assert report.equal and report.margin is None and report.margin_note == ""
    assert report.max_membrane_difference.value == 0.0 and report.parity[0].rate_theirs == 2 / 18
    assert report.raster_sample == 0 and "DIFFERENT" not in str(report)
    exact = snncore.verify(model, None, X)
    assert exact.equal and exact.against == "the float32 reference"


def test_json_is_json():
    model = snncore.from_torch(Row(), torch.zeros(3, 2, 3))
    x = X.copy()
    x[2, 0, 2] = np.inf
    facts = json.loads(snncore.verify(model, Row(0.5), x).to_json())
    assert facts["layers"][0]["membrane"]["theirs"] in (None, 0.5625)
    assert facts["margin"] == {
        "h": 0.5,
        "threshold": 1.0,
        "distance": 0.5,
        "bound": facts["margin"]["bound"],
        "within": False,
    }


def test_quantised_layers_have_no_float_bound():
    torch.manual_seed(0)
    quantizer = WeightQuantizer("symmetric", 8)
    layers = nn.Sequential(Linear(6, 40, quantizer=quantizer), LIF(), Linear(40, 4, quantizer=quantizer))
    with torch.no_grad():
        layers[0].weight.abs_().mul_(2)  # membranes stay above the lower end of 16 bits

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.lif, self.b = layers

        def forward(self, x):
            return self.b(self.lif(self.a(x))).mean(0)

    x = torch.rand(8, 30, 6, generator=torch.Generator().manual_seed(1)) < 0.4
    model = snncore.from_torch(Module(), x)
    report = snncore.verify(model, Module(), x.numpy())
    (part,) = report.parity
    assert part.rate_ours > 0.05 and part.rate_theirs == pytest.approx(part.rate_ours, abs=0.01)
    assert part.note == "" and 0 < part.membrane_while_equal < 0.01  # integers, in the unit of the threshold
    with torch.no_grad():
        layers[0].weight.mul_(1.3)
    report = snncore.verify(model, Module(), x.numpy())
    assert report.margin is None and "quantised" in report.margin_note
    assert "no bound: its weights are quantised" in str(report)


def test_pictures_of_a_report(tmp_path):
    model = snncore.from_torch(Row(), torch.zeros(3, 2, 3))
    report = snncore.verify(model, Row(0.5), X)
    report.picture(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as stored:
        np.testing.assert_array_equal(stored["lif.ours"], report.rasters["lif"][0])
    text = report.picture().text(80, ascii_only=True)
    assert "0 |+..|" in text and "1 |.+.|" in text and "2 |...|" in text
    with pytest.raises(ValueError, match=r"compared \('lif'\), received 'fc'"):
        report.picture(layer="fc")
    with pytest.raises(ValueError, match="batch of 1 or more, received 0"):
        snncore.verify(model, Row(), X, batch=0)
    with pytest.raises(ValueError, match="at least one sample"):
        snncore.verify(model, Row(), X[:, :0])


def test_a_network_without_neurons():
    b = snncore.GraphBuilder()
    b.output("y", b.linear("fc", b.input("x", "f32", [3], layout="TNC"), np.eye(3, dtype=np.float32)))
    report = snncore.verify(b.build(timesteps=3), None, X)
    assert report.equal and report.parity == () and report.max_membrane_difference is None
    with pytest.raises(ValueError, match="were compared"):
        report.picture()


def exact_sum(w, x, b):
    return sum(
        (Fraction(float(p)) * Fraction(float(q)) for p, q in zip(w, x, strict=True)), Fraction(float(b))
    )


def test_the_bound_of_a_sum_holds_in_every_order():
    rng = np.random.default_rng(0)
    for count in (1, 2, 17, 300):
        w, x = rng.standard_normal((2, count)).astype(np.float32)
        x[rng.random(count) < 0.5] = 0
        b = np.float32(rng.standard_normal())
        ball = weighted(
            Ball.exact(torch.from_numpy(x)[None]),
            torch.from_numpy(w)[None],
            torch.tensor([b]),
            lambda a, m: a @ m.T,
        )
        exact = exact_sum(w, x, b)
        assert abs(float(ball.mid) - float(exact)) <= 1e-14 * count
        terms = int(np.count_nonzero(x)) + 1
        size = float(np.abs(w.astype(np.float64) * x).sum() + abs(b))
        assert float(ball.rad) == pytest.approx(float(gamma(terms + 3)) * size)
        worst = 0.0
        for _ in range(20):
            order = rng.permutation(count)
            total = np.float32(0)
            for i in order:
                total = np.float32(total + np.float32(w[i] * x[i]))
            worst = max(worst, abs(float(np.float32(total + b)) - float(exact)))
        assert worst <= float(ball.rad)


def test_balls_hold_what_float32_makes():
    rng = np.random.default_rng(1)
    a, b, c = (torch.from_numpy(v.astype(np.float32)) for v in rng.standard_normal((3, 1000)))
    expressions = [
        lambda x, y, z: x * y + z,
        lambda x, y, z: (x - y) / z,
        lambda x, y, z: x + (y - x) / z,
        lambda x, y, z: (x * (y - z) + z) * x,
    ]
    for expression in expressions:
        ball = expression(*map(Ball.exact, (a, b, c)))
        rounded = expression(a, b, c).double()
        assert ((rounded - ball.mid).abs() <= ball.rad).all()
        assert ((rounded - ball.mid).abs() > 0).any()
    assert (
        float((Ball.exact(1.0) / (Ball(torch.tensor(0.5).double(), torch.tensor(1.0).double()))).rad)
        == np.inf
    )
    assert U >= 2.0**-24


def test_balls_hold_a_batch_norm():
    torch.manual_seed(0)
    bn = nn.BatchNorm2d(5).eval()
    for t, (low, high) in zip(
        (bn.running_mean, bn.running_var, bn.weight, bn.bias),
        ((-3, 3), (0.01, 2), (-2, 2), (-1, 1)),
        strict=True,
    ):
        nn.init.uniform_(t, low, high)
    x = torch.randn(4, 5, 6, 6)
    with torch.no_grad():
        ball, rounded = batch_normed(Ball.exact(x), bn), bn(x).double()
    assert ((rounded - ball.mid).abs() <= ball.rad).all() and ((rounded - ball.mid).abs() > 0).any()


NEURONS = [
    {},
    {"charge": "relax_divide", "rate": 3.0, "reset": "value", "reset_value": -0.3, "leak": 0.1},
    {"charge": "relax_multiply", "rate": 0.3, "reset": "subtract", "input_gain": 0.7},
    {"charge": "euler_leak_first", "rate": 0.2, "synapse": "jump", "synapse_rate": 0.4, "input_gain": 3.0},
    {"charge": "decay", "rate": 0.9, "synapse": "add_decay", "synapse_rate": 0.8, "bias": 0.05},
    {"charge": "rest", "rate": 0.8, "leak": -0.2, "floor": "clamp", "floor_value": -0.5},
    {"charge": "leak_divide", "rate": 4.0, "floor": "shift", "floor_value": -0.4, "fire": "above"},
    {"rate": 0.9, "reset": "subtract", "reset_step": "next_state"},
    {"rate": 0.9, "reset": "zero", "reset_step": "next_charge"},
    {"rate": 0.9, "reset": "zero", "voltage": "old"},
    {"rate": 0.9, "refractory": "input", "refractory_steps": 2},
    {"rate": 0.9, "refractory": "hold", "refractory_steps": 3, "initial": 0.4},
    {"rate": [0.5, 0.6, 0.7], "threshold": [0.8, 0.9, 1.0]},
]


@pytest.mark.parametrize("options", NEURONS)
def test_the_membrane_of_a_neuron_is_that_of_the_reference(options):
    neuron = snncore.Neuron(**{"rate": 0.5, **options})
    x = torch.randn(12, 1, 3, generator=torch.Generator().manual_seed(5)) * 2.0 + 0.8
    trace = run_neuron(neuron, x)
    fired = trace.out[:, 0].numpy() != 0
    assert fired.any() and not fired.all()
    before = torch.cat([torch.full_like(trace.v[:1], float(np.ravel(neuron.initial)[0])), trace.v[:-1]])
    compared = before if neuron.voltage == "old" else trace.h
    for i in range(3):
        for t in range(12):
            ball = SingleNeuron(neuron, (i,)).compared(Ball.exact(x[: t + 1, 0, i]), fired[: t + 1, i])
            assert abs(float(compared[t, 0, i]) - float(ball.mid)) <= float(ball.rad) < 1e-4


def test_network_of_the_reference_with_batch_norm():
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        LIF(threshold=0.2),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 6, 2),
        LIF(threshold=0.1),
        nn.Flatten(),
        nn.Linear(24, 5),
    )
    nn.init.uniform_(layers[1].running_var, 0.2, 2)
    net = Network(layers, timesteps=4)
    x = torch.randn(9, 3, 8, 8)
    model = snncore.from_torch(net, x)
    report = snncore.verify(model, net, x.numpy())
    assert report.label_agreement == 1.0 and all(p.note == "" for p in report.parity)
    with torch.no_grad():
        layers[4].weight.mul_(1.01)
    report = snncore.verify(model, net, x.numpy())
    assert report.first_difference.layer == "lif2" and not report.margin.within
