"""Wrong input is refused with a sentence that names the place, what was expected and what came."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nets import VectorNet, image_net, pixels, two_inputs_net

import snncore


def test_the_exceptions() -> None:
    assert issubclass(snncore.FormatError, snncore.Error)
    assert issubclass(snncore.Error, RuntimeError)
    assert not issubclass(snncore.Error, ValueError)
    assert snncore.Error.__module__ == snncore.FormatError.__module__ == "snncore"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        snncore.load(tmp_path / "no.snn")
    assert missing.value.filename == str(tmp_path / "no.snn")
    with pytest.raises(IsADirectoryError):
        snncore.load(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"hello\n" * 99, b"\xff" * 64, b"\0" * 64], ids=["empty", "text", "ones", "zeros"]
)
def test_bytes_that_are_no_model(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(snncore.FormatError):
        snncore.load(data)
    path = tmp_path / "bad.snn"
    path.write_bytes(data)
    with pytest.raises(snncore.FormatError):
        snncore.load(path)


def test_truncated_models() -> None:
    data = VectorNet().model().to_bytes()
    for length in [*range(0, 200, 7), len(data) // 2, len(data) - 1]:
        with pytest.raises(snncore.FormatError):
            snncore.load(data[:length])
    with pytest.raises(snncore.FormatError):
        snncore.load(data + b"\0")


def test_a_file_open_in_text_mode() -> None:
    with pytest.raises(ValueError, match="binary"):
        snncore.load(io.StringIO("text"))  # type: ignore[arg-type]


def test_a_folder_that_does_not_exist_cannot_be_saved_to(tmp_path: Path) -> None:
    with pytest.raises(snncore.Error, match="nowhere"):
        image_net().save(tmp_path / "nowhere" / "net.snn")


X = pixels()
BAD_INPUTS: dict[str, tuple[Any, str | None, list[str]]] = {
    "float64": (X.astype(np.float64), None, ["'image'", "float32", "float64", "astype"]),
    "int32": (X.astype(np.int32), None, ["'image'", "uint8", "int32"]),
    "list": ([1, 2, 3], None, ["'image'", "int64"]),
    "text": ("photo.png", None, ["'image'", "expected dtype"]),
    "channels": (X[:, :2], None, ["'image'", "[N, 3, 8, 8]", "NCHW", "[2, 2, 8, 8]"]),
    "channels last": (X.transpose(0, 2, 3, 1), None, ["'image'", "[N, 3, 8, 8]", "[2, 8, 8, 3]"]),
    "no N": (X[0], None, ["'image'", "[N, 3, 8, 8]", "[3, 8, 8]", "layout='CHW'"]),
    "T": (X[np.newaxis], None, ["'image'", "layout='TNCHW'"]),
    "rank of a named layout": (X, "TNCHW", ["'image'", "[T, N, 3, 8, 8]", "[2, 3, 8, 8]"]),
    "layout": (X, "NCHZ", ["'image'", "'NCHZ'", "C, H, W"]),
    "layout twice": (X, "NCHH", ["'image'", "'NCHH'"]),
    "layout of a vector": (X, "NC", ["'image'", "'NC'"]),
    "empty layout": (X, "", ["'image'", "''"]),
    "empty batch": (X[:0], None, ["'image'", "at least one"]),
    "tuple": ((X, X), None, ["expected 1 inputs", "'image'", "2"]),
    "name": ({"picture": X}, None, ["'image'", "'picture'"]),
    "spikes to pixels": (X > 9, None, ["image", "bool"]),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_wrong_arrays(case: str) -> None:
    x, layout, words = BAD_INPUTS[case]
    with pytest.raises(ValueError) as refused:
        image_net().run(x, layout=layout)
    assert [word for word in words if word not in str(refused.value)] == []


def test_floats_that_are_no_spikes() -> None:
    with pytest.raises(ValueError, match="spikes"):
        VectorNet().model().run(np.full((1, 70), 0.5, np.float32))


def test_several_inputs() -> None:
    model = two_inputs_net()
    image, more = np.zeros((3, 2, 4, 4), bool), np.zeros((3, 7), bool)
    with pytest.raises(ValueError, match="'image', 'more'"):
        model.run(image)
    with pytest.raises(ValueError, match="'image', 'more'"):
        model.run({"image": image})
    with pytest.raises(ValueError, match=r"same number of samples.*'image' has 3, 'more' has 2"):
        model.run((image, more[:2]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threads": 0}, ["threads", "0"]),
        ({"threads": 1000}, ["threads", "1000"]),
        ({"timesteps": 0}, ["timesteps", "0"]),
        ({"timesteps": 5000}, ["timesteps", "5000"]),
        ({"record": ["nobody"]}, ["nobody"]),
        ({"record": ["nobody.v"]}, ["nobody.v"]),
        ({"record": "pool.v"}, ["pool.v"]),
    ],
    ids=str,
)
def test_wrong_options(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValueError) as refused:
        image_net().run(pixels(), **options)
    assert [word for word in words if word not in str(refused.value)] == []


def test_timesteps_must_agree_with_t() -> None:
    with pytest.raises(ValueError, match=r"expected 3.*received 4"):
        image_net().run(np.stack([pixels()] * 3), layout="TNCHW", timesteps=4)


def test_a_model_is_usable_after_an_error() -> None:
    model = image_net()
    expected = model.run(pixels())
    with pytest.raises(ValueError, match="'image'"):
        model.run(pixels()[:, :1])
    np.testing.assert_array_equal(model.run(pixels()), expected)


def test_a_wrong_number_of_threads_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNCORE_NUM_THREADS", "many")
    with pytest.raises(ValueError, match=r"SNNCORE_NUM_THREADS.*'many'"):
        image_net().run(pixels())
    monkeypatch.setenv("SNNCORE_NUM_THREADS", "300")
    with pytest.raises(ValueError, match="SNNCORE_NUM_THREADS: expected 1 to 256 threads, received 300"):
        snncore.BinaryIndex(bits=8).search(np.zeros((1, 8), bool), 1)


def test_a_number_of_threads_that_is_none() -> None:
    with pytest.raises(TypeError, match=r"Model.run: threads: expected a whole number, received 1.5"):
        image_net().run(pixels(), threads=1.5)


@pytest.mark.parametrize("value", [1.5, "2"])
def test_options_that_are_no_whole_numbers(value: Any) -> None:
    with pytest.raises(TypeError, match=rf"timesteps: expected a whole number, received {value!r}"):
        image_net().run(pixels(), timesteps=value)
    with pytest.raises(TypeError, match=rf"batch: expected a whole number, received {value!r}"):
        image_net().stream(batch=value)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1])
def test_a_profile_of_no_finite_time(seconds: float) -> None:
    with pytest.raises(ValueError, match=rf"expected a finite number of seconds, received {seconds}"):
        image_net().profile(pixels(), seconds=seconds)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda m: m.save(b"net.snn"), "Model.save: expected a path, received b'net.snn'"),
        (lambda m: m.to_bytes("2"), "Model.to_bytes: format_version: expected a whole number, received '2'"),
        (lambda m: m.stream(record=[3]), "record: expected names of layers, received int"),
        (lambda m: m.stream().load_state("state"), "Session.load_state: expected bytes, received str"),
        (lambda m: m.stream().advance_events(2.5), "Session.advance_events: now: expected a whole number"),
        (lambda m: m.run(pixels(), timesteps=np.zeros((9, 9))), "expected a whole number, received ndarray"),
        (lambda _: snncore.prune("net.snn"), "prune: expected a model, received str; snncore.load reads"),
        (lambda _: snncore.BinaryIndex(2.5), "BinaryIndex: bits: expected a whole number, received 2.5"),
        (lambda _: snncore.Index.open(b"x"), "Index.open: expected a path, received b'x'"),
    ],
)
def test_values_of_another_type(call: Any, why: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(image_net())
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_numbers_beyond_64_bits_and_layouts_that_are_no_text() -> None:
    with pytest.raises(ValueError, match=rf"batch: expected a number of 64 bits, received {2**70}"):
        image_net().stream(batch=2**70)
    with pytest.raises(ValueError, match="expected a layout of the axes C, H, W"):
        image_net().stream(layout=3)  # type: ignore[arg-type]


def test_a_source_that_is_none() -> None:
    with pytest.raises(TypeError, match="load: expected a path, bytes or a file, received NoneType"):
        snncore.load(None)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "net.snn"
    image_net().save(path)
    path.chmod(0)
    with pytest.raises(snncore.Error, match=r"net\.snn"):
        snncore.load(path)


def test_what_a_killed_process_left_does_not_stop_a_save(tmp_path: Path) -> None:
    path = tmp_path / "net.snn"
    for number in range(200):
        (tmp_path / f"net.snn.{os.getpid()}-{number}.tmp").touch()
    image_net().save(path)
    assert snncore.load(path).to_bytes() == image_net().to_bytes()


def test_numbers_that_are_no_spikes() -> None:
    model = VectorNet().model()
    x = np.zeros((2, 70), np.uint8)
    x[1, 69] = 1
    np.testing.assert_array_equal(model.run(x), model.run(x > 0))
    x[1, 69] = 200
    with pytest.raises(ValueError, match="spikes are 0 or 1, received 200"):
        model.run(x)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite(value: float) -> None:
    x = np.zeros((1, 3, 8, 8), np.float32)
    x[0, 1, 2, 3] = value
    with pytest.raises(ValueError, match="values of pixels are finite, received"):
        image_net().run(x)
