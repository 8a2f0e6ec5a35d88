"""Networks from NIR against NIR's own equations: equal in every value of every step."""

from __future__ import annotations

import sys

import numpy as np
import pytest

nir = pytest.importorskip("nir")

from convert.nir_networks import (
    DT,
    STEPS,
    TAU,
    cuba_lif,
    full,
    graph,
    if_,
    lif,
    simulate,
    spikes,
    values,
    weights,
)

import snncore
from snncore.convert.nir.graph import from_tree
from snncore.convert.nir.order import in_order
from snncore.convert.nir.tree import read

RNG = np.random.default_rng(5)
FIRST = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def from_the_start():
    RNG.bit_generator.state = FIRST


def check(g, x, *, reset="value", late=(), output="output", some=True, **options):
    """Convert, run as a sequence and step by step, and compare with the equations."""
    expected = simulate(g, x, reset=reset, late=late)[output]
    model = snncore.from_nir(g, dt=DT, reset=reset, **options)
    assert expected.any() or not some
    given = x > 0 if options.get("input_dtype") == "b1" else x
    given = given[:, :, :, np.newaxis] if g.nodes["input"].input_type["input"].shape == (2,) else given
    y = model.run(given)
    np.testing.assert_array_equal(y.reshape(expected.shape), expected)
    session = model.stream(batch=x.shape[1])
    for now, want in zip(given, expected, strict=True):
        np.testing.assert_array_equal(session.step(now).reshape(want.shape), want)
    return model


@pytest.mark.parametrize("reset", ["zero", "value", "subtract"])
@pytest.mark.parametrize("neuron", [lif, if_])
def test_a_layer(neuron, reset):
    g = graph(
        {"fc": nir.Affine(weights(RNG, 3, 4), weights(RNG, 3)), "lif": neuron((3,))}, "input fc lif output"
    )
    model = check(g, values(RNG, STEPS, 5, 4), reset=reset)
    assert model.metadata["provenance"]["input_gain"] == "lif 1"


def test_it_fires_above_the_threshold_only():
    g = graph({"fc": nir.Linear(np.eye(3, dtype=np.float32)), "if": if_((3,))}, "input fc if output", (3,))
    x = np.array([[[1.0, np.nextafter(np.float32(1), np.float32(2)), 0.5]]], np.float32)
    assert check(g, x).run(x).ravel().tolist() == [0, 1, 0]


def test_spikes_as_input():
    g = graph({"fc": nir.Linear(weights(RNG, 3, 4)), "lif": lif((3,))}, "input fc lif output")
    check(g, spikes(RNG, STEPS, 9, 4, rate=0.7), input_dtype="b1")


def test_a_neuron_may_read_spikes():
    nodes = {"fc": nir.Linear(weights(RNG, 3, 4)), "a": lif((3,)), "b": lif((3,), r=4.0, v_threshold=0.5)}
    check(graph(nodes, "input fc a b output"), values(RNG, STEPS, 3, 4))
    check(
        graph({"lif": lif((2, 3, 3), r=4.0)}, "input lif output", (2, 3, 3), (2, 3, 3)),
        spikes(RNG, STEPS, 2, 2, 3, 3),
        input_dtype="b1",
    )


def test_a_cnn():
    nodes = {
        "conv1": nir.Conv2d((9, 8), weights(RNG, 4, 2, 3, 2), (2, 1), (1, 0), (1, 2), 1, weights(RNG, 4)),
        "lif1": lif((4, 5, 6)),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([1, 2]), np.array([0, 1])),
        "conv2": nir.Conv2d((4, 4), weights(RNG, 6, 2, 3, 3), 1, "same", 1, 2, np.zeros(6)),
        "if2": if_((6, 4, 4)),
        "mean": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([6, 2, 2])}, 0, -1),
        "fc": nir.Affine(weights(RNG, 3, 24), weights(RNG, 3)),
        "lif3": lif((3,), v_threshold=0.5),
    }
    g = graph(nodes, "input conv1 lif1 sum conv2 if2 mean flat fc lif3 output", (2, 9, 8))
    check(g, values(RNG, 6, 2, 2, 9, 8))
    check(g, spikes(RNG, 6, 2, 2, 9, 8), input_dtype="b1", reset="subtract")


@pytest.mark.parametrize("padding", ["same", "valid", (1, 2), 1])
def test_padding(padding):
    conv = nir.Conv2d((5, 6), weights(RNG, 3, 2, 2, 3), 1, padding, (1, 2), 1, weights(RNG, 3))
    x = values(RNG, 3, 2, 2, 5, 6)
    shape = simulate(graph({"conv": conv}, "input conv output"), x)["conv"].shape[2:]
    check(graph({"conv": conv}, "input conv output", (2, 5, 6), shape), x)


