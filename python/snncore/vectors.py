"""Files of vectors: .fvecs, .bvecs, .ivecs, .npy, and the HDF5 files of ann-benchmarks.

>>> base = snncore.vectors.load("sift_base.fvecs")
>>> data = snncore.vectors.load_dataset("glove-100-angular.hdf5")
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncore._core import FormatError

#: Element type of a file whose rows each begin with their length, an int32.
_VECS: dict[str, np.dtype[Any]] = {
    ".fvecs": np.dtype("<f4"),
    ".bvecs": np.dtype("u1"),
    ".ivecs": np.dtype("<i4"),
}
_LENGTH = np.dtype("<i4")
_MOST_DIM = 1 << 20
_METRICS = {"euclidean": "l2", "angular": "cosine"}

Vectors = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.uint8] | NDArray[np.int32]


class Dataset(NamedTuple):
    """What an HDF5 file of ann-benchmarks holds."""

    train: NDArray[np.float32]  #: [n, dim]: the vectors to search
    test: NDArray[np.float32]  #: [q, dim]: queries
    neighbors: NDArray[np.int32]  #: [q, k]: the rows of `train` nearest to each query, nearest first
    distances: NDArray[np.float32]  #: [q, k]: how far they are
    metric: str  #: "l2" or "cosine"


def load(path: str | os.PathLike[str], *, limit: int | None = None, mmap: bool = False) -> NDArray[Any]:
    """Read a file of vectors, known by the end of its name.

    Parameters
    ----------
    path
        .fvecs (float32), .bvecs (uint8), .ivecs (int32), or .npy: a matrix of numbers.
    limit
        Read at most so many of the first vectors.
    mmap
        Give a view of the mapped file instead of a copy in memory; rows of .bvecs and the like lie apart.

    Returns
    -------
    NDArray
        [n, dim], of the file's type.

    Raises
    ------
    OSError
        The file cannot be opened.
    snncore.FormatError
        Not such a file, or a damaged one.
    ValueError
        Another kind of file, or a negative `limit`.
    """
    file = Path(path)
    if limit is not None and limit < 0:
        raise ValueError(f"vectors.load: expected a limit of 0 or more, received {limit}")
    suffix = file.suffix.lower()
    if suffix in _VECS:
        return _load_vecs(file, _VECS[suffix], limit, mmap)
    if suffix == ".npy":
        return _load_npy(file, limit, mmap)
    raise ValueError(f"'{file}': expected .fvecs, .bvecs, .ivecs or .npy, received {suffix or 'no suffix'!r}")


def load_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Read an HDF5 file of ann-benchmarks: vectors, queries, and the queries' true neighbours. Needs h5py.

    Raises
    ------
    OSError
        The file cannot be opened.
    snncore.FormatError
        Not HDF5, without the data sets `train`, `test`, `neighbors` and `distances`, of shapes that do not
        belong together, or of another distance than "euclidean" and "angular".
    ImportError
        No h5py.
    """
    from snncore.convert.hdf5 import read_arrays

    file = Path(path)
    arrays, attributes = read_arrays(file, ("train", "test", "neighbors", "distances"), "ann-benchmarks")
    distance = attributes.get("distance", "euclidean")
    if distance not in _METRICS:
        raise FormatError(f"'{file}': expected a distance of {', '.join(_METRICS)}, received {distance!r}")
    train, test = _numbers(file, arrays, "train", "f"), _numbers(file, arrays, "test", "f")
    neighbors, distances = _numbers(file, arrays, "neighbors", "i"), _numbers(file, arrays, "distances", "f")
    if train.shape[1] != test.shape[1]:
        raise FormatError(f"'{file}': 'train' is {list(train.shape)}, but 'test' is {list(test.shape)}")
    if neighbors.shape != distances.shape or len(neighbors) != len(test):
        raise FormatError(
            f"'{file}': expected 'neighbors' and 'distances' of shape [{len(test)}, k], received "
            f"{list(neighbors.shape)} and {list(distances.shape)}"
        )
    if neighbors.size and not 0 <= neighbors.min() <= neighbors.max() < len(train):
        raise FormatError(f"'{file}': 'neighbors' names rows that 'train' does not have")
    return Dataset(train, test, neighbors, distances, _METRICS[distance])


def _load_vecs(file: Path, dtype: np.dtype[Any], limit: int | None, mmap: bool) -> NDArray[Any]:
    size = _size(file)
    if size < _LENGTH.itemsize:
        raise FormatError(f"'{file}': expected a vector's length at offset 0, the file has {size} bytes")
    with file.open("rb") as opened:
        dim = int(np.frombuffer(opened.read(_LENGTH.itemsize), _LENGTH)[0])
    if not 1 <= dim <= _MOST_DIM:
        raise FormatError(f"'{file}': expected 1 to {_MOST_DIM} numbers a vector at offset 0, received {dim}")
    row = np.dtype([("length", _LENGTH), ("values", dtype, (dim,))])
    if size % row.itemsize:
        raise FormatError(
            f"'{file}': expected vectors of {row.itemsize} bytes, but {size} bytes are not a multiple of that"
        )
    count = size // row.itemsize if limit is None else min(limit, size // row.itemsize)
    rows = np.memmap(file, row, "r", shape=(size // row.itemsize,))[:count]
    odd = np.flatnonzero(rows["length"] != dim)
    if odd.size:
        raise FormatError(
            f"'{file}': vector {odd[0]} has {rows['length'][odd[0]]} numbers, the first one has {dim}"
        )
    values: NDArray[Any] = rows["values"]
    return values if mmap else np.array(values)


def _load_npy(file: Path, limit: int | None, mmap: bool) -> NDArray[Any]:
    _size(file)
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, OverflowError, TypeError):
        raise FormatError(f"'{file}': not a .npy file of numbers, or a damaged one") from None
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "fiub":
        received = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else "an archive"
        raise FormatError(f"'{file}': expected a matrix of numbers, received {received}")
    array = array[:limit]
    return array if mmap else np.array(array)


def _size(file: Path) -> int:
    with file.open("rb") as opened:  # the usual errors of a path
        return os.fstat(opened.fileno()).st_size


def _numbers(file: Path, arrays: dict[str, Any], name: str, kind: str) -> Any:
    array = arrays[name]
    fits = isinstance(array, np.ndarray) and array.ndim == 2 and array.size
    if not fits or array.dtype.kind not in ("iu" if kind == "i" else "fiub"):
        what = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise FormatError(f"'{file}': expected '{name}' as a matrix of numbers, received {what}")
    return np.ascontiguousarray(array, np.int32 if kind == "i" else np.float32)
