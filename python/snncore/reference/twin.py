"""The same network in PyTorch float32, made from a `.snn` file: what a PyTorch user would run instead.

Weights are ``delta * m`` in float32 with batch normalisation folded in, thresholds are in real units. It is
written the way that is fast in PyTorch: straight-line code (an `torch.fx.GraphModule`), time folded into the
batch for stateless layers, what does not change with time computed once, neurons as whole-tensor operations.
Its membranes are real numbers, so a spike may differ where a membrane comes within rounding of the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from .run import File, Source, read


class _Lif(nn.Module):
    """Neurons over `steps`: currents [T*N, ...], or [N, ...] shown at every step, to spikes [T*N, ...]."""

    def __init__(
        self, attrs: dict[str, Any], gain: float, steps: int, repeated: bool, drop: Tensor | None
    ) -> None:
        super().__init__()
        self.decay, self.threshold = float(attrs["decay"]), float(attrs["threshold"])
        self.strict = bool(attrs["strict"])
        self.register_buffer("drop", drop)  # what a spike subtracts; None: the membrane starts from zero
        self.drop: Tensor | None
        self.gain, self.steps, self.repeated = gain, steps, repeated

    def forward(self, x: Tensor) -> Tensor:
        """Integrate, compare, reset."""
        if self.gain != 1.0:
            x = x * self.gain
        currents = (x,) * self.steps if self.repeated else x.chunk(self.steps)
        spikes = []
        v: Tensor | None = None
        for t, current in enumerate(currents):
            h = current if v is None else torch.add(current, v, alpha=self.decay)
            fires = h > self.threshold if self.strict else h >= self.threshold
            s = fires.to(h.dtype)
            spikes.append(s)
            if t + 1 < self.steps:
                v = h.masked_fill(fires, 0.0) if self.drop is None else h - s * self.drop
        return torch.cat(spikes)


class _Readout(nn.Module):
    """[T*N, F], or [N, F] of every step, to [N, F]."""

    def __init__(self, mode: str, steps: int, repeated: bool) -> None:
        super().__init__()
        self.mode, self.steps, self.repeated = mode, steps, repeated

    def forward(self, x: Tensor) -> Tensor:
        """Mean, sum or last over time."""
        if self.repeated:
            return x * self.steps if self.mode == "sum" else x
        x = x.view(self.steps, -1, x.shape[-1])
        return x[-1] if self.mode == "last" else x.sum(0) if self.mode == "sum" else x.mean(0)


class _Affine(nn.Module):
    """Per channel: ``x * scale + offset``."""

    def __init__(self, scale: Tensor, offset: Tensor, axes: int) -> None:
        super().__init__()
        shape = (-1, 1, 1) if axes == 3 else (-1,)
        self.register_buffer("scale", scale.float().view(shape))
        self.register_buffer("offset", offset.float().view(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Scale and add."""
        return x * self.scale + self.offset  # type: ignore[operator]


@dataclass(frozen=True)
class _Value:
    """An edge in the making: an fx node, or a convolution whose scale its reader knows."""

    node: fx.Node | None
    repeated: bool  # the same at every step, stored once
    pending: dict[str, Any] | None = None


def torch_twin(source: Source, *, steps: int | None = None, static: bool = True) -> fx.GraphModule:
    """Make the twin of a model with one input and one output.

    ``forward(x)``: normalised float32 [N, C, H, W] shown at every step (`static`), or [T*N, C, H, W]; vectors
    likewise. Returns [N, F] of a readout, [T*N, ...] of another output. `steps` is T (default: the file's).

    Raises
    ------
    ValueError
        Several inputs or outputs, or neurons of profile X, whose thresholds depend on time.
    """
    file = read(source)
    if len(file.document["inputs"]) != 1 or len(file.document["outputs"]) != 1:
        raise ValueError("the PyTorch twin needs a model with one input and one output")
    return _Maker(file, steps or int(file.document["timesteps"]), static).make()


def normalise(source: Source, pixels: Tensor) -> Tensor:
    """Turn raw pixels uint8 [N, C, H, W] into what the twin takes: ``(p - zero_point[c]) * scale``."""
    document = read(source).document
    edge = document["graph"]["edges"][document["inputs"][0]["edge"]]
    zero = torch.tensor(edge["zero_point"], dtype=torch.float32).view(-1, 1, 1)
    return (pixels.float() - zero) * float(edge["scale"])


