"""From a torch module to a list of calls, each of which one method of `GraphBuilder` answers.

torch.fx records the calls, the example gives their shapes. What has no counterpart is collected, so that one
error can name all of it. Needs torch.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import torch
from torch import Tensor, fx, nn

from snncore import _core
from snncore.neuron import Neuron
from snncore.reference import (
    LIF,
    Conv2d,
    Count,
    Coupling,
    HeadMean,
    HeadSums,
    Linear,
    MapProduct,
    MapScores,
    Mask,
    Saccade,
    StepGain,
)

from .axes import Axes
from .calls import Call, Shape, Trace, Unsupported
from .composites import flattened
from .dialects import Dialect, Psn
from .kinds import (
    ADD,
    DOES_NOT_SPIKE,
    DROPOUTS,
    KEEP,
    KINDS,
    NORMALISERS,
    OPTIONS,
    POOLS,
    RECTIFIERS,
    REDUCE,
    RESHAPE,
    TEMPORAL,
    pointwise,
)
from .loops import Ends, unrolled
from .recording import DoesNotRunError, record
from .steps import Steps

__all__ = ["Call", "Trace", "Unsupported", "trace"]

_LEAVES = (
    *(LIF, Saccade, Conv2d, Linear, Coupling, HeadMean),
    *(HeadSums, Count, Mask, MapScores, MapProduct, StepGain),
)


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
    caller = dialect.caller if dialect else "from_torch"
    leaves = (*_LEAVES, *(dialect.leaves if dialect else ()))
    try:
        graph = record(module, example, leaves, caller)
    except DoesNotRunError as why:
        text = f"{type(module).__name__} does not run on an example of shape {list(example.shape)}"
        raise ValueError(f"{caller}: {text}: {why}") from why
    return _Reader(module, example, dialect, caller).read(graph)


class _Reader:
    """Reads an fx graph with shapes; `axes` are those that are features."""

    def __init__(self, module: nn.Module, example: Tensor, dialect: Dialect | None, caller: str) -> None:
        self.modules = dict(module.named_modules())
        self.dialect, self.caller = dialect, caller
        self.kinds = KINDS | dict(dialect.layers if dialect else {})
        # With a dialect: the steps, and by their fx names the states of neurons.
        self.steps: Steps | None = None
        self.frames = len(example) if example.dim() in (3, 5) else None
        self.states: set[str] = set()
        self.calls_of_neurons: set[str] = set()
        self.totals: set[str] = set()  # fx names of what a mean or sum over time gave, and layers of that
        self.source = Axes.of(3 if example.dim() >= 4 else 1, tuple(example.shape))
        self.axes: dict[str, Axes] = {}
        self.shape: dict[str, Shape] = {}
        #: Time and samples, or what the dialect makes of them; within a loop over the steps, of one step.
        self.lead = self.inner_lead = tuple(example.shape[: -self.source.count])
        self.calls: list[Call] = []
        self.problems: dict[tuple[str, str], list[str]] = {}  # what and why: where
        self.names = _Names()

    def read(self, graph: fx.Graph) -> Trace:
        source, result, count = "", "", None
        seen: Counter[str] = Counter()
        if self.dialect is not None:
            neurons = {path for path, part in self.modules.items() if self.dialect.keeps_state(part)}
            self.steps = Steps(graph, neurons, self.frames)
            if self.steps.problem:
                raise _core.Error(
                    f"{self.caller}: a loop over the steps does the same in each, but {self.steps.problem}"
                )
            if self.steps.loops and self.frames is None:
                count = self.steps.count
                self.lead = (count, *self.lead)
            elif self.steps.loops:
                self.inner_lead = self.lead[1:]
        for node in graph.nodes:
            if node.op == "placeholder":
                source = node.name
                self._note(node, self.source)
            elif node.op == "output":
                result = self._result(node.args[0])
            elif "shape" in node.meta and not _unused_state(node):
                seen[str(node.target)] += node.op == "call_module"
                repeated = seen[str(node.target)] > 1
                if self._is_state(node):
                    self.states.add(node.name)
                elif not self._is_again(node):
                    self._read(node, repeated)
        if self.problems:
            listed = [f"{', '.join(at)} ({what}): {why}" for (what, why), at in self.problems.items()]
            raise _core.Error(f"{self.caller}: these have no counterpart: " + "; ".join(listed))
        return Trace(self.calls, source, result, count)

    def _is_again(self, node: fx.Node) -> bool:
        """Whether a loop over the steps has computed a value before: in its first step, or in this one."""
        steps = self.steps
        return steps is not None and steps.loops and (node.name in steps.later or node.name in steps.same)

    def _first_name(self, node: fx.Node) -> str:
        return (
            self.steps.same.get(node.name, node.name)
            if self.steps is not None and self.steps.loops
            else node.name
        )

    def _result(self, value: Any) -> str:
        """Name what the module returns; of spikes and states, as dialects return them, the spikes."""
        if self.dialect and isinstance(value, (tuple, list)) and value:
            value = value[0]
        if not isinstance(value, fx.Node):
            raise _core.Error(f"{self.caller}: a module with several outputs is not supported")
        if value.name in self.states or any(each.name in self.states for each in value.all_input_nodes):
            raise _core.Error(
                f"{self.caller}: '{value.name}' is a neuron's state: return spikes, or them first"
            )
        if self.steps is not None and self.steps.is_part(value):
            raise _core.Error(
                f"{self.caller}: '{value.name}' is of one step: return torch.stack of those of all steps"
            )
        self._check_result(value.name)
        return value.name

    def _check_result(self, name: str) -> None:
        """Let what comes back be of all steps and samples, or, behind a readout, of all samples."""
        if name not in self.shape or self.problems:
            return
        lead, expected = self._lead(name), self.lead[1:] if name in self.totals else self.lead
        if lead != expected:
            shape, first = list(self.shape[name]), list(expected)
            raise _core.Error(f"{self.caller}: '{name}' is {shape}: expected {first} as its first axes")

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

    def _note(self, node: fx.Node, axes: Axes) -> None:
        self.axes[node.name] = axes
        self.shape[node.name] = node.meta["shape"]

    def _read(self, node: fx.Node, repeated: bool) -> None:
        inputs = [name for a in node.all_input_nodes if (name := self._first_name(a)) in self.axes]
        module = self.modules[str(node.target)] if node.op == "call_module" else None
        what = type(module).__name__ if module is not None else _function_name(node)
        kind = "drop"
        options: dict[str, Any] = {}
        try:
            if module is not None and (
                self._unrolled(module, node, inputs) or self._opened(module, node, inputs)
            ):
                return
            if module is None:
                kind, options = self._function(node, inputs)
            else:
                if repeated and isinstance(module, LIF):
                    raise Unsupported("called more than once; a neuron takes all time steps in one call")
                if self.kinds.get(type(module)) == "pointwise":
                    module = pointwise(module, self.axes[inputs[0]].count == 2)
                kind, options = self._module(module, node, inputs)
            self._follow_totals(node, kind, inputs)
            if kind in TEMPORAL:
                self._check_lead(inputs[0])
        except Unsupported as why:
            where = str(node.target) if module is not None else node.name
            self.problems.setdefault((what, str(why)), []).append(where)
        self._note(node, self._axes_after(node, kind, options, inputs))
        path = str(node.target) if module is not None else node.name
        self.calls.append(Call(kind, self.names.make(path, kind), node.name, inputs, module, options))

    def _axes_after(self, node: fx.Node, kind: str, options: dict[str, Any], inputs: list[str]) -> Axes:
        after: Shape = node.meta["shape"]
        if not inputs or kind in ("flatten", "linear", "readout") or options.get("flatten"):
            return Axes.of(1, after)
        before = self.axes[inputs[0]]
        if kind == "drop":  # other shapes than a reshape may give have been refused
            return before.reshaped(self.shape[inputs[0]], after) or Axes.of(before.count, after)
        if kind == "avgpool2d" and before.count == 2:
            return Axes(2, (after[-2], 1, 1))
        return before.after(after)

    def _follow_totals(self, node: fx.Node, kind: str, inputs: list[str]) -> None:
        """Let nothing but linear layers follow what a module adds up over time."""
        if not self.totals.isdisjoint(inputs):
            if kind not in ("linear", "drop"):
                raise Unsupported("reads a mean or sum over time, of which only linear layers may follow")
            self.totals.add(node.name)
        if kind == "readout":
            self.totals.add(node.name)

    def _unrolled(self, module: nn.Module, node: fx.Node, inputs: list[str]) -> bool:
        """Read a recurrent neuron as several calls, the last of which, perhaps, is not the neuron."""
        try:
            loop = self.dialect.loop(module) if self.dialect else None
            if loop is None:
                return False
            path = ".".join(filter(None, (str(node.target), loop.inner)))
            features = self._features(inputs[0])
            name = self.names.make(path, "neuron")
            self._check_lead(inputs[0])
            calls, after = unrolled(loop, Ends(name, node.name, inputs[0], features), self._layer)
        except ValueError as why:
            raise Unsupported(str(why)) from why
        if loop.inner == "":
            self.calls_of_neurons.add(node.name)
        self.calls += calls
        self._note(node, Axes.of(len(after), after))
        return True

    def _opened(self, module: nn.Module, node: fx.Node, inputs: list[str]) -> bool:
        """Read a module of the framework as the layers that it is made of."""
        made = self.dialect.composites.get(type(module)) if self.dialect else None
        if made is None:
            return False
        axes = self.axes[inputs[0]]
        if axes.count == 1:
            raise Unsupported("reads tokens or an image, received a vector")
        try:
            ends = Ends(str(node.target), node.name, inputs[0], axes.features)
            self.calls += flattened(module, made(module), ends, self._part)
        except ValueError as why:
            raise Unsupported(str(why)) from why
        self._note(node, axes.after(node.meta["shape"]))
        return True

    def _part(self, module: Any, features: Shape, after: Shape) -> tuple[str, dict[str, Any]]:
        """Give the kind and options of a layer or a neuron."""
        if self.dialect and self.dialect.is_neuron(module):
            rule = self._neuron(module)
            return ("psn" if isinstance(rule, Psn) else "neuron"), {"neuron": rule}
        return self._layer(module, features, after)

    def _lead(self, name: str) -> Shape:
        """Give the axes in front of the features."""
        shape = self.shape[name]
        return shape[: len(shape) - self.axes[name].count]

    def _check_lead(self, name: str) -> None:
        """Let nothing but time and samples be in front of what has a state."""
        if self._lead(name) != self.inner_lead:
            first = list(self.inner_lead)
            raise Unsupported(
                f"reads {list(self.shape[name])}: time and samples must be the first axes, {first}"
            )

    def _features(self, name: str) -> Shape:
        return self.axes[name].features

    def _module(self, module: Any, node: fx.Node, inputs: list[str]) -> tuple[str, dict[str, Any]]:
        before, after = self.axes[inputs[0]], node.meta["shape"]
        if self.dialect and self.dialect.is_neuron(module):
            self.calls_of_neurons.add(node.name)
        if self.kinds.get(type(module)) == "flatten":
            return self._reshape(inputs[0], after), {}
        if type(module) in NORMALISERS and len(self._lead(inputs[0])) > 1:
            raise Unsupported("normalises the samples: join time and samples before it, x.flatten(0, 1)")
        return self._part(
            module, before.features, before.after(after).features if before.count == 2 else after
        )

    def _layer(self, module: Any, features: Shape, after: Shape) -> tuple[str, dict[str, Any]]:
        kind = self.kinds.get(type(module))
        if kind == "linear" and len(features) != 1:
            raise Unsupported("a linear layer needs vectors; flatten the image first")
        if kind == "flatten":
            flat = Axes.of(len(features), features).reshaped((1, *features), after)
            return ("flatten" if flat and flat.count < len(features) else "drop"), {}
        if kind == "batch_norm" and (module.running_mean is None or module.running_var is None):
            raise Unsupported("has no running statistics")
        if kind is None:
            raise Unsupported(DOES_NOT_SPIKE if type(module) in RECTIFIERS else "unknown to snncore")
        options = next((OPTIONS[t] for t in type(module).__mro__ if t in OPTIONS), None)
        return kind, {} if options is None else options(module, features, after)

    def _neuron(self, module: nn.Module) -> Neuron | Psn:
        assert self.dialect is not None
        try:
            return self.dialect.neurons[type(module)](module)
        except ValueError as why:
            raise Unsupported(str(why)) from why

    def _function(self, node: fx.Node, inputs: list[str]) -> tuple[str, dict[str, Any]]:
        target, after = node.target, node.meta["shape"]
        if target in ADD:
            shapes = {self.shape[i] for i in inputs}
            if len(inputs) != 2 or len(shapes) != 1 or node.kwargs.get("alpha", 1) != 1:
                raise Unsupported("only the sum of two different values of one shape")
            return "add", {}
        if target in RESHAPE:
            return self._reshape(inputs[0], after), {}
        if target in KEEP:
            if _drops(node):
                raise Unsupported("drops values in evaluation, too: it needs training=self.training")
            return "drop", {}
        if self.steps is not None and self._is_kept(node, self.steps):
            return "drop", {}
        if target in POOLS:
            pool = POOLS[target](*node.args[1:], **{k: v for k, v in node.kwargs.items() if k != "input"})
            return self._layer(pool, self._features(inputs[0]), after)
        if target in REDUCE:
            return self._reduce(node, inputs[0], REDUCE[target])
        if target in RECTIFIERS:
            raise Unsupported(DOES_NOT_SPIKE)
        raise Unsupported("unknown to snncore")

    def _is_kept(self, node: fx.Node, steps: Steps) -> bool:
        """Whether a call gives its values as they are: a loop's frame or its stack, a neuron's spikes."""
        if node.target is torch.stack:
            return steps.is_all(node)
        if node.target is not operator.getitem or node.args[1] != 0:
            return False
        source = node.all_input_nodes[0]
        return "parts" in source.meta or (source.op == "placeholder" and steps.loops)

    def _reshape(self, name: str, after: Shape) -> str:
        before = self.axes[name]
        found = before.reshaped(self.shape[name], after)
        if found is None:
            raise Unsupported(
                f"reshapes {list(before.features)} to {list(after)}; only flattening a whole image, or its "
                "pixels to tokens [C, H * W] and back, is supported"
            )
        return "flatten" if found.count == 1 < before.count else "drop"

    def _reduce(self, node: fx.Node, name: str, mode: str) -> tuple[str, dict[str, Any]]:
        before, after = self.shape[name], node.meta["shape"]
        given: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        dims = [given] if isinstance(given, int) else list(given or range(len(before)))
        axes = sorted(d % len(before) for d in dims)
        if axes == [0] and after == before[1:] and len(self.lead) == 2 and self._lead(name) == self.lead:
            return "readout", {"mode": mode}
        pixels = self.axes[name].count - 1
        if mode == "mean" and pixels and axes == list(range(len(before) - pixels, len(before))):
            kernel = list(self._features(name)[1:])
            pooled = {"kernel": kernel, "stride": kernel, "padding": [0, 0]}
            return "avgpool2d", pooled | {"flatten": len(after) < len(before)}
        raise Unsupported(f"{mode} over the axes {axes} of {list(before)}")


def _unused_state(node: fx.Node) -> bool:
    """Whether a part of a tuple, as a neuron returns one, is unpacked and left."""
    return node.target is operator.getitem and not node.users


def _drops(node: fx.Node) -> bool:
    """Whether a call is of dropout in training, which is its third argument."""
    training = node.args[2] if len(node.args) > 2 else True
    return node.target in DROPOUTS and bool(node.kwargs.get("training", training))


def _function_name(node: fx.Node) -> str:
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))


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
