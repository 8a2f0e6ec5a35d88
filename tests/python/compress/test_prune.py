from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from bundled import MODEL
from compress.networks import dyadic, spikes
from compress.pruned_networks import NETWORKS, codes, integer_residual, recurrent
from compress.silence import neurons, removed_by, silenced

import snncore
from snncore.compress.copying import Copy
from snncore.compress.graph import Graph
from snncore.compress.scores import ranks


@pytest.fixture(params=NETWORKS)
def network(request):
    make, shape = NETWORKS[request.param]
    return request.param, make(), spikes(samples=12, shape=shape)


def test_copy_is_the_same_file(network):
    _, model, _ = network
    facts = {k: model.metadata[k] for k in ("labels", "preprocess", "provenance")}
    assert Copy(Graph(model)).model(facts).to_bytes() == model.to_bytes()


@pytest.mark.parametrize("criterion", ["svs", "magnitude", "sca"])
def test_equals_silenced(network, criterion):
    name, model, x = network
    if criterion == "sca" and name in ("T", "recurrent"):
        with pytest.raises(ValueError, match=r"criterion 'sca' compares membranes .*; 'n\d' has"):
            snncore.prune(model, calibration=x, criterion=criterion)
        return
    small, report = snncore.prune(model, calibration=x, ratio=0.4, criterion=criterion)
    assert_silenced(model, small, report, spikes(samples=9, shape=x.shape[2:], seed=5))


def assert_silenced(model, small, report, x):
    """Every spike of every neuron: what is left is equal, what went was silent; outputs are equal."""
    gone = removed_by(model, report)
    assert any(places.size for places in gone.values())
    names = neurons(model)
    old = silenced(model, gone).run(x, record=names)
    new = small.run(x, record=names)
    assert np.array_equal(old.outputs, new.outputs)
    graph = Graph(model)
    fired = 0
    for node in graph.nodes:
        if node["name"] in names:
            was = flat(old.spikes[node["name"]].numpy(), graph, node)
            where = np.delete(np.arange(was.shape[-1]), gone[node["name"]])
            is_now = flat(new.spikes[node["name"]].numpy(), Graph(small), node)
            assert np.array_equal(was[..., where], is_now), node["name"]
            assert not was[..., gone[node["name"]]].any(), node["name"]
            fired += int(is_now.any())
    assert fired == len(names)  # else nothing was compared


def flat(values, graph, node):
    """Spikes with the axis of the file last: C, or h, w, c of a flattened image."""
    if values.ndim == 5:
        return np.moveaxis(values, 2, -1)
    if node["outputs"][0] in graph.images:
        h, w, c = graph.images[node["outputs"][0]]
        return values.reshape(*values.shape[:2], c, h, w).transpose(0, 1, 3, 4, 2).reshape(values.shape)
    return values


def test_bundled():
    model = snncore.load(MODEL)
    x = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), np.uint8)
    small, report = snncore.prune(model, calibration=x, ratio=0.3)
    kept = {row.name: (row.channels_before, row.channels_after) for row in report.streams}
    assert kept["conv1"] == (32, 22) and kept["conv6"] == (128, 89) and kept["fc1"] == (10, 10)
    assert report.left_alone == ("fc1",)
    assert (report.bytes_before, report.bytes_after) == (model.file_bytes, small.file_bytes)
    assert small.labels == model.labels and small.inputs == model.inputs
    assert_silenced(model, small, report, x)


def test_scores_of_known_maps():
    eye = np.random.default_rng(0).permutation(np.eye(7, dtype=int))
    maps = np.stack([np.full((7, 7), 3), np.zeros((7, 7), int), eye, np.outer(np.arange(7), np.arange(7))])
    assert ranks(maps).tolist() == [1, 0, 7, 1]
    wide = np.zeros((2, 3, 5), int)
    wide[0, [0, 1, 2], [4, 0, 2]] = 4
    assert ranks(wide).tolist() == [3, 0]


