"""`snncore verify`, `convert` and `run`: reports and pictures on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

import snncore

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("PIL")

from test_cli import fails, image, net, prints, start, without  # noqa: F401 - fixtures

from snncore.tools.common import DATA


@pytest.fixture
def stored(tmp_path):
    """A file of torch.save(network)."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from snncore.reference import LIF, Network

    nn = torch.nn
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), LIF(threshold=0.2), nn.Flatten(), nn.Linear(144, 3)
    )
    network = Network(layers, timesteps=2)
    torch.save(network, tmp_path / "n.pt")
    return network, str(tmp_path / "n.pt")


def test_run_shows_spikes(capsys, net, image, tmp_path):  # noqa: F811
    out = prints(capsys, "run", net, image, "--raster", "--rates")
    assert "lif1: 256 neurons, 2 steps" in out and "firing rate, spikes per neuron and step" in out
    picture = tmp_path / "spikes.npz"
    facts = json.loads(prints(capsys, "run", net, image, "--picture", str(picture), "--json"))
    assert list(facts) == ["model", "results", "rates"] and list(facts["rates"]) == ["lif1"]
    with np.load(picture) as drawn:
        assert drawn["lif1"].shape == (2, 256) and drawn["lif1"].mean() == facts["rates"]["lif1"]
    out = prints(capsys, "run", net, image, "--record", "lif1.v")
    assert "lif1.v of sample 0: membrane after reset, integers of the file" in out


def test_run_draws(capsys, net, image, tmp_path):  # noqa: F811
    pytest.importorskip("matplotlib")
    for ending, head in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        prints(capsys, "run", net, image, "--picture", str(tmp_path / f"a.{ending}"))
        assert (tmp_path / f"a.{ending}").read_bytes().startswith(head)
    prints(capsys, "run", net, image, "--picture", str(tmp_path / "v.png"), "--record", "lif1.v")
    assert (tmp_path / "v.png").read_bytes() != (tmp_path / "a.png").read_bytes()


def test_run_shows_a_recording(capsys):
    model, path = str(DATA / "nmnist_cnn.snn"), str(DATA / "recordings" / "7.bin")
    plain = json.loads(prints(capsys, "run", model, path, "--json"))["results"]
    facts = json.loads(prints(capsys, "run", model, path, "--rates", "--json"))
    assert facts["results"] == plain and len(facts["rates"]) == 3
    assert all(0 < rate < 1 for rate in facts["rates"].values())
    out = prints(capsys, "run", model, path, "--record", "lif3")
    assert f"lif3: 1024 neurons, {plain[0]['steps']} steps" in out


def test_run_refuses_what_cannot_be_shown(capsys, net, image, tmp_path):  # noqa: F811
    assert "expected one file" in fails(capsys, "run", net, image, image, "--raster")
    assert "ends in .png" in fails(capsys, "run", net, image, "--picture", "x.gif")
    assert "No such folder" in fails(capsys, "run", net, image, "--picture", str(tmp_path / "no" / "x.txt"))
    assert "record 'lif9'" in fails(capsys, "run", net, image, "--record", "lif9")


def test_pictures_without_matplotlib(net, image, tmp_path):  # noqa: F811
    target = tmp_path / "x.png"
    done = start("run", net, image, "--picture", str(target), code=without("matplotlib"))
    assert done.returncode == 2 and "pip install 'snncore[plot]'" in done.stderr
    assert done.stderr.count("\n") == 1 and not target.exists()
    done = start("run", net, image, "--raster", code=without("matplotlib"), PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.isascii() and "lif1: 256 neurons" in done.stdout


def test_convert_a_network_of_torch(capsys, stored, tmp_path):
    network, path = stored
    target = tmp_path / "n.snn"
    out = prints(capsys, "convert", path, "--example", "1,3,8,8", "-o", str(target))
    assert "written: " in out and "parity: equal: 16 samples against Network (float32)" in out
    torch = pytest.importorskip("torch")
    model, x = snncore.load(target), torch.randn(4, 3, 8, 8)
    with torch.no_grad():
        np.testing.assert_allclose(model.run(x.numpy()), network.eval()(x).numpy(), atol=1e-5)
    picture = tmp_path / "p.npz"
    out = prints(
        capsys,
        "convert",
        path,
        "--example",
        "1,3,8,8",
        "--timesteps",
        "3",
        "--picture",
        str(picture),
        "--json",
    )
    facts = json.loads(out)
    assert list(facts) == ["source", "output", "bytes", "parity"] and facts["bytes"] == target.stat().st_size
    assert facts["parity"]["equal"] and facts["parity"]["layers"][0]["rate_ours"] > 0.01
    assert snncore.load(target).timesteps == 3
    with np.load(picture) as drawn:
        assert drawn["lif1.ours"].shape == (3, 144)
    out = prints(capsys, "convert", path, "--example", "2,1,3,8,8", "--input", "b1", "--no-verify")
    assert "parity: not compared, --no-verify" in out and snncore.load(target).inputs[0].dtype == "b1"


def test_convert_says_what_is_wrong(capsys, stored, tmp_path):
    torch = pytest.importorskip("torch")
    _, path = stored
    assert "give --example 1,3,32,32" in fails(capsys, "convert", path)
    for shape in (
        "",
        "1",
        "1,3,8,8,8,8",
        "1,0,8,8",
        "a,b",
        "1,-3,8,8",
        "1,3,99999,99999",
        "1,3,8,9999999999999",
    ):
        assert "--example" in fails(capsys, "convert", path, "--example", shape)
    assert "does not run on an example" in fails(capsys, "convert", path, "--example", "1,3,9,8")
    assert "from .pt only --example, --input, --timesteps are used, received --dt" in fails(
        capsys, "convert", path, "--example", "1,3,8,8", "--dt", "1"
    )
    assert "No such file" in fails(capsys, "convert", str(tmp_path / "no.pt"), "--example", "1,3,8,8")
    torch.save({"run": print}, path)
    assert "n.pt" in fails(capsys, "convert", path, "--example", "1,3,8,8")
    assert "convert reads .nir" in fails(capsys, "convert", str(tmp_path / "n.tflite"))
    snn = str(tmp_path / "n.snn")
    assert "only --dt is used, received --json" in fails(capsys, "convert", snn, "--json")


def test_convert_refuses_frameworks_in_files(capsys, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import neuron

    path = str(tmp_path / "n.pt")
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2), neuron.IFNode()), path)
    said = fails(capsys, "convert", path, "--example", "1,2")
    assert "spikingjelly" in said and "snncore.from_spikingjelly(network, example)" in said
    assert not (tmp_path / "n.snn").exists()


