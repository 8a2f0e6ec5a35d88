"""snnTorch 1.0: neurons with hidden states, or a forward that loops over the steps."""

from __future__ import annotations

from typing import Any

import snntorch
import torch
from snntorch._neurons.neurons import SpikingNeuron
from torch import nn

from snncore.neuron import Neuron
from snncore.presets import snntorch as preset

from . import Dialect, Loop, Stepping, Times


def _threshold(n: Any) -> dict[str, Any]:
    with torch.no_grad():
        fires = n.spike_grad(torch.tensor([-1.0, -1e-3, 1e-3, 1.0]))
    if fires.tolist() != [0, 0, 1, 1]:
        raise ValueError("spike_grad must give 1 above 0, else 0, when called")
    if n.inhibition or n.state_quant or getattr(n, "graded_spikes_factor", 1.0) != 1.0:
        raise ValueError("needs inhibition=False, state_quant=False and graded_spikes_factor=1")
    return {"threshold": n.threshold.detach().numpy(), "reset_mechanism": n.reset_mechanism}


def _options(n: Any) -> dict[str, Any]:
    return {**_threshold(n), "reset_delay": n.reset_delay}


def _leaky(n: Any) -> Neuron:
    return preset.leaky(n.beta.detach().numpy(), **_options(n))


def _synaptic(n: Any) -> Neuron:
    return preset.synaptic(n.alpha.detach().numpy(), n.beta.detach().numpy(), **_options(n))


def _lapicque(n: Any) -> Neuron:
    r, c, step = (value.detach().numpy() for value in (n.R, n.C, n.time_step))
    return preset.lapicque(r, c, step, **_threshold(n))


def _feedback(n: Any) -> tuple[nn.Module, ...]:
    return (n.recurrent if n.all_to_all else Times(n.recurrent.V),)


def _rleaky(n: Any) -> Loop:
    return Loop(preset.rleaky(n.beta.detach().numpy(), **_options(n)), _feedback(n))


def _rsynaptic(n: Any) -> Loop:
    return Loop(_synaptic(n), _feedback(n))


def _reset(module: nn.Module) -> None:
    """Clear every neuron: snntorch.utils.reset leaves those of inner modules, and RSynaptic's spikes."""
    for part in module.modules():
        if isinstance(part, SpikingNeuron) and hasattr(part, "reset_mem"):
            part.reset_mem()


def _stepping(module: nn.Module) -> Stepping | None:
    return "each" if isinstance(module, nn.Sequential) else None


DIALECT = Dialect(
    name="snntorch",
    neurons={snntorch.Leaky: _leaky, snntorch.Synaptic: _synaptic, snntorch.Lapicque: _lapicque},
    loops={snntorch.RLeaky: _rleaky, snntorch.RSynaptic: _rsynaptic},
    stateful=(SpikingNeuron,),
    reset=_reset,
    stepping=_stepping,
    membrane=lambda n, output: n.mem,
)
