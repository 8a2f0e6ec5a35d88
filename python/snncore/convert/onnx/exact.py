"""Integer convolutions in float32, which onnxruntime has where it lacks those of int32."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Sums of whole numbers below this are exact in float32, whatever the order.
EXACT: Final = 2**24


def shared_out(m: NDArray[Any], most: int) -> list[NDArray[Any]]:
    """Split weights [C, ...] into several that sum to them, each with sums below 2^24.

    `most` is the largest |x|. Every weight is in one of them, so each of their sums is exact in float32.
    """
    costs = abs(m.reshape(len(m), -1)) * most
    share = np.zeros(costs.shape, np.int64)
    room, now = np.full(len(m), EXACT - 1), np.zeros(len(m), np.int64)
    for tap in range(costs.shape[1]):
        full = costs[:, tap] > room
        now += full
        room = np.where(full, EXACT - 1, room) - costs[:, tap]
        share[:, tap] = now
    return [np.where(share.reshape(m.shape) == k, m, 0) for k in range(int(now.max()) + 1)]
