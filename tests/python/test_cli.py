from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import snncore
from snncore.tools.cli import main
from snncore.tools.common import BUNDLED_MODEL, DATA, bundled_images
from snncore.tools.recordings import windows

pytest.importorskip("click")
pytest.importorskip("rich")
Image = pytest.importorskip("PIL.Image")


def small_model(shape=(3, 8, 8), labels=("cat", "dog", "owl")):
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.input("image", "u8", shape, zero_point=[128] * shape[0], scale=1 / 64)
    w = rng.integers(-7, 8, (4, shape[0], 3, 3)).astype(np.int8)
    x = b.lif("lif1", b.conv2d("conv1", x, w, encoding="sym", bits=4, scale=[1 / 32], padding=1))
    x = b.flatten("flat", x)
    w = rng.integers(-127, 128, (3, 4 * shape[1] * shape[2])).astype(np.int8)
    b.output("logits", b.readout("logits", b.linear("fc", x, w, encoding="sym", bits=8, scale=[1 / 512])))
    preprocess = {"size": list(shape[1:]), "crop": "center", "color": "rgb"}
    return b.build(2, labels=list(labels), preprocess=preprocess, provenance={"name": "small"})


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.snn"
    small_model().save(path)
    return str(path)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)
    return str(path)


def fails(capsys, *arguments: str) -> str:
    """Status 2, nothing on standard output, one sentence on standard error: gives it."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("snncore: ") and err.count("\n") == 1 and "Traceback" not in err
    return err


def prints(capsys, *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def start(*arguments: str, code: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(("-c", code) if code else ("-m", "snncore")), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_run(capsys, net, image):
    out = prints(capsys, "run", net, image)
    assert "photo.png" in out
    logits = snncore.load(net).run(np.asarray(Image.open(image)).transpose(2, 0, 1)[None].copy())
    facts = json.loads(prints(capsys, "run", net, image, image, "--top", "3", "--json"))
    assert list(facts) == ["model", "results"] and len(facts["results"]) == 2
    first = facts["results"][0]
    assert list(first) == ["image", "top", "note"] and first["note"] is None
    assert [t["index"] for t in first["top"]] == list(np.argsort(-logits[0], kind="stable"))
    assert first["top"][0]["label"] == ["cat", "dog", "owl"][logits[0].argmax()]
    assert first["top"][0]["score"] == pytest.approx(float(logits.max()))


def test_run_takes_recordings(capsys, tmp_path):
    path = str(DATA / "recordings" / "7.bin")
    model = str(DATA / "nmnist_cnn.snn")
    out = prints(capsys, "run", model, path)
    assert "recording" in out and "7.bin" in out
    facts = json.loads(prints(capsys, "run", model, path, "--top", "2", "--json"))["results"][0]
    assert list(facts) == ["recording", "top", "steps", "note"] and facts["note"] is None
    assert facts["top"][0]["label"] == "7" and facts["steps"] >= 9
    more = json.loads(prints(capsys, "run", model, path, "--window-us", "1000", "--json"))["results"][0]
    assert more["steps"] > 250
    cut = tmp_path / "cut.bin"
    cut.write_bytes(b"1234567")
    assert "cut.bin" in fails(capsys, "run", model, str(cut))


def test_run_says_what_a_recording_needs(capsys, net, image):
    path = str(DATA / "recordings" / "7.bin")
    assert "received both" in fails(capsys, "run", net, image, path)
    assert "give --window-us" in fails(capsys, "run", net, path)
    assert "takes no events" in fails(capsys, "run", net, path, "--window-us", "1000")
    assert "cannot be made from an image file" in fails(capsys, "run", str(DATA / "nmnist_cnn.snn"), image)


def test_run_says_what_it_resized(capsys, net, tmp_path):
    path = tmp_path / "big.jpg"
    Image.fromarray(np.zeros((90, 160, 3), np.uint8)).save(path)
    assert main(["run", net, str(path)]) == 0
    out, err = capsys.readouterr()
    assert "big.jpg" in out
    assert err == "note: big.jpg: 160x90 pixels, cut to the centred 90x90, scaled to 8x8\n"
    facts = json.loads(prints(capsys, "run", net, str(path), "--json"))
    assert "scaled to 8x8" in facts["results"][0]["note"]


def test_inspect(capsys, net):
    out = prints(capsys, "inspect", net)
    assert "conv1" in out and "labels: cat, dog, owl" in out and "name: small" in out
    facts = json.loads(prints(capsys, "inspect", net, "--json"))
    assert list(facts) == ["format", "layers", "bytes", "timesteps", "inputs", "outputs"]
    keys = ["name", "op", "neuron", "shape", "weight_bits", "state_bits", "bytes", "kept_channels"]
    assert all(list(layer) == keys for layer in facts["layers"])
    assert facts["bytes"] == Path(net).stat().st_size and facts["timesteps"] == 2 and facts["format"] == 2


def test_bench(capsys, net):
    out = prints(capsys, "bench", net, "--seconds", "0.02", "--threads", "1,2")
    assert "machine: " in out and "snncore" in out
    out = prints(capsys, "bench", net, "--seconds", "0.02", "--format", "md")
    assert "| subject |" in out
    facts = json.loads(prints(capsys, "bench", net, "--seconds", "0.02", "--batch", "2", "--format", "json"))
    assert list(facts) == ["model", "file_bytes", "machine", "isa", "rows"]
    (row,) = facts["rows"]
    keys = [
        "subject",
        "threads",
        "batch",
        "median_ms",
        "min_ms",
        "p95_ms",
        "peak_rss_bytes",
        "equal",
        "ratio",
    ]
    assert list(row) == keys
    assert row["subject"] == "snncore" and row["ratio"] == 1.0 and row["equal"] and row["batch"] == 2
    assert 0 < row["min_ms"] <= row["median_ms"] <= row["p95_ms"]
    assert 5e6 < row["peak_rss_bytes"] < 2e9


def test_bench_against_torch(capsys, net):
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    facts = json.loads(
        prints(capsys, "bench", net, "--seconds", "0.05", "--against", "torch", "--format", "json")
    )
    assert [row["subject"] for row in facts["rows"]] == ["snncore", "torch"]
    assert all(row["equal"] and row["peak_rss_bytes"] for row in facts["rows"])


def test_verify_against_the_integer_reference(capsys, net, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    assert "equal: 16 samples" in prints(capsys, "verify", net)
    x = tmp_path / "x.npy"
    np.save(x, np.random.default_rng(0).integers(0, 256, (3, 3, 8, 8), dtype=np.uint8))
    facts = json.loads(prints(capsys, "verify", net, "--input", str(x), "--json"))
    stable = ["equal", "samples", "label_agreement", "first_difference", "max_abs_difference"]
    assert list(facts)[:5] == stable
    assert facts["equal"] and facts["samples"] == 3


def test_verify_against_a_stored_network(capsys, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from snncore.reference import LIF, Network

    nn = torch.nn
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), LIF(threshold=0.1), nn.Flatten(), nn.Linear(144, 3))
    network = Network(layers, timesteps=2, preprocess={"zero_point": [0] * 3, "scale": 1 / 255})
    snn, pt = str(tmp_path / "n.snn"), str(tmp_path / "n.pt")
    snncore.from_torch(network, torch.zeros(1, 3, 8, 8)).save(snn)
    torch.save(network, pt)
    x = tmp_path / "x.npy"
    np.save(x, np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32))
    assert "against Network" in prints(capsys, "verify", snn, pt, "--input", str(x))
    with torch.no_grad():
        layers[0].weight.neg_()
    torch.save(network, pt)
    assert main(["verify", snn, pt, "--input", str(x)]) == 2
    out, err = capsys.readouterr()
    assert "first difference: step 0, layer 'lif1'" in out and "do not agree" in err
    torch.save(network.state_dict(), pt)
    assert "not a network" in fails(capsys, "verify", snn, pt)
    torch.save({"run": print}, pt)
    assert "n.pt" in fails(capsys, "verify", snn, pt)


def test_profile(capsys, net, image, tmp_path):
    out = prints(capsys, "profile", net, image, "--seconds", "0")
    assert "lif1" in out and "effective ACs" in out and f"kernels {snncore.isa()}" in out
    trace, page = str(tmp_path / "t.json"), str(tmp_path / "p.html")
    written = ("--trace", trace, "--html", page, "--threads", "2")
    out = prints(capsys, "profile", net, image, image, "--seconds", "0", *written)
    assert "batch 2, threads 2" in out and out.endswith(f"written: {trace}\nwritten: {page}\n")
    events = json.loads(Path(trace).read_text())["traceEvents"]
    assert [event["name"] for event in events if event["ph"] == "X"] == ["lif1", "fc", "logits"]
    html = Path(page).read_text()
    assert all(f">{name}</td>" in html for name in ("lif1", "fc", "logits"))
    assert "<h1>net.snn, 2 images, kernels " in html


def test_profile_json(capsys, net, image, tmp_path):
    facts = json.loads(prints(capsys, "profile", net, image, "--seconds", "0", "--json"))
    keys = ["model", "inputs", "isa", "layers", "milliseconds", "runs", "timesteps", "batch", "threads"]
    assert list(facts) == keys and facts["inputs"] == [image] and facts["runs"] >= 3
    keys = ["name", "op", "sums", "milliseconds", "operations", "rate", "bytes", "synaptic_operations"]
    assert all(list(layer) == keys for layer in facts["layers"])
    assert list(facts["layers"][0]["synaptic_operations"]) == ["Effective_MACs", "Effective_ACs", "Dense"]
    x = tmp_path / "x.npy"
    np.save(x, np.asarray(Image.open(image)).transpose(2, 0, 1)[None])
    again = json.loads(prints(capsys, "profile", net, "--input", str(x), "--seconds", "0", "--json"))
    counted = [layer["synaptic_operations"] for layer in facts["layers"]]
    assert [layer["synaptic_operations"] for layer in again["layers"]] == counted


def test_profile_of_a_recording_is_that_of_its_windows(capsys, net, tmp_path):
    path, recording = str(DATA / "nmnist_cnn.snn"), str(DATA / "recordings" / "7.bin")
    facts = json.loads(prints(capsys, "profile", path, recording, "--seconds", "0", "--json"))
    assert facts["inputs"] == [recording] and facts["timesteps"] == 10
    frames = snncore.events.frames(snncore.events.load(recording), 34_000, (2, 34, 34)) > 0
    found = snncore.load(path).profile(frames[:, None], layout="TNCHW", seconds=0)
    assert [layer["rate"] for layer in facts["layers"]] == [layer.rate for layer in found.layers]
    shorter = ("--window-us", "10000", "--seconds", "0", "--json")
    assert json.loads(prints(capsys, "profile", path, recording, *shorter))["timesteps"] == 31

    assert "received 302741" in fails(capsys, "profile", path, recording, "--window-us", "1")
    assert "received 2 files" in fails(capsys, "profile", path, recording, recording)
    assert "does not take events" in fails(capsys, "profile", net, recording, "--window-us", "10")
    for name, x, t, message in (("off", 40, 5, "x below 34"), ("early", 3, -99_999, "no time before")):
        bad = str(tmp_path / f"{name}.npz")
        np.savez(bad, x=[1, x], y=[1, 2], p=[0, 1], t=[0, t])
        said = fails(capsys, "profile", path, bad)
        assert f"{name}.npz': events: expected" in said and message in said


@pytest.mark.parametrize(
    ("dtype", "shape", "value"), [("b1", (2, 9, 8), True), ("count2", (1, 9, 8), 3), ("f32", (72,), 5.0)]
)
def test_windows_hold_what_a_session_takes(tmp_path, dtype, shape, value):
    b = snncore.GraphBuilder()
    x = b.input("x", dtype, shape)
    x = x if len(shape) == 1 else b.flatten("flat", x)
    b.output("y", b.linear("fc", x, np.ones((1, np.prod(shape)), np.float32)))
    path = str(tmp_path / "r.npz")
    np.savez(path, x=[3] * 5, y=[0] * 5, p=[0] * 5, t=[0] * 5)
    x = windows(b.build(timesteps=1), path, 1000)
    assert x.shape == (1, 1, *shape) and x.reshape(-1)[3] == value and np.count_nonzero(x) == 1


def test_profile_says_what_it_cannot_read_or_write(capsys, net, image, tmp_path):
    folder = str(tmp_path)
    assert "none.png" in fails(capsys, "profile", net, str(tmp_path / "none.png"))
    assert "not an image" in fails(capsys, "profile", net, net)
    nmnist = str(DATA / "nmnist_cnn.snn")
    assert "cannot be made from an image file" in fails(capsys, "profile", nmnist, image)
    assert "expected one of: images, a recording" in fails(capsys, "profile", net)
    assert "expected one of: images, a recording" in fails(capsys, "profile", net, image, "--input", "x.npy")
    assert "not a .npy file" in fails(capsys, "profile", net, "--input", image)
    for option in ("--trace", "--html"):
        assert "No such folder" in fails(capsys, "profile", net, image, option, f"{folder}/none/t.json")
        assert "Is a directory" in fails(capsys, "profile", net, image, option, folder)
    same = ("--trace", f"{folder}/t", "--html", f"{folder}/t")
    assert "expected two names" in fails(capsys, "profile", net, image, *same)
    assert "--threads" in fails(capsys, "profile", net, image, "--threads", "0")


@pytest.mark.parametrize("command", ["inspect", "run", "bench", "profile", "verify"])
def test_a_missing_file_a_text_file_and_a_truncated_one(capsys, net, image, tmp_path, command):
    if command == "verify":
        pytest.importorskip("torch")
    rest = [image] if command in ("run", "profile") else []
    assert "none.snn" in fails(capsys, command, str(tmp_path / "none.snn"), *rest)
    text = tmp_path / "notes.txt"
    text.write_text("this is not a network, it is a text of some length\n" * 4)
    assert "notes.txt" in fails(capsys, command, str(text), *rest)
    data = Path(net).read_bytes()
    for cut in (0, 7, 100, len(data) // 2, len(data) - 1):
        short = tmp_path / "short.snn"
        short.write_bytes(data[:cut])
        assert "short.snn" in fails(capsys, command, str(short), *rest)
    fails(capsys, command, str(tmp_path), *rest)


def test_wrong_images_shapes_and_options(capsys, net, image, tmp_path):
    assert "none.png" in fails(capsys, "run", net, str(tmp_path / "none.png"))
    assert "net.snn" in fails(capsys, "run", net, net)
    vectors = snncore.GraphBuilder()
    x = vectors.input("x", "b1", [9])
    vectors.output("y", vectors.lif("lif", vectors.linear("fc", x, np.ones((2, 9), np.float32))))
    path = str(tmp_path / "vectors.snn")
    vectors.build(2).save(path)
    assert "cannot be made from an image file" in fails(capsys, "run", path, image)
    assert "expected numbers" in fails(capsys, "bench", net, "--threads", "none")
    assert "nan is not a finite number of seconds" in fails(capsys, "bench", net, "--seconds", "nan")
    assert "inf is not a finite number of seconds" in fails(capsys, "profile", net, image, "--seconds", "inf")
    assert "'mxnet' is unknown" in fails(capsys, "bench", net, "--against", "mxnet")
    assert "--help" in fails(capsys, "run", net)
    assert "nonsense" in fails(capsys, "nonsense")


def test_a_wrong_shape(capsys, net, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    x = tmp_path / "x.npy"
    np.save(x, np.zeros((2, 3, 9, 8), np.uint8))
    assert "expected" in fails(capsys, "verify", net, "--input", str(x))
    x.write_text("no numbers")
    assert "x.npy" in fails(capsys, "verify", net, "--input", str(x))


def test_an_unknown_kernel_level(net, image):
    for arguments in (["run", net, image], ["inspect", net], ["demo"]):
        done = start(*arguments, SNNCORE_ISA="altivec")
        assert done.returncode == 2 and done.stdout == ""
        assert "altivec" in done.stderr and done.stderr.count("\n") == 1


def without(package: str) -> str:
    """Code that runs the command line as if `package` were not installed."""
    return (
        f"import sys; sys.modules['{package}'] = None; "
        "from snncore.tools.cli import main; sys.exit(main(sys.argv[1:]))"
    )


@pytest.mark.parametrize("package", ["click", "rich", "PIL"])
def test_a_missing_package(net, image, package):
    done = start("run", net, image, code=without(package))
    assert done.returncode == 2 and done.stdout == ""
    assert "pip install 'snncore[cli]'" in done.stderr and done.stderr.count("\n") == 1


def test_a_missing_torch(net):
    for arguments in (["verify", net], ["bench", net, "--against", "torch"]):
        done = start(*arguments, code=without("torch"))
        assert done.returncode == 2 and "pip install 'snncore[torch]'" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves(net):
    command = f"{sys.executable} -m snncore inspect {net} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1 and done.stderr == ""


def test_version_and_help(capsys):
    assert snncore.__version__ in prints(capsys, "--version")
    assert "demo" in prints(capsys, "--help")


def test_bundled_images_come_with_their_terms():
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    assert sorted(bundled_images()) == classes
    assert "CIFAR-10" in (BUNDLED_MODEL.parent / "NOTICE").read_text()


def test_demo(capsys):
    out = prints(capsys, "demo", "--seconds", "0.05")
    assert "of 10 right" in out and "time for one image" in out
    facts = json.loads(prints(capsys, "demo", "--seconds", "0.05", "--json"))
    assert len(facts["results"]) == 10
    assert sum(r["correct"] for r in facts["results"]) >= 7
    assert facts["file_bytes"] <= 600_000
