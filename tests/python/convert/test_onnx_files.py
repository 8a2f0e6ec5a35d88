"""Files that are not what they seem: one sentence each, that names what is wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from convert.test_onnx_plain import Draft, dyadic
from onnx import helper, numpy_helper

import snncore


def says(source, text, kind=snncore.Error, **options):
    with pytest.raises((kind, snncore.FormatError) if kind is snncore.Error else kind, match=text) as caught:
        snncore.from_onnx(source, **options)
    assert "\n" not in str(caught.value)


def small(**options):
    d = Draft(["B", 6])
    return d, d.model(d.neuron(d.op("Gemm", "x", dyadic(6, 4), transB=0), image=False), **options)


def named(proto, name):
    return next(t for t in proto.graph.initializer if t.name == name)


def test_not_onnx(tmp_path):
    for data in (b"", b"x", b"\x00" * 100, b"PK\x03\x04" + b"z" * 200, onnx.ModelProto().SerializeToString()):
        says(data, "not an ONNX file", snncore.FormatError)
    (tmp_path / "net.onnx").write_bytes(b"\xff" * 64)
    says(tmp_path / "net.onnx", "net.onnx': not an ONNX file", snncore.FormatError)
    with pytest.raises(FileNotFoundError):
        snncore.from_onnx(tmp_path / "none.onnx")
    whole = small()[1].SerializeToString()
    for cut in range(1, len(whole), 97):
        with pytest.raises((snncore.Error, snncore.FormatError, ValueError)):
            snncore.from_onnx(whole[:cut])


def test_versions():
    says(small(opset=11)[1], "opset 11 is too old; export with opset 13 or later")
    _, proto = small()
    proto.opset_import[1].version = 2
    says(proto, "functions of version 2 of snncore's; this one knows up to 1")


def test_everything_without_a_counterpart_is_listed_at_once():
    d = Draft(["B", 2, 8, 8])
    x = d.op("Conv", "x", dyadic(4, 2, 3, 3), auto_pad="SAME_UPPER")
    x = d.op("AveragePool", d.neuron(x), kernel_shape=[2, 2], pads=[1, 1, 1, 1])
    x = d.op("MaxPool", x, kernel_shape=[2, 2], ceil_mode=1)
    x = d.op("LSTM", d.op("Gemm", d.op("Resize", x), dyadic(4, 4), alpha=0.5))
    proto = d.model(x)
    proto.graph.node[-1].domain = "com.microsoft"
    with pytest.raises(snncore.Error) as caught:
        snncore.from_onnx(proto)
    for words in (
        "'conv0' (Conv with auto_pad SAME_UPPER)",
        "'averagepool2' (AveragePool whose mean leaves padding out)",
        "'maxpool3' (MaxPool with ceil_mode 1)", "'resize4' (Resize)", "'gemm5' (Gemm with alpha 0.5)",
        "'lstm6' (LSTM)", "'end' (Identity of domain 'com.microsoft')",
    ):  # fmt: skip
        assert words in str(caught.value)


def test_graphs_that_do_not_hang_together():
    _, proto = small()
    del proto.graph.initializer[1]
    says(proto, "Gemm 'gemm0' reads 'gemm0.1', which nothing gives", snncore.FormatError)
    _, proto = small()
    proto.graph.node[0].input[0] = "neuron1_out"
    says(
        proto, "Gemm 'gemm0' reads 'neuron1_out' of a node that is not before it; cycles", snncore.FormatError
    )
    _, proto = small()
    proto.graph.node[2].output[0] = "gemm0_out"
    says(proto, "Identity 'end' gives 'gemm0_out', which exists already", snncore.FormatError)
    _, proto = small()
    proto.graph.node[1].name = "gemm0"
    says(proto, "two nodes are called 'gemm0'", snncore.FormatError)
    _, proto = small()
    proto.graph.output[0].name = "nowhere"
    says(proto, "output 'nowhere' is given by no node", snncore.FormatError)
    _, proto = small()
    proto.graph.initializer.append(proto.graph.initializer[0])
    says(proto, "two tensors are called 'steps'", snncore.FormatError)
    _, proto = small()
    proto.graph.output[0].name = "gemm0.1"
    says(proto, "output 'gemm0.1' does not depend on the input", snncore.FormatError)


def test_tensors_that_lie():
    for dims in ([6, 5], [2**40, 2**40], [-1, 4], [1] * 9, [0, 4]):
        _, proto = small()
        named(proto, "gemm0.1").dims[:] = dims
        says(proto, "gemm0", (snncore.FormatError, ValueError))
    _, proto = small()
    values = np.zeros((6, 4), np.float32)
    values[1, 2] = np.nan
    named(proto, "gemm0.1").CopyFrom(numpy_helper.from_array(values, "gemm0.1"))
    says(proto, r"tensor 'gemm0.1' holds values that are not finite", snncore.FormatError)
    _, proto = small()
    named(proto, "gemm0.1").CopyFrom(
        helper.make_tensor("gemm0.1", onnx.TensorProto.FLOAT16, [6, 4], [0.0] * 24)
    )
    says(proto, "tensor 'gemm0.1' is of type FLOAT16; .* export float32 weights")
    _, proto = small()
    named(proto, "gemm0.1").data_type = 99
    says(proto, "tensor 'gemm0.1' is of type 99")
    _, proto = small()
    proto.graph.sparse_initializer.add()
    says(proto, "sparse tensors")


def test_data_outside_the_file(tmp_path):
    _, proto = small()
    weight = numpy_helper.to_array(named(proto, "gemm0.1"))
    onnx.save(proto, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    model = snncore.from_onnx(tmp_path / "net.onnx")
    assert model.to_bytes() == snncore.from_onnx(small_again(weight)).to_bytes()
    kept = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    says(kept, "lies in the file 'net.data'; give the path of the model")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "secret").write_bytes(b"x" * 4096)
    (tmp_path / "link").symlink_to(tmp_path / "sub" / "secret")
    for location in ("sub/secret", "../secret", "/etc/passwd", "", "..", "link"):
        says(moved(kept, tmp_path, location=location), "which is not beside the model", snncore.FormatError)
    says(
        moved(kept, tmp_path, location="none.data"), "no .* bytes for it in 'none.data'", snncore.FormatError
    )
    says(moved(kept, tmp_path, length="7"), "bytes for it in 'net.data'", snncore.FormatError)
    says(moved(kept, tmp_path, offset="-4"), "bytes for it in 'net.data'", snncore.FormatError)
    says(moved(kept, tmp_path, offset="99999999"), "'net.data' is too short", snncore.FormatError)


def small_again(weight):
    _, proto = small()
    named(proto, "gemm0.1").CopyFrom(numpy_helper.from_array(weight, "gemm0.1"))
    return proto


def moved(proto, folder, **entries):
    """Write a copy whose first outside tensor has these entries."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    tensor = next(t for t in copy.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL)
    for entry in tensor.external_data:
        entry.value = entries.get(entry.key, entry.value)
    path = folder / "moved.onnx"
    path.write_bytes(copy.SerializeToString())
    return path


