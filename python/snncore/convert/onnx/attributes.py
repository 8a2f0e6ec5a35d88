"""Which attributes nodes have, and of which kind: looked at once, so that nobody meets another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

#: Of standard operators, by name; each may be left out.
STANDARD: Final[Mapping[str, type]] = {
    **dict.fromkeys(("pads", "strides", "dilations", "kernel_shape", "axes", "perm", "value_ints"), list),
    **dict.fromkeys(("group", "axis", "keepdims", "to", "transA", "transB", "allowzero", "ceil_mode"), int),
    **dict.fromkeys(
        ("count_include_pad", "storage_order", "training_mode", "num_scan_inputs", "value_int"), int
    ),
    **dict.fromkeys(("alpha", "beta", "epsilon", "momentum", "value_float"), float),
    "auto_pad": str,
    "value_floats": list,
    "value": np.ndarray,
    "body": object,
    "seed": int,
    "ratio": float,
    "saturate": int,
}

_WORDS = ("arith", "decay", "input_gain", "reset", "threshold")
_FLOAT_LIF: Final = {**dict.fromkeys(_WORDS, str), "strict": int}
_INTEGER_LIF: Final = {
    **_FLOAT_LIF,
    **dict.fromkeys(("profile", "state", "leak"), str),
    **dict.fromkeys(("leak_param", "leak_at_store", "unit_bits"), int),
}
_NEURON: Final = {
    **dict.fromkeys(
        ("synapse", "charge", "fire", "voltage", "reset", "reset_step", "floor", "refractory"), str
    ),
    **dict.fromkeys(("most", "correct", "refractory_steps"), int),
}
_POOL: Final = dict.fromkeys(("kernel_shape", "strides", "border"), list)

#: Of functions of ours, by what they are; a call has all of them and no other.
OURS: Final[Mapping[str, Mapping[str, type]]] = {
    "cuba_lif": dict.fromkeys(("current_decay", "decay", "input_shift"), int),
    "neuron": _NEURON,
    "requant": {"kinds": str, "wide": int},
    "conv2d": {"parts": int, "group": int, **dict.fromkeys(("strides", "pads", "dilations"), list)},
    "maxpool2d": _POOL,
    "avgpool2d": _POOL,
    "countpool2d": {**_POOL, "size": int},
    "input": {"layout": str, "dtype": str},
    "input of pixels": {"layout": str, "dtype": str, "zero_point": list, "scale": str},
    "state": {"shape": list},
    "delay_memory": {"delay": list, "shape": list},
    "delay": {"delay": list},
    "real": {"divisor": int},
    "psn": {"reach": str},
    "readout": {"kind": str, "mode": str},
}


def of_call(stem: str, attrs: Mapping[str, Any]) -> Mapping[str, type]:
    """Give what a call of a function has: some kinds have two forms."""
    op = stem.removesuffix("_step")
    if op in ("lif", "if"):
        codes = {"codes": str} if "codes" in attrs else {}
        return _INTEGER_LIF | codes if attrs.get("arith") == "int" else _FLOAT_LIF
    if op == "input" and "zero_point" in attrs:
        return OURS["input of pixels"]
    return OURS.get(op, {})
