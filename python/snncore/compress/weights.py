"""How the weights of one layer are coded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from . import codes
from .codes import Gamma, Granularity

Method = Literal["symmetric", "rescaw"]

#: The bits that each method has.
METHODS: Final[dict[Method, tuple[int, ...]]] = {
    "symmetric": codes.SYMMETRIC_BITS,
    "rescaw": codes.RESCAW_BITS,
}


@dataclass(frozen=True)
class WeightCode:
    """A quantiser of `codes` with its options; `gamma` and `factor` are those of "rescaw"."""

    method: Method
    bits: int
    granularity: Granularity = "channel"
    gamma: Gamma = "mean"
    factor: bool = True

    def __call__(self, weight: NDArray[Any]) -> dict[str, Any]:
        """Code a float weight [C, ...]: weight (int8), encoding, bits and scale for `GraphBuilder`."""
        rows = codes.rows_of(np.asarray(weight, dtype=np.float32), self.granularity)
        if self.method == "symmetric":
            scale = codes.symmetric_scale(np, rows, self.bits)
            q, delta = codes.symmetric_rows(np, rows, self.bits, scale), scale.astype(np.float64)
        else:
            scale = codes.rescaw_gamma(np, rows, self.bits, self.gamma, self.factor).astype(np.float32)
            q = codes.rescaw_rows(np, rows, self.bits, scale)
            delta = scale.astype(np.float64) / (2**self.bits - 1)
        return {
            "weight": q.astype(np.int8).reshape(weight.shape),
            "encoding": "sym" if self.method == "symmetric" else "odd",
            "bits": self.bits,
            "scale": delta,
        }
