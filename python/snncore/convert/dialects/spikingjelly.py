"""SpikingJelly 2.0: neurons and the layers that come in two step modes."""

from __future__ import annotations

from typing import Any

from spikingjelly.activation_based import base, functional, layer, neuron
from torch import nn

from snncore.neuron import Neuron
from snncore.presets import spikingjelly as preset

from . import Dialect, Psn, Stepping


def _if(n: Any) -> Neuron:
    return preset.if_(n.v_threshold, n.v_reset)


def _lif(n: Any) -> Neuron:
    return preset.lif(n.tau, n.decay_input, n.v_threshold, n.v_reset)


def _parametric_lif(n: Any) -> Neuron:
    reciprocal = n.w.detach().sigmoid().float().numpy()
    return preset.parametric_lif(reciprocal, n.decay_input, n.v_threshold, n.v_reset)


def _psn(n: Any) -> Psn:
    return Psn(_array(n.weight), _array(n.bias).reshape(-1))


def _masked_psn(n: Any) -> Psn:
    return Psn(_array(n.masked_weight()), _array(n.bias).reshape(-1))


def _array(values: Any) -> Any:
    return values.detach().float().numpy()


def _stepping(module: nn.Module) -> Stepping | None:
    modes = {part.step_mode for part in module.modules() if hasattr(part, "step_mode")}
    if not modes:
        return None
    return "all" if "m" in modes else "each"


DIALECT = Dialect(
    name="spikingjelly",
    neurons={
        neuron.IFNode: _if,
        neuron.LIFNode: _lif,
        neuron.ParametricLIFNode: _parametric_lif,
        neuron.PSN: _psn,
        neuron.MaskedPSN: _masked_psn,
        neuron.SlidingPSN: _psn,
    },
    layers={
        layer.Conv2d: "conv2d",
        layer.Linear: "linear",
        layer.BatchNorm1d: "batch_norm",
        layer.BatchNorm2d: "batch_norm",
        layer.MaxPool2d: "maxpool2d",
        layer.AvgPool2d: "avgpool2d",
        layer.AdaptiveAvgPool2d: "avgpool2d",
        layer.Flatten: "flatten",
        layer.Dropout: "drop",
        layer.Dropout2d: "drop",
    },
    stateful=(base.MemoryModule,),
    reset=functional.reset_net,
    stepping=_stepping,
)
