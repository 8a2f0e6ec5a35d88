"""A small language for the bodies of ONNX functions: values with operators, which become nodes.

>>> body = Body()
>>> v, x = body.value("v", FLOAT), body.value("x", FLOAT)
>>> h = v * 0.5 + x  # two constants' worth of nodes: Constant, Mul, Add
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

Number: TypeAlias = "int | float | Value"

FLOAT: Final = np.dtype(np.float32)
DOUBLE: Final = np.dtype(np.float64)
INT: Final = np.dtype(np.int64)
BOOL: Final = np.dtype(np.bool_)


def onnx_type(dtype: np.dtype[Any]) -> int:
    """Give the number that ONNX has for a dtype."""
    return int(helper.np_dtype_to_tensor_dtype(dtype))


@dataclass
class Body:
    """Nodes in the making. A `child` is the body of a Scan in this one: its names are others."""

    prefix: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    scans: int = 0

    def value(self, name: str, dtype: np.dtype[Any]) -> Value:
        """Give a value that exists already, such as an input."""
        return Value(self, name, dtype)

    def op(self, kind: str, *inputs: Value, dtype: np.dtype[Any] | None = None, **attributes: Any) -> Value:
        """Add a node of one output, of the dtype of its first input unless given."""
        name = f"{self.prefix}{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [v.name for v in inputs], [name], **attributes))
        return Value(self, name, dtype or inputs[0].dtype)

    def constant(self, value: Any, dtype: np.dtype[Any] = INT) -> Value:
        """Add a constant: a number is a scalar, a list a vector."""
        name = f"{self.prefix}constant{len(self.nodes)}"
        tensor = numpy_helper.from_array(np.array(value, dtype), name)
        self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        return Value(self, name, dtype)

    def attribute(self, kind: str, name: str, dtype: np.dtype[Any]) -> Value:
        """Give an attribute of the function as a value; `kind` is value_int or value_ints."""
        made = self.op("Constant", dtype=INT)
        self.refer(kind, name)
        return made.to(dtype)

    def refer(self, attribute: str, name: str) -> None:
        """Let an attribute of the last node be the function's attribute `name`."""
        kinds = {"value_int": "INT", "group": "INT"}
        kind = onnx.AttributeProto.AttributeType.Value(kinds.get(attribute, "INTS"))
        self.nodes[-1].attribute.append(onnx.AttributeProto(name=attribute, ref_attr_name=name, type=kind))

    def where(self, condition: Value, yes: Number, no: Number) -> Value:
        """Choose element by element."""
        like = yes if isinstance(yes, Value) else no
        assert isinstance(like, Value)
        return self.op("Where", condition, like.same(yes), like.same(no), dtype=like.dtype)

    def child(self) -> Body:
        """Start the body of a Scan."""
        self.scans += 1
        return Body(f"{self.prefix}step{self.scans}_")


@dataclass(frozen=True)
class Value:
    """The output of a node. `/` of integers is toward zero, as ONNX has it."""

    body: Body
    name: str
    dtype: np.dtype[Any]

    def same(self, other: Number) -> Value:
        """Give `other` as a value of this dtype."""
        return other if isinstance(other, Value) else self.body.constant(other, self.dtype)

    def __add__(self, other: Number) -> Value:
        return self.body.op("Add", self, self.same(other))

    def __sub__(self, other: Number) -> Value:
        return self.body.op("Sub", self, self.same(other))

    def __mul__(self, other: Number) -> Value:
        return self.body.op("Mul", self, self.same(other))

    def __truediv__(self, other: Number) -> Value:
        return self.body.op("Div", self, self.same(other))

    def __ge__(self, other: Number) -> Value:
        return self.body.op("GreaterOrEqual", self, self.same(other), dtype=BOOL)

    def __gt__(self, other: Number) -> Value:
        return self.body.op("Greater", self, self.same(other), dtype=BOOL)

    def __lt__(self, other: Number) -> Value:
        return self.body.op("Less", self, self.same(other), dtype=BOOL)

    def clip(self, lo: Number, hi: Number) -> Value:
        """Clamp to lo..hi."""
        return self.body.op("Min", self.body.op("Max", self, self.same(lo)), self.same(hi))

    def floor_divide(self, divisor: Number) -> Value:
        """Divide integers, rounding down: `>>` where the divisor is a power of two."""
        by = self.same(divisor)
        return (self - self.body.op("Mod", self, by)) / by

    def to(self, dtype: np.dtype[Any]) -> Value:
        """Convert."""
        return self if dtype == self.dtype else self.body.op("Cast", self, dtype=dtype, to=onnx_type(dtype))

    def named(self, name: str) -> Value:
        """Give this value a name of its own, such as that of an output."""
        self.body.nodes.append(helper.make_node("Identity", [self.name], [name]))
        return Value(self.body, name, self.dtype)
