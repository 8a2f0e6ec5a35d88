"""A writer of `.snn` files in Python, from docs/format.md alone: methods as those of `snncore.GraphBuilder`.

It knows integers and float32 (no batch norm, no neurons in real units) and infers the edges, so that the same
calls can go to the library and to this, and either file be read by either side.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from safetensors.numpy import save


@dataclass
class Edge:
    """One step of one sample, `shape` [H, W, C] or [F]. `lo`, `hi`, `a_max`: bounds of a sum's channels."""

    kind: str  # spike, count, pixel, sum, current, stream, real
    shape: list[int]
    range: tuple[int, int] | None
    divisor: int = 1
    zero_point: list[int] | None = None
    scale: float | None = None
    lo: np.ndarray | None = None
    hi: np.ndarray | None = None
    a_max: np.ndarray | None = None
    image: tuple[int, int, int] | None = None  # a vector that is a flattened image: its H, W, C
    weight_scale: np.ndarray | None = None  # sums: the value of 1
    weight_bias: np.ndarray | None = None

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def user_shape(self) -> tuple[int, ...]:
        return tuple(self.shape[-1:] + self.shape[:-1])

    def document(self) -> dict[str, Any]:
        bits = 0 if self.range is None else max(2, self.range[1].bit_length())
        dtype = {
            "spike": "b1",
            "count": f"u{bits}",
            "pixel": "u8",
            "sum": "i32",
            "current": "i32",
            "stream": "i32",
            "real": "f32",
        }
        unit = {name: name for name in ("pixel", "sum", "current", "stream")} | {"count": f"1/{self.divisor}"}
        edge: dict[str, Any] = {
            "dtype": dtype[self.kind],
            "shape": self.shape,
            "unit": unit.get(self.kind, "1"),
            "range": None if self.range is None else list(self.range),
            "pack": "channel" if self.kind == "spike" else None,
        }
        if self.zero_point is not None:
            edge |= {"zero_point": self.zero_point, "scale": self.scale}
        return edge


def decoded(codes: np.ndarray, encoding: str) -> np.ndarray:
    """Codes q to the integers m."""
    q = codes.astype(np.int64)
    return 2 * q + 1 if encoding == "odd" else q