@pytest.mark.parametrize("padding", ["same", "valid", 2])
def test_one_dimension(padding):
    conv = nir.Conv1d(7, weights(RNG, 4, 1, 3), 1, padding, 2, 2, weights(RNG, 4))
    x = values(RNG, STEPS, 2, 2, 7)
    length = simulate(graph({"conv": conv}, "input conv output"), x)["conv"].shape[-1]
    nodes = {
        "conv": conv,
        "lif": lif((4, length)),
        "flat": nir.Flatten({"input": np.array([4, length])}, 0, -1),
        "fc": nir.Linear(weights(RNG, 3, 4 * length)),
    }
    check(graph(nodes, "input conv lif flat fc output", (2, 7)), x)


def test_scale_and_threshold():
    fc, factors = nir.Affine(weights(RNG, 3, 4), weights(RNG, 3)), nir.Scale(np.array([0.5, 2.0, -1.0]))
    x = values(RNG, STEPS, 3, 4)
    check(graph({"fc": fc, "scale": factors}, "input fc scale output"), x)
    before = {
        "scale": nir.Scale(np.array([0.5, 2.0, -1.0, 1.0])),
        "fc": fc,
        "z": nir.Threshold(full(3, 0.25)),
    }
    check(graph(before, "input scale fc z output"), x)
    image = {
        "scale": nir.Scale(np.array([0.5, 2.0]).reshape(2, 1, 1)),
        "z": nir.Threshold(full((2, 3, 3), 0.25)),
    }
    check(graph(image, "input scale z output", (2, 3, 3), (2, 3, 3)), values(RNG, STEPS, 2, 2, 3, 3))
    z = nir.Threshold(RNG.integers(-3, 4, (2, 3, 3)) / 4)
    pixels = {"scale": nir.Scale(RNG.integers(-4, 5, (2, 3, 3)) / 4), "z": z}
    g = graph(pixels, "input scale z output", (2, 3, 3), (2, 3, 3))
    x3 = values(RNG, STEPS, 2, 2, 3, 3)
    model = check(g, x3)
    np.testing.assert_array_equal(snncore.from_nir(snncore.to_nir(model)).run(x3), model.run(x3))
    check(
        graph({"lif": lif((2, 3, 3), r=4.0), **pixels}, "input lif scale z output", (2, 3, 3), (2, 3, 3)), x3
    )
    of_spikes = {"fc": fc, "lif": lif((3,)), "z": nir.Threshold(full(3, 0.5))}
    check(graph(of_spikes, "input fc lif z output"), x)


def test_edges_that_meet_are_added():
    nodes = {
        "a": nir.Linear(weights(RNG, 3, 4)),
        "b": nir.Linear(weights(RNG, 3, 4)),
        "lif1": lif((3,)),
        "lif2": lif((3,)),
        "lif3": lif((3,), r=1.0),
    }
    edges = "input a lif1, input b lif2, a lif3 output, lif1 lif3, lif2 lif3, lif1 output"
    check(graph(nodes, edges), values(RNG, STEPS, 4, 4))
    del nodes["lif3"]
    check(graph(nodes, "input a lif1 output, input b lif2 output"), values(RNG, STEPS, 4, 4))


def test_counts_of_two_units_are_added():
    nodes = {
        "lif": lif((2, 4, 4), r=4.0),
        "mean": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "pick": nir.SumPool2d(np.array([1, 1]), np.array([2, 2]), np.array([0, 0])),
        "lif2": lif((2, 2, 2), r=2.0),
    }
    g = graph(nodes, "input lif mean lif2 output, lif pick lif2, mean output", (2, 4, 4), (2, 2, 2))
    check(g, values(RNG, STEPS, 2, 2, 4, 4))


def test_delays():
    nodes = {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "lif": lif((3,)),
        "wait": nir.Delay(full(3, 3 * DT)),
        "none": nir.Delay(full(3, 0.0)),
        "w": nir.Linear(weights(RNG, 3, 3)),
    }
    check(graph(nodes, "input fc none lif wait w output, fc output"), values(RNG, STEPS, 2, 4))
    check(
        graph({"wait": nir.Delay(np.array([2 * DT]))}, "input wait output", (4,), (4,)),
        values(RNG, STEPS, 2, 4),
    )


def test_recurrence_is_felt_one_step_later():
    nodes = {"fc": nir.Linear(weights(RNG, 3, 4)), "lif": lif((3,)), "w_rec": nir.Linear(weights(RNG, 3, 3))}
    g = graph(nodes, "input fc lif output, lif w_rec lif")
    x = values(RNG, STEPS, 4, 4)
    check(g, x, late={("lif", "w_rec")})
    one = graph({"fc": nodes["fc"], "lif": nodes["lif"]}, "input fc lif output, lif lif")
    check(one, x, late={("lif", "lif")})


