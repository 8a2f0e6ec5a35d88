"""From a torch module to a list of calls, each of which one method of `GraphBuilder` answers.

torch.fx records the calls, the example gives their shapes. What has no counterpart is collected, so that one
error can name all of it. Needs torch.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from snncore import _core
from snncore.neuron import Neuron
from snncore.reference import (
    IF,
    LIF,
    ChannelMap,
    Conv2d,
    Count,
    Coupling,
    HeadMean,
    HeadSums,
    Linear,
    MapProduct,
    MapScores,
    Mask,
    QuantizedLIF,
    Saccade,
    StepGain,
)
from snncore.reference.saccades import JOINT

from .calls import Call, Shape, Trace, Unsupported
from .dialects import Dialect, Psn
from .loops import Ends, unrolled

__all__ = ["Call", "Trace", "Unsupported", "trace"]


class _Tracer(fx.Tracer):
    def __init__(self, dialect: Dialect | None) -> None:
        super().__init__()
        self.leaves = (
            LIF,
            Saccade,
            Conv2d,
            Linear,
            HeadSums,
            Count,
            Mask,
            Coupling,
            HeadMean,
            *_WITHOUT_OPERATION,
            *(dialect.leaves if dialect else ()),
        )

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self.leaves) or super().is_leaf_module(m, module_qualified_name)


class _Shapes(fx.Interpreter):
    """Runs the example and notes the shape of every tensor on the way."""

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        first = value[0] if isinstance(value, (tuple, list)) and value else value
        if isinstance(first, Tensor):  # a neuron may return its state beside its spikes
            n.meta["shape"] = tuple(first.shape)
        return value


def trace(module: nn.Module, example: Tensor, dialect: Dialect | None = None) -> Trace:
    """Trace `module` (in evaluation mode) on `example`, whose leading axes are time and samples.

    With a dialect, its neurons are known, too, and a forward may loop over the steps: then each module is
    called once a step, and the first step is the network.

    Raises
    ------
    snncore.Error
        Something has no counterpart.
    ValueError
        The module does not run on the example.
    """
    try:
        graph = _Tracer(dialect).trace(module)
    except Exception as why:  # whatever a user's forward raises
        raise _core.Error(
            f"{_caller(dialect)}: torch.fx cannot trace {type(module).__name__}: {_line(why)}"
        ) from why
    try:
        with torch.no_grad():
            _Shapes(fx.GraphModule(module, graph)).run(example)
    except Exception as why:
        text = f"{type(module).__name__} does not run on an example of shape {list(example.shape)}"
        raise ValueError(f"{_caller(dialect)}: {text}: {_line(why)}") from why
    return _Reader(module, example, dialect).read(graph)


def _caller(dialect: Dialect | None) -> str:
    return dialect.caller if dialect else "from_torch"


def _line(why: BaseException) -> str:
    return (str(why).strip() or type(why).__name__).splitlines()[0]


class _Reader:
    """Reads an fx graph with shapes. `rank` counts the feature axes of a value: images 3, vectors 1."""

    def __init__(self, module: nn.Module, example: Tensor, dialect: Dialect | None) -> None:
        self.modules = dict(module.named_modules())
        self.dialect, self.caller = dialect, _caller(dialect)
        self.kinds = _KINDS | dict(dialect.layers if dialect else {})
        # By their fx names, with a dialect: values of the second step and after; states of neurons.
        self.later: set[str] = set()
        self.states: set[str] = set()
        self.calls_of_neurons: set[str] = set()
        self.source_rank = 3 if example.dim() >= 4 else 1
        self.rank: dict[str, int] = {}
        self.shape: dict[str, Shape] = {}
        self.calls: list[Call] = []
        self.problems: dict[tuple[str, str], list[str]] = {}  # what and why: where
        self.names = _Names()

    def read(self, graph: fx.Graph) -> Trace:
        source, result = "", ""
        seen: Counter[str] = Counter()
        for node in graph.nodes:
            if node.op == "placeholder":
                if source:
                    raise _core.Error(f"{self.caller}: a module with several inputs is not supported")
                source = node.name
                self._note(node, self.source_rank)
            elif node.op == "output":
                result = self._result(node.args[0])
            elif "shape" in node.meta and not _unused_state(node):
                seen[str(node.target)] += node.op == "call_module"
                repeated = seen[str(node.target)] > 1
                if self._is_state(node):
                    self.states.add(node.name)
                elif self._is_later(node, repeated):
                    self.later.add(node.name)
                else:
                    self._read(node, repeated)
        if self.problems:
            listed = [f"{', '.join(at)} ({what}): {why}" for (what, why), at in self.problems.items()]
            raise _core.Error(f"{self.caller}: these have no counterpart: " + "; ".join(listed))
        return Trace(self.calls, source, result)

    def _result(self, value: Any) -> str:
        """Name what the module returns; of spikes and states, as dialects return them, the spikes."""
        if self.dialect and isinstance(value, (tuple, list)) and value:
            value = value[0]
        if not isinstance(value, fx.Node):
            raise _core.Error(f"{self.caller}: a module with several outputs is not supported")
        return value.name

    def _is_state(self, node: fx.Node) -> bool:
        """Whether a value is a neuron's state, as snnTorch hands it around: a buffer, or beside spikes."""
        if self.dialect is None:
            return False
        if node.op == "get_attr":
            return True
        sources = node.all_input_nodes[:1] if node.target is torch.stack else node.all_input_nodes
        if node.target is operator.getitem and sources[0].name in self.calls_of_neurons:
            return bool(node.args[1] != 0)
        return bool(sources) and all(source.name in self.states for source in sources)

    def _is_later(self, node: fx.Node, repeated: bool) -> bool:
        """Whether a value belongs to a step after the first, where the forward loops over the steps."""
        if self.dialect is None or node.target is torch.stack:
            return False
        step = node.target is operator.getitem and node.args[0].op == "placeholder" and node.args[1] != 0  # type: ignore[union-attr]
        return (
            bool(step)
            or (repeated and node.op == "call_module")
            or any(a.name in self.later for a in node.all_input_nodes)
        )

    def _note(self, node: fx.Node, rank: int) -> None:
        self.rank[node.name] = rank
        self.shape[node.name] = node.meta["shape"]

    def _read(self, node: fx.Node, repeated: bool) -> None:
        inputs = [a.name for a in node.all_input_nodes if a.name in self.rank]
        module = self.modules[str(node.target)] if node.op == "call_module" else None
        what = type(module).__name__ if module is not None else _function_name(node)
        kind = "drop"
        options: dict[str, Any] = {}
        try:
            if module is not None and self._unrolled(module, node, inputs):
                return
            if module is None:
                kind, options = self._function(node, inputs)
            else:
                if repeated and isinstance(module, LIF):
                    raise Unsupported("called more than once; a neuron takes all time steps in one call")
                kind, options = self._module(module, node, inputs)
        except Unsupported as why:
            where = str(node.target) if module is not None else node.name
            self.problems.setdefault((what, str(why)), []).append(where)
        before = self.rank[inputs[0]] if inputs else 1
        flat = (
            kind in ("flatten", "linear", "readout")
            or options.get("flatten")
            or node.meta["shape"] == self._flat(inputs)
        )
        self._note(node, 1 if flat else before)
        path = str(node.target) if module is not None else node.name
        self.calls.append(Call(kind, self.names.make(path, kind), node.name, inputs, module, options))

    def _unrolled(self, module: nn.Module, node: fx.Node, inputs: list[str]) -> bool:
        """Read a recurrent neuron as several calls, the last of which, perhaps, is not the neuron."""
        try:
            loop = self.dialect.loop(module) if self.dialect else None
            if loop is None:
                return False
            path = ".".join(filter(None, (str(node.target), loop.inner)))
            features = self._features(inputs[0])
            name = self.names.make(path, "neuron")
            calls, after = unrolled(loop, Ends(name, node.name, inputs[0], features), self._layer)
        except ValueError as why:
            raise Unsupported(str(why)) from why
        if loop.inner == "":
            self.calls_of_neurons.add(node.name)
        self.calls += calls
        self._note(node, len(after))
        return True

    def _flat(self, inputs: list[str]) -> Shape | None:
        """Shape of the first input with its feature axes joined."""
        if not inputs or self.rank[inputs[0]] == 1:
            return None
        shape = self.shape[inputs[0]]
        return (*shape[:-3], prod(shape[-3:]))

    def _features(self, name: str) -> Shape:
        return self.shape[name][-self.rank[name] :]

    def _module(self, module: Any, node: fx.Node, inputs: list[str]) -> tuple[str, dict[str, Any]]:
        if self.dialect and self.dialect.is_neuron(module):
            self.calls_of_neurons.add(node.name)
            rule = self._neuron(module)
            return ("psn" if isinstance(rule, Psn) else "neuron"), {"neuron": rule}
        return self._layer(module, self._features(inputs[0]), node.meta["shape"])

    def _layer(self, module: Any, features: Shape, after: Shape) -> tuple[str, dict[str, Any]]:
        kind = self.kinds.get(type(module))
        if kind == "linear" and len(features) != 1:
            raise Unsupported("a linear layer needs vectors; flatten the image first")
        if kind == "batch_norm" and (module.running_mean is None or module.running_var is None):
            raise Unsupported("has no running statistics")
        if kind == "flatten":
            return self._reshape(features, after), {}
        if type(module) in _WITHOUT_OPERATION:
            raise Unsupported(_WITHOUT_OPERATION[type(module)])
        if kind is None:
            raise Unsupported(_DOES_NOT_SPIKE if type(module) in _RECTIFIERS else "unknown to snncore")
        options = next((_OPTIONS[t] for t in type(module).__mro__ if t in _OPTIONS), None)
        return kind, {} if options is None else options(module, features, after)

    def _neuron(self, module: nn.Module) -> Neuron | Psn:
        assert self.dialect is not None
        try:
            return self.dialect.neurons[type(module)](module)
        except ValueError as why:
            raise Unsupported(str(why)) from why

    def _function(self, node: fx.Node, inputs: list[str]) -> tuple[str, dict[str, Any]]:
        target, after = node.target, node.meta["shape"]
        if target in _ADD:
            shapes = {self.shape[i] for i in inputs}
            if len(inputs) != 2 or len(shapes) != 1 or node.kwargs.get("alpha", 1) != 1:
                raise Unsupported("only the sum of two different values of one shape")
            return "add", {}
        if target in _RESHAPE:
            return self._reshape(self._features(inputs[0]), after), {}
        if target in _KEEP or (self.dialect and target is torch.stack):
            return "drop", {}
        if self.dialect and target is operator.getitem and node.args[1] == 0:
            return "drop", {}
        if target in _POOLS:
            pool = _POOLS[target](*node.args[1:], **{k: v for k, v in node.kwargs.items() if k != "input"})
            return self._layer(pool, self._features(inputs[0]), after)
        if target in _REDUCE:
            return self._reduce(node, inputs[0], _REDUCE[target])
        if target in _RECTIFIERS:
            raise Unsupported(_DOES_NOT_SPIKE)
        raise Unsupported("unknown to snncore")

    def _reshape(self, features: Shape, after: Shape) -> str:
        if after[-len(features) :] == features:
            return "drop"  # the leading axes, time and samples, were joined or split
        if len(features) == 3 and after[-1] == prod(features) and after[-3:] != features:
            return "flatten"
        raise Unsupported(
            f"reshapes {list(features)} to {list(after)}; only flattening a whole image is supported"
        )

    def _reduce(self, node: fx.Node, name: str, mode: str) -> tuple[str, dict[str, Any]]:
        before, after = self.shape[name], node.meta["shape"]
        given: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        dims = [given] if isinstance(given, int) else list(given or range(len(before)))
        axes = sorted(d % len(before) for d in dims)
        if axes == [0] and after == before[1:]:
            if [u.op for u in node.users] != ["output"]:
                raise Unsupported(f"a {mode} over time must be the last thing a module does")
            return "readout", {"mode": mode}
        if mode == "mean" and self.rank[name] == 3 and axes == [len(before) - 2, len(before) - 1]:
            kernel = list(before[-2:])
            pooled = {
                "kernel": kernel,
                "stride": kernel,
                "padding": [0, 0],
                "flatten": len(after) < len(before),
            }
            return "avgpool2d", pooled
        raise Unsupported(f"{mode} over the axes {axes} of {list(before)}")


