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
from snncore.reference import LIF, Network
from snncore.reference.neuron import CHARGE, SYNAPSE

from .balls import Ball, batch_normed, gamma, weighted
from .report import Difference, Margin

#: The expressions of `snncore.reference.neuron` are made of operators that balls have, too.
_SYNAPSE = cast(Mapping[str, Callable[[Ball, Ball, Ball], tuple[Ball, Ball]]], SYNAPSE)
_CHARGE = cast(Mapping[str, Callable[[Ball, Ball, Ball, Ball], Ball]], CHARGE)


class Unknown(Exception):  # noqa: N818 - becomes a note in the report
    """Why there is no bound."""


@torch.no_grad()
def margin_of(
    module: nn.Module,
    values: Tensor,
    spikes: Mapping[str, NDArray[Any]],
    difference: Difference,
    steps: int,
) -> Margin:
    """Say how far the first different neuron was from its threshold.

    Parameters
    ----------
    module
        What the model was made from.
    values
        The one sample, float32 [1, ...], or [T, 1, ...].
    spikes
        What every neuron layer fired for it, [T, ...], by the model's names.
    difference
        The first one, in one of those layers.
    steps
        Steps of the run.

    Raises
    ------
    Unknown
        The network cannot be evaluated that way; says why.
    """
    time_first = values.dim() in (3, 5)
    try:
        found = _calls(module, values, time_first, steps)
    except (_core.Error, ValueError) as why:
        raise Unknown(str(why)) from why
    neurons = [call for call in found.calls if call.kind in ("lif", "neuron")]
    named = _named(neurons, spikes)
    target = named.get(difference.layer)
    if target is None:
        raise Unknown(f"the module has no neuron layer that answers to '{difference.layer}'")
    last = difference.step + 1
    frames = (values if time_first else values.expand(steps, *values.shape))[:last]
    known = {
        call.value: Ball.exact(np.asarray(spikes[name], np.float64)[:last, None])
        for name, call in named.items()
        if name in spikes
    }
    known[found.source] = Ball.exact(frames)
    currents = _Evaluation(found, known).value(target.inputs[0])
    where = tuple(difference.index[1:])
    one = (0, *where)
    fired = np.array([bool(now[where]) for now in spikes[difference.layer][:last]])
    return _margin(neuron_of(target), where, currents.map(lambda t: torch.stack([v[one] for v in t])), fired)


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
    if "neuron" in call.options:
        neuron: Neuron = call.options["neuron"]
        return neuron
    lif = call.module
    assert isinstance(lif, LIF)
    return Neuron(
        rate=lif.decay,
        input_gain=lif.input_gain,
        threshold=lif.threshold,
        fire="above" if lif.strict else "at_least",
        reset=lif.reset,
    )


def _margin(neuron: Neuron, where: tuple[int, ...], currents: Ball, fired: NDArray[np.bool_]) -> Margin:
    """Run one neuron on its currents [T], with the spikes that it fired in the steps before the last."""
    compared = membrane(neuron, where, currents, fired)
    threshold = float(_parameter(neuron, "threshold", where).mid)
    h, bound = float(compared.mid), float(compared.rad)
    return Margin(h, threshold, abs(h - threshold), bound)


