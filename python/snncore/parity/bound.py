"""How far from its threshold a neuron was where two runs first part, and how far rounding could take it.

Up to the first difference both sides feed the neuron the same spikes. Its membrane is computed again in
float64, from the module's own parameters, with a bound on what float32 can make of it (`parity.balls`). Where
the membrane lies within the bound of the threshold, both answers are float32's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from snncore import _core
from snncore.convert.dialects import dialect_of
from snncore.convert.evaluating import evaluating
from snncore.convert.frameworks import traced
from snncore.convert.trace import Call, Trace, trace
from snncore.neuron import Neuron
from snncore.reference import IF, LIF, Network, ops
from snncore.reference.neuron import CHARGE, SYNAPSE

from .balls import Ball, batch_normed, gamma, weighted
from .report import Difference, Margin

#: The expressions of `snncore.reference.neuron` are made of operators that balls have, too.
_SYNAPSE = cast(Mapping[str, Callable[[Ball, Ball, Ball], tuple[Ball, Ball]]], SYNAPSE)
_CHARGE = cast(Mapping[str, Callable[[Ball, Ball, Ball, Ball], Ball]], CHARGE)


#: Kinds of calls that fire.
NEURONS = ("lif", "neuron", "psn", "saccade")


class Unknown(Exception):  # noqa: N818 - becomes a note in the report
    """Why there is no bound."""


@torch.no_grad()
def margin_of(
    found: Trace,
    frames: Tensor,
    spikes: Mapping[str, NDArray[Any]],
    difference: Difference,
    slack: float = 0.0,
) -> Margin:
    """Say how far the first different neuron was from its threshold.

    Parameters
    ----------
    found
        The layers: `trace_of_module` or `trace_of_file`.
    frames
        The one sample, float32 [T, 1, ...].
    spikes
        What every neuron layer fired for it, [T, ...], by the model's names.
    difference
        The first one, in one of those layers.
    slack
        By how much, relatively, the two sides' parameters of the neuron may differ; its rate by so much of 1.

    Raises
    ------
    Unknown
        The network cannot be evaluated that way; says why.
    """
    neurons = [call for call in found.calls if call.kind in NEURONS]
    named = _named(neurons, spikes)
    target = named.get(difference.layer)
    if target is None:
        raise Unknown(f"the module has no neuron layer that answers to '{difference.layer}'")
    last = difference.step + 1
    known = {
        call.value: Ball.exact(np.asarray(spikes[name], np.float64)[:last, None])
        for name, call in named.items()
        if name in spikes
    }
    known[found.source] = Ball.exact(frames[:last])
    currents = Evaluation(found, known).value(target.inputs[0])
    where = tuple(difference.index[1:])
    one = (0, *where)
    fired = np.array([bool(now[where]) for now in spikes[difference.layer][:last]])
    currents = currents.map(lambda t: torch.stack([v[one] for v in t]))
    single = SingleNeuron(neuron_of(target), where, slack)
    compared, threshold = single.compared(currents, fired), single.parameter("threshold")
    h, bound = float(compared.mid), float(compared.rad + threshold.rad)
    return Margin(h, float(threshold.mid), abs(h - float(threshold.mid)), bound)


def trace_of_module(module: nn.Module, values: Tensor, time_first: bool, steps: int) -> Trace:
    """List the layers of a module, for its input [N, ...] or [T, N, ...].

    Raises
    ------
    Unknown
        torch.fx cannot trace it.
    """
    try:
        return _calls(module, values, time_first, steps)
    except (_core.Error, ValueError) as why:
        raise Unknown(str(why)) from why


def _calls(module: nn.Module, values: Tensor, time_first: bool, steps: int) -> Trace:
    found = dialect_of(module)
    if found is not None:
        prepared = found.prepare(module)
        with evaluating(prepared), torch.no_grad():
            result = traced(found, prepared, values, steps)
            found.reset(prepared)
        return result
    row = isinstance(module, (Network, nn.Sequential))
    layers = module.layers if isinstance(module, Network) else module
    with evaluating(module), torch.no_grad():
        return trace(layers, values.flatten(0, 1) if row and time_first else values)


def _named(neurons: list[Call], spikes: Mapping[str, Any]) -> dict[str, Call]:
    """Give the neuron layers the model's names: the same, else in order."""
    by_name = {call.name: call for call in neurons}
    if set(spikes) <= set(by_name):
        return by_name
    if len(spikes) != len(neurons):
        raise Unknown("the layers of module and model have different names")
    return dict(zip(spikes, neurons, strict=True))