def packed(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes as a file stores them: I8 as they are, fewer bits flat in U64."""
    if bits == 8:
        return codes.astype(np.int8)
    u = codes.astype(np.int64).ravel() + (1 if bits == 1 else 0)  # one bit: u; else q in two's complement
    planes = (u[:, None] >> np.arange(bits)) & 1
    stream = planes.astype(np.uint8).ravel()
    stream = np.pad(stream, (0, -len(stream) % 64))
    return np.packbits(stream, bitorder="little").view("<u8")


@dataclass
class Builder:
    """Adds nodes in order, like `snncore.GraphBuilder`."""

    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: dict[str, Edge] = field(default_factory=dict)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)

    def input(self, name, dtype, shape, zero_point=None, scale=None, layout=None) -> str:
        kind, value_range = {"u8": ("pixel", (0, 255)), "b1": ("spike", (0, 1)), "f32": ("real", None)}[dtype]
        stored = [*shape[1:], shape[0]]
        zero = None if zero_point is None else [int(z) for z in zero_point]
        self.edges[name] = Edge(kind, stored, value_range, zero_point=zero, scale=scale)
        self.inputs.append(
            {"name": name, "edge": name, "layout": layout or ("NCHW" if len(shape) == 3 else "NC")}
        )
        return name

    def conv2d(
        self, name, x, weight, encoding="odd", bits=8, scale=None, bias=None,
        stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1,
    ) -> str:  # fmt: skip
        e = self.edges[x]
        size = [
            (e.shape[i] + padding[2 * i] + padding[2 * i + 1] - dilation[i] * (weight.shape[2 + i] - 1) - 1)
            // stride[i]
            + 1
            for i in (0, 1)
        ]
        attrs = {
            "stride": list(stride),
            "padding": list(padding),
            "dilation": list(dilation),
            "groups": groups,
        }
        return self._weighted(
            "conv2d", name, x, weight.transpose(0, 2, 3, 1), size, attrs, encoding, bits, scale, bias, groups
        )

    def linear(self, name, x, weight, encoding="odd", bits=8, scale=None, bias=None) -> str:
        return self._weighted(
            "linear", name, x, self._file_order(x, weight), [], {}, encoding, bits, scale, bias
        )

    def _file_order(self, x: str, values: np.ndarray) -> np.ndarray:
        """Last axis from C, H, W to H, W, C where `x` is a flattened image."""
        image = self.edges[x].image
        if image is None:
            return values
        h, w, c = image
        lead = values.shape[:-1]
        return np.moveaxis(values.reshape(*lead, c, h, w), -3, -1).reshape(*lead, -1)

    def _weighted(self, op, name, x, weight, size, attrs, encoding, bits, scale, bias, groups=1) -> str:
        e = self.edges[x]
        channels = weight.shape[0]
        tensors = {"weight": weight}
        shape = [*size, channels]
        if encoding == "f32":
            if bias is not None:
                tensors["bias"] = np.asarray(bias, np.float32)
            tensors["weight"] = np.ascontiguousarray(weight, np.float32)
            return self._add(op, name, [x], Edge("real", shape, None), attrs, tensors)
        self.codes[f"{name}.weight"] = {"shape": list(weight.shape), "bits": bits, "encoding": encoding}
        tensors["weight"] = packed(np.ascontiguousarray(weight), bits)
        tensors["scale"] = np.ones(1) if scale is None else np.asarray(scale, np.float64)
        m = decoded(weight, encoding)
        lo, hi = self._bounds(e, m, groups)
        out = Edge("sum", shape, (int(lo.min()), int(hi.max())), lo=lo, hi=hi)
        out.a_max = abs(m).reshape(channels, -1).sum(1) * e.range[1]
        unit = e.scale if e.kind == "pixel" else 1 / e.divisor
        out.weight_scale = tensors["scale"] * unit
        out.weight_bias = np.zeros(channels) if bias is None else np.asarray(bias, np.float64)
        return self._add(op, name, [x], out, attrs, tensors)

    @staticmethod
    def _bounds(e: Edge, m: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest sum of each output channel."""
        least, most = np.zeros(m.shape[-1]), np.full(m.shape[-1], e.range[1])
        if e.kind == "pixel":
            group = np.arange(m.shape[0]) // (m.shape[0] // groups)
            z = np.array(e.zero_point).reshape(groups, -1)[group]
            z = z.reshape(m.shape[0], *[1] * (m.ndim - 2), -1)
            least, most = -z, 255 - z
        ends = np.stack([m * least, m * most])
        flat = ends.reshape(2, m.shape[0], -1).astype(np.int64)
        return flat.min(0).sum(1), flat.max(0).sum(1)

    def requant(self, name, inputs, factors, c, n, wide=False) -> str:
        tensors, lo, hi = self._requantised(inputs, factors, c, n)
        if any(self.edges[x].kind == "stream" for x in inputs):
            lo, hi = (np.clip(ends, -(2**31), 2**31 - 1) for ends in (lo, hi))
        edge = Edge("current", self.edges[inputs[0]].shape, (int(lo.min()), int(hi.max())), lo=lo, hi=hi)
        return self._add("requant", name, inputs, edge, {"wide": wide}, tensors)

    def residual_int(self, name, inputs, factors, c, n, unit=1.0) -> str:
        tensors, lo, hi = self._requantised(inputs, factors, c, n)
        for e in (self.edges[x] for x, f in zip(inputs, factors, strict=True) if f is None):
            lo, hi = lo + e.lo, hi + e.hi
        lo, hi = (np.clip(ends, -(2**31), 2**31 - 1) for ends in (lo, hi))
        edge = Edge("stream", self.edges[inputs[0]].shape, (int(lo.min()), int(hi.max())), lo=lo, hi=hi)
        edge.a_max = np.maximum(abs(lo), abs(hi))
        return self._add("residual", name, inputs, edge, {"unit": float(unit)}, tensors)

    def _requantised(self, inputs, factors, c, n) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Factors, C and n as tensors, and the least and largest value of each channel, at any step."""
        tensors, lo, hi = {}, c.astype(np.int64), c.astype(np.int64)
        half = np.where(n > 0, 1 << np.maximum(n.astype(np.int64) - 1, 0), 0)
        side_lo = side_hi = np.zeros(len(n), np.int64)
        for j, (x, f) in enumerate(zip(inputs, factors, strict=True)):
            if f is None:
                continue
            e, f64 = self.edges[x], f.astype(np.int64)
            if e.kind in ("sum", "stream"):
                tensors[f"M.{j}"] = f.astype(np.int32)
                lo, hi = lo + e.lo * f64, hi + e.hi * f64
            else:
                tensors[f"K.{j}"] = f.astype(np.int32)
                side_lo = side_lo + np.minimum(f64, 0) * e.range[1]
                side_hi = side_hi + np.maximum(f64, 0) * e.range[1]
        tensors |= {"C": c.astype(np.int32), "n": n.astype(np.int32)}
        lo, hi = (np.atleast_2d((end + half) >> n) for end in (lo, hi))
        return tensors, lo.min(0) + side_lo, hi.max(0) + side_hi

    def lif_int(
        self, name, x, theta, psi=None, profile="W", state="i16", leak="q15", leak_param=16384, reset="zero",
        leak_at_store=False, unit_bits=-1, decay=0.5, threshold=1.0, input_gain=1.0, strict=False, load=None,
        edges=None, gamma=None,
    ) -> str:  # fmt: skip
        attrs = {
            "arith": "int", "profile": profile, "state": state, "leak": leak, "leak_param": leak_param,
            "reset": reset, "leak_at_store": leak_at_store, "unit_bits": unit_bits, "decay": float(decay),
            "threshold": float(threshold), "input_gain": float(input_gain), "strict": strict,
        }  # fmt: skip
        tensors = {"theta": theta.astype(np.int32)}
        if psi is not None:
            tensors["psi"] = psi.astype(np.int32)
        if load is not None:
            tensors["load"] = load.astype(np.int32)
        if gamma is not None:
            tensors["gamma"] = gamma.astype(np.int32)
        if edges is not None:
            tensors["edges"] = edges.astype(np.int32)
        op = "if" if decay == 1 else "lif"
        return self._add(op, name, [x], Edge("spike", self.edges[x].shape, (0, 1)), attrs, tensors)

    def cuba_lif(self, name, x, current_decay, decay, theta, bias, input_shift=6) -> str:
        attrs = {"current_decay": current_decay, "decay": decay, "input_shift": input_shift}
        tensors = {"theta": theta.astype(np.int32), "bias": bias.astype(np.int32)}
        return self._add("cuba_lif", name, [x], Edge("spike", self.edges[x].shape, (0, 1)), attrs, tensors)

    def neuron(self, name, x, neuron) -> str:
        """A `snncore.Neuron`: its words as attributes, the numbers that a stage reads as tensors."""
        reads = {
            "rate": True, "input_gain": True, "synapse_gain": True, "bias": True, "initial": True,
            "leak": neuron.charge != "decay", "synapse_rate": neuron.synapse != "none",
            "threshold": neuron.fire != "none", "reset_value": neuron.reset == "value",
            "drop": neuron.reset == "subtract", "floor_value": neuron.floor != "none",
        }  # fmt: skip
        e, tensors = self.edges[x], {}
        for role in (role for role, read in reads.items() if read):
            values = np.atleast_1d(neuron.values(role))
            tensors[role] = np.ascontiguousarray(np.moveaxis(values, 0, -1))
        kind = {"count": "count", "round": "count", "none": "real"}.get(neuron.fire, "spike")
        bounds = None if kind == "real" else (0, neuron.most)
        return self._add("neuron", name, [x], Edge(kind, e.shape, bounds), neuron.describe(), tensors)

    def lif_f32(self, name, x, decay, threshold, input_gain=1.0, reset="zero", strict=False) -> str:
        attrs = {
            "arith": "f32", "decay": float(decay), "threshold": float(threshold),
            "input_gain": float(input_gain), "reset": reset, "strict": strict,
        }  # fmt: skip
        e = self.edges[x]
        op = "if" if decay == 1 else "lif"
        return self._add(op, name, [x], Edge("spike", e.shape, (0, 1), image=e.image), attrs, {})

    def maxpool2d(self, name, x, kernel, stride=None, padding=(0, 0, 0, 0)) -> str:
        return self._pool("maxpool2d", name, x, kernel, stride or kernel, padding)

    def avgpool2d(self, name, x, kernel, stride=None, padding=(0, 0, 0, 0)) -> str:
        return self._pool("avgpool2d", name, x, kernel, stride or kernel, padding)

    def _pool(self, op, name, x, kernel, stride, padding) -> str:
        e = self.edges[x]
        size = [
            (e.shape[i] + padding[2 * i] + padding[2 * i + 1] - kernel[i]) // stride[i] + 1 for i in (0, 1)
        ]
        out = Edge(e.kind, [*size, e.channels], e.range)
        if op == "avgpool2d" and e.kind != "real":
            taps = kernel[0] * kernel[1]
            out = Edge("count", out.shape, (0, e.range[1] * taps), divisor=e.divisor * taps)
        attrs = {"kernel": list(kernel), "stride": list(stride), "padding": list(padding)}
        return self._add(op, name, [x], out, attrs, {})

    def add(self, name, inputs) -> str:
        edges = [self.edges[x] for x in inputs]
        out = Edge("real", edges[0].shape, None, image=edges[0].image)
        if all(e.kind != "real" for e in edges):
            out.kind, out.range, out.divisor = "count", (0, sum(e.range[1] for e in edges)), edges[0].divisor
        return self._add("add", name, inputs, out, {}, {})

    def couple(self, name, x, before, now) -> str:
        e = self.edges[x]
        return self._add("couple", name, [x, before, now], Edge("real", e.shape, None, image=e.image), {}, {})

    def flatten(self, name, x) -> str:
        e = self.edges[x]
        h, w, c = e.shape
        zero = None if e.kind != "pixel" else e.zero_point * (h * w)
        scale = e.scale if e.kind == "pixel" else None
        out = Edge(e.kind, [h * w * c], e.range, e.divisor, zero, scale, image=(h, w, c))
        return self._add("flatten", name, [x], out, {}, {})

    def delay(self, name, x, steps=1, shape=None, dtype="b1") -> str:
        if shape is None:
            out = replace(self.edges[x], zero_point=None, scale=None)
        else:
            out = (
                Edge("spike", [*shape[1:], shape[0]], (0, 1))
                if dtype == "b1"
                else Edge("real", [*shape[1:], shape[0]], None)
            )
        return self._add("delay", name, [x], out, {"steps": steps}, {})

    def attention(self, name, q, k, v, heads=1) -> str:
        h, w, d = self.edges[q].shape
        return self._counted("attention", name, [q, k, v], [h, w, d], h * w * d // heads, {"heads": heads})

    def map_scores(self, name, x, y, *, variant, heads=1) -> str:
        h, w, d = self.edges[x].shape
        side, most = (h * w, d // heads) if variant == "qk" else (d // heads, h * w)
        attrs = {"variant": variant, "heads": heads}
        return self._counted("map_scores", name, [x, y], [heads, side, side], most, attrs)

    def map_product(self, name, maps, x, *, variant, heads=1) -> str:
        most, attrs = self.edges[maps].channels, {"variant": variant, "heads": heads}
        return self._counted("map_product", name, [maps, x], self.edges[x].shape, most, attrs)

    def count(self, name, x, y=None, *, over, heads=1) -> str:
        h, w, d = self.edges[x].shape
        shape, most = {
            "channels": ([h, w, heads], d // heads),
            "tokens": ([1, 1, d], h * w),
            "all": ([1, 1, heads], h * w * d // heads),
        }[over]
        inputs = [x] if y is None else [x, y]
        return self._counted("count", name, inputs, shape, most, {"over": over, "heads": heads})

    def _counted(self, op, name, inputs, shape, most, attrs) -> str:
        hi = np.full(shape[-1], most)
        out = Edge("sum", shape, (0, most), lo=np.zeros_like(hi), hi=hi, a_max=hi)
        return self._add(op, name, inputs, out, attrs, {})

    def mask(self, name, x, mask) -> str:
        return self._add("mask", name, [x, mask], Edge("spike", self.edges[x].shape, (0, 1)), {}, {})

    def readout(self, name, x, mode="mean", scale=None, bias=None) -> str:
        e = self.edges[x]
        tensors = {}
        if e.kind != "real":
            one = np.ones(1) / e.divisor if e.weight_scale is None else e.weight_scale
            zero = np.zeros(e.channels) if e.weight_bias is None else e.weight_bias
            scale = one if scale is None else np.asarray(scale, np.float64)
            bias = zero if bias is None else np.asarray(bias, np.float64)
            tensors["scale"] = scale if len(scale) == 1 else self._file_order(x, scale)
            tensors["bias"] = self._file_order(x, bias)
        shape = e.shape[-1:] if e.kind == "stream" else e.shape
        return self._add(
            "readout", name, [x], Edge("real", shape, None, image=e.image), {"mode": mode}, tensors
        )

    def output(self, name, edge) -> None:
        self.outputs.append({"name": name, "edge": edge})

    def _add(self, op, name, inputs, edge, attrs, tensors) -> str:
        for role, values in tensors.items():
            self.tensors[f"{name}.{role}"] = np.ascontiguousarray(values)
        self.edges[name] = edge
        roles = {role: f"{name}.{role}" for role in tensors}
        self.nodes.append(
            {
                "name": name,
                "op": op,
                "version": 1,
                "inputs": list(inputs),
                "outputs": [name],
                "attrs": attrs,
                "tensors": roles,
            }
        )
        return name

    def build(self, timesteps: int) -> Built:
        document = {
            "kind": "model",
            "format": 1,
            "timesteps": timesteps,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "labels": None,
            "preprocess": None,
            "provenance": {"producer": "snnfile.py"},
            "tensors": self.codes,
            "graph": {"edges": {n: e.document() for n, e in self.edges.items()}, "nodes": self.nodes},
        }
        return Built(document, save(self.tensors, {"snncore": json.dumps(document)}))


@dataclass
class Built:
    document: dict[str, Any]
    data: bytes

    def to_bytes(self) -> bytes:
        return self.data