def exact_rank(matrix):
    """Rank over the rationals, by elimination."""
    rows = [[Fraction(int(v)) for v in row] for row in matrix]
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        top = rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / top[column]
            if factor:
                rows[i] = [v - factor * t for v, t in zip(rows[i], top, strict=True)]
        rank += 1
    return rank


@pytest.mark.parametrize("shape", [(2, 2), (8, 8), (16, 12), (32, 32)])
def test_ranks_are_exact(shape):
    rng = np.random.default_rng(1)
    maps = rng.integers(0, 5, (6, *shape)) * (rng.random((6, *shape)) < rng.random((6, 1, 1)))
    maps[::3, : shape[0] // 2] = maps[::3, shape[0] // 2 : 2 * (shape[0] // 2)]  # repeated rows
    assert ranks(maps).tolist() == [exact_rank(m) for m in maps]


def mapped(maps, steps=4):
    """A network whose three channels show given maps, fed as an input of spikes."""
    b = snncore.GraphBuilder()
    size = maps[0].shape[0]
    x = b.input("x", "b1", [3, size, size], layout="TNCHW")
    x = b.lif("n", b.conv2d("c", x, np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)), decay=0.0)
    ones = np.ones((2, 3 * size * size), np.float32)
    b.output("y", b.readout("y", b.linear("head", b.flatten("f", x), ones)))
    return b.build(steps), np.tile(np.stack(maps).astype(bool), (steps, 2, 1, 1, 1))


def test_keeps_high_ranks_and_breaks_ties_by_rate():
    one, eye, none = np.ones((5, 5)), np.eye(5), np.zeros((5, 5))
    model, x = mapped([one, none, eye])
    assert snncore.prune(model, calibration=x, ratio=0.5)[1].streams[0].kept == (2,)
    assert snncore.prune(model, calibration=x, ratio=0.3)[1].streams[0].kept == (0, 2)
    assert snncore.prune(model, calibration=x, criterion="dead")[1].streams[0].kept == (0, 2)
    row = np.zeros((5, 5))
    row[0] = 1
    model, x = mapped([row, one, row])  # all of rank 1
    assert snncore.prune(model, calibration=x, ratio=0.5)[1].streams[0].kept == (1,)
    assert snncore.prune(model, calibration=x, ratio=0.3)[1].streams[0].kept == (0, 1)


def test_membranes_before_reset():
    """Reset by subtraction: what the spike took is added back; the L1 norm is that of a loop in float64."""
    rng = np.random.default_rng(2)
    weight = dyadic(rng, 6, 4)
    b = snncore.GraphBuilder()
    x = b.lif("n", b.linear("c", b.input("x", "b1", [4], layout="TNC"), weight), decay=0.5, reset="subtract")
    b.output("y", b.readout("y", b.linear("head", x, dyadic(rng, 2, 6))))
    model, x = b.build(4), spikes(shape=(4,))
    v, norms = np.zeros((16, 6)), np.zeros(6)
    for frame in x:
        h = 0.5 * v + frame @ weight.T.astype(float)
        norms += np.abs(h).mean(0) / 4
        v = h - (h >= 1)
    report = snncore.prune(model, calibration=x, criterion="sca")[1]
    assert report.streams[0].kept == tuple(sorted(np.argsort(-norms)[:3]))


def test_dead_channels():
    model, x = NETWORKS["integer"][0](), spikes(samples=12, shape=(2, 8, 8))
    gone = {name: np.array([1, 4]) for name in ("stem", "n0", "sum1", "a2", "n2", "n1", "a1")}
    requants = {n["name"]: n for n in Graph(model).nodes if n["op"] == "requant"}
    for name, node in requants.items():
        reader = Graph(model).readers[node["outputs"][0]][0]["name"]
        if reader in gone:
            gone[name] = gone[reader]
    silent = silenced(model, gone)
    small, report = snncore.prune(silent, calibration=x, criterion="dead")
    rows = {row.name: row for row in report.streams}
    assert rows["stem"].kept == (0, 2, 3, 5, 6, 7) and rows["a1"].kept == (0, 2, 3, 5)
    assert report.outputs_equal and "outputs are the same, bit for bit, on 12 samples" in str(report)
    assert np.array_equal(small.run(x), silent.run(x))


