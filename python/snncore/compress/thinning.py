"""Single weights made zero: the smallest of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore.convert.parts import Codes

from .cutting import EditedParts, edited
from .graph import Graph, Node
from .ratios import kept
from .scores import real_weights


def thin(graph: Graph, ratios: Mapping[str, float]) -> EditedParts:
    """Make ``n - int(n * (1 - ratio))`` weights of each layer zero, those of the smallest real magnitude.

    Parameters
    ----------
    ratios
        By the name of a layer; others stay as they are.

    Raises
    ------
    ValueError
        Weights that cannot be zero, a layer that would lose all: names the layer.
    """
    parts = edited(graph)
    for node in graph.weighted():
        if ratios.get(node["name"], 0.0) > 0:
            _thin(graph, parts, node, ratios[node["name"]])
    return parts


def _thin(graph: Graph, parts: EditedParts, node: Node, ratio: float) -> None:
    name, codes = node["name"], graph.parts.codes(node)
    if codes is not None and codes.encoding != "sym":
        raise ValueError(
            f"prune: '{name}' has weights of encoding '{codes.encoding}', none of which is zero; "
            "unstructured takes float weights or encoding 'sym'"
        )
    stays = _largest(real_weights(graph, node), ratio, name)
    if codes is None:
        weight = graph.values(node)["weight"]
        parts.tensors[f"{name}.weight"] = np.where(stays, weight, np.zeros((), weight.dtype))
    else:
        parts.coded[name] = Codes(np.where(stays, codes.q, 0), codes.bits, codes.encoding)


def _largest(values: NDArray[Any], ratio: float, name: str) -> NDArray[np.bool_]:
    """Mark the largest values; of equal ones the first."""
    count = kept(values.size, ratio)
    if count == 0:
        raise ValueError(
            f"prune: a ratio of {ratio:g} would leave none of the {values.size} weights of '{name}'; choose "
            "a smaller one"
        )
    stays = np.zeros(values.size, bool)
    stays[np.argsort(-values.ravel(), kind="stable")[:count]] = True
    return stays.reshape(values.shape)
