"""An HDF5 file as plain dictionaries, read with h5py: a file from a stranger costs no more than its size."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from snncore import FormatError

#: Groups are trees; values are arrays, numbers and str.
Tree: TypeAlias = dict[str, Any]

_LEVELS = 32
_ITEMS = 1 << 17
#: Deflate packs at most 1032 to one; what claims more than this was never written.
_UNPACKED = 1100
_ALWAYS = 64 << 20
#: What h5py makes of a broken file.
_BROKEN = (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError)


def read_group(path: Path, name: str, kind: str, missing: str, key: str = "") -> Tree:
    """Read one group of the root of a file, and all that is in it.

    Parameters
    ----------
    path
        The file.
    name
        The group.
    kind
        Whose file it is, for messages.
    missing
        What to say where the group is not there, or has no `key`.
    key
        An entry that the group must have.

    Raises
    ------
    OSError
        The file cannot be opened.
    snncore.FormatError
        Not HDF5; not a file of this kind; damaged; links; claims of more values than the file can hold.
    ImportError
        No h5py.
    """
    with _opened(path, kind) as (h5py, file, walker):
        hard = isinstance(file.get(name, getlink=True), h5py.HardLink)
        root = file.get(name) if hard else None
        if not isinstance(root, h5py.Group) or (key and key not in root):
            raise FormatError(f"'{path}': an HDF5 file, but not of {kind}: {missing}")
        return walker.group(root, name, 0)


def read_arrays(path: Path, names: Sequence[str], kind: str) -> tuple[Tree, Tree]:
    """Read arrays of the root of a file, and the root's attributes; errors as of `read_group`."""
    with _opened(path, kind) as (_, file, walker):
        missing = [name for name in names if file.get(name, getlink=True) is None]
        if missing:
            raise FormatError(f"'{path}': an HDF5 file, but not of {kind}: it has no '{missing[0]}'")
        arrays = {name: walker.item(file, name, name, 0) for name in names}
        return arrays, {key: plain(value) for key, value in file.attrs.items()}


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[tuple[Any, Any, _Walker]]:
    import h5py

    with path.open("rb") as opened:  # the usual errors of a path
        size = os.fstat(opened.fileno()).st_size
    try:
        file = h5py.File(path, "r")
    except OSError:
        raise FormatError(f"'{path}': not an HDF5 file, which {kind} files are") from None
    with file:
        try:
            yield h5py, file, _Walker(h5py, str(path), size)
        except FormatError:
            raise
        except _BROKEN as why:
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
        return {key: self.item(group, key, f"{name}/{key}", level) for key in self._keys(group)}

    def _keys(self, group: Any) -> Iterator[str]:
        for key in group:
            self.items_left -= 1
            if self.items_left < 0:
                raise FormatError(f"'{self.path}': more than {_ITEMS} entries")
            yield key

    def item(self, group: Any, key: str, name: str, level: int) -> Any:
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
        return plain(item[()])


def plain(value: Any) -> Any:
    """Bytes become text; dictionaries and lists are copied."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        return plain(value.tolist())
    return value


def _first_line(why: BaseException) -> str:
    text = str(why).strip("'\"").splitlines()
    return text[0] if text and text[0] else type(why).__name__
