"""Quantised weights of an ONNX file: from the whole numbers m back to codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore import FormatError


def codes_of(
    m: NDArray[Any], facts: Mapping[str, Any] | None, bad: Callable[[str], FormatError]
) -> dict[str, Any]:
    """Give weight, encoding, bits and scale for the builder; `facts` are what `to_onnx` noted, if anything.

    Raises
    ------
    snncore.FormatError
        Made by `bad`: weights that are not whole, or not what their encoding can say.
    """
    if not np.array_equal(m, np.round(m)):
        raise bad("its weights are not whole numbers, but integers read its sums")
    whole = m.astype(np.int64)
    try:
        facts = {**_guess(whole), **(facts or {})}
        bits, encoding = int(facts["bits"]), str(facts["encoding"])
        scale = np.asarray(facts["scale"], np.float64)
    except (TypeError, ValueError):
        raise bad("its entry in the metadata is not what snncore writes") from None
    if bits not in (1, 2, 4, 8) or encoding not in ("odd", "sym"):
        raise bad(f"no encoding '{encoding}' of {bits} bits")
    q = (whole - 1) // 2 if encoding == "odd" else whole
    lo, hi = -(2 ** (bits - 1)) + (encoding == "sym"), 2 ** (bits - 1) - 1
    if q.min() < lo or q.max() > hi or not np.array_equal(2 * q + 1 if encoding == "odd" else q, whole):
        raise bad(f"weights {whole.min()}..{whole.max()} are not of the encoding '{encoding}' of {bits} bits")
    return {"weight": np.ascontiguousarray(q, np.int8), "encoding": encoding, "bits": bits, "scale": scale}


def _guess(m: NDArray[np.int64]) -> dict[str, Any]:
    """Choose the narrowest encoding that has these weights."""
    odd = bool((m % 2 == 1).all())
    most = int(abs(m).max()) if m.size else 1
    sizes = [bits for bits in (1, 2, 4, 8) if most < 2**bits] if odd else []
    sizes = sizes or [bits for bits in (2, 4, 8) if most < 2 ** (bits - 1)]
    return {"bits": sizes[0] if sizes else 8, "encoding": "odd" if odd else "sym", "scale": [1.0]}
