from __future__ import annotations

import json

import numpy as np
import pytest
from compress.networks import STEPS, dyadic, image_net, spikes

import snncore
from snncore import Neuron, presets
from snncore.compress import codes
from snncore.compress.weights import WeightCode

IF = presets.spikingjelly.if_()
LIF = presets.spikingjelly.lif()


def document(model):
    return json.loads(model._core.document())


def same_spikes(model, quantised, x, names=("n1", "n2")):
    """Every spike and output, in layers that are neither silent nor always on."""
    ours, theirs = (m.run(x, record=list(names)) for m in (quantised, model))
    for name in names:
        np.testing.assert_array_equal(ours.spikes[name].numpy(), theirs.spikes[name].numpy(), err_msg=name)
        assert 0.005 < theirs.spikes[name].numpy().mean() < 0.95
    np.testing.assert_allclose(ours.outputs, theirs.outputs, rtol=0, atol=1e-5)


# ---- neurons: on dyadic numbers the integer rule is the float rule


NEURONS = {
    "spikingjelly if": IF,
    "spikingjelly if, soft": presets.spikingjelly.if_(v_threshold=2.0, v_reset=None),
    "spikingjelly lif": LIF,
    "spikingjelly lif, soft": presets.spikingjelly.lif(v_reset=None),
    "spikingjelly lif, input kept": presets.spikingjelly.lif(decay_input=False, v_threshold=2.0),
    "spikingjelly lif, reset below": presets.spikingjelly.lif(v_threshold=0.75, v_reset=-0.25),
    "spikingjelly parametric lif": presets.spikingjelly.parametric_lif(0.5),
    "snntorch leaky": presets.snntorch.leaky(0.5),
    "snntorch leaky, zero": presets.snntorch.leaky(0.5, reset_mechanism="zero"),
    "snntorch leaky, zero at once": presets.snntorch.leaky(0.5, reset_mechanism="zero", reset_delay=False),
    "snntorch rleaky": presets.snntorch.rleaky(0.5, threshold=2.0),
    "norse box": presets.norse.lif_box(512.0, dt=1 / 1024),
    "norse iaf": presets.norse.iaf(),
    "nir lif": presets.nir.lif(1 / 512, 1.0, 0.25, 1.0, 0.0, dt=1 / 1024, reset="zero"),
    "nir if, soft": presets.nir.if_(1024.0, 1.0, dt=1 / 1024, reset="subtract"),
    "half full": Neuron(rate=1.0, reset="subtract", threshold=2.0, initial=1.0),
    "strict": Neuron(rate=0.5, fire="above", threshold=0.5),
    "thresholds of channels": Neuron(rate=0.5, threshold=np.array([1.0, 2.0, 1.0, 0.5])),
    "gains of channels": Neuron(rate=1.0, input_gain=np.array([1.0, 0.5, -1.0, 0.25]), threshold=1.0),
    "a large drop": Neuron(rate=0.5, reset="subtract", drop=16.0),
    "a bias": Neuron(rate=0.5, bias=0.125, threshold=1.0),
}


@pytest.mark.parametrize("name", NEURONS)
def test_the_same_spikes(name):
    model = image_net(NEURONS[name], IF)
    x = spikes()
    quantised, report = snncore.quantize(model, calibration=x, strict=True)
    same_spikes(model, quantised, x)
    assert report.label_agreement == 1.0
    assert [row.spike_agreement for row in report.layers] == [1.0, 1.0, None]
    assert [row.state_bits for row in report.layers] == [16, 16, None]


