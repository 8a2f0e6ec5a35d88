"""Model.profile: layers, operations, rates, and what is written. How long anything took is not looked at."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from nets import STEPS, VectorNet, codes, conv2d, image_net, pixels, two_inputs_net

import snncore
from snncore.synapses import synaptic_operations


def test_layers_of_an_image_network() -> None:
    model, x = image_net(), pixels(3)
    profile = model.profile(x, threads=2, seconds=0)
    assert (profile.timesteps, profile.batch, profile.threads) == (STEPS, 3, 2)
    assert profile.runs >= 3
    rows = {row.name: row for row in profile.layers}
    assert list(rows) == ["stem.lif", "block.lif", "pool", "head", "mean"]
    assert [rows[name].op for name in rows] == ["lif", "lif", "maxpool2d", "linear", "readout"]
    assert [rows[name].sums for name in rows] == [("stem",), ("block",), (), ("head",), ()]
    assert rows["stem.lif"].operations == 3 * 64 * 8 * 27  # the same for all steps
    assert rows["block.lif"].operations == STEPS * 3 * 64 * 10 * 72
    assert rows["pool"].operations == 0
    assert rows["head"].operations == STEPS * 3 * 5 * 160
    spikes = model.run(x, record=["stem.lif", "block.lif"]).spikes
    for name in spikes:
        assert rows[name].rate == spikes[name].numpy().mean()
    assert rows["pool"].rate is None
    assert sum(row.milliseconds for row in profile.layers) > 0


def test_bytes_are_those_of_the_file() -> None:
    model = image_net()
    profile = model.profile(pixels(), seconds=0)
    stored = {row.name: row.bytes for row in model.layers}
    assert profile.layers[0].bytes == stored["stem"] + stored["stem.lif"]
    assert sum(row.bytes for row in profile.layers) == sum(stored.values())


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_synaptic_operations_of_an_image_network(dtype: type) -> None:
    model, x = image_net(), pixels(11)  # more samples than are counted at a time
    zero = np.array([120, 128, 110]).reshape(3, 1, 1)
    x[0, :, 2:4] = zero  # a border in which nothing is counted
    given = x if dtype == np.uint8 else ((x - zero) / np.float32(64)).astype(np.float32)
    rows = {row.name: row for row in model.profile(given, seconds=0).layers}

    spikes = model.run(given, record=["stem.lif", "block.lif"]).spikes
    stem, block = (spikes[name].numpy().reshape(-1, *spikes[name].shape[2:]) for name in spikes)
    pooled = block.reshape(-1, 10, 4, 2, 4, 2).any(axis=(3, 5))
    ones = np.ones
    first = {  # the image is read once for all steps; no weight of the encoding "odd" is zero
        "Effective_MACs": conv2d((x != zero).astype(int), ones((8, 3, 3, 3), int), padding=1).sum(),
        "Effective_ACs": 0,
        "Dense": conv2d(ones(x.shape, int), ones((8, 3, 3, 3), int), padding=1).sum(),
    }
    second = {
        "Effective_MACs": 0,
        "Effective_ACs": conv2d(stem.astype(int), ones((10, 8, 3, 3), int), padding=1).sum(),
        "Dense": conv2d(ones(stem.shape, int), ones((10, 8, 3, 3), int), padding=1).sum(),
    }
    head = {"Effective_MACs": 0, "Effective_ACs": 5 * pooled.sum(), "Dense": 5 * pooled.size}
    assert rows["stem.lif"].synaptic_operations == first
    assert rows["block.lif"].synaptic_operations == second
    assert rows["head"].synaptic_operations == head
    assert rows["head"].effective == head["Effective_ACs"] / head["Dense"]
    assert rows["pool"].synaptic_operations is None and rows["pool"].effective is None


def test_zero_weights_groups_strides_and_dilation_are_counted() -> None:
    rng = np.random.default_rng(4)
    w, x = rng.integers(-1, 2, (6, 2, 3, 2)).astype(np.int8), rng.random((3, 2, 4, 9, 8)) < 0.4
    geometry = {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}
    b = snncore.GraphBuilder()
    y = b.conv2d("conv", b.input("x", "b1", [4, 9, 8]), w, encoding="sym", bits=2, scale=[1.0], **geometry)
    b.output("y", b.lif("lif", y))
    counted = b.build(3).profile(x, layout="TNCHW", seconds=0).synaptic_operations
    frames = x.reshape(-1, 4, 9, 8).astype(int)
    effective = conv2d(frames, (w != 0).astype(int), **geometry).sum()
    dense = conv2d(np.ones_like(frames), np.ones(w.shape, int), **geometry).sum()
    assert counted == {"Effective_MACs": 0, "Effective_ACs": effective, "Dense": dense}


def test_several_inputs_packed_or_not() -> None:
    model, rng = two_inputs_net(), np.random.default_rng(5)
    image, more = rng.random((2, 2, 4, 4)) < 0.3, rng.random((2, 7)) < 0.5
    expected = {"fc1": 6 * image.sum(), "fc2": 6 * more.sum()}
    for x in ((image, more), {"more": snncore.pack(more), "image": snncore.pack(image, axis=1)}):
        counted = synaptic_operations(model, x, layout=None, threads=1, timesteps=None)
        assert {name: row["Effective_ACs"] for name, row in counted.items()} == expected


@pytest.mark.parametrize("layout", ["TNCHW", "NHWTC", "CWTHN", "TCHW", "HWTC"])
def test_every_layout_is_counted_alike(layout: str) -> None:
    b = snncore.GraphBuilder()
    x = b.lif("first", b.conv2d("one", b.input("x", "b1", [2, 5, 4]), np.ones((3, 2, 2, 2), np.float32)))
    b.output("y", b.lif("second", b.conv2d("two", x, np.ones((4, 3, 2, 2), np.float32))))
    model, spikes = b.build(3), np.random.default_rng(6).random((3, 1, 2, 5, 4)) < 0.2
    axes, given = ("TNCHW", spikes) if "N" in layout else ("TCHW", spikes[:, 0])
    given = given.transpose([axes.index(axis) for axis in layout])
    first = 3 * conv2d(spikes[:, 0].astype(int), np.ones((1, 2, 2, 2), int)).sum()
    fired = model.run(given, layout=layout, record="first").spikes["first"].numpy()[:, 0]
    second = 4 * conv2d(fired.astype(int), np.ones((1, 3, 2, 2), int)).sum()
    for x in (given, snncore.pack(given, axis=layout.index("C")), snncore.pack(given, axis=0)):
        counted = synaptic_operations(model, x, layout=layout, threads=2, timesteps=None)
        assert [row["Effective_ACs"] for row in counted.values()] == [first, second]


def test_runs_after_it_are_as_before() -> None:
    model, x = image_net(), pixels()
    expected = model.run(x)
    model.profile(x, seconds=0)
    assert np.array_equal(model.run(x), expected)


def test_table_and_json() -> None:
    profile = (
        VectorNet().model().profile(np.ones((STEPS, 2, 70), bool), layout="TNC", timesteps=STEPS, seconds=0)
    )
    lines = profile.table().splitlines()
    assert lines[0].split()[:3] == ["layer", "op", "ms"]
    assert [line.split()[0] for line in lines[1:-2]] == [row.name for row in profile.layers]
    assert f"T = {STEPS}, batch 2, threads 1" in lines[-1]
    read = json.loads(profile.to_json())
    assert [row["operations"] for row in read["layers"]] == [row.operations for row in profile.layers]
    assert sum(row.operations for row in profile.layers) == STEPS * 2 * (9 * 70 + 3 * 9)


def test_chrome_trace(tmp_path) -> None:
    profile = image_net().profile(pixels(), seconds=0)
    path = tmp_path / "t.json"
    profile.chrome_trace(path)
    read = json.loads(path.read_text())
    named = [event for event in read["traceEvents"] if event["ph"] == "M"]
    assert [event["name"] for event in named] == ["process_name", "thread_name"]
    events = [event for event in read["traceEvents"] if event["ph"] == "X"]
    assert [event["name"] for event in events] == [row.name for row in profile.layers]
    assert len({(event["pid"], event["tid"]) for event in read["traceEvents"]}) == 1
    assert sum(event["dur"] for event in events) == pytest.approx(
        1e3 * sum(row.milliseconds for row in profile.layers)
    )
    for before, after in pairwise(events):
        assert after["ts"] == pytest.approx(before["ts"] + before["dur"])
    stem, pool = events[0]["args"], events[2]["args"]
    assert (stem["op"], stem["sums"], stem["rate"]) == ("lif", "stem", profile.layers[0].rate)
    assert stem["operations"] == profile.layers[0].operations
    assert sum(event["args"]["share"] for event in events) == pytest.approx(1)
    assert "rate" not in pool and "Dense" not in pool  # viewers know no null
    with pytest.raises(FileNotFoundError):
        profile.chrome_trace(tmp_path / "none" / "t.json")
    assert list(tmp_path.iterdir()) == [path]


class _Text(HTMLParser):
    """Collects tags and text; every tag that was opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_page_has_the_layers_and_no_name_is_markup() -> None:
    name = "</td><script>alert('&')</script>"
    b = snncore.GraphBuilder()
    w = codes(np.random.default_rng(0), (3, 4), 1)
    y = b.linear(f"fc{name}", b.input("x", "b1", [4]), w, encoding="odd", bits=1, scale=[1.0])
    b.output("y", b.lif(name, y))
    profile = b.build(2).profile(np.ones((2, 1, 4), bool), layout="TNC", seconds=0)
    html = profile.to_html(f"title {name}")
    read = _Text()
    read.feed(html)
    assert read.open == [] and "script" not in read.tags and read.tags.count("tr") == 1 + len(profile.layers)
    assert name in read.words and f"title {name}" in read.words
    assert "http" not in html and "src=" not in html
    assert {"lif", "24", "100.0 %"} <= set(read.words)  # operations; every input is a spike


