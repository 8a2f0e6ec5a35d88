"""The bundled transformer of 1-bit weights: the engine agrees with the integer reference, at every level."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundled import levels

import snncore
from snncore.tools.common import DATA, bundled_images

MODEL = DATA / "cifar10_bestformer.snn"
LOGITS = """
import sys, numpy, snncore
model, images = snncore.load(sys.argv[1]), numpy.load(sys.argv[2])
if sys.argv[3] == "sequence":
    logits = model.run(images)
else:
    session = model.stream(batch=len(images))
    for _ in range(model.timesteps):
        logits = session.step(images)
sys.stdout.write(logits.tobytes().hex())
"""


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """The ten bundled images and ten of random pixels, uint8 [20, 3, 32, 32]."""
    pytest.importorskip("PIL")
    from snncore.images import load_image

    model = snncore.load(MODEL)
    real = [load_image(path, model).pixels for path in bundled_images().values()]
    noise = np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8)
    return np.concatenate([np.stack(real), noise])


def test_size() -> None:
    assert MODEL.stat().st_size <= 400_000


def test_every_spike(images: np.ndarray) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    report = snncore.verify(snncore.load(MODEL), None, images)
    assert report.equal, str(report)


@pytest.mark.parametrize("mode", ["sequence", "stream"])
@pytest.mark.parametrize("level", levels())
def test_levels(images: np.ndarray, level: str, mode: str, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", images)
    done = subprocess.run(
        [sys.executable, "-c", LOGITS, str(MODEL), str(tmp_path / "images.npy"), mode],
        env={**os.environ, "SNNCORE_ISA": level},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == snncore.load(MODEL).run(images).tobytes().hex()