@pytest.mark.parametrize(
    ("neuron", "why"),
    [
        (presets.sinabs.lif(0.5, spike_fn="MaxSpike", max_num_spikes_per_bin=7), "gives counts"),
        (presets.norse.lif_refrac(v_th=0.5), "has a synaptic current"),
        (presets.spyx.lif(0.5), "fires by the membrane of the step before"),
        (presets.spikingjelly.non_spiking_lif(), None),
        (presets.snntorch.leaky(0.5, reset_mechanism="none"), "a spike does not reset it"),
        (presets.snntorch.leaky(0.5, reset_delay=False), "corrected a step later"),
        (presets.snntorch.rleaky(0.5, reset_mechanism="zero"), "clears the input"),
        (Neuron(floor="clamp", floor_value=-1.0), "has a floor"),
        (Neuron(refractory="input", refractory_steps=2), "has a refractory time"),
        (Neuron(rate=np.array([0.5, 0.25, 0.5, 0.5])), "decay differs from channel to channel"),
        (Neuron(rate=1.5), "decay is 1.5, outside"),
        (Neuron(threshold=0.5, initial=0.5, reset="subtract"), "starts at the threshold or above"),
        (Neuron(reset="value", reset_value=0.5), "starts at another membrane"),
        (
            Neuron(threshold=np.linspace(0.5, 1, 144).reshape(4, 6, 6)),
            "threshold differs from pixel to pixel",
        ),
        (Neuron(reset="subtract", drop=400.0), "subtracts 400 thresholds"),
    ],
)
def test_other_neurons_stay_float(neuron, why):
    b = snncore.GraphBuilder()
    rng = np.random.default_rng(0)
    x = b.conv2d("conv1", b.input("x", "b1", [2, 6, 6], layout="TNCHW"), dyadic(rng, 4, 2, 3, 3), padding=1)
    x = b.neuron("n1", x, neuron)
    x = b.lif("n2", b.conv2d("conv2", x, dyadic(rng, 6, 4, 3, 3)), decay=0.5)
    b.output("y", b.readout("y", b.flatten("flat", x)))
    model = b.build(STEPS)
    if why is None:  # its membranes go on: nothing is integer
        with pytest.raises(
            ValueError, match="nothing can become integer: 'conv1': 'n1' \\(neuron\\): it gives"
        ):
            snncore.quantize(model)
        return
    quantised, report = snncore.quantize(model, calibration=spikes())
    assert report.left_float == ("conv1",) and why in report.layers[0].reason
    assert report.layers[0].bits == 32 and report.layers[1].bits == 8
    assert f"'conv1' stays float: 'n1' (neuron): {report.layers[0].reason[15:]}" in str(report)
    same_spikes(model, quantised, spikes(), ["n2"] if neuron.counts else ["n1", "n2"])
    with pytest.raises(snncore.Error, match="strict, and these would stay float: 'conv1'"):
        snncore.quantize(model, strict=True)


def test_large_counts_stay_float():
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "count16", [30]), dyadic(np.random.default_rng(0), 20, 30))
    b.output(
        "y", b.readout("y", b.linear("head", b.neuron("n", x, IF), dyadic(np.random.default_rng(0), 3, 20)))
    )
    _, report = snncore.quantize(b.build(STEPS))
    assert report.layers[0].reason == "'n' (neuron): its current would not fit 32 bits"
    assert report.layers[1].bits == 8


def test_lif_of_the_builder():
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", [30], layout="TNC"), dyadic(np.random.default_rng(0), 20, 30))
    x = b.lif("n", x, decay=0.5, input_gain=0.25, threshold=0.5, reset="subtract", strict=True)
    b.output("y", b.readout("y", x))
    model = b.build(STEPS)
    quantised, _ = snncore.quantize(model, strict=True)
    same_spikes(model, quantised, spikes(shape=(30,)), ["n"])


# ---- weights


