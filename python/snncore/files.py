"""Writing a file so that no reader ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_READABLE = 0o666


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write under a temporary name beside `path`, then rename.

    Raises
    ------
    OSError
        The folder is missing or may not be written to; nothing is left behind.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(2, "No such folder", str(target.parent))
    try:
        _write_and_rename(target, data)
    except OSError as problem:  # names the temporary file, which says nothing to whoever asked for another
        raise OSError(problem.errno, problem.strerror, str(target)) from None


def _write_and_rename(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(_READABLE & ~mask)  # as an ordinary new file
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
