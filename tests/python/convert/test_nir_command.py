"""`snncore convert` with NIR files."""

from __future__ import annotations

import numpy as np
import pytest

nir = pytest.importorskip("nir")
pytest.importorskip("h5py")
pytest.importorskip("click")
pytest.importorskip("rich")

from convert.nir_networks import DT, graph, lif, values, weights

import snncore
from snncore.tools.cli import main

RNG = np.random.default_rng(13)


@pytest.fixture
def net(tmp_path):
    g = graph({"fc": nir.Linear(weights(RNG, 3, 4)), "lif": lif((3,), r=4.0)}, "input fc lif output")
    nir.write(tmp_path / "net.nir", g)
    return tmp_path / "net.nir"


def fails(capsys, *arguments):
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err
    return err


def test_there_and_back(capsys, net, tmp_path):
    model = snncore.from_nir(net, dt=DT, reset="zero")
    assert (
        main(["convert", str(net), "--dt", repr(DT), "--reset", "zero", "-o", str(tmp_path / "a.snn")]) == 0
    )
    out = capsys.readouterr().out
    assert "input_gain: lif 2" in out and "written: " in out
    x = values(RNG, 6, 2, 4)
    assert model.run(x).any()
    np.testing.assert_array_equal(snncore.load(tmp_path / "a.snn").run(x), model.run(x))
    assert main(["convert", str(tmp_path / "a.snn"), "-o", str(tmp_path / "b.nir")]) == 0
    assert main(["convert", str(tmp_path / "b.nir")]) == 0  # its metadata say the rest
    np.testing.assert_array_equal(snncore.load(tmp_path / "b.snn").run(x), model.run(x))


def test_options(net, tmp_path):
    options = [
        "--dt",
        repr(DT),
        "--reset",
        "subtract",
        "--readout",
        "sum",
        "--input",
        "b1",
        "--timesteps",
        "7",
    ]
    assert main(["convert", str(net), *options, "--method", "exponential"]) == 0
    model = snncore.load(net.with_suffix(".snn"))
    assert model.timesteps == 7 and model.inputs[0].dtype == "b1" and model.outputs[0].layout == "NC"
    assert model.metadata["provenance"]["reset"] == "subtract"


def test_what_is_wrong_is_one_sentence(capsys, net, tmp_path):
    assert "needs dt" in fails(capsys, "convert", net)
    assert "needs reset" in fails(capsys, "convert", net, "--dt", "1e-4")
    assert "No such file" in fails(capsys, "convert", tmp_path / "no.nir")
    (tmp_path / "x.nir").write_text("x")
    assert "not an HDF5 file" in fails(capsys, "convert", tmp_path / "x.nir")
    assert "from_torch" in fails(capsys, "convert", tmp_path / "x.jit")
    snncore.from_nir(net, dt=DT, reset="zero").save(tmp_path / "a.snn")
    assert "only --dt is used" in fails(capsys, "convert", tmp_path / "a.snn", "--reset", "zero")


def test_a_missing_package(capsys, net, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    assert "snncore[nir]" in fails(capsys, "convert", net, "--dt", "1e-4", "--reset", "zero")
