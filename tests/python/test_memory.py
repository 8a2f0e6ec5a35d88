"""What running takes. That the engine allocates just this is tested in cpp/tests/test_memory.cc."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from compress.networks import image_net, spikes

import snncore
from snncore import Neuron, presets

LIF = presets.spikingjelly.lif()
BITS = {"i2": 2, "i4": 4, "i8": 8, "i16": 16, "i32": 32}


def block(size: int) -> int:
    """Give bytes of a part of an arena: whole lines of 64, and one behind them."""
    return (size + 63) // 64 * 64 + 64


def rows(pixels: int, channels: int, bits: int) -> int:
    """Give bytes of membranes: rows of channels, padded to 32."""
    return block(pixels * ((channels + 31) // 32 * 32) * bits // 8)


def saved(model: snncore.Model, batch: int = 1) -> int:
    """Give bytes of a session's state, as it saves it behind a head of 24."""
    return len(model.stream(batch=batch).save_state()) - 24


@pytest.mark.parametrize("state", BITS)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_quantised(state, bits):
    model = image_net(LIF, LIF)
    small, report = snncore.quantize(model, bits=bits, state=state)
    held = report.memory_after
    by_name = {row.name: row for row in held.layers}
    assert by_name["n1"].membranes == rows(36, 4, BITS[state])
    assert by_name["n2"].membranes == rows(9, 6, BITS[state])
    assert by_name["y"].history == block(5 * 8)
    assert held.membranes + held.history == saved(small)
    assert held == snncore.load(small.to_bytes()).memory(stream=True)
    assert report.memory_before == model.memory(stream=True)
    assert report.memory_before.membranes == rows(36, 4, 32) + rows(9, 6, 32)
    assert held.weights > 0  # a level may lay them out for several methods
    for name in ("weights", "membranes", "history"):
        assert getattr(held, name) == sum(getattr(row, name) for row in held.layers)
    assert held.session == held.membranes + held.history + held.values + held.workers


def test_pruned():
    model = image_net(LIF, LIF)
    eight, _ = snncore.quantize(model, state="i8")
    small, report = snncore.prune(eight, calibration=spikes(), ratio=0.5)
    kept = {row.name: row.channels_after for row in report.streams}
    assert (kept["conv1"], kept["conv2"]) == (2, 3)
    before, after = report.memory_before, report.memory_after
    assert before == eight.memory(stream=True) and after == small.memory(stream=True)
    assert after.weights != before.weights  # here more: tables, which are faster, fit the smaller layers
    assert after.membranes == before.membranes == rows(36, 2, 8) + rows(9, 3, 8)  # both fit one row of 32
    assert after.membranes + after.history == saved(small)
    text = str(report)
    assert "in memory, running: weights " in text and ", membranes 1.6 KiB -> 1.6 KiB" in text
    assert json.loads(report.to_json())["memory_after"] == json.loads(json.dumps(asdict(after)))


def test_batch_threads_and_steps():
    model, _ = snncore.quantize(image_net(LIF, LIF), bits=4)
    one, three = (model.memory(stream=True, batch=n) for n in (1, 3))
    assert three.membranes == rows(3 * 36, 4, 16) + rows(3 * 9, 6, 16)
    assert three.membranes + three.history == saved(model, 3)
    assert one.weights == three.weights and one.timesteps == 1
    run = model.memory()
    assert (run.stream, run.timesteps, run.membranes) == (False, 4, 0) and run.weights == one.weights
    assert model.memory(timesteps=9).values > run.values
    two, four = (model.memory(threads=n).workers for n in (2, 4))
    assert 0 < two < four <= 2 * two  # more threads, smaller tiles
    assert str(run).startswith("running all steps at once, T = 4, 1 sample, 1 thread: weights ")
    assert str(three).startswith("running step by step, 3 samples, 1 thread: weights ")


def test_a_neuron_that_weighs_all_steps_at_once():
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", [8], layout="TNC"), np.ones((4, 8), np.float32))
    b.output("y", b.psn("n", x, weight=np.eye(4, dtype=np.float32), bias=np.zeros(4, np.float32)))
    model = b.build(4)
    with pytest.raises(snncore.Error, match="weighs all of 4 steps at once"):
        model.memory(stream=True)
    assert model.memory().weights > 0
    _, report = snncore.prune(model, criterion="magnitude", unstructured=True, ratios={"fc": 0.5})
    assert not report.memory_after.stream


def test_a_loop_keeps_state_in_a_run():
    b = snncore.GraphBuilder()
    back = b.delay("back", "n", shape=(4,))
    current = b.add(
        "sum", [b.linear("in", b.input("x", "b1", [8], layout="TNC"), np.ones((4, 8), np.float32)),
                b.linear("loop", back, np.ones((4, 4), np.float32))]
    )  # fmt: skip
    b.output("y", b.neuron("n", current, Neuron(rate=0.5)))
    held = b.build(4).memory()
    assert held.membranes == rows(1, 4, 32) and held.history == block(8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch must be 1..65536, received 0"),
        ({"threads": 1000}, "Model.memory: expected 1 to 256 threads, received 1000"),
        ({"timesteps": -1}, "timesteps: expected 1 to 4096|timesteps must be"),
    ],
)
def test_bad_calls(options, message):
    with pytest.raises(ValueError, match=message):
        image_net(LIF, LIF).memory(**options)


def test_inspect(tmp_path, capsys):
    pytest.importorskip("click")
    pytest.importorskip("rich")
    from snncore.tools.cli import main

    model, _ = snncore.quantize(image_net(LIF, LIF), bits=4, state="i4")
    path = str(tmp_path / "net.snn")
    model.save(path)
    assert main(["inspect", path, "--memory", "--json", "--threads", "2"]) == 0
    run, stream = json.loads(capsys.readouterr().out)["memory"]
    assert run == {**asdict(model.memory(threads=2)), "session": model.memory(threads=2).session,
                   "layers": [asdict(row) for row in model.memory(threads=2).layers]}  # fmt: skip
    assert stream["stream"] and stream["membranes"] == rows(36, 4, 4) + rows(9, 6, 4)
    assert main(["inspect", path, "--memory"]) == 0
    text = capsys.readouterr().out
    assert f"{model.memory()}\n{model.memory(stream=True)}\n" in text
    assert main(["inspect", path, "--memory", "--threads", "0"]) == 2
    assert capsys.readouterr().err == "snncore: Model.memory: expected 1 to 256 threads, received 0\n"