def neuron_of(call: Call) -> Neuron:
    """Give the neuron of a call; a `LIF` of snncore.reference as the same neuron in general form."""
    if call.kind == "psn":
        raise Unknown(f"no bound is known for parallel neurons ('{call.name}')")
    if "neuron" in call.options:
        neuron: Neuron = call.options["neuron"]
        return neuron
    lif: Any = call.module
    if type(lif) not in (IF, LIF):
        raise Unknown(f"no bound is known for a {type(lif).__name__} ('{call.name}')")
    return Neuron(
        rate=lif.decay,
        input_gain=lif.input_gain,
        threshold=lif.threshold,
        fire="above" if lif.strict else "at_least",
        reset=lif.reset,
    )


class SingleNeuron:
    """One neuron of a layer, run on its currents with the spikes that it fired.

    The equations are those of `snncore.neuron`; r, the reset taken late, is the spike of the step before,
    since that spike was decided by the same membrane.
    """

    def __init__(self, neuron: Neuron, where: tuple[int, ...], slack: float = 0.0) -> None:
        if neuron.correct or neuron.counts or neuron.fire == "none":
            raise Unknown("no bound is known for a neuron that corrects a late reset, counts, or never fires")
        self.neuron, self.where, self.slack = neuron, where, slack

    def parameter(self, name: str) -> Ball:
        """Give this neuron's value of a parameter of its layer."""
        values = self.neuron.values(name)
        place = self.where[:1] if values.ndim == 1 and values.size > 1 else self.where
        value = float(values.reshape(())) if values.size == 1 else float(values[place])
        size = max(abs(value), 1.0) if name == "rate" else abs(value)  # a rate may be 1 minus something
        return Ball(torch.tensor(value).double(), torch.tensor(size * self.slack).double())

    def compared(self, currents: Ball, fired: NDArray[np.bool_]) -> Ball:
        """Give what is compared with the threshold in the last step: h, or with voltage "old" the v before.

        `currents` [T], and `fired` [T], of which the last is not used.
        """
        n, x, g, a = self.neuron, *map(self.parameter, ("synapse_gain", "input_gain", "synapse_rate"))
        rate, leak, bias = map(self.parameter, ("rate", "leak", "bias"))
        v, i, wait = self.parameter("initial"), Ball.exact(0.0), 0
        compared, starts = v, self._fires(v)
        for t, s in enumerate(map(bool, fired)):
            y, i = _SYNAPSE[n.synapse](i, x * Ball(currents.mid[t], currents.rad[t]), a)
            y = Ball.exact(0.0) if wait and n.refractory == "input" else g * y
            late = s if n.voltage == "old" else bool(fired[t - 1]) if t else starts
            before = self._reset(v, late) if n.reset_step == "next_state" else v
            h = _CHARGE[n.charge](before, y, rate, leak) + bias
            h = self._reset(h, late) if n.reset_step == "next_charge" else h
            compared = v if n.voltage == "old" else h
            kept = self._floor(self._reset(h, s) if n.reset_step == "same" else h)
            v = v if wait and n.refractory == "hold" else kept
            wait = n.refractory_steps if s else max(wait - 1, 0)
        return compared

    def _fires(self, v: Ball) -> bool:
        value, threshold = float(v.mid), float(self.parameter("threshold").mid)
        return value > threshold if self.neuron.fire == "above" else value >= threshold

    def _reset(self, h: Ball, fired: bool) -> Ball:
        kind = self.neuron.reset
        if not fired or kind == "none":
            return h
        if kind == "subtract":
            return h - self.parameter("drop")
        return Ball.exact(0.0) if kind == "zero" else self.parameter("reset_value")

    def _floor(self, v: Ball) -> Ball:
        least = self.parameter("floor_value")
        if self.neuron.floor == "clamp":
            return v.at_least(least)
        return (v - least).at_least(Ball.exact(0.0)) + least if self.neuron.floor == "shift" else v