def test_functions_that_are_not_ours():
    _, proto = small()
    del proto.functions[:]
    says(proto, r"'neuron1': the file does not hold this function", snncore.FormatError)
    _, proto = small()
    scan = next(n for n in proto.functions[0].node if n.op_type == "Scan")
    body = next(a for a in scan.attribute if a.name == "body").g
    next(n for n in body.node if n.op_type == "GreaterOrEqual").op_type = "Greater"
    says(proto, "'neuron1': the function in the file is not the one that snncore writes", snncore.FormatError)
    _, proto = small()
    attribute(proto.graph.node[1], "charge").s = b"magic"
    says(proto, "its attributes are not those of such a function", snncore.FormatError)
    _, proto = small()
    attribute(proto.graph.node[1], "charge").s = b"rest"
    says(proto, "is not the one that snncore writes", snncore.FormatError)
    _, proto = small()
    del proto.graph.node[1].attribute[:]
    says(proto, "its attributes are not", snncore.FormatError)
    _, proto = small()
    proto.graph.node[1].input.pop()
    says(proto, r"'neuron1': expected 9 inputs, received 8", snncore.FormatError)
    _, proto = small()
    proto.graph.node[1].op_type = "wonder__x"
    says(proto, r"'neuron1' \(no function wonder__x of snncore's\)")
    _, proto = small()
    proto.graph.node[1].input[1] = "gemm0_out"
    says(proto, "input 1 is not the number of steps", snncore.FormatError)


