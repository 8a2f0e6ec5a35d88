"""Whole networks in onnxruntime: the engine's integers, spikes and outputs."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import nets
from convert.onnx_runs import run, same

import snncore
from snncore import GraphBuilder

RNG = np.random.default_rng(17)
FIRST = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def from_the_start():
    RNG.bit_generator.state = FIRST


def bundled(name):
    return snncore.load(str(files("snncore") / "data" / name))


def back(proto, model):
    """What comes back is the very file."""
    again = snncore.from_onnx(proto)
    assert again.to_bytes() == model.to_bytes()
    return again


def test_the_bundled_image_model(tmp_path):
    """The ten images that come with the package: the same integer logits, from a file of 340 KB."""
    pytest.importorskip("PIL")
    from snncore.tools.common import bundled_images, pictures, stack

    model = bundled("cifar10_vgg.snn")
    x = stack(pictures(list(bundled_images().values()), model))
    lifs = [layer.name for layer in model.layers if layer.op == "lif"]
    proto = snncore.to_onnx(model, tmp_path / "net.onnx", record=["fc1", *lifs])
    ours, theirs = model.run(x, record=["logits.sum", *lifs]), run(proto, x)
    np.testing.assert_array_equal(theirs["fc1"].sum(0), ours.states["logits.sum"])
    np.testing.assert_array_equal(theirs["logits"], ours.outputs)
    for name in lifs:
        np.testing.assert_array_equal(theirs[name], ours.spikes[name].numpy())
    assert (tmp_path / "net.onnx").stat().st_size < 2 * model.file_bytes
    back(tmp_path / "net.onnx", model)


def test_the_bundled_event_model():
    model = bundled("nmnist_cnn.snn")
    (port,) = model.inputs
    shape = [{"T": 20, "N": 2}.get(axis, 0) for axis in port.layout if axis in "TN"] + list(port.shape)
    x = RNG.random(shape) < 0.1
    x = x if port.dtype == "b1" else x.astype({"f": np.float32, "u": np.uint8}[port.dtype[0]])
    back(same(model, x), model)


def test_pixels_to_logits():
    model = nets.image_net()
    back(same(model, nets.pixels(3), ["stem.lif", "block.lif"]), model)
    same(model, nets.pixels(1), ["block.lif"], timesteps=7)


def test_any_number_of_samples_and_steps_and_every_layout():
    for layout, shape in {"TNCHW": (6, 2, 3, 8, 8), "NHWC": (4, 8, 8, 3), "CTHWN": (3, 5, 8, 8, 2)}.items():
        model = nets.image_net(layout=layout)
        x = RNG.integers(0, 256, shape, dtype=np.uint8)
        back(same(model, x, ["stem.lif"]), model)


def test_two_inputs_and_two_outputs():
    model = nets.two_inputs_net()
    x = {"image": RNG.random((2, 2, 4, 4)) < 0.5, "more": RNG.random((2, 7)) < 0.5}
    back(same(model, x, ["lif"]), model)


def test_sums_that_float32_cannot_hold():
    """Pixels times 8-bit weights over 1,200 taps: shared out among convolutions, or float64."""
    top = np.full((3, 48, 5, 5), 127, np.int8)
    top[1] = RNG.integers(-128, 128, top[1].shape)
    b = GraphBuilder()
    x = b.input("x", "u8", [48, 6, 6], zero_point=[0] * 48, scale=1.0)
    x = b.conv2d("conv", x, top, encoding="odd", bits=8, scale=1.0)
    ones = np.ones(3, np.int32)
    x = b.requant("current", [x], [ones], 0 * ones, 0 * ones)
    b.output("y", b.lif_int("lif", x, theta=[76_500_000, 1000, 1], state="i32", leak="none", reset="zero"))
    model = b.build(2)
    x = np.full((1, 48, 6, 6), 255, np.uint8)
    x[0, 0, 0, 0] = 254  # one less than what it takes, in one place
    proto = same(model, x, ["lif"])
    assert any(f.name == "conv2d__5" for f in proto.functions)
    sums = run(snncore.to_onnx(model, record=["conv"]), x)["conv"]
    np.testing.assert_array_equal(sums, model.run(x, record=["conv.sum"]).states["conv.sum"])
    assert sums[0, 0, 0, 1, 1] == 255 * 255 * 1200 > 2**26 and sums[0, 0, 0, 0, 0] == 255 * 255 * 1200 - 255
    back(proto, model)

    b = GraphBuilder()
    x = b.input("x", "count8", [3000])
    weight = RNG.integers(-128, 128, (4, 3000)).astype(np.int8)
    x = b.linear("fc", x, weight, encoding="odd", bits=8, scale=1e-6, bias=[0.5, 0, 1, 2])
    b.output("y", b.readout("logits", x))
    model = b.build(3)
    x = RNG.integers(0, 256, (2, 3000)).astype(np.uint8)
    proto = snncore.to_onnx(model)
    total = 3 * (x.astype(np.int64) @ (2 * weight.astype(np.int64) + 1).T)
    expected = (total * 1e-6 / 3 + [0.5, 0, 1, 2]).astype(np.float32)
    np.testing.assert_array_equal(run(proto, x)["y"], expected)
    back(proto, model)


def test_float_sums_are_within_their_bound():
    """Any order of n products and sums errs by at most n units in the last place of the sum of magnitudes."""
    w1, b1 = RNG.normal(size=(16, 8, 3, 3)).astype(np.float32), RNG.normal(size=16).astype(np.float32)
    b = GraphBuilder()
    x = b.conv2d("conv", b.input("x", "f32", [8, 9, 9]), w1, bias=b1, padding=1)
    b.output("y", x)
    model = b.build(1)
    x = RNG.normal(size=(3, 8, 9, 9)).astype(np.float32)
    ours, theirs = model.run(x), run(snncore.to_onnx(model), x)["y"]
    b = GraphBuilder()
    b.output("y", b.conv2d("conv", b.input("x", "f32", [8, 9, 9]), abs(w1), bias=abs(b1), padding=1))
    bound = 2 * 73 * 2.0**-24 * b.build(1).run(abs(x))
    assert np.all(abs(ours - theirs) <= bound) and np.any(ours != 0)


def test_sums_of_many_terms_keep_their_order():
    b = GraphBuilder()
    x = [b.input(name, "f32", [50]) for name in "abcd"]
    b.output("y", b.readout("out", b.add("sum", x), "sum"))
    model = b.build(6)
    x = {name: RNG.normal(size=(2, 50)).astype(np.float32) for name in "abcd"}
    back(same(model, x), model)


def test_rules_that_hang_on_time():
    """Profile X has a threshold for each step since the last reset; a run of more steps is an error."""
    b = GraphBuilder()
    codes = RNG.integers(-8, 8, (6, 10)).astype(np.int8)
    x = b.linear("fc", b.input("x", "b1", [10]), codes, encoding="odd", bits=4, scale=0.1)
    b.output("y", b.lif("lif", x, profile="X", leak="half_floor", threshold=1.4, state="i32"))
    model = b.build(4)
    x = RNG.random((3, 10)) < 0.6
    proto = same(model, x, ["lif"])
    back(proto, model)
    with pytest.raises(Exception, match="GatherElements"):
        run(snncore.to_onnx(model, timesteps=9), np.zeros((1, 10), bool))


def test_options():
    model = nets.image_net()
    with pytest.raises(ValueError, match=r"no layer 'nowhere' with a value for each step"):
        snncore.to_onnx(model, record=["nowhere"])
    with pytest.raises(ValueError, match="1 to 4096, received 0"):
        snncore.to_onnx(model, timesteps=0)
    with pytest.raises(ValueError, match="the input's first axis tells it"):
        snncore.to_onnx(nets.image_net(layout="TNCHW"), timesteps=3)
    two = nets.two_inputs_net()
    assert [o.name for o in snncore.to_onnx(two, record=["lif"]).graph.output] == ["spikes", "rate", "lif"]
    b = GraphBuilder()
    x = b.lif("lif", b.linear("fc", b.input("x", "f32", [4]), np.ones((4, 4), np.float32)))
    b.output("fc", x)
    with pytest.raises(snncore.Error, match="recorded layers would be called 'fc'"):
        snncore.to_onnx(b.build(1), record=["fc"])
    assert [o.name for o in snncore.to_onnx(model, record="stem.lif").graph.output] == ["logits", "stem.lif"]
    again = snncore.from_onnx(snncore.to_onnx(model, timesteps=9))
    assert again.timesteps == 9 and again.labels == model.labels
    assert again.metadata["preprocess"] == model.metadata["preprocess"]
    assert snncore.from_onnx(snncore.to_onnx(model), timesteps=2, name="x").metadata["timesteps"] == 2


def test_a_flattened_image_meets_a_vector():
    b = GraphBuilder()
    x = b.input("x", "b1", [2, 3, 3])
    flat = b.flatten("flat", x)
    fc = b.linear("fc", flat, np.ones((18, 18), np.float32))
    b.output("y", b.lif("lif", b.add("join", [fc, flat])))
    with pytest.raises(snncore.Error, match=r"'join' \(add\) joins a flattened image"):
        snncore.to_onnx(b.build(1))


def test_the_file_does_not_depend_on_the_day():
    model = nets.image_net()
    assert snncore.to_onnx(model).SerializeToString(deterministic=True) == snncore.to_onnx(
        model
    ).SerializeToString(deterministic=True)


@pytest.mark.parametrize("shape", [(5,), (3, 2, 2)])
def test_loops_of_every_kind_of_neuron(shape):
    """Neurons with a current, refractory time and a membrane each, whose spikes come back; others' values."""
    each = np.asarray(RNG.integers(1, 5, shape) / 8, np.float32)
    spiking = snncore.Neuron(
        rate=each, synapse="decay_add", synapse_rate=0.5, threshold=each.flat[0] + 0.25, initial=each,
        refractory="hold", refractory_steps=2, reset="subtract",
    )  # fmt: skip
    keeping = snncore.Neuron(charge="euler_leak_first", rate=0.5, fire="none", reset="none", leak=0.25)
    channels = shape[0]
    layer = "conv2d" if len(shape) == 3 else "linear"
    square = (channels, channels, 1, 1) if len(shape) == 3 else (channels, channels)

    def weights():
        return np.asarray(RNG.integers(-8, 12, square) / 8, np.float32)

    b = GraphBuilder()
    x = b.input("x", "f32", shape, layout="TNCHW" if len(shape) == 3 else "TNC")
    spikes = getattr(b, layer)("from_spikes", b.delay("late", "spiking", 1, shape), weights())
    values = b.delay("later", "keeping", 3, shape, dtype="f32")
    x = b.neuron("spiking", b.add("sum", [getattr(b, layer)("in", x, weights()), spikes, values]), spiking)
    b.output("v", b.neuron("keeping", getattr(b, layer)("out", x, weights()), keeping))
    b.output("s", x)
    model = b.build(8)
    x = np.asarray(RNG.integers(-8, 17, (8, 3, *shape)) / 8, np.float32)
    proto = same(model, x, ["spiking"])
    assert [n.op_type for n in proto.graph.node].count("Scan") == 1 and 0 < model.run(x)["s"].mean() < 0.9
    back(proto, model)


