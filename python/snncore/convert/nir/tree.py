"""A NIR file, or a graph of the `nir` package, as plain dictionaries.

Files are read with h5py alone: older ones hold what the `nir` package refuses (no `v_reset`, scalars,
inner edges), and a file from a stranger must cost no more than its size.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from snncore import FormatError

#: ``{"type": ..., field: array, number, str or Tree}``; a graph holds "nodes" and "edges" as well.
Tree: TypeAlias = dict[str, Any]

_LEVELS = 32
_ITEMS = 1 << 17
#: Deflate packs at most 1032 to one; what claims more than this was never written.
_UNPACKED = 1100
_ALWAYS = 64 << 20


def read(source: Any) -> tuple[Tree, str]:
    """Give the tree of a path or graph, and what to call it."""
    if isinstance(source, (str, os.PathLike)):
        return _read_file(Path(source)), os.fspath(source)
    if hasattr(source, "to_dict") and hasattr(source, "nodes"):
        return _plain(source.to_dict()), "the graph"
    raise ValueError(f"from_nir: expected a path or a nir.NIRGraph, received {type(source).__name__}")


def _read_file(path: Path) -> Tree:
    import h5py

    with path.open("rb") as file:  # the usual errors of a path
        size = os.fstat(file.fileno()).st_size
    try:
        file = h5py.File(path, "r")
    except OSError:
        raise FormatError(f"'{path}': not an HDF5 file, which NIR files are") from None
    with file:
        root = file.get("node") if isinstance(file.get("node", getlink=True), h5py.HardLink) else None
        if not isinstance(root, h5py.Group) or "type" not in root:
            raise FormatError(f"'{path}': an HDF5 file, but not of NIR: it has no group 'node' with a 'type'")
        try:
            return _Walker(h5py, str(path), size).group(root, "node", 0)
        except (OSError, RuntimeError, KeyError, TypeError) as why:  # what h5py makes of a broken file
            raise FormatError(f"'{path}': the HDF5 file is damaged ({_first_line(why)})") from None


class _Walker:
    """Reads groups, and no more of them than a file of this size can hold."""

    def __init__(self, h5py: Any, path: str, size: int) -> None:
        self.h5py, self.path = h5py, path
        self.bytes_left = _ALWAYS + _UNPACKED * size
        self.items_left = _ITEMS

    def group(self, group: Any, name: str, level: int) -> Tree:
        if level > _LEVELS:
            raise FormatError(f"'{self.path}': '{name}' lies more than {_LEVELS} levels deep")
        return {key: self._item(group, key, f"{name}/{key}", level) for key in self._keys(group)}

    def _keys(self, group: Any) -> Iterator[str]:
        for key in group:
            self.items_left -= 1
            if self.items_left < 0:
                raise FormatError(f"'{self.path}': more than {_ITEMS} entries")
            yield key

    def _item(self, group: Any, key: str, name: str, level: int) -> Any:
        if not isinstance(group.get(key, getlink=True), self.h5py.HardLink):
            raise FormatError(f"'{self.path}': '{name}' is a link, perhaps to another file")
        item = group[key]
        if isinstance(item, self.h5py.Group):
            return self.group(item, name, level + 1)
        if not isinstance(item, self.h5py.Dataset):
            raise FormatError(f"'{self.path}': '{name}' is neither a group nor values")
        if item.external or item.is_virtual:
            raise FormatError(f"'{self.path}': the values of '{name}' lie in another file")
        self.bytes_left -= item.nbytes
        if self.bytes_left < 0:
            raise FormatError(f"'{self.path}': '{name}' claims {item.shape}, more than the file can hold")
        return _plain(item[()])


def _plain(value: Any) -> Any:
    """Bytes become text; dictionaries and lists are copied."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        return _plain(value.tolist())
    return value


def _first_line(why: BaseException) -> str:
    text = str(why).strip("'\"").splitlines()
    return text[0] if text and text[0] else type(why).__name__