def attribute(node, name):
    return next(a for a in node.attribute if a.name == name)


def test_numbers_that_a_model_cannot_have():
    _, proto = small()
    named(proto, "steps").CopyFrom(numpy_helper.from_array(np.array([10**9]), "steps"))
    says(proto, "1000000000 steps; up to 4096", snncore.FormatError)
    d = Draft(["B", 2**31, 1, 1])
    says(d.model(d.neuron("x")), "x", ValueError)
    d = Draft(["B", "C", 8, 8])
    says(d.model(d.neuron("x")), r"input 'x' has the axes .*F, C, H and W fixed")
    d = Draft(["B", 2, 8, 8])
    says(
        d.model(d.op("MaxPool", "x", kernel_shape=[2**40, 2])),
        "maxpool0",
        (ValueError, snncore.Error),
        timesteps=1,
    )
    d = Draft(["B", 2, 8, 8])
    says(d.model(d.neuron(d.op("Conv", "x", dyadic(4, 3, 3, 3)))), "conv0", (ValueError, snncore.Error))
    d = Draft(["B", 6])
    says(
        d.model(d.op("Reshape", "x", np.array([3, 7]))),
        r"Reshape 'reshape0': from \[6\] for each step to \[3, 7\]",
    )


def corrupt(name, change, text):
    """Change the exported image network's call of a function."""
    import nets

    proto = snncore.to_onnx(nets.image_net())
    change(proto, next(n for n in proto.graph.node if n.name == name))
    says(proto, text, (snncore.FormatError, ValueError))


def test_calls_that_contradict_themselves():
    def set_(name, field, value):
        return lambda proto, node: setattr(attribute(node, name), field, value)

    for value in (2**62, 2**31 - 1, -1):
        corrupt("stem.lif", set_("leak_param", "i", value), "'stem.lif': .*attribute")
    corrupt("stem.lif", set_("leak_at_store", "i", 2**31 - 1), "is not the one that snncore writes")
    corrupt("stem.lif", set_("decay", "s", b"nan"), "'decay' is not finite")
    corrupt("stem.lif", set_("threshold", "s", b"one"), "'threshold' is not a number")
    corrupt("stem.lif.current", set_("kinds", "s", b"a" * 99), "expected 99 inputs and more, received 4")
    corrupt("image.value", set_("scale", "s", b"-1.0"), "scale")
    corrupt("image.value", set_("layout", "s", b"NCHX"), "is not the one|its attributes are not")

    def divisor(proto, node):
        tensor = named(proto, node.input[-1])
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 3, tensor.name))

    corrupt("stem.lif.current", divisor, "divides by what is not a power of two")

    def weights(proto, node):
        tensor = named(proto, "stem.weight.int16")
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) + np.int16(1), tensor.name))

    corrupt("stem", weights, "Conv 'stem': weights .* are not of the encoding 'odd' of 8 bits")

    def facts(proto, node):
        proto.metadata_props[0].value = '{"timesteps": "many"}'

    corrupt("stem", facts, "metadata 'snncore' is not what snncore writes")


def looped():
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "f32", [6]), dyadic(5, 6))
    back = b.linear("again", b.delay("late", "lif", 2, [5]), dyadic(5, 5))
    b.output("y", b.lif("lif", b.add("sum", [x, back]), threshold=0.5))
    return b.build(4)


