"""`snncore convert` with ONNX files."""

from __future__ import annotations

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("click")
pytest.importorskip("rich")

import nets

import snncore
from snncore.tools.cli import main


@pytest.fixture
def net(tmp_path):
    nets.image_net().save(tmp_path / "net.snn")
    return tmp_path / "net.snn"


def fails(capsys, *arguments):
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err
    return err


def test_there_and_back(capsys, net, tmp_path):
    assert main(["convert", str(net), "-o", str(tmp_path / "a.onnx")]) == 0
    assert "functions\nwritten: " in capsys.readouterr().out
    onnx.checker.check_model(onnx.load(tmp_path / "a.onnx"), full_check=True)
    assert main(["convert", str(tmp_path / "a.onnx"), "-o", str(tmp_path / "b.snn")]) == 0
    assert (tmp_path / "b.snn").read_bytes() == net.read_bytes()
    assert main(["convert", str(net), "-o", str(tmp_path / "c.onnx"), "--timesteps", "9"]) == 0
    assert snncore.from_onnx(tmp_path / "c.onnx").timesteps == 9


def test_what_is_wrong_is_one_sentence(capsys, net, tmp_path):
    (tmp_path / "x.onnx").write_text("x")
    assert "not an ONNX file" in fails(capsys, "convert", tmp_path / "x.onnx")
    assert "No such file" in fails(capsys, "convert", tmp_path / "no.onnx")
    assert "only --readout, --timesteps are used, received --dt" in fails(
        capsys, "convert", tmp_path / "x.onnx", "--dt", "1"
    )
    assert "only --timesteps is used" in fails(capsys, "convert", net, "-o", "y.onnx", "--reset", "zero")
    assert "convert writes .nir, .onnx" in fails(capsys, "convert", net, "-o", tmp_path / "y.pt")


def test_a_missing_package(capsys, net, tmp_path, monkeypatch):
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "onnx" or "convert.onnx" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "snncore[onnx]" in fails(capsys, "convert", net, "-o", tmp_path / "a.onnx")
    with pytest.raises(ImportError):
        snncore.from_onnx(tmp_path / "a.onnx")
