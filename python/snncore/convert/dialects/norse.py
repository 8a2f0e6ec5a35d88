"""Norse 1.1: `SequentialState` of layers and cells, one step a call; or of modules that take all steps."""

from __future__ import annotations

from typing import Any

import torch
from norse.torch.module import iaf, lif, lif_box, sequential, snn
from torch import nn

from snncore import _core
from snncore.neuron import Neuron
from snncore.presets import norse as preset

from . import Dialect, Loop, Stepping, linear

#: Modules that take all steps in one call, and those that take one.
_WITH_TIME = (snn.SNN, snn.SNNRecurrent)
_CELLS = (snn.SNNCell, snn.SNNRecurrentCell)


def _array(value: Any) -> Any:
    return torch.as_tensor(value).detach().float().numpy()


def _lif(cell: Any) -> Neuron:
    p = cell.p
    return preset.lif(
        _array(p.tau_syn_inv),
        _array(p.tau_mem_inv),
        _array(p.v_leak),
        _array(p.v_th),
        _array(p.v_reset),
        cell.dt,
    )


def _lif_recurrent(cell: Any) -> Loop:
    return Loop(_lif(cell), (linear(cell.recurrent_weights),), (linear(cell.input_weights),))


def _lif_box(cell: Any) -> Neuron:
    p = cell.p
    return preset.lif_box(
        _array(p.tau_mem_inv), _array(p.v_leak), _array(p.v_th), _array(p.v_reset), dt=cell.dt
    )


def _iaf(cell: Any) -> Neuron:
    return preset.iaf(_array(cell.p.v_th), _array(cell.p.v_reset))


class Stateful(nn.Sequential):
    """A `SequentialState` that keeps its state, so that it is called like any other module."""

    def __init__(self, wrapped: nn.Module) -> None:
        super().__init__()
        for name, child in wrapped.named_children():
            self.add_module(name, child)
        self.states: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        """Run one step."""
        for name, child in self.named_children():
            if DIALECT.is_neuron(child):
                x, self.states[name] = child(x, self.states.get(name))
            else:
                x = child(x)
        return x


def _prepare(module: nn.Module) -> nn.Module:
    if isinstance(module, Stateful):
        return module
    if not isinstance(module, sequential.SequentialState):
        raise _core.Error(
            f"from_norse: expected a norse.torch.SequentialState, received {type(module).__name__}"
        )
    kinds = {isinstance(part, _CELLS) for part in module.modules() if isinstance(part, _CELLS + _WITH_TIME)}
    if len(kinds) > 1:
        raise _core.Error(
            "from_norse: cells, which take one step, and modules that take all stand in one network"
        )
    return Stateful(module)


def _reset(module: nn.Module) -> None:
    if isinstance(module, Stateful):
        module.states.clear()


def _stepping(module: nn.Module) -> Stepping:
    return "all" if any(isinstance(part, _WITH_TIME) for part in module.modules()) else "each"


DIALECT = Dialect(
    name="norse",
    neurons={lif.LIFCell: _lif, lif.LIF: _lif, lif_box.LIFBoxCell: _lif_box, iaf.IAFCell: _iaf},
    loops={lif.LIFRecurrentCell: _lif_recurrent, lif.LIFRecurrent: _lif_recurrent},
    stateful=(*_WITH_TIME, *_CELLS),
    reset=_reset,
    stepping=_stepping,
    prepare=_prepare,
    membrane=lambda cell, output: output[1].v,
)
