"""SpikingJelly 2.0: neurons and the layers that come in two step modes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from spikingjelly.activation_based import base, functional, layer, neuron
from torch import Tensor, nn

from snncore.neuron import Neuron
from snncore.presets import spikingjelly as preset

from . import Dialect, Stepping, switched_on


def _if(n: Any) -> Neuron:
    return preset.if_(n.v_threshold, n.v_reset)


def _lif(n: Any) -> Neuron:
    return preset.lif(n.tau, n.decay_input, n.v_threshold, n.v_reset)


def _parametric_lif(n: Any) -> Neuron:
    reciprocal = n.w.detach().sigmoid().float().numpy()
    return preset.parametric_lif(reciprocal, n.decay_input, n.v_threshold, n.v_reset)


def _stepping(module: nn.Module) -> Stepping | None:
    modes = {part.step_mode for part in module.modules() if hasattr(part, "step_mode")}
    if not modes:
        return None
    return "all" if "m" in modes else "each"


def _membrane(n: Any, _output: Any) -> Tensor | None:
    v = n.v_seq if n.step_mode == "m" else n.v
    return v if isinstance(v, Tensor) else None


def _watching(module: nn.Module) -> AbstractContextManager[None]:
    all_steps = [p for p in module.modules() if isinstance(p, neuron.BaseNode) and p.step_mode == "m"]
    return switched_on(all_steps, "store_v_seq", "v_seq")


DIALECT = Dialect(
    name="spikingjelly",
    neurons={
        neuron.IFNode: _if,
        neuron.LIFNode: _lif,
        neuron.ParametricLIFNode: _parametric_lif,
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
    membrane=_membrane,
    watching=_watching,
)
