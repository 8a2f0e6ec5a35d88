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
    np.save(tmp_path / "small.npy", spikes(shape=(2, 6, 5)))
    np.save(tmp_path / "nan.npy", np.full((4, 1, 2, 6, 6), np.nan, np.float32))
    return tmp_path


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def refused(files, capsys, command, options, message):
    """One sentence, nothing written, and the model as it was."""
    before = (files / "net.snn").read_bytes()
    given = [files / o if o.endswith(".npy") and (files / o).exists() else o for o in options]
    status, out, err = run(capsys, command, files / "net.snn", "-o", files / "out.snn", *given)
    assert status == 2 and out == "" and message in err and err.count("\n") == 1
    assert not (files / "out.snn").exists() and (files / "net.snn").read_bytes() == before


def test_quantize(files, capsys):
    out = files / "small.snn"
    status, text, _ = run(
        capsys, "quantize", files / "net.snn", "--bits", 4, "-o", out, "--calibration", files / "x.npy"
    )
    assert status == 0 and "4 bit rescaw" in text and f"written: {out}" in text
    made, report = snncore.quantize(snncore.load(files / "net.snn"), bits=4, calibration=spikes())
    assert out.read_bytes() == made.to_bytes()
    assert text.startswith(str(report))
    options = ("--profile", "auto", "--calibration", files / "x.npy", "--json")
    status, text, _ = run(capsys, "quantize", files / "net.snn", "-o", out, *options)
    assert status == 0 and json.loads(text)["notes"][0].startswith("'n1' counts in unit ")
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
        (("--profile", "auto"), "profile 'auto' is chosen on calibration data, and there are none"),
        (("--profile", "X"), "'X' is not one of"),
        (("--calibration", "small.npy"), "calibration: input 'x': expected shape [T, N, 2, 6, 6] in layout"),
        (
            ("--calibration", "nan.npy"),
            "calibration: expected finite values for 'x', received NaN or infinity",
        ),
    ],
)
def test_one_sentence(files, capsys, options, message):
    refused(files, capsys, "quantize", options, message)


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
        (("--ratio", "-0.5"), "ratio must be a number of 0 to 1, received -0.5"),
        (("--ratio", "1", "--calibration", "x.npy"), "would leave none of the 4 channels of 'conv1'"),
        (("--calibration", "small.npy"), "calibration: input 'x': expected shape [T, N, 2, 6, 6] in layout"),
        (("--layer", "head=0.5", "--criterion", "magnitude"), "'head' cannot lose channels: the readout"),
        (("--layer", "conv1"), "--layer takes NAME=RATIO, such as conv1=0.5; received 'conv1'"),
        (("--criterion", "l1"), "'l1' is not one of"),
        ((), "criterion 'svs' needs calibration data, received none"),
    ],
)
def test_prune_in_one_sentence(files, capsys, options, message):
    refused(files, capsys, "prune", options, message)
