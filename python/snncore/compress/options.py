"""What `quantize` is asked for, checked: each wrong option is one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import numpy as np

from snncore.builder import State

from .codes import Gamma, Granularity
from .graph import TOKENS, Graph, Node
from .plan import Pixels
from .weights import METHODS, WeightCode

#: Membranes of integer neurons by their bits, narrowest first, as far as this engine has them.
STATES: Final[dict[str, int]] = {
    state: bits
    for state, bits in {"i2": 2, "i4": 4, "i8": 8, "i16": 16, "i32": 32}.items()
    if state in get_args(State)
}


def code_of(bits: Any, method: Any, gamma: Gamma, granularity: Granularity, factor: bool) -> WeightCode:
    """Give the quantiser of the layers between the first and the last."""
    if isinstance(bits, bool) or bits not in (1, 2, 4, 8):
        raise ValueError(f"quantize: bits must be 1, 2, 4 or 8, received {bits!r}")
    method = method or ("symmetric" if bits == 8 else "rescaw")
    if method not in METHODS:
        raise ValueError(f"quantize: method must be 'symmetric' or 'rescaw', received {method!r}")
    if bits not in METHODS[method]:
        raise ValueError(f"quantize: method '{method}' has 2, 4 or 8 bits, received {bits}; 'rescaw' has 1")
    for name, given, allowed in (
        ("gamma", gamma, get_args(Gamma)),
        ("granularity", granularity, get_args(Granularity)),
    ):
        if given not in allowed:
            raise ValueError(f"quantize: {name} must be {_either(allowed)}, received {given!r}")
    return WeightCode(method, int(bits), granularity, gamma, bool(factor))


def _either(words: Any) -> str:
    quoted = [f"'{word}'" for word in words]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def check_options(ends: Any, state: Any, profile: Any, calibration: Any) -> None:
    """Refuse options that are none."""
    if ends is not None and (isinstance(ends, bool) or ends not in METHODS["symmetric"]):
        raise ValueError(f"quantize: ends must be 2, 4, 8 or None, received {ends!r}")
    if state not in (*STATES, "auto"):
        raise ValueError(f"quantize: state must be {_either((*STATES, 'auto'))}, received {state!r}")
    if profile not in ("W", "U", "auto"):
        raise ValueError(f"quantize: profile must be 'W', 'U' or 'auto', received {profile!r}")
    for name, given in (("state", state), ("profile", profile)):
        if given == "auto" and calibration is None:
            raise ValueError(f"quantize: {name} 'auto' is chosen on calibration data, and there are none")


def check_float(graph: Graph) -> None:
    """Refuse models that are quantised already, and those without finite weights."""
    coded = [n["name"] for n in graph.weighted() if graph.parts.tensor(n, "weight") is None]
    coded += [n["name"] for n in graph.nodes if _integer(n) and not _counts(graph, n)]
    if coded:
        raise ValueError(f"quantize: expected a model of float weights, '{coded[0]}' is quantised already")
    if not graph.weighted():
        raise ValueError("quantize: expected a model with a conv2d or linear layer, there is none")
    for node in graph.weighted():
        if not np.isfinite(graph.values(node)["weight"]).all():
            raise ValueError(f"quantize: expected finite weights, those of '{node['name']}' are not")


def _integer(node: Node) -> bool:
    return bool(node["op"] == "cuba_lif" or node["attrs"].get("arith") == "int")


def _counts(graph: Graph, neuron: Node) -> bool:
    """Whether all its sums are of spikes alone: such neurons are integer in models of float weights, too."""
    requant = graph.writer[neuron["inputs"][0]]
    sums = [e for e in requant["inputs"] if graph.edges[e]["unit"] == "sum"]
    return all(graph.writer[e]["op"] in TOKENS for e in sums)


def pixels_of(graph: Graph, preprocess: Mapping[str, Any] | None) -> dict[str, Pixels]:
    """Find the float32 inputs (by edge) whose pixels are known, from the file or from the caller."""
    reals = [p for p in graph.document["inputs"] if graph.edges[p["edge"]]["dtype"] == "f32"]
    found = {
        p["edge"]: Pixels(list(e["zero_point"]), float(e["scale"]))
        for p in reals
        if (e := graph.edges[p["edge"]]).get("zero_point") is not None
    }
    if preprocess is None:
        return found
    if not isinstance(preprocess, Mapping) or set(preprocess) != {"zero_point", "scale"}:
        given = sorted(preprocess) if isinstance(preprocess, Mapping) else preprocess
        raise ValueError(f"preprocess: expected the keys zero_point and scale, received {given!r}")
    if len(reals) != 1:
        raise ValueError(f"preprocess: expected a model with one float32 input, it has {len(reals)}")
    channels = graph.parts.shape(reals[0]["edge"])[-1]
    zero = np.atleast_1d(np.asarray(preprocess["zero_point"]))
    scale = preprocess["scale"]
    if zero.dtype.kind not in "iu" or zero.size not in (1, channels) or zero.min() < 0 or zero.max() > 255:
        raise ValueError(
            f"preprocess: zero_point must be one integer of 0..255, or {channels}, received "
            f"{preprocess['zero_point']!r}"
        )
    if not (isinstance(scale, (int, float, np.number)) and np.isfinite(scale) and scale > 0):
        raise ValueError(f"preprocess: scale must be a number above 0, received {scale!r}")
    return {reals[0]["edge"]: Pixels([int(z) for z in np.broadcast_to(zero, channels)], float(scale))}