def test_a_recurrent_cuba_network_from_nir():
    nir = pytest.importorskip("nir")
    pytest.importorskip("h5py")
    from convert.nir_networks import DT, STEPS, cuba_lif, graph, values, weights

    nodes = {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "one": cuba_lif((3,), r=4.0),
        "self": nir.Linear(weights(RNG, 3, 3)),
        "two": cuba_lif((3,), r=4.0),
    }
    g = graph(nodes, "input fc one two output, one self one", outputs=(3,))
    model = snncore.from_nir(g, dt=DT, reset="zero")
    x = values(RNG, STEPS, 4, 4)
    assert model.run(x).any()
    back(same(model, x, ["one", "two"]), model)


def test_fixed_point_neurons_in_a_loop():
    b = GraphBuilder()
    codes, loop = (RNG.integers(-8, 8, (5, n)).astype(np.int8) for n in (12, 5))
    x = b.linear("fc", b.input("x", "b1", [12]), codes, encoding="odd", bits=4, scale=1.0)
    again = b.linear("again", b.delay("late", "cuba", 2, [5]), loop, encoding="odd", bits=4, scale=1.0)
    gains, none = np.full(5, 64, np.int32), np.zeros(5, np.int32)
    x = b.requant("current", [x, again], [gains, gains], none, none)
    x = b.cuba_lif("cuba", x, current_decay=3000, decay=3900, theta=np.full(5, 90_000), bias=none + 100)
    b.output("y", b.readout("count", x, "sum", scale=1.0, bias=none))
    model = b.build(12)
    x = RNG.random((4, 12)) < 0.5
    back(same(model, x, ["cuba"]), model)
    assert 0 < model.run(x).mean() < 12


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("mode", ["mean", "sum", "last"])
def test_layers_behind_a_readout(loop, mode):
    def weights(*shape):
        return (RNG.integers(-8, 9, shape) / 8).astype(np.float32)

    b = GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", [8], layout="TNC"), weights(6, 8))
    if loop:
        x = b.add("in", [x, b.linear("again", b.delay("late", "lif", 1, [6]), weights(6, 6))])
    x = b.readout("readout", b.lif("lif", x), mode)
    heads = [b.linear(f"head{n}", x, weights(3, 6), bias=weights(3)) for n in range(2)]
    b.output("y", b.add("sum", heads))
    b.output("z", x)
    model = b.build(4)
    proto = same(model, RNG.random((4, 5, 8)) < 0.5, ["lif"])
    assert [d.dim_param or d.dim_value for d in proto.graph.output[0].type.tensor_type.shape.dim] == ["N", 3]
    back(proto, model)
