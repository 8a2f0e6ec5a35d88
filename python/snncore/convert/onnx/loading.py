"""From a file to plain data: nodes, constants and functions, checked so that nothing later meets nonsense."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import onnx
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray

from snncore import Error, FormatError

from .attributes import STANDARD, of_call
from .functions import DOMAIN, FUNCTIONS, VERSION, stem_of
from .tensors import Tensors

Source: TypeAlias = str | os.PathLike[str] | bytes | onnx.ModelProto

OLDEST: Final = 13  #: opset in which operators take axes and the like as we read them


@dataclass(frozen=True)
class Node:
    """A node: `label` names it in messages. Attributes are numbers, text, lists, arrays or a graph."""

    name: str
    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Say which one it is."""
        return f"{self.op} '{self.name}'"


@dataclass(frozen=True)
class Network:
    """A graph. `inputs` maps names to (element type, axes); a free axis is its name, or None."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]
    inputs: Mapping[str, tuple[int, tuple[int | str | None, ...] | None]]
    outputs: tuple[str, ...]
    functions: Mapping[str, onnx.FunctionProto]
    facts: Mapping[str, Any]
    source: str


def load(source: Source) -> Network:
    """Read a path, the bytes of a file, or a proto.

    Raises
    ------
    snncore.FormatError
        Not ONNX, or not consistent; the message names the node or tensor.
    snncore.Error
        An opset that is too old, or functions of a newer version of ours.
    """
    folder, name = None, "onnx"
    if isinstance(source, onnx.ModelProto):
        model = source
    elif isinstance(source, (bytes, bytearray, memoryview)):
        model = _parsed(bytes(source), name)
    else:
        path = Path(source)
        folder, name = path.parent, f"'{path}'"
        model = _parsed(path.read_bytes(), name)
    _check_text(model, name)
    _check_versions(model, name)
    graph = _Reader(folder, name)
    nodes, constants = graph.read(model.graph, frozenset())
    return Network(
        nodes,
        constants,
        {v.name: _type(v) for v in model.graph.input if v.name not in constants},
        tuple(v.name for v in model.graph.output),
        {f.name: f for f in model.functions if f.domain == DOMAIN},
        _facts(model, name),
        name,
    )


def _parsed(data: bytes, name: str) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise FormatError(f"{name}: not an ONNX file") from None
    return model


def _check_text(message: Message, name: str) -> None:
    """Refuse names that no message could show; remarks may hold anything."""
    for field, value in message.ListFields():
        if field.name in ("doc_string", "metadata_props"):
            continue
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_MESSAGE:
            for part in values:
                _check_text(part, name)
        elif field.type == field.TYPE_STRING and not all(
            isinstance(v, str) and v.isprintable() for v in values
        ):
            raise FormatError(f"{name}: a name in it is not text: {bytes(str(values[0]), 'utf-8')[:80]!r}")


def _check_versions(model: onnx.ModelProto, name: str) -> None:
    if not model.ir_version or not model.graph.node:
        raise FormatError(f"{name}: not an ONNX file, or one without nodes")
    versions = {entry.domain: entry.version for entry in model.opset_import}
    opset = versions.get("", versions.get("ai.onnx", 0))
    if opset < OLDEST:
        raise Error(f"{name}: opset {opset} is too old; export with opset {OLDEST} or later")
    if versions.get(DOMAIN, VERSION) > VERSION:
        raise Error(
            f"{name}: functions of version {versions[DOMAIN]} of snncore's; this one knows up to {VERSION}"
        )


def _type(value: onnx.ValueInfoProto) -> tuple[int, tuple[int | str | None, ...] | None]:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return tensor.elem_type, None
    axes = [
        axis.dim_value if axis.HasField("dim_value") else axis.dim_param or None for axis in tensor.shape.dim
    ]
    return tensor.elem_type, tuple(axes)


def _facts(model: onnx.ModelProto, name: str) -> dict[str, Any]:
    """Read what `to_onnx` noted beside the graph; files of others have none."""
    text = {entry.key: entry.value for entry in model.metadata_props}.get("snncore")
    if text is None:
        return {}
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    kinds: dict[str, Any] = {"timesteps": int, "labels": (list, type(None)), "preprocess": (dict, type(None))}
    kinds |= {"provenance": dict, "weights": dict, "record": list}
    if not isinstance(facts, dict) or any(
        not isinstance(facts[key], kind) for key, kind in kinds.items() if key in facts
    ):
        raise FormatError(f"{name}: metadata 'snncore' is not what snncore writes")
    return facts


class _Reader:
    """Reads graphs, and the graphs in them; every value is given once, before it is read."""

    def __init__(self, folder: Path | None, source: str) -> None:
        self.source = source
        self.tensors = Tensors(folder, source)
        self.unnamed = 0

    def read(
        self, graph: onnx.GraphProto, outside: Set[str]
    ) -> tuple[tuple[Node, ...], dict[str, NDArray[Any]]]:
        """Give nodes and constants; `outside` are values that a body sees of the graph around it."""
        if graph.sparse_initializer:
            raise Error(f"{self.source}: sparse tensors are not supported")
        constants: dict[str, NDArray[Any]] = {}
        for tensor in graph.initializer:
            if tensor.name in constants:
                raise FormatError(f"{self.source}: two tensors are called '{tensor.name}'")
            constants[tensor.name] = self.tensors.read(tensor, f"tensor '{tensor.name}'")
        known = {*outside, *constants, *(v.name for v in graph.input), ""}
        nodes = []
        written = {o: n for n in graph.node for o in n.output}
        for proto in graph.node:
            node = self.node(proto, known)
            self._check_order(node, known, written)
            known.update(node.outputs)
            nodes.append(node)
        for value in graph.output:
            if value.name not in known:
                raise FormatError(f"{self.source}: output '{value.name}' is given by no node")
        twice = [name for name, times in Counter(node.name for node in nodes).items() if times > 1]
        if twice:
            raise FormatError(f"{self.source}: two nodes are called '{twice[0]}'")
        return tuple(nodes), constants

    def _check_order(self, node: Node, known: Set[str], written: Mapping[str, onnx.NodeProto]) -> None:
        for value in node.inputs:
            if value not in known and value in written:
                raise FormatError(
                    f"{self.source}: {node.label} reads '{value}' of a node that is not before it; cycles "
                    "are possible in a Scan only"
                )
            if value not in known:
                raise FormatError(f"{self.source}: {node.label} reads '{value}', which nothing gives")
        for value in node.outputs:
            if value and value in known:
                raise FormatError(f"{self.source}: {node.label} gives '{value}', which exists already")

    def node(self, proto: onnx.NodeProto, known: Set[str]) -> Node:
        """Read a node."""
        self.unnamed += not proto.name
        name = proto.name or f"{proto.op_type}_{self.unnamed}"
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        attrs = dict(self._attributes(proto, f"{proto.op_type} '{name}'", known))
        node = Node(name, proto.op_type, domain, tuple(proto.input), tuple(proto.output), attrs)
        if domain == "" and proto.op_type != "Constant":
            self._check_attributes(node, {key: STANDARD[key] for key in attrs if key in STANDARD})
        elif domain == DOMAIN and stem_of(node.op) in FUNCTIONS:
            kinds = of_call(stem_of(node.op), attrs)
            if set(kinds) != set(attrs):
                raise FormatError(
                    f"{self.source}: {node.label}: its attributes are not those of such a function"
                )
            self._check_attributes(node, kinds)
        return node

    def _check_attributes(self, node: Node, kinds: Mapping[str, type]) -> None:
        """Check kinds, and that whole numbers have 32 bits."""
        for key, kind in kinds.items():
            value = node.attrs[key]
            whole = value if isinstance(value, list) else [value] if isinstance(value, int) else []
            if not isinstance(value, kind) or any(not -(2**31) <= v < 2**31 for v in whole):
                raise FormatError(f"{self.source}: {node.label}: attribute '{key}' is not what it should be")

    def _attributes(self, proto: onnx.NodeProto, label: str, known: Set[str]) -> Iterator[tuple[str, Any]]:
        kinds = onnx.AttributeProto.AttributeType
        for a in proto.attribute:
            if a.type == kinds.INT:
                yield a.name, a.i
            elif a.type == kinds.FLOAT:
                yield a.name, a.f
            elif a.type == kinds.STRING:
                yield a.name, a.s.decode("utf-8", "replace")
            elif a.type == kinds.INTS:
                yield a.name, list(a.ints)
            elif a.type == kinds.FLOATS:
                yield a.name, list(a.floats)
            elif a.type == kinds.TENSOR:
                yield a.name, self.tensors.read(a.t, label)
            elif a.type == kinds.GRAPH:
                yield a.name, Body(a.g, *self.read(a.g, known))
            else:
                raise FormatError(f"{self.source}: {label}: attribute '{a.name}' of an unexpected kind")


class Body:
    """A graph in a node: names of its inputs and outputs, nodes, constants."""

    def __init__(
        self, graph: onnx.GraphProto, nodes: tuple[Node, ...], constants: dict[str, NDArray[Any]]
    ) -> None:
        self.inputs = [v.name for v in graph.input]
        self.outputs = [v.name for v in graph.output]
        self.nodes, self.constants = nodes, constants