@pytest.mark.parametrize("granularity", ["channel", "layer"])
@pytest.mark.parametrize(
    ("bits", "method"), [(1, None), (2, None), (2, "symmetric"), (4, "symmetric"), (8, "rescaw")]
)
def test_the_file_holds_the_codes(bits, method, granularity):
    model = image_net(LIF, LIF)
    quantised, report = snncore.quantize(
        model, bits=bits, method=method, granularity=granularity, gamma="max"
    )
    rows = {row.name: row for row in report.layers}
    assert [rows[n].bits for n in ("conv1", "conv2", "head")] == [8, bits, 8]
    assert rows["conv1"].method == "symmetric"
    assert rows["conv2"].method == (method or "rescaw")
    float_weight = np.random.default_rng(0)
    dyadic(float_weight, 4, 2, 3, 3), float_weight.integers(0, 9, 4)
    w = dyadic(float_weight, 6, 4, 3, 3)
    made = WeightCode(method or "rescaw", bits, granularity, "max")(w)
    b = snncore.GraphBuilder()
    x = b.conv2d("conv2", b.input("x", "b1", [4, 3, 3], layout="TNCHW"), **made, padding=1)
    b.output("s", b.lif("n", x, decay=0.5, input_gain=0.5))
    twin = b.build(STEPS)
    alone = {row.name: row for row in twin.layers}["conv2"]
    assert {row.name: row for row in quantised.layers}["conv2"].bytes == alone.bytes
    m = 2 * made["weight"].astype(int) + 1 if made["encoding"] == "odd" else made["weight"].astype(int)
    assert rows["conv2"].accumulator == max(
        np.abs(m * (m * s > 0)).reshape(6, -1).sum(1).max() for s in (1, -1)
    )
    assert np.abs(w - m * made["scale"].reshape(-1, 1, 1, 1)).max() <= {1: 2, 2: 0.7, 4: 0.14, 8: 0.01}[bits]


def test_ends_are_as_told():
    model = image_net(IF, IF)
    for ends, bits in ((8, [8, 2, 8]), (4, [4, 2, 4]), (None, [2, 2, 2])):
        _, report = snncore.quantize(model, bits=2, ends=ends)
        assert [row.bits for row in report.layers] == bits


@pytest.mark.parametrize("bits", codes.RESCAW_BITS)
def test_more_scales_are_no_worse(bits):
    w = (
        np.random.default_rng(0).normal(0, 0.1, (16, 300)).astype(np.float32)
        * np.linspace(0.2, 3, 16)[:, None]
    )
    errors = {}
    for granularity in ("channel", "layer"):
        made = WeightCode("rescaw", bits, granularity)(w.astype(np.float32))
        errors[granularity] = float(np.square((2.0 * made["weight"] + 1) * made["scale"][:, None] - w).mean())
    assert errors["channel"] < errors["layer"]
    if bits > 2:  # why `factor` is the default where no training follows
        plain = WeightCode("rescaw", bits, factor=False)(w.astype(np.float32))
        assert (
            np.square((2.0 * plain["weight"] + 1) * plain["scale"][:, None] - w).mean()
            > 3 * errors["channel"]
        )


def test_a_silent_channel():
    w = np.zeros((4, 10), np.float32)
    w[1] = 0.5
    for method, bits in (("symmetric", 8), ("rescaw", 2)):
        made = WeightCode(method, bits)(w)
        assert np.isfinite(made["scale"]).all() and (made["scale"] > 0).all()
    b = snncore.GraphBuilder()
    b.output("y", b.readout("y", b.lif("n", b.linear("fc", b.input("x", "b1", [10]), w))))
    quantised, _ = snncore.quantize(b.build(2), bits=2, ends=None)
    rates = quantised.run(np.ones((1, 10), bool))
    assert rates[0, 0] == 0 and rates[0, 1] == 1


# ---- graphs


