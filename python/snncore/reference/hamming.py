"""The definition of Hamming search that the engine is compared with."""

from __future__ import annotations

import torch
from torch import Tensor


def hamming_topk(queries: Tensor, codes: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the k nearest of `codes` [N, bits] for each of `queries` [Q, bits], both bool.

    ``distance[q, n] = sum_i (queries[q, i] != codes[n, i])``

    Returns ids int64 and distances int32, both [Q, k], in ascending order of (distance, id). Where N is below
    k the rest are -1 and 2^31 - 1.
    """
    distances = (queries[:, None, :] != codes[None, :, :]).sum(dim=2)
    ids = torch.argsort(distances, dim=1, stable=True)[:, :k]
    near = distances.gather(1, ids)
    missing = k - ids.shape[1]
    return (
        torch.nn.functional.pad(ids, (0, missing), value=-1),
        torch.nn.functional.pad(near, (0, missing), value=2**31 - 1).to(torch.int32),
    )
