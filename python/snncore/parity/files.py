"""The layers of a `.snn` file of float weights, in the form in which a traced module lists its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from torch import nn

from snncore.convert.trace import Call, Trace
from snncore.neuron import Neuron
from snncore.reference.run import File, read

from .bound import Unknown
from .sides import Subject


def trace_of_file(subject: Subject) -> Trace:
    """List the layers of a model.

    Raises
    ------
    Unknown
        The model has several inputs, or neurons that read a flattened image.
    """
    file = read(subject.model.to_bytes())
    document = subject.document
    if len(document["inputs"]) != 1:
        raise Unknown("the model has several inputs")
    nodes = document["graph"]["nodes"]
    flat = {n["outputs"][0] for n in nodes if n["op"] == "flatten"}
    for node in nodes:
        if node["op"] in ("lif", "if", "neuron") and node["inputs"][0] in flat:
            raise Unknown(f"'{node['name']}' reads a flattened image")
    calls = [_call(file, node) for node in nodes]
    return Trace(calls, document["inputs"][0]["edge"], document["outputs"][0]["edge"])


def _call(file: File, node: dict[str, Any]) -> Call:
    op, attrs = node["op"], dict(node["attrs"])
    tensors = {role: file.tensors[name] for role, name in node["tensors"].items()}
    module: Any = None
    if op in ("conv2d", "linear"):
        weight = tensors["weight"]
        weight = weight.permute(0, 3, 1, 2) if op == "conv2d" else weight
        coded = None if weight.is_floating_point() else "codes"
        module = cast(nn.Module, SimpleNamespace(weight=weight, bias=tensors.get("bias"), quantizer=coded))
    elif op == "flatten":
        attrs["channels_last"] = True
    elif op == "neuron":
        values = {role: np.asarray(t) for role, t in tensors.items()}
        attrs |= {role: np.moveaxis(v, -1, 0) if v.ndim == 3 else v for role, v in values.items()}
        attrs = {"neuron": Neuron(**attrs)}
    elif op in ("lif", "if") and attrs["arith"] == "f32":
        op, attrs = "neuron", {"neuron": _lif(attrs)}
    elif op in ("lif", "if", "cuba_lif"):
        raise Unknown("the model's sums are integers, rounded otherwise than float32")
    return Call(op, node["name"], node["outputs"][0], node["inputs"], module, attrs)


def _lif(attrs: dict[str, Any]) -> Neuron:
    return Neuron(
        rate=attrs["decay"],
        input_gain=attrs["input_gain"],
        threshold=attrs["threshold"],
        fire="above" if attrs["strict"] else "at_least",
        reset=attrs["reset"],
    )
