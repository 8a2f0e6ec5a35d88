"""Every operation of a `.snn` document as nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from snncore._core import Error
from snncore.convert.parts import Codes, Parts

from .body import DOUBLE, FLOAT, INT, onnx_type
from .exact import EXACT, shared_out
from .functions import function
from .rules import call_attrs, rule_of
from .sheet import Sheet

Attrs = dict[str, Any]

#: Operations that see one step only: what does not change with time goes through them once.
TIMELESS: Final = ("conv2d", "linear", "requant", "maxpool2d", "avgpool2d", "flatten")

#: float32 constants for the parameters of a float neuron that its file leaves out
DEFAULTS: Final = {"input_gain": 1.0, "synapse_gain": 1.0}


class Writer:
    """Walks over the nodes. Values are [T*N, ...]; those of `still` edges do not change with time: [N, ...].

    Nor do those of `totals`, which are readouts and what is made of them.

    Spikes, counts and pixels without their zero point are whole numbers in float32; so are sums below 2^24,
    others (`wide`) are float64. Currents are int64.
    """

    def __init__(self, parts: Parts, timesteps: int, recorded: Mapping[str, str]) -> None:
        self.parts, self.timesteps = parts, timesteps
        document = parts.document
        self.edges: dict[str, Attrs] = document["graph"]["edges"]
        outputs = {port["name"]: port["edge"] for port in document["outputs"]}
        self.recorded = {name: edge for name, edge in recorded.items() if outputs.get(name) != edge}
        ends = [*(port["name"] for port in document["inputs"]), *outputs, *self.recorded]
        twice = sorted(name for name in set(ends) if ends.count(name) > 1)
        if twice:
            raise Error(f"to_onnx: two inputs, outputs or recorded layers would be called '{twice[0]}'")
        self.sheet = Sheet(ends)
        self.values: dict[str, str] = {}
        self.still: set[str] = set()
        self.totals: set[str] = set()
        self.wide: set[str] = set()
        self.images: dict[str, list[int]] = {}  # flattened edges: the image's [H, W, C]
        self.steps = self.samples = ""
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.weights: dict[str, Attrs] = {}  # of quantised layers, by name: what values alone do not say

    def run(self) -> None:
        """Write everything; `recorded` edges, by the names of their layers, become outputs too."""
        for port in self.parts.document["inputs"]:
            self._input(port)
        self.steps_are_fixed = not self.steps
        if self.steps_are_fixed:
            self.steps = self.sheet.constant("steps", np.array([self.timesteps], np.int64))
        self.walk()
        for port in self.parts.document["outputs"]:
            self._output(port["name"], port["edge"])
        for name, edge in self.recorded.items():
            self._record(name, edge)

    def walk(self) -> None:
        """Write all nodes."""
        for node in self.parts.nodes:
            self.node(node)

    # ---- inputs and outputs

    def user_shape(self, edge: str) -> list[int]:
        """Give [C, H, W] or [F]."""
        shape = self.parts.shape(edge)
        return [shape[-1], *shape[:-1]]

    def _input(self, port: Attrs) -> None:
        edge, layout = self.edges[port["edge"]], port["layout"]
        pixels = edge["unit"] == "pixel"
        counts = edge["dtype"].startswith("u") and not pixels
        attrs = {"layout": layout, "dtype": f"count{edge['dtype'][1:]}" if counts else edge["dtype"]}
        if edge.get("zero_point") is not None:
            attrs |= {"zero_point": list(edge["zero_point"]), "scale": float(edge["scale"])}
        given = [port["name"]]
        if pixels:
            z = self.channels(port["edge"], np.array(edge["zero_point"], np.float32))
            given.append(self.sheet.constant(f"{port['name']}.zero_point", z))
        value, samples, *steps = self.sheet.call("input", f"{port['name']}.value", given, **attrs)
        self.values[port["edge"]] = value
        self.samples = self.samples or samples
        if steps:
            self.steps = self.steps or steps[0]
        else:
            self.still.add(port["edge"])
        sizes = dict(zip("CHW", self.user_shape(port["edge"]), strict=False))
        kind = {"f32": "float32", "b1": "bool"}.get(edge["dtype"])
        kind = kind or ("uint8" if int(edge["dtype"][1:]) <= 8 else "uint16")
        shape = [sizes.get(axis, axis) for axis in layout]
        self.inputs.append(helper.make_tensor_value_info(port["name"], onnx_type(np.dtype(kind)), shape))

    def _output(self, name: str, edge: str) -> None:
        if edge in self.totals:
            self._end(name, self.values[edge], FLOAT, ["N"], edge)
            return
        given = [self.real(edge, moving=True), self.steps]
        (value,) = self.sheet.call("time_first", f"{name}.steps", given)
        self._end(name, value, FLOAT, ["T", "N"], edge)

    def _record(self, name: str, edge: str) -> None:
        if edge in self.totals:
            self._end(name, self.values[edge], self.dtype(edge), ["N"], edge)
            return
        (value,) = self.sheet.call("time_first", f"{name}.steps", [self.moving(edge), self.steps])
        self._end(name, value, self.dtype(edge), ["T", "N"], edge)

    def _end(self, name: str, value: str, dtype: np.dtype[Any], lead: list[str], edge: str) -> None:
        self.sheet.nodes.append(helper.make_node("Identity", [value], [name], name=f"{name}.output"))
        shape: list[int | str | None] = [*lead, *self.user_shape(edge)]
        self.outputs.append(helper.make_tensor_value_info(name, onnx_type(dtype), shape))

    # ---- values

    def dtype(self, edge: str) -> np.dtype[Any]:
        """Give the dtype of a value."""
        if self.edges[edge]["unit"] == "current":
            return INT
        return DOUBLE if edge in self.wide else FLOAT

    def moving(self, edge: str) -> str:
        """Give the value for all steps, [T*N, ...]."""
        if edge not in self.still:
            return self.values[edge]
        self.values[edge] = self.sheet.call("repeat", f"{edge}.repeated", [self.values[edge], self.steps])[0]
        self.still.discard(edge)
        return self.values[edge]

    def real(self, edge: str, *, moving: bool = False) -> str:
        """Give the value as a float layer reads it: counts times what one is worth."""
        value, unit = self.moving(edge) if moving else self.values[edge], self.edges[edge]["unit"]
        if not unit.startswith("1/") or unit == "1/1":
            return value
        return self.sheet.call("real", f"{edge}.real", [value], divisor=int(unit[2:]))[0]

    def channels(self, edge: str, values: NDArray[Any]) -> NDArray[Any]:
        """Shape a parameter ([1], [C] or the edge's) so that it meets [N, C, H, W] or [N, F]."""
        if values.size > 1 and edge in self.images:
            h, w, c = self.images[edge]
            return np.moveaxis(values.reshape(*values.shape[:-1], h, w, c), -1, -3).reshape(values.shape)
        if values.ndim == 3:
            return np.moveaxis(values, -1, 0)
        return values[..., np.newaxis, np.newaxis] if len(self.parts.shape(edge)) == 3 else values

    def tensor(self, node: Attrs, role: str, dtype: np.dtype[Any]) -> str:
        """Add a parameter with a value for each channel; with rows of them; or a table for all channels."""
        values = self.parts.tensor(node, role)
        assert values is not None
        rows = role in ("theta", "gamma") and values.ndim == 2
        if role not in ("load", "edges"):
            values = self.channels(node["outputs"][0], values)
        values = values[:, np.newaxis] if rows else values
        return self.sheet.constant(f"{node['name']}.{role}", values.astype(dtype))

    # ---- nodes

    def node(self, node: Attrs) -> None:
        """Write one node."""
        inputs, edge, op = node["inputs"], node["outputs"][0], node["op"]
        if op == "flatten":
            self.images[edge] = self.parts.shape(inputs[0])
        elif op != "linear" and inputs[0] in self.images:
            self.images[edge] = self.images[inputs[0]]
        if len({tuple(self.images.get(e, ())) for e in inputs}) > 1:
            raise Error(
                f"to_onnx: '{node['name']}' ({op}) joins a flattened image, which ONNX has in the order "
                "C, H, W, and another vector"
            )
        if not self.totals.isdisjoint(inputs):
            if op not in ("add", *TIMELESS) or not self.totals.issuperset(inputs):
                raise Error(f"to_onnx: '{node['name']}' ({op}) behind a readout has no form in ONNX")
            self.totals.add(edge)
        elif op in TIMELESS and self.still.issuperset(inputs):
            self.still.add(edge)
        else:
            for source in self.still.intersection(inputs):
                self.moving(source)
            if op == "readout":
                self.totals.add(edge)
        write: Callable[[Attrs, Attrs], str] | None = getattr(self, f"_{op}", None)
        if write is None:
            raise Error(f"to_onnx: '{node['name']}' ({op}) has no form in ONNX")
        self.values[edge] = write(node, node["attrs"])

    def _codes(self, node: Attrs) -> Codes:
        codes = self.parts.codes(node)
        assert codes is not None
        return codes

    def _coded(self, node: Attrs, codes: Codes) -> int:
        """Keep what the codes are; give the largest sum."""
        scale = self.parts.tensor(node, "scale")
        assert scale is not None
        facts = {"bits": codes.bits, "encoding": codes.encoding, "scale": [float(s) for s in scale]}
        self.weights[node["name"]] = facts
        most = self.edges[node["inputs"][0]]["range"][1]
        return int(abs(codes.m).reshape(len(codes.m), -1).sum(1).max()) * int(most)

    def _whole(self, name: str, m: NDArray[Any], dtype: np.dtype[Any]) -> str:
        """Add whole numbers as a small integer type, and convert them."""
        small = np.int8 if abs(m).max() < 128 else np.int16
        stored = self.sheet.constant(f"{name}.{np.dtype(small).name}", m.astype(small))
        return self.sheet.op("Cast", f"{name}", [stored], outside=True, to=onnx_type(dtype))

    def _conv2d(self, node: Attrs, attrs: Attrs) -> str:
        name, (edge,), weight = node["name"], node["inputs"], self.parts.floats(node)
        top, bottom, left, right = attrs["padding"]
        geometry = {"strides": attrs["stride"], "pads": [top, left, bottom, right]}
        geometry |= {"dilations": attrs["dilation"], "group": attrs["groups"]}
        if weight is not None:
            bias = self.parts.tensor(node, "bias")
            given = [self.sheet.constant(f"{name}.weight", weight.transpose(0, 3, 1, 2))]
            given += [] if bias is None else [self.sheet.constant(f"{name}.bias", bias)]
            kernel = list(weight.shape[1:3])
            return self.sheet.op("Conv", name, [self.real(edge), *given], kernel_shape=kernel, **geometry)
        codes = self._codes(node)
        m, x = codes.m.transpose(0, 3, 1, 2), self.values[edge]
        if self._coded(node, codes) < EXACT:
            weight_ = self._whole(f"{name}.weight", m, FLOAT)
            return self.sheet.op("Conv", name, [x, weight_], kernel_shape=list(m.shape[2:]), **geometry)
        shares = shared_out(m, int(self.edges[edge]["range"][1]))
        given = [self._whole(f"{name}.weight{k}", share, FLOAT) for k, share in enumerate(shares)]
        self.wide.add(node["outputs"][0])
        return self.sheet.call("conv2d", name, [x, *given], parts=len(shares), **geometry)[0]

    def _linear(self, node: Attrs, attrs: Attrs) -> str:
        name, (edge,), weight = node["name"], node["inputs"], self.parts.floats(node)
        if weight is not None:
            bias = self.parts.tensor(node, "bias")
            given = [self.sheet.constant(f"{name}.weight", self.channels(edge, weight))]
            given += [] if bias is None else [self.sheet.constant(f"{name}.bias", bias)]
            return self.sheet.op("Gemm", name, [self.real(edge), *given], transB=1)
        codes = self._codes(node)
        m, x = self.channels(edge, codes.m), self.values[edge]
        dtype: np.dtype[Any] = FLOAT
        if self._coded(node, codes) >= EXACT:
            dtype = DOUBLE
            x = self.sheet.op("Cast", f"{name}.input", [x], to=onnx_type(DOUBLE))
            self.wide.add(node["outputs"][0])
        return self.sheet.op("Gemm", name, [x, self._whole(f"{name}.weight", m, dtype)], transB=1)

    def _kind(self, edge: str) -> str:
        """Tell sums (a; wide ones d) from spikes and counts (s)."""
        return "s" if self.edges[edge]["dtype"] != "i32" else "d" if edge in self.wide else "a"

    def _requant(self, node: Attrs, attrs: Attrs) -> str:
        kinds = "".join(map(self._kind, node["inputs"]))
        roles = [f"{'K' if kind == 's' else 'M'}.{j}" for j, kind in enumerate(kinds)]
        n, c = self.parts.tensor(node, "n"), self.parts.tensor(node, "C")
        assert n is not None and c is not None
        if any(
            t is not None and t.ndim == 2 for t in (c, *(self.parts.tensor(node, role) for role in roles))
        ):
            raise Error(
                f"to_onnx: '{node['name']}' (requant) has factors for each step, which have no form in ONNX"
            )
        divisor = self.channels(node["outputs"][0], np.left_shift(np.int64(1), n.astype(np.int64)))
        given = [self.values[edge] for edge in node["inputs"]]
        given += [self.tensor(node, role, INT) for role in (*roles, "C")]
        given += [self.sheet.constant(f"{node['name']}.2^n", divisor)]
        return self.sheet.call("requant", node["name"], given, kinds=kinds, **attrs)[0]

    def _lif(self, node: Attrs, attrs: Attrs) -> str:
        attrs = call_attrs(node)
        dtype = rule_of(node["op"], attrs).dtype
        _, _, *roles = function(node["op"], attrs).input
        given = [self.values[node["inputs"][0]], self.steps]
        given += [self.parameter(node, role, dtype) for role in roles]
        return self.sheet.call(node["op"], node["name"], given, **attrs)[0]

    def _if(self, node: Attrs, attrs: Attrs) -> str:
        return self._lif(node, attrs)

    _cuba_lif = _neuron = _if

    def _psn(self, node: Attrs, attrs: Attrs) -> str:
        (edge,), name = node["inputs"], node["name"]
        weight, bias = self.parts.tensor(node, "weight"), self.parts.tensor(node, "bias")
        assert weight is not None and bias is not None
        reach = "all" if weight.ndim == 2 else "last"
        if reach == "all":
            if self.steps_are_fixed and len(weight) != self.timesteps:
                raise Error(
                    f"to_onnx: '{name}' (psn) weighs all of {len(weight)} steps at once, asked for "
                    f"{self.timesteps}"
                )
            ones = (1,) * (1 + len(self.parts.shape(edge)))
            weight, bias = weight.T.reshape(*weight.shape, *ones), bias.reshape(-1, *ones)
        given = [self.values[edge], self.steps]
        given += [
            self.sheet.constant(f"{name}.{role}", v) for role, v in (("weight", weight), ("bias", bias))
        ]
        return self.sheet.call("psn", name, given, reach=reach)[0]

    def parameter(self, node: Attrs, role: str, dtype: np.dtype[Any]) -> str:
        """Add a parameter of a neuron, or what it is where the file leaves it out."""
        if role in node["tensors"]:
            return self.tensor(node, role, dtype)
        if role == "drop":
            return self.tensor(node, "threshold", dtype)
        value = node["attrs"].get(role, DEFAULTS.get(role, 0.0))
        return self.sheet.constant(f"{node['name']}.{role}", np.array([value], dtype))

    def _maxpool2d(self, node: Attrs, attrs: Attrs) -> str:
        return self._pool(node, attrs, "MaxPool", "maxpool2d", self.values[node["inputs"][0]], {})

    def _avgpool2d(self, node: Attrs, attrs: Attrs) -> str:
        x, size = self.values[node["inputs"][0]], attrs["kernel"][0] * attrs["kernel"][1]
        if self.edges[node["inputs"][0]]["dtype"] != "f32":
            return self._pool(node, attrs, "", "countpool2d", x, {"size": size})
        return self._pool(node, attrs, "AveragePool", "avgpool2d", x, {"count_include_pad": 1})

    def _pool(self, node: Attrs, attrs: Attrs, kind: str, stem: str, x: str, more: Attrs) -> str:
        """Write the standard operator where it takes this padding."""
        top, bottom, left, right = attrs["padding"]
        window = {"kernel_shape": attrs["kernel"], "strides": attrs["stride"]}
        if kind and max(top, bottom) < attrs["kernel"][0] and max(left, right) < attrs["kernel"][1]:
            return self.sheet.op(kind, node["name"], [x], pads=[top, left, bottom, right], **window, **more)
        border = [0, 0, top, left, 0, 0, bottom, right]
        more.pop("count_include_pad", None)
        return self.sheet.call(stem, node["name"], [x], border=border, **window, **more)[0]

    def _add(self, node: Attrs, attrs: Attrs) -> str:
        real = any(self.edges[edge]["dtype"] == "f32" for edge in node["inputs"])
        terms = [self.real(edge) if real else self.values[edge] for edge in node["inputs"]]
        return self.sheet.op("Sum", node["name"], terms)

    def _flatten(self, node: Attrs, attrs: Attrs) -> str:
        return self.sheet.op("Flatten", node["name"], [self.values[node["inputs"][0]]], axis=1)

    def _delay(self, node: Attrs, attrs: Attrs) -> str:
        x = self.values[node["inputs"][0]]
        return self.sheet.call("delay", node["name"], [x, self.steps], delay=[attrs["steps"]])[0]

    def _readout(self, node: Attrs, attrs: Attrs) -> str:
        (edge,) = node["inputs"]
        kind = "f32" if self.edges[edge]["dtype"] == "f32" else self._kind(edge)
        given = [self.values[edge], self.steps]
        if kind != "f32":
            given += [self.tensor(node, role, DOUBLE) for role in ("scale", "bias")]
        return self.sheet.call("readout", node["name"], given, kind=kind, mode=attrs["mode"])[0]
