"""The bundled event model: a recording, every kernel level, and the 100 test recordings where they are."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from bundled import levels

import snncore
from snncore import events

DATA = Path(str(files("snncore") / "data"))
MODEL, RECORDING = DATA / "nmnist_cnn.snn", DATA / "recordings" / "7.bin"
WINDOW_US = 34_000


def sums() -> np.ndarray:
    """Integer sums of the readout after the bundled recording."""
    recording = events.load(RECORDING)
    with snncore.load(MODEL).stream(record=["logits.sum"]) as session:
        session.push_events(*recording, window_us=WINDOW_US)
        return session.flush_events().output.states["logits.sum"]


def test_the_file_is_small_and_says_what_it_needs() -> None:
    model = snncore.load(MODEL)
    assert model.file_bytes <= 300_000
    assert model.metadata["provenance"]["window_us"] == str(WINDOW_US)
    assert model.inputs[0].dtype == "b1" and model.inputs[0].shape == (2, 34, 34)
    assert model.labels == list("0123456789")


def test_the_bundled_recording() -> None:
    recording = events.load(RECORDING)
    with snncore.load(MODEL).stream() as session:
        session.push_events(*recording, window_us=WINDOW_US)
        assert session.flush_events().output[0].argmax() == 7


def test_events_equal_frames_in_a_sequence() -> None:
    model, recording = snncore.load(MODEL), events.load(RECORDING)
    frames = events.frames(recording, WINDOW_US, (2, 34, 34)) > 0
    got = model.run(frames, layout="TCHW", record=["logits.sum"])
    np.testing.assert_array_equal(got.states["logits.sum"], sums())


@pytest.mark.parametrize("level", levels())
def test_every_level_gives_the_same_sums(level: str) -> None:
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "SNNCORE_ISA": level, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hashlib.sha256(sums().astype("<i8").tobytes()).hexdigest()


def test_integer_reference() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from snncore.reference.run import run

    frames = events.frames(events.load(RECORDING), WINDOW_US, (2, 34, 34)) > 0
    reference = run(MODEL, frames[:, None], timesteps=len(frames), record=["logits.sum"])
    np.testing.assert_array_equal(reference.sums["logits"].numpy(), sums())


def test_the_test_recordings() -> None:
    """At least 90 of 100, from raw events; `recipes/nmnist_cnn.py --evaluate` prints the figure."""
    pytest.importorskip("torch")
    sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))
    import nmnist
    import nmnist_cnn
    from training import share_text

    try:
        test = nmnist.load("test")
    except nmnist.DataMissingError as missing:
        pytest.skip(str(missing).splitlines()[0])
    right, cost = nmnist_cnn.evaluate(snncore.load(MODEL), test)
    print(f"\nN-MNIST, raw events: {share_text(right, len(test))}, {cost:.2f} us for each ms of events")
    assert right >= 90


if __name__ == "__main__":
    print(hashlib.sha256(sums().astype("<i8").tobytes()).hexdigest())