def membrane(neuron: Neuron, where: tuple[int, ...], currents: Ball, fired: NDArray[np.bool_]) -> Ball:
    """Give what is compared with the threshold in the last step: h, or with voltage "old" the v before it.

    The equations are those of `snncore.neuron`; r, the reset taken late, is the spike of the step before,
    since that spike was decided by the same membrane.
    """
    if neuron.correct or neuron.counts or neuron.fire == "none":
        raise Unknown("no bound is known for a neuron that corrects a late reset, counts, or never fires")
    p = {
        name: _parameter(neuron, name, where)
        for name in ("rate", "leak", "bias", "reset_value", "drop", "floor_value", "synapse_rate")
    }
    gains = [_parameter(neuron, name, where) for name in ("synapse_gain", "input_gain")]
    v, i, wait = _parameter(neuron, "initial", where), Ball.exact(0.0), 0
    compared, starts = v, _fires(neuron, float(v.mid), where)
    for t, s in enumerate(fired):
        x = Ball(currents.mid[t], currents.rad[t])
        y, i = _SYNAPSE[neuron.synapse](i, gains[0] * x, p["synapse_rate"])
        y = gains[1] * y
        if wait and neuron.refractory == "input":
            y = Ball.exact(0.0)
        late = bool(s if neuron.voltage == "old" else fired[t - 1] if t else starts)
        kept = v
        before = _reset(neuron, v, late, p) if neuron.reset_step == "next_state" else v
        h = _CHARGE[neuron.charge](before, y, p["rate"], p["leak"]) + p["bias"]
        if neuron.reset_step == "next_charge":
            h = _reset(neuron, h, late, p)
        compared = v if neuron.voltage == "old" else h
        v = _floor(neuron, _reset(neuron, h, bool(s), p) if neuron.reset_step == "same" else h, p)
        if wait and neuron.refractory == "hold":
            v = kept
        wait = neuron.refractory_steps if s else max(wait - 1, 0)
    return compared


def _fires(neuron: Neuron, v: float, where: tuple[int, ...]) -> bool:
    threshold = float(_parameter(neuron, "threshold", where).mid)
    return v > threshold if neuron.fire == "above" else v >= threshold


def _reset(neuron: Neuron, h: Ball, fired: bool, p: Mapping[str, Ball]) -> Ball:
    if not fired or neuron.reset == "none":
        return h
    after = {"zero": Ball.exact(0.0), "value": p["reset_value"]}
    return after[neuron.reset] if neuron.reset in after else h - p["drop"]


def _floor(neuron: Neuron, v: Ball, p: Mapping[str, Ball]) -> Ball:
    least = p["floor_value"]
    if neuron.floor == "clamp":
        return v.at_least(least)
    return (v - least).at_least(Ball.exact(0.0)) + least if neuron.floor == "shift" else v


def _parameter(neuron: Neuron, name: str, where: tuple[int, ...]) -> Ball:
    values = neuron.values(name)
    if values.size == 1:
        return Ball.exact(float(values.reshape(())))
    return Ball.exact(float(values[where[:1] if values.ndim == 1 else where]))


class _Evaluation:
    """Evaluates the calls that a value depends on; values are [T, 1, C, H, W] or [T, 1, F]."""

    def __init__(self, found: Trace, known: dict[str, Ball]) -> None:
        self.calls = {call.value: call for call in found.calls}
        self.known = known

    def value(self, name: str) -> Ball:
        """Give a value by its fx name; neurons' outputs are known, never computed."""
        if name not in self.known:
            call = self.calls[name]
            if call.kind in ("lif", "neuron"):
                raise Unknown(f"'{call.name}' fires counts, which cannot be recorded")
            method: Callable[[Call, list[Ball]], Ball] = getattr(self, f"_{call.kind}")
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
        kernel, stride, padding = (call.options[key] for key in ("kernel", "stride", "padding"))
        pooled = inputs[0].map(lambda t: F.max_pool2d(t.flatten(0, 1), kernel, stride, padding[:2]))
        return _unframed(pooled, inputs[0])

    def _avgpool2d(self, call: Call, inputs: list[Ball]) -> Ball:
        kernel, stride, padding = (call.options[key] for key in ("kernel", "stride", "padding"))

        def mean(values: Tensor) -> Tensor:
            return F.avg_pool2d(values.flatten(0, 1), kernel, stride, padding[:2])

        x = inputs[0]
        rounded = gamma(kernel[0] * kernel[1] + 1) * mean(x.size)
        pooled = _unframed(Ball(mean(x.mid), mean(x.rad) + rounded), x)
        return pooled.map(lambda t: t.flatten(2)) if call.options.get("flatten") else pooled

    def _add(self, call: Call, inputs: list[Ball]) -> Ball:
        return inputs[0] + inputs[1]

    def _flatten(self, call: Call, inputs: list[Ball]) -> Ball:
        return inputs[0].map(lambda t: t.flatten(2))

    def _readout(self, call: Call, inputs: list[Ball]) -> Ball:
        raise Unknown(f"'{call.name}' reduces time before the neuron")


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
