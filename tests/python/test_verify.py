from __future__ import annotations

import json

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
nn = torch.nn

from snncore.reference import LIF, Conv2d, Linear, Network, WeightQuantizer  # noqa: E402
from snncore.reference.twin import normalise, torch_twin  # noqa: E402


def exact_network(seed=0):
    """All scales are powers of two, so float32 has nothing to round and must agree spike for spike."""
    rng = torch.Generator().manual_seed(seed)

    def codes(*shape):
        m = torch.randint(-7, 8, shape, generator=rng).float()
        m.view(shape[0], -1)[:, 0] = 7
        return m / 16

    quantizer = WeightQuantizer("symmetric", 4)
    layers = nn.Sequential(
        Conv2d(3, 6, 3, padding=1, bias=False, quantizer=quantizer),
        LIF(),
        nn.MaxPool2d(2),
        Conv2d(6, 8, 3, padding=1, bias=False, quantizer=quantizer),
        LIF(),
        nn.Flatten(),
        Linear(8 * 16, 5, bias=False, quantizer=quantizer),
    )
    with torch.no_grad():
        for layer in (layers[0], layers[3], layers[6]):
            layer.weight.copy_(codes(*layer.weight.shape))
    return Network(
        layers, timesteps=3, preprocess={"zero_point": [128] * 3, "scale": 1 / 16, "size": [8, 8]}
    ).eval()


@pytest.fixture
def net():
    return exact_network()


@pytest.fixture
def model(net):
    return snncore.from_torch(net, torch.zeros(1, 3, 8, 8))


def images(count=7, seed=0):
    return np.random.default_rng(seed).integers(120, 137, (count, 3, 8, 8), dtype=np.uint8)


def test_equal_to_the_module_and_to_the_integer_reference(model, net):
    for module in (net, net.layers, None):
        report = snncore.verify(model, module, images(), batch=3)
        assert report.equal, str(report)
        assert report.samples == 7 and report.label_agreement == 1.0 and report.first_difference is None
        assert report.spikes == 3 * 7 * (6 * 64 + 8 * 16) and report.different_spikes == 0
    assert snncore.verify(model, net, images()).max_abs_difference < 1e-4
    assert snncore.verify(model, None, images()).max_abs_difference == 0


def test_some_neurons_fire_and_some_do_not(model):
    spikes = model.run(images(), record=["lif1", "lif2"]).spikes
    for bits in spikes.values():
        assert 0.02 < bits.numpy().mean() < 0.98


def test_sequences(model, net):
    x = images(6).reshape(3, 2, 3, 8, 8)
    assert snncore.verify(model, net, x, layout="TNCHW").equal
    assert snncore.verify(model, None, x, layout="TNCHW").equal
    nhwc = np.ascontiguousarray(images().transpose(0, 2, 3, 1))
    assert snncore.verify(model, net, nhwc, layout="NHWC").equal


def test_the_first_difference_is_found(model, net):
    changed = exact_network()
    with torch.no_grad():
        changed.layers[3].weight[4] += 1 / 16 * (changed.layers[3].weight[4] < 0.4)
    report = snncore.verify(model, changed, images(), batch=4)
    assert not report.equal
    d = report.first_difference
    assert d is not None and d.layer == "lif2" and d.index[1] == 4
    assert {d.ours, d.theirs} == {0.0, 1.0}
    ours = model.run(images(), record=["lif2"]).spikes["lif2"].numpy()
    theirs = changed.spikes(changed.normalise(torch.from_numpy(images())))["4"].numpy() != 0
    first = np.argwhere(ours != theirs)[0]
    assert [d.step, *d.index] == first.tolist()
    assert "DIFFERENT" in str(report) and "lif2" in str(report)


def test_json_keys_stay(model, net):
    facts = json.loads(snncore.verify(model, net, images()).to_json())
    stable = ["equal", "samples", "label_agreement", "first_difference", "max_abs_difference"]
    assert list(facts)[:5] == stable
    other = exact_network(1)
    found = json.loads(snncore.verify(model, other, images()).to_json())["first_difference"]
    assert list(found) == ["step", "layer", "index", "ours", "theirs"]


def test_a_module_of_another_shape_is_refused(model):
    other = Network(nn.Sequential(nn.Conv2d(3, 2, 1), LIF(), nn.Flatten(), nn.Linear(128, 5)), timesteps=3)
    with pytest.raises(ValueError, match="neuron layers"):
        snncore.verify(model, other, images())
    other = exact_network()
    other.layers[0] = Conv2d(3, 7, 3, padding=1)
    other.layers[3] = Conv2d(7, 8, 3, padding=1)
    with pytest.raises(ValueError, match="'lif1' is"):
        snncore.verify(model, other, images())


@pytest.mark.parametrize("static", [True, False])
def test_the_pytorch_twin_of_a_file(model, net, static):
    twin = torch_twin(model.to_bytes(), static=static)
    x = normalise(model.to_bytes(), torch.from_numpy(images()))
    given = x if static else x.repeat(3, 1, 1, 1)
    y = twin(given)
    np.testing.assert_allclose(y.numpy(), net(x).detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(y.numpy(), model.run(images()), atol=1e-4)


def test_outputs_are_those_of_a_run_that_records_nothing(model, net):
    class Wrong(snncore.Model):
        def run(self, x, *, record=None, **options):
            result = super().run(x, record=record, **options)
            return result if record is not None else result + 1

    for module in (net, None):
        report = snncore.verify(Wrong(model._core), module, images())
        assert not report.equal and report.different_spikes == 0
        assert report.max_abs_difference == pytest.approx(1)
