"""Layers as exporters write them, around neurons of ours: imported, they fire as onnxruntime runs them."""

from __future__ import annotations

import io

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from convert.onnx_runs import run
from onnx import helper, numpy_helper

import snncore
from snncore import Neuron
from snncore.convert.onnx import neuron_call

RNG = np.random.default_rng(23)
FIRST = RNG.bit_generator.state
LIF = Neuron(rate=0.5, threshold=0.5, reset="subtract")
STEPS, SAMPLES = 5, 3


@pytest.fixture(autouse=True)
def from_the_start():
    RNG.bit_generator.state = FIRST


def dyadic(*shape):
    return np.asarray(RNG.integers(-16, 33, shape) / 32, np.float32)


class Draft:
    """A graph in the making; `steps` is the T of its neurons."""

    def __init__(self, axes, steps=STEPS, dtype=onnx.TensorProto.FLOAT):
        self.nodes, self.functions, self.axes, self.dtype = [], {}, axes, dtype
        self.tensors = [numpy_helper.from_array(np.array([steps], np.int64), "steps")]

    def tensor(self, name, values):
        self.tensors.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def op(self, kind, *inputs, **attributes):
        name = f"{kind.lower()}{len(self.nodes)}"
        given = [i if isinstance(i, str) else self.tensor(f"{name}.{k}", i) for k, i in enumerate(inputs)]
        self.nodes.append(helper.make_node(kind, given, [f"{name}_out"], name=name, **attributes))
        return f"{name}_out"

    def neuron(self, x, image=True, neuron=LIF):
        name = f"neuron{len(self.nodes)}"
        call = neuron_call(neuron, name, x, f"{name}_out", image=image)
        self.nodes.append(call.node)
        self.tensors += call.tensors
        self.functions[call.function.name] = call.function
        return f"{name}_out"

    def model(self, y, opset=17):
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [*self.nodes, helper.make_node("Identity", [y], ["y"], name="end")],
            "g",
            [value("x", self.dtype, self.axes)],
            [value("y", onnx.TensorProto.FLOAT, None)],
            self.tensors,
        )
        return helper.make_model(
            graph,
            functions=list(self.functions.values()),
            opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("snncore", 1)],
            ir_version=8,
        )


def agrees(proto, x, shape=None, **options):
    """Ours fires as onnxruntime does; `shape` is that of x as the file takes it, [T*N, ...]."""
    model = snncore.from_onnx(proto, **options)
    (theirs,) = run(proto, x if shape is None else x.reshape(shape)).values()
    ours = model.run(x)
    assert np.any(ours) and np.any(ours != ours.flat[0])
    np.testing.assert_array_equal(ours, theirs.reshape(ours.shape))
    return model