def residual(after):
    rng = np.random.default_rng(3)
    b = snncore.GraphBuilder()
    x = b.neuron(
        "n0",
        b.conv2d("stem", b.input("x", "b1", [2, 6, 6], layout="TNCHW"), dyadic(rng, 4, 2, 3, 3), padding=1),
        IF,
    )
    y = b.conv2d("conv1", x, dyadic(rng, 4, 4, 3, 3), padding=1)
    z = b.conv2d("conv2", x, dyadic(rng, 4, 4, 1, 1))
    s = b.add("sum", [y, z, x])
    x = b.neuron("n1", s, after)
    x = b.avgpool2d("pool", b.add("more", [x, x]), 2)
    y = b.neuron(
        "n2", b.add("stream", [s, b.conv2d("conv3", b.neuron("n3", s, IF), dyadic(rng, 4, 4, 1, 1))]), IF
    )
    b.output("rate", b.readout("rate", b.flatten("flat2", y)))
    b.output("y", b.readout("y", b.linear("head", b.flatten("flat", x), dyadic(rng, 3, 36))))
    return b.build(STEPS)


def test_sums_of_layers():
    model = residual(IF)
    quantised, report = snncore.quantize(model, calibration=spikes(), strict=True)
    assert {row.neuron for row in report.layers} == {"n0", "n1", "n2", None}
    assert {row.spike_agreement for row in report.layers} == {1.0, None}
    x = spikes(seed=5)
    for name, values in model.run(x).items():
        np.testing.assert_allclose(quantised.run(x)[name], values, atol=1e-5)


def test_a_bias_does_not_go_into_a_sum():
    _, report = snncore.quantize(residual(Neuron(bias=0.125)))
    assert set(report.left_float) == {"conv1", "conv2", "conv3"}
    assert "it reads a sum" in report.layers[1].reason


def test_a_shared_layer_keeps_its_signs():
    rng = np.random.default_rng(3)
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", [20], layout="TNC"), dyadic(rng, 12, 20))
    for name, gain in (("up", 1.0), ("down", -1.0)):
        b.output(name, b.readout(f"{name}.mean", b.neuron(f"n.{name}", x, Neuron(input_gain=gain))))
    with pytest.raises(ValueError, match=r"'n\.down' \(neuron\): its gain is negative, and others read"):
        snncore.quantize(b.build(STEPS))


def test_two_inputs():
    rng = np.random.default_rng(3)
    b = snncore.GraphBuilder()
    x, y = b.input("x", "f32", [20]), b.input("y", "b1", [20])
    x = b.neuron("n1", b.linear("fc1", x, dyadic(rng, 12, 20)), IF)
    y = b.neuron("n2", b.linear("fc2", y, dyadic(rng, 12, 20)), IF)
    b.output("rate", b.readout("rate", b.add("both", [x, y])))
    model = b.build(STEPS)
    data = {"x": rng.normal(0, 1, (8, 20)).astype(np.float32), "y": rng.random((8, 20)) < 0.5}
    quantised, report = snncore.quantize(model, calibration=data)
    assert report.left_float == ("fc1",) and "'x' is float32" in report.layers[0].reason
    assert report.samples == 8 and [row.spike_agreement for row in report.layers] == [1.0, 1.0]
    np.testing.assert_array_equal(quantised.run(data), model.run(data))
    values = tuple(data.values())
    assert snncore.quantize(model, calibration=values)[1] == report
    with pytest.raises(ValueError, match="calibration: expected an array for each of the inputs x, y"):
        snncore.quantize(model, calibration=data["x"])


def test_a_network_with_a_loop():
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    back = b.delay("late", "n", shape=[12])
    x = b.linear("fc", b.input("x", "b1", [9], layout="TNC"), dyadic(rng, 12, 9))
    b.neuron("n", b.add("sum", [x, b.linear("again", back, -dyadic(rng, 12, 12))]), IF)
    b.output("y", b.readout("y", "n"))
    model = b.build(STEPS)
    quantised, report = snncore.quantize(
        model, bits=4, method="symmetric", ends=8, calibration=spikes(shape=(9,))
    )
    assert [row.bits for row in report.layers] == [8, 8]  # one comes first, one last
    quantised, _ = snncore.quantize(model, strict=True)
    same_spikes(model, quantised, spikes(shape=(9,)), ["n"])


