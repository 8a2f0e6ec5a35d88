"""The bundled model: engine and integer reference agree in every integer, on every level, in both modes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from bundled import MODEL, SUMS, at_level, digest, integer_logits, levels

import snncore

sys.path.insert(0, str(Path(__file__).parents[2] / "cpp" / "tests" / "golden"))
import make_bundled


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """The ten bundled images and a hundred of random pixels, uint8 [110, 3, 32, 32]."""
    pytest.importorskip("PIL")
    from snncore.images import load_image
    from snncore.tools.common import bundled_images

    model = snncore.load(MODEL)
    real = [load_image(path, model).pixels for path in bundled_images().values()]
    return np.concatenate([np.stack(real), make_bundled.random_images(100)])


@pytest.fixture(scope="module")
def expected(images: np.ndarray) -> np.ndarray:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from snncore.reference.run import run

    sums = run(MODEL, images, record=[SUMS], batch=50).sums
    return sums[SUMS.removesuffix(".sum")].numpy()


def test_what_the_cpp_test_compares_with(images: np.ndarray, expected: np.ndarray) -> None:
    assert make_bundled.IMAGES.read_bytes() == images[:10].tobytes()
    assert make_bundled.LOGITS.read_bytes() == expected.astype("<i4").tobytes()


def test_size() -> None:
    assert MODEL.stat().st_size <= 600_000


@pytest.mark.parametrize("mode", ["sequence", "stream"])
@pytest.mark.parametrize("threads", [1, 2])
def test_equal_to_the_reference(images: np.ndarray, expected: np.ndarray, mode: str, threads: int) -> None:
    assert np.array_equal(integer_logits(images, mode, threads), expected)


def test_every_spike(images: np.ndarray) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    report = snncore.verify(snncore.load(MODEL), None, images[:20])
    assert report.equal, str(report)
    assert len(report.layers) == 6


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("mode", ["sequence", "stream"])
def test_levels(images: np.ndarray, expected: np.ndarray, level: str, mode: str, tmp_path) -> None:
    np.save(tmp_path / "images.npy", images)
    assert at_level(level, tmp_path / "images.npy", mode, 2) == digest(expected)