def test_verify_draws_and_reports(capsys, stored, tmp_path):
    torch = pytest.importorskip("torch")
    network, path = stored
    prints(capsys, "convert", path, "--example", "1,3,8,8")
    snn, picture = str(tmp_path / "n.snn"), tmp_path / "p.npz"
    out = prints(capsys, "verify", snn, path, "--raster", "--picture", str(picture))
    assert "largest difference of a membrane: " in out and "sample 0: ┃ both" in out and picture.exists()
    with torch.no_grad():
        network.layers[0].weight.mul_(1.5)
    torch.save(network, path)
    from snncore.tools.cli import main

    assert main(["verify", snn, path, "--json"]) == 2
    facts = json.loads(capsys.readouterr().out)
    assert facts["margin"]["within"] is False and facts["margin"]["distance"] > facts["margin"]["bound"] > 0
    assert facts["layers"][0]["different_spikes"] == facts["different_spikes"] > 0


def test_a_transformer_is_read_from_its_file(capsys, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from snncore.reference.networks import snn_vit, transformer_scheme

    torch.manual_seed(0)
    path = str(tmp_path / "n.pt")
    torch.save(snn_vit("1-16", 5, timesteps=2, scheme=transformer_scheme(32)), path)
    prints(capsys, "convert", path, "--example", "1,3,16,16")
    facts = json.loads(prints(capsys, "verify", str(tmp_path / "n.snn"), path, "--json"))
    (gate,) = (row for row in facts["layers"] if row["name"].endswith("gate"))
    assert gate["spikes"] > 0 and facts["label_agreement"] > 0.5


def test_nir_files_need_no_torch(tmp_path):
    """The graph itself is evaluated; only a bound needs torch."""
    nir = pytest.importorskip("nir")
    pytest.importorskip("h5py")
    ones = np.ones(3, np.float32)
    nodes = {
        "input": nir.Input(np.array([4])),
        "fc": nir.Linear(np.ones((3, 4), np.float32)),
        "lif": nir.LIF(ones * 2e-4, ones * 2, ones * 0, ones * 0.5, ones * 0),
        "output": nir.Output(np.array([3])),
    }
    edges = [("input", "fc"), ("fc", "lif"), ("lif", "output")]
    nir.write(tmp_path / "n.nir", nir.NIRGraph(nodes, edges))
    snn, path = str(tmp_path / "n.snn"), str(tmp_path / "n.nir")
    done = start("convert", path, "--dt", "1e-4", "--reset", "zero", code=without("torch"))
    assert done.returncode == 0 and "parity: equal: 16 samples against the NIR graph (float64)" in done.stdout
    done = start("verify", snn, path, code=without("torch"))
    assert done.returncode == 0 and done.stdout.startswith("equal: 16 samples against the NIR graph")
    nodes["fc"].weight[1] = -1
    nir.write(tmp_path / "n.nir", nir.NIRGraph(nodes, edges))
    done = start("verify", snn, path, code=without("torch"))
    assert done.returncode == 2 and "do not agree" in done.stderr
    assert "no bound: this needs the package 'torch': pip install 'snncore[torch]'" in done.stdout
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    done = start("verify", snn, path)
    assert done.returncode == 2 and "within bound: NO" in done.stdout
