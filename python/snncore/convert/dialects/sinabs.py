"""sinabs 3: batch first, or batch and time in one axis (the Squeeze layers); at most 1,023 spikes a step."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import sinabs.activation as activation
from sinabs import layers
from torch import Tensor, nn

from snncore.neuron import Neuron
from snncore.presets import sinabs as preset

from . import Dialect, Loop, Stepping, switched_on

#: Spikes that a neuron may fire in one step: so many still pool without overflow.
_MOST = 1023
_SQUEEZED = (layers.LIFSqueeze, layers.IAFSqueeze, layers.ExpLeakSqueeze)


def _spikes(n: Any) -> dict[str, Any]:
    name = n.spike_fn.__name__ if isinstance(n.spike_fn, type) else type(n.spike_fn).__name__
    reset = n.reset_fn
    if isinstance(reset, activation.MembraneReset) and reset.reset_value != 0.0:
        raise ValueError("MembraneReset needs reset_value 0")
    return {
        "spike_threshold": _array(n.spike_threshold),
        "spike_fn": name,
        "max_num_spikes_per_bin": getattr(n.spike_fn, "max_num_spikes_per_bin", None),
        "reset_fn": type(reset).__name__,
        "subtract_value": _array(getattr(reset, "subtract_value", None)),
        "min_v_mem": _array(n.min_v_mem),
    }


def _array(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, Tensor) else value


def _lif(n: Any) -> Neuron:
    alpha_syn = n.alpha_syn_calculated
    made = preset.lif(
        alpha_mem=_array(n.alpha_mem_calculated),
        alpha_syn=None if alpha_syn is None else _array(alpha_syn),
        norm_input=n.norm_input,
        **_spikes(n),
    )
    return replace(made, most=min(made.most, _MOST))


def _iaf(n: Any) -> Neuron:
    alpha_syn = n.alpha_syn_calculated
    made = preset.iaf(alpha_syn=None if alpha_syn is None else _array(alpha_syn), **_spikes(n))
    return replace(made, most=min(made.most, _MOST))


def _exp_leak(n: Any) -> Neuron:
    if n.alpha_syn_calculated is not None:
        raise ValueError("needs tau_syn None")
    alpha = _array(n.alpha_mem_calculated)
    return preset.exp_leak(alpha, min_v_mem=_array(n.min_v_mem), norm_input=n.norm_input)


def _connections(n: Any) -> tuple[nn.Module, ...]:
    connect = n.rec_connect
    return tuple(connect) if type(connect) is nn.Sequential else (connect,)


def _lif_recurrent(n: Any) -> Loop:
    return Loop(_lif(n), _connections(n), late="currents")


def _iaf_recurrent(n: Any) -> Loop:
    return Loop(_iaf(n), _connections(n), late="currents")


def _squeezed(module: nn.Module) -> bool:
    return any(type(part) in _SQUEEZED for part in module.modules())


def _to_module(module: nn.Module, x: Tensor) -> Tensor:
    batch_first = x.transpose(0, 1)
    return batch_first.flatten(0, 1) if _squeezed(module) else batch_first


def _from_module(module: nn.Module, y: Tensor, steps: int) -> Tensor:
    if _squeezed(module):
        y = y.reshape(-1, steps, *y.shape[1:])
    return y.transpose(0, 1)


def _reset(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, layers.StatefulLayer):
            part.reset_states()


def _membrane(n: Any, _output: Any) -> Tensor | None:
    kept = n.recordings.get("v_mem")  # [N, T, ...], of Squeeze layers too
    return None if kept is None else kept.transpose(0, 1)


def _watching(module: nn.Module) -> AbstractContextManager[None]:
    stateful = [part for part in module.modules() if isinstance(part, layers.StatefulLayer)]
    return switched_on(stateful, "record_states", "recordings")


def _stepping(_module: nn.Module) -> Stepping:
    return "all"


DIALECT = Dialect(
    name="sinabs",
    neurons={
        layers.LIF: _lif,
        layers.LIFSqueeze: _lif,
        layers.IAF: _iaf,
        layers.IAFSqueeze: _iaf,
        layers.ExpLeak: _exp_leak,
        layers.ExpLeakSqueeze: _exp_leak,
    },
    loops={layers.LIFRecurrent: _lif_recurrent, layers.IAFRecurrent: _iaf_recurrent},
    stateful=(layers.StatefulLayer,),
    reset=_reset,
    stepping=_stepping,
    to_module=_to_module,
    from_module=_from_module,
    membrane=_membrane,
    watching=_watching,
)
