"""What is being written: nodes, constants and functions, and names that nothing else has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .functions import DOMAIN, OPSET, VERSION, function

IR_VERSION = 8  #: the first with local functions


def encoded(value: Any) -> Any:
    """Give an attribute as ONNX holds it: real numbers, which would lose bits, as text."""
    if isinstance(value, bool):
        return int(value)
    return repr(value) if isinstance(value, float) else value


class Sheet:
    """Collects a graph: `nodes` are those of a loop's body while it is written, `graph` those around it."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self.graph: list[onnx.NodeProto] = []
        self.nodes = self.graph
        self.constants: list[onnx.TensorProto] = []
        self.functions: dict[str, onnx.FunctionProto] = {}
        self.names = set(reserved)
        self.node_names: set[str] = set()

    def name(self, wanted: str) -> str:
        """Give a name for a value that no other has."""
        return _unused(wanted, self.names)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add an initialiser."""
        name = self.name(name)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def op(
        self, kind: str, name: str, inputs: Sequence[str], *, outside: bool = False, **attributes: Any
    ) -> str:
        """Add a node of a standard operator; its value is called as the node is."""
        output = self.name(name)
        made = helper.make_node(kind, inputs, [output], name=_unused(name, self.node_names), **attributes)
        (self.graph if outside else self.nodes).append(made)
        return output

    def call(
        self, stem: str, name: str, inputs: Sequence[str], *, outside: bool = False, **attrs: Any
    ) -> list[str]:
        """Add a call of a function of ours, and the function; all its outputs."""
        made = function(stem, attrs)
        assert self.functions.setdefault(made.name, made) == made
        assert len(made.input) == len(inputs), f"{made.name}: {list(made.input)}, {inputs}"
        outputs = [self.name(name if k == 0 else f"{name}.{role}") for k, role in enumerate(made.output)]
        attributes = {key: encoded(value) for key, value in attrs.items()}
        node_name = _unused(name, self.node_names)
        node = helper.make_node(made.name, inputs, outputs, name=node_name, domain=DOMAIN, **attributes)
        (self.graph if outside else self.nodes).append(node)
        return outputs

    def model(
        self,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
        **about: str,
    ) -> onnx.ModelProto:
        """Make the file."""
        graph = helper.make_graph(self.graph, "snncore", inputs, outputs, self.constants)
        return helper.make_model(
            graph,
            functions=[self.functions[name] for name in sorted(self.functions)],
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, VERSION)],
            ir_version=IR_VERSION,
            **about,
        )


def _unused(wanted: str, taken: set[str]) -> str:
    name, k = wanted, 1
    while name in taken:
        k += 1
        name = f"{wanted}.{k}"
    taken.add(name)
    return name
