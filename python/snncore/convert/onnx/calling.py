"""Neurons for graphs that somebody else writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper

from snncore.neuron import Neuron

from .functions import DOMAIN, function
from .sheet import encoded


class Call(NamedTuple):
    """What a graph gets: `node`; its initialisers `tensors`; the model `function`, one of each name."""

    node: onnx.NodeProto
    tensors: list[onnx.TensorProto]
    function: onnx.FunctionProto


def neuron_call(
    neuron: Neuron, name: str, x: str, y: str, *, steps: str = "steps", image: bool = True
) -> Call:
    """Make neurons for a graph: in place of the activations of a network that was exported by its framework.

    The model also needs ``opset_import`` ``("snncore", 1)``.

    Parameters
    ----------
    neuron
        What `x` goes through, over time.
    name
        Of the node.
    x, y
        Values of the graph: currents float32 [T*N, C, H, W] or [T*N, C], and spikes alike.
    steps
        The value that holds T, int64 [1].
    image
        Whether x is [T*N, C, H, W].

    Returns
    -------
    Call
        Node, tensors and function.
    """
    attrs = neuron.describe()
    made = function("neuron", attrs)
    tensors = []
    for role in made.input[2:]:
        values = np.atleast_1d(neuron.values(role))
        if image and values.ndim == 1:
            values = values[:, np.newaxis, np.newaxis]
        tensors.append(numpy_helper.from_array(values, f"{name}.{role}"))
    attributes = {key: encoded(value) for key, value in attrs.items()}
    inputs = [x, steps, *(t.name for t in tensors)]
    return Call(
        helper.make_node(made.name, inputs, [y], name=name, domain=DOMAIN, **attributes), tensors, made
    )