class Evaluation:
    """Evaluates the calls that a value depends on; values are [T, 1, C, H, W] or [T, 1, F]."""

    def __init__(self, found: Trace, known: dict[str, Ball]) -> None:
        self.calls = {call.value: call for call in found.calls}
        self.known = known
        self.open: set[str] = set()

    def value(self, name: str) -> Ball:
        """Give a value by its fx name; neurons' outputs are known, never computed."""
        if name not in self.known:
            call = self.calls[name]
            if call.kind in NEURONS:
                raise Unknown(f"'{call.name}' fires counts, which cannot be recorded")
            if name in self.open:
                raise Unknown(f"'{call.name}' reads itself without a neuron between")
            self.open.add(name)
            method: Callable[[Call, list[Ball]], Ball] = getattr(self, f"_{call.kind}", self._unknown)
            self.known[name] = method(call, [self.value(i) for i in call.inputs])
        return self.known[name]

    def _drop(self, call: Call, inputs: list[Ball]) -> Ball:
        return inputs[0]

    def _conv2d(self, call: Call, inputs: list[Ball]) -> Ball:
        module: Any = call.module
        top, bottom, left, right = call.options["padding"]
        others = [call.options[key] for key in ("stride", "dilation", "groups")]

        def product(x: Tensor, w: Tensor) -> Tensor:
            stride, dilation, groups = others
            return F.conv2d(F.pad(x, (left, right, top, bottom)), w, None, stride, 0, dilation, groups)

        return _frames(inputs[0], lambda x: weighted(x, _float(module), module.bias, product))

    def _linear(self, call: Call, inputs: list[Ball]) -> Ball:
        module: Any = call.module
        return _frames(inputs[0], lambda x: weighted(x, _float(module), module.bias, lambda a, w: a @ w.T))

    def _batch_norm(self, call: Call, inputs: list[Ball]) -> Ball:
        return _frames(inputs[0], lambda x: batch_normed(x, call.module))

    def _maxpool2d(self, call: Call, inputs: list[Ball]) -> Ball:
        kernel, stride, sides = _window(call)
        x = inputs[0]
        mid = F.max_pool2d(F.pad(x.mid.flatten(0, 1), sides, value=-torch.inf), kernel, stride)
        rad = F.max_pool2d(F.pad(x.rad.flatten(0, 1), sides), kernel, stride)
        return _unframed(Ball(mid, rad), x)

    def _avgpool2d(self, call: Call, inputs: list[Ball]) -> Ball:
        kernel, stride, sides = _window(call)

        def mean(values: Tensor) -> Tensor:
            return F.avg_pool2d(F.pad(values.flatten(0, 1), sides), kernel, stride)

        x = inputs[0]
        rounded = gamma(kernel[0] * kernel[1] + 1) * mean(x.size)
        pooled = _unframed(Ball(mean(x.mid), mean(x.rad) + rounded), x)
        return pooled.map(lambda t: t.flatten(2)) if call.options.get("flatten") else pooled

    def _add(self, call: Call, inputs: list[Ball]) -> Ball:
        return sum(inputs[1:], start=inputs[0])

    def _counts(self, call: Call, inputs: list[Ball]) -> Ball:
        """Count and gate spikes: whole numbers, which float32 holds."""
        assert call.module is not None
        frames = call.module(*(x.mid.flatten(0, 1) for x in inputs))
        return Ball.exact(frames.unflatten(0, inputs[0].mid.shape[:2]))

    _attention = _count = _mask = _map_scores = _map_product = _counts

    def _step_gain(self, call: Call, inputs: list[Ball]) -> Ball:
        assert call.module is not None
        return inputs[0] * Ball.exact(call.module(torch.ones_like(inputs[0].mid)))

    def _flatten(self, call: Call, inputs: list[Ball]) -> Ball:
        in_file = bool(call.options.get("channels_last"))
        return inputs[0].map(ops.flatten if in_file else lambda t: t.flatten(2))

    def _delay(self, call: Call, inputs: list[Ball]) -> Ball:
        return inputs[0].map(lambda t: ops.delay(t, call.options["steps"]))

    def _unknown(self, call: Call, inputs: list[Ball]) -> Ball:
        raise Unknown(f"'{call.name}' ({call.kind}) comes before the neuron")


def _window(call: Call) -> tuple[list[int], list[int], list[int]]:
    """Give kernel, stride and padding, this left, right, top, bottom."""
    kernel, stride, padding = (list(call.options[key]) for key in ("kernel", "stride", "padding"))
    rows, columns = ([p, p] for p in padding) if len(padding) == 2 else (padding[:2], padding[2:])
    return kernel, stride, [*columns, *rows]


def _frames(x: Ball, layer: Callable[[Ball], Ball]) -> Ball:
    """Apply a layer that takes [N, ...] to [T, 1, ...]."""
    return _unframed(layer(x.map(lambda t: t.flatten(0, 1))), x)


def _unframed(y: Ball, like: Ball) -> Ball:
    return y.map(lambda t: t.reshape(*like.mid.shape[:2], *t.shape[1:]))


def _float(module: Any) -> Tensor:
    if getattr(module, "quantizer", None) is not None:
        raise Unknown("its weights are quantised: integers are summed, and rounded otherwise than float32")
    weight: Tensor = module.weight
    return weight.detach()
