"""All 10,000 test images of CIFAR-10 (JPEG), engine against integer reference: `make verify-full`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from bundled import MODEL, SUMS, at_level, digest, integer_logits, levels

import snncore

pytestmark = pytest.mark.full

FEW = 1000  # for the slow ways: portable kernels, and step by step


@pytest.fixture(scope="module")
def test_set() -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [10000, 3, 32, 32] and labels, in an order that mixes the classes."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))
    import cifar10

    split = cifar10.load().test
    order = np.random.default_rng(0).permutation(len(split))
    return np.ascontiguousarray(split.images[order].transpose(0, 3, 1, 2)), split.labels[order]


@pytest.fixture(scope="module")
def expected(test_set: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    from snncore.reference.run import run

    sums = [
        run(MODEL, test_set[0][i : i + 500], record=[SUMS], batch=50).sums[SUMS.removesuffix(".sum")].numpy()
        for i in range(0, len(test_set[0]), 500)
    ]
    return np.concatenate(sums)


def test_engine_equals_reference(test_set: tuple[np.ndarray, np.ndarray], expected: np.ndarray) -> None:
    images, labels = test_set
    engine = integer_logits(images, "sequence", 2)
    assert np.array_equal(engine, expected)
    model = snncore.load(MODEL)  # outputs add the bias, which the sums do not have
    outputs = [model.run(images[i : i + 50], threads=2) for i in range(0, len(images), 50)]
    accuracy = 100 * float(np.mean(np.concatenate(outputs).argmax(1) == labels))
    print(f"\nCIFAR-10 (JPEG), {len(images):,} test images: engine and integer reference {accuracy:.2f} %")
    print(f"  integer logits, SHA-256: {digest(engine)}")
    assert accuracy >= 80


def test_one_thread(test_set: tuple[np.ndarray, np.ndarray], expected: np.ndarray) -> None:
    assert np.array_equal(integer_logits(test_set[0], "sequence", 1), expected)


@pytest.mark.parametrize("mode", ["sequence", "stream"])
@pytest.mark.parametrize("level", levels())
def test_levels(test_set, expected: np.ndarray, level: str, mode: str, tmp_path: Path) -> None:
    count = FEW if level == "scalar" or mode == "stream" else len(expected)
    np.save(tmp_path / "images.npy", test_set[0][:count])
    assert at_level(level, tmp_path / "images.npy", mode, 2) == digest(expected[:count])
    print(f"\n  {level}, {mode}: {count:,} images equal")


def count_right(model: snncore.Model, images: np.ndarray, labels: np.ndarray) -> int:
    outputs = [model.run(images[i : i + 100], threads=2) for i in range(0, len(images), 100)]
    return int((np.concatenate(outputs).argmax(1) == labels).sum())


@pytest.mark.parametrize(("recipe", "models"), [("snnvit", 4), ("bestformer", 5)])
def test_transformers_of_recipes(test_set: tuple[np.ndarray, np.ndarray], recipe: str, models: int) -> None:
    folder = Path(__file__).parents[2] / "recipes" / recipe
    rows = [row for row in json.loads((folder / "results.json").read_text()) if "engine" in row]
    for row in rows:
        model = snncore.load(folder / f"{row['name']}.snn")
        assert (model.file_bytes, count_right(model, *test_set)) == (row["bytes"], row["engine"]), row["name"]
    assert len(rows) == models


def test_ladder_of_compressed_models(test_set: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = test_set
    folder = Path(__file__).parents[2] / "recipes" / "compressed"
    for row in json.loads((folder / "ladder.json").read_text())["rungs"]:
        path = folder / f"{row['name']}.snn"
        if row["name"] == "float":  # too large to keep
            continue
        model = snncore.load(path)
        right = count_right(model, images, labels)
        assert (model.file_bytes, right) == (row["file_bytes"], row["right"]), path.name
