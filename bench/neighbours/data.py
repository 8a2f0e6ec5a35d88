"""Data sets with the true neighbours of their queries."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import snncore

TRUE_NEIGHBOURS = 100
QUERIES_AT_ONCE = 64
LARGEST = 255


class Data(NamedTuple):
    name: str
    base: NDArray[np.float32]
    queries: NDArray[np.float32]
    distances: NDArray[np.float32]  # [q, TRUE_NEIGHBOURS], ascending


def true_distances(base: NDArray[np.float32], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distances of whole numbers up to 255: products are exact, in float32 where sums stay below 2^24."""
    exact = np.float32 if 2 * base.shape[1] * LARGEST**2 < 2**24 else np.float64
    rows = base.astype(exact, copy=False)
    squares = np.einsum("nd,nd->n", rows, rows)
    found = []
    for first in range(0, len(queries), QUERIES_AT_ONCE):
        some = queries[first : first + QUERIES_AT_ONCE].astype(exact, copy=False)
        d = some @ rows.T
        d *= -2
        d += squares
        d += np.einsum("qd,qd->q", some, some)[:, None]
        nearest = np.partition(d, TRUE_NEIGHBOURS - 1, axis=1)[:, :TRUE_NEIGHBOURS]
        found.append(np.sqrt(np.sort(nearest, axis=1)))
    return np.concatenate(found).astype(np.float32)


def mnist(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Test images of MNIST, shuffled: 9,000 to search, 1,000 queries."""
    path = Path(os.environ.get("SNNCORE_DATA", "data")) / "mnist-t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: set SNNCORE_DATA to the folder that holds it")
    raw = gzip.decompress(path.read_bytes())
    pixels = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(pixels))
    return pixels[order[:count]], pixels[order[9000:10000]]


def synthetic(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Like SIFT in kind (128 bytes, not negative, in clusters of clusters), made here."""
    rng = np.random.default_rng(seed)
    coarse = rng.gamma(0.6, 40, (64, 128))
    fine = coarse[rng.integers(0, 64, 4096)] + rng.normal(0, 18, (4096, 128))

    def draw(n: int) -> NDArray[np.float32]:
        rows = fine[rng.integers(0, 4096, n)].astype(np.float32)
        rows += rng.standard_normal((n, 128), dtype=np.float32) * 12
        return np.clip(np.rint(rows), 0, LARGEST)

    return draw(count), draw(1000)


Draw = Callable[[int, int], tuple[NDArray[np.float32], NDArray[np.float32]]]
SETS: dict[str, tuple[Draw, int]] = {
    "mnist": (mnist, 9000),
    "synthetic-10k": (synthetic, 10_000),
    "synthetic-100k": (synthetic, 100_000),
    "synthetic-1m": (synthetic, 1_000_000),
}


def from_file(name: str, queries: int) -> Data:
    """An HDF5 file of ann-benchmarks; vectors of "angular" ones become unit vectors, in the same order."""
    given = snncore.vectors.load_dataset(name)
    base, wanted = given.train, given.test[:queries]
    if given.metric == "cosine":
        base, wanted = (x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-30) for x in (base, wanted))
    nearest = base[given.neighbors[:queries, :TRUE_NEIGHBOURS]].astype(np.float64)
    distances = np.sqrt(((nearest - wanted[:, None]) ** 2).sum(2))
    return Data(Path(name).stem, base, wanted, np.sort(distances, axis=1).astype(np.float32))


def load(name: str, queries: int, seed: int, cache: Path | None) -> Data:
    """Make a data set, or read it: a name of SETS, or an HDF5 file of ann-benchmarks."""
    if name not in SETS:
        return from_file(name, queries)
    draw, count = SETS[name]
    base, wanted = draw(count, seed)
    wanted = wanted[:queries]
    file = None if cache is None else cache / f"{name}-{seed}-{len(wanted)}.npy"
    if file is not None and file.exists():
        return Data(name, base, wanted, np.load(file))
    distances = true_distances(base, wanted)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, distances)
    return Data(name, base, wanted, distances)
