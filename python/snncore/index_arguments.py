"""Arguments of `snncore.Index`, checked before the engine sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore.arguments import whole


def integers(ids: ArrayLike) -> NDArray[np.uint64]:
    """Make ids an array of uint64."""
    array = np.asarray(ids)
    if array.size == 0:
        array = array.astype(np.uint64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"Index: expected ids as integers of shape [n], received {array.dtype} {list(array.shape)}"
        )
    if array.dtype.kind == "i" and (array < 0).any():
        raise ValueError(f"Index: expected ids of at least 0, received {int(array.min())}")
    return np.ascontiguousarray(array, dtype=np.uint64)


def in_range(what: str, value: int, least: int, most: int) -> None:
    """Refuse a number that is not whole or out of range."""
    if not least <= whole(f"Index: {what}", value) <= most:
        raise ValueError(f"Index: expected {what} of {least} to {most}, received {value}")


def choice(choices: Any, what: str, name: str) -> Any:
    """Give the choice of a name."""
    known = {one.name: one for one in choices}
    if name not in known:
        raise ValueError(f"Index: expected {what} as one of {', '.join(known)}, received {name!r}")
    return known[name]
