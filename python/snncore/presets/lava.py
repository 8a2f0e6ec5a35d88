"""Lava 0.10, the fixed-point rule of Loihi: not a float neuron, but what `GraphBuilder.cuba_lif` takes.

>>> from snncore import presets
>>> presets.lava.lif(du=409, dv=204, vth=20)["theta"]
array([1281], dtype=int32)
"""

from __future__ import annotations

from typing import Final, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

VERSION: Final = "0.10.0"


class CubaLif(TypedDict):
    """Keyword arguments of `GraphBuilder.cuba_lif`."""

    current_decay: int
    decay: int
    theta: NDArray[np.int32]
    bias: NDArray[np.int32]
    input_shift: int


def lif(
    du: int, dv: int, vth: ArrayLike, bias_mant: ArrayLike = 0, bias_exp: ArrayLike = 0, neurons: int = 1
) -> CubaLif:
    """``LIF``, bit-accurate: ``u = tz12(u, 4095 - du) + (a << 6); v = tz12(v, 4096 - dv) + u + bias``.

    Parameters
    ----------
    du, dv
        Decays of current and membrane, 0 to 4095.
    vth
        Threshold mantissa, 0 to 131,071: one number, or one a neuron.
    bias_mant, bias_exp
        The bias is ``bias_mant << bias_exp``: one number each, or one a neuron.
    neurons
        How many, where every parameter is one number.

    Raises
    ------
    ValueError
        A number outside its range.
    """
    for name, value, most in (
        ("du", du, 4095),
        ("dv", dv, 4095),
        ("vth", vth, 2**17 - 1),
        ("bias_exp", bias_exp, 23),
    ):
        given = np.asarray(value)
        if given.dtype.kind not in "iu" or given.min() < 0 or given.max() > most:
            raise ValueError(
                f"presets.lava.lif: {name} must be whole numbers of 0 to {most:,}, received {value}"
            )
    bias = np.asarray(bias_mant, np.int64) << np.asarray(bias_exp, np.int64)
    if abs(bias).max() > 2**23:
        raise ValueError(f"presets.lava.lif: a bias is at most 2^23, received {abs(bias).max():,}")
    theta = (np.asarray(vth, np.int64) << 6) + 1
    shape = np.broadcast_shapes(theta.shape, bias.shape, (neurons,))
    return {
        "current_decay": 4095 - int(du),
        "decay": 4096 - int(dv),
        "theta": np.broadcast_to(theta, shape).astype(np.int32),
        "bias": np.broadcast_to(bias, shape).astype(np.int32),
        "input_shift": 6,
    }
