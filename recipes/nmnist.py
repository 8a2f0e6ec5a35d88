"""N-MNIST for the recipes: 1,000 training and 100 test recordings of an event camera, one split for all.

The recordings are the N-MNIST files in the sample data of SLAYER: ``train1K.txt`` and ``test100.txt`` (number
and digit of each recording) and ``<number>.bs2``, in a folder ``NMNISTsmall`` or packed as
``nmnist-small.tar.xz``. The environment variable ``SNNCORE_DATA`` names the folder that holds either. The
last 200 training recordings are the validation set while choices are made.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snncore.events import Events, from_nmnist

ARCHIVE, FOLDER = "nmnist-small.tar.xz", "NMNISTsmall"
LABELS = tuple("0123456789")
SENSOR = (2, 34, 34)  #: polarities, rows, columns
VALIDATION = 200

HOW_TO_GET_IT = f"""N-MNIST not found.
Set SNNCORE_DATA to a folder that holds {ARCHIVE} or the folder {FOLDER} with train1K.txt, test100.txt and the
.bs2 files.
To get it: clone https://github.com/bamsumit/slayerPytorch, check out 8f4654e, and point SNNCORE_DATA at its
folder example, which holds {FOLDER}."""


class DataMissingError(RuntimeError):
    """The data set is not where SNNCORE_DATA points."""


@dataclass(frozen=True)
class Split:
    """Recordings with their digits, and the numbers they have in the data set."""

    recordings: list[Events]
    labels: np.ndarray[tuple[int], np.dtype[np.int64]]
    numbers: list[int]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Split:
        """Pick recordings."""
        return Split(
            [self.recordings[i] for i in index], self.labels[index], [self.numbers[i] for i in index]
        )


def load(part: str) -> Split:
    """Read the part "train" (1,000 recordings) or "test" (100), in the order of its list."""
    read = _reader()
    lines = read({"train": "train1K.txt", "test": "test100.txt"}[part]).decode().splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    numbers = [int(number) for number, _ in rows]
    labels = np.array([int(label) for _, label in rows], np.int64)
    return Split([from_nmnist(read(f"{n}.bs2")) for n in numbers], labels, numbers)


def _reader() -> Callable[[str], bytes]:
    """Find the files: read one by name."""
    root = os.environ.get("SNNCORE_DATA")
    if root is None:
        raise DataMissingError(HOW_TO_GET_IT)
    folder, archive = Path(root) / FOLDER, Path(root) / ARCHIVE
    if folder.is_dir():
        return lambda name: (folder / name).read_bytes()
    if not archive.is_file():
        raise DataMissingError(HOW_TO_GET_IT)
    with tarfile.open(archive) as packed:
        files = {
            Path(member.name).name: packed.extractfile(member).read()  # type: ignore[union-attr]
            for member in packed
            if member.isfile()
        }
    return lambda name: files[name]
