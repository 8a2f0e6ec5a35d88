"""Back to NIR, and what comes of it when it is read again."""

from __future__ import annotations

import numpy as np
import pytest

nir = pytest.importorskip("nir")
pytest.importorskip("h5py")

from convert.nir_networks import DT, STEPS, cuba_lif, full, graph, if_, lif, simulate, spikes, values, weights

import snncore
from snncore import GraphBuilder

RNG = np.random.default_rng(11)
FIRST = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def from_the_start():
    RNG.bit_generator.state = FIRST


def back(model, x, tmp_path, **options):
    """Write a model, read it with the package and by ourselves: all say the same."""
    g = snncore.to_nir(model, dt=DT, **options)
    nir.write(tmp_path / "back.nir", g)
    nir.read(tmp_path / "back.nir", type_check=False)
    y = model.run(x)
    assert np.any(y)
    for source in (g, tmp_path / "back.nir"):
        again = snncore.from_nir(source)
        np.testing.assert_array_equal(again.run(x), y)
        assert again.timesteps == model.timesteps and again.inputs == model.inputs
    return g


def built(draw, shape=(4,), dtype="f32", timesteps=5):
    b = GraphBuilder()
    b.output("y", draw(b, b.input("x", dtype, shape)))
    return b.build(timesteps)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("decay", [1.0, 0.9, 0.3, 0.0])
def test_neurons_survive_on_any_numbers(tmp_path, decay, reset):
    w, bias = RNG.normal(size=(6, 4)).astype(np.float32), RNG.normal(size=6)

    def draw(b, x):
        fc = b.linear("fc", x, w, bias=bias)
        return b.lif("lif", fc, decay=decay, input_gain=0.7, threshold=0.3, reset=reset, strict=True)

    x = RNG.normal(size=(40, 10, 4)).astype(np.float32)
    model = snncore.from_nir(snncore.to_nir(built(draw)), input_dtype="f32")  # layouts become TNC
    g = back(model, x, tmp_path)
    assert type(g.nodes["lif"]).__name__ == ("IF" if decay == 1 else "LIF")
    assert g.nodes["lif"].v_threshold.shape == (6,)


def test_a_threshold_that_is_reached(tmp_path):
    def draw(b, x):
        return b.lif("lif", b.linear("fc", x, np.eye(4, dtype=np.float32)), threshold=1.0, decay=1.0)

    x = np.array([[[1.0, np.nextafter(np.float32(1), np.float32(0)), 2.0, 0.0]]], np.float32)
    again = snncore.from_nir(snncore.to_nir(built(draw)))
    assert (
        again.run(x).ravel().tolist() == built(draw).run(x[0], timesteps=1).ravel().tolist() == [1, 0, 1, 0]
    )

    def subtracts(b, x):
        return b.lif("lif", b.linear("fc", x, np.eye(4, dtype=np.float32)), reset="subtract")

    with pytest.raises(snncore.Error, match=r"'lif' \(lif: it fires at its threshold"):
        snncore.to_nir(built(subtracts))


def test_a_cnn(tmp_path):
    g = graph(
        {
            "conv1": nir.Conv2d((9, 8), weights(RNG, 4, 2, 3, 2), (2, 1), (1, 0), (1, 2), 1, weights(RNG, 4)),
            "lif1": lif((4, 5, 6)),
            "sum": nir.SumPool2d(np.array([2, 2]), np.array([1, 2]), np.array([0, 1])),
            "conv2": nir.Conv2d((4, 4), weights(RNG, 6, 2, 2, 2), 1, "same", 1, 2, np.zeros(6)),
            "if2": if_((6, 4, 4)),
            "mean": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
            "flat": nir.Flatten({"input": np.array([6, 2, 2])}, 0, -1),
            "wait": nir.Delay(full(24, 2 * DT)),
            "fc": nir.Affine(weights(RNG, 3, 24), weights(RNG, 3)),
        },
        "input conv1 lif1 sum conv2 if2 mean flat wait fc output",
        (2, 9, 8),
    )
    x = spikes(RNG, 6, 2, 2, 9, 8)
    model = snncore.from_nir(g, dt=DT, reset="subtract", readout="mean", timesteps=6, input_dtype="b1")
    written = back(model, x > 0, tmp_path)
    np.testing.assert_array_equal(written.nodes["fc"].weight, g.nodes["fc"].weight)
    assert written.metadata["readout"] == "mean" and written.nodes["conv2"].padding == "same"
    assert type(written.nodes["wait"]).__name__ == "Delay"
    # What NIR says without metadata is the same network, every step.
    np.testing.assert_array_equal(
        simulate(written, x, reset="subtract")["output"], simulate(g, x, reset="subtract")["output"]
    )


