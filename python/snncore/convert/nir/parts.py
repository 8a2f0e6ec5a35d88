"""The nodes and tensors of a model with float weights, as its file holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore.model import Model


@dataclass(frozen=True)
class Parts:
    """`document` is what docs/format.md describes; `tensors` are those of plain dtypes."""

    document: dict[str, Any]
    tensors: dict[str, NDArray[Any]]

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes, in order."""
        nodes: list[dict[str, Any]] = self.document["graph"]["nodes"]
        return nodes

    def shape(self, edge: str) -> list[int]:
        """Give [H, W, C] or [F]."""
        shape: list[int] = self.document["graph"]["edges"][edge]["shape"]
        return shape

    def tensor(self, node: dict[str, Any], role: str) -> NDArray[Any] | None:
        """Give a tensor of a node; None where it has none, or one of codes."""
        name = node["tensors"].get(role)
        return None if name is None else self.tensors.get(name)


_DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I8": "i1", "U8": "u1"}


def parts_of(model: Model) -> Parts:
    """Read a model's own bytes: a length, a JSON header, tensors."""
    data = model.to_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    document = json.loads(header.pop("__metadata__")["snncore"])
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] in _DTYPES and not name.startswith("pad."):
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[start + begin : start + end], _DTYPES[entry["dtype"]])
            tensors[name] = values.reshape(entry["shape"])
    return Parts(document, tensors)