def test_a_cnn():
    d = Draft(["B", 2, 8, 8])
    x = d.op("Conv", "x", dyadic(6, 2, 3, 3), dyadic(6), pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    half = np.array([0.5, 2, 1, 1, 1, 4], np.float32)
    x = d.op("BatchNormalization", x, half, dyadic(6), dyadic(6), np.ones(6, np.float32), epsilon=0.0)
    x = d.op("MaxPool", d.neuron(x), kernel_shape=[2, 2], strides=[2, 2])
    x = d.neuron(d.op("Conv", x, dyadic(8, 3, 3, 3), group=2, dilations=[1, 1], strides=[1, 1]))
    x = d.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = d.neuron(d.op("Gemm", d.op("Flatten", x), dyadic(10, 8), dyadic(10), transB=1), image=False)
    x = d.op("Dropout", x)
    x = d.op("Add", d.op("MatMul", x, dyadic(10, 4)), dyadic(4))
    x = d.op("ReduceMean", d.op("Reshape", x, np.array([STEPS, -1, 4])), axes=[0], keepdims=0)
    x_ = dyadic(STEPS, SAMPLES, 2, 8, 8)
    model = agrees(d.model(x), x_, (-1, 2, 8, 8))
    assert model.timesteps == STEPS and model.inputs[0].layout == "TNCHW"
    assert model.outputs[0].layout == "NC" and [layer.op for layer in model.layers].count("neuron") == 3


def test_residuals_and_the_mean_of_an_image():
    d = Draft(["B", 4, 4, 4])
    x = d.neuron(d.op("Conv", "x", dyadic(4, 4, 1, 1)))
    y = d.neuron(d.op("Conv", x, dyadic(4, 4, 3, 3), pads=[1, 1, 1, 1]))
    z = d.neuron(d.op("Conv", d.op("Add", x, y), dyadic(4, 4, 1, 1)))
    mean = d.op("Flatten", d.op("GlobalAveragePool", z))
    both = d.op("Sum", d.op("Gemm", mean, dyadic(4, 5)), d.op("Gemm", mean, dyadic(4, 5)))
    x_ = dyadic(STEPS, SAMPLES, 4, 4, 4)
    agrees(d.model(d.neuron(both, image=False)), x_, (-1, 4, 4, 4))


def test_spikes_in_and_time_as_an_axis():
    d = Draft(["T", "N", 6], dtype=onnx.TensorProto.BOOL)
    x = d.op("Cast", "x", to=onnx.TensorProto.FLOAT)
    x = d.op("Reshape", d.op("MatMul", x, dyadic(6, 9)), np.array([-1, 9]))
    x = d.op(
        "ReduceSum",
        d.op("Reshape", d.neuron(x, image=False), np.array([STEPS, -1, 9])),
        np.array([0]),
        keepdims=0,
    )
    model = agrees(d.model(x), RNG.random((STEPS, SAMPLES, 6)) < 0.5)
    assert model.inputs[0].dtype == "b1" and model.inputs[0].layout == "TNC"


def test_one_matrix_turned_round_and_shapes_written_out():
    """What exporters fold or not: a Transpose of a constant, Reshape to [batch, F], Identity."""
    d = Draft([SAMPLES * STEPS, 2, 4, 4])
    x = d.op("Reshape", d.neuron(d.op("Conv", "x", dyadic(3, 2, 1, 1))), np.array([SAMPLES * STEPS, 48]))
    turned = d.op("Transpose", dyadic(5, 48), perm=[1, 0])
    x = d.op("Reshape", d.op("MatMul", d.op("Identity", x), turned), np.array([STEPS, SAMPLES, 5]))
    agrees(d.model(x), dyadic(STEPS, SAMPLES, 2, 4, 4), (-1, 2, 4, 4))


def test_outputs_that_are_not_read_out():
    d = Draft(["B", 6])
    proto = d.model(d.neuron(d.op("Gemm", "x", dyadic(6, 4)), image=False))
    x = dyadic(STEPS, SAMPLES, 6)
    agrees(proto, x, (-1, 6))
    spikes = run(proto, x.reshape(-1, 6))["y"].reshape(STEPS, SAMPLES, 4)
    for mode, expected in {"sum": spikes.sum(0), "last": spikes[-1], "mean": spikes.mean(0)}.items():
        ours = snncore.from_onnx(proto, readout=mode, labels=list("abcd"), name="n")
        np.testing.assert_allclose(ours.run(x), expected, rtol=1e-7)
        assert ours.labels == list("abcd") and ours.metadata["provenance"]["name"] == "n"


def test_quantised_weights_without_their_description():
    """A tool that drops the metadata takes the scale of weights along, and nothing that is computed."""
    import nets

    model = nets.image_net()
    proto = snncore.to_onnx(model)
    del proto.metadata_props[:]
    again = snncore.from_onnx(proto)
    np.testing.assert_array_equal(again.run(nets.pixels()), model.run(nets.pixels()))
    assert [layer.weight_bits for layer in again.layers] == [layer.weight_bits for layer in model.layers]


def test_a_network_that_torch_exported():
    """Its Relu nodes become neurons; torch has folded the batch norm."""
    torch = pytest.importorskip("torch")
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8, eps=0.0), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    ).eval()  # fmt: skip
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.from_numpy(dyadic(*p.shape)) if p.dim() > 1 else torch.ones_like(p) / 2)
    file = io.BytesIO()
    with pytest.warns(DeprecationWarning):
        torch.onnx.export(net, (torch.zeros(STEPS * SAMPLES, 3, 8, 8),), file, dynamo=False)
    proto = onnx.load_from_string(file.getvalue())
    with pytest.raises(snncore.Error, match=r"Relu '.*' makes this an ordinary network.*snncore.convert_ann"):
        snncore.from_onnx(proto)
    for k, node in enumerate(proto.graph.node):
        if node.op_type == "Relu":
            call = neuron_call(LIF, node.name, node.input[0], node.output[0])
            proto.graph.node[k].CopyFrom(call.node)
            proto.graph.initializer.extend(call.tensors)
    proto.functions.append(call.function)
    proto.opset_import.append(helper.make_opsetid("snncore", 1))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([STEPS], np.int64), "steps"))
    agrees(proto, dyadic(STEPS, SAMPLES, 3, 8, 8), (-1, 3, 8, 8))


def test_axes_that_cannot_be_told():
    for target in ([-1, SAMPLES, 4], [0, SAMPLES, 4], [STEPS + 1, -1, 4]):
        d = Draft(["B", 6])
        x = d.neuron(d.op("Gemm", "x", dyadic(6, 4)), image=False)
        proto = d.model(d.op("Reshape", x, np.array(target)))
        with pytest.raises((snncore.Error, snncore.FormatError), match=r"Reshape 'reshape2': .*steps"):
            snncore.from_onnx(proto)
    d = Draft([STEPS, "N", 6])
    x = d.op("Reshape", d.op("Identity", "x"), np.array([SAMPLES, -1, 6]))
    with pytest.raises(snncore.Error, match="the first axis becomes 3, expected the number of steps"):
        snncore.from_onnx(d.model(d.op("MatMul", x, dyadic(6, 4))))


def test_biases_of_every_shape():
    for shape in ((4,), (1,), (1, 4)):
        d = Draft(["B", 6])
        x = d.op("Gemm", "x", dyadic(6, 4), dyadic(*shape))
        agrees(d.model(d.neuron(x, image=False)), dyadic(STEPS, SAMPLES, 6), (-1, 6))
    d = Draft(["B", 6])
    with pytest.raises(snncore.FormatError, match=r"Gemm 'gemm0': a bias \[3\], expected one value"):
        snncore.from_onnx(d.model(d.op("Gemm", "x", dyadic(6, 4), dyadic(3))), timesteps=1)


def test_layers_without_neurons_need_the_steps():
    d = Draft(["N", 6])
    proto = d.model(d.op("Gemm", "x", dyadic(6, 4)))
    with pytest.raises(ValueError, match="give timesteps"):
        snncore.from_onnx(proto)
    assert snncore.from_onnx(proto, timesteps=3).timesteps == 3
