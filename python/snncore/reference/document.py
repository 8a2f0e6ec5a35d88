"""What a document of format 2 leaves out (docs/format.md, "What is left out")."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor

Edge = dict[str, Any]
Node = dict[str, Any]
Tensors = MutableMapping[str, Tensor]

_NAME = re.compile(r"(?P<node>.+?)\.(?P<role>[MK]\.\d+|\w+)")
_REQUANT = re.compile(r"[MK]\.\d+|[Cn]")
#: Roles whose tensor has a value for each channel; so have all of `requant` and `residual`.
_OF_CHANNELS = {
    "conv2d": {"bias"},
    "linear": {"bias"},
    "lif": {"theta", "psi"},
    "if": {"theta", "psi"},
    "cuba_lif": {"theta", "bias"},
    "readout": {"bias"},
}
#: Roles of float64. The other tensors of `_INTEGERS` are int32, and float32 those of what is neither.
_FLOAT64 = {
    "conv2d": {"scale"},
    "linear": {"scale"},
    "readout": {"scale", "bias"},
    "saccade": {"mix", "threshold"},
}
_INTEGERS = ("requant", "residual", "lif", "if", "cuba_lif")


def complete(document: dict[str, Any], tensors: Tensors) -> None:
    """Write into `document` and `tensors` what the rest of them says; ranges of int32 edges become None."""
    nodes: list[Node] = document["graph"]["nodes"]
    edges: dict[str, Edge] = document["graph"]["edges"]
    attrs: dict[str, Any] = {}
    for node in nodes:
        node.setdefault("version", 1)
        node.setdefault("outputs", [node["name"]])
        given = node.get("attrs", {})
        node["attrs"] = dict(attrs[given] if isinstance(given, str) else given)
        attrs.setdefault(node["name"], node["attrs"])
        node.setdefault("tensors", {})
    _give_unnamed(nodes, tensors)
    for node in nodes:
        _write_numbers(node, tensors)
    for node in nodes:
        inputs = [edges[edge] for edge in node["inputs"] if edge in edges]
        if len(inputs) == len(node["inputs"]):  # else it reads what a later node writes: its edge is stated
            _spread(node, inputs[0], tensors)
            edges.setdefault(node["outputs"][0], _edge(node, inputs, tensors))


def _give_unnamed(nodes: list[Node], tensors: Tensors) -> None:
    by_name = {node["name"]: node for node in nodes}
    named = {name for node in nodes for name in node["tensors"].values()}
    for name in tensors:
        parts = _NAME.fullmatch(name)
        if name not in named and parts is not None:
            by_name[parts["node"]]["tensors"][parts["role"]] = name


def _write_numbers(node: Node, tensors: Tensors) -> None:
    """Tensors [1] of numbers; float64 where the role is."""
    op = node["op"]
    for role, value in node["tensors"].items():
        name = f"{node['name']}.{role}"
        double = role in _FLOAT64.get(op, ())
        if not isinstance(value, str):
            dtype = torch.float64 if double else torch.int64 if op in _INTEGERS else torch.float32
            tensors[name] = torch.tensor([value], dtype=dtype)
            node["tensors"][role] = name
        elif double:
            tensors[value] = tensors[value].double()


def _spread(node: Node, first: Edge, tensors: Tensors) -> None:
    """One value for all channels becomes one for each."""
    op, roles = node["op"], node["tensors"]
    channels = len(tensors[roles["weight"]]) if "weight" in roles else first["shape"][-1]
    for role, name in roles.items():
        each = _REQUANT.fullmatch(role) if op in ("requant", "residual") else role in _OF_CHANNELS.get(op, ())
        if each and list(tensors[name].shape) == [1]:
            tensors[name] = tensors[name].repeat(channels)


def _edge(node: Node, inputs: list[Edge], tensors: Tensors) -> Edge:
    """Give what a node writes; `range` of int32 is proven from the weights, and not looked for here."""
    op, attrs, x = node["op"], node["attrs"], inputs[0]
    shape: list[int] = x["shape"]
    if op in ("conv2d", "linear"):
        weight = tensors[node["tensors"]["weight"]]
        size = _slid(shape, list(weight.shape[1:3]), attrs) if op == "conv2d" else []
        shape = [*size, len(weight)]
        integer = weight.dtype == torch.int64 and x["dtype"] != "f32"
        return _int32("sum", shape) if integer else _real(shape)
    if op in ("requant", "residual"):
        return _int32("current" if op == "requant" else "stream", shape)
    if op in ("attention", "count", "map_scores", "map_product"):
        return _int32("sum", _counted(node, inputs))
    if op in ("maxpool2d", "avgpool2d"):
        return _pooled(op, attrs, x)
    if op == "add":
        counts = all(e["dtype"] != "f32" for e in inputs)
        return _count(shape, sum(e["range"][1] for e in inputs), _divisor(x)) if counts else _real(shape)
    if op == "couple":
        return _real(shape)
    if op == "flatten":
        return _flattened(x)
    if op == "delay":
        return {key: value for key, value in x.items() if key not in ("zero_point", "scale")}
    if op == "readout":
        return _real(shape[-1:])
    if op == "neuron" and attrs["fire"] == "none":
        return _real(shape)
    if op == "neuron" and attrs["fire"] in ("count", "round"):
        return _count(shape, attrs["most"], 1)
    return {"dtype": "b1", "shape": shape, "unit": "1", "range": [0, 1], "pack": "channel"}


def _int32(unit: str, shape: list[int]) -> Edge:
    return {"dtype": "i32", "shape": shape, "unit": unit, "range": None, "pack": None}


def _real(shape: list[int]) -> Edge:
    return {"dtype": "f32", "shape": shape, "unit": "1", "range": None, "pack": None}


def _count(shape: list[int], most: int, divisor: int) -> Edge:
    dtype = f"u{max(2, most.bit_length())}"
    return {"dtype": dtype, "shape": shape, "unit": f"1/{divisor}", "range": [0, most], "pack": None}


def _divisor(edge: Edge) -> int:
    return int(edge["unit"].removeprefix("1/"))


def _slid(shape: list[int], kernel: list[int], attrs: dict[str, Any]) -> list[int]:
    """Height and width of what a window gives."""
    top, bottom, left, right = attrs["padding"]
    dilation = attrs.get("dilation", [1, 1])
    padded = [shape[0] + top + bottom, shape[1] + left + right]
    return [(padded[i] - dilation[i] * (kernel[i] - 1) - 1) // attrs["stride"][i] + 1 for i in (0, 1)]


def _pooled(op: str, attrs: dict[str, Any], x: Edge) -> Edge:
    shape = [*_slid(x["shape"], attrs["kernel"], attrs), x["shape"][-1]]
    if x["dtype"] == "f32":
        return _real(shape)
    if op == "maxpool2d":
        return x | {"shape": shape}
    taps = attrs["kernel"][0] * attrs["kernel"][1]
    return _count(shape, x["range"][1] * taps, _divisor(x) * taps)


def _flattened(x: Edge) -> Edge:
    height, width, channels = x["shape"]
    shape = [height * width * channels]
    if x["dtype"] == "f32":
        return _real(shape)
    zero_point = {"zero_point": x["zero_point"] * (height * width)} if x["unit"] == "pixel" else {}
    return x | {"shape": shape} | zero_point


def _counted(node: Node, inputs: list[Edge]) -> list[int]:
    """Return the shape of attention, of a count over channels, tokens or both, or of a map."""
    attrs, shape = node["attrs"], inputs[-1]["shape"]
    height, width, channels = shape
    heads: int = attrs.get("heads", 1)
    if node["op"] == "map_scores":
        side = height * width if attrs["variant"] == "qk" else channels // heads
        return [heads, side, side]
    if node["op"] != "count":
        return list(shape)
    return {"channels": [height, width, heads], "tokens": [1, 1, channels], "all": [1, 1, heads]}[
        attrs["over"]
    ]
