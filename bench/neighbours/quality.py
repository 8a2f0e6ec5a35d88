"""How good answers are, by the definitions of ann-benchmarks: distances decide, so that ties count."""

from __future__ import annotations

import numpy as np

from .data import Data
from .subject import Ids

K = 10
TOLERANCE = 1e-3
EPSILONS = (0.01, 0.1)


def quality(data: Data, ids: Ids) -> dict[str, float]:
    """Recall of the first K; with neighbours at 1.01 and 1.1 times the K-th distance; found over true sums.

    An id that comes twice counts once, -1 is no neighbour; a query with fewer than K is left out of the last.
    """
    found = _distances(data, ids)
    limit = data.distances[:, K - 1 : K].astype(np.float64)
    whole = np.isfinite(found).all(1)
    near = {"recall": limit + TOLERANCE} | {f"recall_{1 + e:g}": limit * (1 + e) for e in EPSILONS}
    figures = {name: float((found <= most).mean()) for name, most in near.items()}
    true = data.distances[whole, :K].sum(dtype=np.float64)
    return {**figures, "relative": float(found[whole].sum() / true) if true else 1.0}


def _distances(data: Data, ids: Ids) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    there = ids >= 0
    vectors = data.base[np.where(there, ids, 0)].astype(np.float64)
    found = np.sqrt(((vectors - data.queries[:, None]) ** 2).sum(2))
    order = np.argsort(ids, axis=1, kind="stable")
    ordered = np.take_along_axis(ids, order, axis=1)
    again = np.zeros(ids.shape, bool)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return np.where(there & ~again, found, np.inf)
