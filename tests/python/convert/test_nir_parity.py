"""`verify` against a NIR graph: its equations in float64, beside the engine and the tests' own equations."""

from __future__ import annotations

import numpy as np
import pytest

nir = pytest.importorskip("nir")

from convert.nir_networks import DT, STEPS, TAU, cuba_lif, full, graph, if_, lif, simulate, values, weights

import snncore
from snncore.convert.nir.equations import Equations

RNG = np.random.default_rng(3)


def conv(out=4, channels=2, **options):
    given = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1} | options
    return nir.Conv2d(
        (8, 8), weights(RNG, out, channels // given["groups"], 3, 3), given["stride"], given["padding"],
        given["dilation"], given["groups"], weights(RNG, out),
    )  # fmt: skip


def image_graph():
    nodes = {
        "conv": conv(),
        "a": lif((4, 8, 8)),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "conv2": conv(6, 4, groups=2, padding="same"),
        "b": if_((6, 4, 4)),
        "avg": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([6, 2, 2])}, 0, -1),
        "fc": nir.Affine(weights(RNG, 5, 24), weights(RNG, 5)),
        "c": cuba_lif((5,)),
    }
    nodes["conv2"].input_shape = (4, 4)
    return graph(nodes, "input conv a sum conv2 b avg flat fc c output", (2, 8, 8), (5,))


def recurrent_graph():
    nodes = {
        "fc": nir.Linear(weights(RNG, 6, 4)),
        "lif": cuba_lif((6,)),
        "w": nir.Linear(weights(RNG, 6, 6)),
        "out": nir.Affine(weights(RNG, 3, 6), weights(RNG, 3)),
        "li": nir.LI(full((3,), TAU), full((3,), 2.0), full((3,), 0.0)),
    }
    return graph(nodes, "input fc lif out li output, lif w lif")


def small_graph():
    nodes = {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "scale": nir.Scale(np.array([1.0, 2.0, 0.5], np.float32)),
        "lif": lif((3,)),
        "delay": nir.Delay(full((3,), 2 * DT)),
        "fc2": nir.Linear(weights(RNG, 3, 3)),
        "th": nir.Threshold(full((3,), 0.25)),
    }
    return graph(nodes, "input fc scale lif delay fc2 th output")