def test_streams_share_channels():
    model, x = recurrent(), spikes(shape=(12,))
    rows = {r.name: r for r in snncore.prune(model, calibration=x, ratio=0.4)[1].streams}
    assert rows["c0"].members == ("c0", "loop", "n0") and rows["c0"].channels_after == 6
    model, x = integer_residual(), spikes(shape=(2, 8, 8))
    report = snncore.prune(model, calibration=x, ratios={"n4": 0.75, "a1": 0})[1]
    rows = {r.name: r for r in report.streams}
    assert rows["stem"].members == ("stem", "a2", "n0", "n2") and rows["stem"].channels_after == 4
    assert rows["b2"].members == ("b2", "short", "n4") and rows["b2"].channels_after == 3
    assert rows["a1"].channels_after == 6
    assert json.loads(report.to_json())["streams"][0]["kept"] == list(rows["stem"].kept)


def test_unstructured():
    rng = np.random.default_rng(7)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [12], layout="TNC")
    first, second = codes(rng, 20, 12, encoding="sym"), dyadic(rng, 8, 20)
    x = b.neuron("n1", b.linear("b", b.lif("n0", b.linear("a", x, **first)), second), snncore.Neuron())
    b.output("y", b.readout("y", b.linear("head", x, dyadic(rng, 5, 8))))
    model = b.build(4)
    small, report = snncore.prune(model, criterion="magnitude", unstructured=True, ratio=0.75)
    parts = Graph(small)
    real = np.abs(first["weight"] * first["scale"][:, None])
    now = parts.parts.codes(parts.nodes[0]).q
    assert np.count_nonzero(now) == 60 and np.array_equal(now[now != 0], first["weight"][now != 0])
    assert real[now != 0].min() >= real[now == 0].max()
    assert report.streams[1].weights_after == 40 and report.streams[2].weights_after == 40
    assert report.streams[2].reason is not None and report.samples == 0
    half = snncore.prune(model, criterion="magnitude", unstructured=True, ratios={"head": 0.5})[1]
    assert half.streams[2].weights_after == 20 and half.left_alone == ()


def bad(message, error=ValueError, make=integer_residual, **options):
    model = make()
    before = model.to_bytes()
    given = {"calibration": spikes(samples=2, shape=(2, 8, 8))} | options
    with pytest.raises(error, match=message) as caught:
        snncore.prune(model, **given)
    assert "\n" not in str(caught.value) and model.to_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": -0.1}, "ratio must be a number of 0 to 1, received -0.1"),
        ({"ratio": 1.5}, "ratio must be a number of 0 to 1, received 1.5"),
        ({"ratio": float("nan")}, "ratio must be a number of 0 to 1, received nan"),
        ({"ratio": "half"}, "ratio must be a number of 0 to 1, received 'half'"),
        ({"ratio": 1.0}, "a ratio of 1 would leave none of the 8 channels of 'stem'"),
        ({"ratio": 0.9}, "a ratio of 0.9 would leave none of the 8 channels of 'stem'"),
        ({"ratios": {"stem": 2}}, r"ratios\['stem'\] must be a number of 0 to 1, received 2"),
        ({"ratios": {"none": 0.5}}, "ratios: expected names of stem, a2, .*; received 'none'"),
        ({"ratios": {"head": 0.5}}, "'head' cannot lose channels: the readout 'y' reads it"),
        ({"ratios": {"stem": 0.5, "a2": 0.25}}, "'stem' and 'a2' share one set of channels, .* 0.5 and 0.25"),
        ({"criterion": "l1"}, "criterion must be one of svs, sca, magnitude, dead, received 'l1'"),
        ({"calibration": None}, "criterion 'svs' needs calibration data, received none"),
        ({"calibration": np.zeros((4, 2, 3, 8, 8), bool)}, r"calibration: input 'x': expected shape \[T, N"),
        ({"calibration": np.full((4, 1, 2, 8, 8), np.nan, "f4")}, "expected finite values for 'x'"),
        ({"criterion": "dead", "ratio": 0.5}, "'dead' removes all channels that never fire; give no ratio"),
        ({"unstructured": True}, "unstructured goes with criterion 'magnitude' only, received 'svs'"),
        (
            {"unstructured": True, "criterion": "magnitude"},
            "'stem' has weights of encoding 'odd', none of which is zero",
        ),
    ],
)
def test_bad_calls(options, message):
    bad(message, **options)