def test_float_around_integers():
    """Real values in, an average of real values, and an output of each step stay as they are."""
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.neuron(
        "n1", b.conv2d("conv1", b.input("x", "f32", [2, 6, 6], layout="TNCHW"), dyadic(rng, 4, 2, 3, 3)), IF
    )
    x = b.neuron("n2", b.conv2d("conv2", x, dyadic(rng, 4, 4, 3, 3)), LIF)
    pooled = b.avgpool2d("pool", b.conv2d("conv3", x, dyadic(rng, 4, 4, 1, 1)), 2)
    b.output("spikes", b.neuron("n3", pooled, Neuron(threshold=np.arange(1, 5) / 4)))
    b.output("steps", b.linear("head", b.flatten("flat", x), dyadic(rng, 3, 16)))
    model = b.build(STEPS)
    x = np.random.default_rng(1).integers(-8, 17, (STEPS, 8, 2, 6, 6)).astype(np.float32) / 16
    quantised, report = snncore.quantize(model, calibration=x)
    assert report.left_float == ("conv1", "conv3", "head")
    reasons = [row.reason for row in report.layers]
    assert "its input 'x' is float32" in reasons[0] and reasons[1] is None
    assert "averages real values" in reasons[2] and "its values are an output" in reasons[3]
    same = model.run(x, record=["n1", "n2"]), quantised.run(x, record=["n1", "n2"])
    for name in ("n1", "n2"):
        np.testing.assert_array_equal(same[0].spikes[name].numpy(), same[1].spikes[name].numpy())
    for name in ("spikes", "steps"):
        np.testing.assert_array_equal(same[0].outputs[name], same[1].outputs[name])


def test_parameters_of_pixels_survive():
    """A float neuron with a value for each place, behind an integer layer."""
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.neuron(
        "n1", b.conv2d("conv1", b.input("x", "b1", [2, 6, 6], layout="TNCHW"), dyadic(rng, 4, 2, 3, 3)), IF
    )
    places = rng.integers(1, 9, (3, 4, 4)) / 4
    x = b.neuron("n2", b.conv2d("conv2", x, dyadic(rng, 3, 4, 1, 1)), Neuron(threshold=places))
    b.output("y", b.readout("y", b.linear("head", b.flatten("flat", x), dyadic(rng, 3, 48))))
    model = b.build(STEPS)
    quantised, report = snncore.quantize(model)
    assert report.left_float == ("conv2",)
    same_spikes(model, quantised, spikes())


def test_counts_in():
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "count3", [9], layout="TNC"), dyadic(np.random.default_rng(0), 12, 9))
    b.output("y", b.readout("y", b.neuron("n", x, Neuron(threshold=4.0))))
    model = b.build(STEPS)
    quantised, _ = snncore.quantize(model, strict=True)
    x = np.random.default_rng(0).integers(0, 4, (STEPS, 8, 9)).astype(np.float32)
    same_spikes(model, quantised, x, ["n"])


# ---- pixels


def pixel_net(**given):
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.conv2d("conv", b.input("x", "f32", [1, 6, 6], **given), dyadic(rng, 4, 1, 3, 3), padding=1)
    x = b.neuron("n", x, Neuron(threshold=0.5))
    b.output("y", b.readout("y", b.linear("head", b.flatten("flat", x), dyadic(rng, 3, 144))))
    return b.build(STEPS)


@pytest.mark.parametrize("known", [True, False])
def test_the_first_layer_takes_pixels(known):
    told = {"zero_point": [128], "scale": 1 / 64}
    model = pixel_net(**told if known else {})
    pixels = np.random.default_rng(0).integers(108, 150, (16, 1, 6, 6), dtype=np.uint8)
    values = (pixels.astype(np.float32) - 128) / 64
    options = {} if known else {"preprocess": {"zero_point": 128, "scale": 1 / 64}}
    quantised, report = snncore.quantize(model, calibration=pixels, strict=True, **options)
    assert quantised.inputs[0].dtype == "u8" and quantised.inputs[0].zero_point == (128,)
    assert report.label_agreement == 1.0
    ours = quantised.run(values)
    np.testing.assert_array_equal(ours, quantised.run(pixels))
    np.testing.assert_allclose(ours, model.run(values), atol=1e-5)


