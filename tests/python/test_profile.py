"""Model.profile: layers, operations and rates. How long anything took is not looked at."""

from __future__ import annotations

import json

import numpy as np
import pytest
from nets import STEPS, VectorNet, image_net, pixels

import snncore


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
    assert [line.split()[0] for line in lines[1:-1]] == [row.name for row in profile.layers]
    assert f"T = {STEPS}, batch 2, threads 1" in lines[-1]
    read = json.loads(profile.to_json())
    assert [row["operations"] for row in read["layers"]] == [row.operations for row in profile.layers]
    assert sum(row.operations for row in profile.layers) == STEPS * 2 * (9 * 70 + 3 * 9)


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
