"""What frameworks export, against the frameworks themselves: all sums exact, every spike equal."""

from __future__ import annotations

import numpy as np
import pytest

nir = pytest.importorskip("nir")
torch = pytest.importorskip("torch")
pytest.importorskip("h5py")
pytest.importorskip("nirtorch")

from convert.nir_networks import DT, graph, lif, spikes, values, weights
from torch import nn

import snncore

RNG = np.random.default_rng(17)
STEPS = 12

pytestmark = pytest.mark.filterwarnings("ignore")  # of the frameworks


def dyadic(module):
    """Weights become multiples of 1/8."""
    for parameter in module.parameters():
        if parameter.dim() > 0:
            parameter.data = torch.from_numpy(weights(RNG, *parameter.shape))
    return module


def of_snntorch(kind, **options):
    """A network, its NIR graph, inputs."""
    snntorch = pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    each = {name: torch.full((6,), 0.5) for name in ("beta", "alpha")[: 2 if "Synaptic" in kind else 1]}
    options = dict(reset_mechanism="zero", init_hidden=True, threshold=torch.ones(6)) | options
    net = nn.Sequential(nn.Linear(4, 6), getattr(snntorch, kind)(**each, **options), nn.Linear(6, 3))
    kept = [p for name, p in net.named_parameters() if "weight" in name or "bias" in name]
    for parameter in kept:
        parameter.data = torch.from_numpy(weights(RNG, *parameter.shape))
    x = values(RNG, STEPS, 5, 4)
    return net, export_to_nir(net, torch.from_numpy(x[0, 0])), x


def test_snntorch():
    net, g, x = of_snntorch("Leaky")
    net[1].reset_mem()
    with torch.no_grad():
        theirs = np.stack([net(torch.from_numpy(now)).numpy() for now in x])
    model = snncore.from_nir(g, dt=1e-4, reset="zero")
    assert " 1" in model.metadata["provenance"]["input_gain"]
    assert theirs.any()
    np.testing.assert_array_equal(model.run(x), theirs)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("kind", ["Leaky", "Synaptic", "RLeaky", "RSynaptic"])
def test_snntorch_itself(kind, reset):
    """With its dialect, which resets when it does."""
    recurrent = dict(all_to_all=True, linear_features=6) if kind.startswith("R") else {}
    net, g, x = of_snntorch(kind, reset_mechanism=reset, **recurrent)
    with torch.no_grad():
        theirs = np.stack([net(torch.from_numpy(now)).numpy() for now in x])
    if (kind, reset) == ("RSynaptic", "zero"):
        with pytest.raises(snncore.Error, match="RSynaptic"):
            snncore.from_nir(g, reset=reset, dialect="snntorch")
        return
    assert (theirs != theirs[0]).any()
    np.testing.assert_array_equal(snncore.from_nir(g, reset=reset, dialect="snntorch").run(x), theirs)


def test_a_dialect_that_cannot_be():
    g = graph({"lif": lif((4,), v_reset=-1.0)}, "input lif output", (4,), (4,))
    with pytest.raises(snncore.Error, match="LIF 'lif': snnTorch has no reset to a value"):
        snncore.from_nir(g, dt=DT, reset="value", dialect="snntorch")
    with pytest.raises(
        ValueError, match="dialect must be one of nir, snntorch, spikingjelly, received 'lava'"
    ):
        snncore.from_nir(g, dt=DT, reset="value", dialect="lava")


@pytest.mark.parametrize("kind", ["Synaptic", "RLeaky", "RSynaptic"])
def test_snntorch_as_its_file_says(kind):
    """Its own resets clear currents, or the next input too: the equations of the file are the measure."""
    recurrent = kind.startswith("R")
    net, g, x = of_snntorch(kind, **(dict(all_to_all=True, linear_features=6) if recurrent else {}))
    i = v = s = torch.zeros(5, 6)
    theirs = []
    with torch.no_grad():
        for now in x:
            y = net[0](torch.from_numpy(now)) + (net[1].recurrent(s) if recurrent else 0)
            i = 0.5 * i + y if "Synaptic" in kind else y
            v = 0.5 * v + i
            s = (v > 1).float()
            v = v * (1 - s)
            theirs.append(net[2](s).numpy())
    model = snncore.from_nir(g, dt=1e-4, reset="zero")
    gains = model.metadata["provenance"]["input_gain"]
    assert gains.endswith(" 1 (synapse 1)" if "Synaptic" in kind else " 1")
    np.testing.assert_array_equal(model.run(x), np.stack(theirs))


@pytest.mark.parametrize("decay_input", [False, True])
@pytest.mark.parametrize("dialect", ["nir", "spikingjelly"])
def test_spikingjelly(decay_input, dialect):
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
    exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange")
    from spikingjelly.activation_based import functional, layer

    threshold = 0.437 if dialect == "nir" else 0.4375  # no sum meets the one, some the other
    tau = 2.0 if dialect == "nir" else 3.0
    lif = neuron.LIFNode(tau=tau, decay_input=decay_input, v_threshold=threshold)
    parts = [layer.Conv2d(2, 4, 3, padding=1), lif, layer.AvgPool2d(2), layer.Flatten(), layer.Linear(36, 3)]
    net = dyadic(nn.Sequential(*parts, neuron.IFNode(v_threshold=threshold)))
    x = spikes(RNG, STEPS, 8, 2, 6, 6)
    g = exchange.export_to_nir(net, torch.from_numpy(x[0]), dt=1e-4)
    functional.reset_net(net.eval())
    with torch.no_grad():
        theirs = np.stack([net(torch.from_numpy(now)).numpy() for now in x])
    model = snncore.from_nir(g, dt=1e-4, reset="zero", dialect=dialect)
    assert theirs.any()
    np.testing.assert_array_equal(model.run(x), theirs)


def test_norse_runs_the_same_graph():
    norse = pytest.importorskip("norse.torch")
    nodes = {
        "fc": nir.Affine(weights(RNG, 6, 4), weights(RNG, 6)),
        "lif": lif((6,), r=1.0, v_threshold=0.5),
        "fc2": nir.Linear(weights(RNG, 3, 6)),
        "lif2": lif((3,), r=1.0, v_threshold=0.25),
    }
    g = graph(nodes, "input fc lif fc2 lif2 output")
    x = values(RNG, 10, 5, 4)
    net, state, theirs = norse.from_nir(g, dt=DT), None, []
    for now in x:
        with torch.no_grad():
            y, state = net(torch.from_numpy(now), state)
        theirs.append(y.numpy())
    assert np.any(theirs)
    np.testing.assert_array_equal(snncore.from_nir(g, dt=DT, reset="value").run(x), np.stack(theirs))


def test_what_we_write_is_read_by_others():
    norse = pytest.importorskip("norse.torch")
    g = graph(
        {"fc": nir.Linear(weights(RNG, 3, 4)), "lif": lif((3,), r=1.0, v_threshold=0.5)},
        "input fc lif output",
    )
    model = snncore.from_nir(g, dt=DT, reset="zero")
    x = values(RNG, 10, 5, 4)
    net, state, theirs = norse.from_nir(snncore.to_nir(model), dt=DT), None, []
    for now in x:
        with torch.no_grad():
            y, state = net(torch.from_numpy(now), state)
        theirs.append(y.numpy())
    assert np.any(theirs)
    np.testing.assert_array_equal(model.run(x), np.stack(theirs))