def _unused_state(node: fx.Node) -> bool:
    """Whether a part of a tuple, as a neuron returns one, is unpacked and left."""
    return node.target is operator.getitem and not node.users


def _function_name(node: fx.Node) -> str:
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))


_RECTIFIERS: set[Any] = {nn.ReLU, nn.ReLU6, F.relu, torch.relu, "relu", "relu_"}
_DOES_NOT_SPIKE = (
    "an activation that does not spike: train with a spiking neuron in its place, or let snncore.convert_ann "
    "turn nn.ReLU modules into integrate-and-fire neurons"
)
_MAPS = "there is no operation for attention maps of one bit; kind 'saccadic' has its operations"
_WITHOUT_OPERATION: dict[type[Any], str] = {
    MapScores: _MAPS,
    MapProduct: _MAPS,
    StepGain: "there is no operation that has a factor for each step",
}
_ADD: set[Any] = {operator.add, operator.iadd, torch.add, "add", "add_"}
_RESHAPE: set[Any] = {torch.flatten, torch.reshape, "flatten", "reshape", "view", "unflatten"}
_KEEP: set[Any] = {F.dropout, F.dropout2d, "contiguous", "float", "clone", "detach"}
_REDUCE: dict[Any, str] = {torch.mean: "mean", "mean": "mean", torch.sum: "sum", "sum": "sum"}
_POOLS: dict[Any, Callable[..., nn.Module]] = {
    F.max_pool2d: lambda *a, **k: nn.MaxPool2d(*a[:4], **k),
    F.avg_pool2d: nn.AvgPool2d,
    F.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
    F.adaptive_max_pool2d: nn.AdaptiveMaxPool2d,
}


