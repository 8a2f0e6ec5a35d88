"""The nodes and tensors of a model, as its file holds them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore.model import Model


@dataclass(frozen=True)
class Codes:
    """Quantised weights: codes q, int64, of `bits` bits in an `encoding`."""

    q: NDArray[np.int64]
    bits: int
    encoding: str

    @property
    def m(self) -> NDArray[np.int64]:
        """What the codes mean: m = 2q + 1 ("odd") or m = q ("sym")."""
        return 2 * self.q + 1 if self.encoding == "odd" else self.q


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
        if name in self.document["tensors"]:
            return None
        return None if name is None else self.tensors.get(name)

    def codes(self, node: dict[str, Any]) -> Codes | None:
        """Give the weights of a node where they are codes: [C, kh, kw, C_in / groups] or [C, F]."""
        name = node["tensors"]["weight"]
        entry = self.document["tensors"].get(name)
        if entry is None:
            return None
        stored, shape, bits = self.tensors[name], tuple(entry["shape"]), entry["bits"]
        q = stored if bits == 8 else _unpacked(stored, bits)[: math.prod(shape)].reshape(shape)
        return Codes(q.astype(np.int64), bits, entry["encoding"])

    def floats(self, node: dict[str, Any]) -> NDArray[np.float32] | None:
        """Give the weights of a node that computes in float32, codes that read real values too; else None."""
        codes = self.codes(node)
        if codes is None:
            return self.tensor(node, "weight")
        if self.document["graph"]["edges"][node["inputs"][0]]["dtype"] != "f32":
            return None
        scale = self.tensors[node["tensors"]["scale"]].reshape(-1, *[1] * (codes.q.ndim - 1))
        real: NDArray[np.float32] = (scale * codes.m).astype(np.float32)
        return real


def _unpacked(words: NDArray[Any], bits: int) -> NDArray[Any]:
    """Codes of 1, 2 or 4 bits, lowest first; one bit is u of q = u - 1, more are two's complement."""
    planes: NDArray[np.uint8] = words.view(np.uint8)[:, np.newaxis] >> np.arange(0, 8, bits, dtype=np.uint8)
    u: NDArray[np.int64] = (planes.ravel() & (2**bits - 1)).astype(np.int64)
    return u - 1 if bits == 1 else np.where(u >= 2 ** (bits - 1), u - 2**bits, u)


_DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I8": "i1", "U8": "u1", "U64": "<u8"}


def parts_of(model: Model) -> Parts:
    """Read a model's own bytes in format 1, which leaves nothing out: a length, a JSON header, tensors."""
    data = model.to_bytes(format_version=1)
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