def test_a_flattened_image():
    b = snncore.GraphBuilder()
    x = b.flatten("flat", b.input("x", "f32", [2, 3, 3], zero_point=[0, 9], scale=1 / 128))
    b.output(
        "y", b.readout("y", b.neuron("n", b.linear("fc", x, dyadic(np.random.default_rng(0), 12, 18)), IF))
    )
    model = b.build(STEPS)
    quantised, _ = snncore.quantize(model, strict=True)
    x = np.random.default_rng(0).integers(0, 256, (9, 2, 3, 3), dtype=np.uint8)
    same_spikes(model, quantised, x, ["n"])


# ---- membranes, report, refusals


def test_states():
    model = image_net(LIF, LIF)
    x = spikes(64)
    for state, bits in (("i8", 8), ("i16", 16), ("i32", 32)):
        _, report = snncore.quantize(model, state=state, calibration=x)
        assert {row.state_bits for row in report.layers} == {bits, None}
    chosen, report = snncore.quantize(model, state="auto", calibration=x)
    assert report.label_agreement >= 0.995
    widths = [n["attrs"]["state"] for n in document(chosen)["graph"]["nodes"] if n["op"] in ("lif", "if")]
    assert len(widths) == 2 and "i32" not in widths
    hard = image_net(Neuron(rate=0.97, threshold=3.0), LIF)  # 8 bits with the usual rounding would not decay
    quantised, _ = snncore.quantize(hard, state="i8")
    nodes = {n["name"]: n for n in document(quantised)["graph"]["nodes"]}
    assert nodes["n1"]["attrs"]["leak"] == "tz12" and nodes["n2"]["attrs"]["leak"] == "q15"


def test_profile_u():
    model = image_net(IF, presets.snntorch.leaky(0.5))
    _, report = snncore.quantize(model, bits=2, profile="U")
    assert [row.profile for row in report.layers] == ["U", "W", None]  # the second drops two thresholds
    same_spikes(model, snncore.quantize(model)[0], spikes())


def test_profile_auto():
    """Thirds of a threshold are exact in U alone, a slow leak is finer in W, a double drop has only W."""
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.linear("thirds", b.input("x", "b1", [1], layout="TNC"), np.full((4, 1), 1 / 3, np.float32))
    x = b.linear("leaky", b.neuron("n1", x, IF), rng.choice([-0.2, 0.3, 0.3], (8, 4)).astype(np.float32))
    x = b.linear("drops", b.neuron("n2", x, Neuron(rate=0.9)), dyadic(rng, 8, 8))
    x = b.linear("head", b.neuron("n3", x, presets.snntorch.leaky(0.5)), dyadic(rng, 3, 8))
    b.output("y", b.readout("y", x))
    model = b.build(64)
    options = {"bits": 1, "ends": None, "calibration": spikes(64, (1,), 64)}
    made, report = snncore.quantize(model, profile="auto", **options)
    rows = {row.neuron: row for row in report.layers}
    assert [rows[n].profile for n in ("n1", "n2", "n3")] == ["U", "W", "W"]
    assert rows["n1"].spike_agreement == 1.0
    fixed = {p: snncore.quantize(model, profile=p, **options)[1].layers[0] for p in ("U", "W")}
    assert fixed["U"].spike_agreement == 1.0 > fixed["W"].spike_agreement
    assert report.notes[0] == (
        f"'n1' counts in unit U: {100 * fixed['W'].spike_agreement:.3f} % of its spikes are the float "
        "model's in W, 100.000 % in U"
    )
    assert report.notes[1].startswith("'n2' counts in unit W: ") and "% in U" in report.notes[1]
    assert report.notes[2] == "'n3' counts in unit W: its constants do not fit unit U"
    assert str(report).endswith("\n".join(report.notes))
    nodes = {n["name"]: n["attrs"] for n in document(made)["graph"]["nodes"]}
    assert [nodes[n]["profile"] for n in ("n1", "n2", "n3")] == ["U", "W", "W"]
    both, _ = snncore.quantize(model, profile="auto", state="auto", **options)
    assert snncore.load(both.to_bytes()).run(spikes(1, (1,), 64)).shape == (1, 3)


