"""True neighbours, those that several hash families agree on, and how many of the true ones codes find."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore import encoders
from snncore.encoders import Encoder
from snncore.lsh import BinaryIndex

_BLOCK = 1000
_LISTS = 4  # lists of base algorithms are so many times as long as what becomes of them

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]


def nearest(base: Vectors, queries: Vectors, k: int, *, others: bool = False) -> Ids:
    """Find the k rows of `base` nearest to each query by Euclidean distance, exactly (float64).

    Parameters
    ----------
    base, queries
        [n, dim] and [q, dim].
    k
        At most n, or n - 1 with `others`.
    others
        Queries are the rows of `base`, and none is its own neighbour.

    Returns
    -------
    NDArray
        int64 [q, k], nearest first; among equally near ones the first.
    """
    points = base.astype(np.float64)
    squares = np.einsum("ij,ij->i", points, points)
    found = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK].astype(np.float64)
        distances = squares - 2 * block @ points.T
        if others:
            distances[np.arange(len(block)), start + np.arange(len(block))] = np.inf
        found[start : start + _BLOCK] = _smallest(distances, k)
    return found


def recall(
    encoder: Encoder,
    base: Vectors,
    queries: Vectors,
    truth: Ids,
    *,
    kept: int = 100,
    asymmetric: bool = False,
) -> float:
    """Give the mean of `recalls`."""
    return float(recalls(encoder, base, queries, truth, kept=kept, asymmetric=asymmetric).mean())


def recalls(
    encoder: Encoder,
    base: Vectors,
    queries: Vectors,
    truth: Ids,
    *,
    kept: int = 100,
    asymmetric: bool = False,
) -> NDArray[np.float64]:
    """Tell for each query which share of its true neighbours is among the `kept` rows of nearest codes.

    That is recall@k after exact re-ranking of `kept` candidates, k being the columns of `truth`.

    Parameters
    ----------
    encoder
        Gives the codes.
    base, queries
        [n, dim] and [q, dim].
    truth
        [q, k]: rows of `base`, from `nearest`.
    kept
        Candidates that are re-ranked.
    asymmetric
        Rank by the sum of the query's logits over the bits of a code, set ones plus and clear ones minus,
        instead of by Hamming distance.
    """
    kept = min(kept, len(base))
    codes = encoder.encode(base)
    if asymmetric:
        found = _smallest(-encoder.logits(queries) @ (2.0 * codes.numpy().T - 1), kept)
    else:
        index = BinaryIndex(encoder.bits)
        index.add(codes)
        found, _ = index.search(encoder.encode(queries), kept)
    return _shares(found, truth)


def blended_neighbours(X: Vectors, k: int = 10, *, seed: int = 0, bits: int = 256) -> Ids:
    """Merge the neighbour lists of several hash families into one, by weights that a hold-out chooses.

    The families are E2LSH, signs of random projections and cross-polytopes. A row's score is the sum over
    the lists that name it of ``weight / (1 + rank)``; weights are those of ``{0, 1, 2}^3`` whose merged lists
    hold most of the true neighbours of some of the rows.

    Returns
    -------
    NDArray
        int64 [n, k]; where the lists name fewer than k rows, the last one again.
    """
    families = (
        encoders.fit("e2lsh", X, bits, seed=seed),
        encoders.fit("srp", X, bits, seed=seed),
        encoders.fit("cross_polytope", X, bits, seed=seed),
    )
    lists = [_list_of(encoder, X, _LISTS * k) for encoder in families]
    chosen = np.random.default_rng(seed).permutation(len(X))[:500]
    truth = _truth_of_rows(X, chosen, k)
    weights = max(
        (w for w in product(range(3), repeat=len(lists)) if any(w)),
        key=lambda w: _shares(_merged([one[chosen] for one in lists], w, k), truth).mean(),
    )
    return _merged(lists, weights, k)


def _list_of(encoder: Encoder, X: Vectors, k: int) -> Ids:
    codes = encoder.encode(X)
    index = BinaryIndex(encoder.bits)
    index.add(codes)
    found, _ = index.search(codes, min(k + 1, len(X)))
    own = found == np.arange(len(X))[:, None]
    own[~own.any(1), -1] = True  # as near as itself were so many that it is not among them
    others: Ids = found[~own].reshape(len(X), -1)
    return others


def _truth_of_rows(X: Vectors, rows: Ids, k: int) -> Ids:
    found = nearest(X, X[rows], k + 1)
    own = found == rows[:, None]
    own[~own.any(1), -1] = True
    others: Ids = found[~own].reshape(len(rows), -1)
    return others


def _merged(lists: Sequence[Ids], weights: Sequence[int], k: int) -> Ids:
    columns = lists[0].shape[1]
    ids = np.concatenate(lists, axis=1)
    votes = np.concatenate([np.full(columns, float(w)) / (1 + np.arange(columns)) for w in weights])
    merged = np.empty((len(ids), k), np.int64)
    for row, named in enumerate(ids):
        known, place = np.unique(named, return_inverse=True)
        best = np.argsort(-np.bincount(place, votes), kind="stable")[:k]
        merged[row] = np.pad(known[best], (0, k - len(best)), "edge")
    return merged


def _smallest(values: NDArray[np.floating[Any]], k: int) -> Ids:
    """Columns of the k smallest of each row, in order, ties by column."""
    limit = np.partition(values, k - 1, axis=1)[:, k - 1 : k]
    out = np.empty((len(values), k), np.int64)
    for row in range(len(values)):
        near = np.flatnonzero(values[row] <= limit[row])
        out[row] = near[np.argsort(values[row, near], kind="stable")[:k]]
    return out


def _shares(found: Ids, truth: Ids) -> NDArray[np.float64]:
    hits = [np.isin(true, near).mean() for near, true in zip(found, truth, strict=True)]
    return np.array(hits, np.float64)
