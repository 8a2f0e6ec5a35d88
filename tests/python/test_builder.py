"""GraphBuilder: shapes, arguments, and what it refuses."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nets import codes

import snncore
from snncore import GraphBuilder

RNG = np.random.default_rng(0)


def spiking_image(shape: tuple[int, ...] = (4, 9, 9)) -> tuple[GraphBuilder, str]:
    b = GraphBuilder()
    return b, b.input("x", "b1", shape)


def test_a_layer_returns_its_name() -> None:
    b, x = spiking_image()
    assert x == "x"
    conv = b.conv2d("conv", x, codes(RNG, (6, 4, 3, 3), 4), encoding="odd", bits=4, scale=1.0)
    assert conv == "conv"
    assert b.lif("lif", conv) == "lif"


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (6, 7, 7)),
        ({"padding": 1}, (6, 9, 9)),
        ({"padding": (2, 0)}, (6, 11, 7)),
        ({"padding": (1, 2, 0, 0)}, (6, 10, 7)),
        ({"stride": 2}, (6, 4, 4)),
        ({"stride": (1, 3)}, (6, 7, 3)),
        ({"dilation": 3}, (6, 3, 3)),
        ({"groups": 2}, (6, 7, 7)),
    ],
)
def test_the_shape_of_a_convolution(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    b, x = spiking_image()
    weight = codes(RNG, (6, 4 // options.get("groups", 1), 3, 3), 4)
    assert b.shape(b.conv2d("conv", x, weight, encoding="odd", bits=4, scale=np.ones(6), **options)) == shape


def test_the_shapes_of_the_rest() -> None:
    b, x = spiking_image()
    assert b.shape(x) == (4, 9, 9)
    assert b.shape(b.maxpool2d("max", x, 2)) == (4, 4, 4)
    assert b.shape(b.maxpool2d("max3", x, 3, stride=2, padding=1)) == (4, 5, 5)
    assert b.shape(b.avgpool2d("mean", x, (9, 9))) == (4, 1, 1)
    assert b.shape(b.add("sum", [x, x])) == (4, 9, 9)
    flat = b.flatten("flat", x)
    assert b.shape(flat) == (324,)
    fc = b.linear("fc", flat, codes(RNG, (5, 324), 1), encoding="odd", bits=1, scale=1.0)
    assert b.shape(fc) == (5,)
    assert b.shape(b.readout("out", fc)) == (5,)


def test_columns_after_flatten_are_in_the_order_c_h_w() -> None:
    b, x = spiking_image((3, 2, 5))
    weight = RNG.integers(-100, 100, (4, 30)).astype(np.int8)
    fc = b.linear("fc", b.flatten("flat", x), weight, encoding="sym", bits=8, scale=1.0)
    b.output("y", b.readout("sum", fc, mode="sum"))
    spikes = RNG.random((6, 3, 2, 5)) < 0.5
    expected = spikes.reshape(6, 30).astype(np.int64) @ weight.T.astype(np.int64)
    np.testing.assert_array_equal(b.build(timesteps=1).run(spikes), expected)


@pytest.mark.parametrize(
    ("mode", "expected"), [("mean", [1.5, 0.5]), ("sum", [3.0, 1.0]), ("last", [1.0, 0.0])]
)
def test_readouts(mode: Any, expected: list[float]) -> None:
    b = GraphBuilder()
    x = b.input("x", "b1", [2])
    fc = b.linear("fc", x, np.array([[1, 1], [1, 0]], np.float32))
    b.output("y", b.readout("out", fc, mode=mode))
    frames = np.array([[[1, 1]], [[0, 1]]], bool)
    assert b.build(timesteps=2).run(frames, layout="TNC")[0].tolist() == expected


def test_scale_and_bias_of_a_linear_reach_the_readout() -> None:
    b = GraphBuilder()
    x = b.input("x", "b1", [3])
    weight = np.array([[3, -2, 5], [0, 1, 1]], np.int8)
    fc = b.linear("fc", x, weight, encoding="sym", bits=8, scale=[0.5, 2.0], bias=[10.0, -1.0])
    b.output("y", b.readout("out", fc))
    assert b.build(timesteps=3).run(np.array([[1, 0, 1]], bool)).tolist() == [[14.0, 1.0]]


def test_batch_norm_is_folded() -> None:
    gamma, beta, mean, var = (RNG.uniform(0.5, 1.5, 5) for _ in range(4))
    weight = RNG.normal(size=(5, 8)).astype(np.float32)
    b = GraphBuilder()
    fc = b.linear("fc", b.input("x", "f32", [8]), weight)
    b.output("y", b.readout("out", b.batch_norm("bn", fc, gamma, beta, mean, var)))
    x = RNG.normal(size=(4, 8)).astype(np.float32)
    expected = (x @ weight.T - mean) / np.sqrt(var + 1e-5) * gamma + beta
    np.testing.assert_allclose(b.build(timesteps=1).run(x), expected, rtol=1e-5, atol=1e-5)  # float32 sums


def test_a_lif_in_real_units_becomes_integers_that_agree() -> None:
    weight = codes(RNG, (20, 50), 4)
    x = RNG.random((30, 8, 50)) < 0.3
    b = GraphBuilder()
    edge = b.linear("fc", b.input("x", "b1", [50]), weight, encoding="odd", bits=4, scale=[0.05])
    b.output("y", b.lif("lif", edge, decay=0.75, threshold=1.0))
    spikes = b.build(timesteps=30).run(x, layout="TNC")
    v, different = np.zeros((8, 20)), 0
    for frame, fired in zip(x, spikes, strict=True):
        v = 0.75 * v + frame @ (2 * weight.astype(float) + 1).T * 0.05
        different += int(np.sum((v >= 1.0) != fired.astype(bool)))
        v = np.where(v >= 1.0, 0.0, v)
    assert spikes.mean() > 0.01
    assert different / spikes.size < 0.01  # constants are rounded to integers


def test_numpy_numbers_and_lists_are_accepted() -> None:
    b = GraphBuilder()
    x = b.input("x", "b1", np.array([4, 6, 6]))  # type: ignore[arg-type]
    weight = [[[[0, 1], [-1, 0]]] * 4]
    conv = b.conv2d("conv", x, np.array(weight, np.int8), encoding="odd", bits=4, scale=1, stride=np.int64(2))
    ones = [1]
    b.output("y", b.lif_int("lif", b.requant("r", [conv], [ones], [0], np.zeros(1, np.int64)), theta=ones))
    assert b.build(1).run(np.ones((1, 4, 6, 6), bool)).shape == (1, 1, 1, 3, 3)


def conv1(b: GraphBuilder, x: str) -> str:
    return b.conv2d("conv", x, np.ones((1, 4, 1, 1), np.float32))


def built(b: GraphBuilder, edge: str) -> snncore.Model:
    b.output("y", edge)
    return b.build(1)  # some mistakes show when the whole graph is known


Refusal = Callable[[GraphBuilder, str], Any]
CODES = codes(RNG, (6, 4, 3, 3), 4)
REFUSALS: dict[str, tuple[Refusal, list[str]]] = {
    "weight channels": (
        lambda b, x: b.conv2d("stem", x, CODES[:, :3], encoding="odd", bits=4, scale=1.0),
        ["stem", "3", "4"],
    ),
    "code out of range": (
        lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", bits=2, scale=1.0),
        ["stem"],
    ),
    "float as codes": (
        lambda b, x: b.conv2d("stem", x, CODES.astype(np.float32), encoding="odd", bits=4, scale=1.0),
        ["stem", "int8", "float32"],
    ),
    "codes as float": (lambda b, x: b.conv2d("stem", x, CODES), ["stem", "float32", "int8"]),
    "no bits": (lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", scale=1.0), ["stem", "bits"]),
    "bits": (lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", bits=3, scale=1.0), ["stem", "3"]),
    "encoding": (
        lambda b, x: b.conv2d("stem", x, CODES, encoding="even", bits=4, scale=1.0),  # type: ignore[arg-type]
        ["stem", "even"],
    ),
    "scale size": (
        lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", bits=4, scale=np.ones(5)),
        ["stem", "scale", "5"],
    ),
    "scale with floats": (
        lambda b, x: b.conv2d("stem", x, CODES.astype(np.float32), scale=1.0),
        ["stem", "scale"],
    ),
    "bias size": (
        lambda b, x: b.conv2d("stem", x, CODES.astype(np.float32), bias=np.ones(7)),
        ["stem", "bias", "7"],
    ),
    "stride": (
        lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", bits=4, scale=1.0, stride=(1, 2, 3)),
        ["stem", "stride"],
    ),
    "stride zero": (
        lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", bits=4, scale=1.0, stride=0),
        ["stem", "stride"],
    ),
    "groups": (
        lambda b, x: b.conv2d("stem", x, CODES, encoding="odd", bits=4, scale=1.0, groups=3),
        ["stem", "groups"],
    ),
    "window larger than image": (lambda b, x: b.maxpool2d("pool", x, 10), ["pool"]),
    "unknown edge": (lambda b, _: b.flatten("flat", "nobody"), ["nobody"]),
    "name twice": (lambda b, x: [b.flatten("flat", x), b.flatten("flat", x)], ["flat"]),
    "one summand": (lambda b, x: b.add("sum", [x]), ["sum"]),
    "shapes of summands": (lambda b, x: b.add("sum", [x, b.maxpool2d("pool", x, 2)]), ["sum", "[4, 9, 9]"]),
    "linear on an image": (
        lambda b, x: b.linear("fc", x, np.ones((2, 324), np.float32)),
        ["fc"],
    ),
    "too large for int32": (lambda b, x: b.requant("r", [x], [[2**31]], [0], [0]), ["r", "32-bit"]),
    "reset": (
        lambda b, x: b.lif("lif", conv1(b, x), reset="one"),  # type: ignore[arg-type]
        ["lif", "one"],
    ),
    "decay": (lambda b, x: built(b, b.lif("lif", conv1(b, x), decay=1.5)), ["lif", "1.5"]),
    "readout mode": (
        lambda b, x: b.readout("out", b.flatten("flat", x), mode="max"),  # type: ignore[arg-type]
        ["out", "max"],
    ),
    "dtype of an input": (lambda b, _: b.input("y", "f16", [3]), ["f16"]),  # type: ignore[arg-type]
    "pixels without scale": (lambda b, _: b.input("y", "u8", [3, 4, 4]), ["y"]),
    "layout of an input": (
        lambda b, _: built(b, b.maxpool2d("pool", b.input("y", "b1", [3, 4, 4], layout="NC"), 2)),
        ["NC"],
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_does_not_fit_is_refused(case: str) -> None:
    call, words = REFUSALS[case]
    b, x = spiking_image()
    with pytest.raises(ValueError) as refused:
        call(b, x)
    assert [word for word in words if word not in str(refused.value)] == []


def test_a_graph_without_output_is_refused() -> None:
    b, _ = spiking_image()
    with pytest.raises(ValueError, match="output"):
        b.build(1)


@pytest.mark.parametrize("timesteps", [0, -1, 4097])
def test_timesteps_out_of_range(timesteps: int) -> None:
    b, x = spiking_image()
    b.output("y", b.maxpool2d("pool", x, 2))
    with pytest.raises(ValueError, match=str(timesteps)):
        b.build(timesteps)


def test_preprocess_needs_all_keys() -> None:
    b, x = spiking_image()
    b.output("y", b.maxpool2d("pool", x, 2))
    with pytest.raises(ValueError, match="size, crop and color"):
        b.build(1, preprocess={"size": [9, 9]})


def test_a_builder_can_build_twice() -> None:
    b, x = spiking_image()
    b.output("y", b.maxpool2d("pool", x, 2))
    assert b.build(1).to_bytes() == b.build(1).to_bytes()
    assert isinstance(b.build(2), snncore.Model)


@pytest.mark.parametrize("between", ["nothing", "lif", "neuron", "delay"])
def test_a_flattened_image_keeps_the_order_of_users(between):
    """The columns of a linear layer are in the order C, H, W, whatever stands between it and `flatten`."""
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(4, 12)).astype(np.float32)
    b = snncore.GraphBuilder()
    x = b.flatten("flat", b.input("x", "f32", (3, 2, 2), layout="TNCHW"))
    if between == "lif":
        x = b.lif("n", x, decay=0.5, threshold=0.5)
    elif between == "neuron":
        x = b.neuron("n", x, snncore.Neuron(rate=0.5, threshold=0.5))
    elif between == "delay":
        x = b.delay("late", x)
    b.output("y", b.linear("l", x, weight))
    values = rng.normal(size=(2, 1, 3, 2, 2)).astype(np.float32)
    y = b.build(timesteps=2).run(values)
    read = values.reshape(2, 1, 12)
    if between in ("lif", "neuron"):
        read = np.array(read[:1] >= 0.5, np.float32)  # of the first step, from zero state
    elif between == "delay":
        read = np.concatenate([np.zeros_like(read[:1]), read[:1]])
    np.testing.assert_allclose(y[: len(read)], read @ weight.T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda b, x: b.input("y", "u8", (1, 4, 4), zero_point=[125.3], scale=1.0),
            "input 'y': zero_point: .* 125.3",
        ),
        (lambda b, x: b.maxpool2d("p", x, 1.5), "'p': kernel: .* 1.5"),
        (lambda b, x: b.maxpool2d("p", x, "2"), "'p': kernel: .* '2'"),
        (lambda b, x: b.maxpool2d("p", x, 2, padding=(0, 0.5)), "'p': padding .* 0.5"),
        (lambda b, x: b.maxpool2d("p", x, 2, padding=(0, 0, 0, 0.5)), "'p': padding: .* 0.5"),
    ],
)
def test_numbers_that_are_not_whole_are_not_rounded(made, message):
    b = snncore.GraphBuilder()
    with pytest.raises(TypeError, match=f"^{message}$"):
        made(b, b.input("x", "b1", (1, 4, 4)))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda b: b.flatten("f", 3), "flatten 'f': x: expected text, received 3"),
        (lambda b: b.flatten(3, "x"), "flatten: name: expected text, received 3"),
        (lambda b: b.lif("n", "x", decay="half"), "lif 'n': decay: expected a number, received 'half'"),
        (lambda b: b.lif("n", "x", decay=np.ones((9, 9))), "lif 'n': decay: expected a number, received nda"),
        (lambda b: b.lif("n", "x", strict=1), "lif 'n': strict: expected True or False, received 1"),
        (lambda b: b.lif("n", "x", reset=0), "lif 'n': reset: expected text, received 0"),
        (lambda b: b.lif("n", "x", theta0=0.5), "lif 'n': theta0: expected a whole number, received 0.5"),
        (lambda b: b.add("s", "x"), "add 's': inputs: expected a list, received 'x'"),
        (lambda b: b.add("s", ["x", 3]), "add 's': inputs: expected text, received 3"),
        (lambda b: b.readout("r", "x", mode=None), "readout 'r': mode: expected text, received None"),
        (lambda b: b.neuron("n", "x", "lif"), "neuron 'n': expected a snncore.Neuron, received 'lif'"),
        (lambda b: b.build(2.5), "build: timesteps: expected a whole number, received 2.5"),
        (lambda b: b.build(1, provenance={"a": 3}), "build: provenance['a']: expected text, received 3"),
        (lambda b: b.build(1, provenance="a"), "build: provenance: expected a dictionary, received 'a'"),
        (lambda b: b.flatten("f"), "missing a required argument: 'x'"),
    ],
)
def test_arguments_of_another_type(call: Callable[[GraphBuilder], Any], why: str) -> None:
    b, _ = spiking_image()
    with pytest.raises(TypeError) as caught:
        call(b)
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_rows_of_numbers_have_one_axis() -> None:
    b, x = spiking_image()
    weight = np.ones((6, 4, 3, 3), np.float32)
    with pytest.raises(ValueError, match=r"'c': expected one axis for bias, received shape \[1, 6\]"):
        b.conv2d("c", x, weight, bias=np.ones((1, 6)))
    c = b.conv2d("c", x, weight)
    with pytest.raises(ValueError, match=r"'bn': expected one axis for var, received shape \[2, 3\]"):
        b.batch_norm("bn", c, np.ones(6), np.ones(6), np.ones(6), np.ones((2, 3)))


def test_methods_still_say_what_they_take() -> None:
    assert list(inspect.signature(GraphBuilder.add).parameters) == ["self", "name", "inputs"]
    assert (GraphBuilder.add.__doc__ or "").startswith("Add the sum")


@pytest.mark.parametrize(
    "layer",
    [
        lambda b, x: b.lif("l2", b.linear("h", x, np.ones((3, 6), np.float32))),
        lambda b, x: b.delay("d", x),
        lambda b, x: b.add("s", [x, "lif"]),
        lambda b, x: b.readout("r2", x),
    ],
)
def test_what_follows_a_readout_has_no_state(layer: Callable[[GraphBuilder, str], str]) -> None:
    b = GraphBuilder()
    x = b.lif("lif", b.linear("fc", b.input("x", "b1", [8]), np.ones((6, 8), np.float32)))
    with pytest.raises(ValueError, match="reads a readout, which is known behind the last step"):
        b.output("y", layer(b, b.readout("r", x)))
        b.build(2)


def test_many_sums_of_sums_are_planned_in_no_time() -> None:
    b = GraphBuilder()
    x = b.readout("r", b.input("x", "f32", [2], layout="TNC"))
    for n in range(60):
        x = b.add(f"a{n}", [x, x])
    b.output("y", x)
    assert b.build(1).run(np.ones((1, 1, 2), np.float32)).tolist() == [[2.0**60] * 2]


def test_control_characters_are_no_part_of_names() -> None:
    b = GraphBuilder()
    b.output("y", b.readout("r", b.input("x", "f32", [2])))
    with pytest.raises(ValueError, match="labels: one holds a control character"):
        b.build(1, labels=["a\n", "b"])
    with pytest.raises(ValueError, match="provenance name holds a control character"):
        b.build(1, provenance={"a\x1b": "b"})