def test_a_loop() -> None:
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [4], layout="TNC")
    back = b.delay("back", "spikes", shape=[4])
    weight = {"encoding": "odd", "bits": 1, "scale": [0.5]}
    sums = [b.linear(n, e, np.zeros((4, 4), np.int8), **weight) for n, e in (("in", x), ("again", back))]
    b.output("y", b.lif("spikes", b.add("both", sums)))
    rows = b.build(5).profile(np.ones((5, 1, 4), bool), seconds=0).layers
    by_name = {row.name: row for row in rows}
    assert by_name["spikes"].sums == ("in", "again")
    assert by_name["spikes"].operations == 5 * 2 * 16
    assert {row.name for row in rows} == {"spikes", "back", ""}


def test_a_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="image"):
        image_net().profile(np.zeros((1, 3, 9, 8), np.uint8), seconds=0)


@pytest.mark.parametrize("fire", ["count", "round", "none"])
def test_neurons_that_give_no_spikes_have_no_rate(fire: str) -> None:
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", [10]), np.ones((6, 10), np.float32))
    several = {"reset": "none"} if fire == "none" else {"most": 4, "reset": "subtract"}
    x = b.neuron("n", x, snncore.Neuron(fire=fire, **several))
    b.output("y", b.readout("r", b.linear("head", x, np.ones((3, 6), np.float32))))
    profile = b.build(5).profile(np.ones((4, 10), bool), seconds=0)
    assert {row.name: row.rate for row in profile.layers}["n"] is None