def test_of_two_neurons_on_a_cycle_the_one_behind_is_late():
    nodes = {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "z_first": lif((3,), r=4.0),
        "there": nir.Linear(weights(RNG, 5, 3)),
        "a_second": lif((5,), r=4.0),
        "back": nir.Affine(weights(RNG, 3, 5), weights(RNG, 3)),
        "self": nir.Linear(weights(RNG, 5, 5)),
        "out": nir.Linear(weights(RNG, 3, 5)),
    }
    g = graph(
        nodes, "input fc z_first there a_second out output, a_second back z_first, a_second self a_second"
    )
    check(g, values(RNG, STEPS, 4, 4), late={("a_second", "back"), ("a_second", "self")})


def test_the_order_of_a_file_means_nothing():
    nodes = {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        **{f"lif{n}": lif((3,), r=4.0) for n in range(4)},
        **{f"w{n}": nir.Linear(weights(RNG, 3, 3)) for n in range(6)},
    }
    edges = "input fc lif2 w0 lif0 w1 lif3 output, lif3 w2 lif2, lif0 w3 lif0, lif3 w4 lif0"
    edges += ", lif1 w5 lif2, lif0 lif1 lif1"
    g = graph(nodes, edges)
    x = values(RNG, STEPS, 4, 4)
    y = snncore.from_nir(g, dt=DT, reset="zero").run(x)
    assert y.any()
    for _ in range(10):
        names, pairs = list(g.nodes), list(g.edges)
        RNG.shuffle(names)
        RNG.shuffle(pairs)
        other = nir.NIRGraph({n: g.nodes[n] for n in names}, [tuple(p) for p in pairs], type_check=False)
        np.testing.assert_array_equal(snncore.from_nir(other, dt=DT, reset="zero").run(x), y)