def recurrent(neuron=lif):
    return {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "one": neuron((3,), r=4.0),
        "self": nir.Linear(weights(RNG, 3, 3)),
        "there": nir.Linear(weights(RNG, 5, 3)),
        "two": neuron((5,), r=4.0),
        "back": nir.Affine(weights(RNG, 3, 5), weights(RNG, 3)),
    }


def test_a_loop_of_one_step_is_a_loop_without_delay(tmp_path):
    g = graph(recurrent(), "input fc one there two output, one self one, two back one", outputs=(5,))
    written = back(snncore.from_nir(g, dt=DT, reset="zero"), values(RNG, STEPS, 4, 4), tmp_path)
    assert sorted(written.edges) == sorted(g.edges)


def test_other_loops_keep_their_delays(tmp_path):
    """Where a reader of NIR would cut the loop elsewhere, the delay is a node."""
    w, loop = weights(RNG, 3, 4), weights(RNG, 3, 3)

    def draw(b, x):
        late = b.delay("late", "lif2", 1, [3])
        one = b.lif("lif1", b.add("sum", [b.linear("fc", x, w), b.linear("w1", late, loop)]), threshold=0.5)
        b.output("first", one)
        early = b.delay("early", "lif1", 1)  # both ways are late
        return b.lif("lif2", b.linear("w2", early, np.eye(3, dtype=np.float32)), threshold=0.5)

    model = built(draw)
    g = snncore.to_nir(model, dt=DT)
    assert [type(g.nodes[n]).__name__ for n in ("late", "early")] == ["Delay", "Delay"]
    x = values(RNG, STEPS, 4, 4)
    ours, again = model.run(x, layout="TNC"), snncore.from_nir(g).run(x)
    for name in ("y", "first"):
        assert ours[name].any()
        np.testing.assert_array_equal(ours[name], again[name])


def test_names_that_hdf5_cannot_hold(tmp_path):
    def draw(b, x):
        return b.lif("layer/1", b.linear("layer.1", x, weights(RNG, 4, 4)), threshold=0.1, strict=True)

    g = snncore.to_nir(built(draw))
    assert "layer_1" in g.nodes and "layer.1" in g.nodes
    nir.write(tmp_path / "x.nir", g)
    snncore.from_nir(tmp_path / "x.nir")


def test_what_nir_cannot_say_is_listed_at_once():
    b = GraphBuilder()
    x = b.input("x", "b1", [2, 6, 6])
    codes = RNG.integers(-3, 4, (3, 2, 3, 3)).astype(np.int8)
    x = b.lif("lif", b.conv2d("conv", x, codes, encoding="sym", bits=4, scale=1.0), threshold=2.0)
    b.output("y", b.maxpool2d("pool", x, 2))
    with pytest.raises(snncore.Error) as caught:
        snncore.to_nir(b.build(2))
    for word in (
        "'conv' (conv2d: quantised weights)",
        "requant",
        "'lif' (lif: an integer neuron)",
        "maxpool2d",
    ):
        assert word in str(caught.value)


def test_two_resets_are_one_too_many():
    def draw(b, x):
        one = b.lif("a", b.linear("fc", x, weights(RNG, 3, 4)), strict=True, reset="subtract")
        return b.lif("b", b.linear("fc2", one, weights(RNG, 3, 3)), strict=True)

    with pytest.raises(snncore.Error, match="different resets"):
        snncore.to_nir(built(draw))


def test_dt():
    model = built(lambda b, x: b.linear("fc", x, weights(RNG, 3, 4)))
    assert snncore.to_nir(model).metadata["dt"] == 1e-4
    g = graph({"lif": lif((4,))}, "input lif output", (4,), (4,))
    assert snncore.to_nir(snncore.from_nir(g, dt=DT, reset="zero")).metadata["dt"] == DT
    for dt in (0, -1.0, np.nan):
        with pytest.raises(ValueError, match="dt above 0"):
            snncore.to_nir(model, dt=dt)