GRAPHS = {
    "image": (image_graph, (2, 8, 8)),
    "recurrent": (recurrent_graph, (4,)),
    "small": (small_graph, (4,)),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_equal_to_the_equations(name, reset):
    make, shape = GRAPHS[name]
    g, x = make(), values(RNG, STEPS, 3, *shape)
    model = snncore.from_nir(g, dt=DT, reset=reset)
    late = [("w", "lif")] if name == "recurrent" else []
    found = Equations.of_model(model, g).run(x)
    expected = simulate(g, x, reset=reset)["output"] if not late else None
    if expected is not None:
        np.testing.assert_array_equal(found.outputs["output"], expected)
    report = snncore.verify(model, g, x)
    assert report.equal and report.against == "the NIR graph (float64)", str(report)
    assert report.max_membrane_difference.value == 0 and report.max_abs_difference == 0
    spiking = [p for p in report.parity if p.spikes]
    assert spiking and all(p.rate_ours == p.rate_theirs for p in spiking)
    assert any(0 < p.rate_ours < 1 for p in spiking)


def random_graph(neuron):
    rng = np.random.default_rng(8)
    nodes = {
        "fc": nir.Affine(rng.normal(size=(40, 6)).astype(np.float32), rng.normal(size=40).astype(np.float32)),
        "a": neuron((40,)),
        "fc2": nir.Linear(rng.normal(size=(30, 40)).astype(np.float32)),
        "b": neuron((30,)),
    }
    return graph(nodes, "input fc a fc2 b output", (6,), (30,))


DIALECTS = [
    {"method": "exponential"},
    {"method": "euler"},
    {"dialect": "snntorch"},
    {"dialect": "spikingjelly"},
]


@pytest.mark.parametrize("options", DIALECTS)
@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("neuron", [lif, cuba_lif, if_])
def test_other_weights_differ_within_the_bound(options, reset, neuron):
    def made(shape):
        extra = {} if neuron is if_ else {"tau_mem" if neuron is cuba_lif else "tau": 7.3 * DT}
        return neuron(shape, **extra)

    g = random_graph(made)
    x = np.random.default_rng(1).normal(size=(12, 20, 6)).astype(np.float32)
    model = snncore.from_nir(g, dt=DT, reset=reset, **options)
    report = snncore.verify(model, g, x)
    assert report.different_spikes <= 0.001 * report.spikes, str(report)
    assert all(p.membrane_while_equal < 1e-4 and p.rate_ours > 0.01 for p in report.parity)
    assert report.equal or report.margin.within, str(report)


def test_a_difference_is_found_and_measured():
    g = random_graph(lif)
    model = snncore.from_nir(g, dt=DT, reset="zero")
    x = np.random.default_rng(1).normal(size=(12, 20, 6)).astype(np.float32)
    g.nodes["fc2"].weight += 0.01
    report = snncore.verify(model, g, x)
    assert report.first_difference.layer == "b" and not report.margin.within
    assert report.margin.distance > report.margin.bound > 0
    g.nodes["fc2"].weight -= 0.01
    other = snncore.from_nir(g, dt=DT, reset="subtract")
    assert Equations.of_model(other, g).dialect.reset == "subtract"


def test_the_bound_of_a_file_holds():
    """The engine's and the graph's membranes lie within the bound, in a network with everything in it."""
    from snncore.parity.bound import margin_of
    from snncore.parity.files import trace_of_file
    from snncore.parity.report import Difference
    from snncore.parity.sides import Subject, engine, equations_side

    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    checked = 0
    for make, shape in ((image_graph, (2, 8, 8)), (recurrent_graph, (4,))):
        g = make()
        for node in g.nodes.values():
            if hasattr(node, "weight"):
                node.weight = (node.weight + rng.normal(size=node.weight.shape) * 0.1).astype(np.float32)
        x = rng.normal(size=(6, 1, *shape)).astype(np.float32) + 0.5
        model = snncore.from_nir(g, dt=DT, reset="zero")
        subject = Subject(model)
        theirs = equations_side(subject, Equations.of_model(model, g), x)
        ours = engine(subject, x, None, None, theirs.spikes, theirs.membranes)
        assert all((ours.spikes[name] == fired).all() for name, fired in theirs.spikes.items())
        layers = trace_of_file(subject)
        for name, fired in theirs.spikes.items():
            silent = rng.permutation(np.argwhere(~fired[:, 0]))[:6].tolist()
            for t, *where in silent:
                spikes = {n: s[:, 0] for n, s in theirs.spikes.items()}
                first = Difference(t, name, [0, *where], 0, 0)
                margin = margin_of(layers, torch.from_numpy(x), spikes, first)
                for side in (ours, theirs):
                    assert abs(float(side.membranes[name][(t, 0, *where)]) - margin.h) <= margin.bound < 1e-3
                    checked += 1
    assert checked > 30


def test_what_is_wrong_is_one_sentence(tmp_path):
    g = small_graph()
    model = snncore.from_nir(g, dt=DT, reset="zero")
    x = values(RNG, STEPS, 3, 4)
    nir.write(tmp_path / "g.nir", g)
    assert snncore.verify(model, tmp_path / "g.nir", x).equal
    (tmp_path / "x.nir").write_text("x")
    with pytest.raises(snncore.FormatError, match="not an HDF5 file"):
        snncore.verify(model, tmp_path / "x.nir", x)
    b = snncore.GraphBuilder()
    b.output(
        "y", b.lif("lif", b.linear("fc", b.input("x", "f32", [4], layout="TNC"), np.ones((3, 4), np.float32)))
    )
    with pytest.raises(ValueError, match="not made from NIR"):
        snncore.verify(b.build(timesteps=2), g, x)
    other = graph({"fc": nir.Linear(weights(RNG, 3, 5)), "lif": lif((3,))}, "input fc lif output", (5,))
    with pytest.raises(ValueError, match="verify: the NIR graph"):
        snncore.verify(model, other, x)


def test_a_reset_to_a_value_of_zero_is_a_reset_to_zero():
    g = graph({"fc": nir.Linear(weights(RNG, 6, 4)), "lif": lif((6,))}, "input fc lif output", (4,), (6,))
    x = values(RNG, STEPS, 3, 4)
    runs = []
    for reset in ("zero", "value"):
        model = snncore.from_nir(g, dt=DT, reset=reset, dialect="snntorch")
        assert snncore.verify(model, g, x, layout="TNC").equal
        runs.append(model.run(x, layout="TNC"))
    assert np.array_equal(*runs) and runs[0].any()