def net(layers):
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [4, 2, 2], layout="TNCHW")
    layers(b, x, np.random.default_rng(0))
    return b.build(4)


def grouped(b, x, rng):
    x = b.lif("n", b.conv2d("c", x, dyadic(rng, 6, 2, 1, 1), groups=2))
    b.output("y", b.readout("y", b.linear("head", b.flatten("f", x), dyadic(rng, 2, 24))))


def joined_with_input(b, x, rng):
    x = b.lif("n", b.add("sum", [b.conv2d("c", x, dyadic(rng, 4, 4, 1, 1)), x]))
    b.output("y", b.readout("y", b.linear("head", b.flatten("f", x), dyadic(rng, 2, 16))))


def cannot_agree(b, x, rng):
    image = b.flatten("f", b.lif("n", b.conv2d("c", x, dyadic(rng, 3, 4, 1, 1))))
    vector = b.linear("l", b.flatten("f0", x), dyadic(rng, 12, 16))
    x = b.lif("n2", b.add("sum", [image, vector]))
    b.output("y", b.readout("y", b.linear("head", x, dyadic(rng, 2, 12))))


def counted(b, x, rng):
    neuron = snncore.Neuron(fire="count", most=3, reset="subtract")
    x = b.neuron("n", b.conv2d("c", x, dyadic(rng, 6, 4, 1, 1)), neuron)
    b.output("y", b.readout("y", b.linear("head", b.flatten("f", x), dyadic(rng, 2, 24))))


def shown(b, x, rng):
    b.output("y", b.lif("n", b.conv2d("c", x, dyadic(rng, 6, 4, 1, 1))))


def real_valued(b, x, rng):
    x = b.conv2d("c", x, dyadic(rng, 6, 4, 1, 1))
    x = b.lif("n", b.conv2d("d", x, dyadic(rng, 6, 6, 1, 1)))
    b.output("y", x)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (grouped, "'c': 'c' is a convolution of 2 groups"),
        (joined_with_input, "'c': it is joined with the input 'x'"),
        (cannot_agree, "'c': 'sum' joins 3 channels with 12, which cannot share one index set; 'l': 'sum'"),
        (counted, "'c': 'n' gives counts or its membrane, not spikes"),
        (shown, "'c': it is the output 'y'"),
        (real_valued, "'c': 'd' reads real values of it"),
    ],
)
def test_what_keeps_its_channels(layers, message):
    x = spikes(samples=2, shape=(4, 2, 2))
    bad(f"nothing can be removed: {message}", make=lambda: net(layers), calibration=x)
    bad("'c' cannot lose channels", make=lambda: net(layers), calibration=x, ratios={"c": 0.5})


@pytest.mark.parametrize(
    ("channels", "ratio", "stay"), [(10, 0.9, 1), (10, 0.8, 2), (100, 0.9, 10), (8, 0.3, 5)]
)
def test_ratios_are_decimal_numbers(channels, ratio, stay):
    b = snncore.GraphBuilder()
    x = b.lif("n", b.linear("fc", b.input("x", "b1", [4]), np.ones((channels, 4), np.float32)))
    b.output("y", b.readout("r", b.linear("head", x, np.ones((2, channels), np.float32))))
    small, _ = snncore.prune(b.build(2), ratio=ratio, criterion="magnitude")
    assert next(row.shape for row in small.layers if row.name == "n") == (stay,)
