"""A NIR file, or a graph of the `nir` package, as plain dictionaries.

Files are read with h5py alone: older ones hold what the `nir` package refuses (no `v_reset`, scalars,
inner edges).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..hdf5 import Tree, plain, read_group

__all__ = ["Tree", "read"]


def read(source: Any) -> tuple[Tree, str]:
    """Give the tree of a path or graph, and what to call it.

    A tree is ``{"type": ..., field: array, number, str or Tree}``; a graph holds "nodes" and "edges" as well.
    """
    if isinstance(source, (str, os.PathLike)):
        missing = "it has no group 'node' with a 'type'"
        return read_group(Path(source), "node", "NIR", missing, key="type"), os.fspath(source)
    if hasattr(source, "to_dict") and hasattr(source, "nodes"):
        return plain(source.to_dict()), "the graph"
    raise ValueError(f"from_nir: expected a path or a nir.NIRGraph, received {type(source).__name__}")