def test_the_report():
    model = image_net(LIF, Neuron(floor="clamp", floor_value=-1.0))
    before = model.to_bytes()
    quantised, report = snncore.quantize(model, bits=4, calibration=spikes(), state="i8")
    assert model.to_bytes() == before
    assert quantised.labels == model.labels and quantised.timesteps == model.timesteps
    assert quantised.metadata["provenance"]["name"] == "dyadic"
    assert quantised.inputs == model.inputs and quantised.outputs == model.outputs
    assert report.bytes_after == len(quantised.to_bytes())
    assert report.bytes_before == len(before)
    found = json.loads(report.to_json())
    assert list(found) == ["bits", "method", "bytes_before", "bytes_after", "samples", "label_agreement",
                           "saturation_samples", "memory_before", "memory_after", "layers",
                           "notes"]  # fmt: skip
    assert found["samples"] == 16 and [row["bits"] for row in found["layers"]] == [8, 32, 8]
    packed = snncore.pack(spikes(), axis=2)
    assert snncore.quantize(model, bits=4, calibration=packed, state="i8")[1] == report
    text = str(report)
    for part in (
        "8 bit symmetric",
        "8 bit",
        "% of 16 samples",
        "'conv2' stays float: 'n2' (neuron): its membrane",
    ):
        assert part in text
    _, silent = snncore.quantize(model)
    assert silent.label_agreement is None and silent.samples == 0 and "agree" not in str(silent)


def test_saturations_are_those_of_the_reference():
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", [4], layout="TNC"), np.array([[-1.0] * 4, [0.25] * 4], np.float32))
    b.output("y", b.readout("y", b.neuron("n", x, IF)))
    model = b.build(STEPS)
    on = np.ones((STEPS, 3, 4), bool)
    quantised, report = snncore.quantize(model, calibration=on)
    # int16 ends at -8 thresholds, which the second step reaches: the two after it are cut, in three samples
    assert report.layers[0].saturations == 6 and report.saturation_samples == 3
    assert snncore.verify(quantised, None, on).equal


def bad(message, error=ValueError, **options):
    return pytest.param(options, message, error, id=message[:40])


@pytest.mark.parametrize(
    ("options", "message", "error"),
    [
        bad("bits must be 1, 2, 4 or 8, received 3", bits=3),
        bad("bits must be 1, 2, 4 or 8, received '4'", bits="4"),
        bad("bits must be 1, 2, 4 or 8, received True", bits=True),
        bad("method 'symmetric' has 2, 4 or 8 bits, received 1", bits=1, method="symmetric"),
        bad("method must be 'symmetric' or 'rescaw', received 'minmax'", method="minmax"),
        bad("gamma must be 'mean', 'max', 'percentile' or 'one', received 'l2'", gamma="l2"),
        bad("granularity must be 'channel' or 'layer', received 'row'", granularity="row"),
        bad("ends must be 2, 4, 8 or None, received 1", ends=1),
        bad("state must be .* received 'i64'", state="i64"),
        bad("state 'auto' is chosen on calibration data", state="auto"),
        bad("profile must be 'W', 'U' or 'auto', received 'X'", profile="X"),
        bad("profile 'auto' is chosen on calibration data", profile="auto"),
        bad(r"calibration: input 'x': expected shape \[T, N, 2, 6, 6\]", calibration=spikes(shape=(2, 6, 5))),
        bad("calibration: input 'x': expected at least one sample|calibration: expected at least one sample",
            calibration=spikes(0)),
        bad("calibration: expected finite values for 'x', received NaN",
            calibration=np.full((STEPS, 1, 2, 6, 6), np.nan, np.float32)),
        bad("calibration: expected an array for each of the inputs x", calibration={"y": spikes()}),
        bad("calibration: input 'x': expected dtype", calibration=spikes().astype(int)),
        bad("preprocess: expected a model with one float32 input, it has 0",
            preprocess={"zero_point": 0, "scale": 1.0}),
        bad("preprocess: expected the keys zero_point and scale", preprocess={"size": [3, 3]}),
    ],
)  # fmt: skip
def test_bad_calls(options, message, error):
    model = image_net(LIF, LIF)
    before = model.to_bytes()
    with pytest.raises(error, match=message) as caught:
        snncore.quantize(model, **options)
    assert "\n" not in str(caught.value)
    assert model.to_bytes() == before


