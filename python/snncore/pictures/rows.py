"""Which neurons are shown where a layer has more than fit, and how steps are put together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spread(neurons: int, most: int) -> NDArray[np.int64]:
    """Give at most `most` of the neurons, spread evenly."""
    return np.unique(np.linspace(0, neurons - 1, min(neurons, most)).round().astype(np.int64))


def with_marked(marked: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """Give at most `most` of the neurons: those that are marked first, then others spread evenly."""
    wanted = np.flatnonzero(marked)
    if len(wanted) >= most:
        return wanted[spread(len(wanted), most)].astype(np.int64)
    others = np.flatnonzero(~marked)
    return np.sort(np.concatenate([wanted, others[spread(len(others), most - len(wanted))]])).astype(np.int64)


def bins(steps: int, most: int) -> list[tuple[int, int]]:
    """Cut the steps into at most `most` runs of one length: (first, one past the last)."""
    length = -(-steps // max(1, most))
    return [(start, min(start + length, steps)) for start in range(0, steps, length)]


def shares(grid: NDArray[np.bool_], runs: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Give the share of steps with a spike in each run, of a grid [T, neurons]: [runs, neurons]."""
    return np.stack([grid[a:b].mean(axis=0) for a, b in runs])