class _Maker:
    def __init__(self, file: File, steps: int, static: bool) -> None:
        self.document, self.tensors = file.document, file.tensors
        self.nodes: list[dict[str, Any]] = file.document["graph"]["nodes"]
        self.edges: dict[str, dict[str, Any]] = file.document["graph"]["edges"]
        self.steps, self.static = steps, static
        self.graph = fx.Graph()
        self.modules = nn.ModuleDict()
        self.values: dict[str, _Value] = {}
        self.images: dict[str, tuple[int, int]] = {}

    def make(self) -> fx.GraphModule:
        source, result = (self.document[k][0]["edge"] for k in ("inputs", "outputs"))
        self.values[source] = _Value(self.graph.placeholder("x"), self.static)
        for node in self.nodes:
            op = "lif" if node["op"] == "if" else node["op"]
            make = getattr(self, f"_{op}", None)
            if make is None:
                raise ValueError(f"{op} '{node['name']}': there is no torch twin of this operation")
            self.values[node["outputs"][0]] = make(node)
        end = self.values[result].node
        if end is None:
            raise ValueError(f"output '{result}' is an unscaled sum")
        self.graph.output(end)
        twin = fx.GraphModule(self.modules, self.graph)
        return twin.eval().requires_grad_(False)

    def _tensor(self, node: dict[str, Any], role: str) -> Tensor | None:
        name = node["tensors"].get(role)
        return None if name is None else self.tensors[name]

    def _call(self, name: str, module: nn.Module, *inputs: fx.Node) -> fx.Node:
        key = name.replace(".", "_")
        while key in self.modules or hasattr(self.modules, key):
            key += "_"
        self.modules[key] = module
        return self.graph.call_module(key, inputs)

    def _unit(self, edge: str) -> float:
        """Return the real value of one count, or of one pixel step."""
        e = self.edges[edge]
        if e["unit"] == "pixel":
            return float(e["scale"])
        return 1.0 / int(e["unit"].removeprefix("1/")) if e["dtype"] != "f32" else 1.0

    # ---- weights: float ones become a layer at once, coded ones when their reader scales them

    def _weighted(self, node: dict[str, Any]) -> _Value:
        x = self.values[node["inputs"][0]]
        weight = self._tensor(node, "weight")
        assert weight is not None
        if weight.dtype == torch.int64:
            if self.edges[node["inputs"][0]]["dtype"] != "f32":
                return _Value(None, x.repeated, node)
            scale = self._tensor(node, "scale")
            assert scale is not None
            weight = (scale.double().view(-1, *[1] * (weight.dim() - 1)) * weight).float()
        return _Value(self._layer(node, weight, self._tensor(node, "bias")), x.repeated)

    _conv2d = _linear = _weighted

    def _scaled(self, node: dict[str, Any], scale: Tensor, bias: Tensor | None) -> fx.Node:
        """Layer of a coded weight; `scale` [C] turns its integer sum into real units."""
        m = self._tensor(node, "weight")
        assert m is not None
        per_value = scale.double().expand(m.shape[0]) / self._unit(node["inputs"][0])
        return self._layer(node, m.double() * per_value.view(-1, *[1] * (m.dim() - 1)), bias)

    def _layer(self, node: dict[str, Any], weight: Tensor, bias: Tensor | None) -> fx.Node:
        edge = node["inputs"][0]
        x = self.values[edge].node
        assert x is not None
        layer: nn.Module
        if node["op"] == "linear":
            if edge in self.images:  # stored columns: row, column, channel
                height, width = self.images[edge]
                weight = weight.reshape(len(weight), height, width, -1).permute(0, 3, 1, 2).flatten(1)
            layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        else:
            weight = weight.permute(0, 3, 1, 2)  # stored [C, kh, kw, C_in/groups]
            x, padding = self._padded(node, x)
            a = node["attrs"]
            layer = nn.Conv2d(
                weight.shape[1] * a["groups"],
                weight.shape[0],
                tuple(weight.shape[2:]),  # type: ignore[arg-type]
                tuple(a["stride"]),
                padding,
                tuple(a["dilation"]),
                a["groups"],
                bias=bias is not None,
            )
        with torch.no_grad():
            layer.weight.copy_(weight.float())
            if bias is not None:
                layer.bias.copy_(bias.float())  # type: ignore[union-attr]
        return self._call(node["name"], layer, x)

    def _padded(self, node: dict[str, Any], x: fx.Node) -> tuple[fx.Node, tuple[int, int]]:
        top, bottom, left, right = node["attrs"]["padding"]
        if (top, left) == (bottom, right):
            return x, (top, left)
        pad = nn.ZeroPad2d((left, right, top, bottom))
        return self._call(f"{node['name']}_pad", pad, x), (0, 0)

    def _requant(self, node: dict[str, Any]) -> _Value:
        """Make the current in real units: ``(sum_j A_j M_j + C) / 2^n + sum_j K_j s_j``, times the unit."""
        unit = self._membrane_unit(node)
        shift, offset = self._tensor(node, "n"), self._tensor(node, "C")
        assert shift is not None and offset is not None
        if any(f is not None and f.dim() == 2 for f in (offset, *self._factors(node))):
            raise ValueError(f"requant '{node['name']}': there is no torch twin of factors for each step")
        scale = unit / 2.0 ** shift.double()
        terms: list[fx.Node] = []
        bias: Tensor | None = offset.double() * scale
        for j, edge in enumerate(node["inputs"]):
            value, factor = self.values[edge], self._tensor(node, f"M.{j}")
            if factor is not None:
                assert value.pending is not None
                terms.append(self._scaled(value.pending, factor.double() * scale, bias))
                bias = None
            else:
                terms.append(self._shortcut(node, j, edge, unit))
        repeated = all(self.values[e].repeated for e in node["inputs"])
        total = terms[0]
        for term in terms[1:]:
            total = self.graph.call_function(torch.add, (total, term))
        return _Value(total, repeated)

    def _factors(self, node: dict[str, Any]) -> list[Tensor | None]:
        return [self._tensor(node, f"M.{j}") for j in range(len(node["inputs"]))]

    def _shortcut(self, node: dict[str, Any], j: int, edge: str, unit: Tensor) -> fx.Node:
        k, x = self._tensor(node, f"K.{j}"), self.values[edge].node
        assert k is not None and x is not None
        weight = k.double() * unit / self._unit(edge)
        if torch.allclose(weight, torch.ones_like(weight), atol=1e-3):  # an identity shortcut
            return x
        axes = len(self.edges[edge]["shape"])
        return self._call(f"{node['name']}_K{j}", _Affine(weight, torch.zeros_like(weight), axes), x)

    def _membrane_unit(self, node: dict[str, Any]) -> Tensor:
        """Return the real value of one membrane step, by channel: threshold / (threshold in steps)."""
        return self._unit_of(next(n for n in self.nodes if node["outputs"][0] in n["inputs"]))

    def _unit_of(self, lif: dict[str, Any]) -> Tensor:
        a, theta = lif["attrs"], self._tensor(lif, "theta")
        assert theta is not None
        if a["profile"] in ("X", "T") or "load" in lif["tensors"]:
            kept = "membranes kept as codes" if "load" in lif["tensors"] else f"profile {a['profile']}"
            raise ValueError(f"lif '{lif['name']}' has {kept}, for which there is no PyTorch twin")
        if a["profile"] == "W" and a["unit_bits"] >= 0:
            return torch.full(theta.shape, a["threshold"] / 2.0 ** a["unit_bits"], dtype=torch.float64)
        return float(a["threshold"]) / (theta.double() - (1.0 if a["strict"] else 0.0)).clamp_min(1.0)

    # ---- the rest

    def _node_of(self, node: dict[str, Any]) -> tuple[fx.Node, bool]:
        value = self.values[node["inputs"][0]]
        assert value.node is not None
        if node["inputs"][0] in self.images:
            self.images[node["outputs"][0]] = self.images[node["inputs"][0]]
        return value.node, value.repeated

    def _lif(self, node: dict[str, Any]) -> _Value:
        x, repeated = self._node_of(node)
        a = node["attrs"]
        gain = 1.0 if a["arith"] == "int" else float(a["input_gain"])  # folded, else
        drop = None
        if a["reset"] == "subtract":
            psi = self._tensor(node, "psi")
            real = torch.tensor(float(a["threshold"])) if psi is None else psi.double() * self._unit_of(node)
            axes = len(self.edges[node["outputs"][0]]["shape"])
            drop = real.float().view(-1, *[1] * (axes - 1)) if psi is not None else real
        lif = _Lif(a, gain, self.steps, repeated, drop)
        return _Value(self._call(node["name"], lif, x), repeated=False)

    def _pool(self, node: dict[str, Any]) -> _Value:
        x, repeated = self._node_of(node)
        x, padding = self._padded(node, x)
        kind = nn.MaxPool2d if node["op"] == "maxpool2d" else nn.AvgPool2d
        a = node["attrs"]
        return _Value(
            self._call(node["name"], kind(tuple(a["kernel"]), tuple(a["stride"]), padding), x), repeated
        )

    _maxpool2d = _avgpool2d = _pool

    def _add(self, node: dict[str, Any]) -> _Value:
        values = [self.values[e] for e in node["inputs"]]
        if len({v.repeated for v in values}) != 1:
            raise ValueError(
                f"add '{node['name']}' mixes values that change with time and values that do not"
            )
        total: Any = values[0].node
        for value in values[1:]:
            total = self.graph.call_function(torch.add, (total, value.node))
        return _Value(total, values[0].repeated)

    def _flatten(self, node: dict[str, Any]) -> _Value:
        x, repeated = self._node_of(node)
        height, width, _ = self.edges[node["inputs"][0]]["shape"]
        self.images[node["outputs"][0]] = (height, width)
        return _Value(self.graph.call_function(torch.flatten, (x, 1)), repeated)

    def _readout(self, node: dict[str, Any]) -> _Value:
        edge = node["inputs"][0]
        value, scale, bias = self.values[edge], self._tensor(node, "scale"), self._tensor(node, "bias")
        if value.pending is not None:
            assert scale is not None
            x = self._scaled(value.pending, scale, bias)
        else:
            x, _ = self._node_of(node)
            if scale is not None and bias is not None:
                width = self.edges[edge]["shape"][0]
                real = scale.double().expand(width) / self._unit(edge)
                x = self._call(f"{node['name']}_scale", _Affine(real, bias, 1), x)
        readout = _Readout(node["attrs"]["mode"], self.steps, value.repeated)
        return _Value(self._call(node["name"], readout, x), repeated=False)
