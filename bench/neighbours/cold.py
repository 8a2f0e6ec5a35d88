"""From a file that is on the disk alone to the first answer."""

from __future__ import annotations

import ctypes
import mmap
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .quality import K
from .subject import Built, Rows

TRIES = 3


def cold_answers(built: Built, queries: Rows) -> dict[str, Any]:
    """Wall times of opening and of the first query, medians of three; none where nothing is kept in a file.

    Pages are given up before each try (`posix_fadvise`); where the kernel keeps them, there is no figure.
    """
    if built.file is None or not hasattr(os, "posix_fadvise"):
        return {}
    with tempfile.TemporaryDirectory(prefix="ann-") as folder:
        path = Path(folder) / "index"
        built.file.save(str(path))
        size = path.stat().st_size
        tries = []
        for attempt in range(TRIES):
            drop(path)
            if cached_share(path) > 0.01:
                return {"file_bytes": size}
            begin = time.perf_counter()
            search = built.file.open(str(path))
            opened = time.perf_counter()
            search(np.ascontiguousarray(queries[attempt : attempt + 1]), K)
            tries.append((opened - begin, time.perf_counter() - opened))
            del search
    open_s, first_s = (median(times) for times in zip(*tries, strict=True))
    return {
        "file_bytes": size,
        "opened": built.file.how,
        "open_ms": open_s * 1e3,
        "first_query_ms": first_s * 1e3,
    }


def drop(path: Path) -> None:
    """Write what is not yet on the disk and give up the file's pages."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cached_share(path: Path) -> float:
    """Which part of the file's pages is in memory."""
    with path.open("rb+") as file, mmap.mmap(file.fileno(), 0) as mapped:
        pages = -(-len(mapped) // mmap.PAGESIZE)
        there = (ctypes.c_ubyte * pages)()
        at = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        if ctypes.CDLL(None).mincore(ctypes.c_void_p(at), ctypes.c_size_t(len(mapped)), there):
            return 1.0
        return sum(page & 1 for page in there) / pages