@pytest.mark.parametrize("reset", ["value", "subtract"])
def test_currents_leaks_and_values(tmp_path, reset):
    g = graph(recurrent(cuba_lif), "input fc one there two output, one self one, two back one", outputs=(5,))
    if reset == "value":
        g.nodes["one"].v_leak, g.nodes["two"].v_reset = full(3, 0.25), full(5, -0.5)
    g.nodes["one"].v_threshold = np.array([0.5, 1.0, 0.25])
    written = back(snncore.from_nir(g, dt=DT, reset=reset), values(RNG, STEPS, 4, 4), tmp_path)
    assert sorted(written.edges) == sorted(g.edges)
    for name in ("one", "two"):
        ours, theirs = written.nodes[name].to_dict(), g.nodes[name].to_dict()
        for field in set(theirs) - {"type", "metadata"}:
            np.testing.assert_array_equal(ours[field], theirs[field])


def test_images_of_neurons(tmp_path):
    each = lif((2, 3, 4))
    each.v_threshold = (1 + RNG.integers(0, 8, (2, 3, 4))) / 8
    flat = cuba_lif((24,))
    flat.v_threshold = (1 + RNG.integers(0, 8, 24)) / 8
    nodes = {
        "lif": each,
        "flat": nir.Flatten({"input": np.array([2, 3, 4])}, 0, -1),
        "lif2": flat,
        "li": nir.LI(full(24, 2 * DT), np.arange(1.0, 25), full(24, 0.5)),
    }
    g = graph(nodes, "input lif flat lif2 li output", (2, 3, 4), (24,))
    written = back(snncore.from_nir(g, dt=DT, reset="zero"), values(RNG, 6, 3, 2, 3, 4), tmp_path)
    np.testing.assert_array_equal(written.nodes["lif"].v_threshold, each.v_threshold)
    np.testing.assert_array_equal(written.nodes["lif2"].v_threshold, flat.v_threshold)
    np.testing.assert_array_equal(written.nodes["li"].r, nodes["li"].r)
    row = graph({"lif": lif((2, 6)), "i": nir.I(full((2, 6), 1 / DT))}, "input lif i output", (2, 6), (2, 6))
    row.nodes["lif"].v_threshold = np.arange(1, 13).reshape(2, 6) / 8
    model = snncore.from_nir(row, dt=DT, reset="zero")
    x = values(RNG, 6, 2, 2, 6)
    np.testing.assert_array_equal(model.run(x[:, :, :, None])[:, :, :, 0], simulate(row, x)["output"])


def test_presets_of_nir_are_said_as_they_were():
    from snncore.presets import nir as preset

    neuron = preset.cuba_lif(4 * DT, 2 * DT, 2.0, 0.5, 1.0, 4.0, -0.25, dt=DT, reset="value")
    node = snncore.to_nir(
        built(lambda b, x: b.neuron("n", b.linear("fc", x, weights(RNG, 3, 4)), neuron)), dt=DT
    ).nodes["n"]
    for name, value in dict(
        tau_syn=4 * DT, tau_mem=2 * DT, r=2.0, v_leak=0.5, v_threshold=1.0, w_in=4.0, v_reset=-0.25
    ).items():
        assert (getattr(node, name) == value).all()
    other = preset.lif(2 * DT, 2.0, 0.5, 1.0, dt=DT, reset="zero")
    object.__setattr__(other, "floor", "clamp")
    with pytest.raises(snncore.Error, match=r"'n' \(neuron: floor 'clamp'\)"):
        snncore.to_nir(built(lambda b, x: b.neuron("n", b.linear("fc", x, weights(RNG, 3, 4)), other)))


def test_readouts_that_a_graph_cannot_say():
    b = GraphBuilder()
    spikes = b.lif("lif", b.linear("fc", b.input("x", "b1", [3]), np.ones((4, 3), np.float32)))
    b.output("y", b.readout("r", spikes, "mean", scale=[2.0]))
    with pytest.raises(snncore.Error, match=r"'r' \(readout: a readout with a scale or bias of its own\)"):
        snncore.to_nir(b.build(4))
    b = GraphBuilder()
    spikes = b.lif("lif", b.linear("fc", b.input("x", "b1", [3]), np.ones((4, 3), np.float32)))
    b.output("y", b.readout("r", spikes, "mean"))
    b.output("z", spikes)
    with pytest.raises(snncore.Error, match="outputs of which only some have a readout"):
        snncore.to_nir(b.build(4))


def test_layers_behind_a_readout_are_refused():
    b = GraphBuilder()
    x = b.readout(
        "r", b.lif("lif", b.linear("fc", b.input("x", "b1", [3]), np.ones((4, 3), np.float32))), "sum"
    )
    b.output("y", b.linear("head", x, np.ones((2, 4), np.float32), bias=np.ones(2)))
    with pytest.raises(snncore.Error, match=r"NIR cannot say 'head' \(linear: a layer behind a readout\)"):
        snncore.to_nir(b.build(4))