def _pair(value: Any) -> list[int]:
    return [int(value), int(value)] if isinstance(value, int) else [int(v) for v in value]


def _conv(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    if module.padding_mode != "zeros":
        raise Unsupported(f"padding_mode must be 'zeros', is {module.padding_mode!r}")
    kernel, dilation = _pair(module.kernel_size), _pair(module.dilation)
    if module.padding == "same":  # torch puts the odd one at the end
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        padding = [total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2]
    else:
        rows, columns = (0, 0) if module.padding == "valid" else _pair(module.padding)
        padding = [rows, rows, columns, columns]
    stride = _pair(module.stride)
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": module.groups}


def _window(module: Any, features: Shape) -> dict[str, Any]:
    kernel, padding = _pair(module.kernel_size), _pair(module.padding)
    stride = _pair(module.stride or module.kernel_size)
    rest = [(n + 2 * p - k) % s for n, k, s, p in zip(features[1:], kernel, stride, padding, strict=True)]
    if module.ceil_mode and any(rest):
        raise Unsupported("ceil_mode=True would add a window that is not full")
    return {"kernel": kernel, "stride": stride, "padding": padding}


def _max_pool(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    if _pair(module.dilation) != [1, 1] or module.return_indices:
        raise Unsupported("needs dilation=1 and return_indices=False")
    return _window(module, features)


def _avg_pool(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    options = _window(module, features)
    if any(options["padding"]) and not module.count_include_pad:
        raise Unsupported("count_include_pad=False with padding divides by different counts at the border")
    if module.divisor_override not in (None, prod(options["kernel"])):
        raise Unsupported("divisor_override is not the size of the window")
    return options


def _adaptive(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    if any(n % m for n, m in zip(features[1:], after[-2:], strict=True)):
        raise Unsupported(f"{list(features[1:])} does not divide evenly into {list(after[-2:])}")
    kernel = [n // m for n, m in zip(features[1:], after[-2:], strict=True)]
    return {"kernel": kernel, "stride": kernel, "padding": [0, 0]}


def _membrane(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    """Options of an integer neuron whose store is that of the module."""
    membrane = module.membrane
    if membrane.form == "tanh":
        if membrane.alpha is None:
            raise Unsupported(
                "a dynamic alpha depends on the other samples of a batch: fix it with calibrate_membranes, "
                "or set 1, and train a few epochs more"
            )
        return {"state": f"i{membrane.bits}", "quantiser": "tanh", "alpha": membrane.alpha}
    # An i8 state holds -127..127, so 127 units are the threshold; narrower ones hold codes of finer units.
    return {"state": f"i{membrane.bits}", "theta0": 127 if membrane.bits == 8 else 4096}


def _saccade(module: Saccade, features: Shape, after: Shape) -> dict[str, Any]:
    mix, threshold = module.tables(features[-2] * features[-1])
    return {"mode": module.mode, "mix": mix if module.mode in JOINT else None, "threshold": threshold}


# Exact types: a subclass may compute something else.
_KINDS: dict[type[Any], str] = {
    nn.Conv2d: "conv2d",
    Conv2d: "conv2d",
    nn.Linear: "linear",
    ChannelMap: "conv2d",
    Linear: "linear",
    nn.BatchNorm1d: "batch_norm",
    nn.BatchNorm2d: "batch_norm",
    LIF: "lif",
    IF: "lif",
    QuantizedLIF: "lif",
    Saccade: "saccade",
    HeadSums: "attention",
    Count: "count",
    Mask: "mask",
    Coupling: "couple",
    HeadMean: "head_mean",
    nn.MaxPool2d: "maxpool2d",
    nn.AdaptiveMaxPool2d: "maxpool2d",
    nn.AvgPool2d: "avgpool2d",
    nn.AdaptiveAvgPool2d: "avgpool2d",
    nn.Flatten: "flatten",
    nn.Identity: "drop",
    nn.Dropout: "drop",
    nn.Dropout1d: "drop",
    nn.Dropout2d: "drop",
    nn.AlphaDropout: "drop",
    nn.FeatureAlphaDropout: "drop",
}
_OPTIONS: dict[type[Any], Callable[[Any, Shape, Shape], dict[str, Any]]] = {
    nn.Conv2d: _conv,
    Conv2d: _conv,
    QuantizedLIF: _membrane,
    Saccade: _saccade,
    HeadSums: lambda module, *_: {"heads": module.heads},
    HeadMean: lambda module, features, after: {"width": after[-1]},
    Count: lambda module, *_: {"over": module.over, "heads": module.heads},
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _avg_pool,
    nn.AdaptiveMaxPool2d: _adaptive,
    nn.AdaptiveAvgPool2d: _adaptive,
}


class _Names:
    """Names for the file: the module's path; a bare number gets its kind ("conv1", "lif2")."""

    SHORT = {  # noqa: RUF012 - a constant
        "conv2d": "conv",
        "batch_norm": "bn",
        "maxpool2d": "pool",
        "avgpool2d": "pool",
        "linear": "fc",
    }

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = {"input"}

    def make(self, path: str, kind: str) -> str:
        if kind == "drop":
            return path
        name = "logits" if kind == "readout" else path
        if path.replace(".", "").isdigit():
            short = self.SHORT.get(kind, kind)
            self.counts[short] += 1
            name = f"{short}{self.counts[short]}"
        unique, n = name, 2
        while unique in self.taken:
            unique, n = f"{name}_{n}", n + 1
        self.taken.add(unique)
        return unique