def lines_run(function):
    """How many lines of Python it takes."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def test_networks_take_work_by_their_length():
    def lines(count):
        nodes = {f"{n * 7919 % count}": nir.Scale(np.array([1.0])) for n in range(count)}
        g = graph(nodes, " ".join(["input", *nodes, "output"]), (1,), (1,))

        def run():
            assert list(in_order(from_tree(*read(g)), {}).nodes) == ["input", *nodes, "output"]

        return lines_run(run)

    assert lines(1600) < 5 * lines(400)  # four times the nodes: four times the lines, not sixteen


def test_a_delay_on_a_cycle_is_all_its_delay():
    nodes = {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "lif": lif((3,)),
        "wait": nir.Delay(full(3, 2 * DT)),
        "w": nir.Linear(weights(RNG, 3, 3)),
    }
    g = graph(nodes, "input fc lif output, lif wait w lif")
    x = values(RNG, STEPS, 4, 4)
    # The simulation reads a delay of two steps as one that is late by one and a delay of one.
    shorter = graph({**nodes, "wait": nir.Delay(full(3, DT))}, "input fc lif output, lif wait w lif")
    expected = simulate(shorter, x, late={("lif", "wait")})["output"]
    assert expected.any()
    np.testing.assert_array_equal(snncore.from_nir(g, dt=DT, reset="zero").run(x), expected)


def test_a_readout_over_time():
    g = graph({"fc": nir.Linear(weights(RNG, 3, 4)), "lif": lif((3,))}, "input fc lif output")
    x = values(RNG, STEPS, 2, 4)
    expected = simulate(g, x)["output"]
    for mode, value in {"sum": expected.sum(0), "mean": expected.mean(0), "last": expected[-1]}.items():
        y = snncore.from_nir(g, dt=DT, reset="zero", readout=mode).run(x)
        np.testing.assert_array_equal(y, value.astype(np.float32))


def test_several_inputs_and_outputs():
    nodes = {
        "left": nir.Input(np.array([4])),
        "right": nir.Input(np.array([2])),
        "a": nir.Linear(weights(RNG, 3, 4)),
        "b": nir.Linear(weights(RNG, 3, 2)),
        "lif": lif((3,)),
        "spikes": nir.Output(np.array([3])),
        "sum": nir.Output(np.array([3])),
    }
    edges = [("right", "b"), ("a", "lif"), ("left", "a"), ("b", "lif"), ("lif", "spikes"), ("b", "sum")]
    model = snncore.from_nir(nir.NIRGraph(nodes, edges, type_check=False), dt=DT, reset="zero")
    x = {"left": values(RNG, STEPS, 2, 4), "right": values(RNG, STEPS, 2, 2)}
    y = model.run(x)
    np.testing.assert_array_equal(y["sum"], x["right"] @ nodes["b"].weight.T)
    g = graph({"lif": lif((3,))}, "input lif output", (3,))
    total = y["sum"] + x["left"] @ nodes["a"].weight.T
    np.testing.assert_array_equal(y["spikes"], simulate(g, total)["output"])


def test_the_exact_solution():
    g = graph(
        {"fc": nir.Linear(weights(RNG, 3, 4)), "lif": lif((3,), v_threshold=1.5)}, "input fc lif output"
    )
    x = values(RNG, 50, 20, 4)
    decay, v, expected = np.exp(-0.5), 0.0, []
    for now in x.astype(np.float64):
        v = decay * v + 2 * (1 - decay) * (now @ g.nodes["fc"].weight.T)
        expected.append(v > 1.5)
        v = np.where(expected[-1], 0, v)
    y = snncore.from_nir(g, dt=DT, reset="zero", method="exponential").run(x)
    assert np.mean(y != np.array(expected)) < 1e-3  # float32 against float64
    assert y.any()


def test_the_gain_of_one_survives_the_rounding_of_a_file():
    for beta in np.random.default_rng(1).uniform(0, 1, 300).astype(np.float32):
        tau = np.float32(1e-4 / (1 - beta))
        node = nir.LIF(*(full(2, v) for v in (tau, tau / np.float32(1e-4), 0, 1, 0)))
        model = snncore.from_nir(
            graph({"lif": node}, "input lif output", (2,), (2,)), dt=1e-4, reset="subtract"
        )
        assert model.metadata["provenance"]["input_gain"] == "lif 1"


@pytest.mark.parametrize("reset", ["zero", "value", "subtract"])
def test_a_recurrent_network_of_cuba_lif(reset):
    nodes = {
        "fc": nir.Linear(weights(RNG, 5, 4)),
        "lif.lif": cuba_lif((5,)),
        "lif.w_rec": nir.Linear(weights(RNG, 5, 5, bits=2)),
        "fc2": nir.Affine(weights(RNG, 3, 5), weights(RNG, 3)),
        "lif2": cuba_lif((3,), w_in=1.0),
    }
    g = graph(nodes, "input fc lif.lif fc2 lif2 output, lif.lif lif.w_rec lif.lif")
    check(g, values(RNG, 7, 4, 4), reset=reset, late={("lif.lif", "lif.w_rec")})


def test_leak_and_reset_to_values():
    fc = nir.Linear(weights(RNG, 3, 4))
    x = values(RNG, STEPS, 4, 4)
    check(graph({"fc": fc, "lif": lif((3,), v_leak=0.5, v_reset=-1.0)}, "input fc lif output"), x)
    check(graph({"fc": fc, "if": if_((3,), v_reset=-0.25)}, "input fc if output"), x)


def test_values_that_differ():
    fc = nir.Linear(weights(RNG, 3, 4))
    each = lif((3,))
    each.tau, each.v_threshold = TAU * np.array([1, 2, 4.0]), np.array([1, 0.5, 2.0])
    check(graph({"fc": fc, "lif": each}, "input fc lif output"), values(RNG, 6, 4, 4))
    image = lif((2, 3, 3))
    image.v_threshold = np.arange(1, 19).reshape(2, 3, 3) / 8
    check(graph({"lif": image}, "input lif output", (2, 3, 3), (2, 3, 3)), values(RNG, 6, 2, 2, 3, 3))
    image.v_threshold, image.r = np.array([0.5, 1.0]), np.array([1.0, 4.0]).reshape(2, 1, 1)
    g = graph({"lif": image}, "input lif output", (2, 3, 3), (2, 3, 3))
    x = values(RNG, 6, 2, 2, 3, 3)
    y = snncore.from_nir(g, dt=DT, reset="zero").run(x)
    image.v_threshold = image.v_threshold.reshape(2, 1, 1)
    np.testing.assert_array_equal(y, simulate(g, x)["output"])


def test_membranes_as_output():
    fc, x = nir.Linear(weights(RNG, 3, 4)), values(RNG, 8, 4, 4)
    li = nir.LI(full(3, TAU), full(3, 2.0), full(3, 0.5))
    check(graph({"fc": fc, "li": li}, "input fc li output"), x)
    cuba = nir.CubaLI(full(3, TAU), full(3, TAU), full(3, 2.0), full(3, 0.0), full(3, 2.0))
    check(graph({"fc": fc, "lif": lif((3,)), "li": cuba}, "input fc lif li output"), x)
    check(graph({"fc": fc, "i": nir.I(full(3, 1 / DT))}, "input fc i output"), x)