def vectors():
    import nets

    return nets.VectorNet().model()


@pytest.mark.parametrize("make", [vectors, looped])
def test_bits_that_were_flipped(make):
    """Whatever a changed bit makes of a file, it is read or refused; never anything else."""
    data = bytearray(snncore.to_onnx(make()).SerializeToString())
    rng, refused = np.random.default_rng(3), 0
    for _ in range(300):
        at, bit = int(rng.integers(len(data))), 1 << int(rng.integers(8))
        data[at] ^= bit
        try:
            snncore.from_onnx(bytes(data))
        except (snncore.Error, snncore.FormatError, ValueError) as why:
            refused += 1
            assert not re.search(r"\n.*\n.*\n", str(why))
        data[at] ^= bit
    assert refused > 100


def counts():
    b = snncore.GraphBuilder()
    x = b.avgpool2d("pool", b.input("x", "b1", [2, 4, 4]), 2)
    b.output("means", b.lif("lif", b.conv2d("conv", x, np.ones((2, 2, 1, 1), np.float32))))
    codes = np.ones((3, 8), np.int8)
    b.output(
        "y", b.readout("out", b.linear("fc", b.flatten("flat", x), codes, encoding="sym", bits=4, scale=1.0))
    )
    return b.build(2)


@pytest.mark.parametrize(
    ("make", "name", "at", "value", "text"),
    [
        (looped, "x.repeated", 1, "x.value.samples", "input 1 is not the number of steps"),
        (looped, "late.first", 0, "steps", "input 0 is not the number of samples"),
        (looped, "y.steps", 0, "x.value", r"reads one frame \('x'\); snncore.repeat"),
        (looped, "loop/lif", 3, "sum", "input 3 is computed"),
        (looped, "loop/lif", 0, "x.frames", "reads 'x.frames', which only a function of snncore's may"),
        (looped, "loop/lif", 1, "late.memory", "a state of|not what the next step begins with"),
        (looped, "loop/again", 0, "lif.v", "input 0 does not come from an input"),
        (looped, "loop/late", 0, "lif.v", "reads no memory of a delay"),
        (vectors, "current.repeated", 0, "lif", "which has a frame for each step|reads 'lif' of a node"),
        (vectors, "lif", 0, "current", r"reads one frame \('current'\)"),
        (vectors, "y.output", 0, "fc2", "sum|output"),
        (counts, "conv", 0, "pool", "reads counts; snncore.real"),
        (counts, "flat", 0, "pool.real", r"reads what counts are worth \('flat'\)"),
        (counts, "means.output", 0, "pool", "is counts, not what they are worth"),
    ],
)
def test_wires_that_lead_elsewhere(make, name, at, value, text):
    """onnxruntime would compute something else than the model: refused, not guessed."""
    proto = snncore.to_onnx(make())
    nodes = list(proto.graph.node)
    if name.startswith("loop/"):
        loop = next(n for n in nodes if n.name == "loop")
        body = attribute(loop, "body").g
        nodes, name = list(body.node), name.removeprefix("loop/")
    next(n for n in nodes if n.name == name).input[at] = value
    says(proto, text, (snncore.Error, snncore.FormatError, ValueError))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    model = snncore.from_onnx(small()[1], timesteps=2)
    snncore.to_onnx(model, tmp_path / "net.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        snncore.to_onnx(model, tmp_path / "folder")
    with pytest.raises(FileNotFoundError, match="No such folder"):
        snncore.to_onnx(model, tmp_path / "none" / "net.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "net.onnx"]


def test_dropout_in_training():
    d = Draft(["B", 2, 8, 8])
    x = d.op("Dropout", d.op("Conv", "x", dyadic(4, 2, 3, 3)), np.array(0.5, np.float32), np.array(True))
    says(d.model(d.neuron(x)), "Dropout 'dropout1': training_mode, which drops values")
