from __future__ import annotations

import json

import numpy as np
import pytest
from compress.networks import image_net, spikes

import snncore

pytest.importorskip("click")
pytest.importorskip("rich")
from snncore import presets
from snncore.tools.cli import main


@pytest.fixture
def files(tmp_path):
    image_net(presets.spikingjelly.lif(), presets.spikingjelly.lif()).save(tmp_path / "net.snn")
    np.save(tmp_path / "x.npy", spikes())
    return tmp_path


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_quantize(files, capsys):
    out = files / "small.snn"
    status, text, _ = run(
        capsys, "quantize", files / "net.snn", "--bits", 4, "-o", out, "--calibration", files / "x.npy"
    )
    assert status == 0 and "4 bit rescaw" in text and f"written: {out}" in text
    made, report = snncore.quantize(snncore.load(files / "net.snn"), bits=4, calibration=spikes())
    assert out.read_bytes() == made.to_bytes()
    assert text.startswith(str(report))
    options = ("--gamma", "max", "--state", "i8", "--granularity", "layer", "--json")
    status, text, _ = run(capsys, "quantize", files / "net.snn", "--bits", 2, "-o", out, *options)
    assert status == 0 and json.loads(text)["layers"][1]["state_bits"] == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--bits", "3"), "'3' is not one of"),
        (("--bits", "1", "--method", "symmetric"), "method 'symmetric' has 2, 4 or 8 bits"),
        (("--scale", "0.1"), "--zero-point and --scale go together"),
        (("--zero-point", "0", "--scale", "0.1"), "expected a model with one float32 input"),
        (("--calibration", "none.npy"), "No such file"),
        (("--state", "auto"), "chosen on calibration data"),
    ],
)
def test_one_sentence(files, capsys, options, message):
    status, out, err = run(capsys, "quantize", files / "net.snn", "-o", files / "small.snn", *options)
    assert status == 2 and out == "" and message in err and err.count("\n") == 1
    assert not (files / "small.snn").exists()


def test_prune(files, capsys):
    out, x = files / "small.snn", files / "x.npy"
    options = ("--ratio", 0.4, "--layer", "conv1=0.25", "--calibration", x, "-o", out)
    status, text, _ = run(capsys, "prune", files / "net.snn", *options)
    made, report = snncore.prune(
        snncore.load(files / "net.snn"), calibration=spikes(), ratio=0.4, ratios={"conv1": 0.25}
    )
    assert status == 0 and text == f"{report}\nwritten: {out}\n"
    assert out.read_bytes() == made.to_bytes()
    options = ("--criterion", "magnitude", "--unstructured", "--json", "-o", out)
    status, text, _ = run(capsys, "prune", files / "net.snn", *options)
    assert status == 0 and json.loads(text)["streams"][0]["weights_after"] == 36


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ratio", "2"), "ratio must be a number of 0 to 1, received 2.0"),
        (("--layer", "conv1"), "--layer takes NAME=RATIO, such as conv1=0.5; received 'conv1'"),
        (("--criterion", "l1"), "'l1' is not one of"),
        ((), "criterion 'svs' needs calibration data, received none"),
    ],
)
def test_prune_in_one_sentence(files, capsys, options, message):
    status, out, err = run(capsys, "prune", files / "net.snn", "-o", files / "small.snn", *options)
    assert status == 2 and out == "" and message in err and err.count("\n") == 1
    assert not (files / "small.snn").exists()
