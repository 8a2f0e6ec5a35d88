"""Files of vectors: what was written comes back, and what is damaged is refused in words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import snncore
from snncore import vectors

TYPES = {".fvecs": "<f4", ".bvecs": "u1", ".ivecs": "<i4"}


def vecs(array: np.ndarray) -> bytes:
    length = np.array([array.shape[1]], "<i4").tobytes()
    return b"".join(length + row.tobytes() for row in array)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@given(
    st.sampled_from(sorted(TYPES)),
    st.integers(1, 9),
    st.integers(1, 40),
    st.one_of(st.none(), st.integers(0, 12)),
    st.booleans(),
)
def test_vectors_come_back(folder, suffix, count, dim, limit, mmap) -> None:
    random = np.random.default_rng(count * 100 + dim)
    array = random.integers(0, 256, (count, dim)).astype(TYPES[suffix])
    for name, data in ((f"a{suffix}", vecs(array)), ("a.npy", npy(array))):
        (folder / name).write_bytes(data)
        loaded = vectors.load(folder / name, limit=limit, mmap=mmap)
        assert loaded.dtype == array.dtype
        assert np.array_equal(loaded, array[:limit])


@given(st.sampled_from((*sorted(TYPES), ".npy")), st.data())
def test_damaged_files_are_refused_or_read(folder, suffix, data) -> None:
    array = np.arange(24, dtype=TYPES.get(suffix, "<f4")).reshape(4, 6)
    whole = bytearray(npy(array) if suffix == ".npy" else vecs(array))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = folder / f"damaged{suffix}"
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    try:
        loaded = vectors.load(path)
    except snncore.FormatError as error:
        assert str(path) in str(error)
    else:
        assert loaded.ndim == 2


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.fvecs", b"", "the file has 0 bytes"),
        ("a.fvecs", b"\xff\xff\xff\xff", "numbers a vector at offset 0, received -1"),
        ("a.fvecs", b"\xff\xff\xff\x7f" + bytes(16), "received 2147483647"),
        ("a.fvecs", vecs(np.zeros((2, 3), "<f4"))[:-1], "31 bytes are not a multiple"),
        (
            "a.ivecs",
            vecs(np.zeros((1, 3), "<i4")) + vecs(np.zeros((1, 1), "<i4")) * 2,
            "vector 1 has 1 numbers",
        ),
        ("a.npy", b"not an array", "not a .npy file of numbers"),
        ("a.npy", npy(np.zeros(3)), r"expected a matrix of numbers, received float64 \[3\]"),
        ("a.npy", npy(np.array([[b"a"]])), "expected a matrix of numbers"),
        ("a.npy", npy(np.array([[{}]], dtype=object)), "not a .npy file of numbers"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, name, data, message) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(snncore.FormatError, match=message):
        vectors.load(tmp_path / name)


def test_other_files_and_limits_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"expected .fvecs, .bvecs, .ivecs or .npy, received '.txt'"):
        vectors.load(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="limit"):
        vectors.load(tmp_path / "a.npy", limit=-1)
    with pytest.raises(FileNotFoundError):
        vectors.load(tmp_path / "none.fvecs")


def dataset(**changes: object) -> dict[str, object]:
    random = np.random.default_rng(0)
    return {
        "train": random.normal(size=(20, 5)).astype(np.float32),
        "test": random.normal(size=(3, 5)).astype(np.float32),
        "neighbors": random.integers(0, 20, (3, 4)).astype(np.int32),
        "distances": random.random((3, 4)).astype(np.float32),
        "distance": "angular",
    } | changes


def write(path: Path, parts: dict[str, object]) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, value in parts.items():
            if name == "distance":
                file.attrs[name] = value
            elif value is not None:
                file[name] = value
    return path


def test_a_data_set_of_ann_benchmarks_comes_back(tmp_path) -> None:
    parts = dataset()
    loaded = vectors.load_dataset(write(tmp_path / "a.hdf5", parts))
    assert loaded.metric == "cosine"
    for name in ("train", "test", "neighbors", "distances"):
        assert np.array_equal(getattr(loaded, name), parts[name])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": None}, "it has no 'train'"),
        ({"distance": "jaccard"}, "expected a distance of euclidean, angular, received 'jaccard'"),
        ({"test": np.zeros((3, 4), np.float32)}, r"'train' is \[20, 5\], but 'test' is \[3, 4\]"),
        ({"distances": np.zeros((3, 3), np.float32)}, r"received \[3, 4\] and \[3, 3\]"),
        ({"neighbors": np.full((3, 4), 20)}, "rows that 'train' does not have"),
        ({"neighbors": np.zeros((3, 4))}, "expected 'neighbors' as a matrix of numbers"),
        ({"train": np.zeros(5, np.float32)}, r"'train' as a matrix of numbers, received float32 \[5\]"),
    ],
)
def test_data_sets_that_do_not_fit_are_refused(tmp_path, changes, message) -> None:
    with pytest.raises(snncore.FormatError, match=message):
        vectors.load_dataset(write(tmp_path / "a.hdf5", dataset(**changes)))


def test_other_files_are_no_data_sets(tmp_path) -> None:
    pytest.importorskip("h5py")
    (tmp_path / "a.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(snncore.FormatError, match="not an HDF5 file"):
        vectors.load_dataset(tmp_path / "a.hdf5")