@pytest.mark.parametrize(
    ("preprocess", "message"),
    [
        ({"zero_point": 300, "scale": 1.0}, "zero_point must be one integer of 0..255, or 1, received 300"),
        ({"zero_point": [0, 0], "scale": 1.0}, "zero_point must be one integer"),
        ({"zero_point": 0.5, "scale": 1.0}, "zero_point must be one integer"),
        ({"zero_point": 0, "scale": 0}, "scale must be a number above 0, received 0"),
        ({"zero_point": 0, "scale": float("nan")}, "scale must be a number above 0"),
        ({"zero_point": 0, "scale": 1 / 255}, "values of 'x' are pixels of -255 to 510, expected 0 to 255"),
    ],
)
def test_bad_pixels(preprocess, message):
    x = np.linspace(-1, 2, 36, dtype=np.float32).reshape(1, 1, 6, 6)
    with pytest.raises(ValueError, match=message):
        snncore.quantize(pixel_net(), preprocess=preprocess, calibration=x)


def test_bad_models():
    quantised, _ = snncore.quantize(image_net(LIF, LIF), bits=4)
    with pytest.raises(ValueError, match="expected a model of float weights, 'conv1' is quantised already"):
        snncore.quantize(quantised)
    eight, _ = snncore.quantize(image_net(LIF, LIF))
    with pytest.raises(ValueError, match="'conv1' is quantised already"):
        snncore.quantize(eight)
    with pytest.raises(TypeError, match=r"expected a model, received str; snncore\.load reads"):
        snncore.quantize("net.snn")
    b = snncore.GraphBuilder()
    b.output("y", b.maxpool2d("pool", b.input("x", "b1", [1, 4, 4]), 2))
    with pytest.raises(ValueError, match="expected a model with a conv2d or linear layer"):
        snncore.quantize(b.build(1))
    b = snncore.GraphBuilder()
    b.output("y", b.readout("y", b.linear("fc", b.input("x", "f32", [3]), np.ones((2, 3), np.float32))))
    with pytest.raises(ValueError, match="nothing can become integer: 'fc': its input 'x' is float32"):
        snncore.quantize(b.build(1))


def test_a_layer_that_reads_a_layer_stays_float():
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.conv2d("depthwise", b.input("x", "b1", [2, 6, 6]), dyadic(rng, 2, 1, 3, 3), groups=2)
    x = b.lif("n1", b.conv2d("pointwise", x, dyadic(rng, 4, 2, 1, 1)))
    x = b.lif("n2", b.conv2d("conv", x, dyadic(rng, 4, 4, 3, 3)))
    b.output("y", x)
    model, report = snncore.quantize(b.build(STEPS), bits=8)
    assert report.left_float == ("depthwise", "pointwise")
    assert "it reads real values, not spikes" in report.layers[1].reason
    pytest.importorskip("torch")
    assert snncore.verify(model, None, rng.random((2, 2, 6, 6)) < 0.5).equal
